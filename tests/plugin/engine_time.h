/* Lets the plugin's engine take chain time: a claim's positions are so many passes, and each lasts
 * until the chain has gone on for so many seconds, while others wait as the planner says. The
 * linker sends lks_ticket_turn, lks_now_us, lks_trace_make and lks_trace_rows here (see
 * CMakeLists.txt). */
#ifndef LKS_TESTS_ENGINE_TIME_H
#define LKS_TESTS_ENGINE_TIME_H

#include <stdbool.h>

/* In: passes over a claim from now on, and seconds of each; 0: none, and the clock is the
 * machine's. */
void engine_time_set(unsigned passes, unsigned seconds);
/* Sets the chain's time. */
void engine_time_at(unsigned long long now);
/* Passes since engine_time_set. */
unsigned engine_time_passes(void);
/* Whether each of `busy` threads that have work waits: one for the end of its pass, the others for
 * their turn. */
bool engine_time_waits(unsigned busy);

#endif
