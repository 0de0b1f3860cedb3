/* Whole games: liars of every kind against the dispute player, and the honest operator's player against false challengers, move by move through a referee
 * and the follower that knows nothing but events. `test_player all` plays ten times as many. */
#include "tests/oracle/liar.h"
#include "tests/oracle/run_rows.h"

static unsigned times_more = 1;
static uint64_t seed = 20240607;

/* What a game is played with. */
typedef struct table {
    const tiny_model *m;
    const lks_run *run;
    lks_commitment commitment;
    lks_model_trees *trees;
    lks_trace *own;
    liar liar;
    referee r;
    lks_game *g;
    size_t fed;
} table;

static void sit_down(table *t, const tiny_model *m, const lks_run *run)
{
    memset(t, 0, sizeof *t);
    t->m = m;
    t->run = run;
    OK(lks_model_trees_make(&t->trees, &m->model));
    t->commitment = *lks_model_trees_commitment(t->trees);
    lks_trace_options o = {.threads = 1, .spill_folder = "/tmp"};
    OK(lks_trace_make(&t->own, &m->model, run, &o));
    liar_open(&t->liar, t->own);
}

static void get_up(table *t)
{
    liar_close(&t->liar);
    lks_trace_free(t->own);
    lks_model_trees_free(t->trees);
}

static void begin(table *t)
{
    referee_open(&t->r, &t->m->model, &t->commitment, t->run);
    OK(lks_game_new(&t->g, &t->r.deployment, t->r.request_id, t->r.claim_id));
    t->fed = 0;
    referee_feed(&t->r, t->g, &t->fed);
}

static void finish(table *t)
{
    lks_game_free(t->g);
    referee_close(&t->r);
}

/* The calls that the move becomes: they must be such that the contract can take them. */
static void check_calls(const table *t, const lks_game_dispute *d, const lks_move *m, bool shape_due)
{
    lks_game_calls calls;
    lks_u256 fee = lks_u256_from_u64(7000000000u);
    OK(lks_game_call(&calls, t->g, d, m, &t->m->model, &fee));
    assert_int_equal(calls.count, shape_due ? 2 : 1);
    for (size_t i = 0; i < calls.count; i++)
        assert_true(calls.items[i].gas > 21000 && calls.items[i].gas <= 1u << 24 && calls.items[i].data.len > 4);
    bool asks = m->kind == LKS_MOVE_PICK || m->kind == LKS_MOVE_DEMAND_PARTIALS;
    const lks_game_tx *last = &calls.items[calls.count - 1];
    assert_true(asks || last->prepaid_gas == 0);
    assert_int_equal(last->prepaid_gas == 0, lks_u256_is_zero(&last->value));
    lks_game_calls_free(&calls);
}

static bool need_shape(const table *t, const lks_move *m)
{
    return m->kind == LKS_MOVE_PICK && m->op != LKS_TOP && !lks_game_shape_known(t->g, m->op);
}

/* One move of the challenger's player. Returns: false when it has none. */
static bool challenger_moves(table *t, size_t dispute)
{
    lks_move m;
    const lks_game_dispute *d = lks_game_dispute_find(t->g, t->r.disputes[dispute].id);
    lks_err err = lks_player_challenger(&m, t->own, t->trees, lks_game_shown(t->g), &d->now);
    if (err)
        fail_msg("%s, seed %llu: the challenger finds nothing: %s", t->m->name, (unsigned long long)seed, lks_error_message());
    bool moved = m.kind != LKS_MOVE_NONE;
    if (moved) {
        check_calls(t, d, &m, need_shape(t, &m));
        if (need_shape(t, &m))
            assert_true(referee_record_shape(&t->r, m.op));
        if (!referee_move(&t->r, dispute, &m))
            fail_msg("%s, seed %llu: move %d at operation %u, height %u, index %llu is refused", t->m->name, (unsigned long long)seed, (int)m.kind, m.op,
                     m.height, (unsigned long long)m.index);
    }
    lks_move_free(&m);
    return moved;
}

/* Plays one dispute of the liar against the player to its end. Returns: the number of moves. */
static unsigned play_liar(table *t, size_t dispute)
{
    unsigned moves = 0;
    for (; !t->r.over; moves++) {
        lks_move m;
        lks_dispute at = referee_at(&t->r, dispute);
        assert_true(moves < 40);
        if (at.state == LKS_DISPUTE_CLOSED)
            break;
        referee_feed(&t->r, t->g, &t->fed);
        referee_compare(&t->r, t->g);
        if (!referee_is_operators(at.state)) {
            if (!challenger_moves(t, dispute))
                referee_timeout(&t->r, dispute);
            continue;
        }
        liar_answer(&m, &t->liar, &at);
        if (m.kind == LKS_MOVE_NONE || !referee_move(&t->r, dispute, &m))
            referee_timeout(&t->r, dispute);
        lks_move_free(&m);
    }
    referee_feed(&t->r, t->g, &t->fed);
    referee_compare(&t->r, t->g);
    return moves;
}

static unsigned convict_liar(table *t, const char *what)
{
    size_t dispute;
    begin(t);
    assert_true(referee_challenge(&t->r, &dispute));
    unsigned moves = play_liar(t, dispute);
    if (!t->r.convicted)
        fail_msg("%s, seed %llu: %s: the liar is not convicted", t->m->name, (unsigned long long)seed, what);
    assert_int_equal(lks_game_dispute_at(t->g, dispute)->end, LKS_GAME_WON);
    finish(t);
    return moves;
}

static bool lies(const liar *l)
{
    uint8_t root[32], honest[32];
    liar_root(root, l);
    lks_trace_root(honest, l->honest);
    return memcmp(root, honest, 32) != 0;
}

/* ---- random flips ---- */

static unsigned long long flips, most_moves;

/* The first run of a model: all runs come model by model. */
#ifdef LKS_FEWER_CASES
enum { FLIPS_A_MODEL = 40 };
#else
enum { FLIPS_A_MODEL = 200 };
#endif

static bool is_first_run(const tiny_model *m)
{
    static char name[64];
    bool first = strcmp(name, m->name) != 0;
    snprintf(name, sizeof name, "%s", m->name);
    return first;
}

static void play_flips(const tiny_model *m, const lks_run *run)
{
    table t;
    if (!is_first_run(m))
        return;
    sit_down(&t, m, run);
    for (unsigned i = 0; i < FLIPS_A_MODEL * times_more; i++) {
        seed++;
        uint64_t random = seed;
        liar_reset(&t.liar);
        liar_add(&t.liar, LIAR_FLIP, &random);
        t.liar.partials = (int)liar_below(&random, 4);
        unsigned moves = convict_liar(&t, "a flipped bit");
        most_moves = moves > most_moves ? moves : most_moves;
        flips++;
    }
    get_up(&t);
}

static void test_flips(void **state)
{
    (void)state;
    each_tiny_run(play_flips);
    printf("count game_flips %llu\ncount game_most_moves %llu\n", flips, most_moves);
    assert_true(flips >= 200);
}

/* ---- every kind of liar ---- */

static unsigned long long kinds_played[LIAR_KINDS], mixed, withheld, puppets;

static void play_kinds(const tiny_model *m, const lks_run *run)
{
    table t;
    sit_down(&t, m, run);
    for (unsigned i = 0; i < 4 * times_more * LIAR_KINDS; i++) {
        seed++;
        uint64_t random = seed;
        liar_reset(&t.liar);
        liar_kind kind = (liar_kind)(i % LIAR_KINDS);
        liar_add(&t.liar, kind, &random);
        t.liar.partials = (int)liar_below(&random, 4);
        if (!lies(&t.liar)) /* a tree without padding */
            continue;
        convict_liar(&t, "a liar");
        kinds_played[kind]++;
    }
    for (unsigned i = 0; i < 10 * times_more; i++, mixed++) { /* several faults at once */
        seed++;
        uint64_t random = seed;
        liar_reset(&t.liar);
        liar_add(&t.liar, LIAR_FLIP, &random);
        for (uint64_t n = liar_below(&random, 5) + 1; n > 0; n--)
            liar_add(&t.liar, (liar_kind)liar_below(&random, LIAR_KINDS), &random);
        convict_liar(&t, "a liar with several faults");
    }
    get_up(&t);
}

static void test_kinds(void **state)
{
    (void)state;
    each_tiny_run(play_kinds);
    for (int i = 0; i < LIAR_KINDS; i++)
        assert_true(kinds_played[i] > 0);
    printf("count liars flip %llu shorter %llu longer %llu alien %llu alien_top %llu padding_garbage %llu padding_lookalike %llu several %llu\n",
           kinds_played[LIAR_FLIP], kinds_played[LIAR_SHORTER], kinds_played[LIAR_LONGER], kinds_played[LIAR_ALIEN], kinds_played[LIAR_ALIEN_TOP],
           kinds_played[LIAR_PADDING_GARBAGE], kinds_played[LIAR_PADDING_LOOKALIKE], mixed);
}

static void play_withholding(const tiny_model *m, const lks_run *run)
{
    table t;
    sit_down(&t, m, run);
    for (int withhold = 0; withhold < 8; withhold++, withheld++) {
        seed++;
        uint64_t random = seed;
        liar_reset(&t.liar);
        if (withhold < 7)
            liar_add(&t.liar, LIAR_FLIP, &random);
        t.liar.withhold = withhold < 7 ? withhold : 0; /* at last an honest tree that is never opened */
        convict_liar(&t, "a liar that withholds");
    }
    get_up(&t);
}

static void test_withholding(void **state)
{
    (void)state;
    each_tiny_run(play_withholding);
    printf("count withholding %llu\n", withheld);
}

/* ---- attention: wrong elements, whatever partials the liar makes up ---- */

static unsigned long long attention;

static void play_attention(const tiny_model *m, const lks_run *run)
{
    table t;
    sit_down(&t, m, run);
    const lks_program *p = &m->model.program;
    for (unsigned i = 0; i < 8 * times_more; i++) {
        seed++;
        uint64_t random = seed;
        uint32_t op = (uint32_t)liar_below(&random, p->op_count);
        while (p->ops[op].code != LKS_OP_ATTN)
            op = (op + 1) % p->op_count;
        const lks_shape *s = &t.liar.shapes[op];
        uint64_t leaf = liar_below(&random, UINT64_C(1) << s->height);
        uint32_t size;
        while (!lks_shape_leaf(&size, s, leaf))
            leaf = (leaf + 1) % (UINT64_C(1) << s->height);
        liar_reset(&t.liar);
        liar_flip(&t.liar, op, leaf, (uint32_t)liar_below(&random, size), (unsigned)liar_below(&random, 8));
        t.liar.partials = (int)(i % 4);
        unsigned moves = convict_liar(&t, "a wrong attention element");
        assert_true(moves >= 6); /* trace, pick, leaf, demand, partials, proof */
        attention++;
    }
    get_up(&t);
}

static void test_attention(void **state)
{
    (void)state;
    each_tiny_run(play_attention);
    printf("count wrong_attention %llu\n", attention);
}

/* ---- wrong tokens over an honest trace ---- */

static unsigned long long tokens;

/* Another token than run's answer has at i: of the allowed list, or outside it. */
static uint32_t another_token(const tiny_model *m, const lks_run *run, size_t i, bool listed)
{
    const lks_policy *policy = &run->policy;
    uint32_t token = run->answer[i];
    bool found = false;
    while (!found) {
        token = (token + 1) % m->model.program.vocab_size;
        bool in_list = !policy->allowed_count;
        for (size_t k = 0; k < policy->allowed_count; k++)
            in_list = in_list || policy->allowed[k] == token;
        found = token != run->answer[i] && in_list == listed;
    }
    return token;
}

static void play_tokens(const tiny_model *m, const lks_run *run)
{
    uint32_t answer[64];
    assert_true(run->answer_count <= LKS_COUNT(answer));
    for (size_t i = 0; i < 2 * run->answer_count; i++, tokens++) {
        size_t at = i / 2;
        bool listed = i % 2 == 0;
        if (listed ? run->policy.allowed_count == 1 : !run->policy.allowed_count)
            continue;
        memcpy(answer, run->answer, 4 * run->answer_count);
        answer[at] = another_token(m, run, at, listed);
        lks_run claimed = *run;
        claimed.answer = answer;
        table t;
        sit_down(&t, m, &claimed);
        assert_int_equal(lks_trace_first_wrong_token(t.own), at);
        const lks_shown nothing = {0};
        assert_true(lks_player_should_challenge(t.own, &nothing));
        unsigned moves = convict_liar(&t, "a wrong token");
        assert_int_equal(moves, 2); /* the trace, the proof */
        get_up(&t);
    }
}

static void test_tokens(void **state)
{
    (void)state;
    each_tiny_run(play_tokens);
    printf("count game_wrong_tokens %llu\n", tokens);
    assert_true(tokens > 50);
}

/* ---- picks at random ---- */

/* A legal pick of a dispute that stands in PICK: any stage in range below the current node, near or far. */
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
        bool present = op == LKS_TOP ? index << height < ops : lks_shape_node(&t->liar.shapes[op], height, index);
        if (!present)
            continue;
        liar_pick(m, &t->liar, at, op, height, index);
        return;
    }
}

/* One turn of a puppet that picks at random; at a leaf of attention it demands partials. Returns: false when it has nothing more to ask. */
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
    if (!referee_move(&t->r, dispute, &m))
        fail_msg("%s, seed %llu: a legal pick of operation %u, height %u, index %llu is refused", t->m->name, (unsigned long long)seed, m.op, m.height,
                 (unsigned long long)m.index);
    lks_move_free(&m);
    return true;
}

/* The liar's own puppets open disputes and ask around, so that nodes and leaves are shown in every order; the honest challenger comes after them. */
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
                assert_true(referee_move(&t.r, p, &a)); /* flips can be shown */
                lks_move_free(&a);
            }
            referee_feed(&t.r, t.g, &t.fed);
            referee_compare(&t.r, t.g);
        }
        assert_true(referee_challenge(&t.r, &dispute[3]));
        play_liar(&t, dispute[3]);
        if (!t.r.convicted)
            fail_msg("%s, seed %llu: behind puppets the liar is not convicted", m->name, (unsigned long long)seed);
        finish(&t);
    }
    get_up(&t);
}

static void test_puppets(void **state)
{
    (void)state;
    each_tiny_run(play_puppets);
    printf("count puppet_games %llu\n", puppets);
}

/* ---- the honest operator ---- */

static unsigned long long honest_games, false_proofs;

static void operator_moves(table *t, size_t dispute)
{
    lks_move m, again;
    const lks_game_dispute *d = lks_game_dispute_find(t->g, t->r.disputes[dispute].id);
    OK(lks_player_operator(&m, t->own, lks_game_shown(t->g), &d->now));
    check_calls(t, d, &m, false);
    assert_true(referee_move(&t->r, dispute, &m));
    lks_move_free(&m);
    referee_feed(&t->r, t->g, &t->fed);
    d = lks_game_dispute_find(t->g, t->r.disputes[dispute].id);
    OK(lks_player_operator(&again, t->own, lks_game_shown(t->g), &d->now)); /* not its turn any more */
    assert_int_equal(again.kind, LKS_MOVE_NONE);
}

/* A unit about the leaf that a false challenger could offer: it proves nothing, in C as on chain. */
static void false_proof(table *t, const lks_dispute *at, uint64_t *random)
{
    lks_witness w;
    bool wrong = true;
    const lks_op *op = &t->m->model.program.ops[at->op];
    const lks_shape *s = &t->liar.shapes[at->op];
    uint32_t chunk = (uint32_t)(at->index & ((UINT64_C(1) << s->chunk_bits) - 1));
    lks_unit u = {LKS_UNIT_OUTPUT, at->op, (uint32_t)at->index, 0, 0};
    if (op->form == LKS_FORM_F32)
        u.unit = 256 * chunk + (uint32_t)liar_below(random, op->width - 256 * chunk < 256 ? op->width - 256 * chunk : 256);
    else
        u.unit = (uint32_t)liar_below(random, op->width);
    if (op->code == LKS_OP_ATTN)
        return;
    lks_err err = lks_witness_make(&w, &wrong, t->own, t->trees, &lks_game_shown(t->g)->known, &u, NULL, 0);
    if (err == LKS_BADARGS) /* the unit does not lie in this chunk */
        return;
    OK(err);
    assert_false(wrong);
    wrong = true;
    OK(lks_witness_check(&wrong, &t->r.facts, &t->commitment, &w, NULL, 0));
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
                assert_false(challenger_moves(&t, dispute[p])); /* an honest challenger has nothing to say */
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

/* Every leaf of a trace is asked for, one dispute each, straight from the root or stage by stage. */
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
            if (t.r.dispute_count == 64 || t.r.slot_count + 4 > REFEREE_SLOTS) {
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
            assert_true(referee_move(&t.r, dispute, &pick));
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

/* A thousand false disputes at once that go all ways: the honest operator answers each, shows nothing twice, and is convicted of nothing. Then the same
 * crowd around a liar: the one honest challenger convicts. */
static unsigned long long crowd_answers, crowd_shared;

static size_t crowd_round(table *t, size_t count, bool honest, uint64_t *random)
{
    size_t moves = 0;
    for (size_t i = 0; i < count; i++) {
        lks_dispute at = referee_at(&t->r, i);
        if (!referee_is_operators(at.state)) {
            moves += at.state != LKS_DISPUTE_CLOSED && puppet_moves(t, i, random);
            if (referee_at(&t->r, i).state == LKS_DISPUTE_STEP || referee_at(&t->r, i).state == LKS_DISPUTE_PICK)
                crowd_shared++;
        }
    }
    referee_feed(&t->r, t->g, &t->fed);
    referee_compare(&t->r, t->g);
    for (size_t i = 0; i < count; i++) {
        lks_move m;
        lks_dispute at = referee_at(&t->r, i); /* an answer to another may have filled the slot since */
        if (!referee_is_operators(at.state))
            continue;
        if (honest)
            OK(lks_player_operator(&m, t->own, lks_game_shown(t->g), &at));
        else
            liar_answer(&m, &t->liar, &at);
        assert_true(referee_move(&t->r, i, &m));
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
        if (honest) {
            for (size_t i = 0; i < count; i++)
                referee_timeout(&t.r, i);
            referee_feed(&t.r, t.g, &t.fed);
            referee_compare(&t.r, t.g);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(lks_game_dispute_at(t.g, i)->end, LKS_GAME_LOST);
        } else {
            assert_true(referee_challenge(&t.r, &last));
            play_liar(&t, last);
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
    printf("count crowd_answers %llu\ncount crowd_shared %llu\n", crowd_answers, crowd_shared);
    assert_true(crowd_answers > 100 && crowd_shared > crowd_answers);
}

static void test_stages(void **state)
{
    (void)state;
    unsigned height;
    uint32_t count;
    assert_false(lks_stage_below(&height, &count, 0));
    assert_true(lks_stage_below(&height, &count, 3) && height == 0 && count == 8);
    assert_true(lks_stage_below(&height, &count, 5) && height == 0 && count == 32);
    assert_true(lks_stage_below(&height, &count, 9) && height == 4 && count == 32);
    assert_true(lks_stage_is(9, 9) && lks_stage_is(4, 9) && lks_stage_is(0, 9) && !lks_stage_is(5, 9) && !lks_stage_is(14, 9));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        times_more = 10;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),  cmocka_unit_test(test_flips),   cmocka_unit_test(test_kinds), cmocka_unit_test(test_withholding),
        cmocka_unit_test(test_attention), cmocka_unit_test(test_tokens), cmocka_unit_test(test_puppets), cmocka_unit_test(test_honest),
        cmocka_unit_test(test_every_leaf), cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
