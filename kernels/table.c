/* The tables of kernels, and which one this machine runs. */
#include "kernels/scalar/scalar.h"

#include <stdlib.h>
#include <string.h>

#define TABLE(level, width) \
    { \
        .name = #level, .lanes = width, .embed = lks_##level##_embed, .linear = lks_##level##_linear, .rms = lks_##level##_rms, \
        .norm_q = lks_##level##_norm_q, .quant = lks_##level##_quant, .rope = lks_##level##_rope, .silu_mul = lks_##level##_silu_mul, \
        .add = lks_##level##_add, .attn = lks_##level##_attn, \
        .sample_max = lks_##level##_sample_max, .sample_choose = lks_##level##_sample_choose, \
    }

const lks_kernels lks_kernels_scalar = TABLE(scalar, 0);

void lks_scalar_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    lks_scalar_linear_stored(y, ld, w, bias, first, last, x, rows);
}

#if defined(__x86_64__)
static const lks_kernels avx2 = TABLE(avx2, 8), avx512 = TABLE(avx512, 16);

static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}
#endif

const lks_kernels *lks_kernels_at(size_t index)
{
    if (index == 0)
        return &lks_kernels_scalar;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (index == 1 && has_avx2())
        return &avx2;
    if (index == 2 && has_avx512())
        return &avx512;
#endif
    return NULL;
}

const lks_kernels *lks_kernels_best(void)
{
    const char *wanted = getenv("LOCKSTEP_CPU");
    const lks_kernels *best = &lks_kernels_scalar;
    for (size_t i = 0; lks_kernels_at(i); i++) {
        best = lks_kernels_at(i);
        if (wanted && strcmp(wanted, best->name) == 0)
            break;
    }
    return best;
}
