/* Keys and signatures on secp256k1, by libsecp256k1: nonces by RFC 6979, low s, a randomised
 * context for every key. A key is only ever in a lks_signer or in a caller's 32 bytes; both are
 * wiped with explicit_bzero. Thread rule: a signer may be used by several threads at once; freeing
 * it needs all of them done.
 */
#ifndef LKS_CHAIN_SIGNER_H
#define LKS_CHAIN_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_signer lks_signer;

typedef struct lks_signature {
    uint8_t r32[32]; /* big-endian */
    uint8_t s32[32]; /* big-endian, at most half the group order */
    uint8_t parity;  /* 0 or 1: EIP-1559's yParity; v of ecrecover is 27 more */
} lks_signature;

/* Makes a signer from a private key, which it copies; the caller wipes its own.
 * Returns: LKS_OK; LKS_BADARGS (zero, or not below the group order); LKS_NOMEM; LKS_IO (no
 * randomness). */
lks_err lks_signer_new(lks_signer **out, const uint8_t key32[32]) LKS_MUST_USE;
/* Wipes and frees; NULL is harmless. */
void lks_signer_free(lks_signer *signer);

/* Returns: the 20 bytes of its address; they live as long as the signer. */
const uint8_t *lks_signer_address(const lks_signer *signer);

/* Signs a digest of 32 bytes. Returns: LKS_OK or LKS_INTERNAL. */
lks_err lks_signer_sign(const lks_signer *signer, lks_signature *out,
                        const uint8_t digest32[32]) LKS_MUST_USE;

/* Out: the address whose key made the signature over the digest. A high s is refused, as the
 * network does (EIP-2). Returns: LKS_OK or LKS_CORRUPT. */
lks_err lks_recover_address(uint8_t address20[20], const lks_signature *signature,
                            const uint8_t digest32[32]) LKS_MUST_USE;

/* Out: a fresh key from the kernel's random generator. The caller wipes it. Returns: LKS_OK or
 * LKS_IO. */
lks_err lks_key_generate(uint8_t key32[32]) LKS_MUST_USE;

/* Overwrites len bytes at data such that the compiler cannot leave it out. */
void lks_wipe(void *data, size_t len);

/* Fills len bytes from the kernel's random generator. Returns: LKS_OK or LKS_IO. */
lks_err lks_random(void *data, size_t len) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
