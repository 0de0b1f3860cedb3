/* A request's decoding policy, checked and decoded for the sampler. */
#ifndef LKS_ORACLE_POLICY_H
#define LKS_ORACLE_POLICY_H

#include "kernels/kernels.h"
#include "oracle/generate.h"

/* Refuses what InferenceOracle.request refuses: a temperature that is NaN, infinite, negative, -0 or in (0, 2^-10); a min_p that is NaN, -0 or outside
 * [0, 1]; an allowed list that is not strictly increasing or leaves the vocabulary. Out: out points into the policy's allowed list.
 * Returns: LKS_OK, LKS_BADARGS. */
LKS_MUST_USE lks_err lks_policy_decode(lks_sampling *out, const lks_policy *policy, uint32_t vocab_size);

#endif
