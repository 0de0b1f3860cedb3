/* LINEAR with AVX-VNNI: 8 weight rows in the lanes of a vector, four products a lane and
 * instruction. The same source makes the level for processors with AVX-VNNI and, for the tests, one
 * for those that know only the same instructions of AVX-512. */
#include "kernels/packed/ymm.inc"

#ifdef __AVX512VNNI__
#define dot(acc, w, a) _mm256_dpbusd_epi32(acc, w, a)
#else
#define dot(acc, w, a) _mm256_dpbusd_avx_epi32(acc, w, a)
#endif
#define dot_at(acc, w, a) dot(acc, w, set1i((int32_t)lks_word_at(a)))

#define ROWS 4
#define BLOCKS 36
#define WIDE 1
#define GROUPS 2
#define STORED lks_avx2_linear_stored
#include "kernels/packed/dots_vnni.inc"
#include "kernels/packed/linear_tiled.inc"

void LKS_KERNEL(linear)(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                        uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
