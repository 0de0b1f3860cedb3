/* Disputes over a node that tells half of what it knows, or nothing for a while. */
#include "tests/plugin/disputes_fixture.h"

#include <pthread.h>
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

/* ---- events that are left out ---- */

static unsigned empty_answers; /* the plugin's eth_getLogs has so many times nothing in it */
static pthread_t puppets;      /* the thread of the other side's calls */

static bool give_no_logs(void *user, const char *method, const char *params, lks_buf *answer,
                         lks_err *err)
{
    (void)user, (void)params, (void)err;
    if (pthread_equal(pthread_self(), puppets) || empty_answers == 0 ||
        strcmp(method, "eth_getLogs"))
        return false;
    empty_answers--;
    lks_buf_put_text(answer, "[]");
    return true;
}

static void check_saved(size_t r)
{
    for (int i = 0; i < 500 && chain->lost + chain->convictions == 0; i++)
        block();
    if (chain->convictions || chain->lost != 1)
        fail_msg("%zu convictions, %zu lost; log:\n%s", chain->convictions, chain->lost,
                 end_of_log());
    chain->lie = NULL;
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
}

/* Down while the challenge comes in, and then the node gives no log of its block, however often it
 * is asked: the contract knows of the dispute. */
static void test_unseen_dispute(void **state)
{
    (void)state;
    for (unsigned lies = 1; lies <= 8; lies += 7) {
        fresh_chain(true, false);
        start();
        size_t r = own_claim();
        halt();
        puppet *a = play(accuser_of(r, 0x31));
        puppet_challenge(a);
        sim_mine(chain, 2); /* the dispute's block is not told of by the host */
        chain->lie = give_no_logs;
        empty_answers = lies;
        start();
        for (int i = 0; i < 20 && empty_answers; i++) {
            op.next_sync_ms = 0;
            take_turns();
        }
        assert_int_equal(empty_answers, 0);
        check_saved(r);
        bool told = strstr(sim_host_lines(host), "disputed by the contract, and no event says so");
        assert_int_equal(told, lies == 8);
        teardown(NULL);
    }
}

/* In the middle of a dispute, one head's events are missing. */
static void test_missing_move(void **state)
{
    (void)state;
    for (unsigned lies = 1; lies <= 40; lies += 13) {
        fresh_chain(true, false);
        start();
        size_t r = own_claim();
        puppet *a = play(accuser_of(r, 0x31));
        puppet_challenge(a);
        RUN_UNTIL(chain->dispute_count && chain->disputes[0].at.state == LKS_DISPUTE_PICK);
        chain->lie = give_no_logs;
        empty_answers = lies;
        check_saved(r);
        if (lies == 1) /* the next head's read has it */
            assert_null(strstr(sim_host_lines(host), "reading its events again"));
        teardown(NULL);
    }
}

/* The event of our own challenge is left out, and the bond is another now: we do not challenge
 * twice. */
static void test_unseen_challenge(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    play(liar_of(foreign_claim(other), right));
    chain->base_fee = UINT64_C(50000000000);
    for (int i = 0; i < 50 && chain->sends == 0; i++)
        block();
    assert_int_equal(chain->challenges, 0); /* it is in the next block */
    chain->lie = give_no_logs;
    empty_answers = 3;
    sim_mine(chain, 1);
    assert_int_equal(chain->challenges, 1);
    chain->base_fee = UINT64_C(45000000000);
    take_turns();
    RUN_UNTIL(chain->convictions);
    check_won();
    RUN_UNTIL(open_claims() == 0);
}

static size_t log_calls;

static bool count_log_calls(void *user, const char *method, const char *params, lks_buf *answer,
                            lks_err *err)
{
    (void)user, (void)params, (void)answer, (void)err;
    if (!pthread_equal(pthread_self(), puppets) && strcmp(method, "eth_getLogs") == 0)
        log_calls++;
    return false;
}

/* Games of many claims cost no more queries than that of one. */
static void test_one_query_for_all(void **state)
{
    (void)state;
    enum {
        CLAIMS = 3,
        BLOCKS = 10
    };
    fresh_chain(true, false);
    start();
    for (uint8_t i = 0; i < CLAIMS; i++) {
        puppet *a = play(accuser_of(own_claim(), (uint8_t)(0x31 + i)));
        puppet_challenge(a);
        block();
        a->silent = true;
    }
    for (int i = 0; i < 5; i++)
        block();
    assert_int_equal(op.matches.count, CLAIMS);
    chain->lie = count_log_calls;
    log_calls = 0;
    for (int i = 0; i < BLOCKS; i++)
        block();
    assert_int_equal(op.matches.count, CLAIMS);
    if (log_calls > BLOCKS + 2)
        fail_msg("%zu queries in %d blocks", log_calls, BLOCKS);
}

/* The game's events never come: that is told, and again, as an error. */
static void test_lasting_disagreement(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    puppet *a = play(accuser_of(r, 0x31));
    puppet_challenge(a);
    chain->hides_logs = true;
    a->silent = true;
    for (int i = 0; i < 20; i++)
        block();
    assert_non_null(strstr(sim_host_lines(host), "WARN claim "));
    assert_non_null(strstr(sim_host_lines(host), "reading its events again"));
    assert_int_equal(op.state_check.count, 1);
    assert_null(strstr(sim_host_lines(host), "the node leaves out events"));
    op.state_check.items[0].since_ms -= 60000;
    for (int i = 0; i < 3; i++)
        block();
    assert_non_null(strstr(sim_host_lines(host), "ERROR claim "));
    assert_non_null(strstr(sim_host_lines(host), "the node leaves out events"));
    chain->hides_logs = false;
    for (int i = 0; i < 5; i++)
        block();
    assert_int_equal(op.state_check.count, 0);
    assert_non_null(strstr(sim_host_lines(host), "contract and events agree again"));
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    puppets = pthread_self();
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_moves_while_behind),   TEST(test_unseen_dispute),    TEST(test_missing_move),
        TEST(test_lasting_disagreement), TEST(test_one_query_for_all), TEST(test_unseen_challenge),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
