/* Several nodes of one chain as one client. All calls go to the one that is followed; the others
 * check it.
 *
 * Every RUNNER_CHECK_MS each end point is asked for its head, and for the hash of one block that
 * all must have. One is bad that is on another chain, fails three times in a row, does not answer a
 * check within RUNNER_HANG_MS, is more than RUNNER_BEHIND blocks behind for RUNNER_BEHIND_MS, or
 * disagrees with the majority in two checks. When the one that is followed is bad, the first good
 * one is followed, and the calls that it still owes an answer are made there too. An end point
 * nearer to the front of the list is followed again when it was good for RUNNER_BENCH_MS. Two that
 * disagree have no majority: that is a warning, and the one that is followed stays so unless it is
 * behind. A call that fails for the connection's sake is tried on the other good ones. A
 * transaction is sent to all; it is sent when one takes it or knows it already. Messages name end
 * points without the path, which may hold an access key. Ownership: the clients are the caller's;
 * it ends them between runner_endpoints_close and runner_endpoints_free. Thread rule:
 * runner_endpoints_call from any thread; new, tick, close and free from one at a time.
 */
#ifndef LKS_RUNNER_ENDPOINTS_H
#define LKS_RUNNER_ENDPOINTS_H

#include "chain/rpc.h"

#define RUNNER_MAX_ENDPOINTS 8u
/* Calls that a plugin may have under way. */
#define RUNNER_MAX_CALLS 64u
#define RUNNER_CHECK_MS 6000u
#define RUNNER_HANG_MS 6000u
#define RUNNER_BEHIND 4u /* blocks */
#define RUNNER_BEHIND_MS 30000u
#define RUNNER_BENCH_MS 300000u

/* One node. call has the shape of lks_rpc_call, and never runs a reply from within itself. */
typedef struct runner_client {
    const char *name;
    lks_err (*call)(void *context, const char *method, const char *params_json, lks_rpc_reply reply,
                    void *user);
    void *context;
} runner_client;

typedef struct runner_endpoints_options {
    const runner_client *clients; /* in the order of preference; copied */
    size_t count;                 /* 1 to RUNNER_MAX_ENDPOINTS */
    uint64_t (*now_ms)(void);     /* a clock that never goes back */
    void (*log)(void *user, int level,
                const char *line); /* any thread; level as of lockstep_log_level */
    void *user;
} runner_endpoints_options;

typedef struct runner_endpoints runner_endpoints;

lks_err runner_endpoints_new(runner_endpoints **out,
                             const runner_endpoints_options *options) LKS_MUST_USE;
/* Makes no further call. Those under way are answered as their clients end. */
void runner_endpoints_close(runner_endpoints *e);
/* Every client has run all replies. NULL is allowed. */
void runner_endpoints_free(runner_endpoints *e);

/* Has the shape of lks_rpc_call. */
lks_err runner_endpoints_call(runner_endpoints *e, const char *method, const char *params_json,
                              lks_rpc_reply reply, void *user) LKS_MUST_USE;

/* Does what is due of the checks; to be called a few times per second. With one end point there is
 * nothing to do. */
void runner_endpoints_tick(runner_endpoints *e);

/* Returns: the name of the one that is followed. */
const char *runner_endpoints_name(runner_endpoints *e);

#endif
