/* The complete path of a proof: an own trace, a liar's tree of which the stages on the way to one
 * leaf are revealed, the search for a unit, its witness, and the check against roots alone. And
 * hostile witnesses.
 *
 *   test_witness           200 wrong bits a run; every byte of the witnesses of two models spoilt
 *   test_witness all       4,000 wrong bits a run; of all models
 *   test_witness FILE N    N wrong bits and N honest units of a model in a file
 */
#include "kernels/bytes.h"
#include "oracle/proof/partials.h"
#include "oracle/proof/unit_find.h"
#include "oracle/proof/unit_search.h"
#include "tests/proof/draw.h"
#include "tests/proof/run_witness.h"

static bool everything;
static const char *file;
static int file_units;
static uint64_t proofs, openings, honest, hostile;

typedef struct claim {
    const lks_run *run;
    run_rows rows; /* the liar's */
    run_tree tree;
    lks_trace *own;
    lks_model_trees *trees;
    const lks_model_commitment *model;
    model_hashes hashes;
} claim;

static void claim_open(claim *c, const tiny_model *m, const lks_run *run)
{
    uint8_t root[32], own_root[32];
    c->run = run;
    run_rows_make(&c->rows, &m->model, run);
    run_tree_make(&c->tree, &c->rows);
    lks_trace_options o = {.threads = 1};
    OK(lks_spill_open(&o.spill, "/tmp", UINT64_MAX));
    OK(lks_trace_make(&c->own, &m->model, run, &o));
    lks_spill_close(o.spill);
    OK(lks_model_trees_make(&c->trees, &m->model));
    c->model = lks_model_trees_commitment(c->trees);
    model_hashes_make(&c->hashes, &m->model);
    run_tree_root(root, &c->tree);
    lks_trace_root(own_root, c->own);
    assert_memory_equal(root, own_root, 32);
}

static void claim_close(claim *c)
{
    model_hashes_free(&c->hashes);
    lks_trace_free(c->own);
    lks_model_trees_free(c->trees);
    run_tree_free(&c->tree);
    run_rows_free(&c->rows);
}

/* The openings are those that one makes who has all of the liar's trace. */
static void compare(claim *c, const lks_witness *w, const lks_unit *u, const uint8_t *partials,
                    size_t len)
{
    lks_witness all;
    bool wrong;
    OK(run_witness_make(&all, &wrong, &c->tree, &c->hashes, u, partials, len));
    assert_int_equal(w->count, all.count);
    for (size_t i = 0; i < all.count; i++) {
        const lks_opening *a = &w->openings[i], *b = &all.openings[i];
        assert_int_equal(a->data_len, b->data_len);
        assert_int_equal(a->path_count, b->path_count);
        assert_memory_equal(a->data, b->data, a->data_len);
        if (a->path_count)
            assert_memory_equal(a->path, b->path, 32 * a->path_count);
    }
    lks_witness_free(&all);
}

/* Made from what is revealed, then checked against the liar's root alone. */
static void prove(claim *c, const lks_known *known, const lks_unit *u, const uint8_t *partials,
                  size_t len, bool expected)
{
    lks_witness w;
    lks_witness_claim facts;
    bool wrong, shown;
    lks_err err = lks_witness_make(&w, &wrong, c->own, c->trees, known, u, partials, len);
    if (err)
        fail_msg("%s, kind %d, operation %u, leaf %u, unit %u, place %u: %s",
                 lks_op_name(c->rows.model->program.ops[u->op].code), (int)u->kind, u->op, u->leaf,
                 u->unit, u->place, lks_error_message());
    assert_int_equal(wrong, expected);
    run_tree_claim(&facts, &c->tree);
    OK(lks_witness_check(&shown, &facts, c->model, &w, partials, len));
    assert_int_equal(shown, expected);
    compare(c, &w, u, partials, len);
    openings += w.count;
    lks_witness_free(&w);
}

/* ---- Wrong bits ---- */

static void prove_partials(claim *c, const lks_known *known, lks_unit u)
{
    uint32_t row = u.leaf >> c->rows.shapes[u.op].chunk_bits, element = u.unit;
    uint8_t *mine, *posted = malloc(lks_partials_size(row));
    size_t len;
    assert_non_null(posted);
    run_rows_partials(&c->rows, posted, u.op, row, element);
    OK(lks_partials_make(&mine, &len, c->own, u.op, row, element));
    assert_int_equal(len, lks_partials_size(row));
    assert_memory_equal(mine, posted, len);
    free(mine);
    OK(lks_unit_find_partial(&u, c->own, known, u.op, u.leaf, element, posted, len));
    prove(c, known, &u, posted, len, true);
    /* Each number of the partials changed: another kind of unit. */
    for (size_t at = 0; at < len; at += 4) {
        lks_unit other;
        lks_store_le32(posted + at, lks_load_le32(posted + at) ^ 1);
        if (lks_partials_are_valid(row, posted, len)) {
            OK(lks_unit_find_partial(&other, c->own, known, u.op, u.leaf, element, posted, len));
            prove(c, known, &other, posted, len, true);
            proofs++;
        }
        lks_store_le32(posted + at, lks_load_le32(posted + at) ^ 1);
    }
    free(posted);
}

static void convict(claim *c, uint32_t op, uint32_t leaf)
{
    revealed r;
    lks_unit u;
    run_tree_update(&c->tree, op, leaf);
    reveal_leaf(&r, &c->tree, op, leaf);
    lks_err err = lks_unit_find(&u, c->own, c->trees, &r.known, op, leaf);
    if (err)
        fail_msg("operation %u, leaf %u: %s", op, leaf, lks_error_message());
    if (c->rows.model->program.ops[op].code == LKS_OP_ATTN)
        prove_partials(c, &r.known, u);
    else
        prove(c, &r.known, &u, NULL, 0, true);
    proofs++;
    revealed_free(&r);
}

static void convict_bits(const tiny_model *m, const lks_run *run, int count)
{
    claim c;
    rng r = {run->prompt_count * 1000003 + m->model.program.op_count};
    claim_open(&c, m, run);
    for (int i = 0; i < count; i++) {
        uint32_t op = below(&r, c.rows.facts.op_count), leaf = draw_leaf(&r, &c.rows, op), size;
        uint8_t *bytes = run_rows_leaf(&c.rows, op, leaf, &size);
        uint32_t bit = below(&r, 8 * size), bit2 = below(&r, 8 * size);
        bool garbage_behind = i % 4 == 3; /* a second fault in the same leaf */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (garbage_behind && bit2 != bit)
            bytes[bit2 / 8] ^= (uint8_t)(1u << bit2 % 8);
        convict(&c, op, leaf);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (garbage_behind && bit2 != bit)
            bytes[bit2 / 8] ^= (uint8_t)(1u << bit2 % 8);
        run_tree_update(&c.tree, op, leaf);
    }
    claim_close(&c);
}

#ifdef LKS_FEWER_CASES
enum {
    BITS_A_RUN = 40
};
#else
enum {
    BITS_A_RUN = 200
};
#endif

static void test_run(const tiny_model *m, const lks_run *run)
{
    convict_bits(m, run, everything ? 4000 : BITS_A_RUN);
}

static void test_wrong_bits(void **state)
{
    (void)state;
    each_tiny_run(test_run);
    printf("count proofs %llu\ncount openings %llu\n", (unsigned long long)proofs,
           (unsigned long long)openings);
}

/* Everything right of the first fault is garbage: no proof reads it. */
static void garbage_right(const tiny_model *m, const lks_run *run)
{
    claim c;
    rng r = {run->prompt_count * 77 + m->model.program.op_count};
    if (run->prompt_count > 10)
        return;
    for (int i = 0; i < 6; i++) {
        claim_open(&c, m, run);
        uint32_t op = below(&r, c.rows.facts.op_count), leaf = draw_leaf(&r, &c.rows, op), size;
        uint8_t *bytes = run_rows_leaf(&c.rows, op, leaf, &size);
        bytes[below(&r, size)] ^= (uint8_t)(1u << below(&r, 8));
        for (uint32_t o = op; o < c.rows.facts.op_count; o++)
            for (uint32_t l = o == op ? leaf + 1 : 0; l < run_rows_places(&c.rows, o); l++) {
                uint8_t *other = run_rows_leaf(&c.rows, o, l, &size);
                for (uint32_t k = 0; other && k < size; k++)
                    other[k] = (uint8_t)next(&r);
                run_tree_update(&c.tree, o, l);
            }
        convict(&c, op, leaf);
        claim_close(&c);
    }
}

static void test_garbage_right_of_the_fault(void **state)
{
    (void)state;
    each_tiny_run(garbage_right);
}

/* ---- Tokens ---- */

static void check_tokens(const tiny_model *m)
{
    static const uint32_t allowed[] = {3, 40, 41, 90, 222};
    const lks_policy policies[] = {
        {0},
        {.temperature = 0x3f800000, .min_p = 0x3d4ccccd, .seed = 9},
        {.temperature = 0x3f800000, .seed = 4, .allowed = allowed, .allowed_count = 5}};
    for (size_t p = 0; p < LKS_COUNT(policies); p++) {
        vector_run v;
        claim c;
        vector_run_make(&v, &m->model, 4, 3, &policies[p]);
        uint32_t j = (uint32_t)v.run.answer_count - 1, right = v.answer[j];
        for (uint32_t i = 0; i < 10; i++) {
            bool listed = policies[p].allowed && i % 2;
            uint32_t other = (right + 1 + 25 * i) % m->model.program.vocab_size;
            uint32_t token = listed ? allowed[i / 2] : other;
            if (token == right)
                continue;
            v.answer[j] = token;
            claim_open(&c, m, &v.run);
            assert_int_equal(lks_trace_first_wrong_token(c.own), j);
            lks_unit u;
            OK(lks_unit_find_token(&u, c.own, j));
            bool unlisted = policies[p].allowed && !listed;
            for (size_t k = 0; k < policies[p].allowed_count; k++)
                unlisted = unlisted && allowed[k] != token;
            assert_int_equal(u.kind, unlisted ? LKS_UNIT_UNLISTED : LKS_UNIT_TOKEN);
            prove(&c, NULL, &u, NULL, 0, true);
            proofs++;
            claim_close(&c);
        }
        vector_run_free(&v);
    }
}

static void test_wrong_tokens(void **state)
{
    (void)state;
    each_tiny_model(check_tokens);
}

/* ---- Honest traces ---- */

static void make_honest(claim *c, const lks_unit *u)
{
    uint8_t *partials = NULL;
    size_t len = 0;
    if (lks_unit_is_partial(u->kind))
        OK(lks_partials_make(&partials, &len, c->own, u->op,
                             u->leaf >> c->rows.shapes[u->op].chunk_bits, u->unit));
    prove(c, NULL, u, partials, len, false);
    free(partials);
    honest++;
}

static void honest_run(const tiny_model *m, const lks_run *run)
{
    claim c;
    rng r = {run->prompt_count};
    claim_open(&c, m, run);
    for (uint32_t op = 0; op < c.rows.facts.op_count; op++)
        for (int i = 0; i < 6; i++) {
            lks_unit u = draw_unit(&r, &c.rows, op, draw_leaf(&r, &c.rows, op));
            make_honest(&c, &u);
        }
    claim_close(&c);
}

static void test_honest(void **state)
{
    (void)state;
    each_tiny_run(honest_run);
    printf("count honest_witnesses %llu\n", (unsigned long long)honest);
}

/* ---- Hostile witnesses ---- */

/* Whatever was done to it, it must not convict an honest trace. */
static void must_not_convict(claim *c, const lks_witness *w, const uint8_t *partials, size_t len)
{
    lks_witness_claim facts;
    bool wrong;
    run_tree_claim(&facts, &c->tree);
    lks_err err = lks_witness_check(&wrong, &facts, c->model, w, partials, len);
    assert_true(err == LKS_CORRUPT || err == LKS_BADARGS || err == LKS_REFUSED || err == LKS_OK);
    assert_false(wrong);
    hostile++;
}

static void must_be_corrupt(claim *c, const lks_witness *w, const uint8_t *partials, size_t len)
{
    lks_witness_claim facts;
    bool wrong;
    run_tree_claim(&facts, &c->tree);
    assert_int_equal(lks_witness_check(&wrong, &facts, c->model, w, partials, len), LKS_CORRUPT);
    assert_false(wrong);
    hostile++;
}

static void spoil_opening(claim *c, lks_witness *w, size_t i, const uint8_t *partials, size_t len)
{
    lks_opening *o = &w->openings[i];
    for (size_t at = 0; at < o->data_len; at++) {
        o->data[at] ^= (uint8_t)(1 << at % 8);
        must_be_corrupt(c, w, partials, len);
        o->data[at] ^= (uint8_t)(1 << at % 8);
    }
    for (size_t at = 0; at < 32 * o->path_count; at++) {
        ((uint8_t *)o->path)[at] ^= (uint8_t)(1 << at % 8);
        must_be_corrupt(c, w, partials, len);
        ((uint8_t *)o->path)[at] ^= (uint8_t)(1 << at % 8);
    }
    if (o->data_len) {
        o->data_len--;
        must_be_corrupt(c, w, partials, len);
        o->data_len++;
    }
    if (o->path_count) {
        o->path_count--;
        must_be_corrupt(c, w, partials, len);
        o->path_count++;
    }
    lks_opening saved = *o, longer = {calloc(1, o->data_len + 1), o->data_len + 1,
                                      calloc(o->path_count + 1, 32), o->path_count + 1};
    assert_non_null(longer.data);
    assert_non_null(longer.path);
    memcpy(longer.data, o->data, o->data_len);
    memcpy(longer.path, o->path, 32 * o->path_count);
    *o = (lks_opening){longer.data, longer.data_len, saved.path, saved.path_count};
    must_be_corrupt(c, w, partials, len);
    *o = (lks_opening){saved.data, saved.data_len, longer.path, longer.path_count};
    must_be_corrupt(c, w, partials, len);
    *o = saved;
    free(longer.data);
    free(longer.path);
}

static void spoil(claim *c, const lks_unit *u)
{
    lks_witness w;
    bool wrong;
    uint8_t *partials = NULL;
    size_t len = 0;
    if (lks_unit_is_partial(u->kind))
        OK(lks_partials_make(&partials, &len, c->own, u->op,
                             u->leaf >> c->rows.shapes[u->op].chunk_bits, u->unit));
    OK(lks_witness_make(&w, &wrong, c->own, c->trees, NULL, u, partials, len));
    for (size_t i = 0; i < w.count; i++)
        spoil_opening(c, &w, i, partials, len);
    if (w.count) {
        w.count--;
        must_be_corrupt(c, &w, partials, len);
        w.count++;
        lks_opening *more = calloc(w.count + 1, sizeof *more);
        assert_non_null(more);
        memcpy(more, w.openings, w.count * sizeof *more);
        more[w.count] = w.openings[0];
        lks_witness longer = {w.unit, more, w.count + 1};
        must_be_corrupt(c, &longer, partials, len);
        free(more);
    }
    /* Another unit with the same openings */
    for (int field = 0; field < 5; field++) {
        if (partials && field >= 1 && field <= 3)
            continue; /* partials are of one element alone: the game compares it */
        for (uint32_t delta = 0; delta < 40; delta++) {
            lks_witness other = w;
            uint32_t value = delta < 32 ? 1u << delta : delta - 31;
            switch (field) {
            case 0: other.unit.kind = (lks_unit_kind)(delta % 8); break;
            case 1: other.unit.op ^= value; break;
            case 2: other.unit.leaf ^= value; break;
            case 3: other.unit.unit ^= value; break;
            default: other.unit.place ^= value; break;
            }
            if (other.unit.kind == u->kind && field == 0)
                continue;
            must_not_convict(c, &other, partials, len);
        }
    }
    free(partials);
    lks_witness_free(&w);
}

/* One unit of each operation of a model, and a token. */
static void hostile_run(const tiny_model *m, const lks_run *run)
{
    claim c;
    rng r = {5};
    if (run->prompt_count > 10 ||
        (!everything && strcmp(m->name, "q5-1") && strcmp(m->name, "wild-k")))
        return;
    claim_open(&c, m, run);
    for (uint32_t op = 0; op < c.rows.facts.op_count; op++) {
        lks_unit u = draw_unit(&r, &c.rows, op, draw_leaf(&r, &c.rows, op));
        spoil(&c, &u);
    }
    lks_unit token = {LKS_UNIT_TOKEN, c.rows.facts.sampler_op, 0,
                      run->policy.temperature ? run->answer[0] : 0, 0};
    spoil(&c, &token);
    claim_close(&c);
}

/* A token outside a list of two pieces: between them, and before and behind the list. */
static void spoil_unlisted(void)
{
    static const uint32_t outside[] = {0, 257, 263};
    uint32_t list[300], count = 0;
    for (uint32_t i = 1; i < 263; i++)
        if (i != 257)
            list[count++] = i;
    const lks_policy policy = {
        .temperature = 0x3f800000, .seed = 1, .allowed = list, .allowed_count = count};
    tiny_model m;
    tiny_open(&m, "head-2");
    for (size_t i = 0; i < LKS_COUNT(outside); i++) {
        vector_run v;
        claim c;
        lks_unit u;
        vector_run_make(&v, &m.model, 3, 2, &policy);
        uint32_t last = (uint32_t)v.run.answer_count - 1;
        v.answer[last] = outside[i];
        claim_open(&c, &m, &v.run);
        OK(lks_unit_find_token(&u, c.own, last));
        assert_int_equal(u.kind, LKS_UNIT_UNLISTED);
        prove(&c, NULL, &u, NULL, 0, true);
        spoil(&c, &u);
        claim_close(&c);
        vector_run_free(&v);
    }
    lks_model_close(&m.model);
}

/* Lists of tokens of several pieces. */
static void spoil_long_lists(void)
{
    tiny_model m;
    vector_run v;
    claim c;
    const lks_policy greedy = {0};
    tiny_open(&m, "head-2");
    vector_run_make(&v, &m.model, 700, 1, &greedy);
    claim_open(&c, &m, &v.run);
    for (uint32_t position = 100; position < 700; position += 250) {
        lks_unit u = {LKS_UNIT_OUTPUT, 0, position << c.rows.shapes[0].chunk_bits, 3, 0};
        spoil(&c, &u);
    }
    claim_close(&c);
    vector_run_free(&v);
    lks_model_close(&m.model);
}

static void test_hostile(void **state)
{
    (void)state;
    each_tiny_run(hostile_run);
    spoil_long_lists();
    spoil_unlisted();
    printf("count hostile_witnesses %llu\n", (unsigned long long)hostile);
}

/* ---- A model in a file ---- */

static void test_file(void **state)
{
    (void)state;
    tiny_model m = {.name = "file"};
    vector_run v;
    claim c;
    rng r = {1};
    const lks_policy policy = {.temperature = 0x3f4ccccd, .min_p = 0x3d4ccccd, .seed = 11};
    OK(lks_model_open(&m.model, file));
    vector_run_make(&v, &m.model, 45, 4, &policy);
    convict_bits(&m, &v.run, file_units);
    claim_open(&c, &m, &v.run);
    for (int i = 0; i < file_units; i++) {
        uint32_t op = below(&r, c.rows.facts.op_count);
        lks_unit u = draw_unit(&r, &c.rows, op, draw_leaf(&r, &c.rows, op));
        make_honest(&c, &u);
    }
    claim_close(&c);
    printf("count proofs_file %llu\ncount honest_file %llu\n", (unsigned long long)proofs,
           (unsigned long long)honest);
    vector_run_free(&v);
    lks_model_close(&m.model);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        file = argv[1];
        file_units = atoi(argv[2]);
        const struct CMUnitTest one[] = {cmocka_unit_test(test_file)};
        return cmocka_run_group_tests(one, NULL, NULL);
    }
    everything = argc == 2 && !strcmp(argv[1], "all");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest), cmocka_unit_test(test_wrong_bits),
        cmocka_unit_test(test_garbage_right_of_the_fault), cmocka_unit_test(test_wrong_tokens),
        cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
