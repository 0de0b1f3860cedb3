/* ROPE: pairs (a, b) -> (fma(a, c, -(b * s)), fma(b, c, a * s)), head by head; elements beyond the
 * rotary width pass through. */
#include "kernels/math32.h"
#include "kernels/scalar/scalar.h"

void LKS_KERNEL(rope)(float *x, size_t ld, uint32_t heads, uint32_t head_width, uint32_t rope_width,
                      bool halves, const float *table, size_t rows)
{
    uint32_t pairs = rope_width / 2, step = halves ? 1 : 2, apart = halves ? pairs : 1;
    for (size_t t = 0; t < rows; t++)
        for (uint32_t h = 0; h < heads; h++) {
            float *head = x + t * ld + (size_t)h * head_width;
            const float *angles = table + t * rope_width;
            for (uint32_t i = 0; i < pairs; i++) {
                float a = head[i * step], b = head[i * step + apart], c = angles[2 * i],
                      s = angles[2 * i + 1];
                head[i * step] = lks_fma(a, c, -(b * s));
                head[i * step + apart] = lks_fma(b, c, a * s);
            }
        }
}
