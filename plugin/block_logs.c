#include "plugin/block_logs.h"

#include "chain/bloom.h"
#include "plugin/log.h"

#include <string.h>

bool lks_block_may_have_logs(const lks_eth_header *header, const lks_eth_filter *filter)
{
    return header->has_bloom && lks_bloom_matches(header->logs_bloom, filter);
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
    if (err || logs->count || !lks_block_may_have_logs(header, filter))
        return err;
    err = lks_eth_get_block_logs(node, filter, header->hash, logs);
    if (err || logs->count || !lks_bloom_is_telling(header->logs_bloom))
        return err;
    count(doubt, header->hash);
    if (doubt->asked < LKS_DOUBTS)
        return lks_fail(LKS_NOTFOUND,
                        "by its bloom filter block %llu has logs of ours, but the node gives none",
                        (unsigned long long)header->number);
    lks_log(host, LKS_WARN,
            "by its bloom filter block %llu has logs of ours, but the node gave none %u times: it is "
            "taken as having none; if that happens often, use another node",
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
