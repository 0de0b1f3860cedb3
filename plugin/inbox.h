/* Queue from the host's thread to the event thread: blocks, reverts, and wake-ups. Bounded: when
 * the event thread is behind, the oldest blocks are dropped; it notices the gap and fills it from
 * the chain. Putting never blocks for longer than a copy takes.
 */
#ifndef LKS_PLUGIN_INBOX_H
#define LKS_PLUGIN_INBOX_H

#include "chain/err.h"
#include "plugin/job.h"
#include "plugin/lockstep_plugin.h"

typedef struct lks_inbox lks_inbox;

typedef struct lks_inbox_log {
    uint8_t topics[4][32];
    size_t topic_count;
    const uint8_t *data; /* inside the item */
    size_t len;
} lks_inbox_log;

/* A block with our contract's logs, or a revert. */
typedef struct lks_inbox_item {
    struct lks_inbox_item *next;
    size_t size; /* bytes of the allocation */
    bool reverted;
    lks_block_ref ref;
    uint8_t parent[32];
    uint64_t time;
    size_t log_count;
    lks_inbox_log logs[];
} lks_inbox_item;

#define LKS_INBOX_ITEMS 4096u
#define LKS_INBOX_BYTES (64u << 20)

lks_err lks_inbox_new(lks_inbox **out, size_t max_items, size_t max_bytes) LKS_MUST_USE;
void lks_inbox_free(lks_inbox *inbox); /* NULL is allowed */

/* Copies the block with those logs that address20 emitted. Any thread. */
void lks_inbox_put_block(lks_inbox *inbox, const lockstep_block *block,
                         const uint8_t address20[20]);
void lks_inbox_put_revert(lks_inbox *inbox, uint64_t number, const uint8_t hash32[32]);
/* Makes a waiting lks_inbox_take return. */
void lks_inbox_tap(lks_inbox *inbox);
/* From now on lks_inbox_take says so at once. */
void lks_inbox_stop(lks_inbox *inbox);

/* Waits up to timeout_ms. Out: *item, to be freed with free(), or NULL (time is up, or a tap).
 * Returns: false when stopped. */
bool lks_inbox_take(lks_inbox *inbox, uint32_t timeout_ms, lks_inbox_item **item);
bool lks_inbox_empty(lks_inbox *inbox);
bool lks_inbox_stopped(lks_inbox *inbox);
/* How many items were dropped so far. */
uint64_t lks_inbox_dropped(lks_inbox *inbox);

#endif
