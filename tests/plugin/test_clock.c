/* The machine's clock is set to another time while the plugin runs: nothing is lost by it, and
 * nothing is signed that would not have been. */
#include "tests/plugin/disputes_fixture.h"

#define DAY 86400
#define HOUR 3600

uint64_t __wrap_lks_wall_seconds(void);

static int64_t ahead; /* of the chain, in seconds */

uint64_t __wrap_lks_wall_seconds(void)
{
    return (uint64_t)((int64_t)op.head.time + ahead);
}

static size_t count_lines(const char *what)
{
    size_t count = 0;
    for (const char *at = sim_host_lines(host); (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* In both roles: a request of ours is accepted and not answered yet, then our claim is disputed,
 * and so is somebody else's by us. */
static void live_through(int64_t jump)
{
    fresh_chain(true, true);
    config.max_head_age = 600;
    ahead = 0;
    start();
    lks_request t = terms();
    size_t ours = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(job_of(ours).state == LKS_JOB_ACCEPTING);
    ahead = jump;
    RUN_UNTIL(chain->requests[ours].status == LKS_REQUEST_CLAIMED);
    puppet_challenge(play(accuser_of(ours, 0x31)));
    play(liar_of(foreign_claim(other), right));
    RUN_UNTIL(chain->convictions);
    RUN_UNTIL(job_of(ours).state == LKS_JOB_FINAL);
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->convictions, 1);
    assert_int_equal(chain->lost, 1);
    assert_int_equal(chain->reverts, 0);
    assert_int_equal(chain->accounts->misses + chain->accounts->convictions, 0);
    assert_true(lks_u256_is_zero(&chain->accounts->penalties));
}

/* A request that comes meanwhile: it waits while the newest block seems to be a day old. */
static void ask_meanwhile(bool waits)
{
    size_t accepts = chain->accepts, sends = chain->sends;
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    for (int i = 0; i < 20; i++)
        block();
    assert_int_equal(job_of(r).state == LKS_JOB_SEEN, waits);
    assert_int_equal(chain->accepts - accepts, !waits);
    assert_int_equal(chain->sends == sends, waits);
    ahead = 0;
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    assert_int_equal(count_lines("WARN the newest block, "), waits);
    assert_int_equal(count_lines("is recent again"), waits);
}

static void test_day_ahead(void **state)
{
    (void)state;
    live_through(DAY);
    ask_meanwhile(true);
}

static void test_hour_behind(void **state)
{
    (void)state;
    live_through(-HOUR);
    ask_meanwhile(false);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_day_ahead, teardown),
        cmocka_unit_test_teardown(test_hour_behind, teardown),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
