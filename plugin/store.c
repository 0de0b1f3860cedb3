/* The store's transactions and blocks. The file and its tables: store_open.c. */
#include "plugin/store_internal.h"

#include <stdio.h>
#include <string.h>

lks_err lks_store_fail(lks_store *s, const char *what)
{
    int code = sqlite3_extended_errcode(s->db);
    const char *path = s->path;
    s->unwritable = (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR ||
                    (code & 0xff) == SQLITE_READONLY;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return lks_fail(LKS_REFUSED,
                        "database %s is in use by another process, which writes to it; end that",
                        path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return lks_fail(
            LKS_IO, "database %s cannot be written; check its permissions and those of its folder",
            path);
    case SQLITE_CANTOPEN:
        return lks_fail(
            LKS_IO, "database %s cannot be opened; check that its folder exists and can be written",
            path);
    case SQLITE_FULL: return lks_fail(LKS_IO, "database %s: the disk is full", path);
    case SQLITE_NOTADB: return lks_fail(LKS_CORRUPT, "database %s is not an SQLite file", path);
    case SQLITE_CORRUPT:
        return lks_fail(LKS_CORRUPT,
                        "database %s is damaged (%s); restore it or start with a new one", path,
                        sqlite3_errmsg(s->db));
    case SQLITE_NOMEM: return lks_fail(LKS_NOMEM, "out of memory");
    case SQLITE_CONSTRAINT:
        return lks_fail(LKS_INTERNAL, "database %s: %s breaks a rule (%s)", path, what,
                        sqlite3_errmsg(s->db));
    default:
        return lks_fail(LKS_IO, "database %s: %s failed: %s", path, what, sqlite3_errmsg(s->db));
    }
}

lks_err lks_store_exec(lks_store *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? LKS_OK
               : lks_store_fail(s, "a statement");
}

void lks_store_note_damage(lks_damage *damage)
{
    if (damage->rows++ == 0)
        snprintf(damage->reason, sizeof damage->reason, "%s", lks_error_message());
}

void lks_store_bind_u64(sqlite3_stmt *st, int i, uint64_t value)
{
    sqlite3_bind_int64(st, i, (sqlite3_int64)value);
}

void lks_store_bind_blob(sqlite3_stmt *st, int i, const void *data, size_t len)
{
    sqlite3_bind_blob64(st, i, len ? data : "", len, SQLITE_TRANSIENT);
}

uint64_t lks_store_column_u64(sqlite3_stmt *st, int i)
{
    return (uint64_t)sqlite3_column_int64(st, i);
}

lks_err lks_store_fixed(sqlite3_stmt *st, int i, void *out, size_t len)
{
    const void *data = sqlite3_column_blob(st, i);
    int have = sqlite3_column_bytes(st, i);
    if (have < 0 || (size_t)have != len || !data)
        return lks_fail(LKS_CORRUPT, "database: column %s has %d bytes, not %zu",
                        sqlite3_column_name(st, i), have, len);
    memcpy(out, data, len);
    return LKS_OK;
}

static lks_err run_text(lks_store *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, sql);
    return err ? err : lks_store_run(s, st);
}

lks_err lks_store_begin(lks_store *s)
{
    return run_text(s, "BEGIN IMMEDIATE");
}

lks_err lks_store_commit(lks_store *s)
{
    lks_err err = run_text(s, "COMMIT");
    if (err)
        lks_store_rollback(s);
    else
        s->unwritable = false;
    return err;
}

bool lks_store_is_unwritable(const lks_store *s)
{
    return s->unwritable;
}

void lks_store_rollback(lks_store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- blocks ---- */

/* Reads the one row of a statement over `block`, which has one parameter, and releases it. */
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
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_block_below(lks_store *s, uint64_t height, lks_store_block *out)
{
    return find_block(s,
                      "SELECT number, hash, time FROM block WHERE number <= ?"
                      " ORDER BY number DESC LIMIT 1",
                      height, out);
}

lks_err lks_store_block_oldest(lks_store *s, lks_store_block *out)
{
    return find_block(s,
                      "SELECT number, hash, time FROM block WHERE number <= ?"
                      " ORDER BY number LIMIT 1",
                      INT64_MAX, out);
}

lks_err lks_store_head(lks_store *s, lks_store_block *out)
{
    return lks_store_block_below(s, INT64_MAX, out);
}

lks_err lks_store_block_put(lks_store *s, const lks_store_block *block)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, "INSERT INTO block VALUES(?, ?, ?)");
    if (err)
        return err;
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
    if (!err && block->ref.number > LKS_STORE_KEEP_BLOCKS)
        err = lks_store_jobs_prune(s, block->ref.number - LKS_STORE_KEEP_BLOCKS);
    return err;
}

lks_err lks_store_has_requests(lks_store *s, uint64_t height, bool *any)
{
    sqlite3_stmt *st = NULL;
    *any = false;
    lks_err err =
        lks_store_prepare(s, &st,
                          "SELECT 1 FROM job WHERE requested_block BETWEEN 1 AND ? LIMIT 1");
    if (!err) {
        lks_store_bind_u64(st, 1, height);
        err = lks_store_step(s, st, any);
    }
    lks_store_release(s, st);
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
    lks_store_release(s, st);
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
