#include "plugin/hosts/runner/follow.h"

#include <stdlib.h>
#include <string.h>

static runner_block *newest(runner_follow *f) {
    return f->kept ? &f->given[(f->count - 1) % RUNNER_REMEMBERED] : NULL;
}

static void remember(runner_follow *f, const lks_eth_header *header) {
    runner_block *b = &f->given[f->count % RUNNER_REMEMBERED];
    b->number = header->number;
    memcpy(b->hash, header->hash, 32);
    f->count++;
    if (f->kept < RUNNER_REMEMBERED) f->kept++;
}

/* Gives one block, with its logs as they are of exactly that block. */
static lks_err give(runner_follow *f, const lks_eth_header *header) {
    lks_eth_logs logs = {0};
    lockstep_log *list = NULL;
    lks_err err = lks_eth_get_block_logs(&f->node, &f->filter, header->hash, &logs);
    if (!err && logs.count && !(list = calloc(logs.count, sizeof *list))) err = lks_fail(LKS_NOMEM, "out of memory");
    if (!err) {
        for (size_t i = 0; i < logs.count; i++) {
            const lks_eth_log *from = &logs.items[i];
            lockstep_log *to = &list[i];
            memcpy(to->address, from->address, 20);
            to->topic_count = from->topic_count;
            memcpy(to->topics, from->topics, sizeof to->topics);
            memcpy(to->tx_hash, from->tx_hash, 32);
            to->tx_index = from->tx_index;
            to->log_index = from->log_index;
            to->data = from->data;
            to->data_len = from->data_len;
        }
        lockstep_block block = {.number = header->number, .timestamp = header->timestamp, .log_count = logs.count, .logs = list};
        memcpy(block.hash, header->hash, 32);
        memcpy(block.parent_hash, header->parent_hash, 32);
        f->plugin->on_block(f->plugin, &block);
        remember(f, header);
    }
    free(list);
    lks_eth_logs_free(&logs);
    return err;
}

/* Takes back what is no longer canonical, newest first. */
static lks_err revert(runner_follow *f, const lks_eth_header *head) {
    for (runner_block *tip; (tip = newest(f));) {
        lks_eth_header header;
        if (head->number == tip->number + 1 && memcmp(head->parent_hash, tip->hash, 32) == 0) return LKS_OK;
        lks_err err = tip->number > head->number ? LKS_NOTFOUND : lks_eth_header_by_number(&f->node, tip->number, &header);
        if (err == LKS_OK && memcmp(header.hash, tip->hash, 32) == 0) return LKS_OK;
        if (err && err != LKS_NOTFOUND) return err;
        f->plugin->on_revert(f->plugin, tip->number, tip->hash);
        f->count--;
        f->kept--;
    }
    return LKS_OK;
}

/* The block to begin with. */
static uint64_t first_block(runner_follow *f, const lks_eth_header *head) {
    uint64_t finished = f->plugin->finished_height(f->plugin);
    if (finished == 0 || finished >= head->number || head->number - finished > RUNNER_REPLAY) return head->number;
    return finished + 1;
}

lks_err runner_follow_step(runner_follow *f) {
    lks_eth_header head, header;
    lks_err err = lks_eth_header_at(&f->node, LKS_ETH_LATEST, &head);
    const runner_block *tip = newest(f);
    if (err || (tip && memcmp(tip->hash, head.hash, 32) == 0)) return err;
    err = revert(f, &head);
    if (err) return err;
    tip = newest(f);
    for (uint64_t n = tip ? tip->number + 1 : first_block(f, &head); n <= head.number && !f->stopping(); n++) {
        if (n == head.number) header = head;
        else err = lks_eth_header_by_number(&f->node, n, &header);
        if (err) return err == LKS_NOTFOUND ? LKS_OK : err; /* the chain has just become shorter: seen at the next step */
        tip = newest(f);
        if (tip && memcmp(header.parent_hash, tip->hash, 32)) return LKS_OK; /* a re-org meanwhile: likewise */
        err = give(f, &header);
        if (err) return err;
    }
    return LKS_OK;
}
