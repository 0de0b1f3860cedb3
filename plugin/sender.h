/* Sends an account's transactions, and sees each through to a block: type 2, signed here, stored
 * before they are sent.
 *
 * At most one live transaction per job and action, and of moves in disputes per job and key. Nonces
 * are counted on from the live transactions and the node's count. A transaction that does not get
 * into a block is sent again and, up to its ceilings (fees.h), replaced by one with higher fees.
 * All that stands before one that presses may pay as much as that one. One whose deadline is over
 * is replaced by one that does nothing, whatever that costs within reason, so that those behind it
 * can go on; one that the node refuses for good gives its nonce back. A nonce before ours that
 * nothing uses any more is used by an empty transaction. A transaction is live until its receipt is
 * seen in a block that we know, and again when a re-org takes that block away. */
#ifndef LKS_PLUGIN_SENDER_H
#define LKS_PLUGIN_SENDER_H

#include "chain/eth.h"
#include "chain/signer.h"
#include "plugin/fees.h"
#include "plugin/lockstep_plugin.h"
#include "plugin/store.h"

/* Live transactions at once; nodes keep a few dozen a sender. */
#define LKS_SENDER_MAX_LIVE 16u
/* As many more for moves in disputes, so that nothing else keeps them out. */
#define LKS_SENDER_MAX_MOVES 16u
/* So many nonces that went elsewhere within so many blocks: another program sends for the account.
 */
#define LKS_SENDER_FOREIGN 3u
#define LKS_SENDER_FOREIGN_BLOCKS 500u
/* Blocks that a transaction is given before it is replaced. */
#define LKS_SENDER_PATIENCE 3u
/* Transactions that may be suspected at once: all live ones. */
#define LKS_SENDER_SUSPECTS (LKS_SENDER_MAX_LIVE + LKS_SENDER_MAX_MOVES)
/* Heads for which the node may show a transaction, whose nonce is used, in another fork's block. */
#define LKS_SENDER_FORK_HEADS 16u
/* Heads at which a gap of nonces must be seen before it is filled. */
#define LKS_SENDER_GAP_HEADS 3u

/* A transaction whose nonce was seen used by none of ours. */
typedef struct lks_suspect {
    int64_t id;    /* 0: a free place */
    uint64_t head; /* at which it was first seen */
} lks_suspect;

typedef struct lks_sender {
    lks_eth node;
    lks_store *store;
    const lks_signer *signer;
    const lockstep_host *host; /* for its log */
    uint64_t chain_id;
    lks_tx_fees ceilings; /* the configured ones */
    lks_suspect suspects[LKS_SENDER_SUSPECTS];
    uint64_t foreign[LKS_SENDER_FOREIGN]; /* heads at which a nonce was last seen to be gone, newest
                                             first */
    /* The chain's count is below our lowest live nonce: what is known of that, zero without a gap.
     */
    struct {
        uint64_t seen;    /* head at which it was first seen */
        uint64_t nonce;   /* that the empty transaction has */
        uint64_t sent;    /* head when it was last sent; 0: not yet */
        lks_tx_fees fees; /* of it then */
        bool warned;
    } gap;
    uint64_t funds_warned; /* head at which missing funds were told of */
    bool has_fallback; /* what it cannot pay for, another account sends: nothing waits for ether */
} lks_sender;

/* Chain at the time of a call. */
typedef struct lks_sender_now {
    uint64_t head; /* newest block whose effects are stored */
    uint64_t time; /* chain time */
    bool behind;   /* blocks below the head are not stored yet: what is not ours is not known */
} lks_sender_now;

/* One transaction to be sent. */
typedef struct lks_outgoing {
    const uint8_t *request_id; /* 32 bytes: the job that it belongs to */
    lks_action action;
    const uint8_t *key; /* 32 bytes, of LKS_ACTION_MOVE; else NULL */
    const uint8_t *to;  /* 20 bytes */
    lks_u256 value;     /* wei */
    uint64_t
        gas; /* limit of one that cannot be simulated because another must be mined first; else 0 */
    const uint8_t *data;
    size_t len;
    uint64_t deadline; /* chain time; UINT64_MAX: none */
    lks_u256 worth;    /* wei that it may cost when its deadline is near */
} lks_outgoing;

/* Simulates, signs, stores and sends one transaction.
 * Returns: LKS_OK, it is stored and live (that the node did not take it now is only logged);
 * LKS_REFUSED: the contract or the node would refuse it, the reason says why; LKS_TIMEOUT: too many
 * are live, try later; LKS_NOTFOUND: an account that has a fallback cannot pay; otherwise what
 * chain/eth.h and the store return, and nothing is stored. */
lks_err lks_sender_send(lks_sender *s, const lks_outgoing *out,
                        const lks_sender_now *now) LKS_MUST_USE;

/* Whether another program sends transactions for the account, as seen lately. */
bool lks_sender_is_shared(const lks_sender *s, const lks_sender_now *now);
/* Whether the account could not pay a little while ago. */
bool lks_sender_is_broke(const lks_sender *s, const lks_sender_now *now);
/* Looks after all live transactions: receipts, nonces used by others, sending again, replacing. To
 * be called after each new block. Returns: LKS_OK, or the first failure. */
lks_err lks_sender_tend(lks_sender *s, const lks_sender_now *now) LKS_MUST_USE;

#endif
