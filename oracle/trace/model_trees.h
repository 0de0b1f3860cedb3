/* The Merkle trees of a model's weights, program and RoPE table, with all their leaf hashes
 * (docs/SPEC.md, sections 9 and 10): openings of weights, descriptors and RoPE rows are made from
 * them. */
#ifndef LKS_ORACLE_TRACE_MODEL_TREES_H
#define LKS_ORACLE_TRACE_MODEL_TREES_H

#include "oracle/trace/commit.h"
#include "oracle/trace/shape.h"
#include "oracle/trace/tree.h"

/* Immutable; any thread. */
typedef struct lks_model_trees lks_model_trees;

/* Hashes the file once. Memory: 32 bytes per chunk of the file.
 * Returns: LKS_OK; LKS_NOMEM. Out: *out, to be freed with lks_model_trees_free. */
LKS_MUST_USE
lks_err lks_model_trees_make(lks_model_trees **out, const lks_model *m);
void lks_model_trees_free(lks_model_trees *trees);
const lks_model_commitment *lks_model_trees_commitment(const lks_model_trees *trees);

/* The path of places [first, end) of an item of a model's tree (LKS_TREE_WEIGHTS: item is a tensor;
 * PROGRAM, ROPE: 0). The range is in the item. */
void lks_model_trees_path(uint8_t (*path)[32], size_t *count, const lks_model_trees *trees,
                          lks_tree tree, uint32_t item, uint64_t first, uint64_t end);
/* Whether chunks [first, end) of a tensor's row, one behind the other, are those that the trees
 * were made of. */
bool lks_model_trees_match(const lks_model_trees *trees, uint32_t tensor, uint32_t row,
                           uint32_t first, uint32_t end, const uint8_t *bytes);
/* The shape of an item of a model's tree. */
void lks_model_trees_shape(lks_shape *s, const lks_model_trees *trees, lks_tree tree,
                           uint32_t item);

#endif
