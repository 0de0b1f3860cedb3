/* One answer: prompt in, tokens out, by the decoding policy of a request. The bits depend on the
 * model file and the arguments of lks_generate alone: not on threads, batch, machine or build.
 */
#ifndef LKS_ORACLE_ENGINE_GENERATE_H
#define LKS_ORACLE_ENGINE_GENERATE_H

#include "oracle/engine/policy.h"
#include "oracle/model/model.h"

#include <stdatomic.h>

typedef struct lks_generate_options {
    unsigned threads; /* 0: one for every core */
    unsigned batch;   /* positions a pass of prefill; 0: 512 */
    /* Called after each new token, on the calling thread; a non-zero answer ends the run with
     * LKS_REFUSED. May be NULL. */
    int (*on_token)(void *user, uint32_t id);
    /* Called before each pass: a batch of the prompt, or one token; it may block. Otherwise as
     * on_token. */
    int (*before_pass)(void *user);
    void *user; /* of both */
    /* Set from any thread: the run ends with LKS_REFUSED soon. May be NULL. */
    const atomic_bool *cancel;
} lks_generate_options;

/* Runs prompt_count ids and samples up to max_tokens. An end-of-sequence id is part of the answer
 * and ends it. Out: tokens, room for max_tokens; *count of them (what was done so far, on failure
 * too). Returns: LKS_OK; LKS_BADARGS (no prompt, an id outside the vocabulary, prompt + max_tokens
 * - 1 over the model's positions, a policy that a request could not state); LKS_REFUSED
 * (cancelled); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_generate(const lks_model *m, const uint32_t *prompt, size_t prompt_count,
                     const lks_policy *policy, uint32_t max_tokens,
                     const lks_generate_options *options, uint32_t *tokens, uint32_t *count);

/* Bytes that such a run allocates: its session's (lks_session_bytes) and a row of logits. */
uint64_t lks_generate_bytes(const lks_model *m, size_t prompt_count, uint32_t max_tokens,
                            unsigned threads);

#endif
