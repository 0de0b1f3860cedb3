#include "plugin/hosts/runner/follow.h"

#include <stdlib.h>
#include <string.h>

#include "chain/bloom.h"

static runner_block *newest(runner_follow *f)
{
    return f->kept ? &f->given[(f->count - 1) % RUNNER_REMEMBERED] : NULL;
}

/* The block of that number that was given, or NULL. Numbers rise by one along the ring. */
static const runner_block *given_at(runner_follow *f, uint64_t number)
{
    const runner_block *tip = newest(f);
    if (!tip || number > tip->number || tip->number - number >= f->kept)
        return NULL;
    return &f->given[(f->count - 1 - (tip->number - number)) % RUNNER_REMEMBERED];
}

static void remember(runner_follow *f, const lks_eth_header *header)
{
    runner_block *b = &f->given[f->count % RUNNER_REMEMBERED];
    b->number = header->number;
    memcpy(b->hash, header->hash, 32);
    f->count++;
    if (f->kept < RUNNER_REMEMBERED)
        f->kept++;
}

static bool any_bit(const uint8_t bloom[256])
{
    for (int i = 0; i < 256; i++)
        if (bloom[i])
            return true;
    return false;
}

static bool has_log_of(const lks_eth_logs *logs, const uint8_t address[20])
{
    for (size_t i = 0; i < logs->count; i++)
        if (!memcmp(logs->items[i].address, address, 20))
            return true;
    return false;
}

/* Whether the block may have logs that are not in the list, by its bloom. Out: *certain: it has,
 * but for one chance in a thousand. */
static bool lacks_logs(const runner_follow *f, const lks_eth_header *header,
                       const lks_eth_logs *logs, bool *certain)
{
    *certain =
        header->has_bloom && (!f->filter.addresses || lks_bloom_is_telling(header->logs_bloom));
    if (!header->has_bloom)
        return false;
    if (!f->filter.addresses)
        return !logs->count && any_bit(header->logs_bloom);
    for (size_t i = 0; i < f->filter.address_count; i++) {
        const lks_eth_filter one = {.addresses = f->filter.addresses + i, .address_count = 1};
        if (lks_bloom_matches(header->logs_bloom, &one) &&
            !has_log_of(logs, f->filter.addresses[i]))
            return true;
    }
    return false;
}

/* Whether to come back for the block's logs at the next step. */
static bool wait_for_logs(runner_follow *f, const lks_eth_header *header)
{
    if (f->empty.number != header->number || memcmp(f->empty.hash, header->hash, 32)) {
        f->empty.number = header->number;
        memcpy(f->empty.hash, header->hash, 32);
        f->empty_steps = 0;
    }
    if (++f->empty_steps < RUNNER_LOG_STEPS)
        return true;
    if (f->empty_steps == RUNNER_LOG_STEPS)
        runner_log(f->host, LOCKSTEP_LOG_WARN,
                   "block %llu has logs of our contracts by its bloom, and the client gives none: "
                   "going on without",
                   (unsigned long long)header->number);
    return false;
}

/* The block's logs, those of exactly this block. */
static lks_err get_logs(runner_follow *f, const lks_eth_header *header, lks_eth_logs *logs)
{
    bool certain;
    lks_err err = lks_eth_get_block_logs(&f->node, &f->filter, header->hash, logs);
    if (err || !lacks_logs(f, header, logs, &certain))
        return err;
    lks_eth_logs_free(logs);
    err = lks_eth_get_block_logs(&f->node, &f->filter, header->hash, logs);
    if (!err && lacks_logs(f, header, logs, &certain) && certain && wait_for_logs(f, header))
        err = lks_fail(LKS_CORRUPT,
                       "the client gives no logs of block %llu, which has some by its bloom",
                       (unsigned long long)header->number);
    return err;
}

static void copy_log(lockstep_log *to, const lks_eth_log *from)
{
    memcpy(to->address, from->address, 20);
    to->topic_count = from->topic_count;
    memcpy(to->topics, from->topics, sizeof to->topics);
    memcpy(to->tx_hash, from->tx_hash, 32);
    to->tx_index = from->tx_index;
    to->log_index = from->log_index;
    to->data = from->data;
    to->data_len = from->data_len;
}

static lks_err give(runner_follow *f, const lks_eth_header *header)
{
    lks_eth_logs logs = {0};
    lockstep_log *list = NULL;
    lks_err err = get_logs(f, header, &logs);
    if (!err && logs.count && !(list = calloc(logs.count, sizeof *list)))
        err = lks_fail(LKS_NOMEM, "out of memory");
    if (!err) {
        for (size_t i = 0; i < logs.count; i++)
            copy_log(&list[i], &logs.items[i]);
        lockstep_block block = {.number = header->number,
                                .timestamp = header->timestamp,
                                .log_count = logs.count,
                                .logs = list};
        memcpy(block.hash, header->hash, 32);
        memcpy(block.parent_hash, header->parent_hash, 32);
        f->plugin->on_block(f->plugin, &block);
        remember(f, header);
        f->fresh_ms = f->now_ms();
    }
    free(list);
    lks_eth_logs_free(&logs);
    return err;
}

/* Whether the head is an ancestor of the newest block given, as far as is remembered: the client
 * lags. */
static bool is_ancestor(runner_follow *f, const lks_eth_header *head)
{
    const runner_block *tip = newest(f), *same = given_at(f, head->number);
    if (!tip || head->number > tip->number)
        return false;
    return !same || !memcmp(same->hash, head->hash, 32);
}

/* Takes back what is no longer canonical, newest first. Out: *settled: the newest block left is an
 * ancestor of the head, as far as the client can tell now. */
static lks_err revert(runner_follow *f, const lks_eth_header *head, bool *settled)
{
    *settled = true;
    for (runner_block *tip; (tip = newest(f));) {
        lks_eth_header header = *head;
        if (head->number == tip->number + 1 && !memcmp(head->parent_hash, tip->hash, 32))
            return LKS_OK;
        lks_err err = LKS_OK;
        if (tip->number < head->number)
            err = lks_eth_header_by_number(&f->node, tip->number, &header);
        if (err == LKS_NOTFOUND) { /* below its own head: another node of it answered, which lags */
            *settled = false;
            return LKS_OK;
        }
        if (err)
            return err;
        if (header.number == tip->number && !memcmp(header.hash, tip->hash, 32))
            return LKS_OK;
        f->plugin->on_revert(f->plugin, tip->number, tip->hash);
        f->count--;
        f->kept--;
    }
    return LKS_OK;
}

/* The block to begin with. */
static uint64_t first_block(runner_follow *f, const lks_eth_header *head)
{
    uint64_t finished = f->plugin->finished_height(f->plugin);
    if (finished == 0 || finished >= head->number || head->number - finished > RUNNER_REPLAY)
        return head->number;
    return finished + 1;
}

/* Gives what comes after the newest block given, up to the head. */
static lks_err advance(runner_follow *f, const lks_eth_header *head)
{
    const runner_block *tip = newest(f);
    uint64_t n = tip ? tip->number + 1 : first_block(f, head);
    for (; n <= head->number && !f->stopping(); n++) {
        lks_eth_header header = *head;
        lks_err err = n == head->number ? LKS_OK : lks_eth_header_by_number(&f->node, n, &header);
        if (err) /* not found: another node of the client answered, which lags */
            return err == LKS_NOTFOUND ? LKS_OK : err;
        tip = newest(f);
        if (tip && memcmp(header.parent_hash, tip->hash,
                          32)) /* a re-org meanwhile: seen at the next step */
            return LKS_OK;
        err = give(f, &header);
        if (err)
            return err;
    }
    return LKS_OK;
}

/* Counts how often the head falls below what was given. */
static void note_lag(runner_follow *f, bool lags)
{
    uint64_t now = f->now_ms();
    bool falls = lags && !f->lags;
    f->lags = lags;
    if (now - f->falls_ms >= RUNNER_QUIET_AGAIN_MS) {
        f->falls_ms = now;
        f->falls = 0;
    }
    if (falls && ++f->falls == RUNNER_FALLS)
        runner_log(f->host, LOCKSTEP_LOG_WARN,
                   "the client's head goes back and forth, now to block %llu: several nodes answer "
                   "for it, and one of them lags",
                   (unsigned long long)f->head);
}

lks_err runner_follow_step(runner_follow *f)
{
    lks_eth_header head;
    bool settled = false;
    if (!f->fresh_ms)
        f->fresh_ms = f->now_ms();
    lks_err err = lks_eth_header_at(&f->node, LKS_ETH_LATEST, &head);
    if (err)
        return err;
    f->head = head.number;
    if (!newest(f) && head.number < f->plugin->finished_height(f->plugin))
        return LKS_OK; /* the client is behind what the plugin has seen of the chain before */
    bool ancestor = is_ancestor(f, &head);
    note_lag(f, ancestor && head.number < newest(f)->number);
    if (ancestor)
        return LKS_OK;
    err = revert(f, &head, &settled);
    return err || !settled ? err : advance(f, &head);
}

void runner_follow_watch(runner_follow *f, lks_err err)
{
    const runner_block *tip = newest(f);
    uint64_t now = f->now_ms(), quiet = now - f->fresh_ms;
    if (quiet < RUNNER_QUIET_MS) {
        if (f->warned_ms)
            runner_log(f->host, LOCKSTEP_LOG_INFO, "new blocks arrive again");
        f->warned_ms = 0;
        return;
    }
    if (f->warned_ms && now - f->warned_ms < RUNNER_QUIET_AGAIN_MS)
        return;
    f->warned_ms = now;
    unsigned long long seconds = quiet / 1000, head = f->head;
    if (err)
        runner_log(f->host, LOCKSTEP_LOG_WARN, "no new block for %llu s: %s", seconds,
                   lks_error_message());
    else if (tip && f->head < tip->number)
        runner_log(f->host, LOCKSTEP_LOG_WARN,
                   "no new block for %llu s: the client's head is block %llu, below block %llu "
                   "that it gave before",
                   seconds, head, (unsigned long long)tip->number);
    else
        runner_log(f->host, LOCKSTEP_LOG_WARN,
                   "no new block for %llu s: the client's head is still block %llu", seconds, head);
}
