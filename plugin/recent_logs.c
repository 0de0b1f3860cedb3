#include "plugin/recent_logs.h"

#include "chain/keccak.h"

#include <stdlib.h>
#include <string.h>

void lks_recent_logs_free(lks_recent_logs *r)
{
    free(r->items);
    memset(r, 0, sizeof *r);
}

void lks_recent_logs_begin(lks_recent_logs *r, uint64_t block)
{
    size_t left = 0;
    uint64_t oldest = block > LKS_RECENT_BLOCKS ? block - LKS_RECENT_BLOCKS : 1;
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].block >= oldest && r->items[i].block < block)
            r->items[left++] = r->items[i];
    r->count = left;
    if (r->from == 0 || r->from > block)
        r->from = block;
    if (r->from < oldest)
        r->from = oldest;
}

static void digest(uint8_t out32[32], const uint8_t hash32[32], const uint8_t (*topics)[32],
                   size_t topic_count, const uint8_t *data, size_t len)
{
    lks_keccak hash;
    lks_keccak_init(&hash);
    lks_keccak_update(&hash, hash32, 32);
    lks_keccak_update(&hash, topics, 32 * topic_count);
    lks_keccak_update(&hash, data, len);
    lks_keccak_final(&hash, out32);
}

static void digest_log(uint8_t out32[32], const lks_eth_log *log)
{
    digest(out32, log->block_hash, (const uint8_t(*)[32])log->topics, log->topic_count, log->data,
           log->data_len);
}

void lks_recent_logs_note(lks_recent_logs *r, const lks_block_ref *block,
                          const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                          size_t len)
{
    if (topic_count < 2 || r->from == 0)
        return;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 64;
        lks_recent_log *items = realloc(r->items, capacity * sizeof *items);
        if (!items) {
            lks_recent_logs_free(r);
            return;
        }
        r->items = items;
        r->capacity = capacity;
    }
    lks_recent_log *one = &r->items[r->count++];
    one->block = block->number;
    memcpy(one->request_id, topics[1], 32);
    digest(one->digest, block->hash, topics, topic_count, data, len);
}

void lks_recent_logs_note_all(lks_recent_logs *r, const lks_eth_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        const lks_eth_log *log = &logs->items[i];
        lks_block_ref block = {.number = log->block_number};
        memcpy(block.hash, log->block_hash, 32);
        if (log->block_number >= r->from && !lks_recent_logs_has(r, log))
            lks_recent_logs_note(r, &block, (const uint8_t(*)[32])log->topics, log->topic_count,
                                 log->data, log->data_len);
    }
}

bool lks_recent_logs_has(const lks_recent_logs *r, const lks_eth_log *log)
{
    uint8_t wanted[32];
    digest_log(wanted, log);
    for (size_t i = 0; i < r->count; i++)
        if (memcmp(r->items[i].digest, wanted, 32) == 0)
            return true;
    return false;
}

bool lks_recent_logs_are_in(const lks_recent_logs *r, const uint8_t request_id32[32], uint64_t head,
                            const lks_eth_logs *logs)
{
    for (size_t i = 0; i < r->count; i++) {
        const lks_recent_log *kept = &r->items[i];
        bool found = kept->block > head || memcmp(kept->request_id, request_id32, 32);
        uint8_t seen[32];
        for (size_t k = 0; !found && k < logs->count; k++) {
            digest_log(seen, &logs->items[k]);
            found = memcmp(kept->digest, seen, 32) == 0;
        }
        if (!found)
            return false;
    }
    return true;
}
