/* Disputes over a node that tells half of what it knows, or nothing for a while. */
#include "tests/plugin/disputes_fixture.h"

#include <string.h>

/* eth_getLogs by a block's hash fails, as it does at a node that is behind or has pruned them. */
static bool refuse_block_logs(void *user, const char *method, const char *params, lks_buf *answer,
                              lks_err *err)
{
    (void)user;
    if (strcmp(method, "eth_getLogs") || !strstr(params, "blockHash"))
        return false;
    lks_buf_put_text(answer, "{\"code\":-32000,\"message\":\"no such logs\"}");
    *err = LKS_REMOTE;
    return true;
}

/* The feed cannot catch up: the dispute is played all the same. */
static void test_moves_while_behind(void **state)
{
    (void)state;
    for (int defends = 0; defends < 2; defends++) {
        fresh_chain(defends, !defends);
        start();
        size_t r = defends ? own_claim() : foreign_claim(other);
        puppet *p = play(defends ? accuser_of(r, 0x31) : liar_of(r, right));
        if (defends)
            puppet_challenge(p);
        for (int i = 0; i < 40 && (chain->dispute_count == 0 || chain->answers == 0); i++)
            block();
        chain->lie = refuse_block_logs;
        sim_mine(chain, 1); /* the plugin is not told of it */
        uint64_t head = op.feed.head.ref.number;
        for (int i = 0; i < 200 && chain->convictions + chain->lost == 0; i++)
            block();
        assert_true(op.feed.behind);
        assert_int_equal(op.feed.head.ref.number, head);
        assert_int_equal(op.head.ref.number, chain->block_count - 1);
        if (chain->convictions != (defends ? 0 : 1) || chain->lost != (defends ? 1 : 0))
            fail_msg("%zu convictions, %zu lost; log:\n%s", chain->convictions, chain->lost,
                     end_of_log());
        chain->lie = NULL;
        op.next_sync_ms = 0;
        if (defends)
            RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
        RUN_UNTIL(open_claims() == 0);
        assert_false(op.feed.behind);
        teardown(NULL);
    }
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_moves_while_behind),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
