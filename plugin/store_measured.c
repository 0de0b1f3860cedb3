/* Measured runs of models, one row for each cell. */
#include "plugin/store_internal.h"

#include <string.h>

const char lks_store_measured_schema[] =
    "CREATE TABLE measured(model_id BLOB NOT NULL, kind INTEGER NOT NULL, cell INTEGER NOT NULL,"
    " x REAL NOT NULL, us REAL NOT NULL, run INTEGER NOT NULL,"
    " PRIMARY KEY(model_id, kind, cell)) STRICT;";

/* A row of a cell that there is not, or of numbers that no run has, is left out: it is measured
 * again. */
static void take_row(lks_measured *out, sqlite3_stmt *st)
{
    uint64_t cell = lks_store_column_u64(st, 0);
    lks_cost_cell c = {sqlite3_column_double(st, 1), sqlite3_column_double(st, 2),
                       lks_store_column_u64(st, 3)};
    if (cell >= LKS_COST_CELLS || !(c.x > 0 && c.x < 1e9) || !(c.us > 0 && c.us < 1e12))
        return;
    out->cells[cell] = c;
    if (c.run > out->runs)
        out->runs = c.run;
}

lks_err lks_store_measured_get(lks_store *s, const uint8_t model_id32[32], lks_run_kind kind,
                               lks_measured *out)
{
    sqlite3_stmt *st = NULL;
    bool row = true;
    memset(out, 0, sizeof *out);
    lks_err err =
        lks_store_prepare(s, &st,
                          "SELECT cell, x, us, run FROM measured WHERE model_id = ? AND kind = ?");
    if (!err) {
        lks_store_bind_blob(st, 1, model_id32, 32);
        lks_store_bind_u64(st, 2, (uint64_t)kind);
    }
    while (!err && row) {
        err = lks_store_step(s, st, &row);
        if (!err && row)
            take_row(out, st);
    }
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_measured_put(lks_store *s, const uint8_t model_id32[32], lks_run_kind kind,
                               const lks_measured *m)
{
    lks_err err = LKS_OK;
    for (uint64_t cell = 0; !err && cell < LKS_COST_CELLS; cell++) {
        const lks_cost_cell *c = &m->cells[cell];
        sqlite3_stmt *st = NULL;
        if (c->us <= 0)
            continue;
        err = lks_store_prepare(s, &st, "INSERT OR REPLACE INTO measured VALUES(?, ?, ?, ?, ?, ?)");
        if (err)
            break;
        lks_store_bind_blob(st, 1, model_id32, 32);
        lks_store_bind_u64(st, 2, (uint64_t)kind);
        lks_store_bind_u64(st, 3, cell);
        sqlite3_bind_double(st, 4, c->x);
        sqlite3_bind_double(st, 5, c->us);
        lks_store_bind_u64(st, 6, c->run);
        err = lks_store_run(s, st);
    }
    return err;
}
