#include "oracle/cli/utf8.h"

#include "tests/chain/chain_test.h"

/* Feeds len bytes in pieces of `piece` and ends. Out: text, zero-terminated, at most size bytes. */
static void feed(char *text, size_t size, const char *in, size_t len, size_t piece,
                 bool for_terminal)
{
    lks_utf8 u = {.for_terminal = for_terminal};
    size_t used = 0;
    while (len > 0) {
        size_t n = len < piece ? len : piece;
        char *copy = exact(in, n);
        char *out = malloc(LKS_UTF8_ROOM(n));
        assert_non_null(out);
        size_t wrote = lks_utf8_feed(&u, copy, n, out);
        assert_true(wrote <= LKS_UTF8_ROOM(n) && used + wrote + LKS_UTF8_ROOM(0) < size);
        memcpy(text + used, out, wrote);
        used += wrote;
        in += n;
        len -= n;
        free(copy);
        free(out);
    }
    used += lks_utf8_end(&u, text + used);
    text[used] = '\0';
}

static void check(const char *in, size_t len, bool for_terminal, const char *want)
{
    for (size_t piece = 1; piece <= len; piece++) {
        char text[1024];
        feed(text, sizeof text, in, len, piece, for_terminal);
        if (strcmp(text, want) != 0) {
            fail_msg("in pieces of %zu: '%s', not '%s'", piece, text, want);
        }
    }
}

#define BAD "\xef\xbf\xbd"

static void test_valid_text_is_unchanged(void **state)
{
    (void)state;
    const char *text = "plain, \xc3\xa9, \xe2\x82\xac, \xed\x9f\xbf, \xee\x80\x80, "
                       "\xf0\x9f\x98\x80, \xf4\x8f\xbf\xbf\n\ttab";
    check(text, strlen(text), false, text);
    check(text, strlen(text), true, text);
}

static void test_unfinished_is_held_back(void **state)
{
    (void)state;
    lks_utf8 u = {0};
    char out[LKS_UTF8_ROOM(8)];
    assert_int_equal(lks_utf8_feed(&u, "\xf0\x9f\x98", 3, out), 0);
    assert_int_equal(lks_utf8_feed(&u, "\x80", 1, out), 4);
    assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(lks_utf8_end(&u, out), 0);
}

/* The first is the example of table 3-8 of the Unicode standard. */
static void test_invalid_becomes_replacements(void **state)
{
    (void)state;
    check("\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64", 13, false,
          "a" BAD BAD BAD "b" BAD "c" BAD BAD "d");
    check("\xc0\xaf\xc1\xbf", 4, false, BAD BAD BAD BAD); /* overlong */
    check("\xe0\x80\xaf", 3, false, BAD BAD BAD);         /* overlong */
    check("\xf0\x80\x80\x80", 4, false, BAD BAD BAD BAD); /* overlong */
    check("\xed\xa0\x80", 3, false, BAD BAD BAD);         /* surrogate */
    check("\xf4\x90\x80\x80", 4, false, BAD BAD BAD BAD); /* above U+10FFFF */
    check("\xf5\xff\xfe", 3, false, BAD BAD BAD);
    check("x\xe2\x82", 3, false, "x" BAD); /* ends within a character */
}

static void test_terminal_sees_no_controls(void **state)
{
    (void)state;
    check("a\x1b[31mb\r\x7f\xc2\x9b", 11, true, "a" BAD "[31mb" BAD BAD BAD);
    check("a\x1b[31mb", 7, false, "a\x1b[31mb");
    check("\xc2\xa0\xc3\x9b", 4, true, "\xc2\xa0\xc3\x9b"); /* not controls */
}

/* Whatever goes in, valid UTF-8 comes out, independent of where it is cut. Validity by a decoder of
 * its own. */
static bool is_utf8(const unsigned char *s)
{
    while (*s != 0) {
        int more = *s < 0x80 ? 0 : *s >> 5 == 6 ? 1 : *s >> 4 == 14 ? 2 : *s >> 3 == 30 ? 3 : -1;
        uint32_t c = more == 0 ? *s : more == 1 ? *s & 31u : more == 2 ? *s & 15u : *s & 7u;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (more < 0) {
            return false;
        }
        for (int i = 0; i < more; i++) {
            if (*++s >> 6 != 2) {
                return false;
            }
            c = c << 6 | (*s & 63u);
        }
        if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
            return false;
        }
        s++;
    }
    return true;
}

static void test_random_bytes(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1,
                                          0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5};
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char in[24], whole[512], cut[512];
        for (size_t i = 0; i < sizeof in; i++) {
            seed = seed * 1664525u + 1013904223u;
            in[i] = (char)(seed >> 31 ? edges[seed >> 20 & 15] : 1 + (seed >> 20) % 255);
        }
        feed(whole, sizeof whole, in, sizeof in, sizeof in, false);
        feed(cut, sizeof cut, in, sizeof in, 1 + seed % 5, false);
        assert_string_equal(whole, cut);
        assert_true(is_utf8((const unsigned char *)whole));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_text_is_unchanged),
        cmocka_unit_test(test_unfinished_is_held_back),
        cmocka_unit_test(test_invalid_becomes_replacements),
        cmocka_unit_test(test_terminal_sees_no_controls),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
