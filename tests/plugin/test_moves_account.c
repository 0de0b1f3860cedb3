/* The second account, which defends claims: what jams the first one does not reach it. */
#include "tests/plugin/disputes_fixture.h"

#include "chain/address.h"
#include "chain/hex.h"

#include <stdio.h>
#include <string.h>

static lks_signer *second;

static int make_second(void **state)
{
    uint8_t key[32] = {[31] = 9};
    DO(lks_signer_new(&second, key));
    return make_all(state);
}

static int free_second(void **state)
{
    lks_signer_free(second);
    return free_all(state);
}

/* Returns: the sim's second account, an agent of the operator. */
static sim_account *begin(bool with_second, uint8_t roles)
{
    fresh_chain(true, false);
    sim_account *agent = sim_add_account(chain, lks_signer_address(second));
    memcpy(agent->operator_address, chain->accounts[0].address, 20);
    agent->agent_roles = roles;
    moves_signer = with_second ? second : NULL;
    start();
    return agent;
}

static unsigned simulated; /* transactions of the second account that the node was asked about */

static bool count_simulated(void *user, const char *method, const char *params, lks_buf *answer,
                            lks_err *err)
{
    char from[16 + LKS_ADDRESS_SIZE], text[LKS_HEX_SIZE(20)];
    (void)user, (void)answer, (void)err;
    lks_hex_encode(text, lks_signer_address(second), 20);
    snprintf(from, sizeof from, "\"from\":\"%s\"", text);
    if (!strcmp(method, "eth_estimateGas") && strstr(params, from))
        simulated++;
    return false;
}

/* A claim, and then nothing of the first account gets into a block while it is disputed. */
static size_t jam_and_dispute(void)
{
    size_t r = own_claim();
    chain->accounts[0].jammed = true;
    puppet_challenge(play(accuser_of(r, 0x31)));
    return r;
}

static void test_jammed(void **state)
{
    (void)state;
    sim_account *agent = begin(true, LKS_AGENT_DISPUTES);
    size_t r = jam_and_dispute();
    RUN_UNTIL(chain->lost == 1);
    chain->accounts[0].jammed = false;
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
    RUN_UNTIL(open_claims() == 0);
    /* It is repaid, and keeps it for the next time. */
    assert_true(agent->nonce > 0 && lks_u256_is_zero(&agent->credit));
    assert_false(lks_u256_is_zero(&agent->earned));
}

/* The same without it: no answer gets in before the clock has run out. */
static void test_jammed_alone(void **state)
{
    (void)state;
    begin(false, LKS_AGENT_DISPUTES);
    jam_and_dispute();
    for (uint32_t i = 0; i < chain->budget + 5; i++)
        block();
    assert_true(chain->answers == 0 && chain->lost == 0);
}

/* It has no ether, or loses it on the way: the first account makes the moves. */
static void test_no_ether(void **state)
{
    (void)state;
    for (int moves = 0; moves < 2; moves++) {
        sim_account *agent = begin(true, LKS_AGENT_DISPUTES);
        size_t r = own_claim();
        if (moves == 0)
            agent->balance = lks_u256_from_u64(1000);
        puppet_challenge(play(accuser_of(r, 0x31)));
        if (moves)
            RUN_UNTIL(agent->nonce > 0);
        agent->balance = lks_u256_from_u64(1000);
        RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
        check_defended(1);
        assert_non_null(strstr(sim_host_lines(host),
                               "the other account makes the moves meanwhile"));
        teardown(NULL);
    }
}

/* The node forgets a move, which then cannot be paid for any more. */
static void test_no_ether_any_more(void **state)
{
    (void)state;
    sim_account *agent = begin(true, LKS_AGENT_DISPUTES);
    size_t r = own_claim();
    agent->jammed = true;
    puppet_challenge(play(accuser_of(r, 0x31)));
    for (int i = 0; i < 4; i++)
        block();
    agent->balance = lks_u256_from_u64(1000);
    sim_forget_pool(chain);
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
    assert_int_equal(agent->nonce, 0);
}

/* It is no agent, or no longer: said, and done without. */
static void test_no_agent(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        sim_account *agent = begin(true, later ? LKS_AGENT_DISPUTES : LKS_AGENT_CLAIMS);
        size_t r = own_claim();
        agent->agent_roles = 0;
        simulated = 0;
        chain->lie = count_simulated;
        puppet_challenge(play(accuser_of(r, 0x31)));
        RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
        check_defended(1);
        assert_int_equal(simulated > 0, later);
        if (!later)
            assert_non_null(strstr(sim_host_lines(host), "is no agent for disputes"));
        teardown(NULL);
    }
}

/* Disputes of our own are the first account's, which opened them. */
static void test_own_dispute(void **state)
{
    (void)state;
    fresh_chain(false, true);
    sim_account *agent = sim_add_account(chain, lks_signer_address(second));
    memcpy(agent->operator_address, chain->accounts[0].address, 20);
    agent->agent_roles = LKS_AGENT_DISPUTES;
    moves_signer = second;
    start();
    simulated = 0;
    chain->lie = count_simulated;
    play(liar_of(foreign_claim(other), right));
    RUN_UNTIL(chain->convictions);
    check_won();
    assert_int_equal(simulated, 0);
    assert_int_equal(agent->nonce, 0);
}

/* The account is taken out of the configuration while a move of it is on its way. */
static void test_taken_away(void **state)
{
    (void)state;
    sim_account *agent = begin(true, LKS_AGENT_DISPUTES);
    size_t r = own_claim();
    agent->jammed = true;
    puppet_challenge(play(accuser_of(r, 0x31)));
    for (int i = 0; i < 4; i++)
        block();
    lks_store_txs live = {0};
    DO(lks_store_txs_live(op.store, agent->address, &live));
    assert_int_equal(live.count, 1);
    lks_store_txs_free(&live);
    moves_signer = NULL;
    restart();
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    check_defended(1);
    DO(lks_store_txs_live(op.store, agent->address, &live));
    assert_int_equal(live.count, 0);
    lks_store_txs_free(&live);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_jammed),      TEST(test_jammed_alone),
        TEST(test_no_ether),    TEST(test_no_ether_any_more),
        TEST(test_no_agent),    TEST(test_taken_away),
        TEST(test_own_dispute),
    };
    return cmocka_run_group_tests(tests, make_second, free_second);
}
