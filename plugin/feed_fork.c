/* Re-orgs: what is taken back, and what is not. */
#include "plugin/feed_internal.h"

#include "plugin/log.h"

#include <string.h>

/* Blocks after which the node is asked again which one is final. */
#define FINAL_EVERY 8u

static lks_err refuse(lks_feed *f, uint64_t height)
{
    f->behind = true;
    if (lks_reminder_due(&f->refused, LKS_FEED_REMIND_MS))
        lks_log(
            f->events.host, LKS_ERROR,
            "the node's chain differs from ours in block %llu, and block %llu was final: nothing "
            "is "
            "taken back and no request is looked at; moves in disputes go on. Use a node of the "
            "right chain; where the chain itself went back, as a test network may, a new database",
            (unsigned long long)height, (unsigned long long)f->final_height);
    return lks_fail(LKS_REFUSED, "the node's chain differs from ours below final block %llu",
                    (unsigned long long)f->final_height);
}

static lks_err store_rewind(lks_feed *f, uint64_t height, const lks_store_block *anchor,
                            size_t *changed)
{
    lks_store *s = f->events.store;
    lks_err err = lks_store_begin(s);
    if (err)
        return err;
    err = lks_store_rewind(s, height, changed);
    if (!err && anchor)
        err = lks_store_block_put(s, anchor);
    if (!err)
        return lks_store_commit(s);
    lks_store_rollback(s);
    return err;
}

lks_err lks_feed_rewind(lks_feed *f, uint64_t height, const lks_store_block *anchor)
{
    size_t changed = 0;
    uint64_t old = f->head.ref.number;
    if (height < f->final_height)
        return refuse(f, height + 1);
    lks_err err = store_rewind(f, height, anchor, &changed);
    if (err) {
        f->behind = true;
        if (lks_reminder_due(&f->unstored, LKS_FEED_REMIND_MS))
            lks_log(
                f->events.host, LKS_ERROR,
                "a re-org above block %llu cannot be stored, so no request is looked at; moves in "
                "disputes go on. %s",
                (unsigned long long)height, lks_error_message());
        return err;
    }
    lks_reminder_end(&f->unstored);
    if (old > height)
        lks_log(f->events.host, LKS_INFO,
                "re-org: blocks %llu to %llu are no longer canonical, %zu jobs changed",
                (unsigned long long)height + 1, (unsigned long long)old, changed);
    err = lks_store_head(f->events.store, &f->head);
    if (err == LKS_NOTFOUND) {
        memset(&f->head, 0, sizeof f->head);
        err = LKS_OK;
    }
    return err;
}

/* Not one stored block is canonical. Those before the oldest are not known by hash any more; what
 * happened in them stays. Where nothing did, requests of the lost blocks may now be in them. */
static lks_err begin_below(lks_feed *f)
{
    lks_store_block oldest, anchor = {{0, {0}}, 0};
    lks_eth_header header;
    bool any = false;
    lks_err err = lks_store_block_oldest(f->events.store, &oldest);
    if (err)
        return err;
    uint64_t height = oldest.ref.number - 1;
    err = lks_store_has_requests(f->events.store, height, &any);
    if (err)
        return err;
    if (!any)
        height = height > LKS_STORE_BLOCKS ? height - LKS_STORE_BLOCKS : 0;
    if (height < f->final_height)
        height = f->final_height;
    if (height >= oldest.ref.number)
        return refuse(f, oldest.ref.number);
    if (height) {
        err = lks_eth_header_by_number(&f->node, height, &header);
        if (err)
            return err;
        anchor.ref.number = height;
        memcpy(anchor.ref.hash, header.hash, 32);
        anchor.time = header.timestamp;
    }
    lks_log(f->events.host, LKS_WARN,
            "no stored block is canonical any more: reading the chain again from block %llu",
            (unsigned long long)height + 1);
    f->start_block = 1; /* where there is no block below */
    return lks_feed_rewind(f, height, height ? &anchor : NULL);
}

/* Out: the node's block in place of a stored one. */
static lks_err ask(lks_feed *f, const lks_eth_header *newest, uint64_t number, lks_eth_header *out)
{
    if (number == newest->number) {
        *out = *newest;
        return LKS_OK;
    }
    lks_err err = lks_eth_header_by_number(&f->node, number, out);
    if (err == LKS_NOTFOUND)
        err = lks_fail(LKS_REMOTE, "the node does not give block %llu, though its newest is %llu",
                       (unsigned long long)number, (unsigned long long)newest->number);
    return err;
}

lks_err lks_feed_follow_fork(lks_feed *f, const lks_eth_header *newest)
{
    lks_eth_header header, above = {0};
    lks_store_block stored;
    uint64_t head = f->head.ref.number, below = newest->number < head ? newest->number : head;
    for (bool conflict = false; head; conflict = true) {
        lks_err err = lks_store_block_below(f->events.store, below, &stored);
        if (err == LKS_NOTFOUND)
            return conflict ? begin_below(f) : LKS_OK;
        if (!err)
            err = ask(f, newest, stored.ref.number, &header);
        if (err)
            return err;
        if (memcmp(header.hash, stored.ref.hash, 32) == 0) {
            if (!conflict)
                return LKS_OK;
            if (above.number == header.number + 1 && memcmp(above.parent_hash, header.hash, 32))
                return lks_fail(LKS_REMOTE, "the node's blocks %llu and %llu are of two chains",
                                (unsigned long long)header.number,
                                (unsigned long long)above.number);
            return lks_feed_rewind(f, stored.ref.number, NULL);
        }
        if (stored.ref.number <= f->final_height)
            return refuse(f, stored.ref.number);
        above = header;
        below = stored.ref.number - 1;
    }
    return LKS_OK;
}

/* ---- finality ---- */

static lks_err put_final(lks_feed *f, uint64_t height)
{
    lks_store *s = f->events.store;
    lks_err err = lks_store_begin(s);
    if (err)
        return err;
    err = lks_store_final_put(s, height);
    if (!err)
        return lks_store_commit(s);
    lks_store_rollback(s);
    return err;
}

/* Not every node has the tag, and not every chain finality. */
void lks_feed_learn_final(lks_feed *f)
{
    lks_eth_header header;
    lks_store_block stored;
    uint64_t head = f->head.ref.number;
    if (head == 0 || (f->final_asked && head < f->final_asked + FINAL_EVERY))
        return;
    f->final_asked = head;
    if (lks_eth_header_at(&f->node, LKS_ETH_FINALIZED, &header))
        return;
    uint64_t height = header.number < head ? header.number : head;
    if (height <= f->final_height)
        return;
    if (lks_store_block_below(f->events.store, header.number, &stored) == LKS_OK &&
        stored.ref.number == header.number && memcmp(stored.ref.hash, header.hash, 32)) {
        f->behind = true; /* we stand on another branch, or the node does */
        return;
    }
    if (put_final(f, height) == LKS_OK)
        f->final_height = height;
}
