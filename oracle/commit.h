/* The model commitment: what a model id is made of (docs/SPEC.md, IModelRegistry.ModelCommitment). */
#ifndef LKS_ORACLE_COMMIT_H
#define LKS_ORACLE_COMMIT_H

#include "oracle/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_ARITHMETIC_VERSION 1u

typedef struct lks_commitment {
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
    uint8_t model_id[32]; /* keccak256(abi.encode(the fields above)) */
} lks_commitment;

/* done and total in bytes hashed; called from the calling thread, a few times a second at most. May be NULL. */
typedef void (*lks_commit_progress)(void *user, uint64_t done, uint64_t total);

/* Hashes the whole model (0.4 s for 98 MB on one core). */
LKS_MUST_USE lks_err lks_commitment_make(lks_commitment *out, const lks_model *m, lks_commit_progress progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
