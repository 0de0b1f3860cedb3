/* Witnesses: a unit of proof with the openings that it reads (docs/SPEC.md, section 13; IStepVerifier.Witness).
 *
 * Made from a trace of one's own, the model, and what the operator has revealed of its tree; verified against roots alone.
 */
#ifndef LKS_ORACLE_WITNESS_H
#define LKS_ORACLE_WITNESS_H

#include "oracle/trace.h"

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

/* What is known of the operator's tree: hashes and leaves that it revealed. Everything else is taken to equal the own trace. */
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

/* Borrowed arrays, in any order; where they say nothing the own trace speaks. Inner nodes between a revealed stage and its parent are computed. */
typedef struct lks_known {
    const lks_known_node *nodes;
    size_t node_count;
    const lks_known_leaf *leaves;
    size_t leaf_count;
} lks_known;

/* The trees of a model with all their leaf hashes, from which weights, descriptors and RoPE rows are opened. Costs one hash of the file, 32 bytes a chunk.
 * Immutable; any thread. */
typedef struct lks_model_trees lks_model_trees;
LKS_MUST_USE lks_err lks_model_trees_make(lks_model_trees **out, const lks_model *m);
void lks_model_trees_free(lks_model_trees *trees);
const lks_commitment *lks_model_trees_commitment(const lks_model_trees *trees);

/* Makes the witness of a unit and checks it. partials: as lks_step_check. Out: *out, to be freed; *wrong.
 * Returns: LKS_OK; what lks_step_check and lks_trace_rows return. */
LKS_MUST_USE lks_err lks_witness_make(lks_witness *out, bool *wrong, lks_trace *own, const lks_model_trees *trees, const lks_known *known, const lks_unit *u,
                                      const uint8_t *partials, size_t partials_len);

/* Finds a unit of a leaf whose bytes differ from the own trace's that shows it wrong. For a leaf of ATTN: the element whose partials are to be demanded
 * (kind OUTPUT). Out: *u. Returns: LKS_OK; LKS_NOTFOUND (every unit agrees: the fault lies elsewhere); as lks_witness_make. */
LKS_MUST_USE lks_err lks_unit_find(lks_unit *u, lks_trace *own, const lks_model_trees *trees, const lks_known *known, uint32_t op, uint32_t leaf);
/* Finds a unit that shows token `index` of the answer wrong. Kind UNLISTED, of a token that is not in
 * the allowed list, needs nothing of the operator's trace; kind TOKEN needs the operator's SAMPLE and
 * NORM_Q rows to equal ours. */
LKS_MUST_USE lks_err lks_unit_find_token(lks_unit *u, lks_trace *own, uint32_t index);

/* Out: the partials of an attention element, appended to nothing: *out of *len bytes, to be freed with free. */
LKS_MUST_USE lks_err lks_partials_make(uint8_t **out, size_t *len, lks_trace *own, uint32_t op, uint32_t row, uint32_t element);
/* Finds the unit (a kind PARTIAL) that shows the operator's partials wrong. Returns also LKS_NOTFOUND. */
LKS_MUST_USE lks_err lks_unit_find_partial(lks_unit *u, lks_trace *own, const lks_known *known, uint32_t op, uint32_t leaf, uint32_t element,
                                           const uint8_t *partials, size_t len);

/* The twin of IStepVerifier.isWrong: verifies the openings against the claim's root, the commitment and the token hashes.
 * Returns: LKS_OK; LKS_CORRUPT (an opening too few or too many, of another length, or not under its root); as lks_step_check. */
typedef struct lks_witness_claim {
    uint8_t trace_root[32], prompt_hash[32], tokens_hash[32], allowed_hash[32];
    lks_facts facts;
} lks_witness_claim;
LKS_MUST_USE lks_err lks_witness_check(bool *wrong, const lks_witness_claim *c, const lks_commitment *model, const lks_witness *w, const uint8_t *partials,
                                       size_t partials_len);

#endif
