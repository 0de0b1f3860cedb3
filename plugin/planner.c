#include "plugin/planner.h"

#include "plugin/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct lks_planner {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    lks_plan plan;
    lks_ticket *tickets[LKS_MOST_TICKETS];
    size_t count;
    lks_ticket *running; /* NULL: nobody has a turn */
    bool ahead;          /* of a higher rank, because it was owed the time */
};

lks_err lks_planner_new(lks_planner **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return lks_fail(LKS_NOMEM, "out of memory");
    pthread_mutex_init(&(*out)->lock, NULL);
    pthread_cond_init(&(*out)->changed, NULL);
    return LKS_OK;
}

void lks_planner_free(lks_planner *planner)
{
    if (!planner)
        return;
    assert(planner->count == 0);
    pthread_cond_destroy(&planner->changed);
    pthread_mutex_destroy(&planner->lock);
    free(planner);
}

/* ---- under the lock ---- */

static void finish_turn(lks_planner *p, lks_ticket *t)
{
    bool waited[LKS_RANKS] = {false};
    if (t->state != LKS_TICKET_RUNS)
        return;
    uint64_t us = lks_now_us() - t->since_us;
    for (size_t i = 0; i < p->count; i++)
        if (p->tickets[i]->state == LKS_TICKET_WAITS)
            waited[p->tickets[i]->as.rank] = true;
    lks_plan_ran(&p->plan, t->as.rank, us, p->ahead, waited);
    t->as.pass_us = us;
    t->used_us += us;
    t->state = LKS_TICKET_OUT;
    p->running = NULL;
}

/* Gives the next turn, when nobody has it. */
static void start_turn(lks_planner *p)
{
    lks_waiting all[LKS_MOST_TICKETS];
    lks_ticket *whose[LKS_MOST_TICKETS];
    size_t count = 0;
    if (p->running)
        return;
    for (size_t i = 0; i < p->count; i++) {
        if (p->tickets[i]->state != LKS_TICKET_WAITS)
            continue;
        whose[count] = p->tickets[i];
        all[count++] = p->tickets[i]->as;
    }
    size_t next = lks_plan_next(&p->plan, all, count, &p->ahead);
    if (next == count)
        return;
    p->running = whose[next];
    p->running->state = LKS_TICKET_RUNS;
    p->running->since_us = lks_now_us();
    pthread_cond_broadcast(&p->changed);
}

/* ---- tickets ---- */

void lks_ticket_open(lks_ticket *t, lks_planner *planner, const atomic_bool *cancel)
{
    *t = (lks_ticket){.planner = planner, .cancel = cancel};
    pthread_mutex_lock(&planner->lock);
    assert(planner->count < LKS_MOST_TICKETS);
    planner->tickets[planner->count++] = t;
    pthread_mutex_unlock(&planner->lock);
}

void lks_ticket_close(lks_ticket *t)
{
    lks_planner *p = t->planner;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    finish_turn(p, t);
    for (size_t i = 0; i < p->count; i++)
        if (p->tickets[i] == t)
            p->tickets[i] = p->tickets[--p->count];
    start_turn(p);
    pthread_mutex_unlock(&p->lock);
    memset(t, 0, sizeof *t);
}

void lks_ticket_begin(lks_ticket *t, lks_rank rank, uint64_t due)
{
    pthread_mutex_lock(&t->planner->lock);
    t->as.rank = rank;
    t->as.due = due;
    t->used_us = 0;
    pthread_mutex_unlock(&t->planner->lock);
}

int lks_ticket_turn(void *ticket)
{
    lks_ticket *t = ticket;
    lks_planner *p = t->planner;
    pthread_mutex_lock(&p->lock);
    finish_turn(p, t);
    t->state = LKS_TICKET_WAITS;
    start_turn(p);
    while (t->state == LKS_TICKET_WAITS && !atomic_load(t->cancel))
        pthread_cond_wait(&p->changed, &p->lock);
    bool cancelled = atomic_load(t->cancel);
    if (cancelled) {
        finish_turn(p, t);
        t->state = LKS_TICKET_OUT;
        start_turn(p);
    }
    pthread_mutex_unlock(&p->lock);
    return cancelled;
}

void lks_ticket_end(lks_ticket *t)
{
    pthread_mutex_lock(&t->planner->lock);
    finish_turn(t->planner, t);
    start_turn(t->planner);
    pthread_mutex_unlock(&t->planner->lock);
}

uint64_t lks_ticket_used_us(lks_ticket *t)
{
    pthread_mutex_lock(&t->planner->lock);
    uint64_t us = t->used_us;
    if (t->state == LKS_TICKET_RUNS)
        us += lks_now_us() - t->since_us;
    pthread_mutex_unlock(&t->planner->lock);
    return us;
}

void lks_planner_wake(lks_planner *planner)
{
    if (!planner)
        return;
    pthread_mutex_lock(&planner->lock);
    pthread_cond_broadcast(&planner->changed);
    pthread_mutex_unlock(&planner->lock);
}
