/* A claim with a wrong attention element whose dispute was played to its end, for tests of the
 * follower. */
#ifndef LKS_TESTS_DISPUTE_GAME_SCENE_H
#define LKS_TESTS_DISPUTE_GAME_SCENE_H

#include "tests/dispute/liar.h"
#include "tests/proof/run_rows.h"

typedef struct game_scene {
    tiny_model m;
    vector_run run;
    lks_model_trees *trees;
    lks_trace *own;
    liar liar;
    referee r;
} game_scene;

extern game_scene s;

/* Of cmocka's groups. */
int game_setup(void **state);
int game_teardown(void **state);

/* A game without logs, to be freed; one of the scene's logs. */
lks_game *game_new(void);
void game_add(lks_game *g, size_t i);

#endif
