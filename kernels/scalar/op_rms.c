/* RMS: sums of squares over segments of 256 elements, then r = 1 / sqrt(S / n + epsilon). In a
 * segment lane j of 32 takes elements j, j + 32, ... */
#include "kernels/scalar/blocks.h"
#include "kernels/scalar/scalar.h"

static float segment_sum(const float *x, uint32_t count)
{
    float lanes[LKS_CHUNK] = {0};
    for (uint32_t i = 0; i < count; i += LKS_CHUNK)
        for (uint32_t j = 0; j < LKS_CHUNK && i + j < count; j++)
            lanes[j] = lks_fma(x[i + j], x[i + j], lanes[j]);
    return lks_lanes_fold(lanes);
}

void LKS_KERNEL(rms)(float *y, const float *x, uint32_t width, float epsilon, size_t rows)
{
    for (size_t t = 0; t < rows; t++, x += width) {
        float sum = 0.0f;
        for (uint32_t i = 0; i < width; i += LKS_RMS_SEGMENT) {
            uint32_t count = width - i < LKS_RMS_SEGMENT ? width - i : LKS_RMS_SEGMENT;
            *y = lks_canonical(segment_sum(x + i, count));
            sum = sum + *y++;
        }
        *y++ = lks_canonical(1.0f / lks_sqrt(sum / (float)width + epsilon));
    }
}
