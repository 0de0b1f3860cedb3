/* The nodes that --rpc names: their JSON-RPC clients, as end points, with a thread for the checks.
 */
#ifndef LKS_CHAIN_NODES_H
#define LKS_CHAIN_NODES_H

#include "chain/endpoints.h"
#include "chain/eth.h"

typedef struct lks_nodes lks_nodes;

typedef struct lks_nodes_options {
    const char *const *urls; /* in the order of preference; they may hold access keys */
    size_t count;            /* 1 to LKS_MAX_ENDPOINTS */
    uint32_t timeout_ms;     /* of a call; 0: as of lks_rpc_options */
    uint64_t chain_id; /* that nodes must be on, where there are several; 0: the first one's */
    void (*log)(void *user, bool warns, const char *line); /* as of lks_endpoints_options */
    void *user;
} lks_nodes_options;

/* Opens a client of each URL; does not wait for any to answer. Threads that are made inherit the
 * caller's signal mask. Returns: LKS_OK; LKS_BADARGS or LKS_REFUSED, a URL is wrong, the reason
 * says which by its place; LKS_NOMEM; LKS_INTERNAL. */
lks_err lks_nodes_open(lks_nodes **out, const lks_nodes_options *options) LKS_MUST_USE;

lks_endpoints *lks_nodes_endpoints(lks_nodes *c);
size_t lks_nodes_count(const lks_nodes *c);

/* A call that waits for its answer; context is an lks_nodes. Returns: as of lks_rpc_call_sync. */
lks_err lks_nodes_call_sync(void *context, const char *method, const char *params_json,
                            lks_buf *answer) LKS_MUST_USE;
/* The calls of chain/eth.h at one node alone, whether it is followed or not. It remembers the
 * ranges of logs that the node answers. */
const lks_eth *lks_nodes_at(lks_nodes *c, size_t i);

/* Runs every reply that is left, then frees. NULL is allowed. */
void lks_nodes_close(lks_nodes *c);

/* Adds the URLs in a text, which they are cut out of: lines or words, by the characters of between.
 * Those that begin with # are left out. In and out: *count. Returns: false when there is no room
 * for all. */
bool lks_nodes_split(const char *urls[LKS_MAX_ENDPOINTS], size_t *count, char *text,
                     const char *between);

#endif
