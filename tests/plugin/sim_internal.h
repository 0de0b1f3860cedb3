/* What the parts of the simulated chain share. Everything with the lock held. */
#ifndef LKS_TESTS_SIM_INTERNAL_H
#define LKS_TESTS_SIM_INTERNAL_H

#include "tests/plugin/sim.h"

/* Puts a transaction into the list and the pool. Returns: its index. */
size_t sim_add_tx(sim *s, sim_kind kind, size_t request);
/* Makes the state anew from the blocks. */
void sim_rebuild(sim *s);
/* Appends a block of another view of the chain, with its transactions. */
void sim_append(sim *s, const sim_block *b);
/* Out: the RLP of a block's header, appended. */
void sim_header(const sim_block *b, lks_buf *rlp);

/* A call under way. */
typedef struct sim_run {
    const uint8_t *data;
    size_t len;
    const uint8_t *sender; /* 20 bytes */
    const sim_block *block;
    bool commit; /* takes effect; else it is only checked */
} sim_run;

bool sim_is_call(const uint8_t *data, size_t len, const char *signature);

/* The oracle's functions. Returns: NULL, or the signature of the error that it reverts with. */
const char *sim_execute(sim *s, const sim_run *run);
/* header: NULL: whatever is needed is taken to be there. */
const char *sim_do_accept(sim *s, const lks_request *r, const uint8_t operator20[20],
                          const uint8_t *header, size_t header_len, const sim_run *run);
void sim_do_request(sim *s, size_t request, const sim_block *b);
void sim_do_cancel(sim *s, size_t request, const sim_block *b);
/* Seat 0 is reported as missed. */
void sim_do_miss(sim *s, size_t request, const sim_block *b);
/* Forgets all state of requests. */
void sim_oracle_clear(sim *s);

/* An event under way: topics, then data by an ABI writer. */
sim_log *sim_begin_log(sim *s, const sim_block *b, bool of_game, const uint8_t topic0[32],
                       const uint8_t id[32]);
void sim_log_address(sim_log *log, const uint8_t address[20]);
void sim_log_word(sim_log *log, const uint8_t word[32]);

sim_log *sim_log_of(sim *s, const sim_block *b, lks_event_kind kind, const uint8_t id[32]);
/* Data of a few numbers. */
void sim_log_numbers(sim_log *log, size_t count, const uint64_t *numbers);

/* Functions of the oracle, with their arguments after the request. */
const char *sim_do_claim(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run);
const char *sim_do_commit(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run);
const char *sim_do_reveal(sim *s, sim_request *q, lks_abi_reader *r, const sim_run *run);
const char *sim_do_finalize(sim *s, sim_request *q, const sim_run *run);
/* The request is open again, or, when it was cancelled, refunded. */
void sim_reopen(sim *s, sim_request *q, const sim_block *b);
/* The account that works for an operator; gives a seat's stake back to it. */
sim_account *sim_account_for(sim *s, const uint8_t operator20[20]);
void sim_unlock(sim *s, const sim_request *q, const sim_seat *seat);
/* The account of that address. Returns: NULL when it is none of ours. */
sim_account *sim_account_at(sim *s, const uint8_t address20[20]);

sim_request *sim_find(sim *s, const lks_request *r);
/* Whether the account acts for the operator. */
bool sim_acts_for(const sim *s, const uint8_t sender20[20], const uint8_t operator20[20],
                  uint8_t role);
/* Whether a seat's claim can still be convicted. */
bool sim_stands(const sim_request *q, size_t seat);
/* What the game does to a claim. */
void sim_do_convict(sim *s, sim_request *q, size_t seat, const uint8_t challenger20[20],
                    const sim_block *b);
void sim_do_dispute_event(sim *s, sim_request *q, size_t seat, bool opened, const sim_block *b);

/* The game's functions, as sim_execute. */
const char *sim_game_execute(sim *s, const sim_run *run);
/* The game's views. Returns: false when it is none. */
bool sim_game_view(sim *s, const uint8_t *data, size_t len, lks_buf *result);
void sim_game_clear(sim *s);

#endif
