/* The pieces of blocks.h as functions, for traces and tests. */
#include "kernels/scalar/blocks.h"

void lks_quantize_block(int8_t *q, float *d, uint32_t *idx, const float *x, uint32_t count)
{
    lks_block_quantize(q, d, idx, x, count);
}

float lks_fold_lanes(float lanes[LKS_CHUNK])
{
    return lks_lanes_fold(lanes);
}
