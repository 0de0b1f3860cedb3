/* Credit of an account in the oracle and the dispute game. */
#ifndef LKS_CLI_CREDIT_H
#define LKS_CLI_CREDIT_H

#include "oracle/cli/send.h"

#include <stdio.h>

typedef struct lks_credits {
    lks_u256 oracle, game; /* wei */
} lks_credits;

/* game is 0 in a deployment without one. */
LKS_MUST_USE
lks_err lks_credits_get(lks_credits *out, lks_link *s, const uint8_t address20[20]);

/* Withdraws both to the link's account, as far as there is any, and prints a line for each on out
 * (may be NULL).
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_credit_collect(lks_link *s, FILE *out);

/* Withdraws what a request brought its requester, whose account is the link's, and prints a line on
 * out (may be NULL). In: wei, its creditOf; 0 does nothing. Returns: LKS_PARSED, or the exit code
 * after telling. */
int lks_credit_collect_of(lks_link *s, const lks_request *r, const lks_u256 *wei, FILE *out);

#endif
