/* SIGINT while a command waits: noticed once, so that the command can say what goes on without
 * it. */
#ifndef LKS_CLI_INTERRUPT_H
#define LKS_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT is noted; a second one ends the process as usual. */
void lks_interrupt_catch(void);
bool lks_interrupted(void);

#endif
