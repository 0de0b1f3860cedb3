/* SIGINT and SIGTERM while a command works: noticed once, so that it can end in order and say what
 * goes on without it. */
#ifndef LKS_CLI_INTERRUPT_H
#define LKS_CLI_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

/* From now on the first of the two signals is noted; a second one ends the process as usual. */
void lks_interrupt_catch(void);
/* From now on both do what they do by default. */
void lks_interrupt_release(void);
bool lks_interrupted(void);
/* The same for other threads: lks_trace_options.cancel. It lives as long as the process. */
const atomic_bool *lks_interrupt_flag(void);

#endif
