/* How many blocks of logs to ask a node for at once. Nodes differ: some answer 10 blocks, some
 * 10,000 logs, some only so many bytes or seconds, and each says so in its own words. So what was
 * answered and what was refused is remembered from call to call: a refusal halves the range;
 * answers bring it back up to the refused one in half steps. More than that is tried only after
 * FIRST_PATIENCE answers, then after twice as many each time it is refused again. Ownership: the
 * caller's; nothing is allocated. Errors: none. Thread rule: any thread, several at once.
 */
#ifndef LKS_CHAIN_ETH_RANGES_H
#define LKS_CHAIN_ETH_RANGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* lks_eth_ranges ranges = LKS_ETH_RANGES_INIT; all counts are of blocks. */
typedef struct lks_eth_ranges {
    pthread_mutex_t lock;
    uint64_t next;                   /* what to ask for; 0: as much as the caller likes */
    uint64_t good;                   /* the largest answered below bad; 0: none */
    uint64_t bad;                    /* the smallest refused; 0: none */
    uint32_t answers;                /* since the last refusal, with nothing between good and bad */
    uint32_t patience;               /* answers until more than bad is tried again */
    uint64_t lost_from, lost_blocks; /* the range whose connection was lost last; 0 blocks: none */
} lks_eth_ranges;

#define LKS_ETH_RANGES_INIT {.lock = PTHREAD_MUTEX_INITIALIZER}

/* Returns: how many blocks to ask for, 1 to most. */
uint64_t lks_eth_ranges_next(lks_eth_ranges *ranges, uint64_t most);
/* A range of that many blocks was answered. */
void lks_eth_ranges_answered(lks_eth_ranges *ranges, uint64_t blocks);
/* A range was more than the node gives. */
void lks_eth_ranges_refused(lks_eth_ranges *ranges, uint64_t blocks);
/* The connection was lost, or the answer unreadable, while a range was asked for. A node that ends
 * the connection because of an answer's size does it again. Returns: whether it is the same range
 * as the last time, which counts as a refusal. */
bool lks_eth_ranges_lost(lks_eth_ranges *ranges, uint64_t from, uint64_t blocks);

#ifdef __cplusplus
}
#endif
#endif
