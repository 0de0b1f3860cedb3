/* What transactions may pay. */
#include "plugin/fees.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GWEI UINT64_C(1000000000)
#define ETHER (GWEI * GWEI)
#define NOW UINT64_C(1700000000)

static const lks_tx_fees configured = {{{500 * GWEI}}, {{10 * GWEI}}};

static lks_eth_fees suggest(uint64_t base_gwei, uint64_t tip_gwei)
{
    return (lks_eth_fees){.base_fee = lks_u256_from_u64(base_gwei * GWEI),
                          .max_priority_fee = lks_u256_from_u64(tip_gwei * GWEI),
                          .max_fee = lks_u256_from_u64((2 * base_gwei + tip_gwei) * GWEI)};
}

static uint64_t ceiling(uint64_t seconds_left, uint64_t worth, uint64_t gas)
{
    lks_u256 w = lks_u256_from_u64(worth);
    lks_tx_fees c = lks_fees_ceilings(&configured, NOW + seconds_left, NOW, &w, gas);
    assert_true(lks_u256_cmp(&c.max_priority_fee, &c.max_fee) <= 0);
    return c.max_fee.w[0];
}

static void test_ceilings(void **state)
{
    (void)state;
    assert_true(ceiling(LKS_FEES_PRESSING, ETHER, 100000) == 500 * GWEI);
    assert_true(ceiling(LKS_FEES_PRESSING / 2, ETHER, 100000) == 500 * GWEI * 9 / 2);
    assert_true(ceiling(0, ETHER, 100000) == LKS_FEES_MOST * 500 * GWEI);
    uint64_t last = 0;
    for (uint64_t left = LKS_FEES_PRESSING + 1; left-- > 0;) {
        uint64_t now = ceiling(left, ETHER, 100000);
        assert_true(now >= last);
        last = now;
    }
    /* No more than it is worth; the configured ceilings it may always pay. */
    assert_true(ceiling(0, ETHER / 10, 100000) == 1000 * GWEI);
    assert_true(ceiling(0, ETHER / 1000, 100000) == 500 * GWEI);
    assert_true(ceiling(0, 0, 100000) == 500 * GWEI);
    /* None, and one that is over. */
    lks_u256 worth = lks_u256_from_u64(ETHER);
    lks_tx_fees c = lks_fees_ceilings(&configured, UINT64_MAX, NOW, &worth, 100000);
    assert_memory_equal(&c, &configured, sizeof c);
    c = lks_fees_ceilings(&configured, NOW - 1, NOW, &worth, 100000);
    assert_memory_equal(&c, &configured, sizeof c);
    c = lks_fees_of_cancellation(&configured);
    assert_true(c.max_fee.w[0] == LKS_FEES_MOST * 500 * GWEI);
    /* Ceilings without end stay without end. */
    lks_tx_fees none;
    memset(&none, 0xff, sizeof none);
    c = lks_fees_of_cancellation(&none);
    assert_memory_equal(&c, &none, sizeof c);
}

static void test_first(void **state)
{
    (void)state;
    lks_eth_fees s = suggest(20, 1);
    lks_tx_fees f = lks_fees_first(&s, &configured, false);
    assert_true(f.max_priority_fee.w[0] == GWEI && f.max_fee.w[0] == 41 * GWEI);
    s = suggest(20, 12); /* as high as its ceiling, which leaves no room */
    f = lks_fees_first(&s, &configured, true);
    assert_true(f.max_priority_fee.w[0] == 10 * GWEI);
    f = lks_fees_first(&s, &configured, false);
    for (unsigned i = 0; i < LKS_FEES_STEPS; i++)
        f.max_priority_fee = lks_fees_step(&f.max_priority_fee);
    assert_in_range(f.max_priority_fee.w[0], 10 * GWEI - 100, 10 * GWEI + 100);
    s = suggest(400, 1); /* little room, but the next block must be able to take it */
    f = lks_fees_first(&s, &configured, false);
    assert_true(f.max_fee.w[0] == 451 * GWEI);
    s = suggest(1000, 1); /* none at all */
    f = lks_fees_first(&s, &configured, false);
    assert_true(f.max_fee.w[0] == 500 * GWEI && f.max_priority_fee.w[0] == GWEI);
}

static void test_raise(void **state)
{
    (void)state;
    lks_tx_fees f = {{{41 * GWEI}}, {{GWEI}}}, before;
    lks_eth_fees s = suggest(60, 2);
    assert_true(lks_fees_raise(&f, &s, &configured)); /* straight to what is suggested now */
    assert_true(f.max_fee.w[0] == 122 * GWEI && f.max_priority_fee.w[0] == 2 * GWEI);
    f = (lks_tx_fees){{{41 * GWEI}}, {{10 * GWEI}}};
    assert_true(lks_fees_raise(&f, &s, &configured)); /* over the ceiling of the priority fee */
    assert_true(f.max_priority_fee.w[0] == 11250000001 && f.max_fee.w[0] == 122 * GWEI);
    s = suggest(1, 1);
    unsigned steps = 0;
    for (before = f; lks_fees_raise(&f, &s, &configured); before = f, steps++) {
        assert_true(10 * f.max_fee.w[0] >= 11 * before.max_fee.w[0]);
        assert_true(10 * f.max_priority_fee.w[0] >= 11 * before.max_priority_fee.w[0]);
        assert_true(f.max_fee.w[0] <= 500 * GWEI);
    }
    assert_memory_equal(&f, &before, sizeof f);
    assert_in_range(steps, 8, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ceilings),
                                       cmocka_unit_test(test_first), cmocka_unit_test(test_raise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
