/* Many disputes about one claim: puppets around a liar, false challengers around an honest
 * operator. `test_player_crowd all` plays ten times as many. */
#include "tests/dispute/player_table.h"

/* ---- picks at random ---- */

static unsigned long long puppets;

/* A legal pick of a dispute that stands in PICK: any stage in range below the current node, near or
 * far. */
static void random_pick(lks_move *m, const table *t, const lks_dispute *at, uint64_t *random)
{
    uint32_t ops = t->m->model.program.op_count;
    for (;;) {
        uint32_t op = at->op;
        unsigned from = at->height;
        uint64_t first = at->index;
        if (op == LKS_TOP && liar_below(random, 3)) { /* into an operation */
            uint64_t lo = at->index << at->height, n = UINT64_C(1) << at->height;
            op = (uint32_t)(lo + liar_below(random, n));
            if (op >= ops)
                continue;
            from = t->liar.shapes[op].height + 1;
            first = 0;
        }
        unsigned tree = op == LKS_TOP ? lks_log2_ceil(ops) : t->liar.shapes[op].height;
        unsigned height = (unsigned)liar_below(random, from);
        if (!lks_stage_is(height, tree) || (op == LKS_TOP && height == 0))
            continue;
        unsigned down = (from > tree ? tree : from) - height;
        uint64_t index = first << down | liar_below(random, UINT64_C(1) << down);
        bool present = op == LKS_TOP ? index << height < ops
                                     : lks_shape_node(&t->liar.shapes[op], height, index);
        if (!present)
            continue;
        liar_pick(m, &t->liar, at, op, height, index);
        return;
    }
}

/* One turn of a puppet that picks at random; at a leaf of attention it demands partials. Returns:
 * false when it has nothing more to ask. */
static bool puppet_moves(table *t, size_t dispute, uint64_t *random)
{
    lks_move m = {0};
    lks_dispute at = referee_at(&t->r, dispute);
    if (at.state == LKS_DISPUTE_PICK) {
        bool bottom = at.op == LKS_TOP && at.height == 0;
        assert_false(bottom);
        random_pick(&m, t, &at, random);
    } else if (at.state == LKS_DISPUTE_STEP && t->m->model.program.ops[at.op].code == LKS_OP_ATTN) {
        const lks_shape *s = &t->liar.shapes[at.op];
        uint64_t chunk = at.index & ((UINT64_C(1) << s->chunk_bits) - 1);
        uint32_t size;
        lks_shape_leaf(&size, s, at.index);
        m.kind = LKS_MOVE_DEMAND_PARTIALS;
        m.element = (uint32_t)(256 * chunk + liar_below(random, size / 4));
    } else {
        return false;
    }
    if (need_shape(t, &m))
        assert_true(referee_record_shape(&t->r, m.op));
    if (!referee_move(&t->r, dispute, &m, NULL))
        fail_msg("%s, seed %llu: a legal pick of operation %u, height %u, index %llu is refused",
                 t->m->name, (unsigned long long)seed, m.op, m.height, (unsigned long long)m.index);
    lks_move_free(&m);
    return true;
}

/* The liar's own puppets open disputes and ask around, so that nodes and leaves are shown in every
 * order; the honest challenger comes after them. */
static void play_puppets(const tiny_model *m, const lks_run *run)
{
    table t;
    if (!is_first_run(m))
        return;
    sit_down(&t, m, run);
    for (unsigned i = 0; i < 12 * times_more; i++, puppets++) {
        seed++;
        uint64_t random = seed;
        size_t dispute[4];
        liar_reset(&t.liar);
        for (uint64_t n = liar_below(&random, 4) + 1; n > 0; n--)
            liar_add(&t.liar, LIAR_FLIP, &random);
        t.liar.partials = (int)liar_below(&random, 4);
        begin(&t);
        for (int p = 0; p < 3; p++)
            assert_true(referee_challenge(&t.r, &dispute[p]));
        for (int turn = 0; turn < 40; turn++) {
            size_t p = dispute[liar_below(&random, 3)];
            lks_dispute at = referee_at(&t.r, p);
            if (!referee_is_operators(at.state)) {
                puppet_moves(&t, p, &random);
            } else {
                lks_move a;
                liar_answer(&a, &t.liar, &at);
                assert_true(referee_move(&t.r, p, &a, NULL)); /* flips can be shown */
                lks_move_free(&a);
            }
            referee_feed(&t.r, t.g, &t.fed);
            referee_compare(&t.r, t.g);
        }
        assert_true(referee_challenge(&t.r, &dispute[3]));
        play_liar(&t, dispute[3]);
        if (!t.r.convicted)
            fail_msg("%s, seed %llu: behind puppets the liar is not convicted", m->name,
                     (unsigned long long)seed);
        finish(&t);
    }
    get_up(&t);
}

static void test_puppets(void **state)
{
    (void)state;
    each_tiny_run(play_puppets);
    printf("count puppet_games %llu\ncount committed_steps %llu\n", puppets, committed);
    assert_true(committed > 20); /* the puppets' disputes are live, so a step needs a commitment */
}

/* ---- below what another dispute revealed ---- */

static unsigned long long below;

/* One turn of the liar's or of the player's. */
static void one_turn(table *t, size_t dispute)
{
    lks_move m;
    lks_dispute at = referee_at(&t->r, dispute);
    referee_feed(&t->r, t->g, &t->fed);
    referee_compare(&t->r, t->g);
    if (!referee_is_operators(at.state)) {
        assert_true(challenger_moves(t, dispute));
        return;
    }
    liar_answer(&m, &t->liar, &at);
    assert_true(referee_move(&t->r, dispute, &m, NULL));
    lks_move_free(&m);
}

/* One dispute comes down to the partials of a wrong element and stops there. A second one goes to
 * the leaf in its first pick, and is decided by the partials that the operator posts in it, which
 * are others. */
static void play_below(const tiny_model *m, const lks_run *run)
{
    table t;
    size_t first, second;
    if (!is_first_run(m))
        return;
    sit_down(&t, m, run);
    uint32_t op = 0, size;
    while (m->model.program.ops[op].code != LKS_OP_ATTN)
        op++;
    uint64_t leaf = UINT64_C(1) << t.liar.shapes[op].height;
    while (leaf-- > 0 && !lks_shape_leaf(&size, &t.liar.shapes[op], leaf))
        ;
    liar_flip(&t.liar, op, leaf, 2, 6);
    begin(&t);
    t.liar.partials = 1;
    assert_true(referee_challenge(&t.r, &first));
    while (referee_at(&t.r, first).state != LKS_DISPUTE_PARTIAL_STEP)
        one_turn(&t, first);
    t.liar.partials = 3;
    assert_true(referee_challenge(&t.r, &second));
    one_turn(&t, second);
    lks_dispute at = referee_at(&t.r, second);
    assert_true(at.state == LKS_DISPUTE_LEAF && at.op == op && at.index == leaf);
    for (int i = 0; i < 3; i++) /* the leaf, the demand, the partials */
        one_turn(&t, second);
    referee_feed(&t.r, t.g, &t.fed);
    const lks_dispute *a = &lks_game_dispute_at(t.g, first)->now;
    const lks_dispute *b = &lks_game_dispute_at(t.g, second)->now;
    assert_int_equal(b->state, LKS_DISPUTE_PARTIAL_STEP);
    assert_int_equal(a->partials_len, b->partials_len);
    assert_memory_not_equal(a->partials, b->partials, a->partials_len);
    one_turn(&t, second);
    referee_feed(&t.r, t.g, &t.fed);
    assert_int_equal(lks_game_dispute_at(t.g, second)->end, LKS_GAME_WON);
    assert_int_equal(lks_game_dispute_at(t.g, first)->end, LKS_GAME_MOOT);
    finish(&t);
    get_up(&t);
    below++;
}

static void test_below(void **state)
{
    (void)state;
    each_tiny_run(play_below);
    printf("count picks_below_another %llu\n", below);
    assert_true(below > 3);
}

/* ---- the honest operator ---- */

static unsigned long long honest_games, false_proofs;

static void operator_moves(table *t, size_t dispute)
{
    lks_move m, again;
    const lks_game_dispute *d = lks_game_dispute_find(t->g, t->r.disputes[dispute].id);
    OK(lks_player_operator(&m, t->own, lks_game_shown(t->g), &d->now));
    check_calls(t, d, &m, false, NULL);
    assert_true(referee_move(&t->r, dispute, &m, NULL));
    lks_move_free(&m);
    referee_feed(&t->r, t->g, &t->fed);
    d = lks_game_dispute_find(t->g, t->r.disputes[dispute].id);
    OK(lks_player_operator(&again, t->own, lks_game_shown(t->g),
                           &d->now)); /* not its turn any more */
    assert_int_equal(again.kind, LKS_MOVE_NONE);
}

/* A unit about the leaf that a false challenger could offer: it proves nothing, in C as on
 * chain. */
static void false_proof(table *t, const lks_dispute *at, uint64_t *random)
{
    lks_witness w;
    bool wrong = true;
    const lks_op *op = &t->m->model.program.ops[at->op];
    const lks_shape *s = &t->liar.shapes[at->op];
    uint32_t chunk = (uint32_t)(at->index & ((UINT64_C(1) << s->chunk_bits) - 1));
    lks_unit u = {LKS_UNIT_OUTPUT, at->op, (uint32_t)at->index, 0, 0};
    if (op->form == LKS_FORM_F32)
        u.unit = 256 * chunk + (uint32_t)liar_below(random, op->width - 256 * chunk < 256
                                                                ? op->width - 256 * chunk
                                                                : 256);
    else
        u.unit = (uint32_t)liar_below(random, op->width);
    if (op->code == LKS_OP_ATTN)
        return;
    lks_err err =
        lks_witness_make(&w, &wrong, t->own, t->trees, &lks_game_shown(t->g)->known, &u, NULL, 0);
    if (err == LKS_BADARGS) /* the unit does not lie in this chunk */
        return;
    OK(err);
    assert_false(wrong);
    wrong = true;
    OK(lks_witness_check(&wrong, &t->r.claim, &t->commitment, &w, NULL, 0));
    assert_false(wrong);
    lks_witness_free(&w);
    false_proofs++;
}

static void play_honest(const tiny_model *m, const lks_run *run)
{
    table t;
    sit_down(&t, m, run);
    for (unsigned i = 0; i < 15 * times_more; i++, honest_games++) {
        seed++;
        uint64_t random = seed;
        size_t dispute[2];
        liar_reset(&t.liar);
        begin(&t);
        for (int p = 0; p < 2; p++)
            assert_true(referee_challenge(&t.r, &dispute[p]));
        bool done[2] = {false, false};
        referee_feed(&t.r, t.g, &t.fed);
        while (!done[0] || !done[1]) {
            int p = (int)liar_below(&random, 2);
            lks_dispute at = referee_at(&t.r, dispute[p]);
            if (referee_is_operators(at.state)) {
                operator_moves(&t, dispute[p]);
            } else if (!done[p]) {
                if (at.state == LKS_DISPUTE_STEP)
                    false_proof(&t, &at, &random);
                assert_false(
                    challenger_moves(&t, dispute[p])); /* an honest challenger has nothing to say */
                done[p] = !puppet_moves(&t, dispute[p], &random);
            }
            referee_feed(&t.r, t.g, &t.fed);
            referee_compare(&t.r, t.g);
        }
        assert_false(lks_player_should_challenge(t.own, lks_game_shown(t.g)));
        for (int p = 0; p < 2; p++)
            referee_timeout(&t.r, dispute[p]);
        referee_feed(&t.r, t.g, &t.fed);
        referee_compare(&t.r, t.g);
        assert_false(t.r.convicted);
        assert_int_equal(lks_game_dispute_at(t.g, dispute[0])->end, LKS_GAME_LOST);
        finish(&t);
    }
    get_up(&t);
}

static void test_honest(void **state)
{
    (void)state;
    each_tiny_run(play_honest);
    printf("count honest_games %llu\ncount false_proofs %llu\n", honest_games, false_proofs);
    assert_true(false_proofs > 100);
}

/* Every leaf of a trace is asked for, one dispute each, straight from the root or stage by
 * stage. */
static unsigned long long leaves_asked;

static void ask_every_leaf(const tiny_model *m, const lks_run *run)
{
    table t;
    if (!is_first_run(m) || (times_more == 1 && run->prompt_count + run->answer_count > 12))
        return;
    sit_down(&t, m, run);
    liar_reset(&t.liar);
    begin(&t);
    for (uint32_t op = 0; op < m->model.program.op_count; op++) {
        const lks_shape *s = &t.liar.shapes[op];
        for (uint64_t leaf = 0; leaf < UINT64_C(1) << s->height; leaf++) {
            uint32_t size;
            if (!lks_shape_leaf(&size, s, leaf))
                continue;
            if (t.r.dispute_count == 64) {
                finish(&t);
                begin(&t);
            }
            size_t dispute;
            lks_move pick;
            assert_true(referee_challenge(&t.r, &dispute));
            assert_true(referee_record_shape(&t.r, op));
            referee_feed(&t.r, t.g, &t.fed);
            if (!t.r.open)
                operator_moves(&t, dispute);
            lks_dispute at = referee_at(&t.r, dispute);
            liar_pick(&pick, &t.liar, &at, op, 0, leaf);
            assert_true(referee_move(&t.r, dispute, &pick, NULL));
            lks_move_free(&pick);
            referee_feed(&t.r, t.g, &t.fed);
            operator_moves(&t, dispute);
            at = referee_at(&t.r, dispute);
            assert_int_equal(at.state, LKS_DISPUTE_STEP);
            false_proof(&t, &at, &seed);
            assert_false(challenger_moves(&t, dispute));
            referee_timeout(&t.r, dispute);
            leaves_asked++;
        }
    }
    assert_false(t.r.convicted);
    finish(&t);
    get_up(&t);
}

static void test_every_leaf(void **state)
{
    (void)state;
    each_tiny_run(ask_every_leaf);
    printf("count leaves_asked %llu\n", leaves_asked);
    assert_true(leaves_asked > 500);
}

/* A thousand false disputes at once that go all ways: the honest operator answers each, shows each
 * place to the player once, and is convicted of nothing. Then the same crowd around a liar: the one
 * honest challenger convicts, as deep as the crowd has come. */
static unsigned long long crowd_answers, crowd_shown, crowd_asked;

/* What the crowd had shown is there once, however many asked for it. */
static void check_united(const lks_shown *shown)
{
    const lks_known *k = &shown->known;
    for (size_t i = 1; i < k->node_count; i++) {
        const lks_known_node *a = &k->nodes[i - 1], *b = &k->nodes[i];
        assert_true(a->op != b->op           ? a->op < b->op
                    : a->height != b->height ? a->height < b->height
                                             : a->index < b->index);
    }
    for (size_t i = 1; i < k->leaf_count; i++) {
        const lks_known_leaf *a = &k->leaves[i - 1], *b = &k->leaves[i];
        assert_true(a->op != b->op ? a->op < b->op : a->leaf < b->leaf);
    }
    crowd_shown = k->node_count + k->leaf_count;
}

static size_t crowd_round(table *t, size_t count, bool honest, uint64_t *random)
{
    size_t moves = 0;
    for (size_t i = 0; i < count; i++) {
        lks_dispute at = referee_at(&t->r, i);
        if (!referee_is_operators(at.state)) {
            moves += at.state != LKS_DISPUTE_CLOSED && puppet_moves(t, i, random);
        }
    }
    referee_feed(&t->r, t->g, &t->fed);
    referee_compare(&t->r, t->g);
    for (size_t i = 0; i < count; i++) {
        lks_move m;
        lks_dispute at = referee_at(&t->r, i); /* the trace may be open since */
        if (!referee_is_operators(at.state))
            continue;
        if (honest)
            OK(lks_player_operator(&m, t->own, lks_game_shown(t->g), &at));
        else
            liar_answer(&m, &t->liar, &at);
        assert_true(referee_move(&t->r, i, &m, NULL));
        lks_move_free(&m);
        crowd_answers++;
        moves++;
    }
    referee_feed(&t->r, t->g, &t->fed);
    referee_compare(&t->r, t->g);
    return moves;
}

static void play_crowd(const tiny_model *m, const lks_run *run)
{
    static table t;
    if (strcmp(m->name, "mixed")) /* it has one run */
        return;
    sit_down(&t, m, run);
    for (int honest = 1; honest >= 0; honest--) {
        size_t count = 1000, last;
        uint64_t random = 11;
        liar_reset(&t.liar);
        for (int i = 0; i < 4 && !honest; i++)
            liar_add(&t.liar, LIAR_FLIP, &random);
        begin(&t);
        for (size_t i = 0; i < count; i++)
            assert_true(referee_challenge(&t.r, &last));
        while (crowd_round(&t, count, honest, &random))
            ;
        check_united(lks_game_shown(t.g));
        if (honest) {
            for (size_t i = 0; i < count; i++)
                referee_timeout(&t.r, i);
            referee_feed(&t.r, t.g, &t.fed);
            referee_compare(&t.r, t.g);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(lks_game_dispute_at(t.g, i)->end, LKS_GAME_LOST);
        } else {
            assert_true(referee_challenge(&t.r, &last));
            crowd_asked = play_liar(&t, last);
        }
        assert_int_equal(t.r.convicted, !honest);
        finish(&t);
    }
    get_up(&t);
}

static void test_crowd(void **state)
{
    (void)state;
    each_tiny_run(play_crowd);
    printf("count crowd_answers %llu\ncount crowd_shown %llu\ncount moves_behind_crowd %llu\n",
           crowd_answers, crowd_shown, crowd_asked);
    assert_true(crowd_answers > 2000 && crowd_asked > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        times_more = 10;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_puppets), cmocka_unit_test(test_below),
        cmocka_unit_test(test_honest),  cmocka_unit_test(test_every_leaf),
        cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
