/* Shared by the versions of keccak: those over several messages at once are for x86-64, and
 * keccak_many.c chooses. */
#ifndef LKS_CHAIN_KECCAK_INTERNAL_H
#define LKS_CHAIN_KECCAK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#define RATE 136 /* bytes of a block */

/* The first bytes of every message, the first in the lowest place; fewer than 8. */
typedef struct lks_keccak_prefix {
    uint64_t bytes;
    size_t len;
} lks_keccak_prefix;

/* Messages: the prefix, then the len bytes at in[0 to 3], in[0 to 7]. */
void lks_keccak_4_avx2(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[4],
                       size_t len);
void lks_keccak_8_avx512(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[8],
                         size_t len);

#endif
