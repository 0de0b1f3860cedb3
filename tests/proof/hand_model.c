#include "tests/proof/hand_model.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "tests/proof/draw.h"

enum {
    VOCAB = 40,
    WIDTH = 1280,
    MIDDLE = 1056,
    ROPE_WIDTH = 64,
    POSITIONS = 64,
    MAX_OPS = 32,
    MAX_TENSORS = 48,
    MAX_HEADS = 16
};

static void *zeros(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    assert_non_null(p);
    return p;
}

/* ---- The program ---- */

/* f16 of 2^-13 to 2^-9, either sign. */
static void put_scale(uint8_t *p, rng *r)
{
    uint32_t bits = 0x0800 + below(r, 0x1000);
    bits |= below(r, 8) ? 0 : 0x8000;
    p[0] = (uint8_t)bits, p[1] = (uint8_t)(bits >> 8);
}

static void fill(lks_gguf_tensor *t, rng *r)
{
    uint8_t *p = zeros(t->size, 1);
    size_t block = lks_tensor_type_size(t->type);
    for (size_t i = 0; i < t->size; i++)
        p[i] = (uint8_t)below(r, 256);
    for (size_t i = 0; i < t->size; i += block) {
        if (t->type == LKS_F32) {
            lks_store_le32(p + i, lks_bits(0.5f + (float)below(r, 1000) / 1000.0f));
            continue;
        }
        put_scale(p + i + (t->type == LKS_Q6_K ? 208 : 0), r);
        if (lks_has_offset(t->type))
            put_scale(p + i + 2, r);
    }
    t->data = p;
}

static lks_weight_ref add_tensor(hand_model *h, lks_tensor_type type, uint32_t rows, uint32_t cols)
{
    lks_program *p = &h->model.program;
    uint32_t i = p->tensor_count++;
    lks_gguf_tensor *t = &h->tensors[i];
    rng r = {i + 1};
    assert_true(i < MAX_TENSORS);
    t->type = type;
    t->dims[0] = cols, t->dims[1] = rows;
    t->row_size = cols / lks_tensor_type_block(type) * lks_tensor_type_size(type);
    t->size = t->row_size * rows;
    fill(t, &r);
    p->tensors[i] = t;
    return (lks_weight_ref){i, type, rows, cols};
}

static lks_op *add_op(hand_model *h, lks_opcode code, lks_row_form form, uint32_t width, uint32_t x,
                      uint32_t y)
{
    lks_program *p = &h->model.program;
    lks_op *op = &p->ops[p->op_count++];
    assert_true(p->op_count <= MAX_OPS);
    *op = (lks_op){.code = code,
                   .form = form,
                   .width = width,
                   .block = form == LKS_FORM_A8 ? 64 : 0,
                   .inputs = {x, y, LKS_NONE, LKS_NONE}};
    for (int k = 0; k < 4; k++)
        op->weights[k] = (lks_weight_ref){LKS_NONE, 0, 0, 0};
    return op;
}

static lks_op *add_linear(hand_model *h, lks_opcode code, uint32_t width, uint32_t x, uint32_t y,
                          lks_tensor_type type, bool bias)
{
    lks_row_form form =
        code == LKS_OP_LINEAR || code == LKS_OP_LINEAR_ADD ? LKS_FORM_F32 : LKS_FORM_A8;
    lks_op *op = add_op(h, code, form, width, x, y);
    uint32_t cols = h->model.program.ops[x].width;
    op->weights[0] = add_tensor(h, type, width, cols);
    if (bias)
        op->weights[1] = add_tensor(h, LKS_F32, 1, width);
    return op;
}

/* width: of all heads. */
static void make_heads(lks_op *op, lks_row_kind kind, uint32_t heads, uint32_t kv_heads,
                       uint32_t head_width, lks_pairing pairing)
{
    op->kind = kind;
    op->heads = heads, op->kv_heads = kv_heads, op->head_width = head_width;
    op->width = kind == LKS_ROWS_KV ? head_width : heads * head_width;
    op->block = op->form == LKS_FORM_A8 ? head_width < 128 ? head_width : 128 : 0;
    op->rope_width = pairing == LKS_PAIR_NONE ? 0 : ROPE_WIDTH;
    op->pairing = pairing;
}

static void add_ops(hand_model *h)
{
    const uint32_t none = LKS_NONE;
    lks_op *op = add_op(h, LKS_OP_EMBED, LKS_FORM_F32, WIDTH, none, none);
    op->weights[0] = add_tensor(h, LKS_Q6_K, VOCAB, WIDTH);
    op->vocab = VOCAB;
    add_op(h, LKS_OP_QUANT, LKS_FORM_A8, WIDTH, 0, none);
    add_linear(h, LKS_OP_LINEAR, MIDDLE, 1, none, LKS_Q4_K, true);
    add_linear(h, LKS_OP_LINEAR, MIDDLE, 1, none, LKS_Q5_K, false);
    add_op(h, LKS_OP_SILU_MUL_Q, LKS_FORM_A8, MIDDLE, 2, 3);
    add_linear(h, LKS_OP_LINEAR, 192, 4, none, LKS_Q8_0, true); /* 5 */
    make_heads(add_op(h, LKS_OP_ROPE_Q, LKS_FORM_A8, 0, 5, none), LKS_ROWS_ALL, 2, 1, 96,
               LKS_PAIR_HALVES);
    add_linear(h, LKS_OP_LINEAR, 96, 4, none, LKS_Q4_1, false); /* 7 */
    make_heads(add_op(h, LKS_OP_ROPE_Q, LKS_FORM_A8, 0, 7, none), LKS_ROWS_KV, 2, 1, 96,
               LKS_PAIR_HALVES);
    make_heads(add_linear(h, LKS_OP_LINEAR_Q, 96, 4, none, LKS_Q5_0, true), LKS_ROWS_KV, 2, 1, 96,
               LKS_PAIR_NONE);
    op = add_op(h, LKS_OP_ATTN, LKS_FORM_F32, 192, 6, 8); /* 10 */
    op->inputs[2] = 9;
    make_heads(op, LKS_ROWS_ALL, 2, 1, 96, LKS_PAIR_NONE);
    op->scalar = 0.1f;
    add_op(h, LKS_OP_QUANT, LKS_FORM_A8, 192, 10, none);
    add_linear(h, LKS_OP_LINEAR_ADD, WIDTH, 11, 0, LKS_Q4_0, true); /* 12 */
    make_heads(add_linear(h, LKS_OP_LINEAR_ROPE_Q, 1152, 1, none, LKS_Q5_1, true), LKS_ROWS_ALL, 12,
               3, 96, LKS_PAIR_HALVES);
    op = add_linear(h, LKS_OP_LINEAR_SILU_MUL_Q, MIDDLE, 1, none, LKS_Q6_K, true);
    op->weights[2] = add_tensor(h, LKS_Q4_K, MIDDLE, WIDTH);
    op->weights[3] = add_tensor(h, LKS_F32, 1, MIDDLE);
    make_heads(add_linear(h, LKS_OP_LINEAR_Q, 192, 1, none, LKS_Q8_0, false), LKS_ROWS_ALL, 2, 1,
               96, LKS_PAIR_NONE); /* 15 */
    make_heads(add_linear(h, LKS_OP_LINEAR_ROPE_Q, 512, 1, none, LKS_Q4_0, false), LKS_ROWS_KV, 4,
               2, 256, LKS_PAIR_HALVES);
    op = add_op(h, LKS_OP_RMS, LKS_FORM_RMS, 6, 12, none);
    op->kind = LKS_ROWS_SAMPLED;
    op->scalar = 1e-5f;
    op = add_op(h, LKS_OP_NORM_Q, LKS_FORM_A8, WIDTH, 12, 17);
    op->kind = LKS_ROWS_SAMPLED;
    op->weights[0] = add_tensor(h, LKS_F32, 1, WIDTH);
    op = add_op(h, LKS_OP_SAMPLE, LKS_FORM_SAMPLE, 2, 18, none);
    op->kind = LKS_ROWS_SAMPLED;
    op->vocab = VOCAB;
    op->weights[0] = add_tensor(h, LKS_Q5_K, VOCAB, WIDTH);
}

/* In some places of every vector. */
static void make_wild(hand_model *h)
{
    static const uint32_t words[] = {0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00001u,
                                     0x7f800001u, 0x7f7fffffu, 0,           0x80000000u,
                                     1,           0x71000000u};
    for (uint32_t i = 0; i < h->model.program.tensor_count; i++) {
        lks_gguf_tensor *t = &h->tensors[i];
        uint8_t *data = (uint8_t *)(uintptr_t)t->data;
        for (uint32_t w = 0; t->type == LKS_F32 && w < LKS_COUNT(words) && 64 * w < t->dims[0]; w++)
            lks_store_le32(data + 4 * (64 * w + (i + 7 * w) % 32), words[w]);
        /* Gains of 2^-97 to 2^-106, block by block: around the bound below which an A8 block is
         * zero. */
        for (uint32_t e = 640; t->type == LKS_F32 && t->dims[0] == WIDTH && e < WIDTH; e++)
            lks_store_le32(data + 4 * e, (127 - 97 - (e - 640) / 64) << 23);
    }
}

void hand_model_make(hand_model *h, bool wild)
{
    lks_program *p = &h->model.program;
    double frequencies[ROPE_WIDTH / 2];
    float factors[ROPE_WIDTH / 2];
    memset(h, 0, sizeof *h);
    h->tensors = zeros(MAX_TENSORS, sizeof *h->tensors);
    p->ops = zeros(MAX_OPS, sizeof *p->ops);
    p->tensors = zeros(MAX_TENSORS, sizeof *p->tensors);
    p->vocab_size = VOCAB;
    p->context_length = p->max_positions = POSITIONS;
    p->rope_width = ROPE_WIDTH;
    add_ops(h);
    if (wild) {
        make_wild(h);
        p->ops[17].inputs[0] = p->ops[18].inputs[0] =
            0; /* the final norm is of finite rows: else all behind it is NaN */
    }
    for (int i = 0; i < ROPE_WIDTH / 2; i++)
        factors[i] = 1.0f;
    h->model.rope = zeros(POSITIONS * ROPE_WIDTH, sizeof *h->model.rope);
    lks_rope_frequencies(frequencies, 10000.0f, ROPE_WIDTH, factors);
    for (uint32_t t = 0; t < POSITIONS; t++)
        lks_rope_row(h->model.rope + t * ROPE_WIDTH, t, frequencies, ROPE_WIDTH);
}

void hand_model_free(hand_model *h)
{
    for (uint32_t i = 0; i < h->model.program.tensor_count; i++)
        free((void *)(uintptr_t)h->tensors[i].data);
    free(h->tensors);
    free(h->model.program.ops);
    free(h->model.program.tensors);
    free(h->model.rope);
}

/* ---- Rows by the scalar kernels ---- */

/* An operation's output: floats, or A8 rows, of Q, K and V one matrix a head. */
typedef struct output {
    float *f;
    lks_a8 a[MAX_HEADS];
    uint32_t parts;
} output;

typedef struct interpreter {
    run_rows *r;
    output out[MAX_OPS];
    uint32_t positions, sampled, skip;
} interpreter;

static lks_matrix matrix_of(const run_rows *r, const lks_weight_ref *w)
{
    const lks_gguf_tensor *t = r->model->program.tensors[w->tensor];
    return (lks_matrix){.type = t->type,
                        .rows = w->rows,
                        .cols = w->cols,
                        .data = t->data,
                        .row_size = t->row_size};
}

/* A vector's numbers, to be freed, or NULL. */
static float *vector_of(const run_rows *r, const lks_weight_ref *w)
{
    if (w->tensor == LKS_NONE)
        return NULL;
    float *out = zeros(w->cols, sizeof *out);
    for (uint32_t i = 0; i < w->cols; i++)
        out[i] = lks_float(lks_load_le32(r->model->program.tensors[w->tensor]->data + 4 * i));
    return out;
}

/* LINEAR with weight k: rows x width floats, to be freed. */
static float *linear(interpreter *x, const lks_op *op, int k, uint32_t rows)
{
    lks_matrix w = matrix_of(x->r, &op->weights[k]);
    float *y = zeros((size_t)rows * w.rows, sizeof *y);
    float *bias = vector_of(x->r, &op->weights[k + 1]);
    lks_kernels_scalar.linear(y, w.rows, &w, bias, 0, w.rows, &x->out[op->inputs[0]].a[0], rows);
    free(bias);
    return y;
}

static float *copy(const float *f, size_t count)
{
    float *out = zeros(count, sizeof *out);
    memcpy(out, f, count * sizeof *out);
    return out;
}

static void quantize(output *o, const lks_op *op, const float *x, uint32_t rows)
{
    o->parts = 1;
    o->a[0] = a8_new(rows, op->width, op->block);
    lks_kernels_scalar.quant(&o->a[0], x, op->width, rows);
}

static void run_heads(interpreter *x, const lks_op *op, output *o)
{
    uint32_t heads = op->kind == LKS_ROWS_KV ? op->kv_heads : op->heads,
             all = heads * op->head_width, rows = x->positions;
    float *y = op->code == LKS_OP_ROPE_Q ? copy(x->out[op->inputs[0]].f, (size_t)rows * all)
                                         : linear(x, op, 0, rows);
    if (op->rope_width)
        lks_kernels_scalar.rope(y, all, heads, op->head_width, op->rope_width,
                                op->pairing == LKS_PAIR_HALVES, x->r->model->rope, rows);
    o->parts = heads;
    for (uint32_t i = 0; i < heads; i++) {
        o->a[i] = a8_new(rows, op->head_width, op->block);
        lks_kernels_scalar.quant(&o->a[i], y + i * op->head_width, all, rows);
    }
    free(y);
}

static void run_gated(interpreter *x, const lks_op *op, output *o)
{
    bool fused = op->code == LKS_OP_LINEAR_SILU_MUL_Q;
    size_t count = (size_t)x->positions * op->width;
    float *gate = fused ? linear(x, op, 0, x->positions) : copy(x->out[op->inputs[0]].f, count);
    float *up = fused ? linear(x, op, 2, x->positions) : copy(x->out[op->inputs[1]].f, count);
    lks_kernels_scalar.silu_mul(gate, up, count);
    quantize(o, op, gate, x->positions);
    free(gate);
    free(up);
}

static void run_attn(interpreter *x, const lks_op *op, output *o)
{
    const output *q = &x->out[op->inputs[0]], *k = &x->out[op->inputs[1]],
                 *v = &x->out[op->inputs[2]];
    float scratch[256];
    o->f = zeros((size_t)x->positions * op->width, sizeof *o->f);
    for (uint32_t t = 0; t < x->positions; t++)
        for (uint32_t h = 0; h < op->heads; h++) {
            const lks_a8 *kh = &k->a[h / (op->heads / op->kv_heads)],
                         *vh = &v->a[h / (op->heads / op->kv_heads)];
            lks_a8 qh = q->a[h];
            qh.q += t * qh.q_ld;
            qh.d += t * qh.d_ld;
            assert_true(lks_attn_scratch(t) <= LKS_COUNT(scratch));
            lks_kernels_scalar.attn(o->f + (size_t)t * op->width + h * op->head_width, op->width,
                                    &qh, kh, vh, t, 1, op->scalar, scratch);
        }
}

static void run_sample(interpreter *x, const lks_op *op, output *o)
{
    float *logits = linear(x, op, 0, x->sampled);
    const lks_sampling greedy = {0};
    o->f = zeros(2 * (size_t)x->sampled, sizeof *o->f);
    for (uint32_t i = 0; i < x->sampled; i++) {
        lks_sample_row row;
        lks_kernels_scalar.sample_max(&row, logits + (size_t)i * VOCAB, VOCAB, &greedy);
        o->f[2 * i] = row.max;
        memcpy(&o->f[2 * i + 1], &row.index, 4);
    }
    free(logits);
}

static void run_f32(interpreter *x, const lks_op *op, output *o, const uint32_t *ids)
{
    uint32_t rows = op->kind == LKS_ROWS_SAMPLED ? x->sampled : x->positions;
    const lks_kernels *k = &lks_kernels_scalar;
    o->f = zeros((size_t)rows * op->width, sizeof *o->f);
    if (op->code == LKS_OP_EMBED) {
        lks_matrix w = matrix_of(x->r, &op->weights[0]);
        k->embed(o->f, &w, ids, rows);
    } else if (op->code == LKS_OP_RMS) {
        uint32_t width = x->r->model->program.ops[op->inputs[0]].width;
        k->rms(o->f, x->out[op->inputs[0]].f + (rows == x->sampled ? x->skip : 0) * (size_t)width,
               width, op->scalar, rows);
    } else {
        float *y = linear(x, op, 0, rows);
        if (op->code == LKS_OP_LINEAR_ADD)
            k->add(o->f, op->width, x->out[op->inputs[1]].f, op->width, y, op->width, op->width,
                   rows);
        else
            for (size_t i = 0; i < (size_t)rows * op->width; i++)
                o->f[i] = lks_canonical(y[i]);
        free(y);
    }
}

static void run_norm(interpreter *x, const lks_op *op, output *o)
{
    uint32_t sums = x->r->model->program.ops[op->inputs[1]].width;
    o->parts = 1;
    o->a[0] = a8_new(x->sampled, op->width, op->block);
    float *gain = vector_of(x->r, &op->weights[0]);
    lks_kernels_scalar.norm_q(&o->a[0], x->out[op->inputs[0]].f + x->skip * (size_t)op->width,
                              x->out[op->inputs[1]].f, sums, gain, x->sampled);
    free(gain);
}

static void run_op(interpreter *x, const lks_op *op, output *o, const uint32_t *ids)
{
    switch (op->code) {
    case LKS_OP_NORM_Q: run_norm(x, op, o); break;
    case LKS_OP_QUANT: quantize(o, op, x->out[op->inputs[0]].f, x->positions); break;
    case LKS_OP_LINEAR_Q:
    case LKS_OP_LINEAR_ROPE_Q:
    case LKS_OP_ROPE_Q: run_heads(x, op, o); break;
    case LKS_OP_LINEAR_SILU_MUL_Q:
    case LKS_OP_SILU_MUL_Q: run_gated(x, op, o); break;
    case LKS_OP_ATTN: run_attn(x, op, o); break;
    case LKS_OP_SAMPLE: run_sample(x, op, o); break;
    default: run_f32(x, op, o, ids); break;
    }
}

/* ---- In committed form ---- */

static void put_part(uint8_t *entries, uint8_t *q, const lks_a8 *a, uint32_t t)
{
    for (uint32_t b = 0; b < a->blocks; b++) {
        lks_store_le32(entries + 8 * b, lks_bits(a->d[t * a->d_ld + b]));
        lks_store_le32(entries + 8 * b + 4, a->idx[t * a->d_ld + b]);
    }
    memcpy(q, a->q + t * a->q_ld, a->width);
}

static void store(interpreter *x, uint32_t index)
{
    const lks_op *op = &x->r->model->program.ops[index];
    const output *o = &x->out[index];
    const lks_shape *s = &x->r->shapes[index];
    for (uint32_t t = 0; t < s->rows; t++) {
        uint8_t *row = x->r->rows[index] + (size_t)t * s->row_size;
        for (uint32_t i = 0; !o->parts && i < op->width; i++)
            lks_store_le32(row + 4 * i, lks_bits(o->f[(size_t)t * op->width + i]));
        for (uint32_t i = 0; i < o->parts; i++) {
            const lks_a8 *a = &o->a[i];
            if (op->kind == LKS_ROWS_KV)
                put_part(row + (size_t)i * s->rows * s->row_size,
                         row + (size_t)i * s->rows * s->row_size + 8 * a->blocks, a, t);
            else
                put_part(row + 8 * i * a->blocks, row + 8 * o->parts * a->blocks + i * a->width, a,
                         t);
        }
    }
}

static void compute(run_rows *r)
{
    const lks_run *run = r->run;
    interpreter x = {
        .r = r, .sampled = (uint32_t)run->answer_count, .skip = (uint32_t)run->prompt_count - 1};
    uint32_t ids[POSITIONS];
    x.positions = x.skip + x.sampled;
    assert_true(x.positions <= POSITIONS);
    memcpy(ids, run->prompt, run->prompt_count * sizeof *ids);
    memcpy(ids + run->prompt_count, run->answer, (run->answer_count - 1) * sizeof *ids);
    for (uint32_t i = 0; i < r->facts.op_count; i++) {
        run_op(&x, &r->model->program.ops[i], &x.out[i], ids);
        store(&x, i);
    }
    for (uint32_t i = 0; i < r->facts.op_count; i++) {
        free(x.out[i].f);
        for (uint32_t p = 0; p < x.out[i].parts; p++)
            a8_free(&x.out[i].a[p]);
    }
}

void hand_run_make(vector_run *v, run_rows *r, const hand_model *h, size_t prompt_count,
                   size_t answer_count)
{
    memset(v, 0, sizeof *v);
    v->prompt = zeros(prompt_count, sizeof *v->prompt);
    v->answer = zeros(answer_count, sizeof *v->answer);
    for (size_t i = 0; i < prompt_count; i++)
        v->prompt[i] = (uint32_t)(i * 7 + 3) % VOCAB;
    v->run = (lks_run){v->prompt, prompt_count, v->answer, answer_count, {0}};
    /* Each pass settles one token more. */
    for (size_t j = 0; j <= answer_count; j++) {
        run_rows_open(r, &h->model, &v->run);
        compute(r);
        if (j < answer_count) {
            v->answer[j] = lks_load_le32(r->rows[r->facts.sampler_op] + 8 * j + 4);
            run_rows_free(r);
        }
    }
}
