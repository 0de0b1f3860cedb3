/* The operator's answers at many places, made together: as one by one, and all rows in one pass.
 * The linker sends lks_trace_rows here, so that passes are counted. */
#include "tests/model/tiny_models.h"
#include "tests/proof/draw.h"

#include "oracle/dispute/player.h"

#include <stdatomic.h>

enum {
    PLACES = 60
};

lks_err __real_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);
lks_err __wrap_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);

static unsigned passes;

lks_err __wrap_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count)
{
    passes++;
    return __real_lks_trace_rows(t, rows, count);
}

static const lks_shown opened = {.open = true};
static tiny_model model;
static uint32_t ids[64];
static const lks_run answer = {ids, 37, ids + 37, 5, {0}};

static lks_trace *make_trace(const atomic_bool *cancel)
{
    lks_trace *t;
    lks_trace_options o = {.threads = 2, .cancel = cancel};
    for (uint32_t i = 0; i < LKS_COUNT(ids); i++)
        ids[i] = i * 31 % model.model.program.vocab_size;
    OK(lks_trace_make(&t, &model.model, &answer, &o));
    return t;
}

static lks_dispute top_of(const lks_program *p)
{
    unsigned height = lks_log2_ceil(p->op_count);
    return (lks_dispute){.state = LKS_DISPUTE_NODE, .op = LKS_TOP, .height = height};
}

/* A place of the trace where a dispute can wait for the operator. */
static lks_dispute draw_place(rng *r, const lks_trace *t)
{
    const lks_program *p = &lks_trace_model(t)->program;
    uint32_t op = below(r, p->op_count), size;
    lks_shape s;
    if (below(r, 8) == 0)
        return top_of(p);
    lks_trace_shape(&s, t, op);
    if (s.height && below(r, 4) == 0)
        return (lks_dispute){.state = LKS_DISPUTE_NODE, .op = op, .height = s.height};
    uint64_t leaf;
    do
        leaf = below(r, UINT32_C(1) << s.height);
    while (!lks_shape_leaf(&size, &s, leaf));
    lks_dispute d = {.state = LKS_DISPUTE_LEAF, .op = op, .index = leaf};
    if (p->ops[op].code == LKS_OP_ATTN && below(r, 2)) {
        d.state = LKS_DISPUTE_PARTIALS;
        d.element = below(r, p->ops[op].width);
    }
    return d;
}

static void check_same(const lks_move *a, const lks_move *b)
{
    assert_true(a->kind == b->kind && a->op == b->op && a->height == b->height);
    assert_true(a->index == b->index && a->element == b->element);
    assert_true(a->hash_count == b->hash_count && a->len == b->len);
    assert_memory_equal(a->hash, b->hash, 32);
    if (a->hash_count)
        assert_memory_equal(a->hashes, b->hashes, 32 * a->hash_count);
    if (a->len)
        assert_memory_equal(a->bytes, b->bytes, a->len);
}

static void free_moves(lks_move *moves, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lks_move_free(&moves[i]);
}

static void test_together(void **state)
{
    (void)state;
    lks_dispute places[PLACES];
    lks_move moves[PLACES], alone;
    lks_trace *t = make_trace(NULL);
    rng random = {20250101};
    for (int round = 0; round < 4; round++) {
        unsigned with_rows = 0;
        for (size_t i = 0; i < PLACES; i++) {
            places[i] = i % 9 == 8 ? places[i - 1] : draw_place(&random, t);
            with_rows += places[i].state != LKS_DISPUTE_NODE;
        }
        passes = 0;
        OK(lks_player_operator_all(moves, t, &opened, places, PLACES));
        assert_true(with_rows > 10 && passes == 1);
        for (size_t i = 0; i < PLACES; i++) {
            OK(lks_player_operator(&alone, t, &opened, &places[i]));
            assert_int_not_equal(alone.kind, LKS_MOVE_NONE);
            check_same(&moves[i], &alone);
            lks_move_free(&alone);
        }
        free_moves(moves, PLACES);
    }
    passes = 0;
    lks_dispute root = {.state = LKS_DISPUTE_ROOT};
    lks_shown nothing = {0};
    OK(lks_player_operator(&alone, t, &nothing, &root));
    assert_true(alone.kind == LKS_MOVE_OPEN_TRACE && alone.hash_count);
    lks_move_free(&alone);
    OK(lks_player_operator_all(moves, t, &nothing, NULL, 0));
    assert_int_equal(passes, 0);
    lks_trace_free(t);
}

/* ---- what a node may say ---- */

static size_t attention_op(const lks_program *p)
{
    size_t i = 0;
    while (p->ops[i].code != LKS_OP_ATTN)
        i++;
    return i;
}

/* Out: places where no dispute can be. Returns: their number. */
static size_t impossible_places(lks_dispute *out, const lks_trace *t)
{
    const lks_program *p = &lks_trace_model(t)->program;
    uint32_t attn = (uint32_t)attention_op(p);
    lks_shape s;
    lks_trace_shape(&s, t, attn);
    unsigned top = lks_log2_ceil(p->op_count);
    const lks_dispute places[] = {
        {.state = LKS_DISPUTE_NODE, .op = attn, .height = 69},
        {.state = LKS_DISPUTE_NODE, .op = attn, .height = 255},
        {.state = LKS_DISPUTE_NODE, .op = attn, .height = s.height + 5},
        {.state = LKS_DISPUTE_NODE, .op = attn, .height = s.height, .index = 1},
        {.state = LKS_DISPUTE_NODE, .op = attn, .height = s.height, .index = UINT64_MAX},
        {.state = LKS_DISPUTE_NODE, .op = attn, .height = s.height - 1},
        {.state = LKS_DISPUTE_NODE, .op = LKS_TOP, .height = top + 5},
        {.state = LKS_DISPUTE_NODE, .op = LKS_TOP, .height = 200},
        {.state = LKS_DISPUTE_NODE, .op = LKS_TOP, .height = top, .index = 1},
        {.state = LKS_DISPUTE_NODE, .op = LKS_TOP, .height = 0, .index = p->op_count},
        {.state = LKS_DISPUTE_NODE, .op = p->op_count, .height = 0},
        {.state = LKS_DISPUTE_NODE, .op = UINT32_MAX, .height = 0},
        {.state = LKS_DISPUTE_LEAF, .op = LKS_TOP, .height = 0},
        {.state = LKS_DISPUTE_LEAF, .op = attn, .index = UINT64_C(1) << s.height},
        {.state = LKS_DISPUTE_LEAF, .op = attn, .index = UINT64_MAX},
        {.state = LKS_DISPUTE_LEAF, .op = attn, .height = s.height},
        {.state = LKS_DISPUTE_LEAF, .op = 70000},
        {.state = LKS_DISPUTE_PARTIALS, .op = attn, .element = p->ops[attn].width},
        {.state = LKS_DISPUTE_PARTIALS, .op = attn, .index = UINT64_C(1) << 39},
        {.state = LKS_DISPUTE_PARTIALS, .op = attn - 1},
        {.state = LKS_DISPUTE_PARTIALS, .op = LKS_TOP},
    };
    memcpy(out, places, sizeof places);
    return LKS_COUNT(places);
}

static void test_impossible_places(void **state)
{
    (void)state;
    lks_dispute places[PLACES];
    lks_move moves[PLACES];
    lks_trace *t = make_trace(NULL);
    rng random = {7};
    size_t bad = impossible_places(places, t);
    for (size_t i = 0; i < bad; i++) {
        assert_int_equal(lks_player_operator(&moves[0], t, &opened, &places[i]), LKS_BADARGS);
        assert_int_equal(moves[0].kind, LKS_MOVE_NONE);
    }
    assert_int_equal(lks_player_operator_all(moves, t, &opened, places, bad), LKS_BADARGS);
    /* They do not keep others back. */
    for (size_t i = bad; i < PLACES; i++)
        places[i] = draw_place(&random, t);
    passes = 0;
    OK(lks_player_operator_all(moves, t, &opened, places, PLACES));
    assert_int_equal(passes, 1);
    for (size_t i = 0; i < PLACES; i++)
        assert_int_equal(moves[i].kind != LKS_MOVE_NONE, i >= bad);
    free_moves(moves, PLACES);
    /* Nor does the challenger's player follow them. */
    for (size_t i = 0; i < bad; i++) {
        lks_dispute at = places[i];
        if (at.state != LKS_DISPUTE_NODE)
            continue;
        at.state = LKS_DISPUTE_PICK;
        assert_int_equal(lks_player_challenger(&moves[0], t, NULL, &opened, &at), LKS_BADARGS);
    }
    lks_trace_free(t);
}

/* A pass that fails takes only those answers along that need its rows. */
static void test_cancelled(void **state)
{
    (void)state;
    atomic_bool cancel = false;
    lks_move moves[3];
    lks_trace *t = make_trace(&cancel);
    lks_dispute places[] = {
        {.state = LKS_DISPUTE_LEAF, .op = 0},
        top_of(&model.model.program),
        {.state = LKS_DISPUTE_PARTIALS, .op = (uint32_t)attention_op(&model.model.program)}};
    atomic_store(&cancel, true);
    OK(lks_player_operator_all(moves, t, &opened, places, 3));
    assert_true(moves[0].kind == LKS_MOVE_NONE && moves[2].kind == LKS_MOVE_NONE);
    assert_int_equal(moves[1].kind, LKS_MOVE_REVEAL);
    free_moves(moves, 3);
    places[1] = places[0];
    assert_int_equal(lks_player_operator_all(moves, t, &opened, places, 3), LKS_REFUSED);
    lks_trace_free(t);
}

int main(void)
{
    tiny_open(&model, "mixed");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_together),
                                       cmocka_unit_test(test_impossible_places),
                                       cmocka_unit_test(test_cancelled)};
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    lks_model_close(&model.model);
    return failures;
}
