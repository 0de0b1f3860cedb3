/* ATTN: one head at one position over chunks of 32 positions (docs/SPEC.md). Chunks are
 * independent; their results are folded in order. Scratch: the scores of every chunk (32 each,
 * absent ones unwritten), then the chunk maxima.
 */
#include "kernels/scalar/blocks.h"
#include "kernels/scalar/scalar.h"

/* Exact: at most 128 products of 127 * 127. */
static inline int32_t dot(const int8_t *a, const int8_t *b, uint32_t count)
{
    int32_t s = 0;
    for (uint32_t i = 0; i < count; i++)
        s += (int16_t)a[i] * (int16_t)b[i];
    return s;
}

/* NaN was made canonical on both sides: it is the greatest. */
static inline float greater(float a, float b)
{
    return lks_order_key(b) > lks_order_key(a) ? b : a;
}

static float chunk_scores(float *s, const int8_t *q, const float *dq, const int8_t *k,
                          const float *dk, uint32_t present, uint32_t head_width, uint32_t blocks,
                          float scale)
{
    uint32_t block = head_width / blocks;
    float max = 0.0f;
    for (uint32_t i = 0; i < present; i++, k += head_width, dk += blocks) {
        float acc = 0.0f;
        for (uint32_t b = 0; b < blocks; b++)
            acc = lks_fma((float)dot(q + b * block, k + b * block, block), (dq[b] * scale) * dk[b],
                          acc);
        s[i] = lks_canonical(acc);
        max = i ? greater(max, s[i]) : s[i];
    }
    return max;
}

/* o = the integer product of the quantised weights with the values, and z: the sum of the
 * exponentials. Absent positions weigh +0. */
static float chunk_values(float *o, const float *s, float max, const int8_t *v, const float *dv,
                          uint32_t present, uint32_t head_width, uint32_t blocks)
{
    uint32_t block = head_width / blocks;
    float e[LKS_CHUNK] = {0}, lanes[LKS_CHUNK];
    for (uint32_t i = 0; i < present; i++)
        e[i] = lks_exp32(s[i] - max);
    for (uint32_t b = 0; b < blocks; b++) {
        float p[LKS_CHUNK] = {0}, dp;
        int8_t qp[LKS_CHUNK];
        int32_t sums[LKS_MAX_HEAD_WIDTH] = {0};
        for (uint32_t i = 0; i < present; i++)
            p[i] = e[i] * dv[i * blocks + b];
        lks_block_quantize(qp, &dp, NULL, p, LKS_CHUNK);
        for (uint32_t i = 0; i < present; i++)
            for (uint32_t d = 0; d < block; d++)
                sums[d] += (int16_t)qp[i] * (int16_t)v[(size_t)i * head_width + b * block + d];
        for (uint32_t d = 0; d < block; d++)
            o[b * block + d] = (float)sums[d] * dp;
    }
    memcpy(lanes, e, sizeof lanes);
    return lks_lanes_fold(lanes);
}

static void attend(float *o, const int8_t *q, const float *dq, const int8_t *k, const float *dk,
                   const int8_t *v, const float *dv, uint32_t position, uint32_t head_width,
                   uint32_t blocks, float scale, float *scores)
{
    uint32_t chunks = position / LKS_CHUNK + 1;
    float *maxima = scores + (size_t)chunks * LKS_CHUNK, max = 0.0f, z = 0.0f;
    for (uint32_t c = 0; c < chunks; c++) {
        size_t first = (size_t)c * LKS_CHUNK;
        uint32_t present =
            position + 1 - c * LKS_CHUNK < LKS_CHUNK ? position + 1 - c * LKS_CHUNK : LKS_CHUNK;
        maxima[c] = chunk_scores(scores + first, q, dq, k + first * head_width, dk + first * blocks,
                                 present, head_width, blocks, scale);
        max = c ? greater(max, maxima[c]) : maxima[c];
    }
    for (uint32_t d = 0; d < head_width; d++)
        o[d] = 0.0f;
    for (uint32_t c = 0; c < chunks; c++) {
        float part[LKS_MAX_HEAD_WIDTH];
        size_t first = (size_t)c * LKS_CHUNK;
        uint32_t present =
            position + 1 - c * LKS_CHUNK < LKS_CHUNK ? position + 1 - c * LKS_CHUNK : LKS_CHUNK;
        float zc = chunk_values(part, scores + first, maxima[c], v + first * head_width,
                                dv + first * blocks, present, head_width, blocks);
        float f = lks_exp32(maxima[c] - max);
        z = lks_fma(f, zc, z);
        for (uint32_t d = 0; d < head_width; d++)
            o[d] = lks_fma(f, part[d], o[d]);
    }
    for (uint32_t d = 0; d < head_width; d++)
        o[d] = lks_canonical(o[d] / z);
}

void LKS_KERNEL(attn)(float *o, size_t ld, const lks_a8 *q, const lks_a8 *k, const lks_a8 *v,
                      uint32_t position, uint32_t rows, float scale, float *scores)
{
    for (uint32_t t = 0; t < rows; t++)
        attend(o + t * ld, q->q + t * q->q_ld, q->d + t * q->d_ld, k->q, k->d, v->q, v->d,
               position + t, q->width, q->blocks, scale, scores);
}
