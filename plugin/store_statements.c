/* The store's statements: each is prepared once and kept, by its text, until the database is
 * closed. SQLite itself prepares a kept one anew after a change of the schema. One that is asked
 * for while it is in use, and all beyond the room there is, are prepared for that one use. */
#include "plugin/store_internal.h"

#include <string.h>

/* FNV-1a. */
static uint64_t hash_of(const char *sql)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *sql; sql++)
        hash = (hash ^ (uint8_t)*sql) * UINT64_C(0x100000001b3);
    return hash;
}

static lks_store_kept *find(lks_store *s, const char *sql, uint64_t hash)
{
    for (size_t i = 0; i < s->kept_count; i++) {
        lks_store_kept *kept = &s->kept[i];
        if (kept->hash == hash && strcmp(sqlite3_sql(kept->statement), sql) == 0)
            return kept;
    }
    return NULL;
}

lks_err lks_store_prepare(lks_store *s, sqlite3_stmt **out, const char *sql)
{
    uint64_t hash = hash_of(sql);
    lks_store_kept *kept = find(s, sql, hash);
    *out = NULL;
    if (kept && !kept->in_use) {
        kept->in_use = true;
        *out = kept->statement;
        return LKS_OK;
    }
    bool keeps = !kept && s->kept_count < LKS_STORE_MAX_KEPT;
    unsigned flags = keeps ? SQLITE_PREPARE_PERSISTENT : 0;
    if (sqlite3_prepare_v3(s->db, sql, -1, flags, out, NULL) != SQLITE_OK)
        return lks_store_fail(s, "a statement");
    if (keeps)
        s->kept[s->kept_count++] = (lks_store_kept){*out, hash, true};
    return LKS_OK;
}

void lks_store_release(lks_store *s, sqlite3_stmt *st)
{
    if (!st)
        return;
    for (size_t i = 0; i < s->kept_count; i++) {
        if (s->kept[i].statement != st)
            continue;
        sqlite3_reset(st);
        sqlite3_clear_bindings(st);
        s->kept[i].in_use = false;
        return;
    }
    sqlite3_finalize(st);
}

void lks_store_forget_statements(lks_store *s)
{
    while (s->kept_count)
        sqlite3_finalize(s->kept[--s->kept_count].statement);
}

lks_err lks_store_step(lks_store *s, sqlite3_stmt *st, bool *row)
{
    int rc = sqlite3_step(st);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? LKS_OK : lks_store_fail(s, "a query");
}

lks_err lks_store_run(lks_store *s, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    lks_err err = rc == SQLITE_DONE || rc == SQLITE_ROW ? LKS_OK : lks_store_fail(s, "a write");
    lks_store_release(s, st);
    return err;
}
