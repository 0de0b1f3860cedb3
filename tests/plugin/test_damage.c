/* One damaged row of the database stops what it is about, and nothing else. */
#include "tests/plugin/operator_fixture.h"

#include <sqlite3.h>
#include <stdio.h>

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static void check_none_live(void)
{
    lks_store_txs live = {0};
    DO(lks_store_txs_live(op.store, lks_signer_address(signer), &live));
    assert_int_equal(live.count, 0);
    lks_store_txs_free(&live);
}

/* A job's own row, while its claim is on its way or on the chain; through a re-org. */
static void test_damaged_job(void **state)
{
    (void)state;
    static const char *const damage[] = {"UPDATE job SET request = zeroblob(608)",
                                         "UPDATE job SET state = 99", "UPDATE tx SET action = 77"};
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        size_t hurt = sim_ask(chain, NULL, 5);
        run_until(hurt, i == 1 ? LKS_JOB_CLAIMED : LKS_JOB_CLAIMING);
        halt();
        run_sql(damage[i]);
        start();
        size_t whole = sim_ask(chain, NULL, 6);
        run_until(whole, LKS_JOB_CLAIMING);
        sim_reorg(chain, 2, true, true);
        run_until(whole, LKS_JOB_FINAL);
        check_claim(whole);
        if (!strstr(sim_host_lines(host), "ERROR 1 stored requests cannot be resumed"))
            fail_msg("%s: not told", damage[i]);
        check_none_live(); /* others wait behind its nonce */
        teardown(NULL);
        setup(NULL);
    }
}

/* A claim's row. */
static void test_damaged_claim(void **state)
{
    (void)state;
    lks_claims claims = {0};
    size_t hurt = sim_ask(chain, NULL, 5);
    run_until(hurt, LKS_JOB_CLAIMED);
    halt();
    run_sql("UPDATE claim SET checked = 77");
    start();
    run_until(hurt, LKS_JOB_FINAL);
    size_t whole = sim_ask(chain, NULL, 6);
    run_until(whole, LKS_JOB_CLAIMED);
    DO(lks_store_claims_open(op.store, &claims));
    assert_true(claims.damage.rows == 1 && claims.count == 1);
    assert_non_null(strstr(claims.damage.reason, "impossible value"));
    lks_claims_free(&claims);
    run_until(whole, LKS_JOB_FINAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_damaged_job),
        TEST(test_damaged_claim),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
