/* LINEAR: y[t][r] = row r of W times A8 row t (docs/SPEC.md).
 *   acc = +0; for each activation block B: s = +0; for each weight sub-block b in B: s =
 * fma(f32(sum q_w q_a), w_b, s), and with an offset s = fma(-f32(sum q_a), n_b, s); acc = fma(s,
 * d_B, acc); at the end + bias. A weight row is unpacked 256 elements at a time and used for every
 * activation row; y holds acc in between.
 */
#include "kernels/math32.h"
#include "kernels/scalar/scalar.h"

enum {
    STEP = 256
};

/* Exact: at most 32 products of 127 * 128. Weights are widened beforehand, so that compilers find
 * the 16-bit multiply-and-add instructions. */
static inline int32_t dot(const int16_t *w, const int8_t *x, uint32_t count)
{
    int32_t s = 0;
    for (uint32_t i = 0; i < count; i++)
        s += w[i] * (int32_t)x[i];
    return s;
}

typedef struct piece { /* elements [first, first + count) of a weight row; first is a multiple of
                          STEP, so of every block length */
    int16_t q[STEP];
    float w[STEP / 16], n[STEP / 16];
    uint32_t first, count;
} piece;

/* The piece's part of the sum against row t of x. sub and offset are constants where this is
 * called, so that the loops unroll. */
static inline float accumulate(float acc, const piece *p, const lks_a8 *x, size_t t, uint32_t sub,
                               bool offset)
{
    const int8_t *xq = x->q + t * x->q_ld + p->first;
    const float *xd = x->d + t * x->d_ld + p->first / x->block;
    const int32_t *xsum = x->sum + t * x->sum_ld + p->first / 32;
    for (uint32_t i = 0; i < p->count; xd++) {
        uint32_t end = i + x->block < p->count ? i + x->block : p->count;
        float s = 0.0f;
        for (; i < end; i += sub) {
            uint32_t b = i / sub;
            s = lks_fma((float)dot(p->q + i, xq + i, sub), p->w[b], s);
            if (offset)
                s = lks_fma(-(float)xsum[b], p->n[b], s);
        }
        acc = lks_fma(s, *xd, acc);
    }
    return acc;
}

static void accumulate_rows(float *y, size_t ld, const piece *p, const lks_a8 *x, size_t rows,
                            uint32_t sub, bool offset)
{
    for (size_t t = 0; t < rows; t++, y += ld) {
        if (sub == 16)
            *y = accumulate(*y, p, x, t, 16, false);
        else if (offset)
            *y = accumulate(*y, p, x, t, 32, true);
        else
            *y = accumulate(*y, p, x, t, 32, false);
    }
}

static void unpack_piece(piece *p, const lks_matrix *w, uint32_t row, uint32_t first)
{
    int8_t q[STEP];
    p->first = first;
    p->count = w->cols - first < STEP ? w->cols - first : STEP;
    lks_unpack(q, p->w, p->n, w, row, first, p->count);
    for (uint32_t i = 0; i < p->count; i++)
        p->q[i] = q[i];
}

void LKS_KERNEL(linear_stored)(float *y, size_t ld, const lks_matrix *w, const float *bias,
                               uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    uint32_t sub = lks_sub_block(w->type);
    bool offset = lks_has_offset(w->type);
    for (uint32_t r = first; r < last; r++, y++) {
        for (size_t t = 0; t < rows; t++)
            y[t * ld] = 0.0f;
        for (uint32_t c = 0; c < w->cols; c += STEP) {
            piece p;
            unpack_piece(&p, w, r, c);
            accumulate_rows(y, ld, &p, x, rows, sub, offset);
        }
        if (bias)
            for (size_t t = 0; t < rows; t++)
                y[t * ld] = y[t * ld] + bias[r];
    }
}
