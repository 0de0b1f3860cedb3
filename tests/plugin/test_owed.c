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
typedef enum ending { CONVICTED, VOIDED, REFUNDED, ENDINGS } ending;

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

static void lose_log(void)
{
    lks_buf_free(&chain->logs[--chain->log_count].data);
}

static void check_reclaimed(void)
{
    RUN_UNTIL(open_claims() == 0);
    assert_int_equal(chain->reclaims, 1);
    assert_int_equal(chain->withdrawals, 1);
    assert_true(lks_u256_is_zero(&chain->accounts->credit));
}

/* The event that says that a claim is disputed, of our own dispute, never reaches us. The bond comes
 * back all the same. */
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

/* Neither that nor the end of the claim is ever said: the contract's own word is believed. */
static void test_lost_end(void **state)
{
    (void)state;
    fresh_chain(false, true);
    chain->loses_disputed = true;
    start();
    size_t r = foreign_claim(other);
    RUN_UNTIL(chain->challenges == 1);
    sim_mine(chain, 1);
    end_claim(r, CONVICTED);
    lose_log(); /* Reopened */
    lose_log(); /* Convicted */
    take_turns();
    check_reclaimed();
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_teardown(f, no_teardown)
        TEST(test_lost_dispute_event),
        TEST(test_lost_dispute_event_and_database),
        TEST(test_lost_end),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
