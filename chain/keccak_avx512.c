#include "chain/keccak_internal.h"

#include <immintrin.h>

#define V __m512i
#define LANES 8
#define ZERO _mm512_setzero_si512()
#define SPLAT(x) _mm512_set1_epi64((long long)(x))
#define XOR(a, b) _mm512_xor_si512(a, b)
#define XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define CHI(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0xd2)
#define ROL(a, n) _mm512_rol_epi64(a, n)

/* Words from to to - 1 of the eight at p, from <= 1; the others are zero and not read. */
static inline __m512i load(const uint8_t *p, size_t from, size_t to)
{
    return _mm512_maskz_loadu_epi64((__mmask8)((to >= 8 ? 0xffu : (1u << to) - 1) & ~(unsigned)from), p);
}

/* Eight words of eight messages are an 8 x 8 matrix to be transposed: pairs, then quarters, then halves. */
static inline void transpose(V w[8], const uint8_t *const in[LANES], size_t at, size_t from, size_t to)
{
    V pair[8], quad[8];
    for (int i = 0; i < 8; i += 2) {
        V a = load(in[i] + at, from, to), b = load(in[i + 1] + at, from, to);
        pair[i] = _mm512_unpacklo_epi64(a, b);     /* words 0, 2, 4, 6 of messages i, i + 1 */
        pair[i + 1] = _mm512_unpackhi_epi64(a, b); /* words 1, 3, 5, 7 */
    }
    for (int half = 0; half < 8; half += 4)
        for (int odd = 0; odd < 2; odd++) {
            quad[half + odd] = _mm512_shuffle_i64x2(pair[half + odd], pair[half + 2 + odd], 0x88);     /* words odd and 4 + odd */
            quad[half + 2 + odd] = _mm512_shuffle_i64x2(pair[half + odd], pair[half + 2 + odd], 0xdd); /* words 2 + odd and 6 + odd */
        }
    for (int i = 0; i < 4; i++) {
        w[i] = _mm512_shuffle_i64x2(quad[i], quad[4 + i], 0x88);
        w[4 + i] = _mm512_shuffle_i64x2(quad[i], quad[4 + i], 0xdd);
    }
}

static inline V join(const uint64_t lanes[LANES]) { return _mm512_loadu_si512((const void *)lanes); }

static inline void gather(V w[17], const uint8_t *const in[LANES], size_t at, size_t from, size_t to)
{
    uint64_t last[LANES] = {0};
    transpose(w, in, at, from, to);
    if (to > 8)
        transpose(w + 8, in, at + 64, 0, to - 8);
    else
        for (int i = 8; i < 16; i++)
            w[i] = ZERO;
    for (int l = 0; l < LANES && to > 16; l++)
        __builtin_memcpy(&last[l], in[l] + at + 128, 8);
    w[16] = join(last);
}

static inline void store(uint64_t lanes[LANES], V word) { _mm512_storeu_si512((void *)lanes, word); }

#include "chain/keccak_lanes.inc"

void lks_keccak_8_avx512(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[8], size_t len) { hash_lanes(out, prefix, in, len); }
