/* Gives one task after another its turn on the engine, pass by pass: one runs at a time, with all
 * of the machine, so that what passes are measured to cost holds. Who is next is plan.h's decision.
 *
 *     each thread that runs models has a ticket: lks_ticket_open(&t, planner, &cancel)
 *     a task begins:                             lks_ticket_begin(&t, rank, due)
 *     before each pass of the engine:            lks_ticket_turn(&t), which may wait
 *     the task is over:                          lks_ticket_end(&t)
 *
 * The planner's lock is a leaf: nothing is called under it. A ticket belongs to one thread, apart
 * from what says that any thread may call it.
 */
#ifndef LKS_PLUGIN_PLANNER_H
#define LKS_PLUGIN_PLANNER_H

#include "chain/err.h"
#include "plugin/plan.h"

#include <pthread.h>
#include <stdatomic.h>

/* Threads that run models, at most. */
#define LKS_MOST_TICKETS 8u

typedef struct lks_planner lks_planner;

typedef enum lks_ticket_state {
    LKS_TICKET_OUT,
    LKS_TICKET_WAITS,
    LKS_TICKET_RUNS
} lks_ticket_state;

/* Its members are the planner's. */
typedef struct lks_ticket {
    lks_planner *planner;
    const atomic_bool *cancel;
    lks_ticket_state state;
    lks_waiting as;
    uint64_t since_us; /* when the turn began */
    uint64_t used_us;  /* by turns of this task that are over */
} lks_ticket;

lks_err lks_planner_new(lks_planner **out) LKS_MUST_USE;
/* All tickets are closed. NULL is allowed. */
void lks_planner_free(lks_planner *planner);

/* In: cancel, set from any thread and followed by lks_planner_wake: ends a wait; outlives the
 * ticket. */
void lks_ticket_open(lks_ticket *t, lks_planner *planner, const atomic_bool *cancel);
/* Harmless on one that is all zero. */
void lks_ticket_close(lks_ticket *t);

/* A task begins, which has used nothing yet. */
void lks_ticket_begin(lks_ticket *t, lks_rank rank, uint64_t due);
/* Ends the turn that it has, and waits for the next one. In: ticket, an lks_ticket: it is the
 * engine's before_pass. Returns: 0; 1 when it was cancelled, and has no turn. */
int lks_ticket_turn(void *ticket);
/* Ends the turn that it has, if it has one. */
void lks_ticket_end(lks_ticket *t);
/* Any thread. Microseconds that the task has had the engine, up to now. */
uint64_t lks_ticket_used_us(lks_ticket *t);

/* Any thread. Whoever waits looks at its cancel flag. NULL is allowed. */
void lks_planner_wake(lks_planner *planner);

#endif
