/* Descriptors read and judged: the words that section 8 of docs/SPEC.md gives a meaning to, and the
 * rules of well-formed programs of section 13. */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/proof/step_internal.h"

#include <string.h>

enum {
    WORDS = LKS_DESCRIPTOR_SIZE / 4,
    USED_WORDS = 32,
    A8_BLOCK = 64,
    MAX_HEADS = 4096,
    MAX_SIZE = 1 << 24
};

/* Shape of an operation. Inputs and weights beyond these are absent. */
typedef struct rule {
    lks_row_form form;
    bool sampled, kv; /* row kinds beside ALL; `sampled` of SAMPLE: the only one */
    uint8_t inputs;
    uint8_t matrices;  /* matrices, each with a bias behind it where `biases` */
    bool biases, gain; /* gain: weight 0 is a vector */
    bool heads, rotary, scalar, vocab;
} rule;

static const rule rules[] = {
    [LKS_OP_EMBED] = {.form = LKS_FORM_F32, .matrices = 1, .vocab = true},
    [LKS_OP_RMS] = {.form = LKS_FORM_RMS, .sampled = true, .inputs = 1, .scalar = true},
    [LKS_OP_NORM_Q] = {.form = LKS_FORM_A8, .sampled = true, .inputs = 2, .gain = true},
    [LKS_OP_QUANT] = {.form = LKS_FORM_A8, .inputs = 1},
    [LKS_OP_LINEAR] = {.form = LKS_FORM_F32, .inputs = 1, .matrices = 1, .biases = true},
    [LKS_OP_LINEAR_Q] = {.form = LKS_FORM_A8,
                         .kv = true,
                         .inputs = 1,
                         .matrices = 1,
                         .biases = true,
                         .heads = true},
    [LKS_OP_LINEAR_ROPE_Q] = {.form = LKS_FORM_A8,
                              .kv = true,
                              .inputs = 1,
                              .matrices = 1,
                              .biases = true,
                              .heads = true,
                              .rotary = true},
    [LKS_OP_LINEAR_SILU_MUL_Q] = {.form = LKS_FORM_A8, .inputs = 1, .matrices = 2, .biases = true},
    [LKS_OP_LINEAR_ADD] = {.form = LKS_FORM_F32, .inputs = 2, .matrices = 1, .biases = true},
    [LKS_OP_ROPE_Q] = {.form = LKS_FORM_A8, .kv = true, .inputs = 1, .heads = true, .rotary = true},
    [LKS_OP_SILU_MUL_Q] = {.form = LKS_FORM_A8, .inputs = 2},
    [LKS_OP_ATTN] = {.form = LKS_FORM_F32, .inputs = 3, .heads = true, .scalar = true},
    [LKS_OP_SAMPLE] =
        {.form = LKS_FORM_SAMPLE, .sampled = true, .inputs = 1, .matrices = 1, .vocab = true},
};

static bool absent(const lks_weight_ref *w)
{
    return w->tensor == LKS_NONE && w->type == 0 && w->rows == 0 && w->cols == 0;
}

/* Whether weight k may be there: matrices are weights 0 and 2, their biases 1 and 3. */
static bool has_weight(const rule *r, int k)
{
    if (r->gain)
        return k == 0;
    return k / 2 < r->matrices && (k % 2 == 0 || r->biases);
}

/* Whether all that the operation does not use is 0 or absent. */
static bool unused_are_empty(const lks_op *op, const rule *r)
{
    for (int k = 0; k < 4; k++)
        if ((k >= r->inputs && op->inputs[k] != LKS_NONE) ||
            (!has_weight(r, k) && !absent(&op->weights[k])))
            return false;
    return (op->form == LKS_FORM_A8 || op->block == 0) &&
           (r->heads || (!op->heads && !op->kv_heads && !op->head_width)) &&
           (r->rotary || (!op->rope_width && op->pairing == LKS_PAIR_NONE)) &&
           (r->scalar || lks_bits(op->scalar) == 0) && (r->vocab || op->vocab == 0);
}

void lks_step_parse(lks_op *op, const uint8_t descriptor[LKS_DESCRIPTOR_SIZE])
{
    uint32_t w[USED_WORDS];
    for (uint32_t i = 0; i < USED_WORDS; i++)
        w[i] = lks_load_le32(descriptor + 4 * i);
    *op = (lks_op){.code = (lks_opcode)w[0],
                   .kind = (lks_row_kind)w[1],
                   .form = (lks_row_form)w[2],
                   .width = w[3],
                   .block = w[4],
                   .heads = w[25],
                   .kv_heads = w[26],
                   .head_width = w[27],
                   .rope_width = w[28],
                   .pairing = (lks_pairing)w[29],
                   .scalar = lks_float(w[30]),
                   .vocab = w[31]};
    memcpy(op->inputs, w + 5, sizeof op->inputs);
    for (int k = 0; k < 4; k++)
        op->weights[k] =
            (lks_weight_ref){w[9 + 4 * k], w[10 + 4 * k], w[11 + 4 * k], w[12 + 4 * k]};
}

lks_err lks_op_decode(lks_op *op, const uint8_t descriptor[LKS_DESCRIPTOR_SIZE])
{
    bool unknown = false;
    for (uint32_t i = USED_WORDS; i < WORDS; i++)
        unknown |= lks_load_le32(descriptor + 4 * i) != 0;
    lks_step_parse(op, descriptor);
    if (unknown || op->code < LKS_OP_EMBED || op->code > LKS_OP_SAMPLE || op->kind > LKS_ROWS_KV ||
        op->form > LKS_FORM_SAMPLE || op->pairing > LKS_PAIR_HALVES)
        return lks_fail(LKS_REFUSED, "a descriptor has a word that this version does not know");
    if (!unused_are_empty(op, &rules[op->code]))
        return lks_fail(LKS_REFUSED, "a descriptor of %s uses a word that means nothing there",
                        lks_op_name(op->code));
    return LKS_OK;
}

/* ---- Well-formed ---- */

static bool in_range(uint32_t n, uint32_t most)
{
    return n >= 1 && n <= most;
}

static bool is_matrix(const lks_weight_ref *w, uint32_t rows, uint32_t cols, uint32_t most_cols,
                      const lks_facts *f)
{
    uint32_t block = w->type == LKS_F32 || w->type == LKS_F16 || w->type == LKS_BF16
                         ? 0
                         : lks_tensor_type_block((lks_tensor_type)w->type);
    return block && w->tensor < f->tensor_count && w->rows == rows && w->cols == cols &&
           in_range(rows, MAX_SIZE) && in_range(cols, most_cols) && cols % block == 0;
}

static bool is_vector(const lks_weight_ref *w, uint32_t width, const lks_facts *f)
{
    return w->tensor < f->tensor_count && w->type == LKS_F32 && w->rows == 1 && w->cols == width;
}

/* Every matrix of the operation, rows x cols, and its bias. */
static bool has_matrices(const lks_op *op, uint32_t rows, uint32_t cols, uint32_t most_cols,
                         const lks_facts *f)
{
    const rule *r = &rules[op->code];
    for (int i = 0; i < r->matrices; i++)
        if (!is_matrix(&op->weights[2 * i], rows, cols, most_cols, f) ||
            (r->biases && !absent(&op->weights[2 * i + 1]) &&
             !is_vector(&op->weights[2 * i + 1], rows, f)))
            return false;
    return true;
}

/* The words of an input were not judged: only its own units do that. */
static bool is_of_heads(const lks_op *op)
{
    return op->head_width || op->code == LKS_OP_LINEAR_Q || op->code == LKS_OP_LINEAR_ROPE_Q ||
           op->code == LKS_OP_ROPE_Q;
}

/* Whether it may be an input of LINEAR: whole blocks of 64 over the row. */
static bool is_activations(const lks_op *in, lks_row_kind kind)
{
    return in->form == LKS_FORM_A8 && in->kind == kind && in->block == A8_BLOCK && !is_of_heads(in);
}

static bool is_f32(const lks_op *in, uint32_t width)
{
    return in->form == LKS_FORM_F32 && in->kind == LKS_ROWS_ALL && in->width == width;
}

static uint32_t rms_width(uint32_t n)
{
    return (n + LKS_RMS_SEGMENT - 1) / LKS_RMS_SEGMENT + 1;
}

/* Whether it may be an input of RMS and NORM_Q: a row per position, or a row per sampled position
 * for an operation of that kind. */
static bool is_stream(const lks_op *in, const lks_op *op)
{
    return in->form == LKS_FORM_F32 &&
           (in->kind == LKS_ROWS_ALL ||
            (in->kind == LKS_ROWS_SAMPLED && op->kind == LKS_ROWS_SAMPLED)) &&
           in_range(in->width, LKS_MAX_RMS_WIDTH);
}

static bool follows_head_rule(const lks_op *op)
{
    return in_range(op->heads, MAX_HEADS) && op->kv_heads >= 1 && op->heads % op->kv_heads == 0 &&
           (in_range(op->head_width, 128) || op->head_width == LKS_MAX_HEAD_WIDTH);
}

static uint32_t head_block(const lks_op *op)
{
    return op->head_width < 128 ? op->head_width : 128;
}

/* LINEAR_Q, LINEAR_ROPE_Q, ROPE_Q. Out: rows of all heads of the kind. */
static bool is_heads_op(const lks_op *op, uint32_t *all)
{
    bool turns = op->rope_width % 2 == 0 && op->rope_width >= 2 &&
                 op->rope_width <= op->head_width && op->pairing != LKS_PAIR_NONE;
    if (!follows_head_rule(op) || op->block != head_block(op) || (rules[op->code].rotary && !turns))
        return false;
    *all = (op->kind == LKS_ROWS_KV ? op->kv_heads : op->heads) * op->head_width;
    return op->width == (op->kind == LKS_ROWS_KV ? op->head_width : *all);
}

static bool is_head_input(const lks_op *in, const lks_op *attn, lks_row_kind kind)
{
    return in->form == LKS_FORM_A8 && in->kind == kind &&
           in->width == (kind == LKS_ROWS_KV ? attn->head_width : attn->width) &&
           in->heads == attn->heads && in->kv_heads == attn->kv_heads &&
           in->head_width == attn->head_width && in->block == head_block(attn);
}

static bool fits(const lks_op *op, const lks_op *in, const lks_facts *f)
{
    uint32_t all;
    switch (op->code) {
    case LKS_OP_EMBED:
        return op->vocab == f->vocab_size &&
               has_matrices(op, f->vocab_size, op->width, LKS_MAX_LINEAR_INPUTS, f);
    case LKS_OP_RMS: return is_stream(&in[0], op) && op->width == rms_width(in[0].width);
    case LKS_OP_NORM_Q:
        return is_stream(&in[0], op) && in[0].width == op->width && op->block == A8_BLOCK &&
               in[1].form == LKS_FORM_RMS && in[1].kind == op->kind &&
               in[1].width == rms_width(op->width) && is_vector(&op->weights[0], op->width, f);
    case LKS_OP_QUANT: return op->block == A8_BLOCK && is_f32(&in[0], op->width);
    case LKS_OP_LINEAR:
        return is_activations(&in[0], LKS_ROWS_ALL) &&
               has_matrices(op, op->width, in[0].width, LKS_MAX_LINEAR_INPUTS, f);
    case LKS_OP_LINEAR_ADD:
        return is_activations(&in[0], LKS_ROWS_ALL) && is_f32(&in[1], op->width) &&
               has_matrices(op, op->width, in[0].width, LKS_MAX_LINEAR_INPUTS, f);
    case LKS_OP_LINEAR_Q:
        return is_heads_op(op, &all) && is_activations(&in[0], LKS_ROWS_ALL) &&
               has_matrices(op, all, in[0].width, LKS_MAX_LINEAR_INPUTS, f);
    case LKS_OP_LINEAR_ROPE_Q:
        return is_heads_op(op, &all) && is_activations(&in[0], LKS_ROWS_ALL) &&
               has_matrices(op, all, in[0].width, LKS_MAX_PAIR_INPUTS, f);
    case LKS_OP_LINEAR_SILU_MUL_Q:
        return op->block == A8_BLOCK && is_activations(&in[0], LKS_ROWS_ALL) &&
               has_matrices(op, op->width, in[0].width, LKS_MAX_PAIR_INPUTS, f);
    case LKS_OP_ROPE_Q: return is_heads_op(op, &all) && is_f32(&in[0], all);
    case LKS_OP_SILU_MUL_Q:
        return op->block == A8_BLOCK && is_f32(&in[0], op->width) && is_f32(&in[1], op->width);
    case LKS_OP_ATTN:
        return follows_head_rule(op) && op->width == op->heads * op->head_width &&
               is_head_input(&in[0], op, LKS_ROWS_ALL) && is_head_input(&in[1], op, LKS_ROWS_KV) &&
               is_head_input(&in[2], op, LKS_ROWS_KV);
    case LKS_OP_SAMPLE:
        return op->width == 2 && op->vocab == f->vocab_size &&
               is_activations(&in[0], LKS_ROWS_SAMPLED) &&
               has_matrices(op, f->vocab_size, in[0].width, LKS_MAX_PAIR_INPUTS, f);
    case LKS_OP_INVALID: break;
    }
    return false;
}

static bool kind_is_allowed(const lks_op *op, const rule *r)
{
    switch (op->kind) {
    case LKS_ROWS_ALL: return op->code != LKS_OP_SAMPLE;
    case LKS_ROWS_SAMPLED: return r->sampled;
    case LKS_ROWS_KV: return r->kv;
    }
    return false;
}

bool lks_op_is_malformed(uint32_t index, const uint8_t descriptor[LKS_DESCRIPTOR_SIZE],
                         const uint8_t *const inputs[4], const lks_facts *f)
{
    lks_op op, in[4];
    if (index >= f->op_count || lks_op_decode(&op, descriptor))
        return true;
    const rule *r = &rules[op.code];
    memset(in, 0, sizeof in);
    for (int k = 0; k < r->inputs; k++) {
        if (op.inputs[k] >= index || !inputs[k])
            return true;
        lks_step_parse(&in[k], inputs[k]);
    }
    return op.form != r->form || !kind_is_allowed(&op, r) || !in_range(op.width, MAX_SIZE) ||
           (op.code == LKS_OP_SAMPLE) != (index == f->sampler_op) || !fits(&op, in, f);
}
