/* A claim of a request, computed again and judged: what `check`, `challenge` and `prove` begin
 * with. */
#ifndef LKS_CLI_CASE_H
#define LKS_CLI_CASE_H

#include "oracle/cli/verdict.h"

/* All zero at first; to be closed. */
typedef struct lks_case {
    lks_rerun_args rerun;
    lks_claim_args which;
    lks_chain_args chain;
    lks_link link;
    lks_request_view view;
    lks_claim_view claim;
    lks_rerun_model model;
    lks_verdict verdict;
} lks_case;

#define LKS_CASE_OPTIONS(c)                                                                        \
    LKS_RERUN_OPTIONS((c).rerun), LKS_CLAIM_OPTIONS((c).which), LKS_CHAIN_OPTIONS((c).chain)

/* Opens the model file, computes the claim again and prints the verdict, with --json nothing. In:
 * link, view and claim; hashed, as of lks_verdict_make. Returns: LKS_PARSED, or the exit code after
 * telling. */
int lks_case_judge(lks_case *c, bool hashed);
void lks_case_close(lks_case *c);

#endif
