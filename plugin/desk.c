#include "plugin/desk.h"

#include <assert.h>
#include <fenv.h>
#include <sys/resource.h>

/* On Linux the calling thread's alone. */
static void give_way(unsigned nice)
{
    if (getpriority(PRIO_PROCESS, 0) < (int)nice)
        (void)!setpriority(PRIO_PROCESS, 0, (int)nice);
}

static void *main_of_desk(void *argument)
{
    lks_desk *d = argument;
    /* A thread inherits the floating-point environment of its maker, which is the host's; the
     * engine and its threads need the default one. */
    fesetenv(FE_DFL_ENV);
    give_way(d->nice);
    pthread_mutex_lock(&d->lock);
    while (!d->stopped) {
        if (d->state != LKS_DESK_BUSY) {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        pthread_mutex_unlock(&d->lock);
        d->work(d->owner);
        pthread_mutex_lock(&d->lock);
        d->state = LKS_DESK_DONE;
        lks_inbox_tap(d->inbox);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

lks_err lks_desk_open(lks_desk *d, void (*work)(void *owner), void *owner, unsigned nice,
                      lks_inbox *inbox)
{
    *d = (lks_desk){.work = work, .owner = owner, .nice = nice, .inbox = inbox};
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    if (!pthread_create(&d->thread, NULL, main_of_desk, d))
        return LKS_OK;
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    return lks_fail(LKS_IO, "a thread for models cannot be started");
}

void lks_desk_close(lks_desk *d)
{
    pthread_mutex_lock(&d->lock);
    d->stopped = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
}

lks_desk_state lks_desk_look(lks_desk *d)
{
    pthread_mutex_lock(&d->lock);
    lks_desk_state state = d->state;
    pthread_mutex_unlock(&d->lock);
    return state;
}

static void change(lks_desk *d, lks_desk_state from, lks_desk_state to)
{
    pthread_mutex_lock(&d->lock);
    assert(d->state == from);
    (void)from;
    d->state = to;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

void lks_desk_give(lks_desk *d)
{
    change(d, LKS_DESK_IDLE, LKS_DESK_BUSY);
}

void lks_desk_clear(lks_desk *d)
{
    change(d, LKS_DESK_DONE, LKS_DESK_IDLE);
}
