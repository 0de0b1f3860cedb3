/* What the two parts of the simulated dispute game share. */
#ifndef LKS_TESTS_SIM_GAME_H
#define LKS_TESTS_SIM_GAME_H

#include "tests/plugin/sim_internal.h"

#define CLAIM_TYPE "(address,bytes32,address,uint128,bytes32,bytes32)"
#define DISPUTE_TYPE "(" CLAIM_TYPE ",address,uint88,bytes32)"
#define FACTS_TYPE "(uint32,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32)"
#define MODEL_TYPE                                                                                 \
    "(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,uint32,uint32,uint32,uint32[])"
#define OPENING_TYPE "(bytes,bytes32[])"
#define WITNESS_TYPE "(uint8,uint32,uint32,uint32,uint32," OPENING_TYPE "[])"

/* Of every question; what an answer is repaid, in wei. */
#define SIM_QUESTION_GAS 100000u
#define SIM_ANSWER_COST UINT64_C(60000000000000)

/* The game credits an account, when it is one of ours. */
void sim_earn(sim *s, const uint8_t account20[20], const lks_u256 *wei);
/* Takes what is due from the ether sent with the call and then from the sender's credit; what is
 * sent beyond it becomes credit. */
const char *sim_collect(sim *s, const lks_u256 *due, const sim_run *run);
/* What a question prepays now. */
lks_u256 sim_prepayment(const sim *s);

sim_seat *sim_seat_of(sim *s, const sim_dispute *d);
bool sim_is_operators(lks_dispute_state state);
uint64_t sim_deadline(const sim *s, const sim_dispute *d);
void sim_begin_turn(sim *s, sim_dispute *d, lks_dispute_state state, const sim_block *b);
/* The claim's facts. */
void sim_facts_of(sim *s, const sim_dispute *d, lks_claim_facts *facts);
/* An event of a dispute under way. */
sim_log *sim_game_log(sim *s, const sim_dispute *d, lks_game_event_kind kind, const sim_block *b);
/* The dispute convicts its claim. */
void sim_convict(sim *s, sim_dispute *d, const sim_block *b);
/* prove: the same without a dispute. q: of the claim. */
const char *sim_prove(sim *s, sim_request *q, size_t seat, lks_abi_reader *r, const sim_run *run);
sim_request *sim_find_named(sim *s, const uint8_t name32[32], size_t *seat);
/* A move. In: r behind the dispute. */
const char *sim_move(sim *s, sim_dispute *d, lks_abi_reader *r, const sim_run *run);

#endif
