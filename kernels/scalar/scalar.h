/* The functions of the scalar table; see kernels/kernels.h for what each does. */
#ifndef LKS_KERNELS_SCALAR_H
#define LKS_KERNELS_SCALAR_H

#include "kernels/kernels.h"

void lks_scalar_embed(float *y, const lks_matrix *w, const uint32_t *ids, size_t rows);
void lks_scalar_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows);
void lks_scalar_rms(float *y, const float *x, uint32_t width, float epsilon, size_t rows);
void lks_scalar_norm_q(const lks_a8 *y, const float *x, const float *sums, size_t sums_ld, const float *gain, size_t rows);
void lks_scalar_quant(const lks_a8 *y, const float *x, size_t ld, size_t rows);
void lks_scalar_rope(float *x, size_t ld, uint32_t heads, uint32_t head_width, uint32_t rope_width, bool halves, const float *table, size_t rows);
void lks_scalar_silu_mul(float *gate, const float *up, size_t count);
void lks_scalar_add(float *y, size_t y_ld, const float *x, size_t x_ld, const float *z, size_t z_ld, uint32_t width, size_t rows);
void lks_scalar_attn(float *o, const int8_t *q, const float *dq, const int8_t *k, const float *dk, const int8_t *v, const float *dv,
                     uint32_t position, uint32_t head_width, uint32_t blocks, float scale, float *scores);

#endif
