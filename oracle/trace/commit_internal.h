/* Shared by the commitment (commit.c) and the model's trees (model_trees.c): a model is hashed in
 * one place. */
#ifndef LKS_ORACLE_TRACE_COMMIT_INTERNAL_H
#define LKS_ORACLE_TRACE_COMMIT_INTERNAL_H

#include "oracle/trace/commit.h"
#include "oracle/trace/model_trees.h"

/* Hashes the model. keep: with the leaves' hashes, so that nodes can be had; else *out serves for
 * its commitment alone. */
LKS_MUST_USE
lks_err lks_model_trees_build(lks_model_trees **out, const lks_model *m, bool keep,
                              lks_commit_progress progress, void *user);

/* In: the roots of weights, program and RoPE table. Out: everything else of the commitment. */
LKS_MUST_USE
lks_err lks_commitment_seal(lks_model_commitment *c, const lks_model *m);

#endif
