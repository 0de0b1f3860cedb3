/* The part of a claim's game that a task needs. A game belongs to the event thread, which goes on
 * reading logs into it while tasks run; so each task gets a copy.
 */
#ifndef LKS_PLUGIN_GAME_COPY_H
#define LKS_PLUGIN_GAME_COPY_H

#include "oracle/dispute/game.h"

/* All zero: empty. What run, shown and the partials point to is owned. */
typedef struct lks_game_copy {
    lks_run run;
    lks_shown shown;
    uint32_t *ids;
    lks_known_node *nodes;
    lks_known_leaf *leaves;
    uint8_t *leaf_bytes;
    uint8_t *partials;
} lks_game_copy;

/* Copies prompt, answer and policy. Returns: LKS_OK; LKS_NOTFOUND (the game does not know them);
 * LKS_NOMEM. */
lks_err lks_game_copy_run(lks_game_copy *copy, const lks_game *game) LKS_MUST_USE;
/* Copies whether the trace is open, and its root. */
void lks_game_copy_root(lks_game_copy *copy, const lks_game *game);
/* Copies all that the operator has shown. Returns: LKS_OK; LKS_NOMEM. */
lks_err lks_game_copy_shown(lks_game_copy *copy, const lks_game *game) LKS_MUST_USE;
/* Lets a dispute point to a copy of its partials. Returns: LKS_OK; LKS_NOMEM. */
lks_err lks_game_copy_partials(lks_game_copy *copy, lks_dispute *at) LKS_MUST_USE;
void lks_game_copy_free(lks_game_copy *copy);

#endif
