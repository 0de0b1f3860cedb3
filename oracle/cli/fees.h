/* Fees of the command's transactions: what the node suggests, held under the ceilings that a person
 * set. All amounts are in wei per gas. Values, no shared state. */
#ifndef LKS_CLI_FEES_H
#define LKS_CLI_FEES_H

#include "chain/fees.h"

/* Ceilings of every transaction that is signed: 500 gwei and 10 gwei, those of the plugin. No
 * version goes over max_fee; a replacement may go over max_priority_fee. */
lks_tx_fees lks_fee_limits_default(void);
/* Reads --max-fee and --max-priority-fee; NULL: the default.
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_fee_limits_parse(lks_tx_fees *out, const char *max_fee, const char *max_priority_fee,
                         const char *command);

/* Chooses the fees of a first version. A priority fee above its ceiling, or above what the base fee
 * leaves of the whole, is lowered.
 * Returns: LKS_OK; LKS_REFUSED (the base fee alone reaches the ceiling; the reason names the
 * option). */
LKS_MUST_USE
lks_err lks_fees_choose(lks_tx_fees *out, const lks_eth_fees *suggested, const lks_tx_fees *limits);
/* "20.5 gwei", zero-terminated. */
#define LKS_GWEI_SIZE 88
void lks_gwei_text(char text[LKS_GWEI_SIZE], const lks_u256 *wei);

#endif
