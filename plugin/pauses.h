/* Back-off of actions that failed, and of log lines that are out: a table by id and action that
 * grows with its entries.
 *
 * A pause is live until its time is over. It is then remembered for LKS_PAUSES_MEMORY_MS, so that
 * the same thing failing again is no news, and forgotten after that. A live or remembered pause is
 * never given up for another one. Times are milliseconds of one clock, the caller's. One thread. */
#ifndef LKS_PLUGIN_PAUSES_H
#define LKS_PLUGIN_PAUSES_H

#include "plugin/job.h"

#include <stddef.h>

#define LKS_PAUSES_MEMORY_MS 600000u

typedef struct lks_pause {
    uint8_t id[32]; /* of a request or claim; of LKS_ACTION_MOVE a key */
    lks_action action;
    uint64_t until_ms; /* 0: a free place */
    uint64_t head;     /* newest block when it began */
} lks_pause;

typedef struct lks_pauses {
    lks_pause *items; /* an open hash table of capacity places, owned */
    size_t count;     /* places that are not free, forgotten ones included */
    size_t capacity;  /* 0, or a power of two */
} lks_pauses;

/* Returns: the pause, live or remembered, until the next call that changes the table; NULL: none.
 */
const lks_pause *lks_pauses_find(const lks_pauses *p, const uint8_t id32[32], lks_action action,
                                 uint64_t now_ms);
/* Whether it is live. */
bool lks_pauses_hold(const lks_pauses *p, const uint8_t id32[32], lks_action action,
                     uint64_t now_ms);
/* Begins a pause, or prolongs the one of that id and action, which keeps its head. Without memory
 * for it, nothing is paused. Returns: whether it is news: it was neither live nor remembered. */
bool lks_pauses_put(lks_pauses *p, const lks_pause *pause, uint64_t now_ms);
/* Ends and forgets a pause: what was held back has worked. */
void lks_pauses_end(lks_pauses *p, const uint8_t id32[32], lks_action action);
/* Frees. Harmless on one that is all zero. */
void lks_pauses_free(lks_pauses *p);

#endif
