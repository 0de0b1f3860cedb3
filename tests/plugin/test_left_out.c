/* Lists that have some of the logs of a block and not others. */
#include "tests/plugin/operator_fixture.h"

#include "chain/keccak.h"
#include "plugin/block_logs.h"

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

static bool take_none(void *user, const lks_job *job)
{
    (void)user, (void)job;
    return false;
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
    /* Nor does what leads elsewhere than to what the contract says. */
    assert_int_equal(lks_feed_reread(&op.feed, chain->requests[r].id, from, take_none, NULL),
                     LKS_NOTFOUND);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    DO(lks_feed_reread(&op.feed, chain->requests[r].id, from, take_all, NULL));
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

/* The salt of a commitment is in no event. */
static void test_salt_is_kept(void **state)
{
    (void)state;
    uint8_t salt[32];
    memset(salt, 7, sizeof salt);
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_CLAIMED);
    lks_job job = job_of(r);
    memcpy(job.round.salt, salt, 32);
    DO(lks_store_job_put(op.store, &job));
    DO(lks_feed_reread(&op.feed, chain->requests[r].id, job.requested.number, take_all, NULL));
    job = job_of(r);
    assert_memory_equal(job.round.salt, salt, 32);
}

static void set_bloom(lks_eth_header *h, const uint8_t *value, size_t len)
{
    uint8_t hash[32];
    lks_keccak256(hash, value, len);
    for (int i = 0; i < 6; i += 2) {
        unsigned bit = ((unsigned)hash[i] << 8 | hash[i + 1]) & 2047;
        h->logs_bloom[255 - bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

/* What the bloom filter of a block says of the logs that came with it. */
static void test_bloom(void **state)
{
    (void)state;
    uint8_t kinds[3][32] = {{1}, {2}, {3}};
    lks_eth_header h = {.has_bloom = true};
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])config.oracle,
                                   .address_count = 1,
                                   .topics0 = (const uint8_t(*)[32])kinds,
                                   .topic0_count = 3};
#define LACKS(count) lks_block_lacks_logs(&h, &filter, (const uint8_t(*)[32])kinds, count)
    assert_false(LACKS(0));
    set_bloom(&h, config.oracle, 20);
    set_bloom(&h, kinds[0], 32);
    assert_true(LACKS(0));
    assert_false(LACKS(1));
    set_bloom(&h, kinds[1], 32);
    assert_true(LACKS(1)); /* one of another kind is missing */
    assert_false(LACKS(2));
    memset(h.logs_bloom, 0xff, 20); /* so many bits are set that chance sets those of a kind */
    assert_false(LACKS(1));
    assert_true(LACKS(0));
    h.has_bloom = false;
    assert_false(LACKS(0));
}

/* Logs of a branch that is not ours, of the head and of a stored block. */
static void test_branch(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        mine_and_turn();
    lks_block_ref head = op.feed.head.ref;
    for (int back = 0; back < 2; back++) {
        lks_eth_log log = {.block_number = head.number - (uint64_t)back};
        memcpy(log.block_hash, chain->blocks[log.block_number].hash, 32);
        DO(lks_log_check_branch(&log, op.store, &head));
        log.block_hash[0] ^= 1;
        assert_int_equal(lks_log_check_branch(&log, op.store, &head), LKS_REMOTE);
    }
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
        cmocka_unit_test_setup_teardown(test_salt_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bloom, setup, teardown),
        cmocka_unit_test_setup_teardown(test_branch, setup, teardown),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
