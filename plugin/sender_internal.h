/* Shared by the files of the sender. */
#ifndef LKS_PLUGIN_SENDER_INTERNAL_H
#define LKS_PLUGIN_SENDER_INTERNAL_H

#include "chain/tx.h"
#include "plugin/sender.h"

/* Where a deadline is nearer than so many seconds, transactions are replaced after one block. */
#define LKS_SENDER_URGENT 60u

/* The node's answer to a transaction. */
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

/* Makes *t a transaction to ourselves that does nothing, under the same nonce. */
void lks_sender_make_empty(const lks_sender *s, lks_tx *t);

/* Sends an empty transaction with the lowest nonce that none of ours has, when everything waits for
 * it. In: all live transactions, and the node's count. Returns: LKS_OK, also when it is not time or
 * the node did not take it; else the failure. */
lks_err lks_sender_fill_gap(lks_sender *s, const lks_store_txs *live, const lks_sender_now *now,
                            uint64_t chain_nonce) LKS_MUST_USE;

#endif
