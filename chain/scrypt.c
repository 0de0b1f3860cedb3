#include "chain/scrypt.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* A block of 128 * r bytes as 32 * r little-endian words, the form that Salsa20 works on. */

static inline uint32_t rol(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* RFC 7914, section 3. */
static void salsa20_8(uint32_t b[16])
{
    uint32_t x[16];
    memcpy(x, b, sizeof x);
    for (int i = 0; i < 4; i++) {
#define QUARTER(a, b, c, d)                                                                        \
    x[b] ^= rol(x[a] + x[d], 7), x[c] ^= rol(x[b] + x[a], 9), x[d] ^= rol(x[c] + x[b], 13),        \
        x[a] ^= rol(x[d] + x[c], 18)
        QUARTER(0, 4, 8, 12);
        QUARTER(5, 9, 13, 1);
        QUARTER(10, 14, 2, 6);
        QUARTER(15, 3, 7, 11);
        QUARTER(0, 1, 2, 3);
        QUARTER(5, 6, 7, 4);
        QUARTER(10, 11, 8, 9);
        QUARTER(15, 12, 13, 14);
#undef QUARTER
    }
    for (int i = 0; i < 16; i++)
        b[i] += x[i];
}

/* scryptBlockMix, section 4: out and in do not overlap. */
static void block_mix(uint32_t *out, const uint32_t *in, size_t r)
{
    uint32_t x[16];
    memcpy(x, in + (2 * r - 1) * 16, sizeof x);
    for (size_t i = 0; i < 2 * r; i++) {
        for (int j = 0; j < 16; j++)
            x[j] ^= in[i * 16 + (size_t)j];
        salsa20_8(x);
        memcpy(out + (i / 2 + i % 2 * r) * 16, x, sizeof x);
    }
    explicit_bzero(x, sizeof x);
}

/* One step of scryptROMix's second loop: out = blockMix(b xor the block of v that b names); b is
 * used up. */
static void mix_with(uint32_t *out, uint32_t *b, const uint32_t *v, uint64_t n, size_t r)
{
    const uint32_t *last = b + (2 * r - 1) * 16;
    const uint32_t *picked = v + (((uint64_t)last[1] << 32 | last[0]) & (n - 1)) * 32 * r;
    for (size_t j = 0; j < 32 * r; j++)
        b[j] ^= picked[j];
    block_mix(out, b, r);
}

/* scryptROMix, section 5. In: v, n blocks of room; t, one block of room. In/Out: b. n is even. */
static void ro_mix(uint32_t *b, uint32_t *v, uint32_t *t, uint64_t n, size_t r)
{
    size_t words = 32 * r;
    memcpy(v, b, words * 4);
    for (uint64_t i = 1; i < n; i++)
        block_mix(v + i * words, v + (i - 1) * words, r);
    block_mix(b, v + (n - 1) * words, r);
    for (uint64_t i = 0; i < n; i += 2) {
        mix_with(t, b, v, n, r);
        mix_with(b, t, v, n, r);
    }
}

static lks_err pbkdf2(uint8_t *out, size_t len, const void *password, size_t password_len,
                      const uint8_t *salt, size_t salt_len)
{
    if (PKCS5_PBKDF2_HMAC(password_len ? password : "", (int)password_len, salt, (int)salt_len, 1,
                          EVP_sha256(), (int)len, out) == 1)
        return LKS_OK;
    ERR_clear_error();
    return lks_fail(LKS_NOMEM, "out of memory for a key derivation");
}

/* The bytes of a block, and its words, in place. */
static void to_words(uint32_t *words, size_t count)
{
    const uint8_t *bytes = (const uint8_t *)words;
    for (size_t i = 0; i < count; i++)
        words[i] = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 |
                   (uint32_t)bytes[4 * i + 2] << 16 | (uint32_t)bytes[4 * i + 3] << 24;
}

static void to_bytes(uint32_t *words, size_t count)
{
    uint8_t *bytes = (uint8_t *)words;
    for (size_t i = 0; i < count; i++) {
        uint32_t word = words[i];
        for (int j = 0; j < 4; j++)
            bytes[4 * i + (size_t)j] = (uint8_t)(word >> (8 * j));
    }
}

lks_err lks_scrypt(uint8_t *out, size_t len, const void *password, size_t password_len,
                   const uint8_t *salt, size_t salt_len, uint64_t n, uint32_t r, uint32_t p)
{
    if (n < 2 || (n & (n - 1)) || !r || !p || n > (UINT64_C(1) << 40) || r > 1 << 22 ||
        (uint64_t)r * p >= 1 << 22 || len > INT_MAX || password_len > INT_MAX || salt_len > INT_MAX)
        return lks_fail(
            LKS_BADARGS,
            "scrypt: n must be a power of two above 1, r and p above 0 and r * p below 2^22");
    size_t block = (size_t)128 * r, words = block / 4;
    if (n > SIZE_MAX / block)
        return lks_fail(LKS_NOMEM, "out of memory for a key derivation");
    uint32_t *b = malloc(block * p), *v = malloc(block * n), *t = malloc(block);
    lks_err err = b && v && t
                      ? LKS_OK
                      : lks_fail(LKS_NOMEM, "no memory for the key derivation; it needs %zu MiB",
                                 (size_t)(block * n >> 20) + 1);
    if (!err)
        err = pbkdf2((uint8_t *)b, block * p, password, password_len, salt, salt_len);
    if (!err) {
        for (uint32_t i = 0; i < p; i++) {
            to_words(b + i * words, words);
            ro_mix(b + i * words, v, t, n, r);
            to_bytes(b + i * words, words);
        }
        err = pbkdf2(out, len, password, password_len, (const uint8_t *)b, block * p);
        explicit_bzero(b, block * p);
        explicit_bzero(v, block * n);
        explicit_bzero(t, block);
    }
    free(b);
    free(v);
    free(t);
    return err;
}
