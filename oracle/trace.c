#include "oracle/trace.h"

#include "kernels/half.h"
#include "oracle/engine.h"
#include "oracle/policy.h"
#include "oracle/tree.h"

#include <stdlib.h>
#include <string.h>

typedef struct tracer {
    const lks_program *program;
    uint8_t (*roots)[32];
    uint8_t *row; /* room for the longest row */
    uint32_t positions;
} tracer;

static void put_f32(uint8_t **p, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++, *p += 4)
        lks_store_le32(*p, lks_bits(x[i]));
}

/* Row t of an output; an A8 row is a row of the view. */
static size_t serialise(uint8_t *bytes, const lks_op *op, const lks_op_output *o, const lks_a8 *a, size_t t)
{
    uint8_t *p = bytes;
    if (op->form != LKS_FORM_A8) {
        put_f32(&p, o->f32 + t * op->width, op->width);
        return (size_t)(p - bytes);
    }
    for (uint32_t b = 0; b < a->blocks; b++) {
        put_f32(&p, &a->d[t * a->d_ld + b], 1);
        lks_store_le32(p, a->idx[t * a->d_ld + b]);
        p += 4;
    }
    memcpy(p, a->q + t * a->q_ld, a->width);
    return (size_t)(p - bytes) + a->width;
}

static void hash_rows(lks_joiner *j, uint8_t *row, const lks_op *op, const lks_op_output *o, size_t first, size_t count)
{
    for (size_t t = first; t < first + count; t++) {
        uint8_t hash[32];
        size_t size = serialise(row, op, o, &o->a8, t);
        lks_tree_row(hash, LKS_TREE_TRACE, row, size);
        lks_joiner_push(j, hash);
    }
}

static void on_op(void *user, uint32_t index, const lks_op_output *o)
{
    const tracer *x = user;
    const lks_op *op = &x->program->ops[index];
    unsigned height = lks_tree_row_height(lks_op_row_size(op));
    lks_joiner rows;
    if (op->kind != LKS_ROWS_KV) {
        lks_joiner_init(&rows, LKS_TREE_TRACE, LKS_ROLE_NODE, height);
        hash_rows(&rows, x->row, op, o, 0, o->rows);
        lks_joiner_finish(&rows, lks_log2_ceil(o->rows), x->roots[index]);
        return;
    }
    unsigned position_bits = lks_log2_ceil(x->positions);
    lks_joiner heads;
    lks_joiner_init(&heads, LKS_TREE_TRACE, LKS_ROLE_NODE, height + position_bits);
    for (uint32_t h = 0; h < op->kv_heads; h++) {
        uint8_t hash[32];
        lks_joiner_init(&rows, LKS_TREE_TRACE, LKS_ROLE_NODE, height);
        hash_rows(&rows, x->row, op, o, h * o->head_rows, x->positions);
        lks_joiner_finish(&rows, position_bits, hash);
        lks_joiner_push(&heads, hash);
    }
    lks_joiner_finish(&heads, lks_log2_ceil(op->kv_heads), x->roots[index]);
}

static lks_err hash_samples(uint8_t root32[32], lks_session *s, const lks_model *m, const lks_sampling *policy, size_t count)
{
    float *logits = malloc(m->program.vocab_size * sizeof *logits);
    if (!logits)
        return lks_fail(LKS_NOMEM, "out of memory");
    lks_joiner rows;
    lks_joiner_init(&rows, LKS_TREE_TRACE, LKS_ROLE_NODE, 0);
    for (size_t r = 0; r < count; r++) {
        lks_sample_row row;
        uint8_t bytes[8], hash[32];
        lks_session_logits(s, r, logits);
        lks_sample_max(&row, logits, m->program.vocab_size, policy);
        lks_store_le32(bytes, lks_bits(row.max));
        lks_store_le32(bytes + 4, row.index);
        lks_tree_row(hash, LKS_TREE_TRACE, bytes, sizeof bytes);
        lks_joiner_push(&rows, hash);
    }
    lks_joiner_finish(&rows, lks_log2_ceil(count), root32);
    free(logits);
    return LKS_OK;
}

static uint32_t longest_row(const lks_program *p)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < p->op_count; i++) {
        uint32_t size = lks_op_row_size(&p->ops[i]);
        longest = size > longest ? size : longest;
    }
    return longest;
}

lks_err lks_trace_roots(uint8_t (*roots32)[32], const lks_model *m, const uint32_t *prompt, size_t prompt_count, const uint32_t *answer,
                        size_t answer_count, const lks_policy *policy, unsigned threads)
{
    lks_sampling sampling;
    lks_err err = lks_policy_decode(&sampling, policy, m->program.vocab_size);
    if (err)
        return err;
    if (prompt_count == 0 || answer_count == 0 || prompt_count + answer_count - 1 > m->program.max_positions)
        return lks_fail(LKS_BADARGS, "a prompt of %zu tokens and an answer of %zu do not fit the model's %u positions", prompt_count, answer_count,
                        m->program.max_positions);
    size_t positions = prompt_count + answer_count - 1;
    uint32_t *ids = malloc(positions * sizeof *ids);
    tracer x = {&m->program, roots32, malloc(longest_row(&m->program)), (uint32_t)positions};
    lks_session *s = NULL;
    if (!ids || !x.row)
        err = lks_fail(LKS_NOMEM, "out of memory");
    lks_session_options o = {.threads = threads, .batch = (uint32_t)positions, .max_positions = (uint32_t)positions, .hook = on_op, .user = &x};
    if (!err)
        err = lks_session_open(&s, m, &o);
    if (!err) {
        memcpy(ids, prompt, prompt_count * sizeof *ids);
        memcpy(ids + prompt_count, answer, (answer_count - 1) * sizeof *ids);
        err = lks_session_forward(s, ids, positions, answer_count);
    }
    if (!err)
        err = hash_samples(roots32[m->program.op_count - 1], s, m, &sampling, answer_count);
    lks_session_close(s);
    free(x.row);
    free(ids);
    return err;
}
