/* The models that are served, each with the id that was derived from its file here: an id that
 * somebody states is never relied on.
 */
#ifndef LKS_PLUGIN_MODELS_H
#define LKS_PLUGIN_MODELS_H

#include "oracle/engine/generate.h"
#include "oracle/proof/witness.h"
#include "oracle/trace/trace.h"

#include <stddef.h>

#define LKS_MAX_MODELS 16u

typedef struct lks_served {
    uint8_t model_id[32];
    uint32_t vocab_size;
    uint32_t max_positions;
    lks_model *model;
    lks_model_commitment commitment;
    lks_model_trees *trees; /* of a challenger, which opens weights; else NULL */
} lks_served;

/* lks_generate, with the model as it is served. */
typedef lks_err (*lks_run_fn)(const lks_served *served, const uint32_t *prompt, size_t prompt_count,
                              const lks_policy *policy, uint32_t max_tokens,
                              const lks_generate_options *options, uint32_t *tokens,
                              uint32_t *count);

/* Computes an answer again in one batch, as a challenger does. Out: *first_wrong, of the tokens;
 * their number when all are right. */
typedef lks_err (*lks_recheck_fn)(const lks_served *served, const lks_run *answer,
                                  const lks_trace_options *options, uint32_t *first_wrong);

typedef struct lks_models {
    lks_served items[LKS_MAX_MODELS];
    size_t count;
    lks_run_fn run;
    lks_recheck_fn recheck;
} lks_models;

/* Reads count files into memory and derives their ids; with_trees: keeps what a challenger needs,
 * 32 bytes a KiB of each file. Out: out, to be closed; empty on failure. Returns: what
 * lks_model_load and lks_commitment_make return; LKS_REFUSED (the same model twice). */
lks_err lks_models_open(lks_models *out, char *const *paths, size_t count,
                        bool with_trees) LKS_MUST_USE;
void lks_models_close(lks_models *models);

/* Whether the model's file is still the one that its id was derived from. Any thread. Returns:
 * LKS_OK; LKS_CORRUPT, LKS_IO: it is not, and the reason names it. */
lks_err lks_served_check(const lks_served *served) LKS_MUST_USE;

/* Returns: NULL when it is not served. */
const lks_served *lks_models_find(const lks_models *models, const uint8_t model_id32[32]);

#endif
