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

/* An event under way: topics, then data by an ABI writer. */
sim_log *sim_begin_log(sim *s, const sim_block *b, bool of_game, const uint8_t topic0[32], const uint8_t id[32]);
void sim_log_address(sim_log *log, const uint8_t address[20]);
void sim_log_word(sim_log *log, const uint8_t word[32]);

sim_request *sim_find(sim *s, const lks_request *r);
/* What the game does to a claim. */
void sim_do_convict(sim *s, sim_request *q, const uint8_t challenger20[20], const sim_block *b);
void sim_do_dispute_event(sim *s, sim_request *q, bool opened, const sim_block *b);

/* The game's functions, as sim_execute. */
const char *sim_game_execute(sim *s, const uint8_t *data, size_t len, const uint8_t sender20[20], const sim_block *b, bool commit);
/* The game's views. Returns: false when it is none. */
bool sim_game_view(sim *s, const uint8_t *data, size_t len, lks_buf *result);
void sim_game_clear(sim *s);

#endif
