/* exp32, log32, the canonical NaN and the total order, LANES at a time: in every lane the bits of
 * kernels/math32.h and kernels/bits.h, for every input. */
#ifndef LKS_KERNELS_VECTOR_MATH_H
#define LKS_KERNELS_VECTOR_MATH_H

#include "kernels/math32.h"
#include "kernels/vector/lanes.h"

INLINE vf v_constant(uint32_t bits)
{
    return v_set(lks_float(bits));
}

/* The first n lanes; n may be 0. */
INLINE vm lanes_below(uint32_t n)
{
    return v_greater(v_seti((int32_t)n), v_count());
}

INLINE vf v_canonical(vf x)
{
    return v_select(v_is_nan(x), v_constant(LKS_NAN_BITS), x);
}

/* lks_order_key of canonical floats; its own inverse. */
INLINE vi v_order_key(vf x)
{
    vi b = v_bits(x);
    return v_xor(b, v_and(v_sra(b, 31), v_seti(0x7fffffff)));
}
static inline float v_from_order_key(int32_t key)
{
    return lks_float((uint32_t)key ^ ((uint32_t)(key >> 31) & 0x7fffffffu));
}

INLINE vf v_negate(vf x)
{
    return v_float(v_xor(v_bits(x), v_seti(INT32_MIN)));
}

INLINE vf v_exp32(vf x)
{
    const vf one = v_set(1.0f), most = v_set(89.0f), least = v_set(-105.0f);
    vm nan = v_is_nan(x);
    x = v_select(v_less(x, most), x, most);
    x = v_select(v_less(least, x), x, least);
    vf n = v_rint(v_mul(x, v_constant(0x3fb8aa3bu)));
    vf r = v_fnma(n, v_set(LKS_LN2_HIGH), x);
    r = v_fnma(n, v_set(LKS_LN2_LOW), r);
    vf p = v_constant(0x3ab51e3du);
    p = v_fma(p, r, v_constant(0x3c091bb6u));
    p = v_fma(p, r, v_constant(0x3d2aac4fu));
    p = v_fma(p, r, v_constant(0x3e2aaa49u));
    p = v_fma(p, r, v_constant(0x3efffffeu));
    p = v_fma(p, r, one);
    p = v_fma(p, r, one);
    return v_select(nan, v_constant(LKS_NAN_BITS), v_scale(p, n));
}

INLINE vf v_log32(vf x)
{
    const vi infinity = v_seti(0x7f800000);
    vi bits = v_bits(x);
    /* Zeros and subnormals are those whose exponent is 0: negative ones are replaced at the end. */
    vm tiny = v_equal(v_and(bits, infinity), v_seti(0));
    vi u = v_selecti(tiny, v_bits(v_mul(x, v_set(8388608.0f))), bits);
    vi k0 = v_selecti(tiny, v_seti(-23), v_seti(0));
    vi k = v_sra(v_subi(u, v_seti(0x3f2aaaab)), 23);
    vf f = v_sub(v_float(v_subi(u, v_sll(k, 23))), v_set(1.0f));
    vf n = v_from_int(v_addi(k, k0));
    vf s = v_mul(f, f);
    vf p = v_constant(0xbe03dda4u);
    p = v_fma(p, f, v_constant(0x3e0f293fu));
    p = v_fma(p, f, v_constant(0xbdf99810u));
    p = v_fma(p, f, v_constant(0x3e0f6a58u));
    p = v_fma(p, f, v_constant(0xbe2ace70u));
    p = v_fma(p, f, v_constant(0x3e4ce830u));
    p = v_fma(p, f, v_constant(0xbe7fff80u));
    p = v_fma(p, f, v_constant(0x3eaaaa88u));
    p = v_fma(p, f, v_set(-0.5f));
    p = v_fma(p, s, f);
    p = v_fma(n, v_set(LKS_LN2_LOW), p);
    p = v_fma(n, v_set(LKS_LN2_HIGH), p);
    /* +Inf is its own logarithm; negative numbers and NaN, of either sign, have none; zeros have
     * -Inf. */
    p = v_select(v_equal(bits, infinity), x, p);
    vm none = v_greater(bits, infinity), negative = v_greater(v_seti(0), bits);
    p = v_select(none, v_constant(LKS_NAN_BITS), p);
    p = v_select(negative, v_constant(LKS_NAN_BITS), p);
    return v_select(v_equal(v_and(bits, v_seti(INT32_MAX)), v_seti(0)), v_constant(0xff800000u), p);
}

#endif
