/* A game at a table: a liar or an honest operator, the dispute player, the referee between them,
 * and the follower that knows nothing but events. */
#ifndef LKS_TESTS_DISPUTE_PLAYER_TABLE_H
#define LKS_TESTS_DISPUTE_PLAYER_TABLE_H

#include "tests/dispute/liar.h"
#include "tests/proof/run_rows.h"

/* Games of each kind: 1, or 10 for `all`; and the seed of the next, which failures name. */
extern unsigned times_more;
extern uint64_t seed;
/* Steps that the player had to commit to. */
extern unsigned long long committed;

/* What a game is played with. */
typedef struct table {
    const tiny_model *m;
    const lks_run *run;
    lks_model_commitment commitment;
    lks_model_trees *trees;
    lks_trace *own;
    liar liar;
    referee r;
    lks_game *g;
    size_t fed;
} table;

/* Opens the model's trees and the honest trace of the run; closes them. */
void sit_down(table *t, const tiny_model *m, const lks_run *run);
void get_up(table *t);
/* A new claim with no dispute yet; its end. */
void begin(table *t);
void finish(table *t);

/* Whether the pick needs its operation's shape recorded first. */
bool need_shape(const table *t, const lks_move *m);
/* The calls that the move becomes: they must be such that the contract can take them. */
void check_calls(const table *t, const lks_game_dispute *d, const lks_move *m, bool shape_due,
                 const uint8_t *salt);
/* One move of the challenger's player. Returns: false when it has none. */
bool challenger_moves(table *t, size_t dispute);
/* Plays one dispute of the liar against the player to its end. Returns: the number of moves. */
unsigned play_liar(table *t, size_t dispute);
/* Whether this is the first run of a model: all runs come model by model. */
bool is_first_run(const tiny_model *m);

#endif
