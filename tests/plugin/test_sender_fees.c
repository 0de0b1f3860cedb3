/* What the sender pays on a simulated chain: replacements, ceilings, deadlines, cancellations. */
#include "tests/plugin/sender_fixture.h"

static void test_ceiling(void **state)
{
    (void)state;
    lks_store_tx tx;
    uint64_t ceiling = UINT64_C(3000000000);
    make_sender(ceiling, ceiling);
    DO(accept_until(UINT64_MAX));
    chain->base_fee = UINT64_C(50000000000);
    for (int i = 0; i < 40; i++) {
        sim_mine(chain, 1);
        tend();
        assert_true(pooled()->t.max_fee.w[0] <= ceiling &&
                    pooled()->t.max_priority_fee.w[0] <= pooled()->t.max_fee.w[0]);
    }
    assert_int_equal(live_count(&tx), 1);
    assert_in_range(versions(&tx), 2, LKS_FEES_STEPS + 1);
    chain->base_fee = UINT64_C(1000000000);
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
}

static void test_overdue_is_canceled(void **state)
{
    (void)state;
    lks_store_tx tx;
    DO(accept_until(now().time + 2));
    chain->base_fee *= 10;
    sim_mine(chain, 1); /* in a hurry: replaced after one block */
    tend();
    assert_int_equal(live_count(&tx), 1);
    assert_int_equal(versions(&tx), 2);
    chain->base_fee *= 10;
    sim_mine(chain, 3);
    tend();
    assert_int_equal(live_count(&tx), 1);
    assert_true(tx.canceled && pooled()->t.data_len == 0);
    assert_memory_equal(pooled()->t.to, lks_signer_address(signer), 20);
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accounts->nonce == 1 && chain->accepts == 0);
}

/* A deadline is over, the fee at its ceiling and the market above it: the cancellation may cost
 * more than the ceiling, since everything else of the account waits behind it. */
static void test_cancellation_exceeds_ceiling(void **state)
{
    (void)state;
    lks_store_tx tx;
    uint64_t ceiling = UINT64_C(3000000000);
    make_sender(ceiling, ceiling);
    DO(accept_until(now().time + 20));
    chain->base_fee = 4 * ceiling;
    for (int i = 0; i < 18; i++) {
        sim_mine(chain, 1);
        tend();
        assert_true(pooled()->t.max_fee.w[0] <= ceiling);
    }
    assert_int_equal(live_count(&tx), 1);
    assert_false(tx.canceled);
    for (int i = 0; i < 20 && live_count(NULL); i++) {
        sim_mine(chain, 1);
        tend();
        assert_true(!pooled() || pooled()->t.max_fee.w[0] <= LKS_FEES_MOST * ceiling);
    }
    assert_true(live_count(NULL) == 0 && chain->accounts->nonce == 1 && chain->accepts == 0);
}

/* The priority fee's ceiling alone does not stop a replacement. */
static void test_priority_ceiling(void **state)
{
    (void)state;
    DO(accept_until(UINT64_MAX));
    sender.ceilings.max_priority_fee = lks_u256_from_u64(pooled()->t.max_priority_fee.w[0]);
    chain->base_fee = 5 * pooled()->t.max_fee.w[0];
    sim_mine(chain, LKS_SENDER_PATIENCE);
    tend();
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
}

/* ---- what presses ---- */

/* Blocks until none is live or the time is over; no version goes over a ceiling of wei per gas. */
static void push_until(uint64_t time, uint64_t most)
{
    while (live_count(NULL) && now().time < time) {
        sim_mine(chain, 1);
        tend();
        for (uint64_t nonce = 0; nonce < 4; nonce++)
            if (pooled_at(nonce))
                assert_true(pooled_at(nonce)->t.max_fee.w[0] <= most);
    }
}

/* A first version leaves room for replacements, also where the node suggests as much as is
 * allowed. */
static void test_room(void **state)
{
    (void)state;
    make_sender(500 * GWEI, 10 * GWEI);
    chain->priority = 12 * GWEI;
    DO(accept_until(UINT64_MAX));
    assert_true(pooled()->t.max_priority_fee.w[0] < 4 * GWEI);
    chain->least_priority = 9 * GWEI;
    push_until(now().time + 10, 500 * GWEI);
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
}

/* A deadline comes near, and the market is far above the ceiling: the ceiling rises, no further
 * than it must, and the transaction gets in. */
static void test_pressing(void **state)
{
    (void)state;
    make_sender(500 * GWEI, 10 * GWEI);
    chain->period = 20;
    uint64_t deadline = now().time + LKS_FEES_PRESSING + 300;
    const uint64_t worth = SIM_TX_GAS * 3000 * GWEI;
    DO(send_other(LKS_ACTION_CLAIM, deadline, worth));
    chain->base_fee = 2000 * GWEI;
    while (now().time + LKS_FEES_PRESSING < deadline) {
        sim_mine(chain, 1);
        tend();
        assert_true(pooled()->t.max_fee.w[0] <= 500 * GWEI);
    }
    push_until(deadline, 3000 * GWEI);
    assert_int_equal(live_count(NULL), 0);
    assert_true(chain->accounts->nonce == 1 && now().time < deadline);
    lks_u256 most = lks_u256_from_u64(worth);
    assert_true(lks_u256_cmp(&chain->accounts->fees, &most) <= 0);
}

/* What is not worth it is not paid. */
static void test_not_worth_it(void **state)
{
    (void)state;
    make_sender(500 * GWEI, 10 * GWEI);
    chain->period = 20;
    uint64_t deadline = now().time + LKS_FEES_PRESSING;
    DO(send_other(LKS_ACTION_CLAIM, deadline, SIM_TX_GAS * 600 * GWEI));
    chain->base_fee = 900 * GWEI;
    push_until(deadline, 600 * GWEI);
    assert_int_equal(live_count(NULL), 1);
    assert_true(pooled()->t.max_fee.w[0] > 500 * GWEI);
    push_until(deadline + 1000, LKS_FEES_MOST * 500 * GWEI); /* canceled */
    assert_true(live_count(NULL) == 0 && chain->accounts->nonce == 1);
    lks_u256 most = lks_u256_from_u64(SIM_EMPTY_GAS * 4000 * GWEI);
    assert_true(lks_u256_cmp(&chain->accounts->fees, &most) <= 0);
}

/* What stands before one that presses has no deadline of its own: it gets in as well. */
static void test_queue_before_pressing(void **state)
{
    (void)state;
    make_sender(500 * GWEI, 10 * GWEI);
    chain->period = 20;
    DO(accept_until(UINT64_MAX));
    DO(send_other(LKS_ACTION_COMMIT, UINT64_MAX, 0));
    uint64_t deadline = now().time + LKS_FEES_PRESSING;
    DO(send_other(LKS_ACTION_CLAIM, deadline, SIM_TX_GAS * 3000 * GWEI));
    DO(send_other(LKS_ACTION_FINALIZE, UINT64_MAX, 0)); /* behind it: not at that price */
    chain->base_fee = 2000 * GWEI;
    while (chain->accounts->nonce < 3 && now().time < deadline) {
        sim_mine(chain, 1);
        tend();
        assert_true(pooled_at(3)->t.max_fee.w[0] <= 500 * GWEI);
    }
    assert_true(chain->accounts->nonce == 3 && now().time < deadline);
    lks_u256 most = lks_u256_from_u64(3 * SIM_TX_GAS * 3000 * GWEI);
    assert_true(lks_u256_cmp(&chain->accounts->fees, &most) <= 0);
}

/* What is to be canceled stands before one that presses. */
static void test_canceled_before_pressing(void **state)
{
    (void)state;
    make_sender(500 * GWEI, 10 * GWEI);
    chain->period = 20;
    DO(send_other(LKS_ACTION_COMMIT, now().time + 60, 0));
    uint64_t deadline = now().time + LKS_FEES_PRESSING;
    DO(send_other(LKS_ACTION_CLAIM, deadline, SIM_TX_GAS * 3000 * GWEI));
    chain->base_fee = 2000 * GWEI;
    push_until(deadline, 4000 * GWEI);
    assert_true(live_count(NULL) == 0 && now().time < deadline && chain->accounts->nonce == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_ceiling),
        TEST(test_overdue_is_canceled),
        TEST(test_cancellation_exceeds_ceiling),
        TEST(test_priority_ceiling),
        TEST(test_room),
        TEST(test_pressing),
        TEST(test_not_worth_it),
        TEST(test_queue_before_pressing),
        TEST(test_canceled_before_pressing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
