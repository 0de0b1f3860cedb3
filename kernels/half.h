/* float16 and bfloat16 (IEEE 754-2008 binary16; the upper half of a binary32). */
#ifndef LKS_KERNELS_HALF_H
#define LKS_KERNELS_HALF_H

#include "kernels/bits.h"

/* Exact. A NaN keeps its payload, shifted. */
static inline float lks_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 31u,
             fraction = h & 0x3ffu;
    if (exponent == 31)
        return lks_float(sign | 0x7f800000u | fraction << 13);
    if (exponent)
        return lks_float(sign | (exponent + 112) << 23 | fraction << 13);
    /* zero or subnormal: fraction * 2^-24, exact */
    return lks_float(sign | lks_bits((float)fraction * 0x1p-24f));
}

/* Round to nearest even; what is too large becomes infinity, a NaN the quiet NaN 0x7e00 with the
 * sign. */
static inline uint16_t lks_f32_to_f16(float f)
{
    uint32_t u = lks_bits(f), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
    if (a > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (a >= 0x477ff000u) /* 65520 and above */
        return (uint16_t)(sign | 0x7c00u);
    if (a < 0x38800000u) { /* below 2^-14: adding 0.5 leaves the result, rounded to even, in the low
                              bits */
        float shifted = lks_float(a) + 0.5f;
        return (uint16_t)(sign | (lks_bits(shifted) - 0x3f000000u));
    }
    uint32_t odd = (a >> 13) & 1u;
    return (uint16_t)(sign | ((a + 0xfffu + odd - 0x38000000u) >> 13));
}

/* Exact. */
static inline float lks_bf16_to_f32(uint16_t h)
{
    return lks_float((uint32_t)h << 16);
}

#endif
