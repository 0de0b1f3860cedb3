/* exp32 and log32 of an instruction set's vectors over arrays, for check_math32.c: compiled once a
 * level, with its flags. */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/math.h"

#define OVER_ARRAY(function)                                                                       \
    void LKS_KERNEL(function)(float *y, const float *x, size_t count);                             \
    void LKS_KERNEL(function)(float *y, const float *x, size_t count)                              \
    {                                                                                              \
        for (size_t i = 0; i < count; i += LANES)                                                  \
            v_store(y + i, v_##function(v_load(x + i)));                                           \
    }
OVER_ARRAY(exp32)
OVER_ARRAY(log32)
