#include "chain/u256.h"

#include "chain_test.h"

#define MAX_DECIMAL "115792089237316195423570985008687907853269984665640564039457584007913129639935"

static lks_u256 decimal(const char *text)
{
    lks_u256 a;
    OK(lks_u256_from_decimal(&a, text, strlen(text)));
    return a;
}

static void assert_decimal(const lks_u256 *a, const char *text)
{
    char found[LKS_U256_DECIMAL_SIZE];
    lks_u256_to_decimal(found, a);
    assert_string_equal(found, text);
}

static void test_decimal(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"0",
                                        "1",
                                        "9",
                                        "10",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "340282366920938463463374607431768211456",
                                        MAX_DECIMAL};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        lks_u256 a = decimal(TEXTS[i]);
        assert_decimal(&a, TEXTS[i]);
    }
    lks_u256 a = decimal("007");
    assert_decimal(&a, "7");
    FAILS(LKS_BADARGS, "256 bits",
          lks_u256_from_decimal(
              &a, "115792089237316195423570985008687907853269984665640564039457584007913129639936",
              78));
    FAILS(LKS_BADARGS, "missing", lks_u256_from_decimal(&a, "", 0));
    FAILS(LKS_BADARGS, "decimal", lks_u256_from_decimal(&a, "-1", 2));
    FAILS(LKS_BADARGS, "decimal", lks_u256_from_decimal(&a, "1e3", 3));
}

static void test_hex_and_bytes(void **state)
{
    (void)state;
    char text[LKS_U256_HEX_SIZE];
    uint8_t bytes[32];
    lks_u256 a, max = decimal(MAX_DECIMAL);
    OK(lks_u256_from_hex(&a, "0x123456789abcdef0fedcba98765432100", 35));
    assert_decimal(
        &a, "387165715252267758109540923960547549440"); /* Python:
                                                           int("123456789abcdef0fedcba98765432100",
                                                           16) */
    lks_u256_to_hex(text, &a);
    assert_string_equal(text, "0x123456789abcdef0fedcba98765432100");
    lks_u256_to_be(bytes, &a);
    assert_hex(bytes, 32, "0000000000000000000000000000000123456789abcdef0fedcba98765432100");
    lks_u256 back = lks_u256_from_be(bytes);
    assert_int_equal(lks_u256_cmp(&a, &back), 0);
    a = lks_u256_from_u64(0);
    lks_u256_to_hex(text, &a);
    assert_string_equal(text, "0x0");
    lks_u256_to_hex(text, &max);
    OK(lks_u256_from_hex(&a, text, strlen(text)));
    assert_int_equal(lks_u256_cmp(&a, &max), 0);
    FAILS(LKS_CORRUPT, "256 bits",
          lks_u256_from_hex(&a,
                            "0x10000000000000000000000000000000000000000000000000000000000000000",
                            67));
    FAILS(LKS_CORRUPT, "leading zero", lks_u256_from_hex(&a, "0x01", 4));
    FAILS(LKS_CORRUPT, "at least one digit", lks_u256_from_hex(&a, "0x", 2));
}

static void test_arithmetic(void **state)
{
    (void)state;
    lks_u256 max = decimal(MAX_DECIMAL), one = lks_u256_from_u64(1), r,
             a = decimal("340282366920938463463374607431768211455");
    assert_true(lks_u256_add(&r, &max, &one));
    assert_true(lks_u256_is_zero(&r));
    assert_false(lks_u256_add(&r, &a, &one));
    assert_decimal(&r, "340282366920938463463374607431768211456");
    assert_false(lks_u256_sub(&r, &r, &one));
    assert_decimal(&r, "340282366920938463463374607431768211455");
    r = lks_u256_from_u64(0);
    assert_true(lks_u256_sub(&r, &r, &one));
    assert_int_equal(lks_u256_cmp(&r, &max), 0);
    assert_false(lks_u256_mul_u64(&r, &a, UINT64_MAX));
    assert_decimal(&r, "6277101735386680763495507056286727952620534092958556749825");
    assert_true(lks_u256_mul_u64(&r, &max, 2));
    assert_int_equal(lks_u256_div_u64(&r, &max, UINT64_C(1000000000000000007)),
                     UINT64_C(348374681913905922));
    assert_decimal(&r, "115792089237316194613026360347474545562085462233318745104859");
    assert_int_equal(lks_u256_div_u64(&r, &max, 0), 0);
    assert_true(lks_u256_is_zero(&r));
    assert_true(lks_u256_cmp(&one, &max) < 0 && lks_u256_cmp(&max, &one) > 0);
    uint64_t small;
    assert_true(lks_u256_to_u64(&small, &one) && small == 1);
    assert_false(lks_u256_to_u64(&small, &a));
    assert_true(small == UINT64_MAX);
}

static void test_ether(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wei, *shown;
    } GOOD[] = {
        {"1.5", "1500000000000000000", "1.5"},
        {"1.5ether", "1500000000000000000", "1.5"},
        {"1.5 eth", "1500000000000000000", "1.5"},
        {"0", "0", "0"},
        {"20gwei", "20000000000", "0.00000002"},
        {"0.5gwei", "500000000", "0.0000000005"},
        {"7wei", "7", "0.000000000000000007"},
        {"1000000", "1000000000000000000000000", "1000000"},
        {"0.000000000000000001", "1", "0.000000000000000001"},
        {"115792089237316195423570985008687907853269984665640564039457.584007913129639935",
         MAX_DECIMAL,
         "115792089237316195423570985008687907853269984665640564039457.584007913129639935"},
    };
    static const char *const BAD[] = {
        "",
        ".",
        "1.",
        ".5",
        "-1",
        "+1",
        "1e18",
        "1.5.5",
        "1,5",
        "0x10",
        "1 ether ",
        "5 finney",
        "1.5wei",
        "ether",
        "0.0000000000000000001",
        "0.1234567891gwei",
        "115792089237316195423570985008687907853269984665640564039457.584007913129639936",
        "999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
        "99999999999999999999999"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        lks_u256 wei;
        char text[LKS_ETHER_SIZE];
        OK(lks_wei_parse(&wei, GOOD[i].text));
        assert_decimal(&wei, GOOD[i].wei);
        lks_wei_format(text, &wei);
        assert_string_equal(text, GOOD[i].shown);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        lks_u256 wei;
        assert_int_equal(lks_wei_parse(&wei, BAD[i]), LKS_BADARGS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimal), cmocka_unit_test(test_hex_and_bytes),
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_ether)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
