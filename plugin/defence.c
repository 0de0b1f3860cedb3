#include "plugin/defence.h"

#include <stdlib.h>

/* Places that ask for the same kind of thing, and the task that answers them. */
typedef struct asked {
    lks_task task;
    lks_dispute places[LKS_MOST_PLACES];
} asked;

/* A dispute that waits for an answer. */
typedef struct waiting {
    const lks_game_dispute *d;
    uint64_t deadline;
} waiting;

static int by_deadline(const void *a, const void *b)
{
    const waiting *x = a, *y = b;
    return x->deadline < y->deadline ? -1 : x->deadline > y->deadline;
}

/* Adds a place unless it is there. */
static void add_place(asked *all, const waiting *w)
{
    lks_task *task = &all->task;
    for (size_t i = 0; i < task->count; i++)
        if (lks_match_same_place(&all->places[i], &w->d->now))
            return;
    if (task->count == LKS_MOST_PLACES)
        return;
    all->places[task->count++] = w->d->now;
    if (w->deadline < task->deadline)
        task->deadline = task->due = w->deadline;
}

/* Whether we may answer the dispute now. A challenger that is late is told so. */
static bool is_to_answer(lks_operator *op, lks_match *m, const lks_game_dispute *d,
                         uint64_t deadline)
{
    uint8_t key[32];
    if (!lks_state_is_operators(d->now.state)) {
        if (op->head.time > deadline)
            lks_moves_timeout(op, m, d);
        return false;
    }
    lks_match_key(key, LKS_VERB_MOVE, d->id, 32, &d->now);
    return lks_chain_time(op) <= deadline && !lks_act_is_paused(op, key, LKS_ACTION_MOVE);
}

static void propose_answers(lks_operator *op, lks_match *m, asked *all)
{
    if (all->task.count == 0 || lks_moves_answering(op, m, all->task.rows))
        return;
    lks_moves_answers_key(all->task.key, m, all->task.rows, 0);
    lks_lanes_propose(op, m, &all->task, all->places, 0);
}

void lks_defence_look(lks_operator *op, lks_match *m)
{
    size_t count = 0, disputes = lks_game_dispute_count(m->game);
    asked nodes = {.task = {.kind = LKS_TASK_OPERATOR, .deadline = UINT64_MAX}}, rows = nodes;
    waiting *list = calloc(disputes + 1, sizeof *list);
    if (!list)
        return; /* the next tick tries again */
    rows.task.rows = true;
    for (size_t i = 0; i < disputes; i++) {
        const lks_seen *seen = lks_disputes_look(op, m, i);
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        if (seen && is_to_answer(op, m, d, seen->view.deadline))
            list[count++] = (waiting){d, seen->view.deadline};
    }
    qsort(list, count, sizeof *list, by_deadline);
    for (size_t i = 0; i < count; i++)
        add_place(lks_state_asks_rows(list[i].d->now.state) ? &rows : &nodes, &list[i]);
    free(list);
    propose_answers(op, m, &nodes);
    propose_answers(op, m, &rows);
}
