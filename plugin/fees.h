/* Fees that transactions of the plugin may pay, in wei per gas: pure functions of the configured
 * ceilings, of a transaction's worth, and of how near its deadline is.
 *
 * A first version leaves room for LKS_FEES_STEPS replacements below the ceilings. A transaction
 * presses when its deadline is nearer than LKS_FEES_PRESSING seconds: its ceilings then rise, as
 * evenly as time passes, to LKS_FEES_MOST times the configured ones at the deadline; but never so
 * far that it could cost more than it is worth. */
#ifndef LKS_PLUGIN_FEES_H
#define LKS_PLUGIN_FEES_H

#include "chain/fees.h"

#define LKS_FEES_PRESSING 1800u
#define LKS_FEES_MOST 8u
#define LKS_FEES_STEPS 8u

/* Whether a deadline, UINT64_MAX for none, is ahead and nearer than so many seconds. */
bool lks_fees_presses(uint64_t deadline, uint64_t now, uint64_t seconds);
/* Ceilings of a transaction of so much gas (not 0) that may cost `worth` wei where it presses. */
lks_tx_fees lks_fees_ceilings(const lks_tx_fees *configured, uint64_t deadline, uint64_t now,
                              const lks_u256 *worth, uint64_t gas);
/* Ceilings of one that does nothing but let those behind it go on. */
lks_tx_fees lks_fees_of_cancellation(const lks_tx_fees *configured);
/* Fees of a first version: what the node suggests, held under the ceilings; with room for
 * replacements, where the base fee leaves it, unless it presses. */
lks_tx_fees lks_fees_first(const lks_eth_fees *suggested, const lks_tx_fees *ceilings,
                           bool presses);

#endif
