/* Whole answers against the second implementation, tokens and the trace of every operation; and
 * that no bit depends on the batch, the threads or the moment at which a position was computed. */
#include "tests/model/tiny_models.h"

#include "oracle/engine/engine.h"
#include "oracle/engine/generate.h"
#include "oracle/trace/commit.h"
#include "oracle/trace/trace.h"

static const unsigned batches[] = {1, 2, 7, 512}, thread_counts[] = {1, 2, 3};
static bool once; /* one batch size and one number of threads */

typedef struct run {
    uint32_t *prompt, *answer, *allowed, max_tokens;
    size_t prompt_count, answer_count;
    lks_policy policy;
} run;

static run run_read(const vector_file *f, int c)
{
    run r = {.max_tokens = (uint32_t)vector_u64(f, c, "maxTokens")};
    r.prompt = vector_list(f, c, "prompt", &r.prompt_count);
    r.answer = vector_list(f, c, "answer", &r.answer_count);
    r.policy.temperature = (uint32_t)vector_u64(f, c, "temperature");
    r.policy.min_p = (uint32_t)vector_u64(f, c, "minP");
    r.policy.seed = vector_u64(f, c, "seed");
    if (vector_has(f, c, "allowed"))
        r.policy.allowed = r.allowed = vector_list(f, c, "allowed", &r.policy.allowed_count);
    return r;
}

static void run_free(run *r)
{
    free(r->prompt);
    free(r->answer);
    free(r->allowed);
}

static void check_answer(const tiny_model *m, const run *r)
{
    for (size_t b = once ? 3 : 0; b < LKS_COUNT(batches); b++)
        for (size_t t = once ? 2 : 0; t < LKS_COUNT(thread_counts); t++) {
            lks_generate_options o = {.threads = thread_counts[t], .batch = batches[b]};
            uint32_t tokens[64], count;
            assert_true(r->max_tokens <= LKS_COUNT(tokens));
            OK(lks_generate(&m->model, r->prompt, r->prompt_count, &r->policy, r->max_tokens, &o,
                            tokens, &count));
            if (count != r->answer_count)
                fail_msg("%s: %u tokens instead of %zu (batch %u, threads %u)", m->name, count,
                         r->answer_count, batches[b], thread_counts[t]);
            assert_bytes(tokens, r->answer, 4 * count, m->name);
        }
}

static void check_trace(const tiny_model *m, const run *r, const vector_file *f, int c)
{
    uint32_t ops = m->model.program.op_count;
    int list = lks_json_member(&f->doc, c, "roots");
    lks_run claim = {r->prompt, r->prompt_count, r->answer, r->answer_count, r->policy};
    assert_int_equal(lks_json_size(&f->doc, list), ops);
    for (size_t k = once ? 2 : 0; k < LKS_COUNT(thread_counts); k++) {
        lks_trace *t;
        lks_trace_options o = {.threads = thread_counts[k]};
        uint8_t root[32], want[32];
        OK(lks_trace_make(&t, &m->model, &claim, &o));
        assert_int_equal(lks_trace_first_wrong_token(t), r->answer_count);
        int n = lks_json_first(&f->doc, list);
        for (uint32_t i = 0; i < ops; i++, n = lks_json_next(&f->doc, n)) {
            lks_shape shape;
            lks_trace_shape(&shape, t, i);
            lks_trace_node(root, t, i, shape.height, 0);
            OK(lks_json_data_fixed(&f->doc, n, want, 32));
            if (memcmp(root, want, 32))
                fail_msg("%s: the trace of operation %u (%s) differs, threads %u", m->name, i,
                         lks_op_name(m->model.program.ops[i].code), thread_counts[k]);
        }
        lks_trace_root(root, t);
        vector_hash(f, c, "traceRoot", want);
        assert_memory_equal(root, want, 32);
        lks_trace_free(t);
    }
}

static void check_runs(const tiny_model *m)
{
    vector_file f;
    tiny_vectors(&f, m, "runs");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        run r = run_read(&f, c);
        uint8_t hash[32], want[32];
        check_answer(m, &r);
        check_trace(m, &r, &f, c);
        tiny_tokens_hash(hash, r.answer, r.answer_count);
        vector_hash(&f, c, "tokensHash", want);
        assert_memory_equal(hash, want, 32);
        run_free(&r);
    }
    vectors_close(&f);
}

static void test_runs(void **state)
{
    (void)state;
    each_tiny_model(check_runs);
}

/* ---- Every row of every operation, for each way of computing it ---- */

enum {
    POSITIONS = 41
};

typedef struct recorder {
    const lks_program *program;
    uint8_t **rows;   /* by operation: POSITIONS rows (KV: kv_heads times), in the bytes that the
                         engine gave */
    uint32_t *filled; /* by operation */
} recorder;

static void keep_row(uint8_t *out, const lks_op *op, const lks_op_output *o, size_t at, size_t t)
{
    if (op->form != LKS_FORM_A8) {
        memcpy(out, o->f32 + t * op->width, 4 * op->width);
        return;
    }
    const lks_a8 *a = &o->a8;
    memcpy(out, a->d + at * a->d_ld, 4 * a->blocks);
    memcpy(out + 4 * a->blocks, a->idx + at * a->d_ld, 4 * a->blocks);
    memcpy(out + 8 * a->blocks, a->q + at * a->q_ld, a->width);
}

static void record(void *user, uint32_t index, const lks_op_output *o)
{
    recorder *r = user;
    const lks_op *op = &r->program->ops[index];
    size_t size = lks_op_row_size(op), heads = op->kind == LKS_ROWS_KV ? op->kv_heads : 1;
    size_t first = op->kind == LKS_ROWS_SAMPLED ? r->filled[index] : o->first;
    assert_true(first + o->rows <= POSITIONS);
    for (size_t h = 0; h < heads; h++)
        for (size_t t = 0; t < o->rows; t++)
            keep_row(r->rows[index] + (h * POSITIONS + first + t) * size, op, o,
                     heads > 1 || op->kind == LKS_ROWS_KV ? h * o->head_rows + first + t : t, t);
    r->filled[index] += (uint32_t)o->rows;
}

static recorder recorder_new(const lks_program *p)
{
    recorder r = {p, calloc(p->op_count, sizeof *r.rows), calloc(p->op_count, sizeof *r.filled)};
    assert_non_null(r.rows);
    assert_non_null(r.filled);
    for (uint32_t i = 0; i < p->op_count; i++) {
        r.rows[i] = calloc(POSITIONS * (p->ops[i].kind == LKS_ROWS_KV ? p->ops[i].kv_heads : 1),
                           lks_op_row_size(&p->ops[i]));
        assert_non_null(r.rows[i]);
    }
    return r;
}

static void recorder_free(recorder *r)
{
    for (uint32_t i = 0; i < r->program->op_count; i++)
        free(r->rows[i]);
    free(r->rows);
    free(r->filled);
}

/* Computes POSITIONS positions, `step` at a call (0: all at once), a batch at a pass. logits: of
 * the last position. */
static void compute(recorder *r, float *logits, const tiny_model *m, const lks_kernels *kernels,
                    unsigned batch, unsigned threads, size_t step)
{
    uint32_t ids[POSITIONS];
    for (uint32_t i = 0; i < POSITIONS; i++)
        ids[i] = i * 37 % m->model.program.vocab_size;
    lks_session *s;
    lks_session_options o = {.threads = threads,
                             .batch = batch,
                             .max_positions = POSITIONS,
                             .kernels = kernels,
                             .hook = record,
                             .user = r};
    OK(lks_session_open(&s, &m->model, &o));
    for (size_t at = 0; at < POSITIONS;) {
        size_t count = step && step < POSITIONS - at ? step : POSITIONS - at;
        OK(lks_session_forward(s, ids + at, count, at + count == POSITIONS));
        at += count;
    }
    assert_int_equal(lks_session_positions(s), POSITIONS);
    lks_session_logits(s, 0, logits);
    lks_session_close(s);
}

static void compare(const tiny_model *m, const recorder *a, const recorder *b)
{
    const lks_program *p = a->program;
    for (uint32_t i = 0; i + 1 < p->op_count; i++) {
        const lks_op *op = &p->ops[i];
        char what[128];
        snprintf(what, sizeof what, "%s, operation %u (%s)", m->name, i, lks_op_name(op->code));
        assert_int_equal(a->filled[i], op->kind == LKS_ROWS_SAMPLED ? 1 : POSITIONS);
        assert_int_equal(b->filled[i], a->filled[i]);
        assert_bytes(b->rows[i], a->rows[i],
                     POSITIONS * (op->kind == LKS_ROWS_KV ? op->kv_heads : 1) * lks_op_row_size(op),
                     what);
    }
}

static void check_independence(const tiny_model *m)
{
    uint32_t vocab = m->model.program.vocab_size;
    recorder whole = recorder_new(&m->model.program);
    float *want = guard_new(vocab * sizeof *want), *logits = guard_new(vocab * sizeof *logits);
    compute(&whole, want, m, &lks_kernels_scalar, 512, 1, 0);
    const struct {
        unsigned batch, threads;
        size_t step;
    } ways[] = {{1, 1, 0}, {2, 3, 0}, {7, 2, 0}, {512, 3, 0}, {512, 2, 1}, {16, 2, 5}, {7, 3, 33}};
    for (size_t i = 0; i < LKS_COUNT(ways); i++) {
        recorder r = recorder_new(&m->model.program);
        compute(&r, logits, m, NULL, ways[i].batch, ways[i].threads, ways[i].step);
        compare(m, &whole, &r);
        assert_floats(logits, want, vocab, false, "logits");
        recorder_free(&r);
    }
    guard_free(want);
    guard_free(logits);
    recorder_free(&whole);
}

static void test_independence(void **state)
{
    (void)state;
    each_tiny_model(check_independence);
}

/* `test_vectors_runs once`: each run once, for slow machines. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs),
                                       cmocka_unit_test(test_independence)},
                            few[] = {cmocka_unit_test(test_runs)};
    once = argc > 1 && strcmp(argv[1], "once") == 0;
    return once ? cmocka_run_group_tests(few, NULL, NULL)
                : cmocka_run_group_tests(tests, NULL, NULL);
}
