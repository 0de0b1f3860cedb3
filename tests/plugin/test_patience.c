/* How long answers are waited for: shorter at first, longer for a method that is slow. */
#include "plugin/patience.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MOST 30000u

static void test_lost_call_costs_seconds(void **state)
{
    lks_patience p = {0};
    (void)state;
    assert_int_equal(lks_patience_wait(&p, "eth_blockNumber", MOST), LKS_PATIENCE_FIRST_MS);
    assert_int_equal(lks_patience_wait(&p, "eth_blockNumber", 500), 500);
}

static void test_slow_method_gets_its_time(void **state)
{
    static const uint32_t waits[] = {6000, 12000, 24000, MOST, MOST};
    lks_patience p = {0};
    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        uint32_t wait = lks_patience_wait(&p, "eth_getLogs", MOST);
        assert_int_equal(wait, waits[i]);
        lks_patience_in_vain(&p, "eth_getLogs", wait);
        lks_patience_early(&p, "eth_blockNumber"); /* is another's */
    }
    assert_int_equal(lks_patience_wait(&p, "eth_blockNumber", MOST), LKS_PATIENCE_FIRST_MS);
    for (int i = 0; i < 10; i++)
        lks_patience_early(&p, "eth_getLogs");
    assert_int_equal(lks_patience_wait(&p, "eth_getLogs", MOST), LKS_PATIENCE_FIRST_MS);
}

/* Calls that were lost at the same time double the wait once. */
static void test_calls_at_the_same_time(void **state)
{
    lks_patience p = {0};
    (void)state;
    uint32_t wait = lks_patience_wait(&p, "eth_call", MOST);
    for (int i = 0; i < 3; i++)
        lks_patience_in_vain(&p, "eth_call", wait);
    assert_int_equal(lks_patience_wait(&p, "eth_call", MOST), 2 * LKS_PATIENCE_FIRST_MS);
}

static void test_many_methods(void **state)
{
    lks_patience p = {0};
    char name[80];
    (void)state;
    for (int i = 0; i < 40; i++) {
        memset(name, 'm', sizeof name);
        snprintf(name, sizeof name, "m%d", i);
        uint32_t wait = lks_patience_wait(&p, name, MOST);
        assert_int_equal(wait, i < (int)LKS_PATIENCE_METHODS ? LKS_PATIENCE_FIRST_MS : MOST);
        lks_patience_in_vain(&p, name, wait);
        lks_patience_early(&p, name);
    }
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_int_equal(lks_patience_wait(&p, name, MOST), MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_call_costs_seconds),
        cmocka_unit_test(test_slow_method_gets_its_time),
        cmocka_unit_test(test_calls_at_the_same_time),
        cmocka_unit_test(test_many_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
