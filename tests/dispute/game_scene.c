#include "tests/dispute/game_scene.h"

game_scene s;

/* A whole game with a wrong attention element, and a second dispute beside it that is lost. */
static void play(void)
{
    size_t first, second;
    lks_game *g = referee_follow(&s.r);
    size_t fed = s.r.log_count;
    assert_true(referee_challenge(&s.r, &first));
    assert_true(referee_challenge(&s.r, &second));
    for (int moves = 0; !s.r.over; moves++) {
        lks_move m;
        lks_dispute at = referee_at(&s.r, first);
        assert_true(moves < 30);
        referee_feed(&s.r, g, &fed);
        referee_compare(&s.r, g);
        if (moves == 3)
            referee_timeout(&s.r, second);
        if (referee_is_operators(at.state)) {
            liar_answer(&m, &s.liar, &at);
        } else {
            const lks_game_dispute *d = lks_game_dispute_at(g, first);
            OK(lks_player_challenger(&m, s.own, s.trees, lks_game_shown(g), &d->now));
            if (m.kind == LKS_MOVE_PICK && m.op != LKS_TOP)
                assert_true(referee_record_shape(&s.r, m.op));
        }
        assert_true(referee_move(&s.r, first, &m, NULL));
        lks_move_free(&m);
    }
    lks_game_free(g);
}

int game_setup(void **state)
{
    (void)state;
    vector_file f;
    tiny_open(&s.m, "q4-0");
    tiny_vectors(&f, &s.m, "runs");
    vector_run_read(&s.run, &f, vectors_first(&f));
    vectors_close(&f);
    OK(lks_model_trees_make(&s.trees, &s.m.model));
    lks_trace_options o = {.threads = 1};
    OK(lks_trace_make(&s.own, &s.m.model, &s.run.run, &o));
    liar_open(&s.liar, s.own);
    const lks_program *p = &s.m.model.program;
    uint32_t op = 0;
    while (p->ops[op].code != LKS_OP_ATTN)
        op++;
    uint64_t leaf = 0;
    uint32_t size;
    while (!lks_shape_leaf(&size, &s.liar.shapes[op], leaf))
        leaf++;
    liar_flip(&s.liar, op, leaf, 5, 3);
    s.liar.partials = 3;
    referee_open(&s.r, &s.m.model, lks_model_trees_commitment(s.trees), &s.run.run);
    play();
    assert_true(s.r.convicted && s.r.log_count >= 12);
    return 0;
}

int game_teardown(void **state)
{
    (void)state;
    referee_close(&s.r);
    liar_close(&s.liar);
    lks_trace_free(s.own);
    lks_model_trees_free(s.trees);
    vector_run_free(&s.run);
    lks_model_close(&s.m.model);
    return 0;
}

lks_game *game_new(void)
{
    lks_game *g;
    OK(lks_game_new(&g, &s.r.deployment, s.r.name, s.r.claim_id));
    return g;
}

void game_add(lks_game *g, size_t i)
{
    OK(lks_game_add(g, &s.r.logs[i], s.r.times[i]));
}
