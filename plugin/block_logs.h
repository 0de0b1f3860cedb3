/* The logs of one block, by its hash. A node may be several, of which one has not got the block's
 * logs yet, or not all of them: where the header's bloom names more than came, it is asked again.
 */
#ifndef LKS_PLUGIN_BLOCK_LOGS_H
#define LKS_PLUGIN_BLOCK_LOGS_H

#include "chain/eth.h"
#include "plugin/lockstep_plugin.h"
#include "plugin/store.h"

/* A block whose logs are missing by its bloom. All zero: none. */
typedef struct lks_doubt {
    uint8_t hash[32];
    unsigned asked; /* times that its logs were asked for and did not come */
} lks_doubt;

/* A block is doubted that often. Then the bits of other logs are taken for what set its bloom, as
 * they do by chance, and as anybody can make them do. */
#define LKS_DOUBTS 4u

/* Whether logs are missing, by the header's bloom: the block may have one that passes the filter,
 * and none is given; or, where chance is as good as ruled out, one of a kind of which none is
 * given. In: kinds, topic 0 of the logs that are given. False where the header has no bloom. */
bool lks_block_lacks_logs(const lks_eth_header *header, const lks_eth_filter *filter,
                          const uint8_t (*kinds)[32], size_t count);

/* Out: logs, empty before; freed by the caller, also after a failure. doubt: all zero at first,
 * then as it was left; host: for its log. Returns also: LKS_NOTFOUND: the block is in doubt; ask
 * again in some seconds. */
lks_err lks_block_logs(lks_eth_logs *logs, lks_doubt *doubt, const lks_eth *node,
                       const lks_eth_header *header, const lks_eth_filter *filter,
                       const lockstep_host *host) LKS_MUST_USE;

/* Refuses a log of another branch than the one that we follow, as far as its blocks are stored. In:
 * head, where the reading ends. Returns also: LKS_REMOTE; what the store returns. */
lks_err lks_log_check_branch(const lks_eth_log *log, lks_store *store,
                             const lks_block_ref *head) LKS_MUST_USE;

#endif
