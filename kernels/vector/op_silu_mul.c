/* SILU_MUL, in vectors: scalar/op_silu_mul.c. */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/math.h"

static inline vf silu_mul(vf x, vf up)
{
    return v_mul(v_div(x, v_add(v_set(1.0f), v_exp32(v_negate(x)))), up);
}

void LKS_KERNEL(silu_mul)(float *gate, const float *up, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        v_store(gate + i, silu_mul(v_load(gate + i), v_load(up + i)));
    if (i < count) {
        uint32_t rest = (uint32_t)(count - i);
        v_store_part(gate + i, silu_mul(v_load_part(gate + i, rest), v_load_part(up + i, rest)),
                     rest);
    }
}
