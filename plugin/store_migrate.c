/* Databases of earlier schemas.
 *
 * Schema 3 counted reverted transactions by job, so that lost races for one action ended another,
 * and knew one account; its first databases had no table finality. The counts are forgotten: what
 * they had ended is decided anew.
 *
 * Schema 4 kept one speed of a model. Runs are measured again. */
#include "plugin/store_internal.h"

static const char from_3[] =
    "CREATE TABLE IF NOT EXISTS finality(one INTEGER PRIMARY KEY CHECK(one = 1),"
    " height INTEGER NOT NULL) STRICT;"
    "ALTER TABLE job DROP COLUMN failures;"
    "ALTER TABLE job ADD COLUMN failed_accept INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN failed_commit INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN failed_claim INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN failed_finalize INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN failed_free INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN failed_miss INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE round DROP COLUMN failures;"
    "ALTER TABLE round ADD COLUMN failed_accept INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE round ADD COLUMN failed_commit INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE round ADD COLUMN failed_claim INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE round ADD COLUMN failed_finalize INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE round ADD COLUMN failed_free INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE round ADD COLUMN failed_miss INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE tx ADD COLUMN account BLOB NOT NULL"
    " DEFAULT x'0000000000000000000000000000000000000000';"
    "ALTER TABLE tx ADD COLUMN worth BLOB NOT NULL"
    " DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';"
    "UPDATE tx SET account = (SELECT account FROM identity);"
    "DROP INDEX tx_one_nonce;"
    "CREATE UNIQUE INDEX tx_one_nonce ON tx(account, nonce) WHERE state = 1;";

lks_err lks_store_migrate(lks_store *s, unsigned version)
{
    lks_err err = LKS_OK;
    if (version == 3) {
        err = lks_store_exec(s, from_3);
        if (!err)
            err = lks_store_jobs_refold(s);
    }
    if (!err)
        err = lks_store_exec(s, "DROP TABLE speed;");
    return err ? err : lks_store_exec(s, lks_store_measured_schema);
}
