/* The claims of a request: what an operator says the answer is, with all that is needed to compute
 * it again. */
#ifndef LKS_CLI_CLAIM_VIEW_H
#define LKS_CLI_CLAIM_VIEW_H

#include "oracle/cli/request_view.h"
#include "oracle/proof/step.h"

/* Which claim of a request is meant. */
typedef struct lks_claim_args {
    uint32_t seat, attempt;
    bool seat_given, attempt_given;
} lks_claim_args;

#define LKS_CLAIM_OPTIONS(a)                                                                       \
    {.name = "seat",                                                                               \
     .kind = LKS_OPT_U32,                                                                          \
     .out = &(a).seat,                                                                             \
     .given = &(a).seat_given,                                                                     \
     .value = "N",                                                                                 \
     .help = "the claim on this seat (needed where a request with replicas has several)"},         \
        {.name = "attempt",                                                                        \
         .kind = LKS_OPT_U32,                                                                      \
         .out = &(a).attempt,                                                                      \
         .given = &(a).attempt_given,                                                              \
         .value = "N",                                                                             \
         .help = "the claim of this attempt (default: the final one, else the newest)"}

typedef struct lks_claim_view {
    uint8_t name[32];     /* in the oracle: request, attempt and seat */
    uint8_t claim_id[32]; /* the dispute game's key: hash of all that is claimed */
    uint8_t operator20[20];
    uint8_t attempt, seat;
    uint64_t window_end; /* last second in which it can be challenged */
    uint64_t block;
    bool convicted, voided;
    /* Whether disputes can end it: it is of the attempt under way, neither convicted nor void, and
     * the request is not settled. */
    bool standing;
    /* Question and claimed answer; the lists are owned. */
    lks_run run;
    uint32_t *prompt, *answer, *allowed;
} lks_claim_view;

/* Finds the claim in a request's events. Out: *c, to be freed in either case.
 * Returns: LKS_OK; LKS_NOTFOUND (no such claim); LKS_BADARGS (several, and args choose none);
 * LKS_CORRUPT (the node's events contradict themselves); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_claim_view_find(lks_claim_view *c, const lks_request_view *v, const lks_deployment *d,
                            const lks_claim_args *args);
/* The same for a claim whose name is known. */
LKS_MUST_USE
lks_err lks_claim_view_by_name(lks_claim_view *c, const lks_request_view *v,
                               const lks_deployment *d, const uint8_t name32[32]);
void lks_claim_view_free(lks_claim_view *c);

/* Reads a request and finds one of its claims. Out: *v and *c, both to be freed in either case.
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_claim_view_get(lks_request_view *v, lks_claim_view *c, lks_link *s,
                       const char *request_text, const lks_claim_args *args);

#endif
