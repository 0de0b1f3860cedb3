#include "tests/proof/run_rows.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/engine/engine.h"
#include "oracle/engine/generate.h"
#include "oracle/engine/policy.h"
#include "oracle/proof/partials.h"

static void *zeros(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    assert_non_null(p);
    return p;
}

/* ---- Rows from the engine ---- */

static void put_a8(uint8_t *out, const lks_a8 *a, size_t t)
{
    for (uint32_t b = 0; b < a->blocks; b++) {
        lks_store_le32(out + 8 * b, lks_bits(a->d[t * a->d_ld + b]));
        lks_store_le32(out + 8 * b + 4, a->idx[t * a->d_ld + b]);
    }
    memcpy(out + 8 * a->blocks, a->q + t * a->q_ld, a->width);
}

static void put_f32(uint8_t *out, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lks_store_le32(out + 4 * i, lks_bits(x[i]));
}

static void on_op(void *user, uint32_t index, const lks_op_output *o)
{
    run_rows *r = user;
    const lks_op *op = &r->model->program.ops[index];
    size_t size = r->shapes[index].row_size, heads = op->kind == LKS_ROWS_KV ? op->kv_heads : 1;
    for (size_t h = 0; h < heads; h++)
        for (size_t t = 0; t < o->rows; t++) {
            uint8_t *out = r->rows[index] + (h * r->shapes[index].rows + t) * size;
            if (op->form == LKS_FORM_A8)
                put_a8(out, &o->a8, op->kind == LKS_ROWS_KV ? h * o->head_rows + t : t);
            else
                put_f32(out, o->f32 + t * op->width, op->width);
        }
}

static void compute(run_rows *r)
{
    const lks_run *run = r->run;
    const lks_program *p = &r->model->program;
    uint32_t positions = (uint32_t)(run->prompt_count + run->answer_count - 1);
    uint32_t *ids = zeros(positions, sizeof *ids);
    memcpy(ids, run->prompt, run->prompt_count * sizeof *ids);
    memcpy(ids + run->prompt_count, run->answer, (run->answer_count - 1) * sizeof *ids);
    lks_session *s;
    lks_session_options o = {
        .threads = 1, .batch = positions, .max_positions = positions, .hook = on_op, .user = r};
    OK(lks_session_open(&s, r->model, &o));
    OK(lks_session_forward(s, ids, positions, run->answer_count));
    lks_sampling sampling;
    OK(lks_policy_decode(&sampling, &run->policy, p->vocab_size));
    float *logits = zeros(p->vocab_size, sizeof *logits);
    for (size_t i = 0; i < run->answer_count; i++) {
        lks_sample_row row;
        lks_session_logits(s, i, logits);
        lks_kernels_scalar.sample_max(&row, logits, p->vocab_size, &sampling);
        put_f32(r->rows[p->op_count - 1] + 8 * i, &row.max, 1);
        lks_store_le32(r->rows[p->op_count - 1] + 8 * i + 4, row.index);
    }
    free(logits);
    free(ids);
    lks_session_close(s);
}

/* ---- The reader ---- */

static lks_err read_range(void *user, const uint8_t **bytes, const lks_range *g)
{
    run_rows *r = user;
    const lks_program *p = &r->model->program;
    size_t skip = g->lo / LKS_CHUNK_SIZE * LKS_CHUNK_SIZE;
    r->reads++;
    assert_true(g->lo < g->hi && g->hi <= g->shape.row_size && g->count >= 1);
    switch (g->tree) {
    case LKS_TREE_TRACE:
        assert_true(g->item < p->op_count);
        assert_memory_equal(&g->shape, &r->shapes[g->item], sizeof g->shape);
        *bytes =
            r->rows[g->item] + lks_shape_row_ordinal(&g->shape, g->row) * g->shape.row_size + skip;
        return LKS_OK;
    case LKS_TREE_WEIGHTS: {
        const lks_gguf_tensor *t = p->tensors[g->item];
        assert_true(g->item < p->tensor_count && g->shape.row_size == t->row_size &&
                    g->shape.rows == t->dims[1] && g->row < g->shape.rows);
        *bytes = t->data + g->row * t->row_size + skip;
        return LKS_OK;
    }
    case LKS_TREE_PROGRAM:
        assert_true(g->row < p->op_count);
        *bytes = r->program + LKS_DESCRIPTOR_SIZE * (size_t)g->row;
        return LKS_OK;
    case LKS_TREE_ROPE:
        assert_true(g->shape.row_size == 4 * p->rope_width && g->shape.rows == p->max_positions);
        *bytes = r->rope + 4 * (size_t)p->rope_width * g->row;
        return LKS_OK;
    default: fail_msg("tree %d", (int)g->tree);
    }
    return LKS_INTERNAL;
}

static lks_err read_token(void *user, uint32_t *id, lks_token_list list, uint32_t index)
{
    run_rows *r = user;
    const lks_run *run = r->run;
    r->reads++;
    const uint32_t *ids = list == LKS_LIST_PROMPT   ? run->prompt
                          : list == LKS_LIST_ANSWER ? run->answer
                                                    : run->policy.allowed;
    size_t count = list == LKS_LIST_PROMPT   ? run->prompt_count
                   : list == LKS_LIST_ANSWER ? run->answer_count
                                             : run->policy.allowed_count;
    assert_true(index < count);
    *id = ids[index];
    return LKS_OK;
}

void run_rows_open(run_rows *r, const lks_model *m, const lks_run *run)
{
    const lks_program *p = &m->program;
    uint32_t positions = (uint32_t)(run->prompt_count + run->answer_count - 1),
             width = p->rope_width;
    memset(r, 0, sizeof *r);
    r->model = m;
    r->run = run;
    /* Only counts are read of the commitment: no hash is needed. */
    lks_model_commitment c = {.op_count = p->op_count,
                              .tensor_count = p->tensor_count,
                              .sampler_op = p->op_count - 1,
                              .vocab_size = p->vocab_size,
                              .max_positions = p->max_positions};
    lks_facts_of(&r->facts, run, &c);
    r->shapes = zeros(p->op_count, sizeof *r->shapes);
    r->rows = zeros(p->op_count, sizeof *r->rows);
    r->program = zeros(p->op_count, LKS_DESCRIPTOR_SIZE);
    for (uint32_t i = 0; i < p->op_count; i++) {
        lks_shape *s = &r->shapes[i];
        lks_shape_output(s, &p->ops[i], positions, (uint32_t)run->answer_count);
        r->rows[i] = zeros((size_t)s->rows * (s->heads ? s->heads : 1), s->row_size);
        lks_op_encode(r->program + LKS_DESCRIPTOR_SIZE * (size_t)i, &p->ops[i]);
    }
    r->rope = zeros((size_t)positions * width, 4);
    put_f32(r->rope, m->rope, (size_t)positions * width);
    r->reader = (lks_reader){r, read_range, read_token};
}

void run_rows_make(run_rows *r, const lks_model *m, const lks_run *run)
{
    run_rows_open(r, m, run);
    compute(r);
}

void run_rows_free(run_rows *r)
{
    for (uint32_t i = 0; i < r->model->program.op_count; i++)
        free(r->rows[i]);
    free(r->rows);
    free(r->shapes);
    free(r->program);
    free(r->rope);
}

uint32_t run_rows_places(const run_rows *r, uint32_t op)
{
    return 1u << r->shapes[op].height;
}

uint8_t *run_rows_leaf(run_rows *r, uint32_t op, uint32_t leaf, uint32_t *size)
{
    const lks_shape *s = &r->shapes[op];
    uint32_t chunk = leaf & ((1u << s->chunk_bits) - 1);
    if (!lks_shape_leaf(size, s, leaf))
        return NULL;
    return r->rows[op] + lks_shape_row_ordinal(s, leaf >> s->chunk_bits) * s->row_size +
           (size_t)chunk * LKS_CHUNK_SIZE;
}

void run_rows_partials(const run_rows *r, uint8_t *out, uint32_t op, uint32_t row, uint32_t element)
{
    const lks_op *ops = r->model->program.ops, *attn = &ops[op], *k = &ops[attn->inputs[1]];
    uint32_t head = element / attn->head_width, kv = head / (attn->heads / attn->kv_heads),
             blocks = lks_op_block_count(k);
    size_t row_size = lks_op_row_size(k),
           first = (size_t)kv * r->shapes[attn->inputs[1]].rows * row_size;
    const uint8_t *q = r->rows[attn->inputs[0]] + (size_t)row * r->shapes[attn->inputs[0]].row_size;
    lks_head_rows h = {.q_entries = q + 8 * head * blocks,
                       .q = (const int8_t *)q + 8 * attn->heads * blocks + head * attn->head_width,
                       .k = r->rows[attn->inputs[1]] + first,
                       .v = r->rows[attn->inputs[2]] + first,
                       .block = k->block,
                       .blocks = blocks,
                       .row_size = (uint32_t)row_size,
                       .scale = attn->scalar};
    lks_partials_compute(out, &h, row, element % attn->head_width);
}

/* ---- Runs ---- */

void vector_run_read(vector_run *v, const vector_file *f, int c)
{
    memset(v, 0, sizeof *v);
    lks_run *r = &v->run;
    r->prompt = v->prompt = vector_list(f, c, "prompt", &r->prompt_count);
    r->answer = v->answer = vector_list(f, c, "answer", &r->answer_count);
    r->policy.temperature = (uint32_t)vector_u64(f, c, "temperature");
    r->policy.min_p = (uint32_t)vector_u64(f, c, "minP");
    r->policy.seed = vector_u64(f, c, "seed");
    if (vector_has(f, c, "allowed"))
        r->policy.allowed = v->allowed = vector_list(f, c, "allowed", &r->policy.allowed_count);
}

void vector_run_free(vector_run *v)
{
    free(v->prompt);
    free(v->answer);
    free(v->allowed);
}

static void (*run_fn)(const tiny_model *m, const lks_run *run);

static void each_run(const tiny_model *m)
{
    vector_file f;
    tiny_vectors(&f, m, "runs");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        vector_run v;
        vector_run_read(&v, &f, c);
        run_fn(m, &v.run);
        vector_run_free(&v);
    }
    vectors_close(&f);
}

void each_tiny_run(void (*fn)(const tiny_model *m, const lks_run *run))
{
    run_fn = fn;
    each_tiny_model(each_run);
}

void vector_run_make(vector_run *v, const lks_model *m, size_t prompt_count, size_t answer_count,
                     const lks_policy *policy)
{
    memset(v, 0, sizeof *v);
    v->prompt = zeros(prompt_count, sizeof *v->prompt);
    v->answer = zeros(answer_count, sizeof *v->answer);
    for (size_t i = 0; i < prompt_count; i++)
        v->prompt[i] = (uint32_t)(i * 37 + 5) % m->program.vocab_size;
    lks_generate_options o = {.threads = 1};
    uint32_t count;
    OK(lks_generate(m, v->prompt, prompt_count, policy, (uint32_t)answer_count, &o, v->answer,
                    &count));
    v->run = (lks_run){v->prompt, prompt_count, v->answer, count, *policy};
}
