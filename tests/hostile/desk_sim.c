/* plugin/desk.h without a thread: the work is done when somebody looks and its time has come.
 * Linked in the place of plugin/desk.c where time is simulated. */
#include "tests/hostile/desk_sim.h"
#include "plugin/desk.h"
#include "tests/hostile/sim_time.h"

#include <assert.h>
#include <stddef.h>

#define DESKS 16u

uint64_t (*desk_sim_duration)(const lks_desk *d);

static struct {
    const lks_desk *desk;
    uint64_t ready_ms;
} desks[DESKS];

static uint64_t *ready_ms(const lks_desk *d)
{
    for (size_t i = 0; i < DESKS; i++)
        if (desks[i].desk == d)
            return &desks[i].ready_ms;
    assert(!"this desk is not open");
    return NULL;
}

lks_err lks_desk_open(lks_desk *d, void (*work)(void *owner), void *owner, unsigned nice,
                      lks_inbox *inbox)
{
    *d = (lks_desk){.work = work, .owner = owner, .nice = nice, .inbox = inbox};
    for (size_t i = 0; i < DESKS; i++)
        if (!desks[i].desk) {
            desks[i].desk = d;
            return LKS_OK;
        }
    return lks_fail(LKS_INTERNAL, "more than %u desks", DESKS);
}

/* Does the work. */
static void finish(lks_desk *d)
{
    uint64_t before = sim_clock.work_us;
    d->work(d->owner);
    sim_clock.work_us = before;
    d->state = LKS_DESK_DONE;
    lks_inbox_tap(d->inbox);
}

void lks_desk_close(lks_desk *d)
{
    if (d->state == LKS_DESK_BUSY)
        finish(d);
    for (size_t i = 0; i < DESKS; i++)
        if (desks[i].desk == d)
            desks[i].desk = NULL;
}

lks_desk_state lks_desk_look(lks_desk *d)
{
    if (d->state == LKS_DESK_BUSY && sim_clock.now_ms >= *ready_ms(d))
        finish(d);
    return d->state;
}

void lks_desk_give(lks_desk *d)
{
    assert(d->state == LKS_DESK_IDLE);
    d->state = LKS_DESK_BUSY;
    *ready_ms(d) = sim_clock.now_ms + (desk_sim_duration ? desk_sim_duration(d) : 0);
}

void lks_desk_clear(lks_desk *d)
{
    assert(d->state == LKS_DESK_DONE);
    d->state = LKS_DESK_IDLE;
}
