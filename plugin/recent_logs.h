/* Which logs of the newest blocks have been applied. A node may give some of a block's logs and
 * leave out others; nothing in the list shows that, but a later list of the same blocks does.
 *
 * The event thread's. */
#ifndef LKS_PLUGIN_RECENT_LOGS_H
#define LKS_PLUGIN_RECENT_LOGS_H

#include "chain/eth.h"
#include "plugin/job.h"

#include <stdbool.h>
#include <stddef.h>

/* Blocks that are kept. */
#define LKS_RECENT_BLOCKS 32u

typedef struct lks_recent_log {
    uint64_t block;
    uint8_t request_id[32];
    uint8_t digest[32]; /* of block hash, topics and data */
} lks_recent_log;

/* All zero at first. */
typedef struct lks_recent_logs {
    uint64_t from; /* every applied log of a block from here on is kept; 0: of none */
    lks_recent_log *items;
    size_t count, capacity;
} lks_recent_logs;

/* Begins a block whose logs are to be applied: what was kept of it and of later blocks is
 * forgotten, as are blocks that are too old. */
void lks_recent_logs_begin(lks_recent_logs *r, uint64_t block);
/* Keeps one log that was applied. Where there is no memory, nothing is kept any more. */
void lks_recent_logs_note(lks_recent_logs *r, const lks_block_ref *block,
                          const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                          size_t len);
/* The same of logs of a list, those that are kept and old ones aside. */
void lks_recent_logs_note_all(lks_recent_logs *r, const lks_eth_logs *logs);
bool lks_recent_logs_has(const lks_recent_logs *r, const lks_eth_log *log);
/* Whether a list has every log of a request that is kept, up to block head. */
bool lks_recent_logs_are_in(const lks_recent_logs *r, const uint8_t request_id32[32], uint64_t head,
                            const lks_eth_logs *logs);
void lks_recent_logs_free(lks_recent_logs *r);

#endif
