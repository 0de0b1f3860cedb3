/* RMS, in vectors: scalar/op_rms.c. The 32 lanes of a segment are those of a few vectors; lanes
 * beyond its end add a product of zeros. */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/math.h"

enum {
    VECTORS = LKS_CHUNK / LANES
};

/* x may be of fewer than 32 elements. */
static inline void add_squares(vf l[VECTORS], const float *x, uint32_t count)
{
    for (uint32_t v = 0; v < VECTORS && v * LANES < count; v++) {
        vf a = count - v * LANES < LANES ? v_load_part(x + v * LANES, count - v * LANES)
                                         : v_load(x + v * LANES);
        l[v] = v_fma(a, a, l[v]);
    }
}

static float segment_sum(const float *x, uint32_t count)
{
    vf l[VECTORS];
    uint32_t i = 0;
    for (uint32_t v = 0; v < VECTORS; v++)
        l[v] = v_set(0.0f);
    for (; i + LKS_CHUNK <= count; i += LKS_CHUNK)
        add_squares(l, x + i, LKS_CHUNK);
    if (i < count)
        add_squares(l, x + i, count - i);
    return v_fold_32(l);
}

void LKS_KERNEL(rms)(float *y, const float *x, uint32_t width, float epsilon, size_t rows)
{
    for (size_t t = 0; t < rows; t++, x += width) {
        float sum = 0.0f;
        for (uint32_t i = 0; i < width; i += LKS_RMS_SEGMENT) {
            *y = lks_canonical(segment_sum(x + i, width - i < LKS_RMS_SEGMENT ? width - i
                                                                              : LKS_RMS_SEGMENT));
            sum = sum + *y++;
        }
        *y++ = lks_canonical(1.0f / lks_sqrt(sum / (float)width + epsilon));
    }
}
