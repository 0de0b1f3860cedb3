/* Witnesses of the second implementation, verified from roots alone: the verdict must be its, and a
 * witness with any other byte is refused. */
#include "kernels/bits.h"
#include "oracle/proof/witness.h"
#include "tests/kernels/vectors.h"

#define MANY 41 /* every so many bytes of a witness are tried, of the first case of a file all */

typedef struct unit_case {
    lks_witness witness;
    lks_witness_claim claim;
    lks_model_commitment model;
    uint8_t *partials;
    size_t partials_len;
} unit_case;

static void read_openings(lks_witness *w, const vector_file *f, int c)
{
    int data = lks_json_member(&f->doc, c, "data"), paths = lks_json_member(&f->doc, c, "paths");
    w->count = lks_json_size(&f->doc, data);
    assert_int_equal(w->count, lks_json_size(&f->doc, paths));
    w->openings = calloc(w->count + 1, sizeof *w->openings);
    assert_non_null(w->openings);
    int d = lks_json_first(&f->doc, data), p = lks_json_first(&f->doc, paths);
    for (size_t i = 0; i < w->count;
         i++, d = lks_json_next(&f->doc, d), p = lks_json_next(&f->doc, p)) {
        lks_buf bytes = {0}, path = {0};
        OK(lks_json_data(&f->doc, d, &bytes));
        OK(lks_json_data(&f->doc, p, &path));
        assert_int_equal(path.len % 32, 0);
        w->openings[i] =
            (lks_opening){bytes.data, bytes.len, (uint8_t(*)[32])path.data, path.len / 32};
    }
}

static void read_model(lks_model_commitment *m, const vector_file *f, int c)
{
    int k = lks_json_member(&f->doc, c, "commitment");
    *m = (lks_model_commitment){.arithmetic_version = LKS_ARITHMETIC_VERSION};
    vector_hash(f, k, "weightsRoot", m->weights_root);
    vector_hash(f, k, "programRoot", m->program_root);
    vector_hash(f, k, "ropeRoot", m->rope_root);
    m->op_count = (uint32_t)vector_u64(f, k, "opCount");
    m->tensor_count = (uint32_t)vector_u64(f, k, "tensorCount");
    m->sampler_op = (uint32_t)vector_u64(f, k, "samplerOp");
    m->vocab_size = (uint32_t)vector_u64(f, k, "vocabSize");
    m->max_positions = (uint32_t)vector_u64(f, k, "maxPositions");
}

static void read_claim(lks_witness_claim *c, const vector_file *f, int node)
{
    int k = lks_json_member(&f->doc, node, "facts");
    *c = (lks_witness_claim){
        .facts = {.prompt_count = (uint32_t)vector_u64(f, k, "promptCount"),
                  .answer_count = (uint32_t)vector_u64(f, k, "tokenCount"),
                  .allowed_count = (uint32_t)vector_u64(f, k, "allowedCount"),
                  .temperature = lks_float((uint32_t)vector_u64(f, k, "temperature")),
                  .min_p = lks_float((uint32_t)vector_u64(f, k, "minP")),
                  .seed = vector_u64(f, k, "seed")}};
    vector_hash(f, k, "traceRoot", c->trace_root);
    vector_hash(f, k, "promptHash", c->prompt_hash);
    vector_hash(f, k, "tokensHash", c->tokens_hash);
    vector_hash(f, k, "allowedHash", c->allowed_hash);
}

static void read_case(unit_case *u, const vector_file *f, int c)
{
    *u = (unit_case){0};
    u->witness.unit =
        (lks_unit){(lks_unit_kind)vector_u64(f, c, "kind"), (uint32_t)vector_u64(f, c, "op"),
                   (uint32_t)vector_u64(f, c, "leaf"), (uint32_t)vector_u64(f, c, "unit"),
                   (uint32_t)vector_u64(f, c, "place")};
    read_openings(&u->witness, f, c);
    read_model(&u->model, f, c);
    read_claim(&u->claim, f, c);
    if (vector_has(f, c, "partials"))
        u->partials = vector_bytes(f, c, "partials", &u->partials_len);
}

static void free_case(unit_case *u)
{
    lks_witness_free(&u->witness);
    free(u->partials);
}

static lks_err check(bool *wrong, const unit_case *u)
{
    return lks_witness_check(wrong, &u->claim, &u->model, &u->witness, u->partials,
                             u->partials_len);
}

static lks_err expected_error(const vector_file *f, int c)
{
    int e = lks_json_member(&f->doc, c, "expected");
    if (lks_json_equals(&f->doc, e, "BadOpening") || lks_json_equals(&f->doc, e, "WrongRoot"))
        return LKS_CORRUPT;
    if (lks_json_equals(&f->doc, e, "BadUnit"))
        return LKS_BADARGS;
    assert_true(lks_json_equals(&f->doc, e, "right") || lks_json_equals(&f->doc, e, "wrong"));
    return LKS_OK;
}

/* Other bytes in a witness that shows something: an error each time. */
static void other_bytes_are_refused(unit_case *u, size_t step, const char *file, int number)
{
    bool wrong;
    for (size_t i = 0; i < u->witness.count; i++) {
        lks_opening *o = &u->witness.openings[i];
        uint8_t *parts[] = {o->data, (uint8_t *)o->path};
        size_t sizes[] = {o->data_len, 32 * o->path_count};
        for (size_t k = 0; k < 2; k++)
            for (size_t at = (size_t)number % step; at < sizes[k]; at += step) {
                parts[k][at] ^= 0x10;
                if (check(&wrong, u) == LKS_OK || wrong)
                    fail_msg("%s, case %d: passes with another byte %zu of %s of opening %zu", file,
                             number, at, k ? "the path" : "the bytes", i);
                parts[k][at] ^= 0x10;
            }
    }
}

static void test_file(const char *name, bool has_errors)
{
    vector_file f;
    size_t rights = 0, wrongs = 0, errors = 0;
    int number = 0;
    vectors_open(&f, name);
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c), number++) {
        unit_case u;
        read_case(&u, &f, c);
        bool wrong = true,
             shows = lks_json_equals(&f.doc, lks_json_member(&f.doc, c, "expected"), "wrong");
        lks_err want = expected_error(&f, c), err = check(&wrong, &u);
        if (err != want || (!err && wrong != shows))
            fail_msg("%s, case %d: %s (%s) instead of %s, wrong %d", name, number,
                     lks_err_name(err), err ? lks_error_message() : "", lks_err_name(want), wrong);
        if (!err)
            other_bytes_are_refused(&u, number ? MANY : 1, name, number);
        *(err ? &errors : wrong ? &wrongs : &rights) += 1;
        free_case(&u);
    }
    vectors_close(&f);
    assert_true(has_errors ? errors > 10 : wrongs > 4);
    print_message("%s: %zu wrong, %zu right, %zu refused\n", name, wrongs, rights, errors);
}

static void test_llama(void **state)
{
    (void)state;
    test_file("units/llama.json", false);
}
static void test_others(void **state)
{
    (void)state;
    test_file("units/others.json", false);
}
static void test_types(void **state)
{
    (void)state;
    test_file("units/types.json", false);
}
static void test_special(void **state)
{
    (void)state;
    test_file("units/special.json", false);
}
static void test_partials(void **state)
{
    (void)state;
    test_file("units/partials.json", false);
}
static void test_tokens(void **state)
{
    (void)state;
    test_file("units/tokens.json", false);
}
static void test_unlisted(void **state)
{
    (void)state;
    test_file("units/unlisted.json", false);
}
static void test_refused(void **state)
{
    (void)state;
    test_file("units/refused.json", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_llama),    cmocka_unit_test(test_others),
        cmocka_unit_test(test_types),    cmocka_unit_test(test_special),
        cmocka_unit_test(test_partials), cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_unlisted), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
