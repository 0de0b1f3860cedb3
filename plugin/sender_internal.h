/* What the parts of the sender share. */
#ifndef LKS_PLUGIN_SENDER_INTERNAL_H
#define LKS_PLUGIN_SENDER_INTERNAL_H

#include "plugin/sender.h"

/* What the node made of a transaction. */
typedef enum lks_taken {
    LKS_TAKEN,      /* it has it, or may take it later */
    LKS_UNPAID,     /* the account cannot pay for it now */
    LKS_NEVER_TAKEN /* no node ever will; the reason is the error message */
} lks_taken;

/* Gives a stored transaction to the node. Failures are logged, not returned: it stays live and is
 * sent again, until the caller ends it. */
lks_taken lks_sender_broadcast(lks_sender *s, const lks_store_tx *tx, const uint8_t *raw,
                               size_t len, const lks_sender_now *now);

/* Stores the end of a transaction, and counts a failure of its action. */
lks_err lks_sender_end(lks_sender *s, lks_store_tx *tx, lks_tx_state state,
                       bool failed) LKS_MUST_USE;

#endif
