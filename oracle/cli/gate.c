#include "oracle/cli/gate.h"

static void set(lks_gate *g, bool shut)
{
    pthread_mutex_lock(&g->lock);
    g->shut = shut;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

void lks_gate_shut(lks_gate *g)
{
    set(g, true);
}

void lks_gate_open(lks_gate *g)
{
    set(g, false);
}

int lks_gate_pass(void *user)
{
    lks_gate *g = user;
    pthread_mutex_lock(&g->lock);
    while (g->shut)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return 0;
}
