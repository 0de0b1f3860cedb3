/* Watching a deployment's claims: which there are, which of them are computed again, and the
 * disputes under way.
 *
 * Nothing that fails ends it: a node that cannot be reached, refuses or talks nonsense, a contract
 * that refuses, an account without ether are told of and tried again, after pauses of up to a
 * minute, for ever. Claims are computed in a thread of their own, which stands still between two
 * passes of the model while a move of a dispute is computed.
 *
 * Thread rule: all functions on one thread. */
#ifndef LKS_CLI_WATCH_H
#define LKS_CLI_WATCH_H

#include "oracle/cli/claim_set.h"
#include "oracle/cli/play.h"
#include "oracle/cli/verdict.h"

#define LKS_WATCH_MAX_MODELS 16u

typedef enum lks_watch_phase {
    LKS_WATCH_OPENING = 0, /* the dispute is to be found, or opened */
    LKS_WATCH_PLAYING,
    LKS_WATCH_COLLECTING, /* it is over: what is owed is withdrawn */
    LKS_WATCH_ENDED,
} lks_watch_phase;

/* A claim that is looked at, and then the dispute about it. */
typedef struct lks_watch_game {
    lks_watch_phase phase;
    lks_rerun_model *model;
    lks_request_view view;
    lks_claim_view claim;
    lks_verdict verdict;
    lks_play play;
    char label[24];
    uint8_t turned[32]; /* hash of the block at which it made its last turn */
    lks_backoff retry;
} lks_watch_game;

/* The claim that is computed again now. */
typedef struct lks_watch_check {
    lks_watch_game *game; /* NULL: none */
    lks_rerun_task *task;
    bool own;    /* the account disputes it already */
    bool judged; /* it is wrong: what a dispute needs is computed */
    bool late;   /* its window has ended meanwhile */
    atomic_bool cancel;
} lks_watch_check;

typedef struct lks_watch {
    lks_link *link;
    unsigned threads;
    lks_spill *spill; /* NULL: rows are computed again */
    lks_rerun_model models[LKS_WATCH_MAX_MODELS];
    size_t model_count;
    double share; /* of the claims that are looked at, above 0, at most 1 */
    bool report_only, json;
    bool once;              /* a claim that cannot be looked at is given up after some failures */
    const char *state_path; /* where it keeps what it knows; NULL: nowhere */
    bool changed;           /* since that was written */
    lks_backoff state_retry;

    uint64_t next;       /* first block to be read */
    lks_eth_header head; /* the newest block seen; number 0: none */
    bool scanned;        /* its claims are in the set */
    double behind_since; /* the node stands below it; 0: it does not */
    lks_backoff node_retry, scan_retry;
    lks_claim_set claims;
    lks_watch_game **games;
    size_t game_count;
    lks_watch_check check;
    lks_gate gate;
    uint64_t right, wrong, left_out;
} lks_watch;

/* Reads what an earlier run has left in the state file, if any; else finds the block from which
 * claims can still be open, and the account's own live disputes, which it goes on with.
 * Returns: LKS_OK; LKS_AUTH (there are no such contracts); LKS_BADARGS (the state file is of
 * another deployment); what the node's calls return, then it can be tried again. */
LKS_MUST_USE
lks_err lks_watch_begin(lks_watch *w);

/* One round: the newest block, new claims, a turn of every dispute that has one, a step of the
 * check under way. Out: *idle, whether all that there is waits for the chain or the check.
 * Returns: LKS_PARSED; LKS_EXIT_INTERRUPTED. */
int lks_watch_round(lks_watch *w, bool *idle);
/* Whether no claim waits, none is computed and no dispute is under way. */
bool lks_watch_settled(const lks_watch *w);

/* Says what goes on without it: disputes with the time of their next move, claims that wait. */
void lks_watch_tell_open(const lks_watch *w);
/* Ends the check, writes the state and frees. */
void lks_watch_close(lks_watch *w);

/* ---- parts ---- */

/* watch_check.c: a step of the check under way, or the next claim's begin. */
void lks_watch_check_step(lks_watch *w);
void lks_watch_check_stop(lks_watch *w);
/* watch_games.c: turns of the disputes; takes a game over. Returns: LKS_PARSED;
 * LKS_EXIT_INTERRUPTED. */
int lks_watch_play(lks_watch *w);
LKS_MUST_USE
lks_err lks_watch_keep(lks_watch *w, lks_watch_game *g);
/* Notes how things stand with the game's claim. */
void lks_watch_mark(lks_watch *w, const lks_watch_game *g, lks_watched_state state);
void lks_watch_game_free(lks_watch_game *g);
/* watch_state.c. read: LKS_NOTFOUND, there is no file; LKS_CORRUPT, it is damaged. */
LKS_MUST_USE
lks_err lks_watch_state_read(lks_watch *w);
LKS_MUST_USE
lks_err lks_watch_state_write(const lks_watch *w);
/* watch_print.c: one line about a claim or a dispute. */
void lks_watch_tell_verdict(const lks_watch *w, const lks_watch_game *g);
void lks_watch_tell_dispute(const lks_watch *w, const lks_watch_game *g, const char *event);
void lks_watch_tell_late(const lks_watch *w, const lks_watched *c);

#endif
