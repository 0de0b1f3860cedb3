/* QUANT and NORM_Q, in vectors: scalar/op_quant.c. */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/quantize.h"

static void sum_values(int32_t *sum, const int8_t *q, uint32_t width)
{
    for (; width >= 32; width -= 32, q += 32)
        *sum++ = v_sum_of_32(q);
    if (width) {
        int32_t s = 0;
        for (uint32_t i = 0; i < width; i++)
            s += q[i];
        *sum = s;
    }
}

static void quantize_row(const lks_a8 *y, size_t t, const float *x)
{
    int8_t *q = y->q + t * y->q_ld;
    float *d = y->d + t * y->d_ld;
    uint32_t *idx = y->idx ? y->idx + t * y->d_ld : NULL;
    for (uint32_t b = 0; b < y->blocks; b++) {
        uint32_t first = b * y->block, count = y->width - first < y->block ? y->width - first : y->block;
        if (count == 64)
            v_block_quantize(q + first, &d[b], idx ? &idx[b] : NULL, x + first, 64);
        else
            v_block_quantize(q + first, &d[b], idx ? &idx[b] : NULL, x + first, count);
    }
    if (y->sum)
        sum_values(y->sum + t * y->sum_ld, q, y->width);
}

void LKS_KERNEL(quant)(const lks_a8 *y, const float *x, size_t ld, size_t rows)
{
    for (size_t t = 0; t < rows; t++)
        quantize_row(y, t, x + t * ld);
}

/* y = (x * r) * gain */
static void scale_row(float *y, const float *x, float r, const float *gain, uint32_t width)
{
    const vf factor = v_set(r);
    uint32_t i = 0;
    for (; i + LANES <= width; i += LANES)
        v_store(y + i, v_mul(v_mul(v_load(x + i), factor), v_load(gain + i)));
    if (i < width)
        v_store_part(y + i, v_mul(v_mul(v_load_part(x + i, width - i), factor), v_load_part(gain + i, width - i)), width - i);
}

void LKS_KERNEL(norm_q)(const lks_a8 *y, const float *x, const float *sums, size_t sums_ld, const float *gain, size_t rows)
{
    enum { STEP = 512 }; /* a multiple of every block length: steps quantise on their own */
    for (size_t t = 0; t < rows; t++)
        for (uint32_t first = 0; first < y->width; first += STEP) {
            float scaled[STEP];
            lks_a8 part = *y;
            part.width = y->width - first < STEP ? y->width - first : STEP;
            part.blocks = (part.width + part.block - 1) / part.block;
            part.q += first;
            part.d += first / part.block;
            part.idx = y->idx ? y->idx + first / part.block : NULL;
            part.sum = y->sum ? y->sum + first / 32 : NULL;
            scale_row(scaled, x + t * y->width + first, sums[(t + 1) * sums_ld - 1], gain + first, part.width);
            quantize_row(&part, t, scaled);
        }
}
