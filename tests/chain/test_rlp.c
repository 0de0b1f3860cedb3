/* RLP: the examples of the Yellow Paper and of the Ethereum wiki, the invalid forms of
 * ethereum/tests (RLPTests/invalidRLPTest), and one nested list encoded by pyrlp 5.0.0. */
#include "chain/rlp.h"

#include "chain_test.h"

static void expect(lks_buf *out, const char *digits)
{
    OK(lks_buf_error(out));
    assert_hex(out->data, out->len, digits);
    lks_buf_free(out);
}

static void test_strings(void **state)
{
    (void)state;
    lks_buf out = {0};
    lks_rlp_put_bytes(&out, "dog", 3);
    expect(&out, "83646f67");
    lks_rlp_put_bytes(&out, NULL, 0);
    expect(&out, "80");
    lks_rlp_put_bytes(&out, "\0", 1);
    expect(&out, "00");
    lks_rlp_put_bytes(&out, "\x0f", 1);
    expect(&out, "0f");
    lks_rlp_put_bytes(&out, "\x7f", 1);
    expect(&out, "7f");
    lks_rlp_put_bytes(&out, "\x80", 1);
    expect(&out, "8180");
    lks_rlp_put_bytes(&out, "\x04\x00", 2);
    expect(&out, "820400");
    lks_rlp_put_bytes(&out, "Lorem ipsum dolor sit amet, consectetur adipisicing elit", 56);
    expect(&out, "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e736563746574757"
                 "2206164697069736963696e6720656c6974");
}

static void test_integers(void **state)
{
    (void)state;
    lks_buf out = {0};
    lks_rlp_put_u64(&out, 0);
    expect(&out, "80");
    lks_rlp_put_u64(&out, 15);
    expect(&out, "0f");
    lks_rlp_put_u64(&out, 1024);
    expect(&out, "820400");
    lks_rlp_put_u64(&out, UINT64_MAX);
    expect(&out, "88ffffffffffffffff");
    lks_u256 wide = {{0, 1, 0, 0}};
    lks_rlp_put_u256(&out, &wide);
    expect(&out, "89010000000000000000");
}

static void test_lists(void **state)
{
    (void)state;
    lks_buf out = {0};
    size_t outer = lks_rlp_list_begin(&out);
    lks_rlp_list_end(&out, outer);
    expect(&out, "c0");
    outer = lks_rlp_list_begin(&out);
    lks_rlp_put_bytes(&out, "cat", 3);
    lks_rlp_put_bytes(&out, "dog", 3);
    lks_rlp_list_end(&out, outer);
    expect(&out, "c88363617483646f67");
    /* [ [], [[]], [ [], [[]] ] ], the set-theoretical three */
    size_t a, b, c;
    outer = lks_rlp_list_begin(&out);
    a = lks_rlp_list_begin(&out), lks_rlp_list_end(&out, a);
    a = lks_rlp_list_begin(&out), b = lks_rlp_list_begin(&out), lks_rlp_list_end(&out, b),
    lks_rlp_list_end(&out, a);
    a = lks_rlp_list_begin(&out);
    b = lks_rlp_list_begin(&out), lks_rlp_list_end(&out, b);
    b = lks_rlp_list_begin(&out), c = lks_rlp_list_begin(&out), lks_rlp_list_end(&out, c),
    lks_rlp_list_end(&out, b);
    lks_rlp_list_end(&out, a);
    lks_rlp_list_end(&out, outer);
    expect(&out, "c7c0c1c0c3c0c1c0");
}

static const char NESTED[] = "f8b2c180c883646f67c3018180b83c787878787878787878787878787878787878787"
                             "878787878787878787878787878787878787878787878787878"
                             "78787878787878787878787878787889010000000000000000f85d9e6161616161616"
                             "161616161616161616161616161616161616161616161619e61"
                             "61616161616161616161616161616161616161616161616161616161619e616161616"
                             "161616161616161616161616161616161616161616161616161";

/* rlp.encode([[b''], [b'dog', [b'\x01', b'\x80']], b'x' * 60, 2**64, [b'a' * 30] * 3]) */
static void test_nested(void **state)
{
    (void)state;
    lks_buf out = {0};
    char x[60], a[30];
    memset(x, 'x', sizeof x);
    memset(a, 'a', sizeof a);
    lks_u256 wide = {{0, 1, 0, 0}}, read;
    size_t outer = lks_rlp_list_begin(&out), inner = lks_rlp_list_begin(&out);
    lks_rlp_put_bytes(&out, "", 0);
    lks_rlp_list_end(&out, inner);
    inner = lks_rlp_list_begin(&out);
    lks_rlp_put_bytes(&out, "dog", 3);
    size_t innermost = lks_rlp_list_begin(&out);
    lks_rlp_put_bytes(&out, "\x01", 1);
    lks_rlp_put_bytes(&out, "\x80", 1);
    lks_rlp_list_end(&out, innermost);
    lks_rlp_list_end(&out, inner);
    lks_rlp_put_bytes(&out, x, 60);
    lks_rlp_put_u256(&out, &wide);
    inner = lks_rlp_list_begin(&out);
    for (int i = 0; i < 3; i++)
        lks_rlp_put_bytes(&out, a, 30);
    lks_rlp_list_end(&out, inner);
    lks_rlp_list_end(&out, outer);
    assert_hex(out.data, out.len, NESTED);

    lks_rlp_reader in = {out.data, out.len}, list, sub, subsub;
    const uint8_t *data;
    size_t len;
    uint8_t fixed[30];
    uint64_t number;
    OK(lks_rlp_read_list(&in, &list));
    OK(lks_rlp_read_end(&in));
    OK(lks_rlp_read_list(&list, &sub));
    OK(lks_rlp_read_bytes(&sub, &data, &len));
    assert_int_equal(len, 0);
    OK(lks_rlp_read_end(&sub));
    FAILS(LKS_CORRUPT, "missing", lks_rlp_read_bytes(&sub, &data, &len));
    FAILS(LKS_CORRUPT, "bytes are needed", lks_rlp_read_bytes(&list, &data, &len));
    OK(lks_rlp_read_list(&list, &sub));
    FAILS(LKS_CORRUPT, "a list is needed", lks_rlp_read_list(&sub, &subsub));
    FAILS(LKS_CORRUPT, "4 are needed", lks_rlp_read_fixed(&sub, fixed, 4));
    OK(lks_rlp_read_fixed(&sub, fixed, 3));
    assert_memory_equal(fixed, "dog", 3);
    OK(lks_rlp_read_list(&sub, &subsub));
    OK(lks_rlp_read_u64(&subsub, &number));
    assert_int_equal(number, 1);
    FAILS(LKS_CORRUPT, "too many", lks_rlp_read_end(&subsub));
    OK(lks_rlp_read_u64(&subsub, &number));
    assert_int_equal(number, 0x80);
    OK(lks_rlp_read_bytes(&list, &data, &len));
    assert_true(len == 60 && !memcmp(data, x, 60));
    FAILS(LKS_CORRUPT, "64 bits", lks_rlp_read_u64(&list, &number));
    OK(lks_rlp_read_u256(&list, &read));
    assert_int_equal(lks_u256_cmp(&read, &wide), 0);
    OK(lks_rlp_read_list(&list, &sub));
    OK(lks_rlp_read_end(&list));
    lks_buf_free(&out);
}

/* Each is not the canonical encoding of anything. */
static void test_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *digits, *reason;
    } BAD[] = {
        {"", "missing"},
        {"8100", "prefix before the single byte"},
        {"817f", "prefix before the single byte"},
        {"83646f", "where 2 are left"},
        {"81", "where 0 are left"},
        {"b800", "leading zero"},
        {"b8", "cut short"},
        {"b90038", "leading zero"},
        {"b837aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "long form for 55"},
        {"b838aa", "56 bytes where"},
        {"bfffffffffffffffff00", "bytes where"},
        {"bf0fffffffffffffff0f", "bytes where"},
        {"f800", "leading zero"},
        {"f837aa", "long form"},
        {"ffffffffffffffffff", "bytes where"},
        {"c2aa", "where 1 are left"},
        {"f90180", "bytes where"},
        {"bb7fffffff", "bytes where"},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        size_t len;
        uint8_t *bytes = unhex(BAD[i].digits, &len);
        lks_rlp_reader in = {bytes, len};
        lks_rlp_item item;
        FAILS(LKS_CORRUPT, BAD[i].reason, lks_rlp_next(&in, &item));
        assert_true(in.data == bytes && in.len == len);
        free(bytes);
    }
    uint64_t number;
    lks_u256 wide;
    lks_rlp_reader in = {(const uint8_t *)"\x82\x00\x01", 3};
    FAILS(LKS_CORRUPT, "leading zero", lks_rlp_read_u64(&in, &number));
    in = (lks_rlp_reader){(const uint8_t *)"\x00", 1};
    FAILS(LKS_CORRUPT, "leading zero", lks_rlp_read_u64(&in, &number));
    uint8_t long_number[34] = {0xa1, 1};
    in = (lks_rlp_reader){long_number, sizeof long_number};
    FAILS(LKS_CORRUPT, "256 bits", lks_rlp_read_u256(&in, &wide));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_strings),
                                       cmocka_unit_test(test_integers),
                                       cmocka_unit_test(test_lists), cmocka_unit_test(test_nested),
                                       cmocka_unit_test(test_invalid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
