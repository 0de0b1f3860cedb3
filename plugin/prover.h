/* A thread that re-runs claims: checks their tokens, makes their traces, and finds the next move in
 * a dispute. One task at a time; the planner says when each of its passes may run.
 *
 * A task owns what it needs of a game. A trace that is lent to it stays the caller's: until
 * lks_prover_take gave the result nobody else may touch it, but for the nodes, which any thread may
 * read.
 */
#ifndef LKS_PLUGIN_PROVER_H
#define LKS_PLUGIN_PROVER_H

#include "plugin/game_copy.h"
#include "plugin/inbox.h"
#include "plugin/models.h"
#include "plugin/planner.h"

typedef struct lks_prover lks_prover;

typedef enum lks_task_kind {
    LKS_TASK_CHECK,     /* run the claim's tokens again */
    LKS_TASK_COMPARE,   /* make the trace; whether the opened root differs from it */
    LKS_TASK_OPERATOR,  /* make the trace, if need be, and the operator's moves */
    LKS_TASK_CHALLENGER /* the same for the challenger's move in one dispute */
} lks_task_kind;

typedef struct lks_task {
    lks_task_kind kind;
    bool rows; /* of LKS_TASK_OPERATOR: the places ask for leaves and partials, else for nodes */
    uint8_t claim_id[32];
    uint8_t dispute_id[32]; /* of LKS_TASK_CHALLENGER */
    uint8_t key[32];        /* the caller's name for the task */
    uint64_t deadline;      /* chain seconds: it is of no use later */
    uint64_t due;           /* chain seconds: when it must go on to be done by then */
    const lks_served *served;
    lks_game_copy game; /* owned */
    lks_trace *trace;   /* lent; NULL: it is made, but for LKS_TASK_CHECK */
    lks_dispute *at;    /* where moves are due, each place once; owned */
    size_t count;
} lks_task;

typedef struct lks_task_result {
    lks_task task;
    lks_err err;
    bool abandoned; /* it was cancelled while others went on */
    bool hopeless;  /* the reason for that: it could not end in time. The lanes' to set */
    char reason[256];
    uint32_t first_wrong; /* of LKS_TASK_CHECK: N when all tokens are right */
    bool differs;         /* of LKS_TASK_COMPARE */
    lks_trace *made;      /* the trace, when it was made; owned; may be there after a failure */
    lks_move *moves;      /* one for each place of the task; owned; NULL after a failure */
    uint64_t pass_us;     /* of the engine, for a check or a trace that was made; else 0 */
    uint32_t positions;   /* that it went over */
    uint64_t total_ms;
} lks_task_result;

/* Frees what a task, or a result with its task, owns. */
void lks_task_free(lks_task *task);
void lks_task_result_free(lks_task_result *r);

/* Starts the thread. In: nice, as of lks_desk_open; spill, for rows of traces, may be NULL;
 * planner, which outlives it; inbox, tapped when a result is ready. */
lks_err lks_prover_new(lks_prover **out, unsigned threads, unsigned nice, lks_spill *spill,
                       lks_planner *planner, lks_inbox *inbox) LKS_MUST_USE;
/* Stops, waits for the thread, frees. NULL is allowed. */
void lks_prover_free(lks_prover *prover);
/* Any thread. Cancels what runs and takes nothing more. NULL is allowed. */
void lks_prover_stop(lks_prover *prover);

/* The functions below are for the thread that gives tasks. */

/* Whether it can be given a task. */
bool lks_prover_idle(lks_prover *prover);
/* Hands over a task, when idle, and what it owns. Returns: false when it was not idle. */
bool lks_prover_give(lks_prover *prover, lks_task *task);
/* Cancels the task that runs, if one does: its result comes with LKS_REFUSED, abandoned. */
void lks_prover_abandon(lks_prover *prover);
/* Microseconds that the task has had the engine. */
uint64_t lks_prover_used_us(lks_prover *prover);
/* Takes the result that is ready. Returns: false when there is none. */
bool lks_prover_take(lks_prover *prover, lks_task_result *out);

#endif
