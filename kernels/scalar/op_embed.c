/* EMBED: row ids[t] of the embedding matrix. x_i = fma(f32(q_i), w_b, -n_b), or f32(q_i) * w_b for
 * types without offset; +0 for an id outside. */
#include "kernels/math32.h"
#include "kernels/scalar/scalar.h"

enum {
    STEP = 256
};

void LKS_KERNEL(embed)(float *y, const lks_matrix *w, const uint32_t *ids, size_t rows)
{
    uint32_t sub = lks_sub_block(w->type);
    bool offset = lks_has_offset(w->type);
    for (size_t t = 0; t < rows; t++, y += w->cols) {
        if (ids[t] >= w->rows) {
            memset(y, 0, w->cols * sizeof *y);
            continue;
        }
        for (uint32_t first = 0; first < w->cols; first += STEP) {
            int8_t q[STEP];
            float scale[STEP / 16], n[STEP / 16];
            uint32_t count = w->cols - first < STEP ? w->cols - first : STEP;
            lks_unpack(q, scale, n, w, ids[t], first, count);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t b = i / sub;
                float v = offset ? lks_fma((float)q[i], scale[b], -n[b]) : (float)q[i] * scale[b];
                y[first + i] = lks_canonical(v);
            }
        }
    }
}
