/* The model commitment: what a model id is made of (docs/SPEC.md, IModelRegistry.ModelCommitment).
 */
#ifndef LKS_ORACLE_TRACE_COMMIT_H
#define LKS_ORACLE_TRACE_COMMIT_H

#include "chain/model_commitment.h"
#include "oracle/model/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_ARITHMETIC_VERSION 1u

/* done and total in bytes hashed; called from the calling thread, a few times a second at most. May
 * be NULL. */
typedef void (*lks_commit_progress)(void *user, uint64_t done, uint64_t total);

/* Hashes the whole model (0.4 s for 98 MB on one core). */
LKS_MUST_USE
lks_err lks_commitment_make(lks_model_commitment *out, const lks_model *m,
                            lks_commit_progress progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
