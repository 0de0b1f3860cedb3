/* LINEAR with AVX-512 VNNI: 16 weight rows in the lanes of a vector, four products a lane and
 * instruction. */
#include "kernels/packed/zmm.inc"

#define ROWS 6
#define BLOCKS 24
#define WIDE 2
#define GROUPS 4
#include "kernels/packed/dots_vnni.inc"
#include "kernels/packed/linear_tiled.inc"

void lks_avx512_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                       uint32_t last, const lks_a8 *x, size_t rows)
{
    packed_linear(y, ld, w, bias, first, last, x, rows);
}
