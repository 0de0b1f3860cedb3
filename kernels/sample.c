/* SAMPLE with the machine's fastest table: callers have logits, but need not have a session. */
#include "kernels/kernels.h"

void lks_sample_max(lks_sample_row *row, const float *logits, uint32_t vocab, const lks_sampling *policy)
{
    lks_kernels_best()->sample_max(row, logits, vocab, policy);
}

uint32_t lks_sample_choose(const lks_sample_row *row, const float *logits, uint32_t vocab, const lks_sampling *policy, uint32_t position)
{
    return lks_kernels_best()->sample_choose(row, logits, vocab, policy, position);
}
