/* Follows the canonical chain: every log of the oracle exactly once, in order, whatever the host
 * leaves out, repeats or takes back, and whatever the node answers.
 *
 * Blocks are known by hash. A block whose parent is the newest stored one is applied; one that is
 * stored already is passed over; one whose parent is an older stored one takes the blocks between
 * back; anything else, every restart, and a block whose bloom names the oracle and that comes
 * without its logs, is a gap. A gap is filled from the newest stored block that is still canonical:
 * far from the head by ranges of blocks, near it block by block, by their hashes.
 *
 * A node that is behind, so that it has no other block in place of one of ours, is waited for.
 * Nothing is taken back at or below a block that was final. Each step is one transaction of the
 * store: effects and position go together. */
#ifndef LKS_PLUGIN_FEED_H
#define LKS_PLUGIN_FEED_H

#include "chain/eth.h"
#include "plugin/block_logs.h"
#include "plugin/events.h"
#include "plugin/inbox.h"
#include "plugin/recent_logs.h"
#include "plugin/reminder.h"

/* Blocks whose logs are asked for in one step of catching up by range. */
#define LKS_FEED_RANGE 1000u
/* The newest blocks, which are read one by one. */
#define LKS_FEED_NEWEST 128u
/* Milliseconds after which a lasting condition is logged again. */
#define LKS_FEED_REMIND_MS 300000u

typedef struct lks_feed {
    lks_events events;
    lks_eth node;
    uint64_t
        start_block; /* for a database without blocks; LKS_START_NEWEST: the first that comes */
    lks_store_block head;   /* number 0: none */
    lks_store_block newest; /* that the node or the host has told of; number 0: none yet */
    bool behind;            /* there is a gap: lks_feed_sync is due */
    uint64_t final_height;  /* no block at or below it is taken back */
    uint64_t final_asked;   /* head at which the node was asked for it */
    lks_doubt doubt;
    lks_recent_logs recent;
    uint64_t reviewed; /* head at which the newest blocks were read once more; 0: not yet */
    lks_reminder lags, refused, unstored;
} lks_feed;

/* Reads the position from the store. The caller has set the members above head. */
lks_err lks_feed_open(lks_feed *f) LKS_MUST_USE;
void lks_feed_close(lks_feed *f);
/* Takes one item of the inbox. Sets behind when it does not fit. Returns: what the store returns.
 */
lks_err lks_feed_take(lks_feed *f, const lks_inbox_item *item) LKS_MUST_USE;
/* Goes one step towards the node's newest block; clears behind when it is there, or when the node
 * is behind us. Returns also: what chain/eth.h returns; LKS_REFUSED: the node's chain differs from
 * ours below a final block, which is told. */
lks_err lks_feed_sync(lks_feed *f) LKS_MUST_USE;

/* Every few blocks, where nothing is missing: reads the newest once more, and the events of
 * requests of which some had been left out. A failure is passed over until the next time. */
void lks_feed_review(lks_feed *f);

/* Whether what the events say of a job is to be taken. */
typedef bool (*lks_feed_judge_fn)(void *user, const lks_job *job);
/* Reads the events of a request again, from block from on, and puts what they say in place of what
 * is known of it, where judge finds that right; else everything stays. Returns also: LKS_NOTFOUND:
 * the request itself is not among them, or an event that was applied lately is not, or they are not
 * right. */
lks_err lks_feed_reread(lks_feed *f, const uint8_t request_id32[32], uint64_t from,
                        lks_feed_judge_fn judge, void *user) LKS_MUST_USE;

#endif
