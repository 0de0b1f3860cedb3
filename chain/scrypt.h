/* The scrypt password-based key derivation. Source: RFC 7914.
 * In tree because OpenSSL refuses n of 2^16 and more with r = 1, which key files (and the published
 * test vector of Web3 secret storage) have; HMAC-SHA-256 and PBKDF2 are OpenSSL's. Thread rule: no
 * shared state.
 */
#ifndef LKS_CHAIN_SCRYPT_H
#define LKS_CHAIN_SCRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Out: len bytes at out. In: n, a power of two above 1; r and p above 0; the caller bounds them:
 * 128 * r * (n + p) bytes of memory are used and wiped. Returns: LKS_OK; LKS_BADARGS; LKS_NOMEM. */
lks_err lks_scrypt(uint8_t *out, size_t len, const void *password, size_t password_len,
                   const uint8_t *salt, size_t salt_len, uint64_t n, uint32_t r,
                   uint32_t p) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
