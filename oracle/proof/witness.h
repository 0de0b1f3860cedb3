/* Witnesses: a unit of proof with the openings that it reads (docs/SPEC.md, section 13;
 * IStepVerifier.Witness).
 *
 * Made from a trace of one's own, the model, and what the operator has revealed of its tree;
 * verified against roots alone.
 */
#ifndef LKS_ORACLE_PROOF_WITNESS_H
#define LKS_ORACLE_PROOF_WITNESS_H

#include "oracle/proof/step.h"
#include "oracle/trace/model_trees.h"
#include "oracle/trace/trace.h"

typedef struct lks_opening {
    uint8_t *data;
    size_t data_len;
    uint8_t (*path)[32];
    size_t path_count;
} lks_opening;

typedef struct lks_witness {
    lks_unit unit;
    lks_opening *openings;
    size_t count;
} lks_witness;

void lks_witness_free(lks_witness *w);

/* Hashes and leaves of its tree that the operator revealed. Everything else is taken to equal our
 * trace. */
typedef struct lks_known_node {
    uint32_t op; /* LKS_TOP: the tree above operations */
    unsigned height;
    uint64_t index;
    uint8_t hash[32];
} lks_known_node;

typedef struct lks_known_leaf {
    uint32_t op;
    uint64_t leaf;
    const uint8_t *bytes;
    size_t len;
} lks_known_leaf;

/* Borrowed arrays, in any order. Nodes and leaves that they lack are taken from our trace. Inner
 * nodes between a revealed stage and its parent are computed. */
typedef struct lks_known {
    const lks_known_node *nodes;
    size_t node_count;
    const lks_known_leaf *leaves;
    size_t leaf_count;
} lks_known;

/* Makes the witness of a unit and checks it. partials: as lks_step_check. Out: *out, to be freed;
 * *wrong. Returns: LKS_OK; what lks_step_check and lks_trace_rows return. */
LKS_MUST_USE
lks_err lks_witness_make(lks_witness *out, bool *wrong, lks_trace *own,
                         const lks_model_trees *trees, const lks_known *known, const lks_unit *u,
                         const uint8_t *partials, size_t partials_len);

/* The twin of IStepVerifier.isWrong: verifies the openings against the claim's root, the commitment
 * and the token hashes. Returns: LKS_OK; LKS_CORRUPT (an opening too few or too many, of another
 * length, or not under its root); as lks_step_check. */
typedef struct lks_witness_claim {
    uint8_t trace_root[32], prompt_hash[32], tokens_hash[32], allowed_hash[32];
    lks_facts facts;
} lks_witness_claim;
LKS_MUST_USE
lks_err lks_witness_check(bool *wrong, const lks_witness_claim *c,
                          const lks_model_commitment *model, const lks_witness *w,
                          const uint8_t *partials, size_t partials_len);

#endif
