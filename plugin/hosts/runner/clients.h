/* The nodes that --rpc names: their JSON-RPC clients, as end points, with a thread for the checks.
 */
#ifndef LKS_RUNNER_CLIENTS_H
#define LKS_RUNNER_CLIENTS_H

#include "plugin/hosts/runner/endpoints.h"

typedef struct runner_clients runner_clients;

/* Opens a client of each URL (count of them, 1 to RUNNER_MAX_ENDPOINTS); does not wait for any to
 * answer. Lines go to log, as of runner_endpoints_options. Threads that are made inherit the
 * caller's signal mask. Returns: LKS_OK; LKS_BADARGS or LKS_REFUSED, a URL is wrong, the reason
 * says which by its place; LKS_NOMEM; LKS_INTERNAL. */
lks_err runner_clients_open(runner_clients **out, const char *const *urls, size_t count,
                            void (*log)(void *user, int level, const char *line),
                            void *user) LKS_MUST_USE;

runner_endpoints *runner_clients_endpoints(runner_clients *c);

/* Runs every reply that is left, then frees. NULL is allowed. */
void runner_clients_close(runner_clients *c);

#endif
