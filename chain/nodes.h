/* The nodes that --rpc names: their JSON-RPC clients, as end points, with a thread for the checks.
 */
#ifndef LKS_CHAIN_NODES_H
#define LKS_CHAIN_NODES_H

#include "chain/endpoints.h"

typedef struct lks_nodes lks_nodes;

/* Opens a client of each URL (count of them, 1 to LKS_MAX_ENDPOINTS); does not wait for any to
 * answer. Lines go to log, as of lks_endpoints_options. Threads that are made inherit the
 * caller's signal mask. Returns: LKS_OK; LKS_BADARGS or LKS_REFUSED, a URL is wrong, the reason
 * says which by its place; LKS_NOMEM; LKS_INTERNAL. */
lks_err lks_nodes_open(lks_nodes **out, const char *const *urls, size_t count,
                            void (*log)(void *user, bool warns, const char *line),
                            void *user) LKS_MUST_USE;

lks_endpoints *lks_nodes_endpoints(lks_nodes *c);

/* Runs every reply that is left, then frees. NULL is allowed. */
void lks_nodes_close(lks_nodes *c);

#endif
