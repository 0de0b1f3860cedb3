/* A dispute for people and for scripts: its moves, where it stands, its clocks and its money. */
#ifndef LKS_CLI_DISPUTE_PRINT_H
#define LKS_CLI_DISPUTE_PRINT_H

#include "oracle/cli/follow.h"
#include "oracle/cli/place.h"

/* "pick", "node", ...; "unknown" for a number that is no state. */
const char *lks_dispute_state_word(unsigned state);
/* "live", "won", "lost", "moot": for the challenger. */
const char *lks_game_end_word(lks_game_end end);
/* Whether the operator is to move in the state. */
bool lks_dispute_operator_moves(lks_dispute_state state);

#define LKS_STEP_SIZE (LKS_PLACE_SIZE + 128)

/* One line about move i, for people: "challenger picks operations 32 to 63". run->program may be
 * NULL: then numbers alone. */
void lks_step_line(char text[LKS_STEP_SIZE], const lks_game_dispute *d, size_t i,
                   const lks_place_run *run);

/* Gas of the moves' transactions, in step with d->steps. */
typedef struct lks_dispute_gas {
    uint64_t *used; /* of each step's transaction; 0: unknown, or counted at an earlier step */
    uint64_t challenger, operator_side; /* sums, by whose turn it was */
} lks_dispute_gas;

/* Looks the transactions up; what the node does not know stays 0. Out: *g, to be freed. Returns:
 * LKS_OK; LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_dispute_gas_get(lks_dispute_gas *g, lks_link *s, const lks_game_dispute *d);
void lks_dispute_gas_free(lks_dispute_gas *g);

/* Rows, and the descent move by move. now: time of the newest block. */
void lks_dispute_print(const lks_follow *f, const lks_game_dispute *d, const lks_dispute_gas *g,
                       const lks_program *program);
/* Members of an object. */
void lks_dispute_json(lks_json_writer *w, const lks_follow *f, const lks_game_dispute *d,
                      const lks_dispute_gas *g, const lks_program *program);

#endif
