/* Fees of the command's transactions: what the node suggests, held under the ceilings that a person
 * set. All amounts are in wei per gas. Values, no shared state. */
#ifndef LKS_CLI_FEES_H
#define LKS_CLI_FEES_H

#include "chain/eth.h"

/* Ceilings of every transaction that is signed. */
typedef struct lks_fee_limits {
    lks_u256 max_fee;          /* base fee included; no version of a transaction goes over it */
    lks_u256 max_priority_fee; /* of a first version: a replacement may go over it, up to max_fee */
} lks_fee_limits;

typedef struct lks_fees {
    lks_u256 max_fee, max_priority_fee;
} lks_fees;

/* 500 gwei and 10 gwei, those of the plugin. */
lks_fee_limits lks_fee_limits_default(void);
/* Reads --max-fee and --max-priority-fee; NULL: the default.
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_fee_limits_parse(lks_fee_limits *out, const char *max_fee, const char *max_priority_fee,
                         const char *command);

/* Chooses the fees of a first version. A priority fee above its ceiling, or above what the base fee
 * leaves of the whole, is lowered.
 * Returns: LKS_OK; LKS_REFUSED (the base fee alone reaches the ceiling; the reason names the
 * option). */
LKS_MUST_USE lks_err lks_fees_choose(lks_fees *out, const lks_eth_fees *suggested,
                                     const lks_fee_limits *limits);
/* Raises both fees by 12.5 %, which every node takes as a replacement, or to what is suggested now
 * where that is more. Returns: whether the ceiling allows it; else *f is as before. */
bool lks_fees_raise(lks_fees *f, const lks_eth_fees *suggested, const lks_fee_limits *limits);

/* "20.5 gwei", zero-terminated. */
#define LKS_GWEI_SIZE 88
void lks_gwei_text(char text[LKS_GWEI_SIZE], const lks_u256 *wei);

#endif
