/* What runs cost: pure numbers. */
#include "plugin/cost.h"

#include "plugin/memory.h"
#include "tests/model/tiny_models.h"

/* Simulated runs: n positions take base * (n + growth * n^2 / 2), with a part more by chance. */
#define BASE 1000.0

static double chance(double most)
{
    static uint64_t seed = 1;
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return most * (double)(seed >> 40) / (double)(1 << 24);
}

static double taken(double growth, double n)
{
    return BASE * (n + growth * n * n / 2);
}

static void measure(lks_measured *m, double growth, uint64_t n, double noise)
{
    lks_cost_note(m, 0, n, (uint64_t)(taken(growth, (double)n) * (1 + chance(noise))));
}

/* Estimated, as a part of what such a run takes. */
static double part(const lks_line *line, double growth, uint64_t n)
{
    return (double)lks_cost_us(line, 0, n) / taken(growth, (double)n);
}

/* The slope is that of the passes, whatever the shape says: three short lengths show what a long
 * run takes. One length does not. */
static void test_fit(void **state)
{
    (void)state;
    static const double growths[] = {0, 1e-4, 1e-3, 4e-3, 2e-2};
    const double shape = 1e-3;
    for (size_t i = 0; i < LKS_COUNT(growths); i++) {
        const double growth = growths[i];
        lks_measured m = {.runs = 0};
        measure(&m, growth, 64, 0);
        lks_line guess = lks_cost_likely(&m, shape);
        assert_false(lks_cost_is_fitted(&m));
        measure(&m, growth, 192, 0);
        measure(&m, growth, 576, 0);
        assert_true(lks_cost_is_fitted(&m));
        lks_line likely = lks_cost_likely(&m, shape), safe = lks_cost_safe(&m, shape);
        for (uint64_t n = 64; n <= 32768; n *= 2) {
            double p = part(&likely, growth, n);
            if (!(p > 0.99 && p < 1.01))
                fail_msg("growth %g: %g of what %d positions take", growth, p, (int)n);
            assert_true(part(&safe, growth, n) > 0.99);
        }
        if (growth >= 4 * shape)
            assert_true(part(&guess, growth, 8000) < 0.5);
        double fitted = lks_cost_fitted_growth(&m, shape), most = growth > shape ? growth : shape;
        assert_true(fitted > 0.99 * most && fitted < 1.01 * most);
    }
}

/* Half of it more by chance, as on a machine that has other work: no estimate is so low that the
 * gate's own margin of a half would not cover it, and none is out of all proportion. */
static void test_noise(void **state)
{
    (void)state;
    static const double growths[] = {1e-4, 1e-3, 4e-3, 2e-2};
    for (int round = 0; round < 400; round++) {
        const double growth = growths[round % (int)LKS_COUNT(growths)];
        lks_measured m = {.runs = 0};
        for (uint64_t n = 64; n <= 576; n *= 3)
            measure(&m, growth, n, 0.5);
        for (int more = round % 7; more > 0; more--)
            measure(&m, growth, 30 + (uint64_t)chance(2000), 0.5);
        lks_line safe = lks_cost_safe(&m, 1e-3);
        for (uint64_t n = 64; n <= 8192; n *= 2) {
            double p = part(&safe, growth, n);
            if (!(p > 1 / 1.5 && p < 12))
                fail_msg("round %d: %g of what %d positions take", round, p, (int)n);
        }
    }
}

/* With one length, or two, the shape decides, and the safe line has twice its growth. */
static void test_too_few(void **state)
{
    (void)state;
    /* SmolLM2, one thread, one token at a time: 9.0 ms at 61 positions; 23.8 at 7,001. */
    const double growth = 3.3e-4;
    lks_measured m = {.runs = 0};
    lks_cost_note(&m, 61, 16, 16 * 9000);
    lks_line likely = lks_cost_likely(&m, growth), safe = lks_cost_safe(&m, growth);
    assert_in_range(lks_cost_us(&likely, 7001, 1), 23800, 36000);
    assert_in_range(lks_cost_us(&likely, 61, 16), 143990, 144010);
    uint64_t far = lks_cost_us(&likely, 7001, 1), safely = lks_cost_us(&safe, 7001, 1);
    assert_true(safely > far + far / 2 && safely < 2 * far);
    assert_true(lks_cost_us(&safe, 0, 16) >= 143990);
    lks_cost_note(&m, 300, 16, 16 * 9900);
    assert_false(lks_cost_is_fitted(&m));
    /* Twice as long takes more than twice the time, four times at most. */
    likely = lks_cost_likely(&m, growth);
    uint64_t once = lks_cost_us(&likely, 0, 8000), twice = lks_cost_us(&likely, 0, 16000);
    assert_true(twice > 3 * once && twice < 4 * once);
    /* Lengths that are close to each other show no slope, nor do runs of a few positions. */
    lks_measured close = {.runs = 0}, tiny = {.runs = 0};
    measure(&close, 0, 100, 0);
    measure(&close, 0, 130, 0);
    measure(&close, 0, 380, 0);
    assert_false(lks_cost_is_fitted(&close));
    for (uint64_t n = 1; n < 16; n *= 2)
        lks_cost_note(&tiny, 0, n, 9000); /* the weights are read once, however many there are */
    assert_false(lks_cost_is_fitted(&tiny));
    lks_cost_note(&tiny, 0, 64, 64000);
    likely = lks_cost_likely(&tiny, 0);
    assert_in_range(lks_cost_us(&likely, 0, 1000), 1000000, 1000001);
}

/* Never below what a length was measured to take, where the curve is no line. */
static void test_no_line(void **state)
{
    (void)state;
    lks_measured m = {.runs = 0};
    static const uint64_t lengths[] = {20, 64, 192, 576, 2000},
                          each[] = {3000, 1000, 1000, 1100, 4000};
    for (size_t i = 0; i < LKS_COUNT(lengths); i++)
        lks_cost_note(&m, 0, lengths[i], lengths[i] * each[i]);
    lks_line safe = lks_cost_safe(&m, 1e-4);
    for (size_t i = 0; i < LKS_COUNT(lengths); i++)
        assert_true(lks_cost_us(&safe, 0, lengths[i]) >= lengths[i] * each[i]);
    /* Longer runs that were faster: nothing falls with the length. */
    lks_measured falls = {.runs = 0};
    for (size_t i = 0; i < 4; i++)
        lks_cost_note(&falls, 0, lengths[i], lengths[i] * (9000 - 2000 * i));
    lks_line likely = lks_cost_likely(&falls, 1e-4);
    assert_true(likely.slope >= 0 && likely.base > 0);
}

static void test_edges(void **state)
{
    (void)state;
    lks_measured m = {.runs = 0};
    lks_line line = lks_cost_likely(&m, 0.1);
    assert_true(lks_cost_us(&line, 0, 10) == 0);
    line = lks_cost_safe(&m, 0.1);
    assert_true(lks_cost_us(&line, 0, 10) == 0 && lks_cost_reach(&m) == 0);
    lks_cost_note(&m, 0, 0, 10);
    lks_cost_note(&m, 0, 10, 0);
    assert_true(m.runs == 0 && !lks_cost_has(&m, 0, 10));
    lks_cost_note(&m, 0, 10, 10000);
    assert_true(lks_cost_has(&m, 0, 10) && !lks_cost_has(&m, 0, 64));
    line = lks_cost_safe(&m, 0.1);
    assert_int_equal(lks_cost_us(&line, 5, 0), 1);
    lks_cost_note(&m, UINT32_MAX, UINT32_MAX, UINT64_MAX / 2);
    line = lks_cost_safe(&m, 1);
    assert_true(lks_cost_us(&line, UINT32_MAX, UINT32_MAX) <= UINT64_C(1000000000000000));
}

/* What is measured again counts more, slower sooner than faster; what is not is forgotten. */
static void test_changes(void **state)
{
    (void)state;
    lks_measured m = {.runs = 0};
    lks_cost_note(&m, 0, 64, 64 * 1000);
    lks_cost_note(&m, 0, 64, 64 * 2000);
    lks_line line = lks_cost_likely(&m, 0);
    assert_in_range(lks_cost_us(&line, 0, 64), 64 * 1500, 64 * 1500 + 1);
    lks_cost_note(&m, 0, 64, 64 * 500);
    line = lks_cost_likely(&m, 0);
    assert_in_range(lks_cost_us(&line, 0, 64), 64 * 1250, 64 * 1250 + 1);
    lks_cost_note(&m, 0, 4000, UINT64_C(4000) * 90000); /* while the machine did something else */
    for (int i = 0; i < 63; i++)
        lks_cost_note(&m, 0, 64, 64 * 1000);
    assert_true(lks_cost_has(&m, 0, 4000));
    lks_cost_note(&m, 0, 64, 64 * 1000);
    assert_false(lks_cost_has(&m, 0, 4000));
    line = lks_cost_safe(&m, 0);
    assert_in_range(lks_cost_us(&line, 0, 4000), 4000 * 1000, 4000 * 1001);
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
    assert_int_equal(lks_memory_of_system("MemTotal:   100 kB\nMemAvailable:     48 kB\n"),
                     48 * 1024);
    assert_true(lks_memory_of_system("MemTotal: 100 kB\n") == UINT64_MAX);
    assert_int_equal(lks_memory_of_group("1000\n", "400\n"), 600);
    assert_int_equal(lks_memory_of_group("1000\n", NULL), 1000);
    assert_int_equal(lks_memory_of_group("1000\n", "2000\n"), 0);
    assert_true(lks_memory_of_group("max\n", "400\n") == UINT64_MAX);
    assert_true(lks_memory_available() > 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),     cmocka_unit_test(test_noise),
        cmocka_unit_test(test_too_few), cmocka_unit_test(test_no_line),
        cmocka_unit_test(test_edges),   cmocka_unit_test(test_changes),
        cmocka_unit_test(test_shapes),  cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
