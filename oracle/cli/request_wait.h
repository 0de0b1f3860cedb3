/* Waiting until a request is settled. */
#ifndef LKS_CLI_REQUEST_WAIT_H
#define LKS_CLI_REQUEST_WAIT_H

#include "oracle/cli/request_view.h"

typedef struct lks_wait {
    lks_request_view view; /* as last read; freed by the caller */
    /* Seconds after the link was opened at which it was seen; 0: not seen. */
    double accepted, claimed, settled;
} lks_wait;

/* Reads the request again and again, shows its events as they come, and ends when it is final,
 * refunded or undecided. A node that cannot be reached for a while is waited for. In: from, the
 * request's block.
 * Returns: LKS_PARSED; or the exit code after telling: LKS_EXIT_NO when timeout_s seconds were not
 * enough, LKS_EXIT_INTERRUPTED after SIGINT (oracle/cli/interrupt.h), with how to go on or to
 * cancel. */
int lks_request_wait(lks_wait *w, lks_link *s, const uint8_t id32[32], uint64_t from,
                     uint64_t timeout_s);

#endif
