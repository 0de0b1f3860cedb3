/* Follows the canonical chain: every log of the oracle exactly once, in order, whatever the host leaves out, repeats or takes back.
 *
 * Blocks are known by hash. A block whose parent is the newest stored one is applied; one that is stored already is passed over; one whose parent is
 * an older stored one takes the blocks between back; anything else, and every restart, is a gap, which is filled by eth_getLogs from the newest stored
 * block that is still canonical. Each step is one transaction of the store: effects and position go together.
 */
#ifndef LKS_PLUGIN_FEED_H
#define LKS_PLUGIN_FEED_H

#include "chain/eth.h"
#include "plugin/events.h"
#include "plugin/inbox.h"

/* Blocks whose logs are asked for in one step of catching up. */
#define LKS_FEED_RANGE 1000u

typedef struct lks_feed {
    lks_events events;
    lks_eth node;
    uint64_t start_block; /* for a database without blocks; LKS_START_NEWEST: the first block that comes */
    lks_store_block head; /* number 0: none */
    bool behind;          /* there is a gap: lks_feed_sync is due */
} lks_feed;

/* Reads the position from the store. The caller has set the members above head. */
lks_err lks_feed_open(lks_feed *f) LKS_MUST_USE;
/* Takes one item of the inbox. Sets behind when it does not fit. Returns: what the store returns. */
lks_err lks_feed_take(lks_feed *f, const lks_inbox_item *item) LKS_MUST_USE;
/* Goes one step towards the node's newest block; clears behind when it is there. Returns also: what chain/eth.h returns. */
lks_err lks_feed_sync(lks_feed *f) LKS_MUST_USE;

#endif
