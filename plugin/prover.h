/* The thread that re-runs claims: checks their tokens, makes their traces, and finds the next move in a dispute. One task at a time.
 *
 * A task lends its game and its trace to the thread: from lks_prover_give until lks_prover_take gave the result, nobody else may touch them.
 */
#ifndef LKS_PLUGIN_PROVER_H
#define LKS_PLUGIN_PROVER_H

#include "oracle/game/game.h"
#include "plugin/inbox.h"
#include "plugin/models.h"

typedef struct lks_prover lks_prover;

typedef enum lks_task_kind {
    LKS_TASK_CHECK,     /* run the claim's tokens again */
    LKS_TASK_COMPARE,   /* make the trace; whether the opened root differs from it */
    LKS_TASK_OPERATOR,  /* make the trace, if need be, and the operator's moves */
    LKS_TASK_CHALLENGER /* the same for the challenger's move in one dispute */
} lks_task_kind;

typedef struct lks_task {
    lks_task_kind kind;
    uint8_t claim_id[32];
    uint8_t dispute_id[32]; /* of LKS_TASK_CHALLENGER */
    uint8_t key[32];        /* the caller's name for the task */
    uint64_t deadline;      /* the caller's, as the key */
    const lks_served *served;
    const lks_game *game;
    lks_trace **trace; /* made when it is NULL; not of LKS_TASK_CHECK */
    lks_dispute *at;   /* where moves are due, each place once; owned */
    size_t count;
} lks_task;

typedef struct lks_task_result {
    lks_task task;
    lks_err err;
    char reason[256];
    uint32_t first_wrong; /* of LKS_TASK_CHECK: N when all tokens are right */
    bool differs;         /* of LKS_TASK_COMPARE */
    lks_move *moves;      /* one for each place of the task; owned; NULL after a failure */
    uint64_t trace_us;    /* per position, when a trace was made; else 0 */
    uint64_t total_ms;
} lks_task_result;

/* Frees what the result owns, with its task. */
void lks_task_result_free(lks_task_result *r);

/* Starts the thread. In: nice, as of lks_desk_open; spill, for rows of traces, may be NULL; inbox, tapped when a result is ready. */
lks_err lks_prover_new(lks_prover **out, unsigned threads, unsigned nice, lks_spill *spill, lks_inbox *inbox) LKS_MUST_USE;
/* Cancels what runs, waits for the thread, frees. NULL is allowed. */
void lks_prover_free(lks_prover *prover);
/* Cancels what runs: its result comes with LKS_REFUSED. NULL is allowed. */
void lks_prover_cancel(lks_prover *prover);

/* Whether it can be given a task. Only the thread that gives may rely on it. */
bool lks_prover_idle(lks_prover *prover);
/* Hands over a task, when idle, and what it owns. Returns: false when it was not idle. */
bool lks_prover_give(lks_prover *prover, const lks_task *task);
/* Takes the result that is ready. Returns: false when there is none. */
bool lks_prover_take(lks_prover *prover, lks_task_result *out);

#endif
