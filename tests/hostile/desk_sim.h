/* How long the work of a desk takes, where desks have no thread (desk_sim.c). */
#ifndef LKS_TESTS_DESK_SIM_H
#define LKS_TESTS_DESK_SIM_H

#include "plugin/desk.h"

/* Milliseconds of simulated time that the work takes which is given now; NULL: none. */
extern uint64_t (*desk_sim_duration)(const lks_desk *d);

#endif
