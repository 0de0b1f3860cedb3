/* What an operator is told: dangers as warnings, losses as errors with the amount. */
#include "tests/plugin/disputes_fixture.h"

static bool logged(const char *text)
{
    return strstr(sim_host_lines(host), text) != NULL;
}

static size_t times_logged(const char *text)
{
    size_t count = 0;
    for (const char *at = sim_host_lines(host); (at = strstr(at, text)); at++)
        count++;
    return count;
}

/* The account cannot send anything. */
static void jam(void)
{
    chain->send_error = "the node is busy";
}

static void unjam(void)
{
    chain->send_error = NULL;
}

/* A turn of ours that has less than FLOOR left, and the end of a window with a turn of ours open,
 * are told; once, not with every block. A move that still comes in time saves the stake. */
static void test_near_end_of_turn(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    lks_request t = terms();
    t.window = 30;
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    puppet_challenge(play(accuser_of(r, 0x31)));
    RUN_UNTIL(chain->dispute_count == 1);
    jam();
    RUN_UNTIL(logged("less than the minimum of 12 s"));
    for (int i = 0; i < 4; i++)
        block();
    assert_int_equal(times_logged("less than the minimum of 12 s"), 1);
    assert_int_equal(times_logged("its window is over, and 1 of its disputes wait for us"), 1);
    assert_true(logged("WARN claim"));
    unjam();
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
    assert_false(logged("ERROR"));
}

static void test_convicted(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    puppet *accuser = play(accuser_of(r, 0x31));
    puppet_challenge(accuser);
    RUN_UNTIL(chain->dispute_count == 1);
    jam();
    for (int i = 0; i < 100 && !chain->convictions; i++) {
        puppet_timeout(accuser);
        block();
    }
    RUN_UNTIL(job_of(r).state == LKS_JOB_CONVICTED);
    assert_true(logged("ERROR request"));
    assert_true(logged("which costs the stake of 1 ether"));
}

/* A challenge of ours that is lost costs its bond. */
static void test_lost_challenge(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    size_t r = foreign_claim(other);
    puppet *liar = play(liar_of(r, right));
    RUN_UNTIL(chain->answers);
    jam();
    RUN_UNTIL(logged("less than the minimum of 12 s"));
    for (int i = 0; i < 100 && !chain->lost; i++) {
        puppet_timeout(liar);
        block();
    }
    assert_int_equal(chain->lost, 1);
    RUN_UNTIL(logged("our dispute is lost"));
    assert_true(logged("which costs its bond of 0.05 ether"));
    assert_int_equal(times_logged("ERROR claim"), 1);
    unjam();
}

/* A node that is away for a minute: told every minute, and no more when it is back. */
static void test_behind(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    block();
    assert_true(op.gap.since_ms == 0);
    op.feed.behind = true;
    chain->fail_from = 1;
    assert_true(lks_operator_turn(&op, 1));
    assert_true(op.gap.since_ms != 0 && !logged("the newest block is not known"));
    for (int minutes = 1; minutes <= 2; minutes++) {
        op.gap.since_ms -= 60000;
        op.gap.told_ms -= 60000;
        for (int i = 0; i < 3; i++)
            assert_true(lks_operator_turn(&op, 1));
    }
    assert_int_equal(times_logged("the newest block is not known, only block"), 2);
    assert_true(logged("WARN for 60 s") && logged("WARN for 120 s"));
    chain->fail_from = 0;
    op.next_sync_ms = 0;
    assert_true(lks_operator_turn(&op, 1));
    assert_true(lks_operator_turn(&op, 1));
    assert_true(op.gap.since_ms == 0);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_near_end_of_turn),
        TEST(test_convicted),
        TEST(test_lost_challenge),
        TEST(test_behind),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
