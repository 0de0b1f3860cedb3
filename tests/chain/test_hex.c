#include "chain/hex.h"

#include "chain_test.h"

static lks_err to_u64(uint64_t *out, const char *text)
{
    char *copy = exact(text, strlen(text));
    lks_err err = lks_hex_to_u64(out, copy, strlen(text));
    free(copy);
    return err;
}

/* The examples of execution-apis, "Hex value encoding". */
static void test_quantity(void **state)
{
    (void)state;
    uint64_t value;
    char text[LKS_HEX_U64_SIZE];
    OK(to_u64(&value, "0x41"));
    assert_int_equal(value, 65);
    OK(to_u64(&value, "0x400"));
    assert_int_equal(value, 1024);
    OK(to_u64(&value, "0x0"));
    assert_int_equal(value, 0);
    OK(to_u64(&value, "0xFFFFffffFFFFffff"));
    assert_true(value == UINT64_MAX);
    FAILS(LKS_CORRUPT, "without digits", to_u64(&value, "0x"));
    FAILS(LKS_CORRUPT, "leading zero", to_u64(&value, "0x0400"));
    FAILS(LKS_CORRUPT, "leading zero", to_u64(&value, "0x00"));
    FAILS(LKS_CORRUPT, "0x", to_u64(&value, "ff"));
    FAILS(LKS_CORRUPT, "0x", to_u64(&value, ""));
    FAILS(LKS_CORRUPT, "0x", to_u64(&value, "0"));
    FAILS(LKS_CORRUPT, "0x", to_u64(&value, "0X41"));
    FAILS(LKS_CORRUPT, "digit", to_u64(&value, "0x4g"));
    FAILS(LKS_CORRUPT, "digit", to_u64(&value, "0x-1"));
    FAILS(LKS_CORRUPT, "64 bits", to_u64(&value, "0x10000000000000000"));
    const uint64_t values[] = {0, 1, 15, 16, 0x1234567890abcdef, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint64_t back;
        char want[LKS_HEX_U64_SIZE];
        lks_hex_from_u64(text, values[i]);
        snprintf(want, sizeof want, "0x%llx", (unsigned long long)values[i]);
        assert_string_equal(text, want);
        OK(to_u64(&back, text));
        assert_true(back == values[i]);
    }
}

static void test_data(void **state)
{
    (void)state;
    uint8_t bytes[4], all[256];
    char text[LKS_HEX_SIZE(256)];
    OK(lks_hex_decode(bytes, 4, "0xdeadBEEF", 10));
    assert_memory_equal(bytes, "\xde\xad\xbe\xef", 4);
    FAILS(LKS_CORRUPT, "8 are needed", lks_hex_decode(bytes, 4, "0xdeadbe", 8));
    FAILS(LKS_CORRUPT, "8 are needed", lks_hex_decode(bytes, 4, "0xdeadbeef0", 11));
    FAILS(LKS_CORRUPT, "character 9", lks_hex_decode(bytes, 4, "0xdeadbee ", 10));
    FAILS(LKS_CORRUPT, "0x", lks_hex_decode(bytes, 4, "deadbeef00", 10));
    OK(lks_hex_decode(bytes, 0, "0x", 2));
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    lks_hex_encode(text, all, 256);
    assert_hex(all, 256, text + 2);
    uint8_t back[256];
    OK(lks_hex_decode(back, 256, text, strlen(text)));
    assert_memory_equal(all, back, 256);
}

static void test_data_buffer(void **state)
{
    (void)state;
    lks_buf buf = {0};
    OK(lks_hex_decode_buf(&buf, "0x0102", 6));
    OK(lks_hex_decode_buf(&buf, "0x", 2));
    OK(lks_hex_decode_buf(&buf, "0xff", 4));
    assert_int_equal(buf.len, 3);
    assert_memory_equal(buf.data, "\x01\x02\xff", 3);
    FAILS(LKS_CORRUPT, "odd", lks_hex_decode_buf(&buf, "0x123", 5));
    FAILS(LKS_CORRUPT, "digit", lks_hex_decode_buf(&buf, "0x12zz", 6));
    assert_int_equal(buf.len, 3);
    lks_buf_clear(&buf);
    lks_hex_append(&buf, "\x00\xab", 2);
    assert_string_equal(lks_buf_text(&buf), "0x00ab");
    lks_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quantity), cmocka_unit_test(test_data),
                                       cmocka_unit_test(test_data_buffer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
