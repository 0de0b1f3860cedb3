/* A thread that does one piece of work at a time: inference has one, re-runs have one.
 *
 * The work and its result lie in memory of the owner's, who may touch it while the desk is idle or
 * done, and the thread only while it is busy. give, take and state are for the thread that gives;
 * what another thread may read while the desk is busy is the owner's affair.
 */
#ifndef LKS_PLUGIN_DESK_H
#define LKS_PLUGIN_DESK_H

#include "plugin/inbox.h"

#include <pthread.h>

typedef enum lks_desk_state {
    LKS_DESK_IDLE,
    LKS_DESK_BUSY,
    LKS_DESK_DONE
} lks_desk_state;

typedef struct lks_desk {
    void (*work)(void *owner);
    void *owner;
    unsigned nice;
    lks_inbox *inbox;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    lks_desk_state state;
    bool stopped;
} lks_desk;

/* Starts the thread. In: nice, what it gives way to others (0 to 19, see sched(7); threads that it
 * makes do the same; never less than what the process gives); inbox, tapped when work is done.
 * Returns: LKS_OK; LKS_IO, and nothing to be closed. */
lks_err lks_desk_open(lks_desk *d, void (*work)(void *owner), void *owner, unsigned nice,
                      lks_inbox *inbox) LKS_MUST_USE;
/* Waits for the work that runs, and ends the thread. */
void lks_desk_close(lks_desk *d);

lks_desk_state lks_desk_look(lks_desk *d);
/* The work lies ready; the desk is idle. */
void lks_desk_give(lks_desk *d);
/* The result has been taken; the desk is done. */
void lks_desk_clear(lks_desk *d);

#endif
