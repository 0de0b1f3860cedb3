/* A model that no file holds, for what the models of the Llama family do not have: the unfused
 * LINEAR, ROPE_Q and SILU_MUL_Q, half-split pairing, LINEAR_Q of queries, A8 rows of more than one
 * chunk, all weight types in one program. Its rows are made by the scalar kernels. */
#ifndef LKS_TESTS_PROOF_HAND_MODEL_H
#define LKS_TESTS_PROOF_HAND_MODEL_H

#include "tests/proof/run_rows.h"

typedef struct hand_model {
    lks_model model;
    lks_gguf_tensor *tensors;
} hand_model;

/* wild: gains and biases hold infinities, NaNs of several kinds, zeros and huge values, so that
 * whole blocks become NaN. */
void hand_model_make(hand_model *h, bool wild);
void hand_model_free(hand_model *h);

/* A greedy run with its rows, both to be freed. */
void hand_run_make(vector_run *v, run_rows *r, const hand_model *h, size_t prompt_count,
                   size_t answer_count);

#endif
