/* Keccak-256 as Ethereum uses it: rate 1088, capacity 512, padding 0x01 (not SHA-3's 0x06), 32
 * bytes out. Source: The Keccak reference 3.0, and the Ethereum Yellow Paper, appendix B. The shape
 * is tiny-keccak's C port: a 25-word state, absorb, pad, permute. Thread rule: a context belongs to
 * one thread at a time; lks_keccak_force is for when no other thread hashes.
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

/* Out: out[i] = Keccak-256 of prefix_len bytes at prefix, then the len bytes at in[i], for i <
 * count: several at once with the vector instructions that the machine has, where the prefix has
 * fewer than 8 bytes. out does not overlap the messages. */
void lks_keccak256_many(uint8_t (*out)[32], const void *prefix, size_t prefix_len,
                        const uint8_t *const *in, size_t len, size_t count);

typedef enum lks_keccak_level {
    LKS_KECCAK_PLAIN,
    LKS_KECCAK_AVX2,
    LKS_KECCAK_AVX512
} lks_keccak_level;

/* The level that lks_keccak256_many takes by itself, by cpuid. */
lks_keccak_level lks_keccak_best(void);
/* From now on that level, which the machine must have: for tests and measurements. */
void lks_keccak_force(lks_keccak_level level);

#ifdef __cplusplus
}
#endif
#endif
