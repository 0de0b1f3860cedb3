/* A node that misbehaves: a layer between somebody who calls a node by JSON-RPC and the node, or
 * the nodes, that answer. What it does wrong is drawn from a seed.
 *
 * It is wrong in episodes. Between two episodes it is right for at least `shortest_rest`, and for
 * up to `more_rest` more; an episode lasts at most `longest`. All are in the units of `now`, blocks
 * or seconds. So nothing that it is asked about stays wrong for longer than `longest`; whoever asks
 * again later than that hears the truth. Which kinds an episode has is drawn from `kinds`. */
#ifndef LKS_TESTS_HOSTILE_H
#define LKS_TESTS_HOSTILE_H

#include "chain/eth.h"
#include "tests/hostile/chance.h"

typedef enum hostile_kind {
    HOSTILE_DROPS,      /* lists of logs lack some */
    HOSTILE_EMPTY,      /* lists of logs are empty */
    HOSTILE_REPEATS,    /* lists of logs have some twice */
    HOSTILE_REORDERS,   /* lists of logs are out of order */
    HOSTILE_STALE,      /* the answer that the same question had before */
    HOSTILE_BEHIND,     /* everything is as it was some blocks ago */
    HOSTILE_ALTERNATES, /* now as it is, now as it was some blocks ago */
    HOSTILE_FORKED,     /* now as it is, now as on another branch */
    HOSTILE_RECEIPTS,   /* receipts are of another branch, or missing */
    HOSTILE_ERRORS,     /* refuses, in the words of six clients */
    HOSTILE_SENDS,      /* does not take transactions, and says wrong things about them */
    HOSTILE_FORGETS,    /* takes transactions and forgets them */
    HOSTILE_LIMITS,     /* refuses ranges of blocks, and answers that are large */
    HOSTILE_BUSY,       /* asks to be called less often */
    HOSTILE_HANGS,      /* does not answer */
    HOSTILE_CUTS,       /* the connection is lost before the call, or after it had its effect */
    HOSTILE_BACK,       /* goes back by up to 2,000 blocks */
    HOSTILE_KINDS
} hostile_kind;

#define HOSTILE_ALL ((1u << HOSTILE_KINDS) - 1)
#define HOSTILE_MOST_BEHIND 5u
#define HOSTILE_BACK_BLOCKS 2000u
#define HOSTILE_REMEMBERED 64u /* answers that may come again */

typedef struct hostile_memory {
    char *question, *answer;
} hostile_memory;

typedef struct hostile {
    lks_eth truth;
    lks_eth behind, fork; /* the other views; without a call: there is none */
    /* Out: behind shows the chain as it was so many blocks ago; fork another branch that leaves it
     * so many blocks ago. */
    void (*look_back)(void *user, uint64_t blocks);
    void (*leave)(void *user, uint64_t blocks);
    uint64_t (*now)(void *user);
    void *user;
    uint32_t kinds; /* 1 << hostile_kind, of those that may happen */
    uint64_t longest, shortest_rest;
    uint32_t more_rest;
    chance chance;
    chance *plan; /* of episodes; NULL: chance draws them, too */

    /* Its own; zero at first. */
    uint32_t active;     /* kinds of the episode; 0: none */
    uint64_t changes_at; /* when the episode or the rest ends */
    uint64_t lag, depth; /* of the episode */
    uint32_t per_mille;  /* of calls that it spoils */
    hostile_memory memory[HOSTILE_REMEMBERED];
    size_t next_memory;
    uint64_t counts[HOSTILE_KINDS]; /* calls spoilt */
} hostile;

/* lks_eth_call_fn; context is a hostile. LKS_TIMEOUT: no answer comes. */
lks_err hostile_call(void *context, const char *method, const char *params_json, lks_buf *answer);
void hostile_free(hostile *h);
/* Returns: the kinds that the words name, with commas between; HOSTILE_ALL for "all". */
uint32_t hostile_kinds_of(const char *words);
/* Never NULL. */
const char *hostile_name(hostile_kind kind);

#endif
