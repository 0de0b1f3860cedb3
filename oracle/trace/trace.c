#include "oracle/trace/trace_internal.h"

#include "oracle/trace/openings.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ---- */

static lks_err check_run(const lks_model *m, const lks_run *r)
{
    const lks_program *p = &m->program;
    if (r->prompt_count == 0 || r->answer_count == 0)
        return lks_fail(LKS_BADARGS,
                        "the prompt has %zu tokens and the answer %zu; both must have at least 1",
                        r->prompt_count, r->answer_count);
    if (r->prompt_count > p->max_positions ||
        r->answer_count > p->max_positions - r->prompt_count + 1)
        return lks_fail(
            LKS_BADARGS,
            "a prompt of %zu tokens and an answer of %zu do not fit the model's %u positions",
            r->prompt_count, r->answer_count, p->max_positions);
    for (size_t i = 0; i < r->prompt_count; i++)
        if (r->prompt[i] >= p->vocab_size)
            return lks_fail(LKS_BADARGS, "prompt token %zu is %u; the vocabulary has %u", i,
                            r->prompt[i], p->vocab_size);
    for (size_t i = 0; i < r->answer_count; i++)
        if (r->answer[i] >= p->vocab_size)
            return lks_fail(LKS_BADARGS, "answer token %zu is %u; the vocabulary has %u", i,
                            r->answer[i], p->vocab_size);
    return LKS_OK;
}

static lks_err copy_run(lks_trace *t, const lks_run *r)
{
    size_t p = r->prompt_count, n = r->answer_count, allowed = r->policy.allowed_count;
    t->positions = (uint32_t)(p + n - 1);
    t->sampled = (uint32_t)n;
    t->ids = malloc((p + n) * sizeof *t->ids);
    t->tokens = calloc(n, sizeof *t->tokens);
    t->allowed = allowed ? malloc(allowed * sizeof *t->allowed) : NULL;
    if (!t->ids || !t->tokens || (allowed && !t->allowed))
        return lks_fail(LKS_NOMEM, "out of memory");
    memcpy(t->ids, r->prompt, p * sizeof *t->ids);
    memcpy(t->ids + p, r->answer, n * sizeof *t->ids);
    if (allowed)
        memcpy(t->allowed, r->policy.allowed, allowed * sizeof *t->allowed);
    t->run = (lks_run){t->ids, p, t->ids + p, n, r->policy};
    t->run.policy.allowed = t->allowed;
    return lks_policy_decode(&t->sampling, &t->run.policy, t->model->program.vocab_size);
}

static lks_err plan_leaves(lks_trace *t)
{
    const lks_program *p = &t->model->program;
    t->shapes = calloc(p->op_count, sizeof *t->shapes);
    t->first_leaf = calloc((size_t)p->op_count + 1, sizeof *t->first_leaf);
    t->first_byte = calloc((size_t)p->op_count + 1, sizeof *t->first_byte);
    t->roots = calloc(p->op_count, sizeof *t->roots);
    if (!t->shapes || !t->first_leaf || !t->first_byte || !t->roots)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (uint32_t i = 0; i < p->op_count; i++) {
        lks_shape *s = &t->shapes[i];
        lks_shape_output(s, &p->ops[i], t->positions, t->sampled);
        uint64_t rows = (uint64_t)s->rows * (s->heads ? s->heads : 1);
        t->first_leaf[i + 1] = t->first_leaf[i] + rows * s->chunks;
        t->first_byte[i + 1] = t->first_byte[i] + rows * s->row_size;
    }
    if (!(t->leaves = malloc(t->first_leaf[p->op_count] * sizeof *t->leaves)))
        return lks_fail(LKS_NOMEM, "out of memory for the %llu hashes of the trace",
                        (unsigned long long)t->first_leaf[p->op_count]);
    return LKS_OK;
}

void lks_trace_drop_rows(lks_trace *t)
{
    snprintf(t->rows_fault, sizeof t->rows_fault, "%s", lks_error_message());
    lks_spill_file_close(&t->rows);
}

typedef struct maker {
    lks_trace_pass pass; /* first: the callbacks get a pointer to it */
    lks_trace *trace;
    lks_trace_hasher *hasher;
} maker;

static void make_output(lks_trace_pass *p, uint32_t op, const lks_op_output *o, uint32_t first_row)
{
    lks_trace_hasher_output(((maker *)p)->hasher, op, o, first_row);
}

static void make_sample(lks_trace_pass *p, uint32_t row, const lks_sample_row *sample,
                        uint32_t token)
{
    maker *m = (maker *)p;
    m->trace->tokens[row] = token;
    if (m->hasher)
        lks_trace_hasher_sample(m->hasher, row, sample);
}

static lks_err compute(lks_trace *t)
{
    maker m = {{.trace = t,
                .output = t->tokens_only ? NULL : make_output,
                .sample = make_sample,
                .positions = t->positions},
               t,
               NULL};
    lks_err err = lks_trace_pass_open(&m.pass);
    if (!err && !t->tokens_only)
        err = lks_trace_hasher_open(&m.hasher, t, lks_session_pool(m.pass.session));
    if (!err)
        err = lks_trace_pass_run(&m.pass);
    if (!err && m.hasher)
        lks_trace_hasher_finish(m.hasher);
    lks_trace_hasher_close(m.hasher);
    lks_trace_pass_close(&m.pass);
    return err;
}

lks_err lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                       const lks_trace_options *options)
{
    static const lks_trace_options defaults = {0};
    const lks_trace_options *o = options ? options : &defaults;
    *out = NULL;
    lks_err err = check_run(m, run);
    if (err)
        return err;
    lks_trace *t = calloc(1, sizeof *t);
    if (!t)
        return lks_fail(LKS_NOMEM, "out of memory");
    t->model = m;
    t->threads = o->threads;
    lks_trace_hand_over(t, o->cancel, o->before_pass, o->user);
    t->tokens_only = o->tokens_only;
    err = copy_run(t, run);
    if (!err && !t->tokens_only)
        err = plan_leaves(t);
    if (!err && !t->tokens_only && o->spill &&
        lks_spill_file_open(&t->rows, o->spill, lks_trace_size(t)))
        lks_trace_drop_rows(t);
    if (!err)
        err = compute(t);
    if (err)
        lks_trace_free(t);
    else
        *out = t;
    return err;
}

bool lks_trace_plan(lks_trace_needs *out, const lks_model *m, size_t prompt, size_t answer,
                    unsigned threads)
{
    const lks_program *p = &m->program;
    uint64_t leaves = 0, longest = 0;
    *out = (lks_trace_needs){0};
    if (prompt == 0 || answer == 0 || prompt + answer - 1 > p->max_positions)
        return false;
    uint32_t positions = (uint32_t)(prompt + answer - 1);
    for (uint32_t i = 0; i < p->op_count; i++) {
        lks_shape s;
        lks_shape_output(&s, &p->ops[i], positions, (uint32_t)answer);
        uint64_t rows = (uint64_t)s.rows * (s.heads ? s.heads : 1);
        leaves += rows * s.chunks;
        out->rows += rows * s.row_size;
        longest = s.row_size > longest ? s.row_size : longest;
    }
    uint64_t session = lks_trace_pass_bytes(m, positions, threads);
    out->kept = leaves * 32 + (prompt + 2 * answer) * sizeof(uint32_t) +
                p->op_count * (sizeof(lks_shape) + 2 * sizeof(uint64_t) + 32);
    out->pass = session + lks_pool_size(threads) * (uint64_t)(2 * 16384 + 16 * longest);
    return session != UINT64_MAX;
}

void lks_trace_free(lks_trace *t)
{
    if (!t)
        return;
    lks_spill_file_close(&t->rows);
    free(t->ids);
    free(t->allowed);
    free(t->tokens);
    free(t->shapes);
    free(t->first_leaf);
    free(t->first_byte);
    free(t->roots);
    free(t->leaves);
    free(t);
}

void lks_trace_hand_over(lks_trace *t, const atomic_bool *cancel, int (*before_pass)(void *user),
                         void *user)
{
    t->cancel = cancel;
    t->before_pass = before_pass;
    t->user = user;
}

/* ---- What it holds ---- */

const lks_run *lks_trace_run(const lks_trace *t)
{
    return &t->run;
}
const lks_model *lks_trace_model(const lks_trace *t)
{
    return t->model;
}
const uint32_t *lks_trace_tokens(const lks_trace *t)
{
    return t->tokens;
}

uint32_t lks_trace_first_wrong_token(const lks_trace *t)
{
    uint32_t i = 0;
    while (i < t->sampled && t->tokens[i] == t->run.answer[i])
        i++;
    return i;
}

void lks_trace_shape(lks_shape *s, const lks_trace *t, uint32_t op)
{
    assert(!t->tokens_only && op < t->model->program.op_count);
    *s = t->shapes[op];
}

void lks_trace_node(uint8_t hash32[32], const lks_trace *t, uint32_t op, unsigned height,
                    uint64_t index)
{
    uint32_t ops = t->model->program.op_count;
    assert(!t->tokens_only && (op < ops || op == LKS_TOP));
    if (op == LKS_TOP)
        lks_top_node(hash32, LKS_TREE_TRACE, t->roots, ops, height, index);
    else if (height == t->shapes[op].height && index == 0)
        memcpy(hash32, t->roots[op], 32);
    else
        lks_item_node(hash32, LKS_TREE_TRACE, &t->shapes[op], t->leaves + t->first_leaf[op], height,
                      index);
}

void lks_trace_root(uint8_t hash32[32], const lks_trace *t)
{
    lks_trace_node(hash32, t, LKS_TOP, lks_log2_ceil(t->model->program.op_count), 0);
}

uint64_t lks_trace_leaf_count(const lks_trace *t)
{
    assert(!t->tokens_only);
    return t->first_leaf[t->model->program.op_count];
}

uint64_t lks_trace_size(const lks_trace *t)
{
    assert(!t->tokens_only);
    return t->first_byte[t->model->program.op_count];
}

bool lks_trace_keeps_rows(const lks_trace *t)
{
    return t->rows.spill != NULL;
}

const char *lks_trace_rows_fault(const lks_trace *t)
{
    return t->rows_fault[0] ? t->rows_fault : NULL;
}
