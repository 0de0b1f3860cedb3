/* A gate in a thread's way: another thread shuts it while it needs the machine for itself. */
#ifndef LKS_CLI_GATE_H
#define LKS_CLI_GATE_H

#include <pthread.h>
#include <stdbool.h>

typedef struct lks_gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool shut;
} lks_gate;

#define LKS_GATE_INIT {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER}

void lks_gate_shut(lks_gate *g);
void lks_gate_open(lks_gate *g);
/* Waits while the gate is shut. Has the shape of lks_trace_options.before_pass; user: the gate.
 * Returns: 0. */
int lks_gate_pass(void *user);

#endif
