/* Money that the contracts owe us is brought home, also where the node left out events. */
#include "tests/plugin/disputes_fixture.h"
#include "tests/plugin/sim_game.h"

#include <stdlib.h>

static const uint8_t stranger[20] = {0x31};

static const sim_block *newest(void)
{
    return &chain->blocks[chain->block_count - 1];
}

/* How a claim ends without our doing. */
typedef enum ending {
    CONVICTED,
    VOIDED,
    REFUNDED,
    ENDINGS
} ending;

/* In the newest block. */
static void end_claim(size_t request, ending how)
{
    sim_request *q = &chain->requests[request];
    const uint64_t fee = 1;
    if (how == CONVICTED) {
        sim_do_convict(chain, q, 0, stranger, newest());
        return;
    }
    q->seats[0].status = LKS_SEAT_EMPTY;
    if (how == VOIDED)
        sim_log_word(sim_log_of(chain, newest(), LKS_EVENT_VOIDED, q->id), q->seats[0].name);
    else
        sim_log_numbers(sim_log_of(chain, newest(), LKS_EVENT_REFUNDED, q->id), 1, &fee);
}

static void check_reclaimed(void)
{
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->reclaims, 1);
    assert_int_equal(chain->withdrawals, 1);
    assert_true(lks_u256_is_zero(&chain->accounts->credit));
}

/* The event that says that a claim is disputed, of our own dispute, never reaches us. The bond
 * comes back all the same. */
static void test_lost_dispute_event(void **state)
{
    (void)state;
    for (ending how = CONVICTED; how < ENDINGS; how++) {
        fresh_chain(false, true);
        chain->loses_disputed = true;
        start();
        size_t r = foreign_claim(other);
        RUN_UNTIL(chain->challenges == 1);
        sim_mine(chain, 1);
        end_claim(r, how);
        take_turns();
        check_reclaimed();
        teardown(NULL);
    }
}

/* The same, and the database that knew of our dispute is lost: a claim that was convicted or voided
 * may have had one. */
static void test_lost_dispute_event_and_database(void **state)
{
    (void)state;
    char command[160];
    for (ending how = CONVICTED; how < REFUNDED; how++) {
        fresh_chain(false, true);
        chain->loses_disputed = true;
        start();
        size_t r = foreign_claim(other);
        RUN_UNTIL(chain->challenges == 1);
        halt();
        snprintf(command, sizeof command, "rm -f %s*", config.database);
        assert_int_equal(system(command), 0);
        sim_mine(chain, 1);
        end_claim(r, how);
        sim_mine(chain, 1);
        start();
        RUN_UNTIL(chain->reclaims);
        check_reclaimed();
        teardown(NULL);
    }
}

/* A dispute about a claim beside ours, whose sides are both gone, keeps our stake locked until
 * somebody ends it. */
static void test_deserted_dispute_beside_ours(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        bool opens = how > 0;
        fresh_chain(true, false);
        chain->loses_disputed = how == 2;
        start();
        size_t r = claim_beside(right);
        puppet honest = liar_of(r, right), accuser = accuser_of(r, 0x31);
        honest.seat = accuser.seat = 1;
        honest.silent = !opens;
        puppet *defender = play(honest);
        puppet_challenge(&accuser);
        for (int i = 0; i < 5; i++)
            block();
        assert_int_equal(chain->requests[r].seats[1].is_open, opens);
        defender->silent = true;
        for (int i = 0; i < 900 && job_of(r).state != LKS_JOB_FINAL; i++)
            block();
        assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
        assert_int_equal(chain->convictions, !opens);
        assert_int_equal(chain->lost, opens);
        assert_true(lks_u256_is_zero(&chain->accounts->locked));
        puppet_free(&accuser);
        teardown(NULL);
    }
}

/* A dispute of ours would take too much of a bond; the liar is silent about somebody else's, whose
 * challenger is gone. */
static void test_silent_liar(void **state)
{
    (void)state;
    fresh_chain(false, true);
    config.max_bond = lks_u256_from_u64(1);
    start();
    size_t r = foreign_claim(other);
    puppet accuser = accuser_of(r, 0x31);
    puppet_challenge(&accuser);
    puppet_free(&accuser);
    for (int i = 0; i < 900 && chain->convictions == 0; i++)
        block();
    assert_int_equal(chain->convictions, 1);
    assert_int_equal(chain->challenges, 1);
}

/* An amount in wei: milli thousandths of an ether. */
static lks_u256 ether(uint64_t milli)
{
    lks_u256 wei = lks_u256_from_u64(UINT64_C(1000000000000000));
    lks_u256_mul_u64(&wei, &wei, milli);
    return wei;
}

/* Runs for some hundred blocks with such credit in the oracle and in the game. Out: what of the
 * first is left. Returns: transactions that this took. */
static size_t collect(uint64_t milli, lks_u256 *left)
{
    start();
    lks_request t = terms();
    t.window = 10;
    size_t r = sim_ask(chain, &t, PROMPT);
    RUN_UNTIL(job_of(r).state == LKS_JOB_FINAL);
    chain->accounts->credit = chain->accounts->reward = ether(milli);
    size_t sends = chain->sends;
    for (int i = 0; i < 140; i++)
        block();
    *left = chain->accounts->reward;
    return chain->sends - sends;
}

/* Fees and other credit are withdrawn when they are a sum: by what a withdrawal costs, 0.000066
 * ether here, or by the configured amount. */
static void test_credit_is_collected(void **state)
{
    (void)state;
    static const struct {
        uint64_t above, milli; /* configured, 0: not; of each credit */
        bool collected;
    } cases[] = {{0, 6, false}, {0, 7, true}, {20, 20, false}, {20, 21, true}, {1, 2, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lks_u256 left, all = ether(cases[i].milli);
        fresh_chain(true, false);
        config.withdraws_above = cases[i].above != 0;
        config.withdraw_above = ether(cases[i].above);
        assert_int_equal(collect(cases[i].milli, &left), cases[i].collected ? 2 : 0);
        assert_int_equal(chain->reverts, 0);
        assert_int_equal(chain->withdrawals, cases[i].collected);
        assert_true(cases[i].collected ? lks_u256_is_zero(&left) : lks_u256_cmp(&left, &all) == 0);
        teardown(NULL);
    }
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_lost_dispute_event),           TEST(test_lost_dispute_event_and_database),
        TEST(test_deserted_dispute_beside_ours), TEST(test_silent_liar),
        TEST(test_credit_is_collected),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
