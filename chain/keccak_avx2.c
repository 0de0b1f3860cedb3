#include "chain/keccak_internal.h"

#include <immintrin.h>

#define V __m256i
#define LANES 4
#define ZERO _mm256_setzero_si256()
#define SPLAT(x) _mm256_set1_epi64x((long long)(x))
#define XOR(a, b) _mm256_xor_si256(a, b)
#define XOR3(a, b, c) XOR(XOR(a, b), c)
#define CHI(a, b, c) XOR(a, _mm256_andnot_si256(b, c))
#define ROL(a, n) _mm256_or_si256(_mm256_slli_epi64(a, n), _mm256_srli_epi64(a, 64 - (n)))

/* Words from to to - 1 of the four at p, from <= 1; the others are zero and not read. */
static inline __m256i load(const uint8_t *p, size_t from, size_t to)
{
    static const long long masks[9] = {0, -1, -1, -1, -1, 0, 0, 0, 0}; /* masks + 1 + 4 - to has `to` words set */
    __m256i mask = _mm256_loadu_si256((const __m256i *)(const void *)(masks + 5 - (to < 4 ? to : 4)));
    if (from)
        mask = _mm256_and_si256(mask, _mm256_loadu_si256((const __m256i *)(const void *)masks));
    return _mm256_maskload_epi64((const long long *)(const void *)p, mask);
}

static inline V join(const uint64_t lanes[LANES]) { return _mm256_loadu_si256((const __m256i *)(const void *)lanes); }

/* Four words of four messages are a 4 x 4 matrix to be transposed. */
static inline void gather(V w[17], const uint8_t *const in[LANES], size_t at, size_t from, size_t to)
{
    uint64_t last[LANES] = {0};
    for (size_t i = 0; i < 16; i += 4) {
        size_t skip = i ? 0 : from, end = to > i ? to - i : 0;
        V a = load(in[0] + at + 8 * i, skip, end), b = load(in[1] + at + 8 * i, skip, end), c = load(in[2] + at + 8 * i, skip, end),
          d = load(in[3] + at + 8 * i, skip, end);
        V ab0 = _mm256_unpacklo_epi64(a, b), ab1 = _mm256_unpackhi_epi64(a, b), cd0 = _mm256_unpacklo_epi64(c, d), cd1 = _mm256_unpackhi_epi64(c, d);
        w[i] = _mm256_permute2x128_si256(ab0, cd0, 0x20);
        w[i + 1] = _mm256_permute2x128_si256(ab1, cd1, 0x20);
        w[i + 2] = _mm256_permute2x128_si256(ab0, cd0, 0x31);
        w[i + 3] = _mm256_permute2x128_si256(ab1, cd1, 0x31);
    }
    for (int l = 0; l < LANES && to > 16; l++)
        __builtin_memcpy(&last[l], in[l] + at + 128, 8);
    w[16] = join(last);
}

static inline void store(uint64_t lanes[LANES], V word) { _mm256_storeu_si256((__m256i *)(void *)lanes, word); }

#include "chain/keccak_lanes.inc"

void lks_keccak_4_avx2(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[4], size_t len) { hash_lanes(out, prefix, in, len); }
