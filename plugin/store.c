/* The database file: SQLite, application_id 0x4c4b5331 ("LKS1"), user_version 4.
 *
 *   identity  one row: chain id, oracle, operator and account that every other row belongs to
 *   block     number, hash, time of the newest blocks whose effects are stored; the highest number is how far the plugin has come
 *   speed     model id -> microseconds a prompt position and a generated token, measured
 *   job, round      store_jobs.c
 *   tx, tx_version  store_txs.c
 *   claim, secret   store_claims.c
 *
 * Valid when (1) application_id and user_version are as above, (2) identity has exactly one row, (3) every job's request hashes to its id
 * and its state is the fold of its facts, (4) every stored answer and transaction has the hash that is stored beside it.
 * Versions 1 and 2 were of contracts whose requests and claims have other ids: nothing in them can
 * be gone on with, so they are refused. Version 3 is migrated (store_migrate.c). locking_mode EXCLUSIVE holds the file's lock while it is
 * open; synchronous FULL makes a commit durable before it returns. */
#include "plugin/store_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x4c4b5331
#define SCHEMA_VERSION 4
/* The oldest that can be brought to it. */
#define OLDEST_VERSION 3

static const char schema[] =
    "CREATE TABLE identity(one INTEGER PRIMARY KEY CHECK(one = 1), chain_id INTEGER NOT NULL, oracle BLOB NOT NULL,"
    " operator BLOB NOT NULL, account BLOB NOT NULL) STRICT;"
    "CREATE TABLE block(number INTEGER PRIMARY KEY, hash BLOB NOT NULL, time INTEGER NOT NULL) STRICT;"
    "CREATE TABLE speed(model_id BLOB PRIMARY KEY, prefill_us INTEGER NOT NULL, decode_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE finality(one INTEGER PRIMARY KEY CHECK(one = 1), height INTEGER NOT NULL) STRICT;";

lks_err lks_store_fail(lks_store *s, const char *what) {
    int code = sqlite3_extended_errcode(s->db);
    const char *path = s->path;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return lks_fail(LKS_REFUSED, "database %s is in use by another process; every operator needs its own", path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return lks_fail(LKS_IO, "database %s cannot be written; check its permissions and those of its folder", path);
    case SQLITE_CANTOPEN:
        return lks_fail(LKS_IO, "database %s cannot be opened; check that its folder exists and can be written", path);
    case SQLITE_FULL:
        return lks_fail(LKS_IO, "database %s: the disk is full", path);
    case SQLITE_NOTADB:
        return lks_fail(LKS_CORRUPT, "database %s is not an SQLite file", path);
    case SQLITE_CORRUPT:
        return lks_fail(LKS_CORRUPT, "database %s is damaged (%s); restore it or start with a new one", path, sqlite3_errmsg(s->db));
    case SQLITE_NOMEM:
        return lks_fail(LKS_NOMEM, "out of memory");
    case SQLITE_CONSTRAINT:
        return lks_fail(LKS_INTERNAL, "database %s: %s breaks a rule (%s)", path, what, sqlite3_errmsg(s->db));
    default:
        return lks_fail(LKS_IO, "database %s: %s failed: %s", path, what, sqlite3_errmsg(s->db));
    }
}

lks_err lks_store_prepare(lks_store *s, sqlite3_stmt **out, const char *sql) {
    return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK ? LKS_OK : lks_store_fail(s, "a statement");
}

lks_err lks_store_step(lks_store *s, sqlite3_stmt *st, bool *row) {
    int rc = sqlite3_step(st);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LKS_OK : lks_store_fail(s, "a query");
}

lks_err lks_store_run(lks_store *s, sqlite3_stmt *st) {
    int rc = sqlite3_step(st);
    lks_err err = rc == SQLITE_DONE || rc == SQLITE_ROW ? LKS_OK : lks_store_fail(s, "a write");
    sqlite3_finalize(st);
    return err;
}

lks_err lks_store_exec(lks_store *s, const char *sql) {
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? LKS_OK : lks_store_fail(s, "a statement");
}

void lks_store_bind_u64(sqlite3_stmt *st, int i, uint64_t value) {
    sqlite3_bind_int64(st, i, (sqlite3_int64)value);
}

void lks_store_bind_blob(sqlite3_stmt *st, int i, const void *data, size_t len) {
    sqlite3_bind_blob64(st, i, len ? data : "", len, SQLITE_TRANSIENT);
}

uint64_t lks_store_column_u64(sqlite3_stmt *st, int i) {
    return (uint64_t)sqlite3_column_int64(st, i);
}

lks_err lks_store_fixed(sqlite3_stmt *st, int i, void *out, size_t len) {
    const void *data = sqlite3_column_blob(st, i);
    int have = sqlite3_column_bytes(st, i);
    if (have < 0 || (size_t)have != len || !data)
        return lks_fail(LKS_CORRUPT, "database: column %s has %d bytes, not %zu", sqlite3_column_name(st, i), have, len);
    memcpy(out, data, len);
    return LKS_OK;
}

/* Reads one integer that a statement gives. */
static lks_err query_i64(lks_store *s, const char *sql, int64_t *out) {
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st, sql);
    if (!err) err = lks_store_step(s, st, &row);
    if (!err && row) *out = sqlite3_column_int64(st, 0);
    else if (!err) err = lks_fail(LKS_CORRUPT, "database %s: no answer to %s", s->path, sql);
    sqlite3_finalize(st);
    return err;
}

static lks_err set_version(lks_store *s) {
    char numbers[96];
    snprintf(numbers, sizeof numbers, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID, SCHEMA_VERSION);
    return lks_store_exec(s, numbers);
}

static lks_err make_schema(lks_store *s) {
    lks_err err = lks_store_exec(s, schema);
    if (!err) err = lks_store_exec(s, lks_store_jobs_schema);
    if (!err) err = lks_store_exec(s, lks_store_txs_schema);
    if (!err) err = lks_store_exec(s, lks_store_claims_schema);
    if (!err) err = lks_store_make_secret(s);
    if (!err) err = set_version(s);
    sqlite3_stmt *st = NULL;
    if (!err) err = lks_store_prepare(s, &st, "INSERT INTO identity VALUES(1, ?, ?, ?, ?)");
    if (err) return err;
    lks_store_bind_u64(st, 1, s->who.chain_id);
    lks_store_bind_blob(st, 2, s->who.oracle, 20);
    lks_store_bind_blob(st, 3, s->who.operator_address, 20);
    lks_store_bind_blob(st, 4, s->who.account, 20);
    return lks_store_run(s, st);
}

static lks_err check_identity(lks_store *s) {
    sqlite3_stmt *st = NULL;
    bool row = false;
    uint8_t oracle[20] = {0}, operator_address[20] = {0}, account[20] = {0};
    uint64_t chain_id = 0;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT chain_id, oracle, operator, account FROM identity");
    if (!err) err = lks_store_step(s, st, &row);
    if (!err && !row) err = lks_fail(LKS_CORRUPT, "database %s is damaged: it has no identity", s->path);
    if (!err) {
        chain_id = lks_store_column_u64(st, 0);
        err = lks_store_fixed(st, 1, oracle, 20);
    }
    if (!err) err = lks_store_fixed(st, 2, operator_address, 20);
    if (!err) err = lks_store_fixed(st, 3, account, 20);
    sqlite3_finalize(st);
    if (err) return err;
    if (chain_id != s->who.chain_id)
        return lks_fail(LKS_AUTH, "database %s belongs to chain %llu, the configuration says %llu; use another database for another chain", s->path,
                        (unsigned long long)chain_id, (unsigned long long)s->who.chain_id);
    if (memcmp(oracle, s->who.oracle, 20))
        return lks_fail(LKS_AUTH, "database %s belongs to another InferenceOracle than the configured one; use another database", s->path);
    if (memcmp(operator_address, s->who.operator_address, 20))
        return lks_fail(LKS_AUTH, "database %s belongs to another operator; use another database",
                        s->path);
    if (memcmp(account, s->who.account, 20))
        return lks_fail(LKS_AUTH, "database %s belongs to another account's key; use another database", s->path);
    return LKS_OK;
}

/* Within a transaction that holds the lock: tells what the file is and makes the schema in an empty one. */
static lks_err check_schema(lks_store *s) {
    int64_t application = 0, version = 0, tables = 0;
    lks_err err = query_i64(s, "PRAGMA application_id", &application);
    if (!err) err = query_i64(s, "PRAGMA user_version", &version);
    if (!err) err = query_i64(s, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err) return err;
    if (application == 0 && version == 0 && tables == 0) return make_schema(s);
    if (application != APPLICATION_ID) return lks_fail(LKS_CORRUPT, "database %s is not a Lockstep job store", s->path);
    if (version > SCHEMA_VERSION)
        return lks_fail(LKS_REFUSED, "database %s was written by a newer version of the plugin (schema %lld, this one knows %d)", s->path,
                        (long long)version, SCHEMA_VERSION);
    if (version < 1) return lks_fail(LKS_CORRUPT, "database %s has the unknown schema %lld", s->path, (long long)version);
    if (version < OLDEST_VERSION)
        return lks_fail(LKS_REFUSED,
                        "database %s was written for an earlier version of the contracts (schema %lld): end what is open with the"
                        " plugin that wrote it, and use another database for the contracts of this one (schema %d)",
                        s->path, (long long)version, SCHEMA_VERSION);
    err = check_identity(s);
    if (err || version == SCHEMA_VERSION)
        return err;
    err = lks_store_migrate(s);
    return err ? err : set_version(s);
}

lks_err lks_store_open(lks_store **out, const char *path, const lks_store_identity *who) {
    *out = NULL;
    lks_store *s = calloc(1, sizeof *s);
    if (!s) return lks_fail(LKS_NOMEM, "out of memory");
    lks_err err = LKS_OK;
    s->who = *who;
    s->path = strdup(path);
    if (!s->path) {
        free(s);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    /* What an operator is about to claim is nobody else's to read; SQLite gives its other files the mode of this one. Only a new file is opened
     * here: to close an old one would drop the locks that this process may have on it. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0) close(fd);
    int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) err = s->db ? lks_store_fail(s, "opening") : lks_fail(LKS_NOMEM, "out of memory");
    if (!err && sqlite3_db_readonly(s->db, "main") == 1)
        err = lks_fail(LKS_IO, "database %s cannot be written; check its permissions and those of its folder", path);
    if (!err) err = lks_store_exec(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    if (!err) err = lks_store_exec(s, "BEGIN EXCLUSIVE");
    if (!err) err = check_schema(s);
    if (!err) err = lks_store_exec(s, "COMMIT");
    if (err) {
        lks_store_close(s);
        return err;
    }
    *out = s;
    return LKS_OK;
}

void lks_store_close(lks_store *s) {
    if (!s) return;
    sqlite3_close(s->db);
    free(s->path);
    free(s);
}

lks_err lks_store_begin(lks_store *s) {
    return lks_store_exec(s, "BEGIN IMMEDIATE");
}

lks_err lks_store_commit(lks_store *s) {
    lks_err err = lks_store_exec(s, "COMMIT");
    if (err) lks_store_rollback(s);
    return err;
}

void lks_store_rollback(lks_store *s) {
    if (!sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- blocks ---- */

/* Reads the one row of a statement over `block`, which has one parameter, and finalizes it. */
static lks_err find_block(lks_store *s, const char *sql, uint64_t height, lks_store_block *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    memset(out, 0, sizeof *out);
    lks_err err = lks_store_prepare(s, &st, sql);
    if (!err) {
        lks_store_bind_u64(st, 1, height);
        err = lks_store_step(s, st, &row);
    }
    if (!err && !row)
        err = lks_fail(LKS_NOTFOUND, "no block at or below %llu is stored",
                       (unsigned long long)height);
    if (!err) {
        out->ref.number = lks_store_column_u64(st, 0);
        out->time = lks_store_column_u64(st, 2);
        err = lks_store_fixed(st, 1, out->ref.hash, 32);
    }
    sqlite3_finalize(st);
    return err;
}

lks_err lks_store_block_below(lks_store *s, uint64_t height, lks_store_block *out)
{
    return find_block(s, "SELECT number, hash, time FROM block WHERE number <= ?"
                         " ORDER BY number DESC LIMIT 1",
                      height, out);
}

lks_err lks_store_block_oldest(lks_store *s, lks_store_block *out)
{
    return find_block(s, "SELECT number, hash, time FROM block WHERE number <= ?"
                         " ORDER BY number LIMIT 1",
                      INT64_MAX, out);
}

lks_err lks_store_head(lks_store *s, lks_store_block *out) {
    return lks_store_block_below(s, INT64_MAX, out);
}

lks_err lks_store_block_put(lks_store *s, const lks_store_block *block) {
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, "INSERT INTO block VALUES(?, ?, ?)");
    if (err) return err;
    lks_store_bind_u64(st, 1, block->ref.number);
    lks_store_bind_blob(st, 2, block->ref.hash, 32);
    lks_store_bind_u64(st, 3, block->time);
    err = lks_store_run(s, st);
    if (!err && block->ref.number > LKS_STORE_BLOCKS) {
        err = lks_store_prepare(s, &st, "DELETE FROM block WHERE number <= ?");
        if (!err) {
            lks_store_bind_u64(st, 1, block->ref.number - LKS_STORE_BLOCKS);
            err = lks_store_run(s, st);
        }
    }
    if (!err && block->ref.number > LKS_STORE_KEEP_BLOCKS) err = lks_store_jobs_prune(s, block->ref.number - LKS_STORE_KEEP_BLOCKS);
    return err;
}

lks_err lks_store_has_requests(lks_store *s, uint64_t height, bool *any)
{
    sqlite3_stmt *st = NULL;
    *any = false;
    lks_err err = lks_store_prepare(
        s, &st, "SELECT 1 FROM job WHERE requested_block BETWEEN 1 AND ? LIMIT 1");
    if (!err) {
        lks_store_bind_u64(st, 1, height);
        err = lks_store_step(s, st, any);
    }
    sqlite3_finalize(st);
    return err;
}

lks_err lks_store_final_get(lks_store *s, uint64_t *height)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    *height = 0;
    lks_err err = lks_store_prepare(s, &st, "SELECT height FROM finality");
    if (!err)
        err = lks_store_step(s, st, &row);
    if (!err && row)
        *height = lks_store_column_u64(st, 0);
    sqlite3_finalize(st);
    return err;
}

lks_err lks_store_final_put(lks_store *s, uint64_t height)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st,
                                    "INSERT INTO finality VALUES(1, ?) ON CONFLICT(one)"
                                    " DO UPDATE SET height = max(height, excluded.height)");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, height);
    return lks_store_run(s, st);
}

/* ---- speed ---- */

lks_err lks_store_speed_get(lks_store *s, const uint8_t model_id32[32], lks_speed *out) {
    memset(out, 0, sizeof *out);
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st, "SELECT prefill_us, decode_us FROM speed WHERE model_id = ?");
    if (!err) {
        lks_store_bind_blob(st, 1, model_id32, 32);
        err = lks_store_step(s, st, &row);
    }
    if (!err && !row) err = lks_fail(LKS_NOTFOUND, "no speed is stored");
    if (!err) *out = (lks_speed){lks_store_column_u64(st, 0), lks_store_column_u64(st, 1)};
    sqlite3_finalize(st);
    return err;
}

lks_err lks_store_speed_put(lks_store *s, const uint8_t model_id32[32], const lks_speed *speed) {
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, "INSERT OR REPLACE INTO speed VALUES(?, ?, ?)");
    if (err) return err;
    lks_store_bind_blob(st, 1, model_id32, 32);
    lks_store_bind_u64(st, 2, speed->prefill_us);
    lks_store_bind_u64(st, 3, speed->decode_us);
    return lks_store_run(s, st);
}
