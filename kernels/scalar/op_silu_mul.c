/* SILU_MUL: silu(gate) * up with silu(x) = x / (1 + exp32(-x)); each step rounded. */
#include "kernels/math32.h"
#include "kernels/scalar/scalar.h"

void LKS_KERNEL(silu_mul)(float *gate, const float *up, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float x = gate[i];
        gate[i] = (x / (1.0f + lks_exp32(-x))) * up[i];
    }
}
