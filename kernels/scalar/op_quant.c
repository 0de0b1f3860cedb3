/* QUANT and NORM_Q: rows of f32 become rows of A8 blocks; NORM_Q first multiplies by the row's r
 * and the gain, in this order. */
#include "kernels/scalar/blocks.h"
#include "kernels/scalar/scalar.h"

/* Sums of 32 values, which LINEAR needs for weight types with an offset. The last sum may be over
 * fewer. */
static void sum_values(int32_t *sum, const int8_t *q, uint32_t width)
{
    for (uint32_t i = 0; i < width; i += 32) {
        int32_t s = 0;
        for (uint32_t j = i; j < i + 32 && j < width; j++)
            s += q[j];
        *sum++ = s;
    }
}

/* One row t of y from its values x, block by block. */
static void quantize_row(const lks_a8 *y, size_t t, const float *x)
{
    int8_t *q = y->q + t * y->q_ld;
    for (uint32_t b = 0; b < y->blocks; b++) {
        uint32_t first = b * y->block,
                 count = y->width - first < y->block ? y->width - first : y->block;
        size_t at = t * y->d_ld + b;
        lks_block_quantize(q + first, &y->d[at], y->idx ? &y->idx[at] : NULL, x + first, count);
    }
    if (y->sum)
        sum_values(y->sum + t * y->sum_ld, q, y->width);
}

void LKS_KERNEL(quant)(const lks_a8 *y, const float *x, size_t ld, size_t rows)
{
    for (size_t t = 0; t < rows; t++)
        quantize_row(y, t, x + t * ld);
}

void LKS_KERNEL(norm_q)(const lks_a8 *y, const float *x, const float *sums, size_t sums_ld,
                        const float *gain, size_t rows)
{
    enum {
        STEP = 512
    }; /* a multiple of every block length: steps quantise on their own */
    for (size_t t = 0; t < rows; t++) {
        float r = sums[(t + 1) * sums_ld - 1];
        for (uint32_t first = 0; first < y->width; first += STEP) {
            float scaled[STEP];
            lks_a8 part = *y;
            part.width = y->width - first < STEP ? y->width - first : STEP;
            part.blocks = (part.width + part.block - 1) / part.block;
            part.q += first;
            part.d += first / part.block;
            part.idx = y->idx ? y->idx + first / part.block : NULL;
            part.sum = y->sum ? y->sum + first / 32 : NULL;
            for (uint32_t i = 0; i < part.width; i++)
                scaled[i] = (x[t * y->width + first + i] * r) * gain[first + i];
            quantize_row(&part, t, scaled);
        }
    }
}
