/* The trace tree over a run's rows as they are in memory: what a liar that committed to them would
 * open and reveal. */
#ifndef LKS_TESTS_PROOF_RUN_TREE_H
#define LKS_TESTS_PROOF_RUN_TREE_H

#include "oracle/proof/witness.h"
#include "tests/proof/run_rows.h"

typedef struct run_tree {
    run_rows *rows;
    uint8_t (**leaves)[32]; /* by operation: of rows in range, without gaps */
    uint8_t (*roots)[32];
} run_tree;

void run_tree_make(run_tree *t, run_rows *rows);
void run_tree_free(run_tree *t);
/* After a change of a leaf's bytes. */
void run_tree_update(run_tree *t, uint32_t op, uint32_t leaf);
/* As lks_trace_node. */
void run_tree_node(uint8_t hash32[32], const run_tree *t, uint32_t op, unsigned height,
                   uint64_t index);
void run_tree_root(uint8_t hash32[32], const run_tree *t);

/* What the operator has revealed when a dispute has come down to a leaf: every stage's children on
 * the way, and the bytes. */
typedef struct revealed {
    lks_known known;
    lks_known_node *nodes;
    lks_known_leaf leaf;
} revealed;
void reveal_leaf(revealed *out, const run_tree *t, uint32_t op, uint32_t leaf);
void revealed_free(revealed *r);

/* The facts of the claim whose trace this is. */
void run_tree_claim(lks_witness_claim *out, const run_tree *t);

#endif
