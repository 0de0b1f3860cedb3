/* The trace against a naive one: every row from one pass over all positions at once, every node by
 * its definition, from the leaves up, again for each. */
#include "kernels/bits.h"
#include "oracle/engine/generate.h"
#include "tests/model/tiny_models.h"

#include "chain/keccak.h"
#include "oracle/engine/engine.h"
#include "oracle/engine/policy.h"
#include "oracle/trace/openings.h"
#include "oracle/trace/trace.h"

#include <pthread.h>
#include <unistd.h>

static unsigned log2_ceil(uint64_t n)
{
    unsigned bits = 0;
    for (; n > (uint64_t)1 << bits; bits++) {
    }
    return bits;
}

/* ---- The naive trace ---- */

typedef struct naive {
    const lks_model *model;
    uint32_t positions, sampled;
    uint8_t **rows; /* by operation: [head][row][size] */
    uint32_t *tokens;
} naive;

static uint32_t naive_rows(const naive *n, uint32_t op)
{
    return n->model->program.ops[op].kind == LKS_ROWS_SAMPLED ? n->sampled : n->positions;
}

static uint32_t naive_heads(const naive *n, uint32_t op)
{
    const lks_op *o = &n->model->program.ops[op];
    return o->kind == LKS_ROWS_KV ? o->kv_heads : 1;
}

static void put_u32(uint8_t **p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        *(*p)++ = (uint8_t)(v >> 8 * i);
}

static void naive_hook(void *user, uint32_t op, const lks_op_output *o)
{
    const naive *n = user;
    const lks_op *d = &n->model->program.ops[op];
    uint8_t *p = n->rows[op];
    assert_int_equal(o->rows, naive_rows(n, op));
    for (uint32_t h = 0; h < naive_heads(n, op); h++)
        for (size_t t = 0; t < o->rows; t++) {
            size_t at = d->kind == LKS_ROWS_KV ? h * o->head_rows + t : t;
            for (uint32_t i = 0; d->form != LKS_FORM_A8 && i < d->width; i++)
                put_u32(&p, lks_bits(o->f32[at * d->width + i]));
            for (uint32_t b = 0; d->form == LKS_FORM_A8 && b < o->a8.blocks; b++) {
                put_u32(&p, lks_bits(o->a8.d[at * o->a8.d_ld + b]));
                put_u32(&p, o->a8.idx[at * o->a8.d_ld + b]);
            }
            for (uint32_t i = 0; d->form == LKS_FORM_A8 && i < d->width; i++)
                *p++ = (uint8_t)o->a8.q[at * o->a8.q_ld + i];
        }
}

static void naive_make(naive *n, const lks_model *m, const lks_run *r)
{
    const lks_program *p = &m->program;
    *n = (naive){m, (uint32_t)(r->prompt_count + r->answer_count - 1), (uint32_t)r->answer_count,
                 calloc(p->op_count, sizeof *n->rows), calloc(r->answer_count, sizeof *n->tokens)};
    assert_non_null(n->rows);
    assert_non_null(n->tokens);
    for (uint32_t i = 0; i < p->op_count; i++) {
        n->rows[i] =
            malloc((size_t)naive_heads(n, i) * naive_rows(n, i) * lks_op_row_size(&p->ops[i]));
        assert_non_null(n->rows[i]);
    }
    uint32_t *ids = malloc(n->positions * sizeof *ids);
    float *logits = malloc(p->vocab_size * sizeof *logits);
    assert_non_null(ids);
    assert_non_null(logits);
    for (uint32_t i = 0; i < n->positions; i++)
        ids[i] = i < r->prompt_count ? r->prompt[i] : r->answer[i - r->prompt_count];
    lks_session *s;
    lks_session_options o = {.threads = 1,
                             .batch = n->positions,
                             .max_positions = n->positions,
                             .hook = naive_hook,
                             .user = n};
    OK(lks_session_open(&s, m, &o));
    OK(lks_session_forward(s, ids, n->positions, n->sampled));
    lks_sampling policy;
    OK(lks_policy_decode(&policy, &r->policy, p->vocab_size));
    uint8_t *out = n->rows[p->op_count - 1];
    for (uint32_t i = 0; i < n->sampled; i++) {
        lks_sample_row row;
        lks_session_logits(s, i, logits);
        lks_kernels_scalar.sample_max(&row, logits, p->vocab_size, &policy);
        put_u32(&out, lks_bits(row.max));
        put_u32(&out, row.index);
        n->tokens[i] = lks_kernels_scalar.sample_choose(&row, logits, p->vocab_size, &policy,
                                                        (uint32_t)r->prompt_count + i);
    }
    lks_session_close(s);
    free(ids);
    free(logits);
}

static void naive_free(naive *n)
{
    for (uint32_t i = 0; i < n->model->program.op_count; i++)
        free(n->rows[i]);
    free(n->rows);
    free(n->tokens);
}

/* The bytes of a place, or NULL for padding. */
static const uint8_t *naive_chunk(size_t *len, const naive *n, uint32_t op, uint64_t place)
{
    size_t size = lks_op_row_size(&n->model->program.ops[op]), chunks = (size + 1023) / 1024,
           rows = naive_rows(n, op);
    uint64_t row = place >> log2_ceil(chunks), chunk = place % ((uint64_t)1 << log2_ceil(chunks)),
             head = 0;
    if (n->model->program.ops[op].kind == LKS_ROWS_KV) {
        head = row >> log2_ceil(rows);
        row %= (uint64_t)1 << log2_ceil(rows);
    }
    if (chunk >= chunks || row >= rows || head >= naive_heads(n, op))
        return NULL;
    *len = chunk + 1 < chunks ? 1024 : size - 1024 * (chunks - 1);
    return n->rows[op] + (head * rows + row) * size + 1024 * chunk;
}

static unsigned naive_height(const naive *n, uint32_t op)
{
    bool kv = n->model->program.ops[op].kind == LKS_ROWS_KV;
    return log2_ceil((lks_op_row_size(&n->model->program.ops[op]) + 1023) / 1024) +
           log2_ceil(naive_rows(n, op)) + (kv ? log2_ceil(naive_heads(n, op)) : 0);
}

static void naive_node(uint8_t hash32[32], const naive *n, uint32_t op, unsigned height,
                       uint64_t index)
{
    uint8_t message[1 + 1024];
    size_t len;
    const uint8_t *chunk = naive_chunk(&len, n, op, index << height);
    message[0] = (uint8_t)(8 + (!chunk ? 3 : height ? 1 : 0));
    message[1] = (uint8_t)height;
    if (!chunk) {
        lks_keccak256(hash32, message, 2);
    } else if (height == 0) {
        memcpy(message + 1, chunk, len);
        lks_keccak256(hash32, message, 1 + len);
    } else {
        naive_node(message + 2, n, op, height - 1, 2 * index);
        naive_node(message + 34, n, op, height - 1, 2 * index + 1);
        lks_keccak256(hash32, message, 66);
    }
}

static void naive_top(uint8_t hash32[32], const naive *n, unsigned height, uint64_t index)
{
    uint8_t message[66] = {8 + 2, (uint8_t)height};
    if (index << height >= n->model->program.op_count) {
        message[0] = 8 + 4;
        lks_keccak256(hash32, message, 2);
    } else if (height == 0) {
        naive_node(hash32, n, (uint32_t)index, naive_height(n, (uint32_t)index), 0);
    } else {
        naive_top(message + 2, n, height - 1, 2 * index);
        naive_top(message + 34, n, height - 1, 2 * index + 1);
        lks_keccak256(hash32, message, 66);
    }
}

/* ---- Runs ---- */

typedef struct tokens {
    uint32_t prompt[1024], answer[1024];
} tokens;

/* A claim that no model would make, most of whose tokens are wrong. */
static lks_run make_run(tokens *ids, const tiny_model *m, uint32_t prompt, uint32_t answer)
{
    for (uint32_t i = 0; i < prompt; i++)
        ids->prompt[i] = i * 37 % m->model.program.vocab_size;
    for (uint32_t i = 0; i < answer; i++)
        ids->answer[i] = i * 53 % m->model.program.vocab_size;
    return (lks_run){
        ids->prompt, prompt, ids->answer, answer, {.temperature = 0x3f800000, .seed = 7}};
}

static lks_trace *make(const tiny_model *m, const lks_run *r, unsigned threads, const char *spill)
{
    lks_trace *t;
    lks_trace_options o = {.threads = threads};
    if (spill)
        OK(lks_spill_open(&o.spill, spill, UINT64_MAX));
    OK(lks_trace_make(&t, &m->model, r, &o));
    lks_spill_close(o.spill);
    assert_true(lks_trace_keeps_rows(t) == (spill != NULL) && !lks_trace_rows_fault(t));
    return t;
}

static void check_place(const lks_trace *t, const naive *n, uint32_t op, unsigned height,
                        uint64_t index)
{
    uint8_t got[32], want[32];
    lks_trace_node(got, t, op, height, index);
    if (op == LKS_TOP)
        naive_top(want, n, height, index);
    else
        naive_node(want, n, op, height, index);
    if (memcmp(got, want, 32))
        fail_msg("node (%u, %u, %llu) differs", op, height, (unsigned long long)index);
}

static uint64_t random_below(uint64_t *state, uint64_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % n;
}

/* all: every node; else some of every height. */
static void check_nodes(const lks_trace *t, const naive *n, bool all)
{
    uint32_t ops = n->model->program.op_count;
    uint64_t state = 1;
    for (uint32_t op = 0; op <= ops; op++) {
        unsigned top = op == ops ? log2_ceil(ops) : naive_height(n, op);
        for (unsigned h = 0; h <= top; h++) {
            uint64_t count = (uint64_t)1 << (top - h);
            for (uint64_t i = 0; i < (all ? count : 3); i++)
                check_place(t, n, op == ops ? LKS_TOP : op, h,
                            all ? i : random_below(&state, count));
        }
    }
    uint8_t root[32], want[32];
    lks_trace_root(root, t);
    naive_top(want, n, log2_ceil(ops), 0);
    assert_memory_equal(root, want, 32);
}

static void check_sizes(const lks_trace *t, const naive *n)
{
    uint64_t leaves = 0, bytes = 0;
    for (uint32_t op = 0; op < n->model->program.op_count; op++) {
        uint64_t rows = (uint64_t)naive_heads(n, op) * naive_rows(n, op),
                 size = lks_op_row_size(&n->model->program.ops[op]);
        lks_shape s;
        lks_trace_shape(&s, t, op);
        assert_int_equal(s.height, naive_height(n, op));
        for (uint64_t i = 0; i < (uint64_t)1 << s.height; i++) {
            uint32_t got = 0;
            size_t len = 0;
            bool there = naive_chunk(&len, n, op, i) != NULL;
            assert_int_equal(lks_shape_leaf(&got, &s, i), there);
            assert_int_equal(got, len);
        }
        assert_false(lks_shape_node(&s, 0, (uint64_t)1 << s.height));
        assert_false(lks_shape_node(&s, s.height + 1, 0));
        leaves += rows * ((size + 1023) / 1024);
        bytes += rows * size;
    }
    assert_int_equal(lks_trace_leaf_count(t), leaves);
    assert_int_equal(lks_trace_size(t), bytes);
}

/* ---- Rows again ---- */

/* Every `step`-th row of every operation, asked for from the last to the first, each twice. */
static void check_rows(lks_trace *t, const naive *n, uint32_t step)
{
    size_t room = 0, count = 0;
    for (uint32_t op = 0; op < n->model->program.op_count; op++)
        room += 2 * (size_t)naive_heads(n, op) * naive_rows(n, op);
    lks_trace_row *rows = calloc(room, sizeof *rows);
    const uint8_t **want = calloc(room, sizeof *want);
    assert_non_null(rows);
    assert_non_null(want);
    for (uint32_t op = n->model->program.op_count; op-- > 0;)
        for (uint32_t head = 0; head < naive_heads(n, op); head++)
            for (uint32_t row = naive_rows(n, op); row-- > 0;)
                for (int twice = 0; row % step == 0 && twice < 2; twice++) {
                    size_t size = lks_op_row_size(&n->model->program.ops[op]);
                    bool kv = n->model->program.ops[op].kind == LKS_ROWS_KV;
                    rows[count] = (lks_trace_row){
                        op, (kv ? head << log2_ceil(n->positions) : 0) | row, guard_new(size)};
                    want[count++] = n->rows[op] + ((size_t)head * naive_rows(n, op) + row) * size;
                }
    assert_true(count <= room);
    OK(lks_trace_rows(t, rows, count));
    for (size_t i = 0; i < count; i++) {
        if (memcmp(rows[i].bytes, want[i], lks_op_row_size(&n->model->program.ops[rows[i].op])))
            fail_msg("row %u of operation %u differs when it is read again", rows[i].row,
                     rows[i].op);
        guard_free(rows[i].bytes);
    }
    free(rows);
    free(want);
}

/* Each operation's last row alone: the pass stops after it. */
static void check_single_rows(lks_trace *t, const naive *n)
{
    for (uint32_t op = 0; op < n->model->program.op_count; op++) {
        size_t size = lks_op_row_size(&n->model->program.ops[op]);
        uint32_t rows = naive_rows(n, op);
        lks_trace_row one = {op, rows / 2, guard_new(size)};
        OK(lks_trace_rows(t, &one, 1));
        assert_memory_equal(one.bytes, n->rows[op] + (size_t)(rows / 2) * size, size);
        guard_free(one.bytes);
    }
    lks_shape s;
    lks_trace_shape(&s, t, 0);
    lks_trace_row none = {0, s.rows, NULL};
    assert_int_equal(lks_trace_rows(t, &none, 1), LKS_BADARGS);
    none = (lks_trace_row){n->model->program.op_count, 0, NULL};
    assert_int_equal(lks_trace_rows(t, &none, 1), LKS_BADARGS);
}

static void check_tokens(const tiny_model *m, const lks_run *r, const lks_trace *t, const naive *n)
{
    lks_trace *alone;
    lks_trace_options o = {.threads = 2, .tokens_only = true};
    uint32_t wrong = 0;
    while (wrong < n->sampled && n->tokens[wrong] == r->answer[wrong])
        wrong++;
    assert_memory_equal(lks_trace_tokens(t), n->tokens, 4 * n->sampled);
    assert_int_equal(lks_trace_first_wrong_token(t), wrong);
    OK(lks_trace_make(&alone, &m->model, r, &o));
    assert_memory_equal(lks_trace_tokens(alone), n->tokens, 4 * n->sampled);
    lks_trace_row row = {0};
    assert_int_equal(lks_trace_rows(alone, &row, 1), LKS_BADARGS);
    lks_trace_free(alone);
}

static void check_short(const tiny_model *m)
{
    static const uint32_t shapes[][2] = {{1, 1}, {5, 4}, {9, 3}, {1, 33}};
    tokens ids;
    for (size_t i = 0; i < LKS_COUNT(shapes); i++) {
        lks_run r = make_run(&ids, m, shapes[i][0], shapes[i][1]);
        naive n;
        naive_make(&n, &m->model, &r);
        lks_trace *t = make(m, &r, 2, NULL);
        check_sizes(t, &n);
        check_nodes(t, &n, i < 3);
        check_rows(t, &n, 1);
        check_single_rows(t, &n);
        check_tokens(m, &r, t, &n);
        lks_trace_free(t);
        naive_free(&n);
    }
}

static void test_short(void **state)
{
    (void)state;
    each_tiny_model(check_short);
}

/* More positions than a batch: the batch's edge before, at and after the first sampled position. */
static void test_batches(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t prompt, answer;
    } cases[] = {{"factors", LKS_TRACE_BATCH + 40, 30},
                 {"factors", LKS_TRACE_BATCH, 2},
                 {"linear", 3, LKS_TRACE_BATCH + 20},
                 {"factors", LKS_TRACE_BATCH + 1, LKS_TRACE_BATCH},
                 {"head-2", 400, 300},
                 {"linear", LKS_TRACE_BATCH - 8, 8 + 1}};
    tokens ids;
    for (size_t i = 0; i < LKS_COUNT(cases); i++) {
        tiny_model m;
        naive n;
        tiny_open(&m, cases[i].name);
        lks_run r = make_run(&ids, &m, cases[i].prompt, cases[i].answer);
        naive_make(&n, &m.model, &r);
        for (unsigned threads = 1; threads <= 3; threads++) {
            lks_trace *t = make(&m, &r, threads, threads == 2 ? "/tmp" : NULL);
            check_nodes(t, &n, false);
            check_rows(t, &n, threads == 1 ? 1 : 29);
            if (threads == 2) /* from the spill file */
                check_single_rows(t, &n);
            check_tokens(&m, &r, t, &n);
            lks_trace_free(t);
        }
        naive_free(&n);
        lks_model_close(&m.model);
    }
}

/* ---- Arguments, cancelling, the spill file ---- */

static void test_arguments(void **state)
{
    (void)state;
    tiny_model m;
    tokens ids;
    tiny_open(&m, "q4-0");
    uint32_t vocab = m.model.program.vocab_size, room = m.model.program.max_positions;
    lks_trace *t;
    lks_run good = make_run(&ids, &m, 4, 3), r = good;
    r.prompt_count = 0;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    r = good, r.answer_count = 0;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    r = good, r.answer_count = SIZE_MAX;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    r = good, r.answer_count = room - 4 + 2;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    r = good, r.policy.temperature = 0x7fc00000;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    r = good, ids.prompt[2] = vocab;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    ids.prompt[2] = 0, ids.answer[2] = vocab;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, NULL), LKS_BADARGS);
    assert_null(t);
    ids.answer[2] = 0;
    /* The run is copied, its allowed list too. */
    uint32_t allowed[] = {3, 50, 200};
    r.policy.allowed = allowed, r.policy.allowed_count = 3;
    OK(lks_trace_make(&t, &m.model, &r, NULL));
    memset(&ids, 0xff, sizeof ids);
    memset(allowed, 0xff, sizeof allowed);
    assert_int_equal(lks_trace_run(t)->policy.allowed[1], 50);
    assert_int_equal(lks_trace_run(t)->answer[1], 53 % vocab);
    for (int i = 0; i < 3; i++)
        assert_true(lks_trace_tokens(t)[i] == 3 || lks_trace_tokens(t)[i] == 50 ||
                    lks_trace_tokens(t)[i] == 200);
    uint8_t sample[8];
    lks_trace_row row = {m.model.program.op_count - 1, 2, sample};
    OK(lks_trace_rows(t, &row, 1));
    assert_true(sample[4] == 3 || sample[4] == 50 || sample[4] == 200);
    lks_trace_free(t);
    lks_trace_free(NULL);
    lks_model_close(&m.model);
}

static void *cancel_later(void *flag)
{
    usleep(20000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void test_cancel(void **state)
{
    (void)state;
    tiny_model m;
    tokens ids;
    tiny_open(&m, "head-2");
    atomic_bool cancel = true;
    lks_trace *t;
    lks_trace_options o = {.threads = 2, .cancel = &cancel};
    lks_run r = make_run(&ids, &m, 4, 3);
    assert_int_equal(lks_trace_make(&t, &m.model, &r, &o), LKS_REFUSED);
    assert_null(t);
    atomic_store(&cancel, false);
    OK(lks_trace_make(&t, &m.model, &r, &o));
    uint8_t bytes[8];
    lks_trace_row row = {m.model.program.op_count - 1, 0, bytes};
    atomic_store(&cancel, true);
    assert_int_equal(lks_trace_rows(t, &row, 1), LKS_REFUSED);
    atomic_store(&cancel, false);
    OK(lks_trace_rows(t, &row, 1));
    lks_trace_free(t);
    /* In the middle: a claim that takes many seconds ends at once. */
    static uint32_t many[32000];
    pthread_t thread;
    r = (lks_run){many, 31000, many, 900, {0}};
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, &cancel), 0);
    assert_int_equal(lks_trace_make(&t, &m.model, &r, &o), LKS_REFUSED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    lks_model_close(&m.model);
}

/* Counts the passes; refuses the one after the last. */
typedef struct passes {
    int done, last;
} passes;

static int count_pass(void *user)
{
    passes *p = user;
    if (p->done == p->last)
        return 1;
    p->done++;
    return 0;
}

static void test_before_pass(void **state)
{
    (void)state;
    enum {
        PROMPT_LEN = 2 * LKS_TRACE_BATCH,
        ANSWER_LEN = 5
    };
    static uint32_t ids[PROMPT_LEN + ANSWER_LEN];
    uint8_t bytes[8];
    tiny_model m;
    lks_trace *t;
    passes first = {.last = 100}, second = {.last = 100}, refused = {.last = 2};
    tiny_open(&m, "head-2");
    lks_run r = {ids, PROMPT_LEN, ids + PROMPT_LEN, ANSWER_LEN, {0}};
    lks_trace_options o = {.threads = 2, .before_pass = count_pass, .user = &first};
    OK(lks_trace_make(&t, &m.model, &r, &o));
    assert_int_equal(first.done, 3);
    lks_trace_row row = {m.model.program.op_count - 1, 0, bytes}; /* of the last prompt position */
    OK(lks_trace_rows(t, &row, 1));
    assert_int_equal(first.done, 5);
    lks_trace_hand_over(t, NULL, count_pass, &second);
    OK(lks_trace_rows(t, &row, 1));
    assert_true(first.done == 5 && second.done == 2);
    second.last = 2;
    assert_int_equal(lks_trace_rows(t, &row, 1), LKS_REFUSED);
    lks_trace_free(t);
    o.user = &refused;
    assert_int_equal(lks_trace_make(&t, &m.model, &r, &o), LKS_REFUSED);
    assert_null(t);
    lks_model_close(&m.model);
}

static void test_before_pass_of_answer(void **state)
{
    (void)state;
    static const uint32_t prompt[7];
    uint32_t answer[4], count;
    tiny_model m;
    tiny_open(&m, "q4-0");
    passes p = {.last = 100};
    lks_policy greedy = {0};
    lks_generate_options o = {.threads = 1, .batch = 3, .before_pass = count_pass, .user = &p};
    OK(lks_generate(&m.model, prompt, 7, &greedy, 4, &o, answer, &count));
    assert_int_equal(p.done, 3 + count - 1);
    p = (passes){.last = 3};
    assert_int_equal(lks_generate(&m.model, prompt, 7, &greedy, 4, &o, answer, &count),
                     LKS_REFUSED);
    assert_true(p.done == 3 && count == 1);
    lks_model_close(&m.model);
}

static void test_spill(void **state)
{
    (void)state;
    char folder[] = "/tmp/lockstep-test-XXXXXX";
    tiny_model m;
    tokens ids;
    lks_trace *t;
    tiny_open(&m, "q4-0");
    lks_run r = make_run(&ids, &m, 4, 3);
    assert_non_null(mkdtemp(folder));
    t = make(&m, &r, 2, folder);
    assert_int_equal(rmdir(folder), 0); /* the file has no name */
    naive n;
    naive_make(&n, &m.model, &r);
    check_rows(t, &n, 1);
    naive_free(&n);
    lks_trace_free(t);
    lks_model_close(&m.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_short),
                                       cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_arguments),
                                       cmocka_unit_test(test_cancel),
                                       cmocka_unit_test(test_spill),
                                       cmocka_unit_test(test_before_pass),
                                       cmocka_unit_test(test_before_pass_of_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
