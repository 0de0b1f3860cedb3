#include "plugin/block_logs.h"

#include "chain/bloom.h"
#include "plugin/log.h"

#include <string.h>

/* Kinds of events that one contract has at most. */
#define MOST_KINDS 32u

/* A twentieth of a bloom's bits: those of one topic of twenty are then all set by chance in 1 of
 * 400 blocks. */
#define SPARSE_BITS 102u

static bool is_given(const uint8_t topic[32], const uint8_t (*kinds)[32], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(kinds[i], topic, 32) == 0)
            return true;
    return false;
}

bool lks_block_lacks_logs(const lks_eth_header *header, const lks_eth_filter *filter,
                          const uint8_t (*kinds)[32], size_t count)
{
    if (!header->has_bloom || !lks_bloom_matches(header->logs_bloom, filter))
        return false;
    if (count == 0)
        return true;
    if (lks_bloom_bits(header->logs_bloom) > SPARSE_BITS)
        return false;
    for (size_t i = 0; i < filter->topic0_count; i++) {
        lks_eth_filter one = *filter;
        one.topics0 = &filter->topics0[i];
        one.topic0_count = 1;
        if (lks_bloom_matches(header->logs_bloom, &one) &&
            !is_given(filter->topics0[i], kinds, count))
            return true;
    }
    return false;
}

/* The same of logs that were read. */
static bool lacks(const lks_eth_header *header, const lks_eth_filter *filter,
                  const lks_eth_logs *logs)
{
    uint8_t kinds[MOST_KINDS][32];
    size_t count = 0;
    for (size_t i = 0; i < logs->count && count < MOST_KINDS; i++)
        if (logs->items[i].topic_count &&
            !is_given(logs->items[i].topics[0], (const uint8_t(*)[32])kinds, count))
            memcpy(kinds[count++], logs->items[i].topics[0], 32);
    return lks_block_lacks_logs(header, filter, (const uint8_t(*)[32])kinds, count);
}

static void count(lks_doubt *doubt, const uint8_t hash[32])
{
    if (memcmp(doubt->hash, hash, 32))
        doubt->asked = 0;
    memcpy(doubt->hash, hash, 32);
    doubt->asked++;
}

lks_err lks_block_logs(lks_eth_logs *logs, lks_doubt *doubt, const lks_eth *node,
                       const lks_eth_header *header, const lks_eth_filter *filter,
                       const lockstep_host *host)
{
    lks_err err = lks_eth_get_block_logs(node, filter, header->hash, logs);
    if (err || !lacks(header, filter, logs))
        return err;
    lks_eth_logs_free(logs);
    err = lks_eth_get_block_logs(node, filter, header->hash, logs);
    if (err || !lacks(header, filter, logs) || !lks_bloom_is_telling(header->logs_bloom))
        return err;
    count(doubt, header->hash);
    if (doubt->asked < LKS_DOUBTS)
        return lks_fail(LKS_NOTFOUND,
                        "by its bloom filter block %llu has more logs of ours than the node gives",
                        (unsigned long long)header->number);
    lks_log(
        host, LKS_WARN,
        "by its bloom filter block %llu has more logs of ours than the node gave, %u times: it is "
        "taken as it is; if that happens often, use another node",
        (unsigned long long)header->number, LKS_DOUBTS);
    return LKS_OK;
}

lks_err lks_log_check_branch(const lks_eth_log *log, lks_store *store, const lks_block_ref *head)
{
    lks_store_block stored;
    bool at_head = log->block_number == head->number;
    lks_err err = lks_store_block_below(store, log->block_number, &stored);
    if (err && err != LKS_NOTFOUND)
        return err;
    bool known = at_head || (!err && stored.ref.number == log->block_number);
    if (known && memcmp(at_head ? head->hash : stored.ref.hash, log->block_hash, 32))
        return lks_fail(LKS_REMOTE, "the node's logs are of another branch than the one it gave");
    return LKS_OK;
}
