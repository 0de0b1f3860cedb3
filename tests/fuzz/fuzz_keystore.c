/* Any bytes as a key file. Key derivations are not made but looked at: none may take more memory or
 * time than the reader promises, whatever the file asks for. The derived key is all zeros, so that
 * the fuzzer can get past the MAC (a seed does). */
#include "chain/keystore_internal.h"
#include "chain/scrypt.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
lks_err __wrap_lks_scrypt(uint8_t *out, size_t len, const void *password, size_t password_len,
                          const uint8_t *salt, size_t salt_len, uint64_t n, uint32_t r, uint32_t p);
int __wrap_PKCS5_PBKDF2_HMAC(const char *password, int password_len, const unsigned char *salt,
                             int salt_len, int rounds, const EVP_MD *digest, int len,
                             unsigned char *out);

#define MOST_MEMORY (UINT64_C(1) << 30) /* bytes */
#define MOST_BLOCKS (1u << 16)          /* of r and p */
#define MOST_WORK (UINT64_C(1) << 26)   /* blocks of scrypt */

static void check(bool good)
{
    if (!good)
        abort();
}

lks_err __wrap_lks_scrypt(uint8_t *out, size_t len, const void *password, size_t password_len,
                          const uint8_t *salt, size_t salt_len, uint64_t n, uint32_t r, uint32_t p)
{
    (void)password, (void)password_len, (void)salt;
    check(n > 1 && (n & (n - 1)) == 0 && r && p && salt_len <= 256);
    check(n <= MOST_MEMORY / 128 / r && p <= MOST_BLOCKS / r && n * r <= MOST_WORK / p);
    memset(out, 0, len);
    return LKS_OK;
}

int __wrap_PKCS5_PBKDF2_HMAC(const char *password, int password_len, const unsigned char *salt,
                             int salt_len, int rounds, const EVP_MD *digest, int len,
                             unsigned char *out)
{
    (void)password, (void)password_len, (void)salt, (void)digest;
    check(rounds > 0 && rounds <= 10000000 && salt_len <= 256);
    memset(out, 0, (size_t)len);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zero[32];
    uint8_t key[32], address[20];
    lks_json doc = {0};
    lks_err err = lks_keystore_decrypt(key, (const char *)data, size, "password", 8);
    check((err == LKS_OK) == (memcmp(key, zero, 32) != 0));
    check(err == LKS_OK || err == LKS_AUTH || err == LKS_CORRUPT || err == LKS_REFUSED);
    if (lks_json_parse(&doc, (const char *)data, size, 1000) == LKS_OK)
        (void)!lks_keystore_address(&doc, address);
    lks_json_free(&doc);
    return 0;
}
