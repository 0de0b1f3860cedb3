/* Whole games: liars of every kind against the dispute player, move by move. `test_player all`
 * plays ten times as many. */
#include "tests/dispute/player_table.h"

static unsigned convict_liar(table *t, const char *what)
{
    size_t dispute;
    begin(t);
    assert_true(referee_challenge(&t->r, &dispute));
    unsigned moves = play_liar(t, dispute);
    if (!t->r.convicted)
        fail_msg("%s, seed %llu: %s: the liar is not convicted", t->m->name,
                 (unsigned long long)seed, what);
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

#ifdef LKS_FEWER_CASES
enum {
    FLIPS_A_MODEL = 40
};
#else
enum {
    FLIPS_A_MODEL = 200
};
#endif

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

static unsigned long long kinds_played[LIAR_KINDS], mixed, withheld;

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
    printf("count liars flip %llu shorter %llu longer %llu alien %llu alien_top %llu "
           "padding_garbage %llu padding_lookalike %llu several %llu\n",
           kinds_played[LIAR_FLIP], kinds_played[LIAR_SHORTER], kinds_played[LIAR_LONGER],
           kinds_played[LIAR_ALIEN], kinds_played[LIAR_ALIEN_TOP],
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
        t.liar.withhold =
            withhold < 7 ? withhold : 0; /* at last an honest tree that is never opened */
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
        liar_flip(&t.liar, op, leaf, (uint32_t)liar_below(&random, size),
                  (unsigned)liar_below(&random, 8));
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

static void test_stages(void **state)
{
    (void)state;
    unsigned height;
    uint32_t count;
    assert_false(lks_stage_below(&height, &count, 0));
    assert_true(lks_stage_below(&height, &count, 3) && height == 0 && count == 8);
    assert_true(lks_stage_below(&height, &count, 5) && height == 0 && count == 32);
    assert_true(lks_stage_below(&height, &count, 9) && height == 4 && count == 32);
    assert_true(lks_stage_is(9, 9) && lks_stage_is(4, 9) && lks_stage_is(0, 9) &&
                !lks_stage_is(5, 9) && !lks_stage_is(14, 9));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "all") == 0)
        times_more = 10;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),    cmocka_unit_test(test_flips),
        cmocka_unit_test(test_kinds),     cmocka_unit_test(test_withholding),
        cmocka_unit_test(test_attention), cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
