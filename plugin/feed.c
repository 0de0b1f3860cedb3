#include "plugin/feed.h"

#include "plugin/config.h"
#include "plugin/feed_internal.h"
#include "plugin/log.h"

#include <string.h>

/* Blocks that one step of catching up reads one by one. */
#define BLOCKS_A_STEP 32u
/* Calls for logs of a range whose blocks are stored together. */
#define CALLS_A_RANGE 16u
/* A node that is that many blocks behind is worth a line at once. */
#define LAG_BLOCKS 8u

static bool same(const uint8_t a[32], const uint8_t b[32])
{
    return memcmp(a, b, 32) == 0;
}

lks_err lks_feed_open(lks_feed *f)
{
    f->behind = true;
    lks_err err = lks_store_final_get(f->events.store, &f->final_height);
    if (err)
        return err;
    err = lks_store_head(f->events.store, &f->head);
    if (err == LKS_NOTFOUND) {
        memset(&f->head, 0, sizeof f->head);
        err = LKS_OK;
    }
    return err;
}

void lks_feed_close(lks_feed *f)
{
    lks_recent_logs_free(&f->recent);
}

static lks_store_block block_of(const lks_eth_header *header)
{
    lks_store_block block = {{header->number, {0}}, header->timestamp};
    memcpy(block.ref.hash, header->hash, 32);
    return block;
}

lks_eth_filter lks_feed_oracle_filter(const lks_feed *f, uint8_t topics[LKS_EVENT_KIND_COUNT][32])
{
    size_t count = 0;
    for (int kind = LKS_EVENT_REQUESTED; kind <= LKS_EVENT_VOIDED; kind++)
        lks_event_topic(topics[count++], (lks_event_kind)kind);
    return (lks_eth_filter){.addresses = (const uint8_t(*)[20])f->events.who.oracle,
                            .address_count = 1,
                            .topics0 = (const uint8_t(*)[32])topics,
                            .topic0_count = count};
}

/* ---- applying ---- */

static lks_err apply_log(lks_feed *f, const lks_store_block *block, const lks_eth_log *log)
{
    return lks_events_apply(&f->events, &block->ref, block->time, (const uint8_t(*)[32])log->topics,
                            log->topic_count, log->data, log->data_len);
}

/* Ends the transaction that a block's effects are in, with the block as the head. */
static lks_err end_block(lks_feed *f, const lks_store_block *block, lks_err err)
{
    lks_store *s = f->events.store;
    if (!err)
        err = lks_store_block_put(s, block);
    if (err) {
        lks_store_rollback(s);
        return err;
    }
    err = lks_store_commit(s);
    if (!err)
        f->head = *block;
    return err;
}

/* Applies a block whose parent is the head. */
static lks_err apply_item(lks_feed *f, const lks_inbox_item *item)
{
    lks_store_block block = {item->ref, item->time};
    lks_err err = lks_store_begin(f->events.store);
    if (err)
        return err;
    lks_recent_logs_begin(&f->recent, item->ref.number);
    for (size_t i = 0; !err && i < item->log_count; i++) {
        const lks_inbox_log *log = &item->logs[i];
        lks_recent_logs_note(&f->recent, &item->ref, (const uint8_t(*)[32])log->topics,
                             log->topic_count, log->data, log->len);
        err =
            lks_events_apply(&f->events, &item->ref, item->time, (const uint8_t(*)[32])log->topics,
                             log->topic_count, log->data, log->len);
    }
    return end_block(f, &block, err);
}

/* The same of one that was read. */
static lks_err apply_block(lks_feed *f, const lks_eth_header *header, const lks_eth_logs *logs)
{
    lks_store_block block = block_of(header);
    lks_err err = lks_store_begin(f->events.store);
    if (err)
        return err;
    lks_recent_logs_begin(&f->recent, header->number);
    lks_recent_logs_note_all(&f->recent, logs);
    for (size_t i = 0; !err && i < logs->count; i++)
        err = apply_log(f, &block, &logs->items[i]);
    return end_block(f, &block, err);
}

/* ---- live blocks ---- */

/* Whether a block came with fewer logs of ours than it has, or that cannot be told. */
static bool lacks_logs(lks_feed *f, const lks_inbox_item *item)
{
    uint8_t topics[LKS_EVENT_KIND_COUNT][32], kinds[LKS_EVENT_KIND_COUNT][32];
    lks_eth_header header;
    size_t count = 0;
    for (size_t i = 0; i < item->log_count && count < LKS_EVENT_KIND_COUNT; i++)
        memcpy(kinds[count++], item->logs[i].topics[0], 32);
    const lks_eth_filter filter = lks_feed_oracle_filter(f, topics);
    return lks_eth_header_by_hash(&f->node, item->ref.hash, &header) ||
           (count < LKS_EVENT_KIND_COUNT &&
            lks_block_lacks_logs(&header, &filter, (const uint8_t(*)[32])kinds, count));
}

/* Whether the block may be the first of a database. */
static bool is_start(const lks_feed *f, const lks_inbox_item *item)
{
    return f->head.ref.number == 0 &&
           (f->start_block == LKS_START_NEWEST || f->start_block >= item->ref.number);
}

static lks_err take_back(lks_feed *f, const lks_inbox_item *item)
{
    if (f->head.ref.number != item->ref.number || !same(f->head.ref.hash, item->ref.hash))
        return LKS_OK;
    lks_err err = lks_feed_rewind(f, item->ref.number - 1, NULL);
    return err == LKS_REFUSED ? LKS_OK : err; /* told */
}

/* Out: *follows, whether the block's parent is stored, and is then the head. */
static lks_err go_to_parent(lks_feed *f, const lks_inbox_item *item, bool *follows)
{
    lks_store_block parent;
    *follows = false;
    lks_err err = lks_store_block_below(f->events.store, item->ref.number - 1, &parent);
    if (err)
        return err == LKS_NOTFOUND ? LKS_OK : err;
    if (parent.ref.number != item->ref.number - 1 || !same(parent.ref.hash, item->parent))
        return LKS_OK;
    if (f->head.ref.number > parent.ref.number)
        err = lks_feed_rewind(f, parent.ref.number, NULL);
    *follows = err == LKS_OK;
    return err == LKS_REFUSED ? LKS_OK : err; /* told */
}

lks_err lks_feed_take(lks_feed *f, const lks_inbox_item *item)
{
    lks_store_block stored;
    bool follows = is_start(f, item), starts = follows;
    if (item->ref.number == 0)
        return LKS_OK; /* the genesis block has no logs, and 0 means "no block" here */
    if (item->reverted)
        return take_back(f, item);
    lks_err err = lks_store_block_below(f->events.store, item->ref.number, &stored);
    if (err && err != LKS_NOTFOUND)
        return err;
    if (!err && stored.ref.number == item->ref.number && same(stored.ref.hash, item->ref.hash))
        return LKS_OK;
    err = LKS_OK;
    if (item->ref.number > f->newest.ref.number)
        f->newest = (lks_store_block){item->ref, item->time};
    if (!starts && f->head.ref.number)
        err = go_to_parent(f, item, &follows);
    if (err || !follows || lacks_logs(f, item)) {
        f->behind = true;
        return err;
    }
    err = apply_item(f, item);
    if (err)
        f->behind = true; /* the block is gone from the inbox: it comes again by catching up */
    else if (starts)
        f->behind = false;
    if (!err)
        lks_feed_learn_final(f);
    return err;
}

/* ---- catching up ---- */

/* Begins the next block of a range whose logs are read. */
static lks_err begin_block(lks_feed *f, const lks_eth_log *log, uint64_t last,
                           lks_store_block *block)
{
    lks_eth_header header;
    lks_err err = LKS_OK;
    if (block->ref.number)
        err = lks_store_block_put(f->events.store, block);
    if (!err)
        err = lks_eth_header_by_hash(&f->node, log->block_hash, &header);
    if (err)
        return err;
    bool in_order = header.number == log->block_number && header.number > block->ref.number;
    if (!in_order || header.number > last)
        return lks_fail(LKS_CORRUPT, "the node's logs are out of order");
    *block = block_of(&header);
    return LKS_OK;
}

/* Applies logs that were asked for by range; each block that has one becomes a stored block, as
 * does the last of the range. */
static lks_err apply_range(lks_feed *f, const lks_eth_logs *logs, const lks_eth_header *last)
{
    lks_store *s = f->events.store;
    lks_store_block block = {{0, {0}}, 0}, end = block_of(last);
    lks_recent_logs_free(&f->recent); /* blocks of a range are too old to be kept */
    lks_err err = lks_store_begin(s);
    if (err)
        return err;
    for (size_t i = 0; !err && i < logs->count; i++) {
        const lks_eth_log *log = &logs->items[i];
        if (log->removed)
            continue;
        if (log->block_number != block.ref.number)
            err = begin_block(f, log, last->number, &block);
        if (!err && !same(block.ref.hash, log->block_hash))
            err = lks_fail(LKS_CORRUPT, "the node's logs name two blocks of one number");
        if (!err)
            err = apply_log(f, &block, log);
    }
    if (!err && block.ref.number && block.ref.number < last->number)
        err = lks_store_block_put(s, &block);
    return end_block(f, &end, err);
}

/* One range, of blocks that are too old to be of a re-org that is under way. */
static lks_err read_range(lks_feed *f, uint64_t from, uint64_t to)
{
    lks_eth_header last, again;
    uint8_t topics[LKS_EVENT_KIND_COUNT][32];
    const lks_eth_filter filter = lks_feed_oracle_filter(f, topics);
    lks_eth_logs logs = {0};
    lks_err err = lks_eth_header_by_number(&f->node, to, &last);
    if (!err)
        err = lks_eth_get_logs(&f->node, &filter, from, to, LKS_FEED_RANGE, &logs);
    if (!err)
        err = lks_eth_header_by_number(&f->node, to, &again);
    /* The last block's hash fixes all before it: the same before and after means that the logs are
     * of that chain. */
    if (!err && !same(last.hash, again.hash))
        err = lks_fail(LKS_REMOTE, "the chain changed while its logs were read");
    if (!err)
        err = apply_range(f, &logs, &last);
    lks_eth_logs_free(&logs);
    return err;
}

static lks_err read_block(lks_feed *f, uint64_t number, const lks_eth_header *newest)
{
    lks_eth_header header = *newest;
    uint8_t topics[LKS_EVENT_KIND_COUNT][32];
    const lks_eth_filter filter = lks_feed_oracle_filter(f, topics);
    lks_eth_logs logs = {0};
    lks_err err = LKS_OK;
    if (number != newest->number)
        err = lks_eth_header_by_number(&f->node, number, &header);
    if (!err && f->head.ref.number && !same(header.parent_hash, f->head.ref.hash))
        err = lks_fail(LKS_REMOTE, "the chain changed while it was read");
    if (!err)
        err = lks_block_logs(&logs, &f->doubt, &f->node, &header, &filter, f->events.host);
    if (!err)
        err = apply_block(f, &header, &logs);
    lks_eth_logs_free(&logs);
    return err;
}

/* The last block of the range that begins at from: no more than so many calls get, where the node
 * gives few blocks at once, so that a failure loses little. */
static uint64_t range_end(const lks_feed *f, uint64_t from, uint64_t most)
{
    uint64_t blocks = LKS_FEED_RANGE;
    if (f->node.ranges)
        blocks = lks_eth_ranges_next(f->node.ranges, blocks) * CALLS_A_RANGE;
    if (blocks > LKS_FEED_RANGE)
        blocks = LKS_FEED_RANGE;
    return most - from < blocks ? most : from + blocks - 1;
}

static lks_err read_on(lks_feed *f, uint64_t from, const lks_eth_header *newest)
{
    lks_err err = LKS_OK;
    if (newest->number - from >= LKS_FEED_NEWEST) {
        return read_range(f, from, range_end(f, from, newest->number - LKS_FEED_NEWEST));
    }
    for (uint64_t n = from; !err && n <= newest->number && n - from < BLOCKS_A_STEP; n++)
        err = read_block(f, n, newest);
    return err;
}

/* The node has no other block in place of one of ours, only fewer. */
static void wait_for_node(lks_feed *f, uint64_t newest)
{
    uint64_t lag = f->head.ref.number - newest;
    f->behind = false;
    if (lag >= LAG_BLOCKS && lks_reminder_due(&f->lags, LKS_FEED_REMIND_MS))
        lks_log(f->events.host, LKS_WARN,
                "the node is %llu blocks behind: its newest is %llu, block %llu was seen; nothing "
                "is forgotten, and reading goes on once it has caught up",
                (unsigned long long)lag, (unsigned long long)newest,
                (unsigned long long)f->head.ref.number);
}

lks_err lks_feed_sync(lks_feed *f)
{
    lks_eth_header newest;
    lks_err err = lks_eth_header_at(&f->node, LKS_ETH_LATEST, &newest);
    if (err)
        return err;
    f->newest = block_of(&newest);
    err = lks_feed_follow_fork(f, &newest);
    if (err)
        return err;
    lks_reminder_end(&f->refused);
    if (newest.number < f->head.ref.number) {
        wait_for_node(f, newest.number);
        return LKS_OK;
    }
    lks_reminder_end(&f->lags);
    if (f->head.ref.number == 0 && f->start_block == LKS_START_NEWEST)
        f->start_block = newest.number;
    uint64_t from = f->head.ref.number ? f->head.ref.number + 1 : f->start_block;
    if (from == 0)
        from = 1;
    if (from <= newest.number)
        err = read_on(f, from, &newest);
    if (err)
        return err;
    lks_log(f->events.host, LKS_DEBUG, "caught up to block %llu of %llu",
            (unsigned long long)f->head.ref.number, (unsigned long long)newest.number);
    f->behind = from <= newest.number && f->head.ref.number < newest.number;
    if (!f->behind)
        lks_feed_learn_final(f);
    return LKS_OK;
}
