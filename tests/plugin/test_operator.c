/* The operator on a simulated chain: the whole of a request's life, re-orgs in the middle of it,
 * and a crash at every call to the node. */
#include "tests/plugin/operator_fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_whole_life(void **state)
{
    (void)state;
    lks_request terms = sim_terms(chain);
    terms.temperature = 1065353216; /* 1.0: the answer depends on the seed */
    terms.seed = 99;
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
    assert_int_equal(atomic_load(&runs), 4); /* the trials and the answer */
    assert_true(lks_estimate_is_fitted(&op, &models.items[0]));
    assert_true(atomic_load(&op.finished) == chain->block_count - 1);
}

static void test_several(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        sim_ask(chain, NULL, 5 + i);
    for (size_t i = 0; i < 5; i++)
        run_until(i, LKS_JOB_FINAL);
    for (size_t i = 0; i < 5; i++)
        check_claim(i);
    assert_true(chain->claims == 5 && chain->reverts == 0);
}

static void test_left_alone(void **state)
{
    (void)state;
    config.policy.min_fee = lks_u256_from_u64(10);
    config.policy.max_stake = lks_u256_from_u64(1000);
    lks_request terms = sim_terms(chain);
    terms.stake = lks_u256_from_u64(1000);
    terms.fee = lks_u256_from_u64(9);
    size_t cheap = sim_ask(chain, &terms, 5);
    terms.fee = lks_u256_from_u64(10);
    terms.stake = lks_u256_from_u64(1001);
    size_t risky = sim_ask(chain, &terms, 5);
    terms.stake = lks_u256_from_u64(1000);
    memset(terms.model_id, 0x78, 32);
    size_t foreign = sim_ask(chain, &terms, 5);
    memset(terms.model_id, 0x77, 32);
    size_t too_long = sim_ask(chain, &terms, 4090);
    size_t outside = sim_ask(chain, &terms, 1500); /* ids up to 1500; the vocabulary has 1000 */
    size_t good = sim_ask(chain, &terms, 6);
    run_until(good, LKS_JOB_FINAL);
    assert_int_equal(job_of(cheap).dropped, LKS_DROP_FEE);
    assert_int_equal(job_of(risky).dropped, LKS_DROP_STAKE);
    assert_int_equal(job_of(foreign).state, LKS_JOB_INVALID);
    assert_int_equal(job_of(too_long).dropped, LKS_DROP_MALFORMED);
    assert_int_equal(job_of(outside).dropped, LKS_DROP_MALFORMED);
    check_once();
}

static void test_waits_for_bond(void **state)
{
    (void)state;
    lks_u256 bond = chain->accounts->free_bond;
    chain->accounts->free_bond = lks_u256_from_u64(1);
    size_t r = sim_ask(chain, NULL, 5);
    for (int i = 0; i < 10; i++)
        mine_and_turn();
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN);
    assert_non_null(strstr(sim_host_lines(host), "above the free bond"));
    chain->accounts->free_bond = bond;
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

static size_t lines_with(const char *what)
{
    size_t count = 0;
    for (const char *at = sim_host_lines(host); (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* However many requests wait, each is said once. */
static void test_many_wait_for_bond(void **state)
{
    (void)state;
    lks_request terms = sim_terms(chain);
    terms.accept_deadline += 100000;
    chain->accounts->free_bond = lks_u256_from_u64(0);
    op.pause_ms = 600000;
    turn();
    for (int i = 0; i < 300; i++)
        sim_ask(chain, &terms, 3);
    while (op.feed.head.ref.number < 300 / SIM_IN_BLOCK + 10)
        mine_and_turn();
    size_t said = lines_with(" waits: ");
    assert_int_equal(said, 300);
    op.pause_ms = 1; /* pauses that end are no news when they begin again */
    for (int i = 0; i < 5; i++) {
        op.next_tick_ms = 0;
        turn();
    }
    assert_int_equal(lines_with(" waits: "), said);
}

static void test_model_fails(void **state)
{
    (void)state;
    turn();
    mine_and_turn();
    atomic_store(&delay_ms, 20);
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_ACCEPTED);
    atomic_store(&failing_runs, 2);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
    assert_non_null(strstr(sim_host_lines(host), "the model gave no answer: out of memory"));
}

/* An acceptance that a node refuses because it is behind, however far, is not given up, and keeps
 * nothing from other requests meanwhile. */
static void test_refused_for_now(void **state)
{
    (void)state;
    turn();
    chain->early_estimates = 1;
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_FINAL);
    check_once();
    assert_int_equal(chain->early_estimates, 0);
    chain->early_estimates = SIZE_MAX;
    size_t refused = sim_ask(chain, NULL, 6);
    for (int i = 0; i < 20; i++)
        mine_and_turn();
    assert_int_equal(job_of(refused).state, LKS_JOB_SEEN);
    chain->early_estimates = 0;
    run_until(refused, LKS_JOB_FINAL);
    assert_int_equal(chain->accepts, 2);
}

/* A node that does not have the blocks over which their interval is measured is asked again. */
static void test_interval(void **state)
{
    (void)state;
    sim_mine(chain, 20);
    turn();
    assert_true(op.interval_known && op.interval_ms == 1000 * chain->period);
    halt();
    sim *behind = sim_new_view(chain);
    sim_follow(behind, chain, 1);
    sim_host_show(host, behind);
    start();
    turn();
    assert_int_equal(op.interval_ms, 12000);
    sim_host_show(host, chain);
    mine_and_turn();
    mine_and_turn();
    assert_int_equal(op.interval_ms, 1000 * chain->period);
    halt();
    sim_free_view(behind);
}

/* Lost races for the acceptance give up no claim. */
static void test_reverts_by_action(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    chain->failing_txs = LKS_MAX_FAILURES - 1;
    for (int i = 0; i < 20 && chain->accepts == 0; i++)
        mine_and_turn();
    chain->failing_txs = LKS_MAX_FAILURES - 1;
    run_until(r, LKS_JOB_FINAL);
    assert_int_equal(chain->reverts, 2 * (LKS_MAX_FAILURES - 1));
    check_claim(r);
}

/* A claim that is given up costs its fine alone: the rest of the stake comes back. */
static void test_given_up(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_CLAIMING);
    chain->failing_txs = LKS_MAX_FAILURES;
    run_until(r, LKS_JOB_REFUSED);
    assert_int_equal(lines_with("ERROR request 0x"), 1);
    assert_int_equal(lines_with("claim transaction failed 3 times and is given up"), 1);
    chain->period = LKS_MISS_PATIENCE;
    for (int i = 0; i < 6; i++)
        mine_and_turn();
    assert_true(chain->misses == 1 && chain->claims == 0);
    assert_true(lks_u256_is_zero(&chain->accounts[0].locked));
}

/* A settlement that keeps being reverted is not given up, and is tried seldom. */
static void test_finalize_keeps_failing(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_CLAIMED);
    op.pause_ms = 1000;
    chain->failing_txs = SIZE_MAX;
    for (int i = 0; i < 30; i++)
        mine_and_turn();
    assert_int_equal(chain->reverts, LKS_MAX_FAILURES + 1);
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    chain->failing_txs = 0;
    lks_pauses_end(&op.pauses, job_of(r).request_id, LKS_ACTION_FINALIZE);
    run_until(r, LKS_JOB_FINAL);
}

static void test_lying_seed(void **state)
{
    (void)state;
    chain->lies_about_seed = true;
    lks_request terms = sim_terms(chain);
    terms.temperature = 1065353216;
    size_t r = sim_ask(chain, &terms, 5);
    for (int i = 0; i < 40; i++)
        mine_and_turn();
    assert_int_equal(job_of(r).state, LKS_JOB_ACCEPTED);
    assert_int_equal(chain->claims, 0);
    assert_non_null(strstr(sim_host_lines(host), "does not follow from block"));
}

/* The host leaves blocks out, repeats them, and gives them late. */
static void test_gaps(void **state)
{
    (void)state;
    size_t r = sim_ask(chain, NULL, 5);
    for (int i = 0; i < 200 && job_of(r).state != LKS_JOB_FINAL; i++) {
        sim_mine(chain, 1 + (size_t)(i % 3));
        uint64_t head = chain->block_count - 1;
        give(head);
        if (i % 4 == 1)
            give(head);
        if (i % 5 == 2)
            give(head - 1);
        if (i % 7 == 3)
            give(1);
        turn();
    }
    assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
}

/* Not running while everything happens, from before its first block on. */
static void test_catches_up(void **state)
{
    (void)state;
    halt();
    size_t r = sim_ask(chain, NULL, 5);
    config.start_block = 1;
    sim_mine(chain, 30);
    atomic_store(&delay_ms, 20);
    start();
    run_until(r, LKS_JOB_ACCEPTED);
    halt();
    sim_mine(chain, 20);
    start();
    run_until(r, LKS_JOB_CLAIMED);
    halt();
    sim_mine(chain, 60);
    start();
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
}

/* While another program sends for the account nothing new is accepted; what is accepted goes on. */
static void test_shared_account(void **state)
{
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    while (chain->accepts == 0)
        mine_and_turn();
    for (size_t i = 0; i < LKS_SENDER_FOREIGN; i++)
        op.sender.foreign[i] = chain->block_count - 1;
    size_t next = sim_ask(chain, NULL, 6);
    run_until(r, LKS_JOB_FINAL);
    assert_int_equal(job_of(next).state, LKS_JOB_SEEN);
    assert_int_equal(chain->accepts, 1);
    memset(op.sender.foreign, 0, sizeof op.sender.foreign);
    run_until(next, LKS_JOB_FINAL);
}

/* The node suggests a priority fee near its ceiling, or above, and then the base fee triples: the
 * claim is made nonetheless. */
static void test_busy_hours(void **state)
{
    (void)state;
    static const uint64_t tips[] = {1, 9, 12};
    const uint64_t gwei = UINT64_C(1000000000);
    for (size_t i = 0; i < 3; i++) {
        halt();
        config.max_fee = lks_u256_from_u64(500 * gwei);
        config.max_priority_fee = lks_u256_from_u64(10 * gwei);
        chain->priority = tips[i] * gwei;
        chain->base_fee = 20 * gwei;
        start();
        turn();
        size_t r = sim_ask(chain, NULL, 5);
        run_until(r, LKS_JOB_CLAIMING);
        chain->base_fee = 60 * gwei;
        for (int b = 0; b < 6; b++)
            mine_and_turn();
        assert_int_equal(chain->claims, 1);
        run_until(r, LKS_JOB_FINAL);
        teardown(NULL);
        setup(NULL);
    }
}

/* A re-org in each state, of each depth, by which the request stays or moves to another block, with
 * the transactions kept by the node or lost; told to the operator by blocks alone, or by a revert
 * too. In the end there is one claim, and it is right for the seed that then holds. */
static void test_reorgs(void **state)
{
    (void)state;
    static const lks_job_state states[] = {LKS_JOB_SEEN,     LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED,
                                           LKS_JOB_CLAIMING, LKS_JOB_CLAIMED,   LKS_JOB_FINALIZING};
    size_t done = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        for (size_t depth = 1; depth <= 12; depth += i < 2 ? 2 : 4)
            for (unsigned how = 0; how < 4; how++) {
                lks_request terms = sim_terms(chain);
                terms.temperature = 1065353216;
                turn();
                if (states[i] == LKS_JOB_ACCEPTED)
                    run_until(sim_ask(chain, NULL, 3),
                              LKS_JOB_FINAL); /* measured: then the worker can be slowed */
                size_t before = chain->claims;
                if (states[i] == LKS_JOB_ACCEPTED)
                    atomic_store(&delay_ms, 50);
                size_t r = sim_ask(chain, &terms, 5);
                run_until(r, states[i]);
                size_t blocks = depth < chain->block_count ? depth : chain->block_count - 1;
                uint64_t old_head = chain->block_count - 1;
                uint8_t old_hash[32];
                memcpy(old_hash, chain->blocks[old_head].hash, 32);
                sim_reorg(chain, blocks, true, how & 1);
                if (how & 2)
                    lks_inbox_put_revert(inbox, old_head, old_hash);
                atomic_store(&delay_ms, 0);
                run_until(r, LKS_JOB_FINAL);
                check_claim(r);
                if (chain->claims != before + 1)
                    fail_msg("%zu claims", chain->claims);
                done++;
                teardown(NULL);
                setup(NULL);
            }
    assert_int_equal(done, (2 * 6 + 4 * 3) * 4);
}

/* One receipt from a fork, as one backend of several may give it, and later an ordinary re-org. */
static void test_receipt_of_a_fork(void **state)
{
    (void)state;
    for (size_t depth = 1; depth < 6; depth += 2) {
        turn();
        size_t r = sim_ask(chain, NULL, 5);
        run_until(r, LKS_JOB_CLAIMING);
        chain->fork_receipts = 1;
        for (int i = 0; i < 20 && chain->fork_receipts; i++) {
            op.next_tick_ms = 0;
            turn();
        }
        assert_int_equal(chain->fork_receipts, 0);
        mine_and_turn();
        mine_and_turn();
        sim_reorg(chain, depth, true, true);
        run_until(r, LKS_JOB_FINAL);
        assert_true(op.feed.head.ref.number == chain->block_count - 1);
        check_claim(r);
        check_once();
        teardown(NULL);
        setup(NULL);
    }
}

/* The request itself is gone after the re-org: nothing more is done about it. */
static void test_request_vanishes(void **state)
{
    (void)state;
    static const lks_job_state states[] = {LKS_JOB_SEEN, LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED,
                                           LKS_JOB_CLAIMING, LKS_JOB_CLAIMED};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        turn();
        for (int b = 0; b < 20; b++)
            mine_and_turn();
        if (states[i] == LKS_JOB_ACCEPTED)
            atomic_store(&delay_ms, 20);
        lks_request terms = sim_terms(chain);
        terms.temperature = 1065353216;
        size_t r = sim_ask(chain, &terms, 5);
        run_until(r, states[i]);
        sim_reorg(chain, chain->block_count - chain->requests[r].block, false, false);
        for (int b = 0; b < 20; b++)
            mine_and_turn();
        assert_int_equal(job_of(r).state, LKS_JOB_REORGED);
        assert_int_equal(chain->claims, 0);
        atomic_store(&delay_ms, 0);
        teardown(NULL);
        setup(NULL);
    }
}

/* The connection is lost at the n-th call, before or after the node acted on it, and so is the
 * process; then both come back. */
static void test_crash_at_every_call(void **state)
{
    (void)state;
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_FINAL);
    uint64_t calls = chain->calls;
    assert_true(calls > 30);
    size_t crashes = 0;
    for (uint64_t n = 1; n <= calls; n++)
        for (int acted = 0; acted < 2; acted++) {
            teardown(NULL);
            fresh_chain();
            chain->fail_from = n;
            chain->fail_after_doing = acted;
            start();
            r = sim_ask(chain, NULL, 5);
            for (int i = 0; i < 400 && chain->calls < n; i++)
                mine_and_turn();
            mine_and_turn();
            halt();
            chain->fail_from = 0;
            start();
            run_until(r, LKS_JOB_FINAL);
            check_claim(r);
            check_once();
            crashes++;
        }
    print_message("%zu crashes, at each of %zu calls\n", crashes, (size_t)calls);
}

/* The process ends at every turn, whatever was stored by then. */
static void test_restart_at_every_turn(void **state)
{
    (void)state;
    for (int period = 1; period <= 3; period++) {
        size_t r = sim_ask(chain, NULL, 5);
        for (int i = 0; i < 400 && job_of(r).state != LKS_JOB_FINAL; i++) {
            mine_and_turn();
            if (i % period == 0)
                restart();
        }
        assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
        check_claim(r);
        check_once();
        teardown(NULL);
        setup(NULL);
    }
}

static void test_refuses_to_start(void **state)
{
    (void)state;
    lks_operator second;
    halt();
    start();
    assert_int_equal(lks_operator_open(&second, sim_host_api(host), &config, &models, inbox, rpc,
                                       signer),
                     LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "in use by another process"));
    chain->chain_id = 1;
    assert_int_equal(lks_preflight_chain(&op), LKS_AUTH);
    assert_non_null(strstr(lks_error_message(), "31982"));
    chain->chain_id = SIM_CHAIN_ID;
    memset(config.bonds, 1, 20);
    assert_int_equal(lks_preflight_contracts(&op), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "the InferenceOracle uses the OperatorBonds at"));
    memcpy(config.bonds, chain->bonds, 20);
    chain->accounts->balance = lks_u256_from_u64(1);
    DO(lks_preflight_contracts(&op));
    assert_non_null(strstr(sim_host_lines(host), "too little ether"));
}

static void test_key(void **state)
{
    (void)state;
    lks_signer *key = NULL;
    DO(lks_key_load(&key, &config));
    assert_memory_equal(lks_signer_address(key), lks_signer_address(signer), 20);
    lks_signer_free(key);
    assert_int_equal(chmod(password_file, 0644), 0);
    assert_int_equal(lks_key_load(&key, &config), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "chmod 600"));
    assert_int_equal(chmod(password_file, 0600), 0);
    write_password("wrong-password\n");
    assert_int_equal(lks_key_load(&key, &config), LKS_AUTH);
    assert_null(strstr(lks_error_message(), "wrong-password"));
    assert_null(key);
    write_password("secret"); /* without a newline */
    DO(lks_key_load(&key, &config));
    lks_signer_free(key);
    /* Moves have an account of their own, or none. */
    lks_config moves = config;
    DO(lks_key_load_moves(&key, &moves, lks_signer_address(signer)));
    assert_null(key);
    moves.moves_keystore = config.keystore;
    moves.moves_password_file = config.password_file;
    assert_int_equal(lks_key_load_moves(&key, &moves, lks_signer_address(signer)), LKS_BADARGS);
    assert_null(key);
    DO(lks_key_load_moves(&key, &moves, chain->other));
    lks_signer_free(key);
    assert_int_equal(unlink(password_file), 0);
    assert_int_equal(lks_key_load(&key, &config), LKS_IO);
    assert_non_null(strstr(lks_error_message(), password_file));
    write_password("secret\r\n");
    DO(lks_key_load(&key, &config));
    lks_signer_free(key);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_whole_life),
        TEST(test_several),
        TEST(test_left_alone),
        TEST(test_waits_for_bond),
        TEST(test_many_wait_for_bond),
        TEST(test_model_fails),
        TEST(test_lying_seed),
        TEST(test_refused_for_now),
        TEST(test_interval),
        TEST(test_reverts_by_action),
        TEST(test_given_up),
        TEST(test_finalize_keeps_failing),
        TEST(test_busy_hours),
        TEST(test_shared_account),
        TEST(test_gaps),
        TEST(test_catches_up),
        TEST(test_reorgs),
        TEST(test_receipt_of_a_fork),
        TEST(test_request_vanishes),
        TEST(test_restart_at_every_turn),
        TEST(test_refuses_to_start),
        TEST(test_key),
        TEST(test_crash_at_every_call),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
