/* A claim as the trace sees it: a prompt, an answer, and the policy that chose its tokens. */
#ifndef LKS_ORACLE_TRACE_CLAIM_H
#define LKS_ORACLE_TRACE_CLAIM_H

#include "oracle/engine/policy.h"

/* Pointers are borrowed. */
typedef struct lks_run {
    const uint32_t *prompt;
    size_t prompt_count; /* P */
    const uint32_t *answer;
    size_t answer_count; /* N */
    lks_policy policy;   /* with the seed used */
} lks_run;

#endif
