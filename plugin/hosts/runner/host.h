/* The host that a plugin sees: log lines to standard error, and the client's JSON-RPC behind an
 * allow-list.
 */
#ifndef LKS_RUNNER_HOST_H
#define LKS_RUNNER_HOST_H

#include "chain/endpoints.h"
#include "plugin/lockstep_plugin.h"

typedef struct runner_host {
    lockstep_host api; /* context points to this struct */
    lks_endpoints *endpoints;
    int log_level;
} runner_host;

/* Fills in api. */
void runner_host_init(runner_host *host, lks_endpoints *endpoints, int log_level);

/* Milliseconds of a clock that never goes back. */
uint64_t runner_now_ms(void);

/* Writes one line, with time and level, to standard error. Any thread. */
void runner_log(const runner_host *host, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the method is one of those that lockstep_plugin.h names. */
bool runner_allows(const char *method);

#endif
