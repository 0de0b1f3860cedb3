/* The claims that a watch has seen, found by name. */
#ifndef LKS_CLI_CLAIM_SET_H
#define LKS_CLI_CLAIM_SET_H

#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"
#include "oracle/cli/backoff.h"

typedef enum lks_watched_state {
    LKS_WATCHED_WAITING = 0, /* to be looked at */
    LKS_WATCHED_OWN,         /* so, because the account disputes it */
    LKS_WATCHED_PLAYED,      /* the dispute about it is under way here */
    LKS_WATCHED_DONE,        /* looked at, left out, or given up */
} lks_watched_state;

/* A claim that was seen. */
typedef struct lks_watched {
    uint8_t name[32];    /* in the oracle */
    uint64_t block;      /* of the newest event that has named it */
    uint64_t window_end; /* last second in which it can be disputed; UINT64_MAX: not known */
    lks_watched_state state;
    unsigned failures; /* of looking at it, in a row */
    lks_backoff retry;
} lks_watched;

/* All zero: empty. To be freed with lks_claim_set_free. */
typedef struct lks_claim_set {
    lks_watched *items; /* any order; they move when one is added or dropped */
    size_t count, capacity;
    uint32_t *slots; /* of a hash table: 1 + index in items; 0: free */
    size_t slot_count;
} lks_claim_set;

/* Returns: NULL when it is not there. */
lks_watched *lks_claim_set_find(const lks_claim_set *s, const uint8_t name32[32]);
/* Adds one that is not there. Returns: LKS_OK; LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_claim_set_add(lks_claim_set *s, const lks_watched *w);
/* Drops those that are done and were last named before that block.
 * Returns: how many. */
size_t lks_claim_set_prune(lks_claim_set *s, uint64_t block);
void lks_claim_set_free(lks_claim_set *s);

#endif
