#include "chain/keccak_internal.h"

#include "chain/keccak.h"

#include <stdatomic.h>
#include <string.h>

static atomic_int chosen = -1; /* an lks_keccak_level; -1: not yet */

lks_keccak_level lks_keccak_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return LKS_KECCAK_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return LKS_KECCAK_AVX2;
#endif
    return LKS_KECCAK_PLAIN;
}

void lks_keccak_force(lks_keccak_level level)
{
    atomic_store_explicit(&chosen, level, memory_order_relaxed);
}

static lks_keccak_level level_in_use(void)
{
    int level = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (level < 0) {
        level = lks_keccak_best();
        lks_keccak_force((lks_keccak_level)level);
    }
    return (lks_keccak_level)level;
}

#if defined(__x86_64__)
typedef void (*lanes_fn)(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const *in,
                         size_t len);

/* `lanes` messages at a time; the last time lanes that have none of their own repeat the first,
 * unless fewer than `least` are left. Returns: messages done. */
static size_t hash_groups(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const *in,
                          size_t len, size_t count, lanes_fn hash, size_t lanes, size_t least)
{
    size_t done = 0;
    for (; count - done >= lanes; done += lanes)
        hash(out + done, prefix, in + done, len);
    if (count - done < least)
        return done;
    const uint8_t *rest[8];
    uint8_t digests[8][32];
    for (size_t l = 0; l < lanes; l++)
        rest[l] = in[done + l < count ? done + l : done];
    hash(digests, prefix, rest, len);
    memcpy(out + done, digests, (count - done) * sizeof *out);
    return count;
}
#endif

/* Returns: messages done by vector instructions. */
static size_t hash_vectors(uint8_t (*out)[32], const uint8_t *prefix, size_t prefix_len,
                           const uint8_t *const *in, size_t len, size_t count)
{
#if defined(__x86_64__)
    lks_keccak_prefix p = {0, prefix_len};
    if (prefix_len >= 8)
        return 0;
    for (size_t i = 0; i < prefix_len; i++)
        p.bytes |= (uint64_t)prefix[i] << (8 * i);
    switch (level_in_use()) {
    case LKS_KECCAK_AVX512: return hash_groups(out, p, in, len, count, lks_keccak_8_avx512, 8, 1);
    case LKS_KECCAK_AVX2: return hash_groups(out, p, in, len, count, lks_keccak_4_avx2, 4, 2);
    default: break;
    }
#else
    (void)out, (void)prefix, (void)prefix_len, (void)in, (void)len, (void)count,
        (void)level_in_use();
#endif
    return 0;
}

void lks_keccak256_many(uint8_t (*out)[32], const void *prefix, size_t prefix_len,
                        const uint8_t *const *in, size_t len, size_t count)
{
    for (size_t i = hash_vectors(out, prefix, prefix_len, in, len, count); i < count; i++) {
        lks_keccak ctx;
        lks_keccak_init(&ctx);
        lks_keccak_update(&ctx, prefix, prefix_len);
        lks_keccak_update(&ctx, in[i], len);
        lks_keccak_final(&ctx, out[i]);
    }
}
