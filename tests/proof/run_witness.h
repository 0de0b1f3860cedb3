/* Witnesses made from all that a liar committed to, every hash computed: nothing of
 * oracle/proof/witness.c is used. Also for models that no file holds. */
#ifndef LKS_TESTS_PROOF_RUN_WITNESS_H
#define LKS_TESTS_PROOF_RUN_WITNESS_H

#include "tests/proof/run_tree.h"

/* The hashes of a model's leaves, and the roots over them. */
typedef struct model_hashes {
    const lks_model *model;
    lks_shape *shapes;      /* by tensor, then the program, then the RoPE table */
    uint8_t (**leaves)[32]; /* the same */
    uint8_t (*tensor_roots)[32];
    uint8_t **rows;                  /* the bytes hashed, where they are not the file's */
    lks_model_commitment commitment; /* tokenizer hash and model id are 0 */
} model_hashes;

void model_hashes_make(model_hashes *h, const lks_model *m);
void model_hashes_free(model_hashes *h);

/* Out: *out, to be freed; *wrong. Returns: what lks_step_check returns. */
lks_err run_witness_make(lks_witness *out, bool *wrong, const run_tree *t, const model_hashes *h,
                         const lks_unit *u, const uint8_t *partials, size_t len);

#endif
