#include "chain/keccak_internal.h"

#include "chain/keccak.h"

#include <stdatomic.h>
#include <string.h>

static atomic_int chosen = -1; /* an lks_keccak_level; -1: not yet */

lks_keccak_level lks_keccak_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return LKS_KECCAK_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return LKS_KECCAK_AVX2;
#endif
    return LKS_KECCAK_PLAIN;
}

void lks_keccak_force(lks_keccak_level level) { atomic_store_explicit(&chosen, level, memory_order_relaxed); }

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
typedef void (*lanes_fn)(uint8_t (*out)[32], const uint8_t *const *in, size_t len);

/* All but at most one message, `lanes` at a time: the last time lanes that have none of their own repeat the first. Returns: messages done. */
static size_t hash_groups(uint8_t (*out)[32], const uint8_t *const *in, size_t len, size_t count, lanes_fn hash, size_t lanes)
{
    size_t done = 0;
    for (; count - done >= lanes; done += lanes)
        hash(out + done, in + done, len);
    if (count - done < 2)
        return done;
    const uint8_t *rest[8];
    uint8_t digests[8][32];
    for (size_t l = 0; l < lanes; l++)
        rest[l] = in[done + l < count ? done + l : done];
    hash(digests, rest, len);
    memcpy(out + done, digests, (count - done) * sizeof *out);
    return count;
}
#endif

void lks_keccak256_many(uint8_t (*out)[32], const uint8_t *const *in, size_t len, size_t count)
{
    size_t done = 0;
#if defined(__x86_64__)
    switch (level_in_use()) {
    case LKS_KECCAK_AVX512: done = hash_groups(out, in, len, count, lks_keccak_8_avx512, 8); break;
    case LKS_KECCAK_AVX2: done = hash_groups(out, in, len, count, lks_keccak_4_avx2, 4); break;
    default: break;
    }
#else
    (void)level_in_use();
#endif
    for (; done < count; done++)
        lks_keccak256(out[done], in[done], len);
}
