/* The addition of LINEAR_ADD: x + z, x first. */
#include "kernels/bits.h"
#include "kernels/scalar/scalar.h"

void LKS_KERNEL(add)(float *y, size_t y_ld, const float *x, size_t x_ld, const float *z,
                     size_t z_ld, uint32_t width, size_t rows)
{
    for (size_t t = 0; t < rows; t++)
        for (uint32_t i = 0; i < width; i++)
            y[t * y_ld + i] = lks_canonical(x[t * x_ld + i] + z[t * z_ld + i]);
}
