/* What the account has begun goes on whatever the configuration says, or the plugin refuses to
 * start. */
#include "tests/plugin/disputes_fixture.h"

static void set_roles(bool is_operator, bool is_challenger)
{
    config.is_operator = config.policy.accept = is_operator;
    config.is_challenger = is_challenger;
    config.policy.drains = false;
}

static void drain(void)
{
    config.policy.accept = false;
    config.policy.drains = true;
}

static bool logged(const char *text)
{
    return strstr(sim_host_lines(host), text) != NULL;
}

/* A second opening of the database that the test's plugin has just left. */
static void expect_refusal(const char *first, const char *second)
{
    lks_operator refused;
    lks_inbox *in = NULL;
    lks_node *node = NULL;
    halt();
    DO(lks_inbox_new(&in, 10, 1 << 20));
    DO(lks_node_new(&node, sim_host_api(host), 5000));
    lks_err err =
        lks_operator_open(&refused, sim_host_api(host), &config, &models, in, node, op.signer);
    if (err != LKS_REFUSED || !strstr(lks_error_message(), first) ||
        !strstr(lks_error_message(), second))
        fail_msg("%s: %s", lks_err_name(err), lks_error_message());
    lks_node_free(node);
    lks_inbox_free(in);
}

/* The role of the operator is taken away while a claim is open, and then it is disputed. */
static void test_challenger_defends_own_claim(void **state)
{
    (void)state;
    fresh_chain(true, false);
    start();
    size_t r = own_claim();
    set_roles(false, true);
    restart();
    puppet_challenge(play(accuser_of(r, 0x31)));
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->withdrawals, 1);
    assert_true(lks_u256_is_zero(&chain->accounts->locked));
    assert_true(logged("still open: 1 claim of ours (0x"));
    assert_true(logged("nothing of ours is open any more"));
}

/* A model that gives no answer until it is allowed to. */
static atomic_bool may_answer;
static lks_run_fn answer;

static lks_err answer_when_allowed(const lks_served *served, const uint32_t *prompt, size_t count,
                                   const lks_policy *policy, uint32_t max_tokens,
                                   const lks_generate_options *o, uint32_t *tokens, uint32_t *made)
{
    if (!atomic_load(&may_answer) && max_tokens == TOKENS)
        return lks_fail(LKS_NOMEM, "not yet");
    return answer(served, prompt, count, policy, max_tokens, o, tokens, made);
}

/* Accepted requests are answered, claimed and made final in every role; no other is taken. */
static void test_accepted_is_claimed(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        fresh_chain(true, false);
        atomic_store(&may_answer, false);
        answer = models.run;
        models.run = answer_when_allowed;
        start();
        lks_request t = terms();
        size_t r = sim_ask(chain, &t, PROMPT);
        RUN_UNTIL(job_of(r).state == LKS_JOB_ACCEPTED);
        if (how)
            set_roles(false, true);
        else
            drain();
        restart();
        size_t later = sim_ask(chain, &t, PROMPT);
        for (int i = 0; i < 5; i++)
            block();
        assert_true(logged("still open: 1 accepted request (0x"));
        assert_int_equal(job_of(later).state, how ? LKS_JOB_DROPPED : LKS_JOB_SEEN);
        atomic_store(&may_answer, true);
        RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
        RUN_UNTIL(logged("nothing of ours is open any more"));
        assert_true(chain->accepts == 1 && chain->claims == 1 && chain->finals == 1);
        models.run = answer;
        teardown(NULL);
    }
}

/* What was asked while the plugin took nothing can be taken afterwards, or its time is over. */
static void test_waits_while_draining(void **state)
{
    (void)state;
    fresh_chain(true, false);
    drain();
    start();
    lks_request t = terms();
    size_t r = sim_ask(chain, &t, PROMPT);
    t.accept_deadline = sim_terms(chain).accept_deadline;
    size_t shorter = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(job_of(shorter).state == LKS_JOB_DROPPED);
    assert_int_equal(job_of(shorter).dropped, LKS_DROP_EXPIRED);
    assert_true(job_of(r).state == LKS_JOB_SEEN && chain->accepts == 0);
    assert_true(logged("nothing of ours is open any more"));
    set_roles(true, false);
    restart();
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    assert_int_equal(chain->accepts, 1);
}

/* Without the role of the challenger a dispute of our own is still played to its end, and the bond
 * comes home; nothing new is checked. */
static void test_own_dispute_goes_on(void **state)
{
    (void)state;
    fresh_chain(false, true);
    start();
    size_t r = foreign_claim(other);
    play(liar_of(r, right));
    RUN_UNTIL(chain->answers >= 2);
    set_roles(true, false);
    restart();
    RUN_UNTIL(chain->convictions);
    check_won();
    RUN_UNTIL(open_claims() == 0);
    assert_true(chain->reclaims == 1 && chain->withdrawals == 1);
    foreign_claim(other);
    for (int i = 0; i < 10; i++)
        block();
    assert_int_equal(chain->challenges, 1);
}

/* A model goes out of the configuration while it is needed, for each of the three reasons. */
static void test_model_is_needed(void **state)
{
    (void)state;
    static const char *const what[] = {"1 accepted request (0x", "1 claim of ours (0x",
                                       "1 claim that we dispute (0x"};
    for (int how = 0; how < 3; how++) {
        fresh_chain(how < 2, how == 2);
        answer = models.run;
        atomic_store(&may_answer, how > 0);
        models.run = answer_when_allowed;
        start();
        lks_request t = terms();
        if (how < 2) {
            size_t r = sim_ask(chain, &t, PROMPT);
            RUN_UNTIL(job_of(r).state == (how ? LKS_JOB_CLAIMED : LKS_JOB_ACCEPTED));
        } else {
            play(liar_of(foreign_claim(other), right));
            RUN_UNTIL(chain->challenges);
        }
        models.items[0].model_id[5] ^= 1;
        expect_refusal("put its file back into \"models\"", what[how]);
        models.items[0].model_id[5] ^= 1;
        start();
        atomic_store(&may_answer, true);
        RUN_UNTIL(open_claims() == 0 && chain->finals + chain->convictions);
        models.items[0].model_id[5] ^= 1; /* nothing needs it any more */
        restart();
        models.items[0].model_id[5] ^= 1;
        models.run = answer;
        teardown(NULL);
    }
}

/* So does the dispute game. */
static void test_game_is_needed(void **state)
{
    (void)state;
    uint8_t game[20];
    fresh_chain(true, false);
    start();
    own_claim();
    memcpy(game, config.game, 20);
    memset(config.game, 0, 20);
    restart();
    assert_int_equal(lks_preflight_game(&op), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "1 claim of ours (0x"));
    assert_non_null(strstr(lks_error_message(), "put it into the configuration as contracts.game"));
    memcpy(config.game, game, 20);
    restart();
    DO(lks_preflight_game(&op));
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_challenger_defends_own_claim),
        TEST(test_accepted_is_claimed),
        TEST(test_waits_while_draining),
        TEST(test_own_dispute_goes_on),
        TEST(test_model_is_needed),
        TEST(test_game_is_needed),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
