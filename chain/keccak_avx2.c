#include "chain/keccak_internal.h"

#include <immintrin.h>
#include <string.h>

#define V __m256i
#define LANES 4
#define ZERO _mm256_setzero_si256()
#define SPLAT(x) _mm256_set1_epi64x((long long)(x))
#define XOR(a, b) _mm256_xor_si256(a, b)
#define XOR3(a, b, c) XOR(a, XOR(b, c))
#define CHI(a, b, c) XOR(a, _mm256_andnot_si256(b, c))
#define ROL(a, n) _mm256_or_si256(_mm256_slli_epi64(a, n), _mm256_srli_epi64(a, 64 - (n)))

static inline __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Four words of four messages are a 4 x 4 matrix to be transposed. */
static inline void transpose(V w[4], V a, V b, V c, V d)
{
    V ab0 = _mm256_unpacklo_epi64(a, b), ab1 = _mm256_unpackhi_epi64(a, b),
      cd0 = _mm256_unpacklo_epi64(c, d), cd1 = _mm256_unpackhi_epi64(c, d);
    w[0] = _mm256_permute2x128_si256(ab0, cd0, 0x20);
    w[1] = _mm256_permute2x128_si256(ab1, cd1, 0x20);
    w[2] = _mm256_permute2x128_si256(ab0, cd0, 0x31);
    w[3] = _mm256_permute2x128_si256(ab1, cd1, 0x31);
}

/* Where a block is not read whole, it is copied first. */
static inline void gather(V w[17], const uint8_t *const in[LANES], size_t at, size_t begin,
                          size_t end)
{
    uint8_t copy[LANES][RATE];
    const uint8_t *p[LANES];
    uint64_t last[LANES];
    for (int l = 0; l < LANES; l++) {
        p[l] = copy[l];
        if (begin == 0 && end == RATE)
            p[l] = (const uint8_t *)((uintptr_t)in[l] + at);
        else {
            memset(copy[l], 0, RATE);
            memcpy(copy[l] + begin, (const uint8_t *)((uintptr_t)in[l] + at + begin), end - begin);
        }
        memcpy(&last[l], p[l] + 128, 8);
    }
    for (int i = 0; i < 16; i += 4)
        transpose(w + i, load(p[0] + 8 * i), load(p[1] + 8 * i), load(p[2] + 8 * i),
                  load(p[3] + 8 * i));
    w[16] = load((const uint8_t *)last);
}

static inline void put(uint8_t (*out)[32], const V s[25])
{
    V rows[LANES];
    transpose(rows, s[0], s[1], s[2], s[3]);
    for (int l = 0; l < LANES; l++)
        _mm256_storeu_si256((__m256i *)(void *)out[l], rows[l]);
}

#include "chain/keccak_lanes.inc"

void lks_keccak_4_avx2(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[4],
                       size_t len)
{
    hash_lanes(out, prefix, in, len);
}
