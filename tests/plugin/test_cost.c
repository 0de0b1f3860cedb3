/* What runs cost: pure numbers. */
#include "plugin/cost.h"

#include "plugin/memory.h"
#include "tests/oracle/tiny_models.h"

/* A measurement of a short run says what a long one takes. */
static void test_growth(void **state)
{
    (void)state;
    /* SmolLM2, one thread, one token at a time: 9.0 ms at 61 positions; 23.8 at 7,001. */
    const double growth = 3.3e-4;
    uint64_t base = lks_cost_base(16 * 9000, growth, 61, 16);
    assert_in_range(base, 8000, 9000);
    assert_in_range(lks_cost_us(base, growth, 7001, 1), 23800, 36000);
    /* The same run, forth and back. */
    static const uint64_t lengths[] = {1, 7, 64, 512, 32768};
    for (size_t i = 0; i < LKS_COUNT(lengths); i++) {
        uint64_t n = lengths[i], us = lks_cost_us(1000, growth, 10, n);
        assert_in_range(lks_cost_base(us, growth, 10, n), 1000, 1001);
        assert_true(us >= 1000 * n);
    }
    /* Twice as long takes more than twice the time, four times at most. */
    uint64_t once = lks_cost_us(1000, growth, 0, 8000), twice = lks_cost_us(1000, growth, 0, 16000);
    assert_true(twice > 3 * once && twice < 4 * once);
    assert_int_equal(lks_cost_us(1000, 0, 500, 30), 30001);
}

static void test_edges(void **state)
{
    (void)state;
    assert_int_equal(lks_cost_us(1000, 0.1, 5, 0), 1);
    assert_int_equal(lks_cost_base(0, 0.1, 0, 10), 1);
    assert_int_equal(lks_cost_base(10, 0.1, 0, 0), 1);
    assert_true(lks_cost_us(UINT64_MAX / 2, 1, 40000, 40000) <= UINT64_C(1000000000000000));
    assert_int_equal(lks_cost_blend(0, 70), 70);
    assert_int_equal(lks_cost_blend(70, 0), 70);
    assert_int_equal(lks_cost_blend(100, 200), 125);
    uint64_t us = 1000;
    for (int i = 0; i < 40; i++)
        us = lks_cost_blend(us, 5000);
    assert_in_range(us, 4990, 5000);
}

static void test_shapes(void **state)
{
    (void)state;
    tiny_model m;
    tiny_open(&m, "mixed");
    lks_growth g = lks_cost_growth(&m.model.program), none = lks_cost_growth(NULL);
    assert_true(g.token > 0 && g.batch > g.token && g.batch < 1);
    assert_true(none.token == 0 && none.batch == 0);
    lks_model_close(&m.model);
}

static void test_memory(void **state)
{
    (void)state;
    assert_int_equal(lks_memory_of_system("MemTotal:   100 kB\nMemAvailable:     48 kB\n"), 48 * 1024);
    assert_true(lks_memory_of_system("MemTotal: 100 kB\n") == UINT64_MAX);
    assert_int_equal(lks_memory_of_group("1000\n", "400\n"), 600);
    assert_int_equal(lks_memory_of_group("1000\n", NULL), 1000);
    assert_int_equal(lks_memory_of_group("1000\n", "2000\n"), 0);
    assert_true(lks_memory_of_group("max\n", "400\n") == UINT64_MAX);
    assert_true(lks_memory_available() > 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_growth), cmocka_unit_test(test_edges),
                                       cmocka_unit_test(test_shapes), cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
