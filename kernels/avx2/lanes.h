/* 8 lanes: AVX2 and FMA. See kernels/vector/lanes.h. */

enum {
    LANES = 8
};
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

INLINE vi v_seti(int32_t x)
{
    return _mm256_set1_epi32(x);
}
INLINE vi v_count(void)
{
    return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}
INLINE vi v_first(uint32_t n)
{
    return _mm256_cmpgt_epi32(v_seti((int32_t)n), v_count());
}

INLINE vf v_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
INLINE vf v_load_part(const float *p, uint32_t n)
{
    return _mm256_maskload_ps(p, v_first(n));
}
INLINE void v_store(float *p, vf x)
{
    _mm256_storeu_ps(p, x);
}
INLINE void v_store_part(float *p, vf x, uint32_t n)
{
    _mm256_maskstore_ps(p, v_first(n), x);
}
INLINE vi v_loadi(const void *p)
{
    return _mm256_loadu_si256(p);
}
INLINE vi v_loadi_part(const void *p, uint32_t n)
{
    return _mm256_maskload_epi32(p, v_first(n));
}
INLINE vf v_gather(const float *p, vi index)
{
    return _mm256_i32gather_ps(p, index, 4);
}
/* The low bytes of the lanes, which must be in [-128, 127]. */
INLINE __m128i v_bytes(vi x)
{
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    return _mm_packs_epi16(words, words);
}
INLINE void v_store_bytes(int8_t *p, vi x)
{
    _mm_storel_epi64((__m128i *)(void *)p, v_bytes(x));
}
INLINE void v_store_bytes_part(int8_t *p, vi x, uint32_t n)
{
    int8_t all[LANES];
    v_store_bytes(all, x);
    for (uint32_t i = 0; i < n; i++)
        p[i] = all[i];
}

INLINE vf v_set(float x)
{
    return _mm256_set1_ps(x);
}
INLINE vi v_bits(vf x)
{
    return _mm256_castps_si256(x);
}
INLINE vf v_float(vi x)
{
    return _mm256_castsi256_ps(x);
}

INLINE vf v_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}
INLINE vf v_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}
INLINE vf v_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}
INLINE vf v_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}
INLINE vf v_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
/* fma(-a, b, c); fma(a, b, -c) in even lanes and fma(a, b, c) in odd ones */
INLINE vf v_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
INLINE vf v_fma_alternating(vf a, vf b, vf c)
{
    return _mm256_fmaddsub_ps(a, b, c);
}
INLINE vf v_rint(vf x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE vi v_to_int(vf x)
{
    return _mm256_cvtps_epi32(x);
} /* rounded half to even, the mode that lks_kernels_check asks for */
INLINE vf v_from_int(vi x)
{
    return _mm256_cvtepi32_ps(x);
}

INLINE vi v_addi(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}
INLINE vi v_subi(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}
INLINE vi v_and(vi a, vi b)
{
    return _mm256_and_si256(a, b);
}
INLINE vi v_or(vi a, vi b)
{
    return _mm256_or_si256(a, b);
}
INLINE vi v_xor(vi a, vi b)
{
    return _mm256_xor_si256(a, b);
}
#define v_sll(a, n) _mm256_slli_epi32(a, n)
#define v_srl(a, n) _mm256_srli_epi32(a, n)
#define v_sra(a, n) _mm256_srai_epi32(a, n)
INLINE vi v_max(vi a, vi b)
{
    return _mm256_max_epi32(a, b);
} /* signed */
INLINE int32_t v_greatest(vi a)
{
    __m128i b = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    b = _mm_max_epi32(b, _mm_shuffle_epi32(b, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(b, _mm_shuffle_epi32(b, 0xb1)));
}
/* The upper and the lower half of the products of unsigned lanes. */
INLINE void v_mul_wide(vi *high, vi *low, vi a, vi b)
{
    vi even = _mm256_mul_epu32(a, b),
       odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    *high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    *low = _mm256_blend_epi32(_mm256_slli_epi64(odd, 32), even, 0x55);
}

INLINE vm v_is_nan(vf x)
{
    return _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
}
INLINE vm v_less(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
INLINE vm v_greater(vi a, vi b)
{
    return v_float(_mm256_cmpgt_epi32(a, b));
} /* signed */
INLINE vm v_equal(vi a, vi b)
{
    return v_float(_mm256_cmpeq_epi32(a, b));
}
INLINE vf v_select(vm m, vf yes, vf no)
{
    return _mm256_blendv_ps(no, yes, m);
}
INLINE vi v_selecti(vm m, vi yes, vi no)
{
    return v_bits(_mm256_blendv_ps(v_float(no), v_float(yes), m));
}
/* Bit i: lane i. */
INLINE uint32_t v_mask(vm m)
{
    return (uint32_t)_mm256_movemask_ps(m);
}

/* (a, b, ...) -> (b, a, ...); each pair's first, second element twice */
INLINE vf v_swap_pairs(vf x)
{
    return _mm256_permute_ps(x, 0xb1);
}
INLINE vf v_firsts(vf x)
{
    return _mm256_moveldup_ps(x);
}
INLINE vf v_seconds(vf x)
{
    return _mm256_movehdup_ps(x);
}
/* The first, the second elements of the LANES pairs in low and high. */
INLINE vf v_in_order(vf x)
{
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(x), 0xd8));
}
INLINE vf v_evens(vf low, vf high)
{
    return v_in_order(_mm256_shuffle_ps(low, high, 0x88));
}
INLINE vf v_odds(vf low, vf high)
{
    return v_in_order(_mm256_shuffle_ps(low, high, 0xdd));
}

/* p * 2^n for integers n in [-151, 128] and p in (1/2, 2), in two factors as in the scalar program.
 */
INLINE vf v_scale(vf p, vf n)
{
    vi i = _mm256_cvtps_epi32(n), a = v_sra(i, 1), b = v_subi(i, a);
    vf high = v_float(v_sll(v_addi(a, v_seti(127)), 23)),
       low = v_float(v_sll(v_addi(b, v_seti(127)), 23));
    return v_mul(v_mul(p, high), low);
}

/* Lanes 0 to 31 of a sum, folded in the order of the specification. */
INLINE float v_fold_32(const vf l[32 / LANES])
{
    vf a = _mm256_add_ps(_mm256_add_ps(l[0], l[2]), _mm256_add_ps(l[1], l[3]));
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_shuffle_ps(c, c, 1)));
}

/* ---- Bytes: 4 LANES of them a vector ---- */

INLINE vi v_load_bytes(const int8_t *p, uint32_t n)
{
    if (n == 4 * LANES)
        return v_loadi(p);
    if (n == 2 * LANES)
        return _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p));
    int8_t all[4 * LANES] = {0};
    memcpy(all, p, n);
    return v_loadi(all);
}
INLINE vi v_pairs_low(vi a, vi b)
{
    return _mm256_unpacklo_epi8(a, b);
}
INLINE vi v_pairs_high(vi a, vi b)
{
    return _mm256_unpackhi_epi8(a, b);
}
INLINE vi v_fours_low(vi a, vi b)
{
    return _mm256_unpacklo_epi16(a, b);
}
INLINE vi v_fours_high(vi a, vi b)
{
    return _mm256_unpackhi_epi16(a, b);
}
/* acc + the four products a lane; w from 0 to 127: two products fit 16 bits */
INLINE vi v_dot(vi acc, vi w, vi a)
{
    return _mm256_add_epi32(acc,
                            _mm256_madd_epi16(_mm256_maddubs_epi16(w, a), _mm256_set1_epi16(1)));
}

/* The products of a fixed vector of signed bytes and others, all from -127 to 127. Here the others
 * take its signs. */
typedef struct v_factor {
    vi magnitudes, signs;
} v_factor;

INLINE v_factor v_make_factor(vi x)
{
    return (v_factor){_mm256_abs_epi8(x), x};
}
/* v_dot_factor(acc, f, x) is v_dot_prepared(acc, f, v_prepared(x)): for x that meets several
 * factors. */
INLINE vi v_prepared(vi x)
{
    return x;
}
INLINE vi v_dot_prepared(vi acc, const v_factor *f, vi x)
{
    return v_dot(acc, f->magnitudes, _mm256_sign_epi8(x, f->signs));
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
    vi a = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
    vi b = _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                            _mm256_permute2x128_si256(a, b, 0x31));
}

/* v[i] lane j becomes v[j] lane i. */
INLINE void v_transpose(vi v[LANES])
{
    vi a[LANES], b[LANES];
    for (int i = 0; i < LANES; i += 2)
        a[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]),
        a[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
    /* b[4 i + k]: lanes k of the four vectors from 4 i on, of each 128-bit half */
    for (int i = 0; i < LANES; i += 4) {
        b[i] = _mm256_unpacklo_epi64(a[i], a[i + 2]),
        b[i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 2]);
        b[i + 2] = _mm256_unpacklo_epi64(a[i + 1], a[i + 3]),
              b[i + 3] = _mm256_unpackhi_epi64(a[i + 1], a[i + 3]);
    }
    for (int k = 0; k < 4; k++) {
        v[k] = _mm256_permute2x128_si256(b[k], b[4 + k], 0x20);
        v[4 + k] = _mm256_permute2x128_si256(b[k], b[4 + k], 0x31);
    }
}

#include "kernels/avx2/bytes.h"
