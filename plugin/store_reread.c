/* Jobs whose events are applied again: what no event brings back is kept meanwhile. */
#include "plugin/store_internal.h"

#include <string.h>

static void keep_salt(lks_salts *salts, uint64_t accepted, const uint8_t salt[32])
{
    static const uint8_t none[32];
    if (salts->count == sizeof salts->items / sizeof *salts->items || memcmp(salt, none, 32) == 0)
        return;
    salts->items[salts->count].accepted = accepted;
    memcpy(salts->items[salts->count++].salt, salt, 32);
}

static lks_err keep_salts(lks_store *s, const uint8_t id[32], lks_salts *salts)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT accepted_block, salt FROM round"
                                    " WHERE request_id = ? ORDER BY closed_block DESC");
    if (!err) {
        lks_store_bind_blob(st, 1, id, 32);
        err = lks_store_step(s, st, &row);
    }
    while (!err && row) {
        uint8_t salt[32];
        err = lks_store_fixed(st, 1, salt, 32);
        if (err)
            break;
        keep_salt(salts, lks_store_column_u64(st, 0), salt);
        err = lks_store_step(s, st, &row);
    }
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_job_forget(lks_store *s, const uint8_t request_id32[32], lks_salts *salts)
{
    lks_job job;
    sqlite3_stmt *st = NULL;
    memset(salts, 0, sizeof *salts);
    lks_err err = lks_store_job_get(s, request_id32, &job);
    if (err)
        return err;
    keep_salt(salts, job.round.accepted.number, job.round.salt);
    err = keep_salts(s, request_id32, salts);
    if (!err)
        err = lks_store_prepare(s, &st, "DELETE FROM round WHERE request_id = ?");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, request_id32, 32);
    err = lks_store_run(s, st);
    if (err)
        return err;
    lks_job_rewind(&job, 0);
    memset(&job.round, 0, sizeof job.round);
    job.dropped = LKS_DROP_NONE;
    return lks_store_job_put(s, &job);
}

lks_err lks_store_job_recall(lks_store *s, const uint8_t request_id32[32], const lks_salts *salts)
{
    static const char *const tables[] = {
        "UPDATE round SET salt = ? WHERE request_id = ? AND accepted_block = ?",
        "UPDATE job SET salt = ? WHERE request_id = ? AND accepted_block = ?"};
    for (size_t i = 0; i < 2 * salts->count; i++) {
        sqlite3_stmt *st = NULL;
        lks_err err = lks_store_prepare(s, &st, tables[i % 2]);
        if (err)
            return err;
        lks_store_bind_blob(st, 1, salts->items[i / 2].salt, 32);
        lks_store_bind_blob(st, 2, request_id32, 32);
        lks_store_bind_u64(st, 3, salts->items[i / 2].accepted);
        err = lks_store_run(s, st);
        if (err)
            return err;
    }
    return LKS_OK;
}
