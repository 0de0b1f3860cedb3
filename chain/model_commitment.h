/* The commitment to a model, and its id (docs/SPEC.md, section 10; IModelRegistry.ModelCommitment).
 */
#ifndef LKS_CHAIN_MODEL_COMMITMENT_H
#define LKS_CHAIN_MODEL_COMMITMENT_H

#include "chain/err.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* End-of-sequence ids that a model may have. */
#define LKS_MAX_EOS 8

typedef struct lks_model_commitment {
    uint32_t arithmetic_version;
    uint8_t weights_root[32];
    uint8_t program_root[32];
    uint8_t tokenizer_hash[32];
    uint8_t rope_root[32];
    uint32_t op_count;
    uint32_t tensor_count;
    uint32_t sampler_op;
    uint32_t vocab_size;
    uint32_t context_length;
    uint32_t max_positions;
    uint32_t eos_ids[LKS_MAX_EOS]; /* strictly increasing */
    uint32_t eos_count;
    uint8_t model_id[32]; /* of the fields above; no member of the struct on chain */
} lks_model_commitment;

/* Out: keccak256(abi.encode(ModelCommitment)); c->model_id is not read.
 * Returns: LKS_OK; LKS_BADARGS (more than LKS_MAX_EOS ids); LKS_NOMEM. */
lks_err lks_model_id(uint8_t id32[32], const lks_model_commitment *c) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
