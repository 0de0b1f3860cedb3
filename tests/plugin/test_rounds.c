/* The operator in requests that do not go straight to their end: rounds that end without a claim,
 * cancellations, replicas; and as another's agent. */
#include "plugin/terms.h"
#include "tests/plugin/known_costs.h"
#include "tests/plugin/operator_fixture.h"

/* Another operator takes the seat and misses. The header of a sampled request is then not
 * needed. */
static void test_taken_and_reopened(void **state)
{
    (void)state;
    for (int sampled = 0; sampled < 2; sampled++) {
        lks_request terms = sim_terms(chain);
        terms.temperature = sampled ? 1065353216 : 0;
        turn();
        config.policy.accept = !sampled; /* so that the other one comes first */
        size_t r = sim_ask(chain, &terms, 5);
        if (sampled)
            sim_mine(chain, LKS_SEED_FIRST_BLOCK);
        sim_other(chain, SIM_OTHER_ACCEPTS, r);
        run_until(r, LKS_JOB_DROPPED);
        config.policy.accept = true;
        restart();
        assert_int_equal(chain->accepts, 0);
        sim_other(chain, SIM_OTHER_MISSES, r);
        run_until(r, LKS_JOB_FINAL);
        check_claim(r);
        assert_true(chain->accepts == 1 && chain->claims == 1 && chain->reverts == 0);
        teardown(NULL);
        setup(NULL);
    }
}

/* What waits after a refusal leaves the bond to others. */
static void test_refused_locks_nothing(void **state)
{
    (void)state;
    turn();
    lks_request terms = sim_terms(chain);
    chain->accounts->free_bond = terms.stake; /* for one */
    chain->early_estimates = 1;
    op.pause_ms = 600000;
    lks_u256_add(&terms.fee, &terms.fee, &terms.fee); /* the better one */
    size_t refused = sim_ask(chain, &terms, 5);
    mine_and_turn();
    assert_int_equal(chain->early_estimates, 0);
    size_t other = sim_ask(chain, NULL, 6);
    run_until(other, LKS_JOB_FINAL);
    assert_int_equal(job_of(refused).state, LKS_JOB_SEEN);
}

/* No transaction could carry the longest answer: the stake would be lost to the clock. */
static void test_unclaimable(void **state)
{
    (void)state;
    lks_request terms = sim_terms(chain);
    models.items[0].max_positions = 65536;
    terms.max_tokens = 29800;
    terms.claim_period = 1000000;
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_DROPPED);
    assert_int_equal(job_of(r).dropped, LKS_DROP_SIZE);
    assert_true(chain->accepts == 0 && chain->sends == 0);
    assert_non_null(strstr(sim_host_lines(host), "too large for a transaction"));
}

/* Of several requests, and bond for one, the one that pays best for its time is taken, whenever it
 * was asked for. */
static void test_best_first(void **state)
{
    (void)state;
    turn();
    for (int i = 0; i < 3; i++)
        mine_and_turn();
    know_cost(&op.costs[0].of[LKS_RUN_TOKENS], 1000000); /* 8 s an answer of 8 tokens */
    lks_request t = sim_terms(chain);
    chain->accounts->free_bond = lks_u256_from_u64(1);
    t.fee = lks_u256_from_u64(800);
    size_t longer = sim_ask(chain, &t, 5);
    mine_and_turn();
    t.fee = lks_u256_from_u64(300);
    t.max_tokens = 4;
    size_t worse = sim_ask(chain, &t, 7);
    mine_and_turn();
    t.fee = lks_u256_from_u64(500);
    size_t better = sim_ask(chain, &t, 6);
    mine_and_turn();
    assert_int_equal(job_of(better).state, LKS_JOB_SEEN);
    chain->accounts->free_bond = t.stake;
    run_until(better, LKS_JOB_CLAIMED);
    assert_true(job_of(longer).state == LKS_JOB_SEEN && job_of(worse).state == LKS_JOB_SEEN);
    assert_int_equal(chain->accepts, 1);
}

/* A fee that does not pay for the transactions waits for cheaper gas, unless min_fee_wei says that
 * it is enough. */
static void test_waits_for_cheap_gas(void **state)
{
    (void)state;
    config.policy.fee_pays_gas = true;
    lks_request t = sim_terms(chain);
    t.accept_deadline += 1000;
    lks_u256 price = lks_u256_from_u64(chain->base_fee + chain->priority);
    lks_terms_least_fee(&t.fee, &t, false, &price);
    chain->base_fee *= 2;
    size_t r = sim_ask(chain, &t, 5);
    for (int i = 0; i < 8; i++)
        mine_and_turn();
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN);
    assert_non_null(strstr(sim_host_lines(host), "does not pay for its transactions"));
    chain->base_fee /= 2;
    run_until(r, LKS_JOB_FINAL);
}

static void check_bond(size_t misses)
{
    lks_u256 fine = lks_u256_from_u64(misses * UINT64_C(20000000000000000));
    assert_true(lks_u256_is_zero(&chain->accounts->locked));
    assert_int_equal(lks_u256_cmp(&chain->accounts->penalties, &fine), 0);
}

/* Our claim does not get into a block in time, and somebody reports it: the request is taken once
 * more, with the answer that is there. */
static void test_missed_and_accepted_anew(void **state)
{
    (void)state;
    turn();
    for (int i = 0; i < 3; i++)
        mine_and_turn();
    atomic_store(&delay_ms, 20);
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_ACCEPTED);
    chain->pool_forgets = true;
    atomic_store(&delay_ms, 0);
    run_until(r, LKS_JOB_CLAIMING);
    sim_other(chain, SIM_OTHER_MISSES, r);
    mine_and_turn();
    assert_true(job_of(r).round.misses == 1 && job_of(r).round.accepted.number == 0);
    assert_non_null(strstr(sim_host_lines(host), "ERROR request"));
    assert_non_null(strstr(sim_host_lines(host), "costs 0.02 ether of the bond"));
    chain->pool_forgets = false;
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    assert_true(chain->accepts == 2 && chain->claims == 1 && chain->misses == 1);
    check_bond(1);
}

/* The model gives no answer. Nobody reports the miss, so we do, to have the rest of the stake back;
 * and leave the request alone from then on. */
static void test_reports_own_miss(void **state)
{
    (void)state;
    turn();
    for (int i = 0; i < 3; i++)
        mine_and_turn();
    atomic_store(&failing_runs, 1000000);
    lks_request terms = sim_terms(chain);
    terms.accept_deadline += 100000; /* others may still take it */
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_ACCEPTED);
    chain->period = 20;
    run_until(r, LKS_JOB_DROPPED);
    assert_int_equal(job_of(r).dropped, LKS_DROP_MISSED);
    assert_true(chain->misses == 1 && chain->accepts == 1);
    check_bond(1);
}

/* Runs whose time is quadratic: what is fitted to short ones keeps from accepting a long one that
 * would be late. */
static void test_quadratic(void **state)
{
    (void)state;
    turn();
    for (int i = 0; i < 5; i++)
        mine_and_turn();
    memset(op.costs[0].of, 0, sizeof op.costs[0].of);
    for (uint32_t n = 64; n <= 576; n *= 3) {
        lks_answer a = {.served = &models.items[0], .prompt_count = n, .count = 9};
        a.prefill_us = 1000 * n + 40 * n * n;
        a.decode_us = 8 * 1000;
        lks_estimate_answer(&op, &a);
    }
    lks_request t = sim_terms(chain);
    t.claim_period = 60;
    size_t far =
        sim_ask(chain, &t, 900); /* 33 s, twice; 21 if each position took what it does of 576 */
    run_until(far, LKS_JOB_DROPPED);
    assert_int_equal(job_of(far).dropped, LKS_DROP_TIME);
    restart(); /* it is known afterwards */
    turn();
    far = sim_ask(chain, &t, 900);
    run_until(far, LKS_JOB_DROPPED);
    assert_int_equal(job_of(far).dropped, LKS_DROP_TIME);
    size_t near = sim_ask(chain, &t, 300);
    run_until(near, LKS_JOB_FINAL);
}

/* A long request waits until it is known how the cost grows, and a short one does not. */
static void test_trials(void **state)
{
    (void)state;
    for (int i = 0; i < 1000 && !lks_estimate_is_fitted(&op, &models.items[0]); i++)
        turn();
    unsigned before = atomic_load(&runs);
    atomic_store(&delay_ms, 1000000); /* the next trial takes as long as it likes */
    memset(op.costs[0].of, 0, sizeof op.costs[0].of);
    lks_cost_note(&op.costs[0].of[LKS_RUN_PROMPT], 0, 64, 64);
    lks_cost_note(&op.costs[0].of[LKS_RUN_TOKENS], 64, 16, 16);
    size_t longer = sim_ask(chain, NULL, 900);
    for (int i = 0; i < 5; i++)
        mine_and_turn();
    assert_int_equal(job_of(longer).state, LKS_JOB_SEEN);
    assert_int_equal(atomic_load(&runs), before + 1);
    size_t shorter = sim_ask(chain, NULL, 200);
    run_until(shorter, LKS_JOB_ACCEPTED);
    for (int i = 0; i < 1000 && atomic_load(&runs) < before + 2; i++)
        turn(); /* the trial gives way */
    assert_int_equal(atomic_load(&runs), before + 2);
    atomic_store(&delay_ms, 0);
    run_until(shorter, LKS_JOB_FINAL);
    check_claim(shorter);
    run_until(longer, LKS_JOB_FINAL);
    check_claim(longer);
    assert_null(strstr(sim_host_lines(host), "gave no answer"));
    assert_true(lks_estimate_is_fitted(&op, &models.items[0]));
}

/* A job that is late for good is no reason to let others wait. */
static void test_late_is_no_backlog(void **state)
{
    (void)state;
    turn();
    for (int i = 0; i < 3; i++)
        mine_and_turn();
    atomic_store(&failing_runs, 1000000);
    /* 80 s an answer: with two of them a claim would come too late. */
    know_cost(&op.costs[0].of[LKS_RUN_TOKENS], 10000000);
    size_t late = sim_ask(chain, NULL, 5);
    run_until(late, LKS_JOB_ACCEPTED);
    chain->period = 20;
    for (int i = 0; i < 14; i++)
        mine_and_turn();
    assert_int_equal(job_of(late).state, LKS_JOB_ACCEPTED);
    assert_non_null(strstr(sim_host_lines(host), "its answer takes 80 s, and its claim is due in"));
    chain->period = 1;
    atomic_store(&failing_runs, 0);
    size_t r = sim_ask(chain, NULL, 6);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
}

static void test_cancelled(void **state)
{
    (void)state;
    turn();
    lks_request terms = sim_terms(chain);
    terms.temperature = 1065353216; /* its seed block is waited for */
    size_t open = sim_ask(chain, &terms, 5);
    run_until(open, LKS_JOB_SEEN);
    sim_other(chain, SIM_CANCELS, open);
    run_until(open, LKS_JOB_REFUNDED);
    assert_int_equal(chain->accepts, 0);

    atomic_store(&delay_ms, 20);
    size_t taken = sim_ask(chain, NULL, 5); /* our claim counts all the same */
    run_until(taken, LKS_JOB_ACCEPTED);
    sim_other(chain, SIM_CANCELS, taken);
    mine_and_turn();
    assert_true(job_of(taken).cancelled.number != 0);
    atomic_store(&delay_ms, 0);
    run_until(taken, LKS_JOB_FINAL);
    check_claim(taken);

    atomic_store(&delay_ms, 20);
    size_t missed = sim_ask(chain, NULL, 6); /* it reopens to be refunded */
    run_until(missed, LKS_JOB_ACCEPTED);
    sim_other(chain, SIM_CANCELS, missed);
    sim_other(chain, SIM_OTHER_MISSES, missed);
    run_until(missed, LKS_JOB_REFUNDED);
    check_bond(1);
}

/* ---- replicas ---- */

static lks_request replicated(void)
{
    lks_request terms = sim_terms(chain);
    terms.replicas = 2;
    terms.accept_deadline += 200;
    return terms;
}

/* The other seat stays empty: the stake comes back, and after the second time nothing is locked
 * again. */
static void test_unfilled(void **state)
{
    (void)state;
    lks_request terms = replicated();
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_ANSWERED);
    assert_false(lks_u256_is_zero(&chain->accounts->locked));
    run_until(r, LKS_JOB_DROPPED);
    assert_int_equal(job_of(r).dropped, LKS_DROP_UNFILLED);
    assert_true(chain->accepts == 2 && chain->freed == 2 && chain->reverts == 0);
    check_bond(0);
}

static void put(const lks_buf *call)
{
    sim_put_call(chain, chain->other, chain->oracle, call);
}

/* The other operator commits to tokens from first on, and reveals them. */
static void other_commits(size_t r, uint8_t seat, const lks_buf *tokens)
{
    const sim_request *q = &chain->requests[r];
    uint8_t salt[32] = {5}, hash[32], commitment[32];
    lks_buf call = {0};
    lks_tokens_hash(hash, tokens->data, tokens->len);
    lks_claim_commitment(commitment, q->seats[seat].name, chain->other, q->seed, hash, salt);
    DO(lks_call_commit_claim(&call, &q->request, seat, q->seed, commitment));
    put(&call);
    lks_buf_free(&call);
}

static void other_reveals(size_t r, uint8_t seat, const lks_buf *tokens)
{
    const sim_request *q = &chain->requests[r];
    uint8_t salt[32] = {5};
    lks_buf call = {0};
    DO(lks_call_reveal_claim(&call, &q->request, seat, q->seed, tokens->data, tokens->len, NULL, 0,
                             salt));
    put(&call);
    lks_buf_free(&call);
}

/* Both seats are answered: alike, otherwise, or the other one not at all. */
static void test_replicas(void **state)
{
    (void)state;
    static const lks_job_state ends[] = {LKS_JOB_FINAL, LKS_JOB_UNDECIDED, LKS_JOB_FINAL};
    for (int how = 0; how < 3; how++) {
        lks_request terms = replicated();
        lks_buf tokens = {0};
        turn();
        size_t r = sim_ask(chain, &terms, 5);
        run_until(r, LKS_JOB_ANSWERED);
        sim_other(chain, SIM_OTHER_ACCEPTS, r);
        run_until(r, LKS_JOB_COMMITTED);
        for (uint32_t i = 0; i < terms.max_tokens; i++) {
            uint32_t id = token_of(5, 0, 0, i) + (how == 1);
            lks_tokens_pack(&tokens, &id, 1);
        }
        if (how < 2)
            other_commits(r, 1, &tokens);
        run_until(r, LKS_JOB_CLAIMED);
        if (how < 2)
            other_reveals(r, 1, &tokens);
        run_until(r, ends[how]);
        check_claim(r);
        assert_true(chain->accepts == 1 && chain->claims == 1 && chain->reverts == 0);
        check_bond(0);
        lks_buf_free(&tokens);
        teardown(NULL);
        setup(NULL);
    }
}

/* The event that starts our time is left out: that the last seat is taken, that answers are to be
 * revealed. */
static void test_unseen_deadlines(void **state)
{
    (void)state;
    for (int reveals = 0; reveals < 2; reveals++) {
        lks_request terms = replicated();
        lks_buf tokens = {0};
        turn();
        size_t r = sim_ask(chain, &terms, 5);
        run_until(r, LKS_JOB_ANSWERED);
        sim_other(chain, SIM_OTHER_ACCEPTS, r);
        if (!reveals)
            mine_without_logs();
        chain->lie = hide_from_review;
        run_until(r, LKS_JOB_COMMITTED);
        for (uint32_t i = 0; i < terms.max_tokens; i++) {
            uint32_t id = token_of(5, 0, 0, i);
            lks_tokens_pack(&tokens, &id, 1);
        }
        other_commits(r, 1, &tokens);
        if (reveals)
            mine_without_logs();
        chain->lie = hide_from_review;
        run_until(r, LKS_JOB_CLAIMED);
        other_reveals(r, 1, &tokens);
        run_until(r, LKS_JOB_FINAL);
        assert_true(chain->claims == 1 && chain->misses == 0 && chain->reverts == 0);
        assert_non_null(strstr(sim_host_lines(host), reveals
                                                         ? "it is to be revealed by the contract"
                                                         : "its seats are all taken by"));
        lks_buf_free(&tokens);
        teardown(NULL);
        setup(NULL);
    }
}

/* ---- agents ---- */

/* The account works for the bond of another. */
static void test_agent(void **state)
{
    (void)state;
    halt();
    forget_database();
    memset(chain->accounts->operator_address, 0x44, 20);
    config.is_agent = true;
    memcpy(config.operator_address, chain->accounts->operator_address, 20);
    start();
    turn();
    assert_non_null(strstr(sim_host_lines(host), "the account is no agent of"));
    chain->accounts->agent_roles = LKS_AGENT_CLAIMS;
    op.next_check_ms = 0;
    size_t r = sim_ask(chain, NULL, 6);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    assert_memory_equal(chain->requests[r].seats[0].operator_address,
                        chain->accounts->operator_address, 20);
    check_once();
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_taken_and_reopened),
        TEST(test_unclaimable),
        TEST(test_missed_and_accepted_anew),
        TEST(test_reports_own_miss),
        TEST(test_cancelled),
        TEST(test_unfilled),
        TEST(test_best_first),
        TEST(test_refused_locks_nothing),
        TEST(test_waits_for_cheap_gas),
        TEST(test_replicas),
        TEST(test_unseen_deadlines),
        TEST(test_agent),
        TEST(test_late_is_no_backlog),
        TEST(test_quadratic),
        TEST(test_trials),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
