/* Table tx: one row per nonce of an account that we used for a job's action; `key` tells moves in
 * disputes apart and is 32 zero bytes for all else. `revived` is set on a row whose block a re-org
 * took away: it is live again, perhaps beside a newer live one of the same action and key; of those
 * neither revived nor canceled the index allows one. What a change of these rows does to its job is
 * stored with it: the job is read first, which checks it, then the change, then the job. Table
 * tx_version: the signed transactions of a tx, oldest first by number; `hash` is Keccak-256 of
 * `raw`. Two rows of tx may have the same signed transaction: signatures are deterministic, and a
 * nonce that was lost can come back. */
#include "plugin/store_internal.h"

#include "chain/keccak.h"

#include <stdlib.h>
#include <string.h>

const char lks_store_txs_schema[] =
    "CREATE TABLE tx(id INTEGER PRIMARY KEY, request_id BLOB NOT NULL REFERENCES job ON DELETE "
    "CASCADE, action INTEGER NOT NULL,"
    " key BLOB NOT NULL, nonce INTEGER NOT NULL, state INTEGER NOT NULL, canceled INTEGER NOT "
    "NULL, revived INTEGER NOT NULL DEFAULT 0,"
    " included_block INTEGER NOT NULL, included_hash BLOB NOT NULL, deadline INTEGER NOT NULL, "
    "sent_block INTEGER NOT NULL,"
    " sent_time INTEGER NOT NULL, account BLOB NOT NULL, worth BLOB NOT NULL) STRICT;"
    "CREATE INDEX tx_by_job ON tx(request_id);"
    "CREATE UNIQUE INDEX tx_one_live ON tx(request_id, action, key) WHERE state = 1 AND revived = "
    "0 AND canceled = 0;"
    "CREATE UNIQUE INDEX tx_one_nonce ON tx(account, nonce) WHERE state = 1;"
    "CREATE TABLE tx_version(tx INTEGER NOT NULL REFERENCES tx ON DELETE CASCADE, number INTEGER "
    "NOT NULL, hash BLOB NOT NULL,"
    " raw BLOB NOT NULL, PRIMARY KEY(tx, number)) STRICT;";

lks_err lks_store_move_is_live(lks_store *s, const uint8_t request_id32[32],
                               const uint8_t key32[32], bool *live)
{
    sqlite3_stmt *st = NULL;
    *live = false;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT 1 FROM tx WHERE request_id = ? AND action = ? AND key "
                                    "= ? AND state = 1 AND canceled = 0");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, request_id32, 32);
    lks_store_bind_u64(st, 2, LKS_ACTION_MOVE);
    lks_store_bind_blob(st, 3, key32, 32);
    err = lks_store_step(s, st, live);
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_key_is_live(lks_store *s, const uint8_t key32[32], bool *live)
{
    sqlite3_stmt *st = NULL;
    *live = false;
    lks_err err = lks_store_prepare(
        s, &st, "SELECT 1 FROM tx WHERE action = ? AND key = ? AND state = 1 AND canceled = 0");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, LKS_ACTION_MOVE);
    lks_store_bind_blob(st, 2, key32, 32);
    err = lks_store_step(s, st, live);
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_final_job(lks_store *s, uint8_t request_id32[32])
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT request_id FROM job WHERE state = ?"
                                    " AND claimed_block > 0 ORDER BY ended_block DESC LIMIT 1");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, LKS_JOB_FINAL);
    err = lks_store_step(s, st, &row);
    if (!err && !row)
        err = lks_fail(LKS_NOTFOUND, "no claim of ours is final");
    if (!err)
        err = lks_store_fixed(st, 0, request_id32, 32);
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_move_included(lks_store *s, const uint8_t request_id32[32],
                                const uint8_t key32[32], uint64_t *block)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    *block = 0;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT max(included_block) FROM tx WHERE request_id = ?"
                                    " AND action = ? AND key = ? AND state = 2 AND canceled = 0");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, request_id32, 32);
    lks_store_bind_u64(st, 2, LKS_ACTION_MOVE);
    lks_store_bind_blob(st, 3, key32, 32);
    err = lks_store_step(s, st, &row);
    if (!err && row && sqlite3_column_type(st, 0) != SQLITE_NULL)
        *block = lks_store_column_u64(st, 0);
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_txs_sent(lks_store *s, const uint8_t request_id32[32], uint32_t *sent)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    *sent = 0;
    lks_err err = lks_store_prepare(
        s, &st, "SELECT action FROM tx WHERE request_id = ? AND state = 1 AND canceled = 0");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, request_id32, 32);
    err = lks_store_step(s, st, &row);
    while (!err && row) {
        uint64_t action = lks_store_column_u64(st, 0);
        if (action == 0 || action >= LKS_ACTION_ANSWER)
            err = lks_fail(LKS_CORRUPT, "database %s is damaged: a transaction of no known kind",
                           s->path);
        else
            *sent |= LKS_SENT(action);
        if (!err)
            err = lks_store_step(s, st, &row);
    }
    lks_store_release(s, st);
    return err;
}

void lks_store_txs_free(lks_store_txs *txs)
{
    free(txs->items);
    memset(txs, 0, sizeof *txs);
}

static lks_err put_version(lks_store *s, int64_t tx, const uint8_t hash32[32], const uint8_t *raw,
                           size_t len)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(
        s, &st,
        "INSERT INTO tx_version SELECT ?2, 1 + count(*), ?1, ?3 FROM tx_version WHERE tx = ?2");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, hash32, 32);
    sqlite3_bind_int64(st, 2, tx);
    lks_store_bind_blob(st, 3, raw, len);
    return lks_store_run(s, st);
}

lks_err lks_store_tx_add(lks_store *s, lks_store_tx *tx, const uint8_t hash32[32],
                         const uint8_t *raw, size_t len)
{
    lks_job job;
    sqlite3_stmt *st = NULL;
    bool live = false;
    lks_err err = lks_store_job_get(s, tx->request_id, &job);
    if (!err && tx->action == LKS_ACTION_MOVE)
        err = lks_store_move_is_live(s, tx->request_id, tx->key, &live);
    else if (!err)
        live = job.sent & LKS_SENT(tx->action);
    if (!err && live)
        err = lks_fail(LKS_REFUSED, "there is a live %s transaction already",
                       lks_action_name(tx->action));
    if (!err)
        err = lks_store_prepare(
            s, &st,
            "INSERT INTO tx(request_id, action, nonce, state, canceled, included_block, "
            "included_hash, deadline, sent_block, sent_time,"
            " key, account, worth) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, tx->request_id, 32);
    lks_store_bind_u64(st, 2, tx->action);
    lks_store_bind_u64(st, 3, tx->nonce);
    lks_store_bind_u64(st, 4, tx->state);
    lks_store_bind_u64(st, 5, tx->canceled);
    lks_store_bind_u64(st, 6, tx->included.number);
    lks_store_bind_blob(st, 7, tx->included.hash, 32);
    lks_store_bind_u64(st, 8, tx->deadline);
    lks_store_bind_u64(st, 9, tx->sent_block);
    lks_store_bind_u64(st, 10, tx->sent_time);
    lks_store_bind_blob(st, 11, tx->key, 32);
    lks_store_bind_blob(st, 12, tx->account, 20);
    uint8_t worth[32];
    lks_u256_to_be(worth, &tx->worth);
    lks_store_bind_blob(st, 13, worth, 32);
    err = lks_store_run(s, st);
    tx->id = sqlite3_last_insert_rowid(s->db);
    if (!err)
        err = put_version(s, tx->id, hash32, raw, len);
    return err ? err : lks_store_job_put(s, &job);
}

lks_err lks_store_tx_put(lks_store *s, const lks_store_tx *tx)
{
    lks_job job;
    sqlite3_stmt *st = NULL;
    lks_err of_job = lks_store_job_get(s, tx->request_id, &job);
    lks_err err = of_job == LKS_CORRUPT ? LKS_OK : of_job; /* others wait behind its nonce */
    if (!err)
        err = lks_store_prepare(s, &st,
                                "UPDATE tx SET state = ?, canceled = ?, included_block = ?, "
                                "included_hash = ?, deadline = ?, sent_block = ?,"
                                " sent_time = ? WHERE id = ?");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, tx->state);
    lks_store_bind_u64(st, 2, tx->canceled);
    lks_store_bind_u64(st, 3, tx->included.number);
    lks_store_bind_blob(st, 4, tx->included.hash, 32);
    lks_store_bind_u64(st, 5, tx->deadline);
    lks_store_bind_u64(st, 6, tx->sent_block);
    lks_store_bind_u64(st, 7, tx->sent_time);
    sqlite3_bind_int64(st, 8, tx->id);
    err = lks_store_run(s, st);
    if (!err && sqlite3_changes(s->db) != 1)
        err = lks_fail(LKS_INTERNAL, "a transaction to be stored is not there");
    return err || of_job ? err : lks_store_job_put(s, &job);
}

lks_err lks_store_tx_add_version(lks_store *s, const lks_store_tx *tx, const uint8_t hash32[32],
                                 const uint8_t *raw, size_t len)
{
    lks_err err = put_version(s, tx->id, hash32, raw, len);
    return err ? err : lks_store_tx_put(s, tx);
}

/* Receipts of two forks can leave several transactions of one nonce. The newest of them lives
 * again, unless there is a live one. The others are over: their actions are decided again. */
lks_err lks_store_txs_revive(lks_store *s, uint64_t height)
{
    static const char *const steps[] = {
        "UPDATE tx SET state = 1, revived = 1, included_block = 0, included_hash = zeroblob(32)"
        " WHERE id IN (SELECT max(id) FROM tx WHERE included_block > ? AND state IN (2, 3)"
        " AND (account, nonce) NOT IN (SELECT account, nonce FROM tx WHERE state = 1)"
        " GROUP BY account, nonce)",
        "UPDATE tx SET state = 4 WHERE included_block > ? AND state IN (2, 3)"};
    lks_err err = LKS_OK;
    for (size_t i = 0; !err && i < sizeof steps / sizeof *steps; i++) {
        sqlite3_stmt *st = NULL;
        err = lks_store_prepare(s, &st, steps[i]);
        if (err)
            return err;
        lks_store_bind_u64(st, 1, height);
        err = lks_store_run(s, st);
    }
    return err;
}

lks_err lks_store_txs_abandon(lks_store *s, const uint8_t account20[20], const uint8_t *second20,
                              uint64_t head)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st,
                                    "UPDATE tx SET state = 4, included_block = ?"
                                    " WHERE state = 1 AND account NOT IN (?, ?)");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, head);
    lks_store_bind_blob(st, 2, account20, 20);
    lks_store_bind_blob(st, 3, second20 ? second20 : account20, 20);
    return lks_store_run(s, st);
}

static lks_err read_tx(lks_store *s, sqlite3_stmt *st, lks_store_tx *tx)
{
    memset(tx, 0, sizeof *tx);
    tx->id = sqlite3_column_int64(st, 0);
    uint64_t action = lks_store_column_u64(st, 2), state = lks_store_column_u64(st, 4);
    if (action == 0 || action >= LKS_ACTION_ANSWER || state < LKS_TX_LIVE || state > LKS_TX_DEAD)
        return lks_fail(LKS_CORRUPT, "database %s is damaged: a transaction of no known kind",
                        s->path);
    tx->action = (lks_action)action;
    tx->nonce = lks_store_column_u64(st, 3);
    tx->state = (lks_tx_state)state;
    tx->canceled = lks_store_column_u64(st, 5) != 0;
    tx->included.number = lks_store_column_u64(st, 6);
    tx->deadline = lks_store_column_u64(st, 8);
    tx->sent_block = lks_store_column_u64(st, 9);
    tx->sent_time = lks_store_column_u64(st, 10);
    lks_err err = lks_store_fixed(st, 1, tx->request_id, 32);
    if (!err)
        err = lks_store_fixed(st, 7, tx->included.hash, 32);
    if (!err)
        err = lks_store_fixed(st, 11, tx->key, 32);
    if (!err)
        err = lks_store_fixed(st, 12, tx->account, 20);
    uint8_t worth[32];
    if (!err)
        err = lks_store_fixed(st, 13, worth, 32);
    if (!err)
        tx->worth = lks_u256_from_be(worth);
    return err;
}

static lks_err push_tx(lks_store_txs *txs, const lks_store_tx *tx)
{
    if (txs->count == txs->capacity) {
        size_t capacity = txs->capacity ? 2 * txs->capacity : 8;
        lks_store_tx *items = realloc(txs->items, capacity * sizeof *items);
        if (!items)
            return lks_fail(LKS_NOMEM, "out of memory");
        txs->items = items;
        txs->capacity = capacity;
    }
    txs->items[txs->count++] = *tx;
    return LKS_OK;
}

lks_err lks_store_txs_live(lks_store *s, const uint8_t account20[20], lks_store_txs *txs)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_store_tx tx;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT id, request_id, action, nonce, state, canceled,"
                                    " included_block, included_hash, deadline, sent_block,"
                                    " sent_time, key, account, worth FROM tx"
                                    " WHERE state = 1 AND account = ? ORDER BY nonce");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, account20, 20);
    err = lks_store_step(s, st, &row);
    while (!err && row) {
        err = read_tx(s, st, &tx);
        if (!err)
            err = push_tx(txs, &tx);
        else if (err == LKS_CORRUPT) /* its request is damaged too, and told of */
            err = LKS_OK;
        if (!err)
            err = lks_store_step(s, st, &row);
    }
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_tx_raw(lks_store *s, int64_t id, lks_buf *raw)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    uint8_t stored[32], hash[32];
    lks_err err = lks_store_prepare(
        s, &st, "SELECT hash, raw FROM tx_version WHERE tx = ? ORDER BY number DESC LIMIT 1");
    if (err)
        return err;
    sqlite3_bind_int64(st, 1, id);
    err = lks_store_step(s, st, &row);
    if (!err && !row)
        err = lks_fail(LKS_CORRUPT, "database %s is damaged: a transaction was never signed",
                       s->path);
    if (!err)
        err = lks_store_fixed(st, 0, stored, 32);
    if (!err) {
        const void *data = sqlite3_column_blob(st, 1);
        size_t len = (size_t)sqlite3_column_bytes(st, 1);
        lks_keccak256(hash, data, len);
        lks_buf_put(raw, data, len);
        err = lks_buf_error(raw);
        if (!err && memcmp(hash, stored, 32))
            err = lks_fail(LKS_CORRUPT,
                           "database %s is damaged: a signed transaction does not have its hash",
                           s->path);
    }
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_tx_hashes(lks_store *s, int64_t id, lks_buf *hashes)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err =
        lks_store_prepare(s, &st, "SELECT hash FROM tx_version WHERE tx = ? ORDER BY number DESC");
    if (err)
        return err;
    sqlite3_bind_int64(st, 1, id);
    err = lks_store_step(s, st, &row);
    while (!err && row) {
        uint8_t hash[32];
        err = lks_store_fixed(st, 0, hash, 32);
        if (!err) {
            lks_buf_put(hashes, hash, 32);
            err = lks_store_step(s, st, &row);
        }
    }
    lks_store_release(s, st);
    return err ? err : lks_buf_error(hashes);
}

lks_err lks_store_next_nonce(lks_store *s, const uint8_t account20[20], uint64_t *next)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    *next = 0;
    lks_err err =
        lks_store_prepare(s, &st, "SELECT 1 + max(nonce) FROM tx WHERE state = 1 AND account = ?");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, account20, 20);
    err = lks_store_step(s, st, &row);
    if (!err && row && sqlite3_column_type(st, 0) != SQLITE_NULL)
        *next = lks_store_column_u64(st, 0);
    lks_store_release(s, st);
    return err;
}
