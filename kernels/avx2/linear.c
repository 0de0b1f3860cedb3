/* LINEAR with AVX2: 8 weight rows in the lanes of a vector. Pairs of products are summed in 16 bits; whole bytes take their upper bit apart. */
#include <immintrin.h>

#define LANES 8
#define GROUP 4
typedef __m256i vi;
typedef __m256 vf;

/* Exact for w up to 128: 2 * 128 * 127 fits 16 bits. */
static inline __attribute__((always_inline)) __m256i four_products(__m256i acc, __m256i w, __m256i a)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(w, a), _mm256_set1_epi16(1)));
}

#define load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define set1i(x) _mm256_set1_epi32(x)
#define and_(a, b) _mm256_and_si256(a, b)
#define or_(a, b) _mm256_or_si256(a, b)
#define srl(a, n) _mm256_srli_epi16(a, n)
#define sll(a, n) _mm256_slli_epi16(a, n)
#define addi(a, b) _mm256_add_epi32(a, b)
#define dot(acc, w, a) four_products(acc, w, a)
#define dot_byte(acc, w, a) \
    four_products(four_products(acc, _mm256_and_si256(w, _mm256_set1_epi8(0x7f)), a), _mm256_and_si256(w, _mm256_set1_epi8((char)0x80)), a)
#define set1f(x) _mm256_set1_ps(x)
#define fma_(a, b, c) _mm256_fmadd_ps(a, b, c)
#define mul(a, b) _mm256_mul_ps(a, b)
#define to_f32(a) _mm256_cvtepi32_ps(a)
#define half_at(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define u8_at(p) _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(p))))
#define i8_at(p) _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(p))))
#define loadf(p) _mm256_loadu_ps(p)
#define storef(p, a) _mm256_storeu_ps(p, a)

#include "kernels/packed/linear.inc"

void lks_avx2_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
