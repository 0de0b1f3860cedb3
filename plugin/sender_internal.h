/* What the parts of the sender share. */
#ifndef LKS_PLUGIN_SENDER_INTERNAL_H
#define LKS_PLUGIN_SENDER_INTERNAL_H

#include "plugin/sender.h"

/* Gives a stored transaction to the node. Failures are logged, not returned: it stays live and is
 * sent again. Returns: false when no node will ever take it; the reason is the error message. */
bool lks_sender_broadcast(lks_sender *s, const lks_store_tx *tx, const uint8_t *raw, size_t len,
                          const lks_sender_now *now);

/* Stores the end of a transaction, and counts a failure of its action. */
lks_err lks_sender_end(lks_sender *s, lks_store_tx *tx, lks_tx_state state,
                       bool failed) LKS_MUST_USE;

#endif
