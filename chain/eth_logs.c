/* Event logs and receipts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/eth_internal.h"
#include "chain/hex.h"

#define DEFAULT_STEP 2000
#define POLL_MS 200
#define MAX_STRIKES 3 /* lost connections and time-outs in a row after which a call gives up */

void lks_eth_logs_free(lks_eth_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        free(logs->items[i].data);
    free(logs->items);
    *logs = (lks_eth_logs){0};
}

static lks_err read_topics(const eth_request *r, int node, lks_eth_log *log)
{
    int topics = lks_json_member(&r->doc, node, "topics");
    if (lks_json_typeof(&r->doc, topics) != LKS_JSON_ARRAY || lks_json_size(&r->doc, topics) > 4)
        return eth_bad_member(r, lks_fail(LKS_CORRUPT, "not an array of at most 4"), "topics");
    for (int t = lks_json_first(&r->doc, topics); t != LKS_JSON_NONE;
         t = lks_json_next(&r->doc, t)) {
        lks_err err = lks_json_data_fixed(&r->doc, t, log->topics[log->topic_count++], 32);
        if (err)
            return eth_bad_member(r, err, "topics");
    }
    return LKS_OK;
}

static lks_err read_log(const eth_request *r, int node, lks_eth_log *log)
{
    lks_err err;
    lks_buf data = {0};
    *log = (lks_eth_log){0};
    if ((err = eth_fixed(r, node, "address", log->address, 20)) ||
        (err = eth_fixed(r, node, "blockHash", log->block_hash, 32)) ||
        (err = eth_fixed(r, node, "transactionHash", log->tx_hash, 32)) ||
        (err = eth_u64(r, node, "blockNumber", &log->block_number)) ||
        (err = eth_u32(r, node, "transactionIndex", &log->tx_index)) ||
        (err = eth_u32(r, node, "logIndex", &log->log_index)) || (err = read_topics(r, node, log)))
        return err;
    int removed = lks_json_member(&r->doc, node, "removed");
    if (removed != LKS_JSON_NONE && (err = lks_json_bool(&r->doc, removed, &log->removed)))
        return eth_bad_member(r, err, "removed");
    if ((err = lks_json_data(&r->doc, lks_json_member(&r->doc, node, "data"), &data))) {
        lks_buf_free(&data);
        return eth_bad_member(r, err, "data");
    }
    log->data = data.data;
    log->data_len = data.len;
    return LKS_OK;
}

lks_err eth_add_log(lks_eth_logs *logs, const eth_request *r, int node)
{
    lks_eth_log log;
    lks_err err = read_log(r, node, &log);
    if (err)
        return err;
    if (!(logs->count & (logs->count - 1))) { /* full at every power of two */
        size_t room = logs->count ? 2 * logs->count : 1;
        lks_eth_log *items =
            room > SIZE_MAX / sizeof *items ? NULL : realloc(logs->items, room * sizeof *items);
        if (!items) {
            free(log.data);
            return lks_fail(LKS_NOMEM, "out of memory for %zu logs", room);
        }
        logs->items = items;
    }
    logs->items[logs->count++] = log;
    return LKS_OK;
}

static lks_err add_logs(lks_eth_logs *logs, const eth_request *r, int array)
{
    lks_err err = LKS_OK;
    if (lks_json_typeof(&r->doc, array) != LKS_JSON_ARRAY)
        return lks_fail(LKS_CORRUPT, "the node's answer to %s has no array of logs", r->method);
    for (int n = lks_json_first(&r->doc, array); n != LKS_JSON_NONE && !err;
         n = lks_json_next(&r->doc, n))
        err = eth_add_log(logs, r, n);
    return err;
}

static lks_err read_receipt(const eth_request *r, lks_eth_receipt *out)
{
    lks_err err;
    uint64_t status;
    int contract = lks_json_member(&r->doc, 0, "contractAddress");
    if ((err = eth_u64(r, 0, "status", &status)) ||
        (err = eth_u64(r, 0, "blockNumber", &out->block_number)) ||
        (err = eth_fixed(r, 0, "blockHash", out->block_hash, 32)) ||
        (err = eth_u64(r, 0, "gasUsed", &out->gas_used)) ||
        (err = eth_u256(r, 0, "effectiveGasPrice", &out->gas_price)))
        return err;
    out->success = status == 1;
    out->has_contract = lks_json_typeof(&r->doc, contract) == LKS_JSON_STRING;
    if (out->has_contract && (err = eth_fixed(r, 0, "contractAddress", out->contract, 20)))
        return err;
    return add_logs(&out->logs, r, lks_json_member(&r->doc, 0, "logs"));
}

lks_err lks_eth_receipt_get(const lks_eth *node, const uint8_t hash32[32], lks_eth_receipt *out)
{
    eth_request r;
    *out = (lks_eth_receipt){0};
    eth_begin(&r, "eth_getTransactionReceipt");
    lks_json_put_data(&r.w, hash32, 32);
    lks_err err = eth_ask(&r, node);
    if (!err && lks_json_typeof(&r.doc, 0) == LKS_JSON_NULL)
        err = lks_fail(LKS_NOTFOUND, "the transaction is not in a block yet");
    /* geth, whose index names a block that is canonical no more. */
    if (err == LKS_REMOTE && strstr(lks_error_message(), "receipt not found"))
        err = lks_fail(LKS_NOTFOUND, "the transaction is not in the block that had it");
    if (!err && (err = read_receipt(&r, out)))
        lks_eth_receipt_free(out);
    eth_end(&r);
    return err;
}

void lks_eth_receipt_free(lks_eth_receipt *receipt)
{
    lks_eth_logs_free(&receipt->logs);
    *receipt = (lks_eth_receipt){0};
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

lks_err lks_eth_receipt_wait(const lks_eth *node, const uint8_t hash32[32], uint32_t timeout_ms,
                             lks_eth_receipt *out)
{
    uint64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        lks_err err = lks_eth_receipt_get(node, hash32, out);
        if (err != LKS_NOTFOUND)
            return err;
        if (now_ms() >= deadline)
            return lks_fail(LKS_TIMEOUT, "the transaction is in no block after %.3g s",
                            timeout_ms / 1e3);
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

static void put_topic(lks_json_writer *w, const uint8_t *topic32)
{
    if (topic32)
        lks_json_put_data(w, topic32, 32);
    else
        lks_json_put_null(w);
}

static void put_one_of(lks_json_writer *w, const uint8_t (*topics)[32], size_t count)
{
    if (!topics) {
        lks_json_put_null(w);
        return;
    }
    lks_json_begin_array(w);
    for (size_t i = 0; i < count; i++)
        lks_json_put_data(w, topics[i], 32);
    lks_json_end_array(w);
}

static void put_filter(lks_json_writer *w, const lks_eth_filter *filter)
{
    if (!filter)
        return;
    if (filter->addresses) {
        lks_json_put_name(w, "address");
        lks_json_begin_array(w);
        for (size_t i = 0; i < filter->address_count; i++)
            lks_json_put_data(w, filter->addresses[i], 20);
        lks_json_end_array(w);
    }
    lks_json_put_name(w, "topics");
    lks_json_begin_array(w);
    put_one_of(w, filter->topics0, filter->topic0_count);
    size_t last = 3;
    while (last && !filter->topics[last - 1] && !(last == 1 && filter->topics1))
        last--;
    for (size_t i = 0; i < last; i++) {
        if (i == 0 && filter->topics1)
            put_one_of(w, filter->topics1, filter->topic1_count);
        else
            put_topic(w, filter->topics[i]);
    }
    lks_json_end_array(w);
}

static int by_place(const void *a, const void *b)
{
    const lks_eth_log *x = a, *y = b;
    if (x->block_number != y->block_number)
        return x->block_number < y->block_number ? -1 : 1;
    if (x->log_index != y->log_index)
        return x->log_index < y->log_index ? -1 : 1;
    return 0;
}

static bool is_same_log(const lks_eth_log *a, const lks_eth_log *b)
{
    return by_place(a, b) == 0 && memcmp(a->block_hash, b->block_hash, 32) == 0;
}

/* Puts the logs from number first on in chain order, each once: not every node does. */
static void put_in_order(lks_eth_logs *logs, size_t first)
{
    size_t kept = first;
    if (logs->count - first < 2)
        return;
    qsort(logs->items + first, logs->count - first, sizeof *logs->items, by_place);
    for (size_t i = first; i < logs->count; i++) {
        if (kept > first && is_same_log(&logs->items[kept - 1], &logs->items[i]))
            free(logs->items[i].data);
        else
            logs->items[kept++] = logs->items[i];
    }
    logs->count = kept;
}

/* The logs of from to to in one call; a node that answers with others is not to be trusted. */
static lks_err get_range(const lks_eth *node, const lks_eth_filter *filter, uint64_t from,
                         uint64_t to, lks_eth_logs *logs)
{
    eth_request r;
    size_t before = logs->count;
    eth_begin(&r, "eth_getLogs");
    lks_json_begin_object(&r.w);
    lks_json_put_name(&r.w, "fromBlock");
    lks_json_put_quantity(&r.w, from);
    lks_json_put_name(&r.w, "toBlock");
    lks_json_put_quantity(&r.w, to);
    put_filter(&r.w, filter);
    lks_json_end_object(&r.w);
    lks_err err = eth_ask(&r, node);
    if (!err)
        err = add_logs(logs, &r, 0);
    for (size_t i = before; i < logs->count && !err; i++)
        if (logs->items[i].block_number < from || logs->items[i].block_number > to)
            err = lks_fail(LKS_CORRUPT,
                           "the node gave a log of block %" PRIu64 ", asked for were %" PRIu64
                           " to %" PRIu64,
                           logs->items[i].block_number, from, to);
    if (!err)
        put_in_order(logs, before);
    eth_end(&r);
    return err;
}

static void drop_from(lks_eth_logs *logs, size_t count)
{
    while (logs->count > count)
        free(logs->items[--logs->count].data);
}

/* Learns from a failed call for `blocks` blocks from `from` on. Out: *strikes, failures in a row
 * that may be the node's and not the range's. Returns: whether to ask again, for as many blocks as
 * the ranges then say. */
static bool ask_again(lks_eth_ranges *ranges, lks_err err, uint64_t from, uint64_t blocks,
                      unsigned *strikes)
{
    switch (err) {
    case LKS_REMOTE:
    case LKS_TOO_LARGE: lks_eth_ranges_refused(ranges, blocks); return blocks > 1;
    case LKS_TIMEOUT:
        lks_eth_ranges_refused(ranges, blocks);
        return blocks > 1 && ++*strikes < MAX_STRIKES;
    case LKS_IO:
    case LKS_CORRUPT: lks_eth_ranges_lost(ranges, from, blocks); return ++*strikes < MAX_STRIKES;
    default: return false;
    }
}

lks_err lks_eth_get_logs_on(const lks_eth *node, const lks_eth_filter *filter, uint64_t *from,
                            uint64_t to, uint64_t step, lks_eth_logs *logs)
{
    lks_eth_ranges own = LKS_ETH_RANGES_INIT, *ranges = node->ranges ? node->ranges : &own;
    unsigned strikes = 0;
    while (*from <= to) {
        uint64_t blocks = lks_eth_ranges_next(ranges, step ? step : DEFAULT_STEP);
        uint64_t end = to - *from < blocks ? to : *from + blocks - 1;
        size_t before = logs->count;
        blocks = end - *from + 1;
        lks_err err = get_range(node, filter, *from, end, logs);
        if (err)
            drop_from(logs, before);
        if (err && !ask_again(ranges, err, *from, blocks, &strikes))
            return err;
        if (err)
            continue;
        strikes = 0;
        lks_eth_ranges_answered(ranges, blocks);
        if (end == UINT64_MAX)
            break;
        *from = end + 1;
    }
    return LKS_OK;
}

lks_err lks_eth_get_logs(const lks_eth *node, const lks_eth_filter *filter, uint64_t from,
                         uint64_t to, uint64_t step, lks_eth_logs *logs)
{
    return lks_eth_get_logs_on(node, filter, &from, to, step, logs);
}

lks_err lks_eth_get_block_logs(const lks_eth *node, const lks_eth_filter *filter,
                               const uint8_t hash32[32], lks_eth_logs *logs)
{
    eth_request r;
    size_t before = logs->count;
    eth_begin(&r, "eth_getLogs");
    lks_json_begin_object(&r.w);
    lks_json_put_name(&r.w, "blockHash");
    lks_json_put_data(&r.w, hash32, 32);
    put_filter(&r.w, filter);
    lks_json_end_object(&r.w);
    lks_err err = eth_ask(&r, node);
    if (!err)
        err = add_logs(logs, &r, 0);
    for (size_t i = before; i < logs->count && !err; i++)
        if (memcmp(logs->items[i].block_hash, hash32, 32))
            err = lks_fail(LKS_CORRUPT,
                           "the node gave a log of another block than the one asked for");
    if (!err)
        put_in_order(logs, before);
    eth_end(&r);
    return err;
}
