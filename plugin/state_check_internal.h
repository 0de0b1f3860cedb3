/* Shared by the files of the state check. */
#ifndef LKS_PLUGIN_STATE_CHECK_INTERNAL_H
#define LKS_PLUGIN_STATE_CHECK_INTERNAL_H

#include "plugin/operator.h"

/* Something that both of events and contract know. */
typedef struct lks_checked {
    const char *kind;  /* "claim", "request" */
    const uint8_t *id; /* 32 bytes */
} lks_checked;

/* Takes note of what differs, in words, or that nothing does (NULL), and tells it. Returns: whether
 * the events are to be read again now. */
bool lks_state_check_differs(lks_operator *op, const lks_checked *what, const char *difference);
/* Whether a difference is known of it. */
bool lks_state_check_has(const lks_operator *op, const uint8_t id32[32]);

/* Calls a view of a contract at the head, by its hash. In: call, freed here. */
lks_err lks_state_check_ask(lks_operator *op, const uint8_t to20[20], lks_err encoded,
                            lks_buf *call, lks_buf *result) LKS_MUST_USE;

/* Compares our accepted jobs. all: not only those that are known to differ. */
lks_err lks_state_check_jobs(lks_operator *op, bool all, bool *again) LKS_MUST_USE;

#endif
