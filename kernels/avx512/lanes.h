/* 16 lanes: AVX-512 F, BW, DQ, VL. See kernels/vector/lanes.h. */

enum {
    LANES = 16
};
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

INLINE vm v_first(uint32_t n)
{
    return (vm)(0xffffu >> (LANES - n));
}

INLINE vf v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
INLINE vf v_load_part(const float *p, uint32_t n)
{
    return _mm512_maskz_loadu_ps(v_first(n), p);
}
INLINE void v_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}
INLINE void v_store_part(float *p, vf x, uint32_t n)
{
    _mm512_mask_storeu_ps(p, v_first(n), x);
}
INLINE vi v_loadi(const void *p)
{
    return _mm512_loadu_si512(p);
}
INLINE vi v_loadi_part(const void *p, uint32_t n)
{
    return _mm512_maskz_loadu_epi32(v_first(n), p);
}
INLINE vf v_gather(const float *p, vi index)
{
    return _mm512_i32gather_ps(index, p, 4);
}
/* The low bytes of the lanes. */
INLINE void v_store_bytes(int8_t *p, vi x)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(x));
}
INLINE void v_store_bytes_part(int8_t *p, vi x, uint32_t n)
{
    _mm512_mask_cvtepi32_storeu_epi8(p, v_first(n), x);
}

INLINE vf v_set(float x)
{
    return _mm512_set1_ps(x);
}
INLINE vi v_seti(int32_t x)
{
    return _mm512_set1_epi32(x);
}
INLINE vi v_count(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
INLINE vi v_bits(vf x)
{
    return _mm512_castps_si512(x);
}
INLINE vf v_float(vi x)
{
    return _mm512_castsi512_ps(x);
}

INLINE vf v_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}
INLINE vf v_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
INLINE vf v_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
INLINE vf v_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}
INLINE vf v_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
/* fma(-a, b, c); fma(a, b, -c) in even lanes and fma(a, b, c) in odd ones */
INLINE vf v_fnma(vf a, vf b, vf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
INLINE vf v_fma_alternating(vf a, vf b, vf c)
{
    return _mm512_fmaddsub_ps(a, b, c);
}
INLINE vf v_rint(vf x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vi v_to_int(vf x)
{
    return _mm512_cvt_roundps_epi32(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
} /* rounded half to even */
INLINE vf v_from_int(vi x)
{
    return _mm512_cvtepi32_ps(x);
}

INLINE vi v_addi(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}
INLINE vi v_subi(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}
INLINE vi v_and(vi a, vi b)
{
    return _mm512_and_si512(a, b);
}
INLINE vi v_or(vi a, vi b)
{
    return _mm512_or_si512(a, b);
}
INLINE vi v_xor(vi a, vi b)
{
    return _mm512_xor_si512(a, b);
}
#define v_sll(a, n) _mm512_slli_epi32(a, n)
#define v_srl(a, n) _mm512_srli_epi32(a, n)
#define v_sra(a, n) _mm512_srai_epi32(a, n)
INLINE vi v_max(vi a, vi b)
{
    return _mm512_max_epi32(a, b);
} /* signed */
INLINE int32_t v_greatest(vi a)
{
    return _mm512_reduce_max_epi32(a);
}
/* The upper and the lower half of the products of unsigned lanes. */
INLINE void v_mul_wide(vi *high, vi *low, vi a, vi b)
{
    vi even = _mm512_mul_epu32(a, b),
       odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
    *high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xaaaa, odd);
    *low = _mm512_mask_mov_epi32(_mm512_slli_epi64(odd, 32), 0x5555, even);
}

INLINE vm v_is_nan(vf x)
{
    return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
}
INLINE vm v_less(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
INLINE vm v_greater(vi a, vi b)
{
    return _mm512_cmpgt_epi32_mask(a, b);
} /* signed */
INLINE vm v_equal(vi a, vi b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}
INLINE vf v_select(vm m, vf yes, vf no)
{
    return _mm512_mask_blend_ps(m, no, yes);
}
INLINE vi v_selecti(vm m, vi yes, vi no)
{
    return _mm512_mask_blend_epi32(m, no, yes);
}
/* Bit i: lane i. */
INLINE uint32_t v_mask(vm m)
{
    return m;
}

/* (a, b, ...) -> (b, a, ...); each pair's first, second element twice */
INLINE vf v_swap_pairs(vf x)
{
    return _mm512_permute_ps(x, 0xb1);
}
INLINE vf v_firsts(vf x)
{
    return _mm512_moveldup_ps(x);
}
INLINE vf v_seconds(vf x)
{
    return _mm512_movehdup_ps(x);
}
/* The first, the second elements of the LANES pairs in low and high. */
INLINE vf v_evens(vf low, vf high)
{
    return _mm512_permutex2var_ps(low,
                                  _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
                                                    26, 28, 30),
                                  high);
}
INLINE vf v_odds(vf low, vf high)
{
    return _mm512_permutex2var_ps(low,
                                  _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25,
                                                    27, 29, 31),
                                  high);
}

/* p * 2^n for integers n in [-151, 128] and p in (1/2, 2): rounded once, as the scalar program's
 * two products are, of which the first is exact. */
INLINE vf v_scale(vf p, vf n)
{
    return _mm512_scalef_ps(p, n);
}

/* Lanes 0 to 31 of a sum, folded in the order of the specification. */
INLINE float v_fold_32(const vf l[32 / LANES])
{
    vf a = _mm512_add_ps(l[0], l[1]);
    __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_shuffle_ps(c, c, 1)));
}

/* ---- Bytes: 4 LANES of them a vector ---- */

INLINE vi v_load_bytes(const int8_t *p, uint32_t n)
{
    return _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (4 * LANES - n), p);
}
INLINE vi v_pairs_low(vi a, vi b)
{
    return _mm512_unpacklo_epi8(a, b);
}
INLINE vi v_pairs_high(vi a, vi b)
{
    return _mm512_unpackhi_epi8(a, b);
}
INLINE vi v_fours_low(vi a, vi b)
{
    return _mm512_unpacklo_epi16(a, b);
}
INLINE vi v_fours_high(vi a, vi b)
{
    return _mm512_unpackhi_epi16(a, b);
}
/* acc + the four products a lane; w from 0 to 127 */
INLINE vi v_dot(vi acc, vi w, vi a)
{
    return _mm512_dpbusd_epi32(acc, w, a);
}

/* The products of a fixed vector of signed bytes and others. Here the others enter as x + 128, and
 * the surplus is known beforehand. */
typedef struct v_factor {
    vi signed_bytes;
} v_factor;

INLINE v_factor v_make_factor(vi x)
{
    return (v_factor){x};
}
/* v_dot_factor(acc, f, x) is v_dot_prepared(acc, f, v_prepared(x)): for x that meets several
 * factors. */
INLINE vi v_prepared(vi x)
{
    return _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80));
}
INLINE vi v_dot_prepared(vi acc, const v_factor *f, vi x)
{
    return _mm512_dpbusd_epi32(acc, x, f->signed_bytes);
}
INLINE vi v_dot_factor(vi acc, const v_factor *f, vi x)
{
    return v_dot_prepared(acc, f, v_prepared(x));
}
INLINE int32_t v_surplus(const v_factor *f)
{
    return _mm512_reduce_add_epi32(_mm512_dpbusd_epi32(_mm512_setzero_si512(),
                                                       _mm512_set1_epi8((char)0x80),
                                                       f->signed_bytes));
}

/* Lane i: the sum of the lanes of v[i]. */
INLINE vi v_join64(vi a, vi b)
{
    return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}
INLINE vi v_join128(vi a, vi b)
{
    return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}
INLINE vi v_sums_of(const vi v[LANES])
{
    vi q[4];
    for (int k = 0; k < 4; k++)
        q[k] = v_join128(v_join64(v[4 * k], v[4 * k + 1]), v_join64(v[4 * k + 2], v[4 * k + 3]));
    /* The four 128-bit parts of each are added up, and the results put side by side. */
    vi a = _mm512_add_epi32(_mm512_shuffle_i32x4(q[0], q[1], 0x88),
                            _mm512_shuffle_i32x4(q[0], q[1], 0xdd));
    vi b = _mm512_add_epi32(_mm512_shuffle_i32x4(q[2], q[3], 0x88),
                            _mm512_shuffle_i32x4(q[2], q[3], 0xdd));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

/* v[i] lane j becomes v[j] lane i. */
INLINE void v_transpose(vi v[LANES])
{
    vi a[LANES], b[LANES];
    for (int i = 0; i < LANES; i += 2)
        a[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]),
        a[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    /* b[4 i + k]: lanes k of the four vectors from 4 i on, of each 128-bit part */
    for (int i = 0; i < LANES; i += 4) {
        b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]),
        b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]),
              b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    for (int k = 0; k < 4; k++) {
        vi even01 = _mm512_shuffle_i32x4(b[k], b[4 + k], 0x88),
           odd01 = _mm512_shuffle_i32x4(b[k], b[4 + k], 0xdd);
        vi even23 = _mm512_shuffle_i32x4(b[8 + k], b[12 + k], 0x88),
           odd23 = _mm512_shuffle_i32x4(b[8 + k], b[12 + k], 0xdd);
        v[k] = _mm512_shuffle_i32x4(even01, even23, 0x88);
        v[4 + k] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
        v[8 + k] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
        v[12 + k] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
    }
}

#include "kernels/avx2/bytes.h"
