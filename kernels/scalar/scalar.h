/* The plain C kernels; see kernels/kernels.h for what each does. linear_stored reads weights as the
 * file has them; a level's linear may want them packed. The same sources are compiled once for each
 * instruction set, as lks_LEVEL_NAME: what a compiler vectorises keeps every bit, since no flag
 * lets it reorder floating point. LKS_LEVEL is "scalar" unless the build says otherwise.
 */
#ifndef LKS_KERNELS_SCALAR_H
#define LKS_KERNELS_SCALAR_H

#include "kernels/kernels.h"

#ifndef LKS_LEVEL
#define LKS_LEVEL scalar
#endif
#define LKS_JOIN_(level, name) lks_##level##_##name
#define LKS_JOIN(level, name) LKS_JOIN_(level, name)
#define LKS_KERNEL(name) LKS_JOIN(LKS_LEVEL, name)

#define LKS_DECLARE_KERNELS(level)                                                                 \
    void lks_##level##_embed(float *y, const lks_matrix *w, const uint32_t *ids, size_t rows);     \
    void lks_##level##_linear_stored(float *y, size_t ld, const lks_matrix *w, const float *bias,  \
                                     uint32_t first, uint32_t last, const lks_a8 *x, size_t rows); \
    void lks_##level##_linear(float *y, size_t ld, const lks_matrix *w, const float *bias,         \
                              uint32_t first, uint32_t last, const lks_a8 *x, size_t rows);        \
    void lks_##level##_rms(float *y, const float *x, uint32_t width, float epsilon, size_t rows);  \
    void lks_##level##_norm_q(const lks_a8 *y, const float *x, const float *sums, size_t sums_ld,  \
                              const float *gain, size_t rows);                                     \
    void lks_##level##_quant(const lks_a8 *y, const float *x, size_t ld, size_t rows);             \
    void lks_##level##_rope(float *x, size_t ld, uint32_t heads, uint32_t head_width,              \
                            uint32_t rope_width, bool halves, const float *table, size_t rows);    \
    void lks_##level##_silu_mul(float *gate, const float *up, size_t count);                       \
    void lks_##level##_add(float *y, size_t y_ld, const float *x, size_t x_ld, const float *z,     \
                           size_t z_ld, uint32_t width, size_t rows);                              \
    void lks_##level##_sample_max(lks_sample_row *row, const float *logits, uint32_t vocab,        \
                                  const lks_sampling *policy);                                     \
    uint32_t lks_##level##_sample_choose(const lks_sample_row *row, const float *logits,           \
                                         uint32_t vocab, const lks_sampling *policy,               \
                                         uint32_t position);                                       \
    void lks_##level##_attn(float *o, size_t ld, const lks_a8 *q, const lks_a8 *k,                 \
                            const lks_a8 *v, uint32_t position, uint32_t rows, float scale,        \
                            float *scores);

LKS_DECLARE_KERNELS(scalar)
LKS_DECLARE_KERNELS(avx2)
LKS_DECLARE_KERNELS(avx512)
LKS_DECLARE_KERNELS(neon)
LKS_DECLARE_KERNELS(neondot)

/* Instruction sets with a LINEAR of their own only. */
#define LKS_DECLARE_LINEAR(level)                                                                  \
    void lks_##level##_linear(float *y, size_t ld, const lks_matrix *w, const float *bias,         \
                              uint32_t first, uint32_t last, const lks_a8 *x, size_t rows);

LKS_DECLARE_LINEAR(avxvnni)
LKS_DECLARE_LINEAR(amx)

#endif
