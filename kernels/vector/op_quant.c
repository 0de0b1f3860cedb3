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

/* Blocks of 64, LANES at a time: of one row or of several. */
static void quantize_blocks(const lks_a8 *y, size_t t0, const float *x, size_t ld, size_t rows)
{
    const size_t count = rows * y->blocks;
    for (size_t first = 0; first < count; first += LANES) {
        int32_t tops[LANES] = {0};
        float d[LANES], r[LANES];
        vf scale, factor;
        const uint32_t n = count - first < LANES ? (uint32_t)(count - first) : LANES;
        size_t t = first / y->blocks, b = first % y->blocks;
        for (uint32_t i = 0; i < n; i++) {
            tops[i] = v_block_top(x + t * ld + b * 64);
            if (++b == y->blocks)
                b = 0, t++;
        }
        v_scales(&scale, &factor, v_loadi(tops));
        v_store(d, scale);
        v_store(r, factor);
        t = first / y->blocks, b = first % y->blocks;
        for (uint32_t i = 0; i < n; i++) {
            const float *values = x + t * ld + b * 64;
            size_t at = (t0 + t) * y->d_ld + b;
            y->d[at] = d[i];
            if (y->idx)
                y->idx[at] = lks_first_of_scale(values, 64, (uint32_t)tops[i], lks_bits(d[i]));
            v_block_multiply(y->q + (t0 + t) * y->q_ld + b * 64, values, r[i]);
            if (++b == y->blocks)
                b = 0, t++;
        }
    }
}

static void quantize_rows(const lks_a8 *y, size_t t0, const float *x, size_t ld, size_t rows)
{
    if (y->block == 64 && y->width % 64 == 0)
        quantize_blocks(y, t0, x, ld, rows);
    else
        for (size_t t = 0; t < rows; t++)
            for (uint32_t b = 0; b < y->blocks; b++) {
                uint32_t first = b * y->block,
                         count = y->width - first < y->block ? y->width - first : y->block;
                size_t at = (t0 + t) * y->d_ld + b;
                v_block_quantize(y->q + (t0 + t) * y->q_ld + first, &y->d[at],
                                 y->idx ? &y->idx[at] : NULL, x + t * ld + first, count);
            }
    for (size_t t = 0; y->sum && t < rows; t++)
        sum_values(y->sum + (t0 + t) * y->sum_ld, y->q + (t0 + t) * y->q_ld, y->width);
}

void LKS_KERNEL(quant)(const lks_a8 *y, const float *x, size_t ld, size_t rows)
{
    quantize_rows(y, 0, x, ld, rows);
}

/* y = (x * r) * gain */
static void scale_row(float *y, const float *x, float r, const float *gain, uint32_t width)
{
    const vf factor = v_set(r);
    uint32_t i = 0;
    for (; i + LANES <= width; i += LANES)
        v_store(y + i, v_mul(v_mul(v_load(x + i), factor), v_load(gain + i)));
    if (i < width)
        v_store_part(y + i,
                     v_mul(v_mul(v_load_part(x + i, width - i), factor),
                           v_load_part(gain + i, width - i)),
                     width - i);
}

void LKS_KERNEL(norm_q)(const lks_a8 *y, const float *x, const float *sums, size_t sums_ld,
                        const float *gain, size_t rows)
{
    enum {
        STEP = 512
    }; /* a multiple of every block length: steps quantise on their own */
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
            scale_row(scaled, x + t * y->width + first, sums[(t + 1) * sums_ld - 1], gain + first,
                      part.width);
            quantize_rows(&part, t, scaled, 0, 1);
        }
}
