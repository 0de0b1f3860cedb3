/* What the parts of the simulated chain share. Everything with the lock held. */
#ifndef LKS_TESTS_SIM_INTERNAL_H
#define LKS_TESTS_SIM_INTERNAL_H

#include "tests/plugin/sim.h"

/* Puts a transaction into the list and the pool. Returns: its index. */
size_t sim_add_tx(sim *s, sim_kind kind, size_t request);

/* The oracle's functions in block b; commit: take effect, else only check. Returns: NULL, or the signature of the error that it reverts with. */
const char *sim_execute(sim *s, const uint8_t *data, size_t len, const uint8_t sender20[20], const sim_block *b, bool commit);
const char *sim_do_accept(sim *s, const lks_request *r, const uint8_t sender20[20], const sim_block *b, bool commit);
void sim_do_request(sim *s, size_t request, const sim_block *b);
/* The operator that has the seat misses its deadline: the request reopens. */
void sim_do_miss(sim *s, size_t request, const sim_block *b);

#endif
