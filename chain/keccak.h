/* Keccak-256 as Ethereum uses it: rate 1088, capacity 512, padding 0x01 (not SHA-3's 0x06), 32 bytes out.
 * Source: The Keccak reference 3.0, and the Ethereum Yellow Paper, appendix B. The shape is tiny-keccak's C port:
 * a 25-word state, absorb, pad, permute.
 * Thread rule: no shared state; a context belongs to one thread at a time.
 */
#ifndef LKS_CHAIN_KECCAK_H
#define LKS_CHAIN_KECCAK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_keccak {
    uint64_t state[25];
    size_t offset; /* bytes absorbed into the current block, below 136 */
} lks_keccak;

void lks_keccak_init(lks_keccak *ctx);
/* In: len bytes at data (may be NULL when len is 0). May be called any number of times. */
void lks_keccak_update(lks_keccak *ctx, const void *data, size_t len);
/* Out: digest32, 32 bytes. The context must be initialised again before it is used again. */
void lks_keccak_final(lks_keccak *ctx, uint8_t digest32[32]);

/* Out: digest32 = Keccak-256 of len bytes at data. */
void lks_keccak256(uint8_t digest32[32], const void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
