/* Fees of EIP-1559 transactions, in wei per gas, and what a replacement pays. Pure functions. */
#ifndef LKS_CHAIN_FEES_H
#define LKS_CHAIN_FEES_H

#include "chain/eth.h"

#include <stdbool.h>
#include <stdint.h>

/* Prices of a transaction, or their ceilings. */
typedef struct lks_tx_fees {
    lks_u256 max_fee; /* base fee included */
    lks_u256 max_priority_fee;
} lks_tx_fees;

lks_u256 lks_fees_smaller(const lks_u256 *a, const lks_u256 *b);
lks_u256 lks_fees_larger(const lks_u256 *a, const lks_u256 *b);
/* Returns: fee times a over b, which is not 0; the greatest amount when the product overflows. */
lks_u256 lks_fees_part(const lks_u256 *fee, uint64_t a, uint64_t b);

/* Returns: 12.5 % and a wei more; nodes take a replacement from 10 % more on both fees. */
lks_u256 lks_fees_step(const lks_u256 *fee);
/* The fees that the node suggests, held under the ceilings. */
lks_tx_fees lks_fees_hold(const lks_eth_fees *suggested, const lks_tx_fees *ceilings);
/* Raises the fees of a version by a step, or to what is suggested under the ceilings. The priority
 * fee may step over its own ceiling, up to that of the whole fee. Returns: whether the ceilings
 * allow it; else *fees is as before. */
bool lks_fees_raise(lks_tx_fees *fees, const lks_eth_fees *suggested, const lks_tx_fees *ceilings);

#endif
