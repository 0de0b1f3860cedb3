/* LINEAR with the dot product of Armv8.2: 4 weight rows in the lanes of a vector, four products a
 * lane and instruction. 16 bytes of activations are loaded at once, and each instruction names the
 * 4 of them that it takes. */
#include "kernels/neon/vectors.inc"

#define STORED lks_neondot_linear_stored
#define ROWS 8
#define BLOCKS 18
#define WIDE 1
#define GROUPS 4

/* acc + the products of 4 vectors of signed bytes with the 16 bytes of a */
INLINE vi four_dots(vi acc, const int8x16_t w[4], int8x16_t a)
{
    acc = vdotq_laneq_s32(acc, w[0], a, 0);
    acc = vdotq_laneq_s32(acc, w[1], a, 1);
    acc = vdotq_laneq_s32(acc, w[2], a, 2);
    return vdotq_laneq_s32(acc, w[3], a, 3);
}

INLINE void dots(vi sum[WIDE][ROWS], const uint8_t *w, size_t apart, const int8_t *a, size_t a_ld,
                 unsigned n, lks_tensor_type type)
{
    (void)type, (void)apart;
    for (unsigned j = 0; j < n; j += 4) {
        int8x16_t v[4];
        for (unsigned i = 0; i < 4; i++)
            v[i] = vreinterpretq_s8_s32(load(w + 4 * LANES * (j + i)));
        for (unsigned t = 0; t < ROWS; t++)
            sum[0][t] = four_dots(sum[0][t], v, vld1q_s8(a + a_ld * t + 4 * j));
    }
}

INLINE vi dot_half(vi acc, const vi v[4], const int8_t *a, lks_tensor_type type)
{
    int8x16_t w[4];
    for (unsigned j = 0; j < 4; j++)
        w[j] = vreinterpretq_s8_s32(expanded(v[j], type));
    return four_dots(acc, w, vld1q_s8(a));
}

#include "kernels/packed/linear_tiled.inc"

void LKS_KERNEL(linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                        uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
