/* 4 lanes: Advanced SIMD of 64-bit ARM. See kernels/vector/lanes.h. */
#include <arm_neon.h>

enum {
    LANES = 4
};
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm;

INLINE vi v_seti(int32_t x)
{
    return vdupq_n_s32(x);
}
INLINE vi v_count(void)
{
    static const int32_t numbers[LANES] = {0, 1, 2, 3};
    return vld1q_s32(numbers);
}

INLINE vf v_load(const float *p)
{
    return vld1q_f32(p);
}
INLINE vf v_load_part(const float *p, uint32_t n)
{
    float all[LANES] = {0};
    memcpy(all, p, n * sizeof *p);
    return v_load(all);
}
INLINE void v_store(float *p, vf x)
{
    vst1q_f32(p, x);
}
INLINE void v_store_part(float *p, vf x, uint32_t n)
{
    float all[LANES];
    v_store(all, x);
    memcpy(p, all, n * sizeof *p);
}
INLINE vi v_loadi(const void *p)
{
    return vreinterpretq_s32_u8(vld1q_u8(p));
}
INLINE vi v_loadi_part(const void *p, uint32_t n)
{
    int32_t all[LANES] = {0};
    memcpy(all, p, n * sizeof *all);
    return v_loadi(all);
}
INLINE vf v_gather(const float *p, vi index)
{
    float all[LANES] = {p[vgetq_lane_s32(index, 0)], p[vgetq_lane_s32(index, 1)],
                        p[vgetq_lane_s32(index, 2)], p[vgetq_lane_s32(index, 3)]};
    return v_load(all);
}
/* The low bytes of the lanes. */
INLINE void v_store_bytes_part(int8_t *p, vi x, uint32_t n)
{
    uint32_t all =
        vget_lane_u32(vreinterpret_u32_s8(vmovn_s16(vcombine_s16(vmovn_s32(x), vdup_n_s16(0)))), 0);
    memcpy(p, &all, n);
}
INLINE void v_store_bytes(int8_t *p, vi x)
{
    v_store_bytes_part(p, x, LANES);
}

INLINE vf v_set(float x)
{
    return vdupq_n_f32(x);
}
INLINE vi v_bits(vf x)
{
    return vreinterpretq_s32_f32(x);
}
INLINE vf v_float(vi x)
{
    return vreinterpretq_f32_s32(x);
}

INLINE vf v_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}
INLINE vf v_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}
INLINE vf v_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}
INLINE vf v_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}
INLINE vf v_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
/* fma(-a, b, c); fma(a, b, -c) in even lanes and fma(a, b, c) in odd ones */
INLINE vf v_fnma(vf a, vf b, vf c)
{
    return vfmsq_f32(c, a, b);
}
INLINE vf v_fma_alternating(vf a, vf b, vf c)
{
    const vi signs = vreinterpretq_s32_u64(vdupq_n_u64(0x80000000u)); /* of even lanes */
    return vfmaq_f32(v_float(veorq_s32(v_bits(c), signs)), a, b);
}
INLINE vf v_rint(vf x)
{
    return vrndnq_f32(x);
}
INLINE vi v_to_int(vf x)
{
    return vcvtnq_s32_f32(x);
} /* rounded half to even */
INLINE vf v_from_int(vi x)
{
    return vcvtq_f32_s32(x);
}

INLINE vi v_addi(vi a, vi b)
{
    return vaddq_s32(a, b);
}
INLINE vi v_subi(vi a, vi b)
{
    return vsubq_s32(a, b);
}
INLINE vi v_and(vi a, vi b)
{
    return vandq_s32(a, b);
}
INLINE vi v_or(vi a, vi b)
{
    return vorrq_s32(a, b);
}
INLINE vi v_xor(vi a, vi b)
{
    return veorq_s32(a, b);
}
#define v_sll(a, n) vshlq_n_s32(a, n)
#define v_srl(a, n) vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), n))
#define v_sra(a, n) vshrq_n_s32(a, n)
INLINE vi v_max(vi a, vi b)
{
    return vmaxq_s32(a, b);
} /* signed */
INLINE int32_t v_greatest(vi a)
{
    return vmaxvq_s32(a);
}
/* The upper and the lower half of the products of unsigned lanes. */
INLINE void v_mul_wide(vi *high, vi *low, vi a, vi b)
{
    uint32x4_t x = vreinterpretq_u32_s32(a), y = vreinterpretq_u32_s32(b);
    uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(x), vget_low_u32(y))),
               second = vreinterpretq_u32_u64(vmull_high_u32(x, y));
    *high = vreinterpretq_s32_u32(vuzp2q_u32(first, second));
    *low = vreinterpretq_s32_u32(vuzp1q_u32(first, second));
}

INLINE vm v_is_nan(vf x)
{
    return vmvnq_u32(vceqq_f32(x, x));
}
INLINE vm v_less(vf a, vf b)
{
    return vcltq_f32(a, b);
}
INLINE vm v_greater(vi a, vi b)
{
    return vcgtq_s32(a, b);
} /* signed */
INLINE vm v_equal(vi a, vi b)
{
    return vceqq_s32(a, b);
}
INLINE vf v_select(vm m, vf yes, vf no)
{
    return vbslq_f32(m, yes, no);
}
INLINE vi v_selecti(vm m, vi yes, vi no)
{
    return vbslq_s32(m, yes, no);
}
/* Bit i: lane i. */
INLINE uint32_t v_mask(vm m)
{
    static const uint32_t bits[LANES] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(m, vld1q_u32(bits)));
}

/* (a, b, ...) -> (b, a, ...); each pair's first, second element twice */
INLINE vf v_swap_pairs(vf x)
{
    return vrev64q_f32(x);
}
INLINE vf v_firsts(vf x)
{
    return vtrn1q_f32(x, x);
}
INLINE vf v_seconds(vf x)
{
    return vtrn2q_f32(x, x);
}
/* The first, the second elements of the LANES pairs in low and high. */
INLINE vf v_evens(vf low, vf high)
{
    return vuzp1q_f32(low, high);
}
INLINE vf v_odds(vf low, vf high)
{
    return vuzp2q_f32(low, high);
}

/* p * 2^n for integers n in [-151, 128] and p in (1/2, 2), in two factors as in the scalar program.
 */
INLINE vf v_scale(vf p, vf n)
{
    vi i = vcvtnq_s32_f32(n), a = v_sra(i, 1), b = v_subi(i, a);
    vf high = v_float(v_sll(v_addi(a, v_seti(127)), 23)),
       low = v_float(v_sll(v_addi(b, v_seti(127)), 23));
    return v_mul(v_mul(p, high), low);
}

/* Lanes 0 to 31 of a sum, folded in the order of the specification. */
INLINE float v_fold_32(const vf l[32 / LANES])
{
    vf a = v_add(v_add(l[0], l[4]), v_add(l[2], l[6])),
       b = v_add(v_add(l[1], l[5]), v_add(l[3], l[7]));
    vf c = v_add(a, b);
    float32x2_t d = vadd_f32(vget_low_f32(c), vget_high_f32(c));
    return vget_lane_f32(d, 0) + vget_lane_f32(d, 1);
}

/* ---- Bytes: 4 LANES of them a vector ---- */

INLINE vi v_load_bytes(const int8_t *p, uint32_t n)
{
    if (n == 4 * LANES)
        return v_loadi(p);
    int8_t all[4 * LANES] = {0};
    memcpy(all, p, n);
    return v_loadi(all);
}
INLINE vi v_pairs_low(vi a, vi b)
{
    return vreinterpretq_s32_s8(vzip1q_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
}
INLINE vi v_pairs_high(vi a, vi b)
{
    return vreinterpretq_s32_s8(vzip2q_s8(vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b)));
}
INLINE vi v_fours_low(vi a, vi b)
{
    return vreinterpretq_s32_s16(vzip1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
}
INLINE vi v_fours_high(vi a, vi b)
{
    return vreinterpretq_s32_s16(vzip2q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
}
/* acc + the four products a lane, of signed bytes */
INLINE vi v_dot(vi acc, vi w, vi a)
{
    int8x16_t x = vreinterpretq_s8_s32(w), y = vreinterpretq_s8_s32(a);
#if defined(__ARM_FEATURE_DOTPROD)
    return vdotq_s32(acc, x, y);
#else
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(y))),
              high = vpaddlq_s16(vmull_high_s8(x, y));
    return vaddq_s32(acc, vpaddq_s32(low, high));
#endif
}

/* The products of a fixed vector of signed bytes and others. */
typedef struct v_factor {
    vi bytes;
} v_factor;

INLINE v_factor v_make_factor(vi x)
{
    return (v_factor){x};
}
/* v_dot_factor(acc, f, x) is v_dot_prepared(acc, f, v_prepared(x)): for x that meets several
 * factors. */
INLINE vi v_prepared(vi x)
{
    return x;
}
INLINE vi v_dot_prepared(vi acc, const v_factor *f, vi x)
{
    return v_dot(acc, f->bytes, x);
}
INLINE vi v_dot_factor(vi acc, const v_factor *f, vi x)
{
    return v_dot_prepared(acc, f, x);
}
INLINE int32_t v_surplus(const v_factor *f)
{
    return (void)f, 0;
}

/* Lane i: the sum of the lanes of v[i]. */
INLINE vi v_sums_of(const vi v[LANES])
{
    return vpaddq_s32(vpaddq_s32(v[0], v[1]), vpaddq_s32(v[2], v[3]));
}

/* v[i] lane j becomes v[j] lane i. */
INLINE void v_transpose(vi v[LANES])
{
    vi a = vtrn1q_s32(v[0], v[1]), b = vtrn2q_s32(v[0], v[1]), c = vtrn1q_s32(v[2], v[3]),
       d = vtrn2q_s32(v[2], v[3]);
    v[0] = vcombine_s32(vget_low_s32(a), vget_low_s32(c));
    v[1] = vcombine_s32(vget_low_s32(b), vget_low_s32(d));
    v[2] = vcombine_s32(vget_high_s32(a), vget_high_s32(c));
    v[3] = vcombine_s32(vget_high_s32(b), vget_high_s32(d));
}

/* Sum of the 32 signed bytes at p; whether one of them is negative. */
INLINE int32_t v_sum_of_32(const int8_t *p)
{
    return vaddlvq_s16(vaddq_s16(vpaddlq_s8(vld1q_s8(p)), vpaddlq_s8(vld1q_s8(p + 16))));
}
INLINE int v_negative_in_32(const int8_t *p)
{
    return vminvq_s8(vminq_s8(vld1q_s8(p), vld1q_s8(p + 16))) < 0;
}
