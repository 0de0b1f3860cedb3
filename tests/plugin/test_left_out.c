/* Lists that have some of the logs of a block and not others. */
#include "tests/plugin/operator_fixture.h"

static size_t count_lines(const char *what)
{
    size_t count = 0;
    for (const char *at = sim_host_lines(host); (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* Of a block's two logs the second is left out, which its bloom filter does not show. In: whether
 * the plugin starts anew before it is found. */
static void leave_out_half(bool starts_anew)
{
    turn();
    size_t first = sim_ask(chain, NULL, 5), second = sim_ask(chain, NULL, 6);
    sim_mine(chain, 1);
    lockstep_block block = *sim_block_of(chain, chain->block_count - 1);
    assert_int_equal(block.log_count, 2);
    block.log_count = 1;
    lks_inbox_put_block(inbox, &block, config.oracle);
    turn();
    assert_int_not_equal(job_of(first).state, LKS_JOB_INVALID);
    assert_int_equal(job_of(second).state, LKS_JOB_INVALID);
    if (starts_anew) {
        restart();
        sim_mine(chain, 1);
    }
    for (int i = 0; i < 16 && job_of(second).state == LKS_JOB_INVALID; i++)
        mine_and_turn();
    assert_int_not_equal(job_of(second).state, LKS_JOB_INVALID);
    run_until(first, LKS_JOB_FINAL);
    assert_int_equal(count_lines("the node had left out event Requested"), 1);
    assert_int_equal(count_lines("the node had left out"), 1);
}

static void test_half_a_block(void **state)
{
    (void)state;
    leave_out_half(false);
}

static void test_half_a_block_and_restart(void **state)
{
    (void)state;
    leave_out_half(true);
}

/* Leaves out the last log of each list. */
static bool leave_out_last(void *user, const char *method, const char *params, lks_buf *answer,
                           lks_err *err)
{
    (void)user;
    if (strcmp(method, "eth_getLogs"))
        return false;
    chain->lie = NULL;
    *err = sim_call(chain, method, params, answer);
    chain->lie = leave_out_last;
    const char *text = lks_buf_text(answer), *last = NULL;
    for (const char *at = text; (at = strstr(at, ",{")); at++)
        last = at;
    if (last) {
        answer->len = (size_t)(last - text);
        lks_buf_put_text(answer, "]");
    }
    return true;
}

static bool take_all(void *user, const lks_job *job)
{
    (void)user, (void)job;
    return true;
}

/* Events read again do not take away what an event has said that is left out now. */
static void test_less_than_before(void **state)
{
    (void)state;
    lks_request terms = sim_terms(chain);
    terms.window = 60;
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_CLAIMED);
    uint64_t from = job_of(r).requested.number;
    chain->lie = leave_out_last;
    assert_int_equal(lks_feed_reread(&op.feed, chain->requests[r].id, from, take_all, NULL),
                     LKS_NOTFOUND);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    chain->lie = NULL;
    DO(lks_feed_reread(&op.feed, chain->requests[r].id, from, take_all, NULL));
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_half_a_block, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_a_block_and_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_less_than_before, setup, teardown),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
