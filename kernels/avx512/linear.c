/* LINEAR with AVX-512 VNNI: 16 weight rows in the lanes of a vector, four products a lane and instruction. */
#include <immintrin.h>

#define LANES 16
#define GROUP 8
typedef __m512i vi;
typedef __m512 vf;
#define load(p) _mm512_loadu_si512(p)
#define set1i(x) _mm512_set1_epi32(x)
#define and_(a, b) _mm512_and_si512(a, b)
#define or_(a, b) _mm512_or_si512(a, b)
#define srl(a, n) _mm512_srli_epi16(a, n)
#define sll(a, n) _mm512_slli_epi16(a, n)
#define addi(a, b) _mm512_add_epi32(a, b)
#define dot(acc, w, a) _mm512_dpbusd_epi32(acc, w, a)
#define dot_byte(acc, w, a) dot(acc, w, a)
#define set1f(x) _mm512_set1_ps(x)
#define fma_(a, b, c) _mm512_fmadd_ps(a, b, c)
#define mul(a, b) _mm512_mul_ps(a, b)
#define to_f32(a) _mm512_cvtepi32_ps(a)
#define half_at(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define u8_at(p) _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#define i8_at(p) _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#define loadf(p) _mm512_loadu_ps(p)
#define storef(p, a) _mm512_storeu_ps(p, a)

#include "kernels/packed/linear.inc"

void lks_avx512_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
