#include "oracle/cli/values.h"

#include "tests/chain/chain_test.h"

static void test_whole_numbers(void **state)
{
    (void)state;
    uint64_t wide = 7;
    uint32_t narrow = 7;
    OK(lks_parse_u64(&wide, "0"));
    assert_true(wide == 0);
    OK(lks_parse_u64(&wide, "18446744073709551615"));
    assert_true(wide == UINT64_MAX);
    OK(lks_parse_u32(&narrow, "4294967295"));
    assert_int_equal(narrow, UINT32_MAX);
    OK(lks_parse_u32(&narrow, "007"));
    assert_int_equal(narrow, 7);
    FAILS(LKS_BADARGS, "too large", lks_parse_u64(&wide, "18446744073709551616"));
    FAILS(LKS_BADARGS, "too large", lks_parse_u64(&wide, "99999999999999999999999"));
    FAILS(LKS_BADARGS, "too large", lks_parse_u32(&narrow, "4294967296"));
    FAILS(LKS_BADARGS, "missing", lks_parse_u64(&wide, ""));
    const char *const wrong[] = {"-1", "+1", " 1", "1 ", "0x10", "1e3", "1.0", "twelve"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        FAILS(LKS_BADARGS, "not a whole number", lks_parse_u64(&wide, wrong[i]));
    }
    assert_true(wide == UINT64_MAX);
    assert_int_equal(narrow, 7);
}

/* The bits are those of IEEE 754 for the nearest float, ties to even, rounded once: the fourth and
 * fifth cases come out wrong by way of a double. */
static void test_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t bits;
    } cases[] = {{"0", 0},
                 {"0.1", 0x3dcccccd},
                 {"1.000000059604644775390625", 0x3f800000},
                 {"1.00000005960464477539062500001", 0x3f800001},
                 {"1.00000017881393432617187499999", 0x3f800001},
                 {"16777217", 0x4b800000},
                 {"8e-1", 0x3f4ccccd},
                 {"0.0009765625", 0x3a800000},
                 {"1e-45", 0x00000001},
                 {"1e-60", 0x00000000},
                 {"-0", 0x80000000},
                 {"3.4028235e38", 0x7f7fffff}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t bits = 0xdeadbeef;
        OK(lks_parse_f32(&bits, cases[i].text));
        if (bits != cases[i].bits) {
            fail_msg("%s gives %08x, not %08x", cases[i].text, bits, cases[i].bits);
        }
    }
    const char *const wrong[] = {"",   "inf", "nan", "-inf", "0x1p3", " 1",
                                 "1 ", "1,5", "1e",  "--1",  ".",     "1.0f"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t bits = 7;
        FAILS(LKS_BADARGS, "not a decimal", lks_parse_f32(&bits, wrong[i]));
        assert_int_equal(bits, 7);
    }
    uint32_t bits;
    FAILS(LKS_BADARGS, "too large", lks_parse_f32(&bits, "1e39"));
    FAILS(LKS_BADARGS, "too large", lks_parse_f32(&bits, "-1e999"));
}

static void test_durations(void **state)
{
    (void)state;
    uint32_t seconds;
    OK(lks_parse_duration(&seconds, "0s"));
    assert_int_equal(seconds, 0);
    OK(lks_parse_duration(&seconds, "20s"));
    assert_int_equal(seconds, 20);
    OK(lks_parse_duration(&seconds, "10m"));
    assert_int_equal(seconds, 600);
    OK(lks_parse_duration(&seconds, "24h"));
    assert_int_equal(seconds, 86400);
    OK(lks_parse_duration(&seconds, "7d"));
    assert_int_equal(seconds, 604800);
    OK(lks_parse_duration(&seconds, "49710d"));
    assert_true(seconds == 49710u * 86400u);
    FAILS(LKS_BADARGS, "too long", lks_parse_duration(&seconds, "49711d"));
    FAILS(LKS_BADARGS, "too long", lks_parse_duration(&seconds, "4294967296s"));
    const char *const wrong[] = {
        "", "s", "20", "20 s", "-1s", "1.5h", "20w", "1h30m", "00000000000000000000000000001s"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(lks_parse_duration(&seconds, wrong[i]), LKS_BADARGS);
    }
}

static void test_amounts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wei;
    } cases[] = {{"1.5ether", "1500000000000000000"},
                 {"0.1eth", "100000000000000000"},
                 {"1000wei", "1000"},
                 {"3gwei", "3000000000"},
                 {"0ether", "0"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lks_u256 wei;
        char text[LKS_U256_DECIMAL_SIZE];
        OK(lks_parse_amount(&wei, cases[i].text));
        lks_u256_to_decimal(text, &wei);
        assert_string_equal(text, cases[i].wei);
    }
    lks_u256 wei;
    FAILS(LKS_BADARGS, "has no unit", lks_parse_amount(&wei, "1"));
    FAILS(LKS_BADARGS, "has no unit", lks_parse_amount(&wei, "0.5"));
    FAILS(LKS_BADARGS, "has no unit", lks_parse_amount(&wei, "1."));
    const char *const wrong[] = {"",       "ether",   "-1ether",   "1.5wei",
                                 "1e3wei", "1finney", "1.2.3ether"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(lks_parse_amount(&wei, wrong[i]), LKS_BADARGS);
    }
}

static void test_id_lists(void **state)
{
    (void)state;
    lks_tokens ids = {0};
    const uint32_t want[] = {1, 0, 4294967295u, 1};
    OK(lks_parse_id_list(&ids, "1,0,4294967295,1"));
    assert_int_equal(ids.count, 4);
    assert_memory_equal(ids.ids, want, sizeof want);
    const char *const wrong[] = {"",    ",",          "1,",   ",1",          "1,,2", "1 2",
                                 "1;2", "4294967296", "1,-2", "00000000001", "1,x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(lks_parse_id_list(&ids, wrong[i]), LKS_BADARGS);
    }
    free(ids.ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_numbers), cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_durations),     cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_id_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
