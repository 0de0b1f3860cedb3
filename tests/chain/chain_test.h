/* What the tests of chain/ share. */
#ifndef LKS_TESTS_CHAIN_TEST_H
#define LKS_TESTS_CHAIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/buf.h"
#include "chain/err.h"

/* The call must succeed; else its reason is shown. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        lks_err ok_err = (call);                                                                   \
        if (ok_err)                                                                                \
            fail_msg("%s: %s: %s", #call, lks_err_name(ok_err), lks_error_message());              \
    } while (0)

/* The call must fail with this value, and its reason must contain this text. */
#define FAILS(expected, text, call)                                                                \
    do {                                                                                           \
        lks_err fails_err = (call);                                                                \
        if (fails_err != (expected))                                                               \
            fail_msg("%s gave %s (%s)", #call, lks_err_name(fails_err), lks_error_message());      \
        if (!strstr(lks_error_message(), text))                                                    \
            fail_msg("%s: the reason is: %s", #call, lks_error_message());                         \
    } while (0)

static inline int unhex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Returns: the bytes of hexadecimal digits without 0x, in memory of exactly that size, so that a
 * sanitizer sees what reads beyond; the caller frees them. Independent of the code under test. */
static inline uint8_t *unhex(const char *digits, size_t *len)
{
    *len = strlen(digits) / 2;
    uint8_t *bytes = malloc(*len ? *len : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < *len; i++)
        bytes[i] = (uint8_t)(unhex_digit(digits[2 * i]) << 4 | unhex_digit(digits[2 * i + 1]));
    return bytes;
}

static inline void unhex_to(uint8_t *out, size_t len, const char *digits)
{
    size_t found;
    uint8_t *bytes = unhex(digits, &found);
    assert_int_equal(found, len);
    memcpy(out, bytes, len);
    free(bytes);
}

static inline void assert_hex(const void *data, size_t len, const char *digits)
{
    size_t want_len;
    uint8_t *want = unhex(digits, &want_len);
    assert_int_equal(len, want_len);
    assert_memory_equal(data, want, len);
    free(want);
}

/* A copy in memory of exactly its size, not zero-terminated. */
static inline char *exact(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

#endif
