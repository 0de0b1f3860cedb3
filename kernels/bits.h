/* Bits of a float32, the canonical NaN and the total order of docs/SPEC.md. */
#ifndef LKS_KERNELS_BITS_H
#define LKS_KERNELS_BITS_H

#include <stdint.h>
#include <string.h>

#define LKS_NAN_BITS 0x7fc00000u

static inline uint32_t lks_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

static inline float lks_float(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

/* Every NaN becomes 0x7fc00000. x86 makes 0xffc00000 of Inf - Inf, others keep an operand's
 * payload: no machine's choice may show. */
static inline float lks_canonical(float f)
{
    return (lks_bits(f) & 0x7fffffffu) > 0x7f800000u ? lks_float(LKS_NAN_BITS) : f;
}

/* The key that orders all floats: -0 below +0, the canonical NaN above +Inf. The argument must be
 * canonical. */
static inline int32_t lks_order_key(float f)
{
    int32_t b = (int32_t)lks_bits(f);
    return b ^ (int32_t)((uint32_t)(b >> 31) & 0x7fffffffu);
}

#endif
