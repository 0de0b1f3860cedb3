#include "plugin/feed.h"

#include "plugin/config.h"
#include "plugin/log.h"

#include <string.h>

static bool same(const uint8_t a[32], const uint8_t b[32]) {
    return memcmp(a, b, 32) == 0;
}

lks_err lks_feed_open(lks_feed *f) {
    lks_err err = lks_store_head(f->events.store, &f->head);
    if (err == LKS_NOTFOUND) {
        memset(&f->head, 0, sizeof f->head);
        err = LKS_OK;
    }
    f->behind = true;
    return err;
}

/* Forgets everything above height, in one transaction, and makes the newest block that is left the head. */
static lks_err rewind_to(lks_feed *f, uint64_t height) {
    lks_store *s = f->events.store;
    size_t changed = 0;
    lks_err err = lks_store_begin(s);
    if (!err) err = lks_store_rewind(s, height, &changed);
    if (!err) err = lks_store_commit(s);
    else lks_store_rollback(s);
    if (err) return err;
    if (f->head.ref.number > height)
        lks_log(f->events.host, LKS_INFO, "re-org: blocks %llu to %llu are no longer canonical, %zu jobs changed", (unsigned long long)height + 1,
                (unsigned long long)f->head.ref.number, changed);
    err = lks_store_head(s, &f->head);
    if (err == LKS_NOTFOUND) {
        memset(&f->head, 0, sizeof f->head);
        err = LKS_OK;
    }
    return err;
}

/* Applies a block whose parent is the head. */
static lks_err apply(lks_feed *f, const lks_inbox_item *item) {
    lks_store *s = f->events.store;
    lks_store_block block = {item->ref, item->time};
    lks_err err = lks_store_begin(s);
    for (size_t i = 0; !err && i < item->log_count; i++) {
        const lks_inbox_log *log = &item->logs[i];
        err = lks_events_apply(&f->events, &item->ref, item->time, (const uint8_t(*)[32])log->topics, log->topic_count, log->data, log->len);
    }
    if (!err) err = lks_store_block_put(s, &block);
    if (!err) err = lks_store_commit(s);
    else lks_store_rollback(s);
    if (!err) f->head = block;
    return err;
}

lks_err lks_feed_take(lks_feed *f, const lks_inbox_item *item) {
    lks_store_block stored;
    lks_err err = LKS_OK;
    if (item->ref.number == 0) return LKS_OK; /* the genesis block has no logs, and 0 means "no block" here */
    if (item->reverted) {
        if (f->head.ref.number != item->ref.number || !same(f->head.ref.hash, item->ref.hash)) return LKS_OK;
        return rewind_to(f, item->ref.number - 1);
    }
    bool is_start = f->head.ref.number == 0 && (f->start_block == LKS_START_NEWEST || f->start_block >= item->ref.number);
    if (f->head.ref.number == 0 && !is_start) {
        f->behind = true;
        return LKS_OK;
    }
    err = lks_store_block_below(f->events.store, item->ref.number, &stored);
    if (err == LKS_OK && stored.ref.number == item->ref.number && same(stored.ref.hash, item->ref.hash)) return LKS_OK;
    if (err && err != LKS_NOTFOUND) return err;
    if (!is_start) {
        err = lks_store_block_below(f->events.store, item->ref.number - 1, &stored);
        if (err == LKS_NOTFOUND || (err == LKS_OK && (stored.ref.number != item->ref.number - 1 || !same(stored.ref.hash, item->parent)))) {
            f->behind = true;
            return LKS_OK;
        }
        if (!err && f->head.ref.number > stored.ref.number) err = rewind_to(f, stored.ref.number);
        if (err) return err;
    }
    err = apply(f, item);
    if (err) f->behind = true; /* the block is gone from the inbox: it comes again by catching up */
    else if (is_start) f->behind = false;
    return err;
}

/* Takes back what is no longer canonical by the node's word. */
static lks_err find_ancestor(lks_feed *f) {
    lks_store_block stored = f->head;
    lks_err err = LKS_OK;
    while (stored.ref.number) {
        lks_eth_header header;
        err = lks_eth_header_by_number(&f->node, stored.ref.number, &header);
        if (err && err != LKS_NOTFOUND) return err;
        if (err == LKS_OK && same(header.hash, stored.ref.hash)) break;
        uint64_t below = stored.ref.number - 1;
        err = lks_store_block_below(f->events.store, below, &stored);
        if (err == LKS_NOTFOUND) {
            /* What was in the lost blocks may now be in earlier ones than we have seen. */
            f->start_block = below > LKS_STORE_BLOCKS ? below - LKS_STORE_BLOCKS : 1;
            lks_log(f->events.host, LKS_WARN, "no stored block is canonical any more: looking at the chain anew from block %llu",
                    (unsigned long long)f->start_block);
            memset(&stored, 0, sizeof stored);
            err = LKS_OK;
        }
        if (err) return err;
    }
    if (f->head.ref.number > stored.ref.number) err = rewind_to(f, stored.ref.number);
    return err;
}

/* Applies logs that were asked for by range; each block that has one becomes a stored block, as does the last of the range. */
static lks_err apply_range(lks_feed *f, const lks_eth_logs *logs, const lks_eth_header *last) {
    lks_store *s = f->events.store;
    lks_store_block block = {{0, {0}}, 0};
    lks_err err = lks_store_begin(s);
    for (size_t i = 0; !err && i < logs->count; i++) {
        const lks_eth_log *log = &logs->items[i];
        if (log->removed) continue;
        if (log->block_number != block.ref.number) {
            lks_eth_header header;
            if (block.ref.number) err = lks_store_block_put(s, &block);
            if (!err) err = lks_eth_header_by_hash(&f->node, log->block_hash, &header);
            if (!err && (header.number != log->block_number || header.number <= block.ref.number || header.number > last->number))
                err = lks_fail(LKS_CORRUPT, "the node's logs are out of order");
            if (err) break;
            block.ref.number = header.number;
            memcpy(block.ref.hash, header.hash, 32);
            block.time = header.timestamp;
        }
        if (!same(block.ref.hash, log->block_hash)) err = lks_fail(LKS_CORRUPT, "the node's logs name two blocks of one number");
        else err = lks_events_apply(&f->events, &block.ref, block.time, (const uint8_t(*)[32])log->topics, log->topic_count, log->data, log->data_len);
    }
    if (!err && block.ref.number && block.ref.number < last->number) err = lks_store_block_put(s, &block);
    if (!err) {
        block.ref.number = last->number;
        memcpy(block.ref.hash, last->hash, 32);
        block.time = last->timestamp;
        err = lks_store_block_put(s, &block);
    }
    if (!err) err = lks_store_commit(s);
    else lks_store_rollback(s);
    if (!err) f->head = block;
    return err;
}

lks_err lks_feed_sync(lks_feed *f) {
    lks_eth_header newest, last, again;
    lks_err err = find_ancestor(f);
    if (!err) err = lks_eth_header_at(&f->node, LKS_ETH_LATEST, &newest);
    if (err) return err;
    if (f->head.ref.number == 0 && f->start_block == LKS_START_NEWEST) f->start_block = newest.number;
    uint64_t from = f->head.ref.number ? f->head.ref.number + 1 : f->start_block;
    if (from == 0) from = 1;
    if (from > newest.number) {
        f->behind = false;
        return LKS_OK;
    }
    uint64_t to = newest.number - from < LKS_FEED_RANGE ? newest.number : from + LKS_FEED_RANGE - 1;
    const uint8_t(*address)[20] = (const uint8_t(*)[20])f->events.who.oracle;
    lks_eth_filter filter = {.addresses = address, .address_count = 1};
    lks_eth_logs logs = {0};
    err = lks_eth_header_by_number(&f->node, to, &last);
    if (!err) err = lks_eth_get_logs(&f->node, &filter, from, to, LKS_FEED_RANGE, &logs);
    if (!err) err = lks_eth_header_by_number(&f->node, to, &again);
    /* The last block's hash fixes all before it: the same before and after means that the logs are of that chain. */
    if (!err && !same(last.hash, again.hash)) err = lks_fail(LKS_REMOTE, "the chain changed while its logs were read");
    if (!err && f->head.ref.number + 1 == to && !same(last.parent_hash, f->head.ref.hash))
        err = lks_fail(LKS_REMOTE, "the chain changed while its logs were read");
    if (!err) err = apply_range(f, &logs, &last);
    lks_eth_logs_free(&logs);
    if (!err) {
        lks_log(f->events.host, LKS_DEBUG, "caught up to block %llu of %llu", (unsigned long long)to, (unsigned long long)newest.number);
        f->behind = to < newest.number;
    }
    return err;
}
