/* What a plugin must leave alone in the process that loads it. */
#ifndef LKS_TESTS_PROCESS_STATE_H
#define LKS_TESTS_PROCESS_STATE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The calling thread's floating-point control; the sticky exception flags are no part of it. */
typedef struct fp_state {
    int rounding;
    int traps;
    bool flushes_denormals;
} fp_state;

fp_state fp_get(void);
bool fp_equal(fp_state a, fp_state b);

typedef struct process_state {
    void (*handlers[65])(int); /* by signal */
    char folder[4096];
    mode_t umask;
} process_state;

void process_get(process_state *state);
/* Returns: NULL, or what differs. */
const char *process_difference(const process_state *a, const process_state *b);

/* Returns: the number of threads, of open files, of this process. */
unsigned process_threads(void);
unsigned process_files(void);

/* Milliseconds of a clock that only goes forward. */
double now_ms(void);

#endif
