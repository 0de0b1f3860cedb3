/* A plugin host over the simulated chain: replies come from a thread of its own, as a host's do.
 */
#ifndef LKS_TESTS_SIM_HOST_H
#define LKS_TESTS_SIM_HOST_H

#include "tests/plugin/sim.h"

typedef struct sim_host sim_host;

sim_host *sim_host_new(sim *s);
/* Answers what is under way first. */
void sim_host_free(sim_host *h);
const lockstep_host *sim_host_api(sim_host *h);
/* Answers from another view of the chain from now on. */
void sim_host_show(sim_host *h, sim *s);
/* Waits until every reply has run. */
void sim_host_settle(sim_host *h);
/* The log so far: the newest lines, one after the other. */
const char *sim_host_lines(sim_host *h);

#endif
