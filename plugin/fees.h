/* What transactions may pay, in wei per gas: pure functions of the configured ceilings, of what a
 * transaction is worth, and of how near its deadline is.
 *
 * A first version leaves room for LKS_FEES_STEPS replacements below the ceilings. A transaction
 * presses when its deadline is nearer than LKS_FEES_PRESSING seconds: its ceilings then rise, as
 * evenly as time passes, to LKS_FEES_MOST times the configured ones at the deadline; but never so
 * far that it could cost more than it is worth. */
#ifndef LKS_PLUGIN_FEES_H
#define LKS_PLUGIN_FEES_H

#include "chain/eth.h"

#include <stdbool.h>
#include <stdint.h>

#define LKS_FEES_PRESSING 1800u
#define LKS_FEES_MOST 8u
#define LKS_FEES_STEPS 8u

/* Prices of a transaction, or their ceilings. */
typedef struct lks_tx_fees {
    lks_u256 max_fee; /* base fee included */
    lks_u256 max_priority_fee;
} lks_tx_fees;

/* Returns: 12.5 % and a wei more; nodes take a replacement from 10 % more on both fees. */
lks_u256 lks_fees_step(const lks_u256 *fee);
/* Whether a deadline, UINT64_MAX for none, is ahead and nearer than so many seconds. */
bool lks_fees_presses(uint64_t deadline, uint64_t now, uint64_t seconds);
/* Ceilings of a transaction of so much gas (not 0) that may cost `worth` wei where it presses. */
lks_tx_fees lks_fees_ceilings(const lks_tx_fees *configured, uint64_t deadline, uint64_t now,
                              const lks_u256 *worth, uint64_t gas);
/* Ceilings of one that does nothing but let those behind it go on. */
lks_tx_fees lks_fees_of_cancellation(const lks_tx_fees *configured);
/* Fees of a first version: what the node suggests, held under the ceilings; with room for
 * replacements, where the base fee leaves it, unless it presses. */
lks_tx_fees lks_fees_first(const lks_eth_fees *suggested, const lks_tx_fees *ceilings, bool presses);
/* Raises the fees of a version by a step, or to what is suggested under the ceilings. The priority
 * fee may step over its own ceiling, up to that of the whole fee. Returns: whether the ceilings
 * allow it; else *fees is as before. */
bool lks_fees_raise(lks_tx_fees *fees, const lks_eth_fees *suggested, const lks_tx_fees *ceilings);

#endif
