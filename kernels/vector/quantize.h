/* The A8 block in vectors: the bits of lks_block_quantize. */
#ifndef LKS_KERNELS_VECTOR_QUANTIZE_H
#define LKS_KERNELS_VECTOR_QUANTIZE_H

#include "kernels/scalar/blocks.h"
#include "kernels/vector/math.h"

INLINE vi v_magnitude(vf x)
{
    return v_and(v_bits(x), v_seti(INT32_MAX));
}

/* The first of count elements whose scale has these bits. The scale grows with the magnitude, so it
 * is the first element at least as large as the least magnitude with that scale: at most two
 * neighbours have one. */
static inline uint32_t lks_first_of_scale(const float *x, uint32_t count, uint32_t top,
                                          uint32_t bits)
{
    if (bits == 0)
        return 0;
    uint32_t least = top < 0x7f800000u ? top : 0x7f800000u;
    while (lks_scale_bits(lks_float(least - 1)) == bits)
        least--;
    const vi below = v_seti((int32_t)least - 1);
    for (uint32_t i = 0;; i += LANES) {
        vf v = count - i < LANES ? v_load_part(x + i, count - i) : v_load(x + i);
        uint32_t found = v_mask(v_greater(v_magnitude(v), below));
        if (found)
            return i + (uint32_t)__builtin_ctz(found);
    }
}

/* Scales of LANES blocks at once from their greatest magnitudes, and the factors of their elements:
 * 0 where all elements become 0. One division serves all. */
INLINE void v_scales(vf *d, vf *r, vi top)
{
    const vf zero = v_set(0.0f);
    vm small = v_greater(v_seti(0x0d800000), top), beyond = v_greater(top, v_seti(0x7f7fffff));
    vf a = v_select(small, zero, v_div(v_float(top), v_set(127.0f)));
    *d = v_select(beyond, v_constant(LKS_NAN_BITS), a);
    *r = v_select(small, zero, v_select(beyond, zero, v_div(v_set(1.0f), *d)));
}

/* Greatest magnitude of a block of 64; its values from its factor. */
INLINE int32_t v_block_top(const float *x)
{
    vi most = v_magnitude(v_load(x));
    for (uint32_t i = LANES; i < 64; i += LANES)
        most = v_max(most, v_magnitude(v_load(x + i)));
    return v_greatest(most);
}

INLINE void v_block_multiply(int8_t *q, const float *x, float r)
{
    if (r == 0.0f)
        memset(q, 0, 64);
    else
        for (uint32_t i = 0; i < 64; i += LANES)
            v_store_bytes(q + i, v_to_int(v_mul(v_load(x + i), v_set(r))));
}

/* A block of any length. */
static inline void v_block_quantize(int8_t *q, float *d, uint32_t *idx, const float *x,
                                    uint32_t count)
{
    const uint32_t whole = count / LANES * LANES, part = count - whole;
    vi most = v_seti(0);
    for (uint32_t i = 0; i < whole; i += LANES)
        most = v_max(most, v_magnitude(v_load(x + i)));
    if (part)
        most = v_max(most, v_magnitude(v_load_part(x + whole, part)));
    uint32_t top = (uint32_t)v_greatest(most), bits = lks_scale_bits(lks_float(top));
    *d = lks_float(bits);
    if (idx)
        *idx = lks_first_of_scale(x, count, top, bits);
    if (bits == 0 || bits == LKS_NAN_BITS) {
        memset(q, 0, count);
        return;
    }
    const vf r = v_set(1.0f / *d);
    for (uint32_t i = 0; i < whole; i += LANES)
        v_store_bytes(q + i, v_to_int(v_mul(v_load(x + i), r)));
    if (part)
        v_store_bytes_part(q + whole, v_to_int(v_mul(v_load_part(x + whole, part), r)), part);
}

#endif
