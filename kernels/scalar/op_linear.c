/* LINEAR: y[t][r] = row r of W times A8 row t (docs/SPEC.md).
 *   acc = +0; for each activation block B: s = +0; for each weight sub-block b in B: s = fma(f32(sum q_w q_a), w_b, s),
 *   and with an offset s = fma(-f32(sum q_a), n_b, s); acc = fma(s, d_B, acc); at the end + bias.
 * A weight row is unpacked 256 elements at a time and used for every activation row; y holds acc in between.
 */
#include "kernels/math32.h"
#include "kernels/scalar/scalar.h"

enum { STEP = 256 };

/* Exact: at most 32 products of 127 * 128. */
static inline int32_t dot16(const int8_t *a, const int8_t *b)
{
    int32_t s = 0;
    for (int i = 0; i < 16; i++)
        s += (int16_t)a[i] * (int16_t)b[i];
    return s;
}

static inline int32_t dot32(const int8_t *a, const int8_t *b)
{
    int32_t s = 0;
    for (int i = 0; i < 32; i++)
        s += (int16_t)a[i] * (int16_t)b[i];
    return s;
}

/* The part of one element's sum over elements [first, first + count) of the row; first is a multiple of STEP, so of every block length. */
static float accumulate(float acc, const int8_t *q, const float *w, const float *n, uint32_t sub, bool offset, const lks_a8 *x, size_t t,
                        uint32_t first, uint32_t count)
{
    const int8_t *xq = x->q + t * x->q_ld + first;
    const float *xd = x->d + t * x->d_ld + first / x->block;
    const int32_t *xsum = x->sum + t * x->sum_ld + first / 32;
    for (uint32_t i = 0; i < count; xd++) {
        uint32_t end = i + x->block < count ? i + x->block : count;
        float s = 0.0f;
        for (; i < end; i += sub) {
            uint32_t b = i / sub;
            int32_t dot = sub == 32 ? dot32(q + i, xq + i) : dot16(q + i, xq + i);
            s = lks_fma((float)dot, w[b], s);
            if (offset)
                s = lks_fma(-(float)xsum[b], n[b], s);
        }
        acc = lks_fma(s, *xd, acc);
    }
    return acc;
}

void lks_scalar_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    uint32_t sub = lks_sub_block(w->type);
    bool offset = lks_has_offset(w->type);
    for (uint32_t r = first; r < last; r++, y++) {
        for (size_t t = 0; t < rows; t++)
            y[t * ld] = 0.0f;
        for (uint32_t c = 0; c < w->cols; c += STEP) {
            int8_t q[STEP];
            float scale[STEP / 16], n[STEP / 16];
            uint32_t count = w->cols - c < STEP ? w->cols - c : STEP;
            lks_unpack(q, scale, n, w, r, c, count);
            for (size_t t = 0; t < rows; t++)
                y[t * ld] = accumulate(y[t * ld], q, scale, n, sub, offset, x, t, c, count);
        }
        if (bias)
            for (size_t t = 0; t < rows; t++)
                y[t * ld] = y[t * ld] + bias[r];
    }
}
