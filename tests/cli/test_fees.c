#include "oracle/cli/cli.h"
#include "oracle/cli/fees.h"
#include "oracle/cli/options.h"

#include "tests/chain/chain_test.h"

static lks_u256 gwei(uint64_t n)
{
    lks_u256 wei = lks_u256_from_u64(n);
    lks_u256_mul_u64(&wei, &wei, 1000000000);
    return wei;
}

static lks_eth_fees suggest(uint64_t base, uint64_t priority)
{
    return (lks_eth_fees){.base_fee = gwei(base),
                          .max_priority_fee = gwei(priority),
                          .max_fee = gwei(2 * base + priority)};
}

static void assert_gwei(const lks_u256 *fee, uint64_t n)
{
    lks_u256 wanted = gwei(n);
    assert_int_equal(lks_u256_cmp(fee, &wanted), 0);
}

static void test_choose(void **state)
{
    (void)state;
    static const struct {
        uint64_t base, priority, max_fee, max_priority_fee; /* gwei */
    } cases[] = {
        {20, 1, 41, 1},      /* as suggested */
        {20, 10, 50, 10},    /* at the ceiling */
        {20, 99000, 50, 10}, /* a priority fee that no node should suggest */
        {245, 10, 500, 10},  /* the whole at its ceiling */
        {400, 2, 500, 2},    /* less than twice the base fee is left */
        {494, 10, 500, 6},   /* less than the priority fee is left */
        {499, 10, 500, 1},   {0, 1, 1, 1},
    };
    const lks_tx_fees limits = lks_fee_limits_default();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lks_eth_fees s = suggest(cases[i].base, cases[i].priority);
        lks_tx_fees f;
        OK(lks_fees_choose(&f, &s, &limits));
        assert_gwei(&f.max_fee, cases[i].max_fee);
        assert_gwei(&f.max_priority_fee, cases[i].max_priority_fee);
    }
}

static void test_refuse(void **state)
{
    (void)state;
    const lks_tx_fees limits = lks_fee_limits_default();
    lks_eth_fees s = suggest(500, 1);
    lks_tx_fees f;
    FAILS(LKS_REFUSED, "the base fee is 500 gwei per gas and the ceiling 500 gwei",
          lks_fees_choose(&f, &s, &limits));
    assert_non_null(strstr(lks_error_message(), "--max-fee"));
    s = suggest(99000, 1);
    FAILS(LKS_REFUSED, "99000 gwei", lks_fees_choose(&f, &s, &limits));
    memset(&s, 0xff, sizeof s);
    FAILS(LKS_REFUSED, "--max-fee", lks_fees_choose(&f, &s, &limits));
}

/* Replacements rise to the ceiling and never above it, whatever the node suggests. */
static void test_raise(void **state)
{
    (void)state;
    const lks_tx_fees limits = lks_fee_limits_default();
    for (uint64_t priority = 1; priority <= 12; priority++) {
        lks_eth_fees s = suggest(20, priority);
        lks_tx_fees f, before;
        unsigned versions = 1;
        OK(lks_fees_choose(&f, &s, &limits));
        for (before = f; lks_fees_raise(&f, &s, &limits); before = f, versions++) {
            lks_u256 least;
            assert_true(lks_u256_cmp(&f.max_fee, &limits.max_fee) <= 0);
            assert_true(lks_u256_cmp(&f.max_priority_fee, &f.max_fee) <= 0);
            lks_u256_mul_u64(&least, &before.max_fee, 11); /* what nodes ask for: 10 % */
            lks_u256_div_u64(&least, &least, 10);
            assert_true(lks_u256_cmp(&f.max_fee, &least) > 0);
            lks_u256_mul_u64(&least, &before.max_priority_fee, 11);
            lks_u256_div_u64(&least, &least, 10);
            assert_true(lks_u256_cmp(&f.max_priority_fee, &least) > 0);
        }
        assert_memory_equal(&f, &before, sizeof f);
        assert_in_range(versions, 15, 64);
    }
}

/* A base fee that has risen lifts the replacement to it at once. */
static void test_raise_to_suggestion(void **state)
{
    (void)state;
    const lks_tx_fees limits = lks_fee_limits_default();
    lks_eth_fees s = suggest(20, 9);
    lks_tx_fees f;
    OK(lks_fees_choose(&f, &s, &limits));
    s = suggest(200, 9);
    assert_true(lks_fees_raise(&f, &s, &limits));
    assert_gwei(&f.max_fee, 409);
    s = suggest(600, 9);
    assert_true(lks_fees_raise(&f, &s, &limits)); /* to the ceiling */
    assert_gwei(&f.max_fee, 500);
    assert_false(lks_fees_raise(&f, &s, &limits));
}

/* A ceiling of the whole that is below that of the priority fee holds for both. */
static void test_low_ceiling(void **state)
{
    (void)state;
    const lks_tx_fees limits = {gwei(5), gwei(10)};
    lks_eth_fees s = suggest(1, 9);
    lks_tx_fees f = lks_fees_hold(&s, &limits);
    assert_gwei(&f.max_fee, 5);
    assert_gwei(&f.max_priority_fee, 5);
}

static void test_parse(void **state)
{
    (void)state;
    lks_tx_fees l;
    assert_int_equal(lks_fee_limits_parse(&l, NULL, NULL, "ask"), LKS_PARSED);
    assert_gwei(&l.max_fee, 500);
    assert_gwei(&l.max_priority_fee, 10);
    assert_int_equal(lks_fee_limits_parse(&l, "30gwei", "2000000000wei", "ask"), LKS_PARSED);
    assert_gwei(&l.max_fee, 30);
    assert_gwei(&l.max_priority_fee, 2);
    assert_int_equal(lks_fee_limits_parse(&l, "30", NULL, "ask"), LKS_EXIT_USAGE);
    assert_int_equal(lks_fee_limits_parse(&l, "0gwei", NULL, "ask"), LKS_EXIT_USAGE);
    assert_int_equal(lks_fee_limits_parse(&l, NULL, "fast", "ask"), LKS_EXIT_USAGE);
}

static void test_text(void **state)
{
    (void)state;
    char text[LKS_GWEI_SIZE];
    lks_u256 fee = lks_u256_from_u64(20500000000);
    lks_gwei_text(text, &fee);
    assert_string_equal(text, "20.5 gwei");
    fee = lks_u256_from_u64(1);
    lks_gwei_text(text, &fee);
    assert_string_equal(text, "0.000000001 gwei");
    memset(&fee, 0xff, sizeof fee);
    lks_gwei_text(text, &fee);
    assert_non_null(strstr(text, " ether"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose),      cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_raise),       cmocka_unit_test(test_raise_to_suggestion),
        cmocka_unit_test(test_low_ceiling), cmocka_unit_test(test_parse),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
