/* Units and leaves drawn at random, the same for a seed on every machine. */
#ifndef LKS_TESTS_PROOF_DRAW_H
#define LKS_TESTS_PROOF_DRAW_H

#include "tests/proof/run_rows.h"

typedef struct rng {
    uint64_t state;
} rng;

uint64_t next(rng *r);
uint32_t below(rng *r, uint32_t n);

/* A leaf in range. */
uint32_t draw_leaf(rng *r, run_rows *rows, uint32_t op);
/* A unit of the leaf that an honest trace satisfies; of ATTN one of a kind Partial. */
lks_unit draw_unit(rng *r, run_rows *rows, uint32_t op, uint32_t leaf);

#endif
