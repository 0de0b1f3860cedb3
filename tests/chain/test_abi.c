/* The contract ABI. The first examples are those of the Solidity documentation's "Contract ABI
 * Specification"; the others were encoded with eth-abi 6.0.0. */
#include "chain/abi.h"

#include "chain_test.h"

#define WORD(n) "00000000000000000000000000000000000000000000000000000000" n

static void test_selectors(void **state)
{
    (void)state;
    uint8_t selector[4], topic[32];
    lks_abi_selector(selector, "baz(uint32,bool)");
    assert_hex(selector, 4, "cdcd77c0");
    lks_abi_selector(selector, "bar(bytes3[2])");
    assert_hex(selector, 4, "fce353f6");
    lks_abi_selector(selector, "sam(bytes,bool,uint256[])");
    assert_hex(selector, 4, "a5643bf2");
    lks_abi_selector(selector, "transfer(address,uint256)");
    assert_hex(selector, 4, "a9059cbb");
    lks_abi_topic(topic, "Transfer(address,address,uint256)");
    assert_hex(topic, 32, "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

/* sam("dave", true, [1, 2, 3]) */
static void test_sam(void **state)
{
    (void)state;
    static const char WANT[] = "a5643bf2" WORD("00000060") WORD("00000001") WORD("000000a0")
        WORD("00000004") "6461766500000000000000000000000000000000000000000000000000000000" WORD(
            "00000003") WORD("00000001") WORD("00000002") WORD("00000003");
    lks_buf out = {0};
    lks_abi_writer e;
    lks_abi_begin_call(&e, &out, "sam(bytes,bool,uint256[])", 3);
    lks_abi_put_bytes(&e, "dave", 4);
    lks_abi_put_bool(&e, true);
    lks_abi_begin_array(&e, 3, 1);
    for (uint64_t i = 1; i <= 3; i++)
        lks_abi_put_u64(&e, i);
    lks_abi_end(&e);
    OK(lks_abi_finish(&e));
    assert_hex(out.data, out.len, WANT);

    lks_abi_reader r, elements;
    const uint8_t *data;
    size_t len, count;
    bool yes;
    uint64_t number;
    lks_abi_read(&r, out.data + 4, out.len - 4);
    OK(lks_abi_read_bytes(&r, &data, &len));
    assert_true(len == 4 && !memcmp(data, "dave", 4));
    OK(lks_abi_read_bool(&r, &yes));
    assert_true(yes);
    OK(lks_abi_read_array(&r, 1, &elements, &count));
    assert_int_equal(count, 3);
    for (uint64_t i = 1; i <= count; i++) {
        OK(lks_abi_read_u64(&elements, &number));
        assert_int_equal(number, i);
    }
    lks_buf_free(&out);
}

/* bar(["abc", "def"]): a fixed array has no frame. */
static void test_bar(void **state)
{
    (void)state;
    lks_buf out = {0};
    lks_abi_writer e;
    lks_abi_begin_call(&e, &out, "bar(bytes3[2])", 2);
    lks_abi_put_fixed(&e, "abc", 3);
    lks_abi_put_fixed(&e, "def", 3);
    OK(lks_abi_finish(&e));
    assert_hex(out.data, out.len,
               "fce353f6616263000000000000000000000000000000000000000000000000000000000064656600000"
               "00000000000000000000000000000000000000000000000000000");
    lks_abi_reader r;
    char text[3];
    lks_abi_read(&r, out.data + 4, out.len - 4);
    OK(lks_abi_read_fixed(&r, text, 3));
    assert_memory_equal(text, "abc", 3);
    FAILS(LKS_CORRUPT, "bytes2", lks_abi_read_fixed(&r, text, 2));
    OK(lks_abi_read_fixed(&r, text, 3));
    FAILS(LKS_CORRUPT, "ends", lks_abi_read_fixed(&r, text, 3));
    lks_buf_free(&out);
}

/* encode(['uint256','bytes','(address,uint256[])','string','bool'], [7, de ad be ef nine times,
 * (0x11.., [1, 2**256-1]), 'h\u00e9', True]) */
static const char MIXED[] =
    WORD("00000007") WORD("000000a0") WORD("00000100") WORD("000001a0") WORD("00000001")
        WORD("00000024") "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef0"
                         "0000000000000000000000000000000000000000000000000000000"
                         "0000000000000000000000001111111111111111111111111111111111111111" WORD(
                             "00000040") WORD("00000002")
                             WORD("00000001") "ffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                              "ffffffffffff" WORD(
                                                  "00000003") "68c3a9000000000000000000000000000000"
                                                              "0000000000000000000000000000";

static void write_mixed(lks_buf *out)
{
    lks_abi_writer e;
    uint8_t blob[36], address[20];
    lks_u256 max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    for (int i = 0; i < 36; i++)
        blob[i] = (uint8_t)"\xde\xad\xbe\xef"[i % 4];
    memset(address, 0x11, 20);
    lks_abi_begin(&e, out, 5);
    lks_abi_put_u64(&e, 7);
    lks_abi_put_bytes(&e, blob, 36);
    lks_abi_begin_tuple(&e, 2);
    lks_abi_put_address(&e, address);
    lks_abi_begin_array(&e, 2, 1);
    lks_abi_put_u64(&e, 1);
    lks_abi_put_u256(&e, &max);
    lks_abi_end(&e);
    lks_abi_end(&e);
    lks_abi_put_bytes(&e, "h\xc3\xa9", 3);
    lks_abi_put_bool(&e, true);
    OK(lks_abi_finish(&e));
}

/* Reads MIXED's types from any bytes. Returns: the first failure. */
static lks_err read_mixed(const uint8_t *data, size_t size)
{
    lks_err err;
    lks_abi_reader r, tuple, array;
    uint64_t number;
    uint8_t address[20];
    const uint8_t *bytes;
    size_t len, count;
    lks_u256 wide;
    bool yes;
    lks_abi_read(&r, data, size);
    if ((err = lks_abi_read_u64(&r, &number)) || (err = lks_abi_read_bytes(&r, &bytes, &len)) ||
        (err = lks_abi_read_tuple(&r, &tuple)) || (err = lks_abi_read_address(&tuple, address)) ||
        (err = lks_abi_read_array(&tuple, 1, &array, &count)))
        return err;
    for (size_t i = 0; i < count; i++)
        if ((err = lks_abi_read_u256(&array, &wide)))
            return err;
    if ((err = lks_abi_read_bytes(&r, &bytes, &len)))
        return err;
    return lks_abi_read_bool(&r, &yes);
}

static void test_mixed(void **state)
{
    (void)state;
    lks_buf out = {0};
    write_mixed(&out);
    assert_hex(out.data, out.len, MIXED);
    OK(read_mixed(out.data, out.len));
    /* Every shorter copy fails, and reads nothing beyond its end. */
    for (size_t len = 0; len < out.len; len++) {
        uint8_t *copy = (uint8_t *)exact((const char *)out.data, len);
        assert_int_equal(read_mixed(copy, len), LKS_CORRUPT);
        free(copy);
    }
    lks_buf_free(&out);
}

/* encode(['(uint256,bytes)[]','uint8[3]','bytes[]','bytes3'], [[(1, b'a'), (2, b'')], [1, 2, 3],
 * [b'xy', b''], b'abc']) */
static void test_nested(void **state)
{
    (void)state;
    static const char WANT[] = WORD("000000c0") WORD("00000001") WORD("00000002") WORD("00000003")
        WORD("00000200") "6162630000000000000000000000000000000000000000000000000000000000" WORD(
            "00000002") WORD("00000040") WORD("000000c0") WORD("00000001") WORD("00000040")
            WORD("00000001") "610000000000000000000000000000000000000000000000000000000000000"
                             "0" WORD("00000002") WORD("00000040") WORD("00000000") WORD("00000002")
                                 WORD("00000040") WORD("00000080")
                                     WORD("00000002") "78790000000000000000000000000000000000000000"
                                                      "00000000000000000000" WORD("00000000");
    lks_buf out = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &out, 6);
    lks_abi_begin_array(&e, 2, 1);
    for (int i = 0; i < 2; i++) {
        lks_abi_begin_tuple(&e, 2);
        lks_abi_put_u64(&e, (uint64_t)i + 1);
        lks_abi_put_bytes(&e, "a", i ? 0 : 1);
        lks_abi_end(&e);
    }
    lks_abi_end(&e);
    for (uint64_t i = 1; i <= 3; i++)
        lks_abi_put_u64(&e, i);
    lks_abi_begin_array(&e, 2, 1);
    lks_abi_put_bytes(&e, "xy", 2);
    lks_abi_put_bytes(&e, NULL, 0);
    lks_abi_end(&e);
    lks_abi_put_fixed(&e, "abc", 3);
    OK(lks_abi_finish(&e));
    assert_hex(out.data, out.len, WANT);
    lks_buf_free(&out);
}

static void test_misuse(void **state)
{
    (void)state;
    lks_buf out = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &out, 1);
    FAILS(LKS_INTERNAL, "heads", lks_abi_finish(&e)); /* a member is missing */
    lks_abi_begin(&e, &out, 1);
    lks_abi_put_u64(&e, 1);
    lks_abi_put_u64(&e, 2);
    FAILS(LKS_INTERNAL, "heads", lks_abi_finish(&e)); /* one too many */
    lks_buf_clear(&out);
    lks_abi_begin(&e, &out, 1);
    lks_abi_put_bytes(&e, "", 0);
    lks_abi_put_u64(&e, 2);
    FAILS(LKS_INTERNAL, "heads",
          lks_abi_finish(&e)); /* one too many, which must not end up in the tail */
    assert_hex(out.data, out.len, WORD("00000020") WORD("00000000"));
    lks_abi_begin(&e, &out, 1);
    lks_abi_begin_tuple(&e, 1);
    FAILS(LKS_INTERNAL, "heads", lks_abi_finish(&e)); /* left open */
    lks_abi_begin(&e, &out, 1);
    for (int i = 0; i <= LKS_ABI_MAX_DEPTH; i++)
        lks_abi_begin_tuple(&e, 1);
    FAILS(LKS_INTERNAL, "heads", lks_abi_finish(&e)); /* too deep */
    lks_abi_begin(&e, &out, 1);
    lks_abi_begin_array(&e, SIZE_MAX / 32, 2);
    FAILS(LKS_INTERNAL, "heads", lks_abi_finish(&e)); /* an impossible size */
    lks_buf_free(&out);
}

/* A change to MIXED and the reason that reading it must give. */
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *reason;
    } CHANGES[] = {
        {0, 1, "64-bit"},          /* a number over 64 bits */
        {32, 1, "64-bit"},         /* an offset over 64 bits */
        {62, 0xff, "no offset"},   /* an offset beyond the data */
        {63, 0xa1, "no offset"},   /* an offset that is no multiple of 32 */
        {160, 1, "64-bit"},        /* a length over 64 bits */
        {160 + 24, 0xff, "where"}, /* a length near 2^64 */
        {160 + 30, 2, "where"},    /* a length beyond the data */
        {160 + 32 + 36, 1, "padding"},
        {160 + 32 + 63, 1, "padding"},
        {256, 1, "address"},
        {320 + 24, 0xff, "room for"}, /* an array near 2^64 long */
        {320 + 31, 7, "room for"},
        {159, 2, "bool"},
        {128, 1, "bool"},
    };
    lks_buf good = {0};
    write_mixed(&good);
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        uint8_t *copy = (uint8_t *)exact((const char *)good.data, good.len);
        assert_true(copy[CHANGES[i].at] != CHANGES[i].value);
        copy[CHANGES[i].at] = CHANGES[i].value;
        FAILS(LKS_CORRUPT, CHANGES[i].reason, read_mixed(copy, good.len));
        free(copy);
    }
    lks_buf_free(&good);
    lks_abi_reader r, inner;
    size_t count;
    uint32_t small;
    uint8_t words[96] = {0};
    words[31] = 32, words[63] = 1;
    lks_abi_read(&r, words, 96);
    OK(lks_abi_read_array(&r, 1, &inner, &count));
    lks_abi_read(&r, words, 96);
    FAILS(LKS_CORRUPT, "room for 0", lks_abi_read_array(&r, 2, &inner, &count));
    words[27] = 1;
    lks_abi_read(&r, words, 96);
    FAILS(LKS_CORRUPT, "32-bit", lks_abi_read_u32(&r, &small));
}

static void expect_revert(const char *digits, const char *want)
{
    static const char *const ERRORS[] = {"BondTooSmall(uint256,uint256)", "NotOperator(address)",
                                         "Sealed()", "Wrong(bytes32,bool,string)", NULL};
    char text[200];
    size_t len;
    uint8_t *data = unhex(digits, &len);
    lks_abi_revert_text(text, sizeof text, data, len, ERRORS);
    assert_string_equal(text, want);
    free(data);
}

static void test_revert(void **state)
{
    (void)state;
    uint8_t selector[4];
    char digits[400], hex[9];
    expect_revert("", "reverted without a reason");
    expect_revert("0102", "0x0102");
    expect_revert(
        "08c379a0" WORD("00000020")
            WORD("0000001a") "4e6f7420656e6f7567682045746865722070726f76696465642e000000000000",
        "Not enough Ether provided."); /* the Solidity documentation's example */
    expect_revert("4e487b71" WORD("00000011"), "panic 0x11 (arithmetic overflow)");
    expect_revert("12345678" WORD("00000011"), "custom error 0x12345678");
    expect_revert("08c379a0" WORD("00000021"), "custom error 0x08c379a0");
#define CUSTOM(signature, arguments, want)                                                         \
    do {                                                                                           \
        lks_abi_selector(selector, signature);                                                     \
        snprintf(hex, sizeof hex, "%02x%02x%02x%02x", selector[0], selector[1], selector[2],       \
                 selector[3]);                                                                     \
        snprintf(digits, sizeof digits, "%s%s", hex, arguments);                                   \
        expect_revert(digits, want);                                                               \
    } while (0)
    CUSTOM("BondTooSmall(uint256,uint256)", WORD("000003e8") WORD("000007d0"),
           "BondTooSmall(1000, 2000)");
    CUSTOM("BondTooSmall(uint256,uint256)", WORD("000003e8"), "BondTooSmall(1000, ...)");
    CUSTOM("NotOperator(address)",
           "0000000000000000000000005aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
           "NotOperator(0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed)");
    CUSTOM("Sealed()", "", "Sealed()");
    CUSTOM("Wrong(bytes32,bool,string)", WORD("00000001") WORD("00000001") WORD("00000060"),
           "Wrong(0x" WORD("00000001") ", true, ...)");
#undef CUSTOM
    char small[8];
    lks_abi_revert_text(small, sizeof small, NULL, 0, NULL);
    assert_string_equal(small, "reverte");
    expect_revert(
        "08c379a0" WORD("00000020")
            WORD("00000003") "411b420000000000000000000000000000000000000000000000000000000000",
        "A?B");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selectors), cmocka_unit_test(test_sam),
        cmocka_unit_test(test_bar),       cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_nested),    cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_hostile),   cmocka_unit_test(test_revert)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
