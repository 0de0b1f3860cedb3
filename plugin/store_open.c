/* The database file: SQLite, application_id 0x4c4b5331 ("LKS1"), user_version 5.
 *
 *   identity  one row: chain id, oracle, operator and account that every other row belongs to
 *   block     number, hash, time of the newest blocks whose effects are stored; the highest number
 * is how far the plugin has come measured  model id, kind of run, cell -> what runs took (cost.h)
 *   finality  height of the newest finalised block that the node told of
 *   job, round      store_jobs.c
 *   tx, tx_version  store_txs.c
 *   claim, secret   store_claims.c
 *
 * Valid when (1) application_id and user_version are as above, (2) identity has exactly one row,
 * (3) every job's request hashes to its id and its state is the fold of its facts, (4) every stored
 * answer and transaction has the hash that is stored beside it. Versions 1 and 2 were of contracts
 * whose requests and claims have other ids: nothing in them can be gone on with, so they are
 * refused. Versions 3 and 4 are migrated (store_migrate.c). synchronous FULL makes a commit durable
 * before it returns.
 *
 * One plugin, one database: whoever has it open holds a lock (flock) on the file "NAME-lock" beside
 * it, which is made when missing, is always empty and stays. The database's own locks are free, so
 * that other programs can read it and copy it (sqlite3 -readonly, .backup) while the plugin runs.
 * A file that somebody has tampered with must not run code of theirs: the schema is not trusted,
 * triggers and views are off. */
#include "plugin/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x4c4b5331
#define SCHEMA_VERSION 5
/* The oldest that can be brought to it. */
#define OLDEST_VERSION 3
/* Milliseconds to wait for another program that writes to the database or copies it. */
#define BUSY_MS 5000

static const char schema[] = "CREATE TABLE identity(one INTEGER PRIMARY KEY CHECK(one = 1), "
                             "chain_id INTEGER NOT NULL, oracle BLOB NOT NULL,"
                             " operator BLOB NOT NULL, account BLOB NOT NULL) STRICT;"
                             "CREATE TABLE block(number INTEGER PRIMARY KEY, hash BLOB NOT NULL, "
                             "time INTEGER NOT NULL) STRICT;"
                             "CREATE TABLE finality(one INTEGER PRIMARY KEY CHECK(one = 1), height "
                             "INTEGER NOT NULL) STRICT;";

/* Reads one integer that a statement gives. */
static lks_err query_i64(lks_store *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st, sql);
    if (!err)
        err = lks_store_step(s, st, &row);
    if (!err && row)
        *out = sqlite3_column_int64(st, 0);
    else if (!err)
        err = lks_fail(LKS_CORRUPT, "database %s: no answer to %s", s->path, sql);
    lks_store_release(s, st);
    return err;
}

static lks_err set_version(lks_store *s)
{
    char numbers[96];
    snprintf(numbers, sizeof numbers, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             APPLICATION_ID, SCHEMA_VERSION);
    return lks_store_exec(s, numbers);
}

static lks_err make_schema(lks_store *s)
{
    lks_err err = lks_store_exec(s, schema);
    if (!err)
        err = lks_store_exec(s, lks_store_jobs_schema);
    if (!err)
        err = lks_store_exec(s, lks_store_txs_schema);
    if (!err)
        err = lks_store_exec(s, lks_store_claims_schema);
    if (!err)
        err = lks_store_exec(s, lks_store_measured_schema);
    if (!err)
        err = lks_store_make_secret(s);
    if (!err)
        err = set_version(s);
    sqlite3_stmt *st = NULL;
    if (!err)
        err = lks_store_prepare(s, &st, "INSERT INTO identity VALUES(1, ?, ?, ?, ?)");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, s->who.chain_id);
    lks_store_bind_blob(st, 2, s->who.oracle, 20);
    lks_store_bind_blob(st, 3, s->who.operator_address, 20);
    lks_store_bind_blob(st, 4, s->who.account, 20);
    return lks_store_run(s, st);
}

static lks_err check_identity(lks_store *s)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    uint8_t oracle[20] = {0}, operator_address[20] = {0}, account[20] = {0};
    uint64_t chain_id = 0;
    lks_err err =
        lks_store_prepare(s, &st, "SELECT chain_id, oracle, operator, account FROM identity");
    if (!err)
        err = lks_store_step(s, st, &row);
    if (!err && !row)
        err = lks_fail(LKS_CORRUPT, "database %s is damaged: it has no identity", s->path);
    if (!err) {
        chain_id = lks_store_column_u64(st, 0);
        err = lks_store_fixed(st, 1, oracle, 20);
    }
    if (!err)
        err = lks_store_fixed(st, 2, operator_address, 20);
    if (!err)
        err = lks_store_fixed(st, 3, account, 20);
    lks_store_release(s, st);
    if (err)
        return err;
    if (chain_id != s->who.chain_id)
        return lks_fail(LKS_AUTH,
                        "database %s belongs to chain %llu, the configuration says %llu; use "
                        "another database for another chain",
                        s->path, (unsigned long long)chain_id, (unsigned long long)s->who.chain_id);
    if (memcmp(oracle, s->who.oracle, 20))
        return lks_fail(LKS_AUTH,
                        "database %s belongs to another InferenceOracle than the configured one; "
                        "use another database",
                        s->path);
    if (memcmp(operator_address, s->who.operator_address, 20))
        return lks_fail(LKS_AUTH, "database %s belongs to another operator; use another database",
                        s->path);
    if (memcmp(account, s->who.account, 20))
        return lks_fail(LKS_AUTH,
                        "database %s belongs to another account's key; use another database",
                        s->path);
    return LKS_OK;
}

/* Within a transaction that holds the lock: tells what the file is and makes the schema in an empty
 * one. */
static lks_err check_schema(lks_store *s)
{
    int64_t application = 0, version = 0, tables = 0;
    lks_err err = query_i64(s, "PRAGMA application_id", &application);
    if (!err)
        err = query_i64(s, "PRAGMA user_version", &version);
    if (!err)
        err = query_i64(s, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err)
        return err;
    if (application == 0 && version == 0 && tables == 0)
        return make_schema(s);
    if (application != APPLICATION_ID)
        return lks_fail(LKS_CORRUPT, "database %s is not a Lockstep job store", s->path);
    if (version > SCHEMA_VERSION)
        return lks_fail(LKS_REFUSED,
                        "database %s was written by a newer version of the plugin (schema %lld, "
                        "this one knows %d)",
                        s->path, (long long)version, SCHEMA_VERSION);
    if (version < 1)
        return lks_fail(LKS_CORRUPT, "database %s has the unknown schema %lld", s->path,
                        (long long)version);
    if (version < OLDEST_VERSION)
        return lks_fail(LKS_REFUSED,
                        "database %s was written for an earlier version of the contracts (schema "
                        "%lld): end what is open with the"
                        " plugin that wrote it, and use another database for the contracts of this "
                        "one (schema %d)",
                        s->path, (long long)version, SCHEMA_VERSION);
    err = check_identity(s);
    if (err || version == SCHEMA_VERSION)
        return err;
    err = lks_store_migrate(s, (unsigned)version);
    return err ? err : set_version(s);
}

/* Makes the file where there is none. What an operator is about to claim is nobody else's to read;
 * SQLite gives its other files the mode of this one. An old file is not opened here: to close it
 * would drop the locks that this process may have on it. */
static void make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0)
        close(fd);
}

/* Holds the lock until the store is closed. The name is SQLite's, which has no links in it: a
 * database has one lock by whatever name it is opened. */
static lks_err take_lock(lks_store *s)
{
    lks_buf name = {0};
    lks_buf_printf(&name, "%s-lock", sqlite3_db_filename(s->db, "main"));
    lks_err err = lks_buf_error(&name);
    if (!err) {
        s->lock = open(lks_buf_text(&name), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (s->lock < 0)
            err = lks_fail(LKS_IO, "database %s cannot be written: its lock %s: %s", s->path,
                           lks_buf_text(&name), strerror(errno));
    }
    if (!err && flock(s->lock, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            err = lks_fail(LKS_REFUSED,
                           "database %s is in use by another process; every operator needs its own",
                           s->path);
        else
            err = lks_fail(LKS_IO, "database %s: its lock %s: %s", s->path, lks_buf_text(&name),
                           strerror(errno));
    }
    lks_buf_free(&name);
    return err;
}

/* Restricts what a damaged or hostile file can do, and sets the mode of writing. */
static lks_err configure(lks_store *s)
{
    static const struct {
        int option, value;
    } options[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                   {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                   {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                   /* else a parameter beside an index WHERE state = 1 has its statement parsed
                    * again at each use */
                   {SQLITE_DBCONFIG_ENABLE_QPSG, 1}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (sqlite3_db_config(s->db, options[i].option, options[i].value, NULL) != SQLITE_OK)
            return lks_store_fail(s, "configuring");
    sqlite3_busy_timeout(s->db, BUSY_MS);
    return lks_store_exec(s, "PRAGMA cell_size_check = ON; PRAGMA journal_mode = WAL;"
                             " PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
}

static lks_err open_file(lks_store *s)
{
    make_file(s->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (rc != SQLITE_OK)
        return s->db ? lks_store_fail(s, "opening") : lks_fail(LKS_NOMEM, "out of memory");
    if (sqlite3_db_readonly(s->db, "main") == 1)
        return lks_fail(
            LKS_IO, "database %s cannot be written; check its permissions and those of its folder",
            s->path);
    return LKS_OK;
}

lks_err lks_store_open(lks_store **out, const char *path, const lks_store_identity *who)
{
    *out = NULL;
    lks_store *s = calloc(1, sizeof *s);
    if (!s)
        return lks_fail(LKS_NOMEM, "out of memory");
    s->who = *who;
    s->lock = -1;
    s->path = strdup(path);
    lks_err err = s->path ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
    if (!err)
        err = open_file(s);
    if (!err)
        err = take_lock(s);
    if (!err)
        err = configure(s);
    if (!err)
        err = lks_store_exec(s, "BEGIN EXCLUSIVE");
    if (!err)
        err = check_schema(s);
    if (!err)
        err = lks_store_exec(s, "COMMIT");
    if (err) {
        lks_store_close(s);
        return err;
    }
    *out = s;
    return LKS_OK;
}

void lks_store_close(lks_store *s)
{
    if (!s)
        return;
    lks_store_forget_statements(s);
    sqlite3_close(s->db);
    if (s->lock >= 0)
        close(s->lock);
    free(s->path);
    free(s);
}
