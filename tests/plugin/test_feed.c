/* The operator's view of the chain over a node that is behind, on another branch, or tells half. */
#include "tests/plugin/operator_fixture.h"

#include "plugin/store_internal.h"

#include <time.h>

#include "chain/json.h"

static size_t claimed_job(uint32_t window)
{
    lks_request terms = sim_terms(chain);
    terms.window = window;
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_CLAIMED);
    return r;
}

/* Mines blocks that the plugin reads afterwards, all together. */
static void mine_apart(size_t count)
{
    halt();
    sim_mine(chain, count);
    start();
    for (int i = 0; i < 200 && op.feed.head.ref.number < chain->block_count - 1; i++)
        turn();
    assert_int_equal(op.feed.head.ref.number, chain->block_count - 1);
}

static size_t count_lines(const char *what)
{
    size_t count = 0;
    for (const char *at = sim_host_lines(host); (at = strstr(at, what)); at++)
        count++;
    return count;
}

static size_t open_claims(void)
{
    lks_claims claims = {0};
    DO(lks_store_claims_open(op.store, &claims));
    size_t count = claims.count;
    lks_claims_free(&claims);
    return count;
}

/* ---- a node that is behind ---- */

/* By more blocks than are kept: nothing is forgotten, and the claim is settled in the end. */
static void test_node_far_behind(void **state)
{
    (void)state;
    size_t r = claimed_job(5000);
    mine_apart(2500);
    size_t count = chain->block_count;
    for (int i = 0; i < 2; i++) {
        chain->block_count = count - 2000;
        if (i == 1)
            restart();
        else
            give(chain->block_count - 1);
        for (int k = 0; k < 5; k++) {
            op.feed.behind = true;
            turn();
        }
        assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
        assert_int_equal(op.feed.head.ref.number, count - 1);
        assert_int_equal(count_lines("the node is 2000 blocks behind"), i + 1);
        assert_int_equal(open_claims(), 1);
        chain->block_count = count;
    }
    assert_null(strstr(sim_host_lines(host), "re-org"));
    mine_and_turn();
    assert_false(op.feed.behind);
    assert_int_equal(op.feed.head.ref.number, count);
    mine_apart(2600);
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

/* By a few, again and again, as a provider of several nodes is. */
static void test_node_flaps(void **state)
{
    (void)state;
    size_t r = claimed_job(10);
    for (int i = 0; i < 40 && job_of(r).state != LKS_JOB_FINAL; i++) {
        mine_and_turn();
        uint64_t head = op.feed.head.ref.number;
        size_t count = chain->block_count;
        chain->block_count = count - 1 - (size_t)(i % 3);
        give(chain->block_count - 1);
        op.feed.behind = true;
        turn();
        assert_int_equal(op.feed.head.ref.number, head);
        chain->block_count = count;
    }
    assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
    assert_null(strstr(sim_host_lines(host), "re-org"));
    assert_null(strstr(sim_host_lines(host), "blocks behind"));
    check_once();
}

/* Its newest block is lower than ours, and another one than ours of that number. */
static void test_shorter_branch(void **state)
{
    (void)state;
    size_t r = claimed_job(1000);
    for (int i = 0; i < 20; i++)
        mine_and_turn();
    sim_reorg(chain, 10, true, true);
    chain->block_count -= 5;
    op.feed.behind = true;
    turn();
    assert_int_equal(op.feed.head.ref.number, chain->block_count - 1);
    assert_memory_equal(op.feed.head.ref.hash, chain->blocks[chain->block_count - 1].hash, 32);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
}

/* ---- re-orgs ---- */

/* Deeper than what is kept by hash: what happened before that stays. */
static void test_nothing_canonical(void **state)
{
    (void)state;
    size_t r = claimed_job(5000);
    mine_apart(1500);
    sim_reorg(chain, 1100, true, true);
    mine_and_turn();
    for (int i = 0; i < 20; i++)
        turn();
    assert_non_null(strstr(sim_host_lines(host), "no stored block is canonical any more"));
    assert_non_null(strstr(sim_host_lines(host), "no longer canonical, 0 jobs changed"));
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    assert_int_equal(open_claims(), 1);
    assert_int_equal(op.feed.head.ref.number, chain->block_count - 1);
    mine_apart(4000);
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

/* A database that is younger than the re-org: the request is now in a block before its first. */
static void test_young_database(void **state)
{
    (void)state;
    halt();
    forget_database();
    sim_mine(chain, 40);
    config.start_block = LKS_START_NEWEST;
    start();
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_CLAIMED);
    sim_reorg(chain, chain->block_count - 10, true, false);
    assert_true(chain->requests[r].block < 20);
    mine_and_turn();
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
}

/* Nothing final is taken back, whatever the node says. */
static void test_final_block(void **state)
{
    (void)state;
    size_t r = claimed_job(5000);
    for (int i = 0; i < 30; i++)
        mine_and_turn();
    chain->finalized = op.feed.head.ref.number - 5;
    for (int i = 0; i < 10; i++)
        mine_and_turn();
    uint64_t head = op.feed.head.ref.number;
    assert_int_equal(op.feed.final_height, chain->finalized);
    chain->finalized = 0;
    sim_reorg(chain, chain->block_count - 2, false, false);
    for (int i = 0; i < 3; i++) {
        op.next_sync_ms = 0;
        mine_and_turn();
    }
    assert_int_equal(count_lines("ERROR the node's chain differs from ours in block"), 1);
    assert_non_null(strstr(sim_host_lines(host), "a new database"));
    assert_true(op.feed.behind);
    assert_int_equal(op.feed.head.ref.number, head);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    restart();
    turn();
    assert_int_equal(op.feed.final_height, head - 15);
    assert_int_equal(count_lines("ERROR the node's chain differs from ours in block"), 2);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
}

/* The host takes final blocks back. */
static void test_final_reverts(void **state)
{
    (void)state;
    claimed_job(5000);
    for (int i = 0; i < 10; i++)
        mine_and_turn();
    chain->finalized = op.feed.head.ref.number;
    restart();
    turn();
    lks_inbox_put_revert(inbox, op.feed.head.ref.number, op.feed.head.ref.hash);
    turn();
    assert_int_equal(op.feed.head.ref.number, chain->finalized);
    assert_int_equal(count_lines("ERROR the node's chain differs from ours in block"), 1);
    assert_false(op.feed.behind); /* by the node's own word the block is there */
}

/* A rewind that the database does not take is told, and done when it does. */
static void test_rewind_fails(void **state)
{
    (void)state;
    size_t r = claimed_job(1000);
    for (int i = 0; i < 10; i++)
        mine_and_turn();
    uint64_t head = op.feed.head.ref.number;
    sqlite3 *other = NULL; /* another process, which writes for longer than is waited for */
    sqlite3_busy_timeout(op.store->db, 0);
    assert_int_equal(sqlite3_open(database, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sim_reorg(chain, 4, true, true);
    for (int i = 0; i < 5; i++) {
        op.next_sync_ms = 0;
        mine_and_turn();
    }
    assert_int_equal(op.feed.head.ref.number, head);
    assert_int_equal(count_lines("ERROR a re-org above block"), 1);
    assert_non_null(strstr(sim_host_lines(host), "in use by another process"));
    sqlite3_close(other);
    op.next_sync_ms = 0;
    mine_and_turn();
    assert_int_equal(op.feed.head.ref.number, chain->block_count - 1);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
}

/* ---- logs that are missing ---- */

static unsigned log_calls;

/* Gives ten blocks at once, and of forty calls fails three in a row. */
static bool give_few_blocks(void *user, const char *method, const char *params, lks_buf *answer,
                            lks_err *err)
{
    lks_json doc = {0};
    uint64_t from = 0, to = 0;
    (void)user, (void)err;
    if (strcmp(method, "eth_getLogs") || strstr(params, "blockHash"))
        return false;
    DO(lks_json_parse(&doc, params, strlen(params), 1000));
    DO(lks_json_quantity(&doc, lks_json_path(&doc, 0, "0.fromBlock"), &from));
    DO(lks_json_quantity(&doc, lks_json_path(&doc, 0, "0.toBlock"), &to));
    lks_json_free(&doc);
    bool fails = ++log_calls % 40 < 3 || to - from >= 10;
    if (fails)
        lks_buf_put_text(answer, "\"broken\"");
    return fails;
}

/* A failure loses what a few calls gave, not all blocks of the range. */
static void test_few_blocks(void **state)
{
    (void)state;
    turn();
    halt();
    sim_mine(chain, 1100);
    chain->lie = give_few_blocks;
    log_calls = 0;
    start();
    const uint64_t old =
        chain->block_count - 1 - LKS_FEED_NEWEST; /* newer ones are read one by one */
    for (int i = 0; i < 100 && op.feed.head.ref.number < old; i++) {
        op.next_sync_ms = 0;
        turn();
    }
    assert_true(op.feed.head.ref.number >= old);
    assert_true(log_calls < 300);
}

/* One answer without logs is asked for again at once; several, later, and that is told. */
static void test_empty_answers(void **state)
{
    (void)state;
    chain->lie = give_no_logs;
    for (unsigned lies = 1; lies <= 4; lies += 3) {
        turn();
        halt();
        size_t r = sim_ask(chain, NULL, 5);
        sim_mine(chain, 1);
        empty_answers = lies;
        start();
        for (int i = 0; i < 10 && job_of(r).state == LKS_JOB_INVALID; i++) {
            op.next_sync_ms = 0;
            turn();
        }
        assert_int_equal(empty_answers, 0);
        assert_int_not_equal(job_of(r).state, LKS_JOB_INVALID);
        assert_int_equal(count_lines("more logs of ours than the node gives") != 0, lies > 1);
        run_until(r, LKS_JOB_FINAL);
    }
}

/* A block that never shows its logs does not hold up those behind it. */
static void test_block_without_logs(void **state)
{
    (void)state;
    chain->lie = give_no_logs;
    turn();
    halt();
    size_t r = sim_ask(chain, NULL, 5);
    sim_mine(chain, 1);
    empty_answers = 8;
    start();
    for (int i = 0; i < 10; i++) {
        op.next_sync_ms = 0;
        turn();
    }
    assert_int_equal(op.feed.head.ref.number, chain->block_count - 1);
    assert_int_equal(count_lines("WARN by its bloom filter block"), 1);
    assert_int_equal(job_of(r).state, LKS_JOB_INVALID);
    size_t next = sim_ask(chain, NULL, 5);
    run_until(next, LKS_JOB_FINAL);
}

/* The host gives a block without its logs. */
static void test_live_block_without_logs(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    sim_mine(chain, 1);
    lockstep_block block = *sim_block_of(chain, chain->block_count - 1);
    block.log_count = 0;
    lks_inbox_put_block(inbox, &block, config.oracle);
    turn();
    assert_int_not_equal(job_of(r).state, LKS_JOB_INVALID);
    run_until(r, LKS_JOB_FINAL);
}

/* Our acceptance is in a block, and no event says so: the contract does. */
static void test_unseen_acceptance(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_ACCEPTING);
    mine_without_logs();
    assert_int_equal(chain->requests[r].status, LKS_REQUEST_ACCEPTED);
    chain->lie = hide_from_review;
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
    assert_int_equal(count_lines("a seat of it is ours by the contract, and no event says so"), 1);
    assert_int_equal(count_lines("contract and events agree again"), 1);
}

static void test_unseen_claim(void **state)
{
    (void)state;
    lks_request terms = sim_terms(chain);
    terms.window = 60;
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_CLAIMING);
    mine_without_logs();
    assert_int_equal(chain->requests[r].status, LKS_REQUEST_CLAIMED);
    chain->lie = hide_from_review;
    run_until(r, LKS_JOB_CLAIMED);
    assert_int_equal(open_claims(), 1);
    assert_int_equal(count_lines("contract and events differ in what we have done about it"), 1);
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

/* The request is over, and no event says so. */
static void test_unseen_end(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_FINALIZING);
    mine_without_logs();
    assert_int_equal(chain->requests[r].status, LKS_REQUEST_FINAL);
    chain->lie = hide_from_review;
    run_until(r, LKS_JOB_FINAL);
    check_once();
    assert_int_equal(count_lines("it has ended by the contract, and no event says so"), 1);
}

/* Of a block with several events, the host gives all but one. */
static void test_partial_block(void **state)
{
    (void)state;
    turn();
    size_t first = sim_ask(chain, NULL, 5);
    run_until(first, LKS_JOB_ACCEPTING);
    size_t second = sim_ask(chain, NULL, 6);
    sim_mine(chain, 1);
    lockstep_block block = *sim_block_of(chain, chain->block_count - 1);
    assert_int_equal(block.log_count, 2);
    block.log_count = 1;
    lks_inbox_put_block(inbox, &block, config.oracle);
    turn();
    run_until(first, LKS_JOB_FINAL);
    run_until(second, LKS_JOB_FINAL);
    assert_int_equal(count_lines("reading its events again"), 0);
}

/* ---- the head's age, and silence ---- */

/* The newest block is of so long ago: no request is accepted, what was begun goes on. */
static void test_old_head(void **state)
{
    (void)state;
    turn();
    size_t begun = sim_ask(chain, NULL, 5);
    run_until(begun, LKS_JOB_CLAIMED);
    config.max_head_age = 600;
    memset(&config.policy.min_fee, 0xff, sizeof config.policy.min_fee);
    size_t r = sim_ask(chain, NULL, 5);
    run_until(begun, LKS_JOB_FINAL);
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN); /* not even dropped */
    config.policy.min_fee = lks_u256_from_u64(0);
    assert_int_equal(count_lines("WARN the newest block, "), 1);
    chain->period = (uint64_t)time(NULL) - op.head.time;
    mine_and_turn();
    chain->period = 1;
    r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_FINAL);
    chain->period = 100000; /* a clock that is ahead */
    mine_and_turn();
    chain->period = 1;
    r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_FINAL);
    assert_int_equal(count_lines("WARN the newest block, "), 1);
}

/* Accepted, and then the newest block seems to be old: the answer is made all the same. */
static void test_old_head_before_answer(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 3);
    run_until(r, LKS_JOB_FINAL);
    r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_ACCEPTING);
    config.max_head_age = 600;
    run_until(r, LKS_JOB_FINAL);
    assert_int_equal(count_lines("WARN the newest block, "), 1);
}

/* The host gives no blocks any more: the node is asked. */
static void test_silent_host(void **state)
{
    (void)state;
    size_t r = claimed_job(10);
    op.idle_ms = op.interval_ms = 1;
    for (int i = 0; i < 400 && job_of(r).state != LKS_JOB_FINAL; i++) {
        sim_mine(chain, 1);
        turn();
    }
    assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
    assert_int_equal(count_lines("WARN the host gave no block for"), 1);
}

static void test_silent_chain(void **state)
{
    (void)state;
    turn();
    op.idle_ms = op.interval_ms = 1;
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(count_lines("WARN no new block for"), 1);
    op.idle_ms = 100000;
    op.stalled = (lks_reminder){0};
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(count_lines("WARN no new block for"), 1);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_few_blocks),         TEST(test_node_far_behind),
        TEST(test_node_flaps),         TEST(test_shorter_branch),
        TEST(test_nothing_canonical),  TEST(test_young_database),
        TEST(test_final_block),        TEST(test_final_reverts),
        TEST(test_rewind_fails),       TEST(test_empty_answers),
        TEST(test_block_without_logs), TEST(test_live_block_without_logs),
        TEST(test_unseen_acceptance),  TEST(test_unseen_end),
        TEST(test_unseen_claim),       TEST(test_partial_block),
        TEST(test_old_head),           TEST(test_old_head_before_answer),
        TEST(test_silent_host),        TEST(test_silent_chain),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
