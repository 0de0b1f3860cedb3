/* The A8 block and the sum of 32 lanes, inline, so that each instruction set's build of the
 * operations vectorises them. */
#ifndef LKS_KERNELS_BLOCKS_H
#define LKS_KERNELS_BLOCKS_H

#include "kernels/kernels.h"
#include "kernels/math32.h"

#include <assert.h>

/* |x| / 127 as bits: 0 below 2^-100, the canonical NaN for Inf and NaN. */
static inline uint32_t lks_scale_bits(float x)
{
    uint32_t a = lks_bits(x) & 0x7fffffffu;
    if (a < 0x0d800000u)
        return 0;
    if (a >= 0x7f800000u)
        return LKS_NAN_BITS;
    return lks_bits(lks_float(a) / 127.0f);
}

static inline void lks_block_quantize(int8_t *q, float *d, uint32_t *idx, const float *x,
                                      uint32_t count)
{
    /* Division is monotonic: the largest |x| gives the largest scale, so one division does. NaN and
     * Inf have the largest bits. */
    uint32_t top = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t a = lks_bits(x[i]) & 0x7fffffffu;
        top = a > top ? a : top;
    }
    uint32_t bits = lks_scale_bits(lks_float(top));
    *d = lks_float(bits);
    if (idx) {
        uint32_t i = 0;
        while (lks_scale_bits(x[i]) != bits)
            i++;
        *idx = i;
    }
    if (bits == 0 || bits == LKS_NAN_BITS) {
        memset(q, 0, count);
        return;
    }
    float r = 1.0f / *d;
    uint32_t beyond = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t value = (int32_t)lks_rint(x[i] * r);
        beyond |= (uint32_t)(value + 127) > 254u;
        q[i] = (int8_t)value;
    }
    assert(!beyond);
}

static inline float lks_lanes_fold(float lanes[LKS_CHUNK])
{
    for (int h = LKS_CHUNK / 2; h; h /= 2)
        for (int j = 0; j < h; j++)
            lanes[j] = lanes[j] + lanes[j + h];
    return lanes[0];
}

#endif
