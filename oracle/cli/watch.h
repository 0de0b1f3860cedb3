/* Watching a deployment's claims: which there are, which of them are looked at, and the disputes
 * under way. */
#ifndef LKS_CLI_WATCH_H
#define LKS_CLI_WATCH_H

#include "oracle/cli/play.h"
#include "oracle/cli/verdict.h"

#define LKS_WATCH_MAX_MODELS 16u

/* A claim that was seen. */
typedef struct lks_watched {
    uint8_t name[32]; /* in the oracle */
    bool played;       /* the account disputes it already */
    bool done;         /* looked at, left out, or given up */
    unsigned failures; /* of looking at it, in a row */
} lks_watched;

/* A dispute under way, with what it is played from. */
typedef struct lks_watch_game {
    lks_request_view view;
    lks_claim_view claim;
    lks_verdict verdict;
    lks_play play;
    char label[24];
} lks_watch_game;

typedef struct lks_watch {
    lks_link *link;
    lks_rerun_args rerun;
    lks_rerun_model models[LKS_WATCH_MAX_MODELS];
    size_t model_count;
    double share; /* of the claims that are looked at, above 0, at most 1 */
    bool report_only, json;
    uint64_t next; /* first block to be read */
    lks_watched *claims;
    size_t claim_count, claim_capacity;
    lks_watch_game **games;
    size_t game_count;
    uint64_t right, wrong, left_out;
} lks_watch;

void lks_watch_free(lks_watch *w);

/* Finds the block from which claims can still be open, and the account's own live disputes, which
 * it goes on with.
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_watch_begin(lks_watch *w);
/* Takes note of claims made since the last call. Returns: LKS_OK; what the node's calls return. */
LKS_MUST_USE lks_err lks_watch_scan(lks_watch *w);
/* Looks at the next claim that is waiting, and disputes it when it is wrong. Out: *any, false when
 * none was waiting.
 * Returns: LKS_PARSED, or the exit code after telling. */
int lks_watch_check(lks_watch *w, bool *any);
/* A turn of every dispute under way. Returns: LKS_PARSED, or the exit code after telling. */
int lks_watch_play(lks_watch *w);

#endif
