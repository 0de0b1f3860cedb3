/* Several nodes of one chain as one client. All calls go to the one that is followed; the others
 * check it.
 *
 * Every LKS_ENDPOINTS_CHECK_MS each end point is asked for its head, and for the hash of one block
 * that all must have. One is bad that is on another chain, fails three times in a row, does not
 * answer a check within LKS_ENDPOINTS_HANG_MS, is more than LKS_ENDPOINTS_BEHIND blocks behind for
 * LKS_ENDPOINTS_BEHIND_MS, or disagrees with the majority in two checks. When the one that is
 * followed is bad, the first good one is followed, and the calls that it still owes an answer are
 * made there too. An end point nearer to the front of the list is followed again when it was good
 * for LKS_ENDPOINTS_BENCH_MS. Two that disagree have no majority: that is a warning, and the one
 * that is followed stays so unless it is behind. A call that fails for the connection's sake is
 * tried on the other good ones. A transaction is sent to all; it is sent when one takes it or knows
 * it already. Messages name end points without the path, which may hold an access key. Ownership:
 * the clients are the caller's; it ends them between lks_endpoints_close and lks_endpoints_free.
 * Thread rule: lks_endpoints_call from any thread; new, tick, close and free from one at a time.
 */
#ifndef LKS_CHAIN_ENDPOINTS_H
#define LKS_CHAIN_ENDPOINTS_H

#include "chain/rpc.h"

#define LKS_MAX_ENDPOINTS 8u
/* Calls that may be under way. */
#define LKS_ENDPOINTS_CALLS 64u
#define LKS_ENDPOINTS_CHECK_MS 6000u
#define LKS_ENDPOINTS_HANG_MS 6000u
#define LKS_ENDPOINTS_BEHIND 4u /* blocks */
#define LKS_ENDPOINTS_BEHIND_MS 30000u
#define LKS_ENDPOINTS_BENCH_MS 300000u

/* One node. call has the shape of lks_rpc_call, and never runs a reply from within itself. */
typedef struct lks_endpoint {
    const char *name;
    lks_err (*call)(void *context, const char *method, const char *params_json, lks_rpc_reply reply,
                    void *user);
    void *context;
} lks_endpoint;

typedef struct lks_endpoints_options {
    const lks_endpoint *clients; /* in the order of preference; copied */
    size_t count;                /* 1 to LKS_MAX_ENDPOINTS */
    uint64_t chain_id;           /* that all must be on; 0: that of the foremost that tells one */
    uint64_t (*now_ms)(void);    /* a clock that never goes back */
    /* Any thread. warns: else it is news that needs no care. */
    void (*log)(void *user, bool warns, const char *line);
    void *user;
} lks_endpoints_options;

typedef struct lks_endpoints lks_endpoints;

lks_err lks_endpoints_new(lks_endpoints **out, const lks_endpoints_options *options) LKS_MUST_USE;
/* Makes no further call. Those under way are answered as their clients end. */
void lks_endpoints_close(lks_endpoints *e);
/* Every client has run all replies. NULL is allowed. */
void lks_endpoints_free(lks_endpoints *e);

/* Has the shape of lks_rpc_call. */
lks_err lks_endpoints_call(lks_endpoints *e, const char *method, const char *params_json,
                           lks_rpc_reply reply, void *user) LKS_MUST_USE;

/* Does what is due of the checks; to be called a few times per second. With one end point there is
 * nothing to do. */
void lks_endpoints_tick(lks_endpoints *e);

/* Whether a whole check was made: what is followed then is good, if any is. Of one end point, true.
 */
bool lks_endpoints_checked(lks_endpoints *e);
/* Leaves the one that is followed, which the caller has caught at something: where another is good,
 * it is followed for LKS_ENDPOINTS_BENCH_MS at least. In: why, "withholds logs". Returns: whether
 * there is another. */
bool lks_endpoints_leave(lks_endpoints *e, const char *why);

/* Returns: the name of the one that is followed. */
const char *lks_endpoints_name(lks_endpoints *e);
/* Returns: its place in the list. */
size_t lks_endpoints_followed(lks_endpoints *e);
/* Whether the one at a place is good. */
bool lks_endpoints_is_good(lks_endpoints *e, size_t i);

#endif
