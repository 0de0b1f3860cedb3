/* Units of proof against honest traces: no unit of any operation shows a fault. And the rules of
 * well-formed programs, one by one. */
#include "kernels/bytes.h"
#include "oracle/proof/partials.h"
#include "tests/proof/hand_model.h"

static uint64_t units, reads;

static void check(run_rows *r, const lks_unit *u, const uint8_t *partials, size_t len)
{
    bool wrong;
    lks_err err = lks_step_check(&wrong, &r->facts, u, partials, len, &r->reader);
    const char *name = lks_op_name(r->model->program.ops[u->op].code);
    if (err)
        fail_msg("%s, kind %d, operation %u, leaf %u, unit %u, place %u: %s", name, (int)u->kind,
                 u->op, u->leaf, u->unit, u->place, lks_error_message());
    if (wrong)
        fail_msg("an honest %s is called wrong: kind %d, operation %u, leaf %u, unit %u, place %u",
                 name, (int)u->kind, u->op, u->leaf, u->unit, u->place);
    units++;
}

/* ---- Every unit ---- */

static void check_partials(run_rows *r, uint32_t op, uint32_t leaf, uint32_t element)
{
    uint32_t t = leaf >> r->shapes[op].chunk_bits;
    uint8_t *partials = malloc(lks_partials_size(t));
    size_t len = lks_partials_size(t);
    assert_non_null(partials);
    run_rows_partials(r, partials, op, t, element);
    assert_true(lks_partials_are_valid(t, partials, len));
    lks_unit u = {LKS_UNIT_PARTIAL_FINAL, op, leaf, element, 0};
    check(r, &u, partials, len);
    for (u.kind = LKS_UNIT_PARTIAL_CHUNK, u.place = 0; u.place < lks_partials_chunks(t); u.place++)
        check(r, &u, partials, len);
    for (u.kind = LKS_UNIT_PARTIAL_MAXIMUM, u.place = 0; u.place < lks_partials_chunks(t);
         u.place++)
        check(r, &u, partials, len);
    for (u.kind = LKS_UNIT_PARTIAL_RUNNING, u.place = 0; u.place < lks_partials_runs(t); u.place++)
        check(r, &u, partials, len);
    free(partials);
}

/* Elements of an A8 row whose entry or value lies in bytes [lo, hi). */
static bool a8_element_is_in(const lks_op *op, uint32_t e, uint32_t lo, uint32_t hi)
{
    uint32_t whole = op->head_width ? op->head_width : op->width,
             blocks = (whole + op->block - 1) / op->block;
    uint32_t entry = 8 * (e / whole * blocks + e % whole / op->block),
             q = 8 * lks_op_block_count(op) + e;
    return (entry >= lo && entry < hi) || (q >= lo && q < hi);
}

static void check_sample(run_rows *r, uint32_t op, uint32_t leaf)
{
    const lks_policy *p = &r->run->policy;
    lks_unit u = {LKS_UNIT_OUTPUT, op, leaf, LKS_UNIT_INDEX, LKS_UNIT_INDEX};
    check(r, &u, NULL, 0);
    for (u.place = 0; u.place < (p->allowed_count ? p->allowed_count : r->facts.vocab_size);
         u.place++) {
        u.unit = p->allowed_count ? p->allowed[u.place] : u.place;
        check(r, &u, NULL, 0);
    }
}

static void check_leaf(run_rows *r, uint32_t index, uint32_t leaf)
{
    const lks_op *op = &r->model->program.ops[index];
    uint32_t size, lo = (leaf & ((1u << r->shapes[index].chunk_bits) - 1)) * LKS_CHUNK_SIZE;
    if (!run_rows_leaf(r, index, leaf, &size)) {
        bool wrong;
        lks_unit out = {LKS_UNIT_OUTPUT, index, leaf, 0, 0};
        assert_int_equal(lks_step_check(&wrong, &r->facts, &out, NULL, 0, &r->reader), LKS_BADARGS);
        return;
    }
    if (op->form == LKS_FORM_SAMPLE) {
        check_sample(r, index, leaf);
        return;
    }
    for (uint32_t e = 0; e < op->width; e++) {
        bool inside = op->form == LKS_FORM_A8 ? a8_element_is_in(op, e, lo, lo + size)
                                              : 4 * e >= lo && 4 * e < lo + size;
        bool wrong;
        lks_unit u = {LKS_UNIT_OUTPUT, index, leaf, e, 0};
        if (!inside)
            assert_int_equal(lks_step_check(&wrong, &r->facts, &u, NULL, 0, &r->reader),
                             LKS_BADARGS);
        else if (op->code == LKS_OP_ATTN)
            check_partials(r, index, leaf, e);
        else
            check(r, &u, NULL, 0);
    }
}

/* With temperature: the claimed token passes min-p, and none that passes has a greater score. */
static void check_tokens(run_rows *r)
{
    const lks_policy *p = &r->run->policy;
    for (uint32_t j = 0; j < r->run->answer_count; j++) {
        lks_unit u = {LKS_UNIT_TOKEN, r->facts.sampler_op, j, 0, 0};
        bool wrong;
        if (p->temperature == 0) {
            check(r, &u, NULL, 0);
            u.unit = 1;
            assert_int_equal(lks_step_check(&wrong, &r->facts, &u, NULL, 0, &r->reader),
                             LKS_BADARGS);
            continue;
        }
        for (uint32_t i = 0; i < (p->allowed_count ? p->allowed_count : r->facts.vocab_size); i++) {
            u.unit = p->allowed_count ? p->allowed[i] : i;
            u.place = i;
            lks_err err = lks_step_check(&wrong, &r->facts, &u, NULL, 0, &r->reader);
            assert_true(err == LKS_OK || err == LKS_BADARGS); /* BADARGS: fails min-p */
            assert_true(err == LKS_OK || u.unit != r->run->answer[j]);
            assert_false(wrong);
            units++;
        }
    }
}

static void check_run(const tiny_model *m, const lks_run *run)
{
    run_rows r;
    run_rows_make(&r, &m->model, run);
    for (uint32_t op = 0; op < m->model.program.op_count; op++)
        for (uint32_t leaf = 0; leaf < run_rows_places(&r, op); leaf++)
            check_leaf(&r, op, leaf);
    check_tokens(&r);
    reads += r.reads;
    run_rows_free(&r);
}

static void test_honest_runs(void **state)
{
    (void)state;
    each_tiny_run(check_run);
    printf("count honest_units %llu\ncount honest_reads %llu\n", (unsigned long long)units,
           (unsigned long long)reads);
}

#ifdef LKS_FEWER_CASES
enum {
    LEAVES_APART = 7
};
#else
enum {
    LEAVES_APART = 1
};
#endif

/* What the Llama family has not. */
static void check_hand_model(bool wild)
{
    hand_model h;
    vector_run v;
    run_rows r;
    uint64_t before = units;
    hand_model_make(&h, wild);
    hand_run_make(&v, &r, &h, 35, 2);
    for (uint32_t op = 0; op < r.facts.op_count; op++)
        for (uint32_t leaf = op % LEAVES_APART; leaf < run_rows_places(&r, op);
             leaf += LEAVES_APART)
            check_leaf(&r, op, leaf);
    check_tokens(&r);
    printf("count hand_model_units %llu\n", (unsigned long long)(units - before));
    run_rows_free(&r);
    vector_run_free(&v);
    hand_model_free(&h);
}

static void test_hand_model(void **state)
{
    (void)state;
    check_hand_model(false);
    check_hand_model(true);
}

/* Running sums: more than 32 chunks, at the positions around the ends of runs. */
static void test_long_attention(void **state)
{
    (void)state;
    tiny_model m;
    vector_run v;
    run_rows r;
    const lks_policy greedy = {0};
    const uint32_t positions[] = {31, 32, 1022, 1023, 1024, 1055, 1056, 2047, 2048, 2050};
    tiny_open(&m, "head-2");
    vector_run_make(&v, &m.model, 2050, 2, &greedy);
    run_rows_make(&r, &m.model, &v.run);
    uint64_t before = units;
    for (uint32_t op = 0; op < m.model.program.op_count; op++)
        for (size_t i = 0; m.model.program.ops[op].code == LKS_OP_ATTN && i < LKS_COUNT(positions);
             i++)
            check_leaf(&r, op, positions[i] << r.shapes[op].chunk_bits);
    printf("count long_attention_units %llu\n", (unsigned long long)(units - before));
    assert_true(units > before);
    run_rows_free(&r);
    vector_run_free(&v);
    lks_model_close(&m.model);
}

/* ---- Rules ---- */

/* A program's descriptors as words, one word changed. */
static bool malformed_with(const run_rows *r, uint32_t op, uint32_t word, uint32_t value)
{
    const uint8_t *inputs[4] = {NULL};
    uint8_t *own = r->program + LKS_DESCRIPTOR_SIZE * (size_t)op;
    uint32_t before = lks_load_le32(own + 4 * word);
    lks_store_le32(own + 4 * word, value);
    for (int k = 0; k < 4; k++) {
        uint32_t in = lks_load_le32(own + 4 * (5 + k));
        inputs[k] = in <= op ? r->program + LKS_DESCRIPTOR_SIZE * (size_t)in : NULL;
    }
    bool malformed = lks_op_is_malformed(op, own, inputs, &r->facts);
    lks_store_le32(own + 4 * word, before);
    return malformed;
}

static uint64_t changed_words, still_fine;

static bool type_fits(const lks_op *op, uint32_t word, uint32_t type)
{
    const lks_weight_ref *w = &op->weights[(word - 10) / 4];
    uint32_t block = type == 2 || type == 3 || (type >= 6 && type <= 8) ? 32
                     : type >= 12 && type <= 14                         ? 256
                                                                        : 0;
    return w->type != LKS_F32 && block && w->cols % block == 0;
}

/* Words that may hold another value: a scalar; a tensor of the same shape; a type that the columns
 * suit; an input, where another operation gives rows of the same shape; what only the operation
 * that reads the row can judge: the kind of RMS, the key-value heads beside Q, the heads beside K
 * and V. */
static bool may_change(const lks_op *op, uint32_t index, uint32_t word, uint32_t value)
{
    bool tensor = word >= 9 && word < 25 && (word - 9) % 4 == 0,
         type = word >= 10 && word < 25 && (word - 10) % 4 == 0;
    return (word == 30 && (op->code == LKS_OP_RMS || op->code == LKS_OP_ATTN)) ||
           (word >= 5 && word < 9 && value < index) || tensor ||
           (type && type_fits(op, word, value)) || (word == 29 && value >= 1 && value <= 2) ||
           word == 28 || (word == 1 && value <= 1 && op->code == LKS_OP_RMS) ||
           (op->form == LKS_FORM_A8 && op->heads && word == (op->kind == LKS_ROWS_KV ? 25 : 26));
}

static void check_rules(const tiny_model *m, const lks_run *run)
{
    run_rows r;
    run_rows_make(&r, &m->model, run);
    const lks_program *p = &m->model.program;
    for (uint32_t op = 0; op < p->op_count; op++) {
        assert_false(malformed_with(&r, op, 0, p->ops[op].code));
        for (uint32_t word = 0; word < LKS_DESCRIPTOR_SIZE / 4; word++) {
            uint32_t now = lks_load_le32(r.program + LKS_DESCRIPTOR_SIZE * (size_t)op + 4 * word);
            const uint32_t values[] = {0,
                                       1,
                                       2,
                                       3,
                                       4,
                                       13,
                                       14,
                                       op,
                                       63,
                                       128,
                                       now + 1,
                                       now - 1,
                                       now ^ 0x80000000u,
                                       UINT32_MAX,
                                       0x7fffffff,
                                       1u << 24,
                                       (1u << 24) + 1};
            for (size_t i = 0; i < LKS_COUNT(values); i++) {
                if (values[i] == now)
                    continue;
                bool malformed = malformed_with(&r, op, word, values[i]);
                changed_words++;
                still_fine += !malformed;
                if (!malformed && !may_change(&p->ops[op], op, word, values[i]))
                    fail_msg("%s: word %u = %u of %s is accepted", m->name, word, values[i],
                             lks_op_name(p->ops[op].code));
            }
        }
    }
    run_rows_free(&r);
}

static void test_rules(void **state)
{
    (void)state;
    each_tiny_run(check_rules);
    printf("count changed_words %llu\ncount changed_words_accepted %llu\n",
           (unsigned long long)changed_words, (unsigned long long)still_fine);
}

/* A program that a unit meets is judged before anything of it is used. */
static void test_malformed_programs_are_refused(void **state)
{
    (void)state;
    tiny_model m;
    vector_file f;
    vector_run v;
    run_rows r;
    tiny_open(&m, "q4-1");
    tiny_vectors(&f, &m, "runs");
    vector_run_read(&v, &f, vectors_first(&f));
    run_rows_make(&r, &m.model, &v.run);
    for (uint32_t op = 0; op < r.facts.op_count; op++) {
        bool wrong;
        lks_unit u = {LKS_UNIT_OUTPUT, op, 0, 0, 0};
        r.program[LKS_DESCRIPTOR_SIZE * (size_t)op + 4 * 40] = 1;
        assert_int_equal(lks_step_check(&wrong, &r.facts, &u, NULL, 0, &r.reader), LKS_REFUSED);
        r.program[LKS_DESCRIPTOR_SIZE * (size_t)op + 4 * 40] = 0;
    }
    run_rows_free(&r);
    vector_run_free(&v);
    vectors_close(&f);
    lks_model_close(&m.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_runs), cmocka_unit_test(test_hand_model),
        cmocka_unit_test(test_long_attention), cmocka_unit_test(test_rules),
        cmocka_unit_test(test_malformed_programs_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
