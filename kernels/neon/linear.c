/* LINEAR with the Advanced SIMD instructions that every 64-bit ARM has: 4 weight rows in the lanes
 * of a vector. Products are summed in 16 bits as long as that is exact, then by pairs in 32. */
#include "kernels/neon/vectors.inc"

#define STORED lks_neon_linear_stored
#define ROWS 4
#define BLOCKS 36
#define WIDE 1
#define GROUPS 2

/* Number of products that fit 16 bits, by the largest weight byte (in size 128, 63, 31, 15): each
 * adds up to 127 times that. */
INLINE unsigned exact_in_16_bits(lks_tensor_type type)
{
    return type == LKS_Q8_0 ? 2 : type == LKS_Q6_K ? 4 : 8;
}

/* Sums of two 16-bit halves for four rows of 8 bytes: two rows per half. */
typedef struct two_sums {
    int32x4_t low, high;
} two_sums;

/* The products of `count` vectors with 4 bytes each, exact in 16 bits. */
INLINE void add_products(two_sums *sum, const int8x16_t *w, const int8_t *a, unsigned count)
{
    int16x8_t low, high;
    for (unsigned j = 0; j < count; j++) {
        int8x8_t x = vreinterpret_s8_u32(vdup_n_u32(lks_word_at(a + 4 * j)));
        low = j ? vmlal_s8(low, vget_low_s8(w[j]), x) : vmull_s8(vget_low_s8(w[j]), x);
        high = j ? vmlal_s8(high, vget_high_s8(w[j]), x) : vmull_s8(vget_high_s8(w[j]), x);
    }
    sum->low = vpadalq_s16(sum->low, low);
    sum->high = vpadalq_s16(sum->high, high);
}

INLINE void dots(vi sum[WIDE][ROWS], const uint8_t *w, size_t apart, const int8_t *a, size_t a_ld,
                 unsigned n, lks_tensor_type type)
{
    (void)apart;
    const unsigned run = exact_in_16_bits(type) < n ? exact_in_16_bits(type) : n;
    two_sums part[ROWS];
    for (unsigned t = 0; t < ROWS; t++)
        part[t].low = part[t].high = vdupq_n_s32(0);
    for (unsigned j = 0; j < n; j += run) {
        int8x16_t v[8];
        for (unsigned i = 0; i < run; i++)
            v[i] = vreinterpretq_s8_s32(load(w + 4 * LANES * (j + i)));
        for (unsigned t = 0; t < ROWS; t++)
            add_products(&part[t], v, a + a_ld * t + 4 * j, run);
    }
    for (unsigned t = 0; t < ROWS; t++)
        sum[0][t] = vaddq_s32(sum[0][t], vpaddq_s32(part[t].low, part[t].high));
}

INLINE vi dot_half(vi acc, const vi v[4], const int8_t *a, lks_tensor_type type)
{
    const unsigned run = exact_in_16_bits(type) < 4 ? exact_in_16_bits(type) : 4;
    two_sums part = {vdupq_n_s32(0), vdupq_n_s32(0)};
    int8x16_t w[4];
    for (unsigned j = 0; j < 4; j++)
        w[j] = vreinterpretq_s8_s32(expanded(v[j], type));
    for (unsigned j = 0; j < 4; j += run)
        add_products(&part, w + j, a + 4 * j, run);
    return vaddq_s32(acc, vpaddq_s32(part.low, part.high));
}

#include "kernels/packed/linear_tiled.inc"

void LKS_KERNEL(linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                        uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
