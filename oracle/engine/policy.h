/* The decoding policy of a request: how each token of an answer is chosen. */
#ifndef LKS_ORACLE_ENGINE_POLICY_H
#define LKS_ORACLE_ENGINE_POLICY_H

#include "chain/err.h"
#include "kernels/kernels.h"

/* How a token is chosen (docs/SPEC.md, SAMPLE). All zero is greedy over the whole vocabulary. */
typedef struct lks_policy {
    uint32_t temperature;    /* float32 bits; 0 is greedy, else finite and at least 2^-10 */
    uint32_t min_p;          /* float32 bits in [0, 1]; greedy ignores it */
    uint64_t seed;           /* the seed used, of the Accepted event */
    const uint32_t *allowed; /* strictly increasing ids; NULL and 0: every token */
    size_t allowed_count;
} lks_policy;

/* Refuses what InferenceOracle.request refuses: a temperature that is NaN, infinite, negative, -0
 * or in (0, 2^-10); a min_p that is NaN, -0 or outside [0, 1]; an allowed list that is not strictly
 * increasing or leaves the vocabulary. Out: out points into the policy's allowed list. Returns:
 * LKS_OK, LKS_BADARGS. */
LKS_MUST_USE
lks_err lks_policy_decode(lks_sampling *out, const lks_policy *policy, uint32_t vocab_size);

#endif
