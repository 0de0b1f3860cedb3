/* Table claim: one row per claim on a request of a served model. A block that something happened in
 * is two columns, number (0: it has not) and hash; `checked` is an lks_check. A row goes with the
 * block that it was claimed in, and with its job. Table secret: one row of 32 random bytes. */
#include "plugin/store_internal.h"

#include "chain/signer.h"

#include <stdlib.h>
#include <string.h>

const char lks_store_claims_schema[] =
    "CREATE TABLE claim(claim_id BLOB PRIMARY KEY, name BLOB NOT NULL UNIQUE,"
    " request_id BLOB NOT NULL REFERENCES job ON DELETE CASCADE, operator BLOB NOT NULL,"
    " co_seat INTEGER NOT NULL, claimed_block INTEGER NOT NULL, claimed_hash BLOB NOT NULL, "
    "window_end INTEGER NOT NULL, token_count INTEGER NOT NULL,"
    " disputed_block INTEGER NOT NULL, disputed_hash BLOB NOT NULL, ended_block INTEGER NOT NULL, "
    "ended_hash BLOB NOT NULL,"
    " settled INTEGER NOT NULL, checked INTEGER NOT NULL, first_wrong INTEGER NOT NULL) STRICT;"
    "CREATE INDEX claim_by_request ON claim(request_id);"
    "CREATE INDEX claim_open ON claim(claimed_block) WHERE settled = 0;"
    "CREATE TABLE secret(one INTEGER PRIMARY KEY CHECK(one = 1), bytes BLOB NOT NULL) STRICT;";

#define SELECT_CLAIM                                                                               \
    "SELECT claim_id, request_id, operator, co_seat, claimed_block, claimed_hash, window_end, "    \
    "token_count, disputed_block, disputed_hash,"                                                  \
    " ended_block, ended_hash, settled, checked, first_wrong, name FROM claim "

lks_err lks_store_make_secret(lks_store *s)
{
    uint8_t bytes[32];
    sqlite3_stmt *st = NULL;
    lks_err err = lks_random(bytes, sizeof bytes);
    if (!err)
        err = lks_store_prepare(s, &st, "INSERT INTO secret VALUES(1, ?)");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, bytes, sizeof bytes);
    return lks_store_run(s, st);
}

lks_err lks_store_secret(lks_store *s, uint8_t secret32[32])
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st, "SELECT bytes FROM secret");
    if (!err)
        err = lks_store_step(s, st, &row);
    if (!err && !row)
        err = lks_fail(LKS_CORRUPT, "database %s is damaged: its secret is missing", s->path);
    if (!err)
        err = lks_store_fixed(st, 0, secret32, 32);
    lks_store_release(s, st);
    return err;
}

void lks_claims_free(lks_claims *claims)
{
    free(claims->items);
    memset(claims, 0, sizeof *claims);
}

lks_err lks_store_claim_add(lks_store *s, const lks_claim *claim)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(
        s, &st,
        "INSERT OR REPLACE INTO claim VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(claim_id) DO UPDATE SET co_seat = excluded.co_seat,"
        " claimed_block = excluded.claimed_block, claimed_hash = excluded.claimed_hash,"
        " window_end = excluded.window_end, disputed_block = excluded.disputed_block,"
        " disputed_hash = excluded.disputed_hash, ended_block = excluded.ended_block,"
        " ended_hash = excluded.ended_hash, settled = excluded.settled");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, claim->claim_id, 32);
    lks_store_bind_blob(st, 2, claim->name, 32);
    lks_store_bind_blob(st, 3, claim->request_id, 32);
    lks_store_bind_blob(st, 4, claim->operator_address, 20);
    lks_store_bind_u64(st, 5, claim->co_seat);
    lks_store_bind_u64(st, 6, claim->claimed.number);
    lks_store_bind_blob(st, 7, claim->claimed.hash, 32);
    lks_store_bind_u64(st, 8, claim->window_end);
    lks_store_bind_u64(st, 9, claim->token_count);
    lks_store_bind_u64(st, 10, claim->disputed.number);
    lks_store_bind_blob(st, 11, claim->disputed.hash, 32);
    lks_store_bind_u64(st, 12, claim->ended.number);
    lks_store_bind_blob(st, 13, claim->ended.hash, 32);
    lks_store_bind_u64(st, 14, claim->settled);
    lks_store_bind_u64(st, 15, claim->check);
    lks_store_bind_u64(st, 16, claim->first_wrong);
    return lks_store_run(s, st);
}

lks_err lks_store_claim_put(lks_store *s, const lks_claim *claim)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st,
                                    "UPDATE claim SET disputed_block = ?, disputed_hash = ?, "
                                    "ended_block = ?, ended_hash = ?, settled = ?, checked = ?,"
                                    " first_wrong = ? WHERE claim_id = ?");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, claim->disputed.number);
    lks_store_bind_blob(st, 2, claim->disputed.hash, 32);
    lks_store_bind_u64(st, 3, claim->ended.number);
    lks_store_bind_blob(st, 4, claim->ended.hash, 32);
    lks_store_bind_u64(st, 5, claim->settled);
    lks_store_bind_u64(st, 6, claim->check);
    lks_store_bind_u64(st, 7, claim->first_wrong);
    lks_store_bind_blob(st, 8, claim->claim_id, 32);
    err = lks_store_run(s, st);
    if (!err && sqlite3_changes(s->db) != 1)
        err = lks_fail(LKS_INTERNAL, "a claim to be stored is not there");
    return err;
}

/* Reads the row of SELECT_CLAIM that st stands on. */
static lks_err read_claim(lks_store *s, sqlite3_stmt *st, lks_claim *c)
{
    memset(c, 0, sizeof *c);
    uint64_t co_seat = lks_store_column_u64(st, 3), tokens = lks_store_column_u64(st, 7),
             check = lks_store_column_u64(st, 13), wrong = lks_store_column_u64(st, 14);
    if (co_seat > 1 || tokens > UINT32_MAX || check >= LKS_CHECK_COUNT || wrong > UINT32_MAX)
        return lks_fail(LKS_CORRUPT, "database %s is damaged: a claim has an impossible value",
                        s->path);
    c->co_seat = co_seat != 0;
    c->claimed.number = lks_store_column_u64(st, 4);
    c->window_end = lks_store_column_u64(st, 6);
    c->token_count = (uint32_t)tokens;
    c->disputed.number = lks_store_column_u64(st, 8);
    c->ended.number = lks_store_column_u64(st, 10);
    c->settled = lks_store_column_u64(st, 12);
    c->check = (lks_check)check;
    c->first_wrong = (uint32_t)wrong;
    lks_err err = lks_store_fixed(st, 0, c->claim_id, 32);
    if (!err)
        err = lks_store_fixed(st, 1, c->request_id, 32);
    if (!err)
        err = lks_store_fixed(st, 2, c->operator_address, 20);
    if (!err)
        err = lks_store_fixed(st, 5, c->claimed.hash, 32);
    if (!err)
        err = lks_store_fixed(st, 9, c->disputed.hash, 32);
    if (!err)
        err = lks_store_fixed(st, 11, c->ended.hash, 32);
    return err ? err : lks_store_fixed(st, 15, c->name, 32);
}

static lks_err find_claim(lks_store *s, const char *sql, const uint8_t key32[32], lks_claim *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_claim claim;
    lks_err err = lks_store_prepare(s, &st, sql);
    if (!err) {
        lks_store_bind_blob(st, 1, key32, 32);
        err = lks_store_step(s, st, &row);
    }
    if (!err && !row)
        err = lks_fail(LKS_NOTFOUND, "no such claim");
    if (!err)
        err = read_claim(s, st, &claim);
    lks_store_release(s, st);
    if (err)
        memset(out, 0, sizeof *out);
    else
        *out = claim;
    return err;
}

lks_err lks_store_claim_get(lks_store *s, const uint8_t claim_id32[32], lks_claim *out)
{
    return find_claim(s, SELECT_CLAIM "WHERE claim_id = ?", claim_id32, out);
}

lks_err lks_store_claim_named(lks_store *s, const uint8_t name32[32], lks_claim *out)
{
    return find_claim(s, SELECT_CLAIM "WHERE name = ?", name32, out);
}

static lks_err push_claim(lks_claims *claims, const lks_claim *claim)
{
    if (claims->count == claims->capacity) {
        size_t capacity = claims->capacity ? 2 * claims->capacity : 16;
        lks_claim *items = realloc(claims->items, capacity * sizeof *items);
        if (!items)
            return lks_fail(LKS_NOMEM, "out of memory");
        claims->items = items;
        claims->capacity = capacity;
    }
    claims->items[claims->count++] = *claim;
    return LKS_OK;
}

lks_err lks_store_claims_open(lks_store *s, lks_claims *claims)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_claim claim;
    lks_err err =
        lks_store_prepare(s, &st,
                          SELECT_CLAIM "WHERE settled = 0 ORDER BY claimed_block, claim_id");
    if (!err)
        err = lks_store_step(s, st, &row);
    while (!err && row) {
        err = read_claim(s, st, &claim);
        if (!err) {
            err = push_claim(claims, &claim);
        } else if (err == LKS_CORRUPT) {
            lks_store_note_damage(&claims->damage);
            err = LKS_OK;
        }
        if (!err)
            err = lks_store_step(s, st, &row);
    }
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_claims_end(lks_store *s, const uint8_t request_id32[32],
                             const lks_block_ref *block)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st,
                                    "UPDATE claim SET ended_block = ?, ended_hash = ? WHERE "
                                    "request_id = ? AND ended_block = 0");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, block->number);
    lks_store_bind_blob(st, 2, block->hash, 32);
    lks_store_bind_blob(st, 3, request_id32, 32);
    return lks_store_run(s, st);
}

lks_err lks_store_claims_rewind(lks_store *s, uint64_t height)
{
    static const char *const steps[] = {
        "DELETE FROM claim WHERE claimed_block > ?",
        "UPDATE claim SET disputed_block = 0, disputed_hash = zeroblob(32) WHERE disputed_block > "
        "?",
        "UPDATE claim SET ended_block = 0, ended_hash = zeroblob(32) WHERE ended_block > ?",
        "UPDATE claim SET settled = 0 WHERE settled > ?"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        sqlite3_stmt *st = NULL;
        lks_err err = lks_store_prepare(s, &st, steps[i]);
        if (err)
            return err;
        lks_store_bind_u64(st, 1, height);
        err = lks_store_run(s, st);
        if (err)
            return err;
    }
    return LKS_OK;
}
