/* SAMPLE: the maximal logit, and the token that a policy chooses (docs/SPEC.md). Every comparison
 * is of total-order keys of canonical floats. */
#include "kernels/math32.h"
#include "kernels/scalar/scalar.h"

/* The i-th candidate: the i-th allowed token, or token i. */
static inline uint32_t candidate(const lks_sampling *policy, size_t i)
{
    return policy->allowed ? policy->allowed[i] : (uint32_t)i;
}
static inline size_t candidate_count(const lks_sampling *policy, uint32_t vocab)
{
    return policy->allowed ? policy->allowed_count : vocab;
}

void LKS_KERNEL(sample_max)(lks_sample_row *row, const float *logits, uint32_t vocab,
                            const lks_sampling *policy)
{
    size_t count = candidate_count(policy, vocab);
    for (size_t i = 0; i < count; i++) {
        uint32_t token = candidate(policy, i);
        float logit = lks_canonical(logits[token]);
        if (i == 0 || lks_order_key(logit) > lks_order_key(row->max)) {
            row->max = logit;
            row->index = token;
        }
    }
}

/* -log32(-log32(u)), u from word (token & 3) of the block (token >> 2, position). */
static float gumbel(uint32_t token, uint32_t position, uint64_t seed)
{
    uint32_t words[4];
    lks_philox(words, (uint32_t[4]){token >> 2, position, 0, 0},
               (uint32_t[2]){(uint32_t)seed, (uint32_t)(seed >> 32)});
    float u = (float)(words[token & 3] >> 8 | 1) * 0x1p-24f;
    return -lks_log32(-lks_log32(u));
}

uint32_t LKS_KERNEL(sample_choose)(const lks_sample_row *row, const float *logits, uint32_t vocab,
                                   const lks_sampling *policy, uint32_t position)
{
    if (policy->temperature == 0.0f)
        return row->index;
    float inverse = 1.0f / policy->temperature, best = 0.0f;
    int32_t threshold = lks_order_key(lks_log32(policy->min_p));
    uint32_t chosen = row->index;
    bool any = false;
    size_t count = candidate_count(policy, vocab);
    for (size_t i = 0; i < count; i++) {
        uint32_t token = candidate(policy, i);
        float logit = lks_canonical(logits[token]);
        if (lks_order_key(lks_canonical((logit - row->max) * inverse)) < threshold)
            continue;
        float score = lks_canonical(logit * inverse + gumbel(token, position, policy->seed));
        if (!any || lks_order_key(score) > lks_order_key(best)) {
            any = true;
            best = score;
            chosen = token;
        }
    }
    return chosen;
}
