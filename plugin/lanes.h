/* The threads that re-run claims, and what each is given. What is due is proposed during a tick;
 * then every lane that is idle takes the most urgent proposal made to it. So a long check stands in
 * no move's way, and a move that needs no pass of the engine waits for none.
 *
 * The event thread's, unless it says otherwise.
 */
#ifndef LKS_PLUGIN_LANES_H
#define LKS_PLUGIN_LANES_H

#include "plugin/match.h"
#include "plugin/prover.h"

typedef struct lks_operator lks_operator;

typedef enum lks_lane {
    LKS_LANE_QUICK,     /* the operator's moves that need no pass of the engine */
    LKS_LANE_DEFENCE,   /* its other moves */
    LKS_LANE_CHALLENGE, /* the challenger's moves */
    LKS_LANE_CHECKS,    /* checks and comparisons */
    LKS_LANES
} lks_lane;

/* A task that a lane is to be given, or runs. */
typedef struct lks_errand {
    lks_match *match; /* NULL: nothing */
    lks_task task;    /* of one that runs kind, claim and deadline alone: the thread has the task */
    uint64_t cost_us; /* that it is taken to need of the engine; 0: not known */
    bool takes_trace; /* nobody else may use more than the trace's nodes */
    bool hopeless;    /* it was cancelled because it cannot end in time */
} lks_errand;

typedef struct lks_lanes {
    lks_prover *provers[LKS_LANES]; /* NULL without a dispute game */
    lks_errand best[LKS_LANES];
    lks_errand now[LKS_LANES];
} lks_lanes;

/* Starts the threads. Returns: LKS_OK; LKS_IO (no thread); LKS_NOMEM. */
lks_err lks_lanes_open(lks_operator *op) LKS_MUST_USE;
/* Harmless on those that were never opened. */
void lks_lanes_close(lks_lanes *lanes);
/* Any thread. Cancels what runs; nothing is taken any more. */
void lks_lanes_stop(lks_lanes *lanes);
/* Whether no lane has a task or a result. */
bool lks_lanes_idle(const lks_lanes *lanes);
bool lks_lane_is_idle(const lks_lanes *lanes, lks_lane lane);

/* Proposes a task for a match. In: task, with kind, rows, dispute_id, key, deadline, due and count;
 * places, count of them, copied, may be NULL; cost_us, as of lks_errand. */
void lks_lanes_propose(lks_operator *op, lks_match *match, const lks_task *task,
                       const lks_dispute *places, uint64_t cost_us);
/* Ends the tick: gives every idle lane what was proposed to it. */
void lks_lanes_give(lks_operator *op);
/* Takes a result that is ready, and back what was lent. Out: *match, whose it is. Returns: false
 * when there is none. */
bool lks_lanes_take(lks_operator *op, lks_task_result *r, lks_match **match);
/* Cancels every task of a match; of lane LKS_LANES, of all its lanes. */
void lks_lanes_abandon(lks_operator *op, const lks_match *match, lks_lane lane);

/* Whether what needs so much of the engine can be done by then. */
bool lks_lanes_have_time(const lks_operator *op, uint64_t deadline, uint64_t cost_us);

/* Words for the log. */
const char *lks_task_name(lks_task_kind kind);

#endif
