/* The tables of kernels, and which one this machine runs. */
#include "kernels/scalar/scalar.h"

const lks_kernels lks_kernels_scalar = {
    .name = "scalar",
    .embed = lks_scalar_embed,
    .linear = lks_scalar_linear,
    .rms = lks_scalar_rms,
    .norm_q = lks_scalar_norm_q,
    .quant = lks_scalar_quant,
    .rope = lks_scalar_rope,
    .silu_mul = lks_scalar_silu_mul,
    .add = lks_scalar_add,
    .attn = lks_scalar_attn,
};

const lks_kernels *lks_kernels_best(void) { return &lks_kernels_scalar; }
