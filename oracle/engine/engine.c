#include "oracle/engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_BATCH = 512,
    ALIGN = 64
};

static void *allocate(size_t size)
{
    return aligned_alloc(ALIGN, (size + ALIGN) / ALIGN * ALIGN);
}

/* ---- Layout: which operation's output lies where ---- */

/* Bytes of a shared output for `batch` rows; the parts of an A8 output follow each other, each
 * aligned. */
static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t output_size(const lks_op *op, size_t rows, bool trace)
{
    if (op->form != LKS_FORM_A8)
        return aligned(rows * op->width * sizeof(float));
    size_t blocks = rows * lks_op_block_count(op);
    return aligned(rows * op->width) + aligned(blocks * sizeof(float)) +
           aligned(rows * (op->width / 32 + 1) * sizeof(int32_t)) +
           (trace ? aligned(blocks * sizeof(uint32_t)) : 0);
}

/* Points the slot's views into memory of output_size bytes. Rows that LINEAR reads carry their
 * sums. */
static void place(slot *out, const lks_op *op, uint8_t *memory, size_t rows, bool trace)
{
    if (op->form != LKS_FORM_A8) {
        out->f32 = (float *)memory;
        return;
    }
    lks_a8 *a = &out->a8;
    bool heads = op->head_width != 0;
    a->width = op->width;
    a->block = op->block;
    a->blocks = lks_op_block_count(op);
    a->q_ld = a->width;
    a->d_ld = a->blocks;
    a->sum_ld = a->width / 32;
    a->q = (int8_t *)memory;
    memory += aligned(rows * op->width);
    a->d = (float *)memory;
    memory += aligned(rows * a->blocks * sizeof(float));
    a->sum = heads ? NULL : (int32_t *)memory;
    memory += aligned(rows * (op->width / 32 + 1) * sizeof(int32_t));
    a->idx = trace ? (uint32_t *)memory : NULL;
}

/* Which operation's output lies in which of few shared buffers. */
typedef struct buffer_plan {
    int *of;       /* by operation; -1: in none */
    size_t *sizes; /* of the buffers */
    uint32_t count;
} buffer_plan;

static void free_plan(buffer_plan *plan)
{
    free(plan->of);
    free(plan->sizes);
}

/* Gives every operation but K and V one of few shared buffers: a buffer is free again after the
 * last operation that reads it. Every output is read by a later operation, so it stays at least
 * while the next one is computed, as the hook may want it to. Out: plan, to be freed. */
static lks_err plan_buffers(buffer_plan *plan, const lks_program *p, uint32_t batch, bool trace)
{
    uint32_t *last_use = calloc(p->op_count, sizeof *last_use);
    bool *busy = calloc(p->op_count, sizeof *busy);
    *plan = (buffer_plan){calloc(p->op_count, sizeof *plan->of),
                          calloc(p->op_count, sizeof *plan->sizes), 0};
    lks_err err =
        last_use && busy && plan->of && plan->sizes ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
    for (uint32_t i = 0; !err && i < p->op_count; i++)
        for (int k = 0; k < 4; k++)
            if (p->ops[i].inputs[k] != LKS_NONE)
                last_use[p->ops[i].inputs[k]] = i;
    for (uint32_t i = 0; !err && i < p->op_count; i++) {
        const lks_op *op = &p->ops[i];
        plan->of[i] = -1;
        if (op->kind != LKS_ROWS_KV && op->form != LKS_FORM_SAMPLE) {
            uint32_t b = 0;
            while (b < plan->count && busy[b])
                b++;
            plan->count += b == plan->count;
            busy[b] = true;
            plan->of[i] = (int)b;
            size_t size = output_size(op, batch, trace);
            plan->sizes[b] = size > plan->sizes[b] ? size : plan->sizes[b];
        }
        for (int k = 0; k < 4; k++) {
            uint32_t input = op->inputs[k];
            if (input != LKS_NONE && last_use[input] == i && plan->of[input] >= 0 &&
                p->ops[input].kind != LKS_ROWS_SAMPLED)
                busy[plan->of[input]] = false;
        }
    }
    free(last_use);
    free(busy);
    return err;
}

static lks_err make_buffers(lks_session *s)
{
    const lks_program *p = &s->model->program;
    bool trace = s->hook != NULL;
    buffer_plan plan;
    lks_err err = plan_buffers(&plan, p, s->batch, trace);
    s->buffers = err ? NULL : calloc(plan.count + 1, sizeof *s->buffers);
    s->buffer_count = s->buffers ? plan.count : 0;
    for (uint32_t b = 0; !err && b < plan.count; b++)
        if (!s->buffers || !(s->buffers[b] = allocate(plan.sizes[b])))
            err = lks_fail(LKS_NOMEM, "out of memory for %zu bytes of activations", plan.sizes[b]);
    for (uint32_t i = 0; !err && i < p->op_count; i++) {
        s->slots[i].buffer = plan.of[i];
        if (plan.of[i] >= 0)
            place(&s->slots[i], &p->ops[i], s->buffers[plan.of[i]], s->batch, trace);
    }
    free_plan(&plan);
    return err;
}

/* Without a hook nobody sees the rows of a pass that lead to no sampled one, so the operations
 * behind the last keys and values leave them out. */
static void find_sampled(lks_session *s)
{
    const lks_program *p = &s->model->program;
    for (uint32_t i = 0; i < p->op_count; i++)
        s->slots[i].sampled = !s->hook;
    for (uint32_t i = p->op_count; i-- > 0;) {
        if (p->ops[i].kind == LKS_ROWS_KV)
            s->slots[i].sampled = false;
        for (int k = 0; k < 4 && !s->slots[i].sampled; k++)
            if (p->ops[i].inputs[k] != LKS_NONE)
                s->slots[p->ops[i].inputs[k]].sampled = false;
    }
}

static lks_err make_caches(lks_session *s)
{
    const lks_program *p = &s->model->program;
    bool trace = s->hook != NULL;
    for (uint32_t i = 0; i < p->op_count; i++) {
        const lks_op *op = &p->ops[i];
        if (op->kind != LKS_ROWS_KV)
            continue;
        size_t rows = (size_t)s->max_positions * op->kv_heads, size = output_size(op, rows, trace);
        uint8_t *memory = allocate(size);
        if (!memory)
            return lks_fail(LKS_NOMEM, "out of memory for the KV cache of %u positions",
                            s->max_positions);
        place(&s->slots[i], op, memory, rows, trace);
        s->slots[i].head_rows = s->max_positions;
    }
    return LKS_OK;
}

static uint32_t batch_of(const lks_session_options *o)
{
    uint32_t batch = o->batch ? o->batch : DEFAULT_BATCH;
    return batch < o->max_positions ? batch : o->max_positions;
}

static size_t scratch_size(uint32_t max_positions)
{
    return LKS_ATTN_ROWS * lks_attn_scratch(max_positions - 1) * sizeof(float);
}

uint64_t lks_session_bytes(const lks_model *m, const lks_session_options *o)
{
    const lks_program *p = &m->program;
    unsigned threads = lks_pool_size(o->threads);
    bool trace = o->hook != NULL;
    buffer_plan plan;
    uint64_t bytes =
        (uint64_t)p->op_count * sizeof(slot) + threads * (uint64_t)scratch_size(o->max_positions);
    if (plan_buffers(&plan, p, batch_of(o), trace)) {
        free_plan(&plan);
        return UINT64_MAX;
    }
    for (uint32_t b = 0; b < plan.count; b++)
        bytes += plan.sizes[b];
    for (uint32_t i = 0; i < p->op_count; i++)
        if (p->ops[i].kind == LKS_ROWS_KV)
            bytes += output_size(&p->ops[i], (size_t)o->max_positions * p->ops[i].kv_heads, trace);
    free_plan(&plan);
    return bytes;
}

lks_err lks_session_open(lks_session **out, const lks_model *m, const lks_session_options *o)
{
    *out = NULL;
    const lks_kernels *kernels = o->kernels ? o->kernels : lks_kernels_best();
    if (!lks_packed_serves(m->packed, kernels->lanes))
        return lks_fail(LKS_BADARGS, "the model's weights are kept for other kernels");
    if (o->max_positions == 0 || o->max_positions > m->program.max_positions)
        return lks_fail(LKS_BADARGS, "%u positions are not between 1 and the model's %u",
                        o->max_positions, m->program.max_positions);
    lks_session *s = calloc(1, sizeof *s);
    if (!s)
        return lks_fail(LKS_NOMEM, "out of memory");
    s->model = m;
    s->kernels = kernels;
    s->hook = o->hook;
    s->stop = o->stop;
    s->user = o->user;
    s->ops = m->program.op_count - 1; /* the last is SAMPLE: see lks_session_logits */
    if (o->ops && o->ops < s->ops)
        s->ops = o->ops;
    s->max_positions = o->max_positions;
    s->batch = batch_of(o);
    s->slots = calloc(m->program.op_count, sizeof *s->slots);
    lks_err err =
        s->slots ? lks_pool_open(&s->pool, o->threads) : lks_fail(LKS_NOMEM, "out of memory");
    if (s->slots)
        find_sampled(s);
    if (!err)
        err = lks_packed_make(m->packed, &m->program, s->kernels->lanes, s->pool);
    if (!err)
        err = make_buffers(s);
    if (!err)
        err = make_caches(s);
    if (!err && !(s->scratch = calloc(lks_pool_threads(s->pool), sizeof *s->scratch)))
        err = lks_fail(LKS_NOMEM, "out of memory");
    for (unsigned t = 0; !err && t < lks_pool_threads(s->pool); t++)
        if (!(s->scratch[t] = allocate(scratch_size(s->max_positions))))
            err = lks_fail(LKS_NOMEM, "out of memory");
    if (err)
        lks_session_close(s);
    else
        *out = s;
    return err;
}

void lks_session_close(lks_session *s)
{
    if (!s)
        return;
    if (s->slots)
        for (uint32_t i = 0; i < s->model->program.op_count; i++)
            if (s->model->program.ops[i].kind == LKS_ROWS_KV)
                free(s->slots[i].a8.q);
    for (uint32_t b = 0; s->buffers && b < s->buffer_count; b++)
        free(s->buffers[b]);
    for (unsigned t = 0; s->scratch && t < lks_pool_threads(s->pool); t++)
        free(s->scratch[t]);
    free(s->scratch);
    free(s->buffers);
    free(s->slots);
    lks_pool_close(s->pool);
    free(s);
}

lks_pool *lks_session_pool(const lks_session *s)
{
    return s->pool;
}

const lks_kernels *lks_session_kernels(const lks_session *s)
{
    return s->kernels;
}

uint32_t lks_session_positions(const lks_session *s)
{
    return s->positions;
}

/* ---- Passes ---- */

static void show(const pass *p, uint32_t index)
{
    const lks_session *s = p->s;
    const lks_op *op = &s->model->program.ops[index];
    const slot *o = &s->slots[index];
    bool sampled = op->kind == LKS_ROWS_SAMPLED;
    lks_op_output output = {.f32 = o->f32,
                            .a8 = o->a8,
                            .head_rows = o->head_rows,
                            .first = sampled ? 0 : p->first,
                            .rows = sampled ? p->sampled : p->rows};
    if (output.rows)
        s->hook(s->user, index, &output);
}

static lks_err run_pass(const pass *p)
{
    lks_session *s = p->s;
    for (uint32_t i = 0; i < s->ops; i++) {
        if (s->stop && s->stop(s->user))
            return lks_fail(LKS_REFUSED, "cancelled");
        lks_run_op(p, i);
        if (s->hook) {
            lks_pool_flush(
                s->pool); /* what was added of the operation before, had this one no units */
            show(p, i);
        }
    }
    lks_pool_flush(s->pool);
    s->positions += (uint32_t)p->rows;
    return LKS_OK;
}

lks_err lks_session_forward(lks_session *s, const uint32_t *ids, size_t count, size_t sampled)
{
    if (count > s->max_positions - s->positions)
        return lks_fail(LKS_BADARGS, "%zu more positions do not fit a session of %u with %u used",
                        count, s->max_positions, s->positions);
    for (size_t done = 0; done < count;) {
        size_t rows = count - done < s->batch ? count - done : s->batch;
        bool final = done + rows == count;
        if (final && sampled > rows)
            return lks_fail(LKS_BADARGS, "%zu sampled rows do not fit the last pass of %zu",
                            sampled, rows);
        pass p = {s, ids + done, s->positions, rows, final ? sampled : 0};
        lks_err err = run_pass(&p);
        if (err)
            return err;
        done += rows;
    }
    return LKS_OK;
}
