/* Both roles in disputes: what the plugin does against liars and false challengers; through
 * restarts, re-orgs and lost connections. */
#include "tests/plugin/disputes_fixture.h"
#include "tests/plugin/known_costs.h"

/* ---- challenger ---- */

static void test_right_claim(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    foreign_claim(right);
    for (int i = 0; i < 20; i++)
        block();
    assert_non_null(strstr(sim_host_lines(host), "6 tokens, right"));
    assert_int_equal(chain->challenges, 0);
    assert_int_equal(chain->sends, 0);
}

/* The tokens are wrong, the trace is honest: one step. */
static void test_wrong_token(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    play(liar_of(foreign_claim(other), other));
    RUN_UNTIL(chain->convictions);
    RUN_UNTIL(open_claims() == 0);
    check_won();
    assert_true(chain->reclaims == 1 && chain->withdrawals == 1);
    assert_int_equal(op.matches.count, 0);
}

/* The trace is of other tokens: down the tree to the first difference. */
static void test_wrong_trace(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    play(liar_of(foreign_claim(other), right));
    RUN_UNTIL(chain->convictions);
    check_won();
    assert_true(chain->answers > 1);
    assert_non_null(strstr(sim_host_lines(host), "of operation"));
}

static void test_silent_operator(void **state)
{
    (void)state;
    for (int blocks = 0; blocks < 6;
         blocks += 2) { /* 0: the trace is due, 2: children, 4: a leaf */
        fresh_chain(false, true);
        start();
        puppet *liar = play(liar_of(foreign_claim(other), right));
        for (int i = 0; i < blocks; i++)
            block();
        liar->silent = true;
        RUN_UNTIL(chain->convictions);
        check_won();
        assert_non_null(strstr(sim_host_lines(host), "timeout"));
        teardown(NULL);
    }
}

static void test_share_and_bond(void **state)
{
    (void)state;
    fresh_chain(false, true);
    config.check_share = 0;
    start();
    foreign_claim(other);
    for (int i = 0; i < 10; i++)
        block();
    assert_int_equal(chain->challenges, 0);
    assert_null(strstr(sim_host_lines(host), "checked"));
    teardown(NULL);
    fresh_chain(false, true);
    config.max_bond = lks_u256_from_u64(SIM_MIN_BOND - 1);
    start();
    foreign_claim(other);
    for (int i = 0; i < 10; i++)
        block();
    assert_int_equal(chain->challenges, 0);
    assert_non_null(strstr(sim_host_lines(host), "above max_bond_wei"));
}

/* A claim out of our share, right in its tokens; somebody else's challenge opens a trace that is
 * wrong. */
static void test_opened_root(void **state)
{
    (void)state;
    fresh_chain(false, true);
    config.check_share = 0;
    start();
    size_t r = foreign_claim(right);
    puppet accuser = accuser_of(r, 0x31);
    play(liar_of(r, other));
    puppet_challenge(&accuser);
    puppet_free(&accuser);
    RUN_UNTIL(chain->convictions);
    assert_int_equal(chain->challenges, 2);
    assert_non_null(strstr(sim_host_lines(host), "the trace that its operator opened is wrong"));
}

/* The answer to another's dispute opens the trace for ours too, which the contract writes down only
 * when it moves: ours goes on. */
static void test_rival(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    size_t r = foreign_claim(other);
    puppet rival = accuser_of(r, 0x31);
    puppet *liar = play(liar_of(r, right));
    liar->silent = true;
    puppet_challenge(&rival);
    puppet_free(&rival);
    RUN_UNTIL(chain->challenges == 2);
    assert_memory_equal(chain->disputes[0].terms.challenger, rival.address, 20);
    liar->silent = false;
    RUN_UNTIL(chain->convictions);
    assert_true(chain->answers > 1);
    RUN_UNTIL(open_claims() == 0);
}

/* Both roles: a claim of our own is not disputed, wrong as it is. */
static lks_err run_wrongly(const lks_served *served, const uint32_t *prompt, size_t prompt_count,
                           const lks_policy *policy, uint32_t max_tokens,
                           const lks_generate_options *o, uint32_t *tokens, uint32_t *count)
{
    lks_err err =
        lks_generate(served->model, prompt, prompt_count, policy, max_tokens, o, tokens, count);
    if (*count > 2)
        tokens[2] = (tokens[2] + 1) % served->vocab_size;
    return err;
}

static void test_own_claim(void **state)
{
    (void)state;
    fresh_chain(true, true);
    lks_run_fn run = models.run;
    models.run = run_wrongly;
    start();
    lks_request t = terms();
    t.window = 30;
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    assert_int_equal(chain->challenges, 0);
    models.run = run;
}

/* ---- operator ---- */

/* A wrong answer is not claimed where the stake is worth a second run; when the machine is right
 * again, the answer is. */
static void test_recheck(void **state)
{
    (void)state;
    fresh_chain(true, false);
    lks_run_fn run = models.run;
    models.run = run_wrongly;
    lks_request t = terms();
    config.recheck_stake = t.stake;
    start();
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(strstr(sim_host_lines(host), "a second run gives another token 2"));
    assert_int_equal(chain->claims, 0);
    models.run = run;
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    uint32_t claimed[TOKENS];
    assert_int_equal(chain->requests[r].seats[0].tokens.len, sizeof claimed);
    DO(lks_tokens_unpack(claimed, chain->requests[r].seats[0].tokens.data, sizeof claimed));
    assert_memory_equal(claimed, right, sizeof right);
}

static void test_false_challenges(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    puppet_challenge(play(accuser_of(r, 0x31)));
    block();
    puppet_challenge(play(accuser_of(r, 0x32)));
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(2);
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->withdrawals, 1);
}

/* The settlement waits for a dispute that is open beyond the window. */
static void test_finality_waits(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    lks_request t = terms();
    t.window = 30;
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(chain->requests[r].status == LKS_REQUEST_CLAIMED);
    puppet a = accuser_of(r, 0x31);
    puppet_challenge(&a);
    puppet_free(&a);
    for (int i = 0; i < 60; i++)
        block();
    assert_int_equal(job_of(r).state, LKS_JOB_CLAIMED);
    assert_null(strstr(sim_host_lines(host), "finalize must wait"));
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
}

/* More claims than could be defended in time, were all of them disputed: the second request waits.
 */
static void test_refuses_traces(void **state)
{
    (void)state;
    fresh_chain(true, false);
    chain->floor = 1;
    start();
    own_claim();
    know_cost(&op.costs[0].of[LKS_RUN_TRACE],
              10000); /* of 11 positions, three passes: 330 of 533 ms */
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    for (int i = 0; i < 10; i++)
        block();
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN);
    assert_non_null(strstr(sim_host_lines(host), "could not be defended in time"));
}

/* ---- through everything ---- */

static void test_restarts(void **state)
{
    (void)state;
    for (int defends = 0; defends < 2; defends++)
        for (int period = 1; period <= 3; period++) {
            fresh_chain(defends, !defends);
            start();
            size_t r = defends ? own_claim() : foreign_claim(other);
            puppet *p = play(defends ? accuser_of(r, 0x31) : liar_of(r, right));
            if (defends)
                puppet_challenge(p);
            for (int i = 0; i < 600 && chain->convictions + chain->finals == 0; i++) {
                block();
                if (i % period == 0)
                    restart();
            }
            if (defends)
                check_defended(1);
            else
                check_won();
            teardown(NULL);
        }
}

/* A re-org at each height of the game, which takes the last blocks' moves of both sides away, kept
 * by the node or lost. */
static void test_reorgs(void **state)
{
    (void)state;
    size_t done = 0;
    for (int defends = 0; defends < 2; defends++)
        for (int height = 1; height <= 16; height += 3)
            for (int how = 0; how < 4; how++) {
                fresh_chain(defends, !defends);
                start();
                size_t r = defends ? own_claim() : foreign_claim(other);
                puppet *p = play(defends ? accuser_of(r, 0x31) : liar_of(r, right));
                if (defends)
                    puppet_challenge(p);
                for (int i = 0; i < height; i++)
                    block();
                sim_reorg(chain, how & 2 ? 2 : 1, true, how & 1);
                for (int i = 0; i < 600 && chain->convictions + chain->finals == 0; i++)
                    block();
                bool challenged =
                    chain->challenges == 1 ||
                    (defends &&
                     chain->challenges == 0); /* it goes when it comes back before the claim */
                if (chain->convictions != (defends ? 0 : 1) || chain->finals != (defends ? 1 : 0) ||
                    !challenged)
                    fail_msg(
                        "height %d, how %d: %zu convictions, %zu final, %zu challenges; log:\n%s",
                        height, how, chain->convictions, chain->finals, chain->challenges,
                        end_of_log());
                done++;
                teardown(NULL);
            }
    print_message("%zu re-orgs\n", done);
}

#ifdef LKS_FEWER_CASES
enum {
    CALLS_APART = 9
};
#else
enum {
    CALLS_APART = 3
};
#endif

/* The connection is lost at the n-th call of the plugin, and so is the process; then both come
 * back. */
static void test_crashes(void **state)
{
    (void)state;
    size_t crashes = 0;
    uint64_t calls = 400;
    for (uint64_t n = 20; n < calls; n += CALLS_APART) {
        fresh_chain(false, true);
        start();
        play(liar_of(foreign_claim(other), right));
        uint64_t begun = chain->calls;
        for (int i = 0; i < 100 && chain->calls < begun + n && !chain->convictions; i++)
            block();
        if (chain->convictions)
            calls = 0;
        chain->fail_from = chain->calls + 1 + n % 5;
        chain->fail_after_doing = n % 2;
        sim_mine(chain, 1);
        take_turns();
        halt();
        chain->fail_from = 0;
        start();
        RUN_UNTIL(chain->convictions);
        check_won();
        crashes++;
        teardown(NULL);
    }
    print_message("%zu crashes\n", crashes);
    assert_true(crashes > 30 / CALLS_APART);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_right_claim),    TEST(test_wrong_token),
        TEST(test_wrong_trace),    TEST(test_silent_operator),
        TEST(test_share_and_bond), TEST(test_opened_root),
        TEST(test_rival),          TEST(test_own_claim),
        TEST(test_recheck),        TEST(test_false_challenges),
        TEST(test_finality_waits), TEST(test_refuses_traces),
        TEST(test_restarts),       TEST(test_reorgs),
        TEST(test_crashes),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
