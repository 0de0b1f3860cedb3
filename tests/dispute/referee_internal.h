/* What the files of the referee share. */
#ifndef LKS_TESTS_DISPUTE_REFEREE_INTERNAL_H
#define LKS_TESTS_DISPUTE_REFEREE_INTERNAL_H

#include "chain/abi.h"
#include "tests/dispute/referee.h"

/* ---- referee_logs.c: what happened, as the contracts' events say it ---- */

/* The claim's request, claim and registration, and its identities; of referee_open. */
void referee_log_claim(referee *r);
void referee_log_shape(referee *r, uint32_t op);
void referee_log_challenged(referee *r, const referee_dispute *d, uint64_t deadline);
void referee_log_trace(referee *r, const referee_dispute *d, const lks_move *m, uint64_t deadline);
/* Picked, Revealed, LeafRevealed, PartialsDemanded or PartialsOpened: of the move's kind, in a
 * dispute that stands as it does after it. */
void referee_log_move(referee *r, const referee_dispute *d, const lks_move *m, uint64_t deadline);
/* d: NULL for a proof without a dispute. */
void referee_log_conviction(referee *r, const referee_dispute *d, lks_conviction how,
                            const lks_unit *u);
void referee_log_lost(referee *r, const referee_dispute *d);

/* ---- referee_tree.c: the tree's rules ---- */

lks_shape referee_shape(const referee *r, uint32_t op);
unsigned referee_top_height(const referee *r);
/* Whether the children are those of the node (height, index) of operation op, or LKS_TOP: their
 * number, their padding, their hash. */
bool referee_folds(const referee *r, uint32_t op, unsigned height, uint64_t index,
                   const lks_move *m, const uint8_t node[32]);
bool referee_pick_is_right(const referee *r, const referee_dispute *d, const lks_move *m);

#endif
