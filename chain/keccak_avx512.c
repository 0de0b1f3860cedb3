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

/* Bytes begin to end - 1 of the 64 at p; the others are zero and not read. */
static inline __m512i load(const uint8_t *p, size_t begin, size_t end)
{
    return _mm512_maskz_loadu_epi8((__mmask64)((end >= 64 ? ~0ull : (1ull << end) - 1) &
                                               ~0ull << begin),
                                   p);
}

/* Eight words of eight messages are an 8 x 8 matrix to be transposed: pairs, then quarters, then
 * halves. */
static inline void transpose(V w[8], const uint8_t *const in[LANES], size_t at, size_t begin,
                             size_t end)
{
    V pair[8], quad[8];
    for (int i = 0; i < 8; i += 2) {
        V a = load(in[i] + at, begin, end), b = load(in[i + 1] + at, begin, end);
        pair[i] = _mm512_unpacklo_epi64(a, b);     /* words 0, 2, 4, 6 of messages i, i + 1 */
        pair[i + 1] = _mm512_unpackhi_epi64(a, b); /* words 1, 3, 5, 7 */
    }
    for (int half = 0; half < 8; half += 4)
        for (int odd = 0; odd < 2; odd++) {
            quad[half + odd] = _mm512_shuffle_i64x2(pair[half + odd], pair[half + 2 + odd],
                                                    0x88); /* words odd and 4 + odd */
            quad[half + 2 + odd] = _mm512_shuffle_i64x2(pair[half + odd], pair[half + 2 + odd],
                                                        0xdd); /* words 2 + odd and 6 + odd */
        }
    for (int i = 0; i < 4; i++) {
        w[i] = _mm512_shuffle_i64x2(quad[i], quad[4 + i], 0x88);
        w[4 + i] = _mm512_shuffle_i64x2(quad[i], quad[4 + i], 0xdd);
    }
}

/* One word of each message, of which `bytes` bytes are read, 1 to 8. */
static inline V column(const uint8_t *const in[LANES], size_t at, size_t bytes)
{
    long long word[LANES];
    for (int l = 0; l < LANES; l++)
        word[l] =
            _mm_cvtsi128_si64(_mm_maskz_loadu_epi8((__mmask16)((1u << bytes) - 1), in[l] + at));
    return _mm512_setr_epi64(word[0], word[1], word[2], word[3], word[4], word[5], word[6],
                             word[7]);
}

static inline void gather(V w[17], const uint8_t *const in[LANES], size_t at, size_t begin,
                          size_t end)
{
    for (int i = 8; i < 17; i++)
        w[i] = ZERO;
    transpose(w, in, at, begin, end);
    if (end > 72)
        transpose(w + 8, in, at + 64, 0, end - 64);
    else if (end > 64)
        w[8] = column(in, at + 64, end - 64);
    if (end > 128)
        w[16] = column(in, at + 128, end - 128);
}

static inline void put(uint8_t (*out)[32], const V s[25])
{
    const V low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
            high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    for (int odd = 0; odd < 2; odd++) {
        V a = odd ? _mm512_unpackhi_epi64(s[0], s[1]) : _mm512_unpacklo_epi64(s[0], s[1]);
        V b = odd ? _mm512_unpackhi_epi64(s[2], s[3]) : _mm512_unpacklo_epi64(s[2], s[3]);
        V first = _mm512_permutex2var_epi64(a, low, b),
          second =
              _mm512_permutex2var_epi64(a, high,
                                        b); /* messages 0 and 2, 4 and 6; or 1 and 3, 5 and 7 */
        _mm256_storeu_si256((__m256i *)(void *)out[odd], _mm512_castsi512_si256(first));
        _mm256_storeu_si256((__m256i *)(void *)out[2 + odd], _mm512_extracti64x4_epi64(first, 1));
        _mm256_storeu_si256((__m256i *)(void *)out[4 + odd], _mm512_castsi512_si256(second));
        _mm256_storeu_si256((__m256i *)(void *)out[6 + odd], _mm512_extracti64x4_epi64(second, 1));
    }
}

#include "chain/keccak_lanes.inc"

void lks_keccak_8_avx512(uint8_t (*out)[32], lks_keccak_prefix prefix, const uint8_t *const in[8],
                         size_t len)
{
    hash_lanes(out, prefix, in, len);
}
