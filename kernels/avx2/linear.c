/* LINEAR with AVX2: 8 weight rows in the lanes of a vector. Products are summed in 16 bits as long
 * as that is exact, then in 32. */
#include "kernels/packed/ymm.inc"

#include "kernels/kernels.h"

/* Number of products that fit 16 bits, by the largest weight byte: each adds up to 2 * 127 times
 * that. Whole bytes are signed: their size (at most 128) meets the activation with their sign. */
INLINE unsigned exact_in_16_bits(lks_tensor_type type)
{
    return type == LKS_Q8_0                                           ? 1
           : type == LKS_Q6_K                                         ? 2
           : type == LKS_Q5_0 || type == LKS_Q5_1 || type == LKS_Q5_K ? 4
                                                                      : 8;
}

#define BIAS(type) ((type) == LKS_Q8_0 ? 0 : (int32_t)lks_pack_bias(type))

INLINE vi expanded(vi v, lks_tensor_type type)
{
    return type == LKS_Q8_0 ? _mm256_xor_si256(v, _mm256_set1_epi8((char)0x80)) : v;
}

INLINE vi products(vi w, vi a, lks_tensor_type type)
{
    return type == LKS_Q8_0 ? _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w))
                            : _mm256_maddubs_epi16(w, a);
}

INLINE vi widen(vi acc, vi part)
{
    return addi(acc, _mm256_madd_epi16(part, _mm256_set1_epi16(1)));
}

#define ROWS 4
#define BLOCKS 36
#define WIDE 1
#define GROUPS 2

INLINE void dots(vi sum[WIDE][ROWS], const uint8_t *w, size_t apart, const int8_t *a, size_t a_ld,
                 unsigned n, lks_tensor_type type)
{
    (void)apart;
    const unsigned run = exact_in_16_bits(type) < n ? exact_in_16_bits(type) : n;
    for (unsigned j = 0; j < n; j += run) {
        vi part[ROWS];
        for (unsigned i = j; i < j + run; i++) {
            vi v = load(w + 4 * LANES * i);
            for (unsigned t = 0; t < ROWS; t++) {
                vi p = products(v, set1i((int32_t)lks_word_at(a + a_ld * t + 4 * i)), type);
                part[t] = i == j ? p : _mm256_add_epi16(part[t], p);
            }
        }
        for (unsigned t = 0; t < ROWS; t++)
            sum[0][t] = widen(sum[0][t], part[t]);
    }
}

INLINE vi dot_half(vi acc, const vi v[4], const int8_t *a, lks_tensor_type type)
{
    const unsigned run = exact_in_16_bits(type) < 4 ? exact_in_16_bits(type) : 4;
    for (unsigned j = 0; j < 4; j += run) {
        vi part = products(expanded(v[j], type), set1i((int32_t)lks_word_at(a + 4 * j)), type);
        for (unsigned i = j + 1; i < j + run; i++)
            part = _mm256_add_epi16(part,
                                    products(v[i], set1i((int32_t)lks_word_at(a + 4 * i)), type));
        acc = widen(acc, part);
    }
    return acc;
}

#include "kernels/packed/linear_tiled.inc"

void lks_avx2_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                     uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
