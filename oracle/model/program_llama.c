/* The program of the Llama family (Llama, Mistral, SmolLM2) from GGUF metadata: 12 operations a
 * layer, EMBED in front, RMS, NORM_Q and SAMPLE behind. */
#include "kernels/bytes.h"
#include "kernels/kernels.h"
#include "kernels/math32.h"
#include "oracle/model/program.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OPS_A_LAYER = 12,
    TENSORS_A_LAYER = 16,
    ACTIVATION_BLOCK = 64,
    MAX_LAYERS = 1024
};

typedef struct shape {
    uint32_t layers, width, ffn, heads, kv_heads, head_width;
    float epsilon, scale;
} shape;

typedef struct builder {
    const lks_gguf *g;
    lks_program *p;
    shape s;
    bool *used; /* a flag for every tensor of the file */
} builder;

/* ---- Metadata ---- */

static lks_err need_u32(const lks_gguf *g, const char *key, uint32_t low, uint32_t high,
                        uint32_t *out)
{
    lks_err err = lks_gguf_get_u32(g, key, out);
    if (err == LKS_NOTFOUND)
        return lks_fail(LKS_CORRUPT, "the file has no %s", key);
    if (!err && (*out < low || *out > high))
        return lks_fail(LKS_REFUSED, "%s is %u; supported are %u to %u", key, *out, low, high);
    return err;
}

static lks_err maybe_u32(const lks_gguf *g, const char *key, uint32_t *out)
{
    lks_err err = lks_gguf_get_u32(g, key, out);
    return err == LKS_NOTFOUND ? LKS_OK : err;
}

static lks_err maybe_f32(const lks_gguf *g, const char *key, float *out)
{
    lks_err err = lks_gguf_get_f32(g, key, out);
    return err == LKS_NOTFOUND ? LKS_OK : err;
}

static bool is_finite(float f)
{
    return (lks_bits(f) & 0x7f800000u) != 0x7f800000u;
}

static bool string_is(lks_gguf_string s, const char *text)
{
    return s.len == strlen(text) && !memcmp(s.data, text, s.len);
}

static lks_err read_shape(builder *b)
{
    const lks_gguf *g = b->g;
    lks_program *p = b->p;
    shape *s = &b->s;
    lks_gguf_string arch;
    lks_err err = lks_gguf_get_string(g, "general.architecture", &arch);
    if (err)
        return err == LKS_NOTFOUND ? lks_fail(LKS_CORRUPT, "the file has no general.architecture")
                                   : err;
    if (!string_is(arch, "llama"))
        return lks_fail(
            LKS_REFUSED,
            "architecture '%.*s' is not supported; this version runs the Llama family ('llama')",
            (int)(arch.len < 40 ? arch.len : 40), arch.data);
    static const char *const unsupported[] = {"llama.logit_scale", "llama.residual_scale",
                                              "llama.embedding_scale", NULL};
    for (int i = 0; unsupported[i]; i++)
        if (lks_gguf_find(g, unsupported[i]))
            return lks_fail(LKS_REFUSED, "%s is not supported by this version", unsupported[i]);
    uint32_t experts = 0;
    if ((err = maybe_u32(g, "llama.expert_count", &experts)))
        return err;
    if (experts)
        return lks_fail(LKS_REFUSED, "mixture-of-experts models are not supported by this version");

    if ((err = need_u32(g, "llama.block_count", 1, MAX_LAYERS, &s->layers)) ||
        (err = need_u32(g, "llama.embedding_length", 32, LKS_MAX_RMS_WIDTH, &s->width)) ||
        (err = need_u32(g, "llama.feed_forward_length", 32, LKS_MAX_LINEAR_INPUTS, &s->ffn)) ||
        (err = need_u32(g, "llama.attention.head_count", 1, 4096, &s->heads)) ||
        (err = need_u32(g, "llama.context_length", 1, UINT32_MAX, &p->context_length)))
        return err;
    s->kv_heads = s->heads;
    s->epsilon = -1.0f;
    if ((err = maybe_u32(g, "llama.attention.head_count_kv", &s->kv_heads)) ||
        (err = maybe_f32(g, "llama.attention.layer_norm_rms_epsilon", &s->epsilon)))
        return err;
    if (s->kv_heads == 0 || s->kv_heads > s->heads || s->heads % s->kv_heads)
        return lks_fail(LKS_REFUSED, "%u attention heads are not a multiple of %u key-value heads",
                        s->heads, s->kv_heads);
    if (!is_finite(s->epsilon) || s->epsilon < 0.0f)
        return lks_fail(
            LKS_CORRUPT,
            "llama.attention.layer_norm_rms_epsilon is missing, negative or not finite");

    uint32_t key_width, value_width;
    s->head_width = key_width = value_width = s->width / s->heads;
    if ((err = maybe_u32(g, "llama.attention.key_length", &key_width)) ||
        (err = maybe_u32(g, "llama.attention.value_length", &value_width)))
        return err;
    if (key_width != value_width)
        return lks_fail(LKS_REFUSED, "key width %u and value width %u differ", key_width,
                        value_width);
    s->head_width = key_width;
    if (s->head_width == 0 || (s->head_width > 128 && s->head_width != 256))
        return lks_fail(LKS_REFUSED, "head width %u is not supported; 1 to 128, or 256",
                        s->head_width);
    s->scale = 1.0f / lks_sqrt((float)s->head_width);
    if ((err = maybe_f32(g, "llama.attention.scale", &s->scale)))
        return err;
    if (!is_finite(s->scale) || s->scale <= 0.0f)
        return lks_fail(LKS_CORRUPT, "llama.attention.scale is not a positive finite number");
    p->max_positions =
        p->context_length < LKS_MAX_POSITIONS ? p->context_length : LKS_MAX_POSITIONS;
    return LKS_OK;
}

static lks_err read_rope(builder *b)
{
    const lks_gguf *g = b->g;
    lks_program *p = b->p;
    p->rope_base = 10000.0f;
    p->rope_width = b->s.head_width;
    lks_err err = maybe_f32(g, "llama.rope.freq_base", &p->rope_base);
    if (err || (err = maybe_u32(g, "llama.rope.dimension_count", &p->rope_width)))
        return err;
    if (!is_finite(p->rope_base) || p->rope_base < 1.0f)
        return lks_fail(LKS_REFUSED, "llama.rope.freq_base is not a finite number of at least 1");
    if (p->rope_width == 0 || p->rope_width % 2 || p->rope_width > b->s.head_width)
        return lks_fail(LKS_REFUSED, "rotary width %u is odd, zero or above the head width %u",
                        p->rope_width, b->s.head_width);

    float factor = 1.0f;
    lks_gguf_string type;
    err = lks_gguf_get_string(g, "llama.rope.scaling.type", &type);
    if (err && err != LKS_NOTFOUND)
        return err;
    if (!err && string_is(type, "linear")) {
        if ((err = maybe_f32(g, "llama.rope.scaling.factor", &factor)))
            return err;
    } else if (!err && !string_is(type, "none")) {
        return lks_fail(LKS_REFUSED, "RoPE scaling '%.*s' is not supported by this version",
                        (int)(type.len < 40 ? type.len : 40), type.data);
    }
    p->rope_factors = malloc(p->rope_width / 2 * sizeof *p->rope_factors);
    if (!p->rope_factors)
        return lks_fail(LKS_NOMEM, "out of memory");
    const lks_gguf_tensor *t = lks_gguf_tensor_find(g, "rope_freqs.weight");
    if (t && (t->type != LKS_F32 || t->dim_count != 1 || t->dims[0] != p->rope_width / 2))
        return lks_fail(LKS_CORRUPT, "tensor rope_freqs.weight is not a row of %u F32 numbers",
                        p->rope_width / 2);
    for (uint32_t i = 0; i < p->rope_width / 2; i++) {
        float f = t ? lks_float(lks_load_le32(t->data + 4 * i)) : factor;
        if (!is_finite(f) || f < 0x1p-6f)
            return lks_fail(LKS_REFUSED, "RoPE factor %u is not a finite number of at least 2^-6",
                            i);
        p->rope_factors[i] = f;
    }
    if (t)
        for (size_t i = 0; i < lks_gguf_tensor_count(g); i++)
            b->used[i] |= lks_gguf_tensor_at(g, i) == t;
    return LKS_OK;
}

/* ---- Tensors ---- */

static const lks_weight_ref NO_WEIGHT = {LKS_NONE, 0, 0, 0};

/* Scales that are infinite or NaN would make honest machines disagree about nothing but mean
 * nothing: refused once, here. */
static lks_err check_scales(const lks_gguf_tensor *t)
{
    lks_matrix m = {.type = t->type,
                    .rows = (uint32_t)t->dims[1],
                    .cols = (uint32_t)t->dims[0],
                    .data = t->data,
                    .row_size = t->row_size};
    uint32_t step = lks_tensor_type_block(t->type), subs = step / lks_sub_block(t->type);
    for (uint32_t r = 0; r < m.rows; r++)
        for (uint32_t c = 0; c < m.cols; c += step) {
            int8_t q[256];
            float w[16], n[16];
            lks_unpack(q, w, n, &m, r, c, step);
            for (uint32_t i = 0; i < subs; i++)
                if (!is_finite(w[i]) || !is_finite(n[i]))
                    return lks_fail(LKS_REFUSED,
                                    "tensor %.*s has a scale that is not finite in row %u",
                                    (int)t->name.len, t->name.data, r);
        }
    return LKS_OK;
}

/* Adds a tensor to the program's list, or finds it there. rows 0: a vector of F32. */
static lks_err use(builder *b, lks_weight_ref *out, const char *name, uint32_t rows, uint32_t cols,
                   bool optional)
{
    const lks_gguf_tensor *t = lks_gguf_tensor_find(b->g, name);
    *out = NO_WEIGHT;
    if (!t)
        return optional ? LKS_OK : lks_fail(LKS_CORRUPT, "the file has no tensor %s", name);
    bool vector = rows == 0;
    if (t->dims[0] != cols || t->dims[1] != (vector ? 1 : rows) || t->dims[2] != 1 ||
        t->dims[3] != 1)
        return lks_fail(LKS_CORRUPT,
                        "tensor %s has the wrong shape: %llu x %llu instead of %u x %u", name,
                        (unsigned long long)t->dims[1], (unsigned long long)t->dims[0],
                        vector ? 1 : rows, cols);
    if (vector && t->type != LKS_F32)
        return lks_fail(LKS_REFUSED,
                        "vector %s is %s instead of F32; run 'lockstep model import' first", name,
                        lks_tensor_type_name(t->type));
    if (!vector && (t->type == LKS_F32 || t->type == LKS_F16 || t->type == LKS_BF16))
        return lks_fail(LKS_REFUSED, "matrix %s is %s; run 'lockstep model import' first", name,
                        lks_tensor_type_name(t->type));
    uint32_t i = 0;
    while (i < b->p->tensor_count && b->p->tensors[i] != t)
        i++;
    if (i == b->p->tensor_count) {
        lks_err err = vector ? LKS_OK : check_scales(t);
        if (err)
            return err;
        b->p->tensors[b->p->tensor_count++] = t;
        for (size_t k = 0; k < lks_gguf_tensor_count(b->g); k++)
            if (lks_gguf_tensor_at(b->g, k) == t)
                b->used[k] = true;
    }
    *out = (lks_weight_ref){i, t->type, vector ? 1 : rows, cols};
    return LKS_OK;
}

static lks_err use_in_layer(builder *b, lks_weight_ref *out, uint32_t layer, const char *part,
                            uint32_t rows, uint32_t cols, bool optional)
{
    char name[64];
    snprintf(name, sizeof name, "blk.%u.%s", layer, part);
    return use(b, out, name, rows, cols, optional);
}

/* ---- Operations ---- */

static lks_op *add(builder *b, lks_opcode code, lks_row_form form, uint32_t width)
{
    lks_op *op = &b->p->ops[b->p->op_count++];
    *op = (lks_op){.code = code, .kind = LKS_ROWS_ALL, .form = form, .width = width};
    for (int i = 0; i < 4; i++) {
        op->inputs[i] = LKS_NONE;
        op->weights[i] = NO_WEIGHT;
    }
    if (form == LKS_FORM_A8)
        op->block = ACTIVATION_BLOCK;
    return op;
}

static uint32_t last(const builder *b)
{
    return b->p->op_count - 1;
}

/* RMS and NORM_Q of the residual stream x. Returns the index of NORM_Q in *out. */
static lks_err add_norm(builder *b, uint32_t x, lks_weight_ref gain, lks_row_kind kind,
                        uint32_t *out)
{
    lks_op *rms =
        add(b, LKS_OP_RMS, LKS_FORM_RMS, (b->s.width + LKS_RMS_SEGMENT - 1) / LKS_RMS_SEGMENT + 1);
    rms->inputs[0] = x;
    rms->scalar = b->s.epsilon;
    rms->kind = kind;
    lks_op *norm = add(b, LKS_OP_NORM_Q, LKS_FORM_A8, b->s.width);
    norm->inputs[0] = x;
    norm->inputs[1] = last(b) - 1;
    norm->weights[0] = gain;
    norm->kind = kind;
    *out = last(b);
    return LKS_OK;
}

/* Q, K or V of a layer: one projection to heads of A8 blocks, K and V as one row a head. */
static lks_err add_heads(builder *b, uint32_t layer, const char *part, uint32_t input,
                         uint32_t heads, bool rope, bool cached, uint32_t *out)
{
    const shape *s = &b->s;
    char name[32];
    bool rotated = rope;
    lks_op *op = add(b, rotated ? LKS_OP_LINEAR_ROPE_Q : LKS_OP_LINEAR_Q, LKS_FORM_A8,
                     (cached ? 1 : heads) * s->head_width);
    *out = last(b);
    op->kind = cached ? LKS_ROWS_KV : LKS_ROWS_ALL;
    op->block = s->head_width > 128 ? 128 : s->head_width;
    op->inputs[0] = input;
    op->heads = s->heads;
    op->kv_heads = s->kv_heads;
    op->head_width = s->head_width;
    op->rope_width = rotated ? b->p->rope_width : 0;
    op->pairing = rotated ? LKS_PAIR_INTERLEAVED : LKS_PAIR_NONE;
    snprintf(name, sizeof name, "%s.weight", part);
    lks_err err =
        use_in_layer(b, &op->weights[0], layer, name, heads * s->head_width, s->width, false);
    if (err)
        return err;
    snprintf(name, sizeof name, "%s.bias", part);
    return use_in_layer(b, &op->weights[1], layer, name, 0, heads * s->head_width, true);
}

static lks_err add_linear_add(builder *b, uint32_t layer, const char *part, uint32_t input,
                              uint32_t input_width, uint32_t x)
{
    char name[32];
    lks_op *op = add(b, LKS_OP_LINEAR_ADD, LKS_FORM_F32, b->s.width);
    op->inputs[0] = input;
    op->inputs[1] = x;
    snprintf(name, sizeof name, "%s.weight", part);
    lks_err err = use_in_layer(b, &op->weights[0], layer, name, b->s.width, input_width, false);
    if (err)
        return err;
    snprintf(name, sizeof name, "%s.bias", part);
    return use_in_layer(b, &op->weights[1], layer, name, 0, b->s.width, true);
}

static lks_err add_attention(builder *b, uint32_t layer, uint32_t normed, uint32_t x)
{
    const shape *s = &b->s;
    uint32_t q, k, v;
    lks_err err;
    if ((err = add_heads(b, layer, "attn_q", normed, s->heads, true, false, &q)) ||
        (err = add_heads(b, layer, "attn_k", normed, s->kv_heads, true, true, &k)) ||
        (err = add_heads(b, layer, "attn_v", normed, s->kv_heads, false, true, &v)))
        return err;
    lks_op *attn = add(b, LKS_OP_ATTN, LKS_FORM_F32, s->heads * s->head_width);
    attn->inputs[0] = q;
    attn->inputs[1] = k;
    attn->inputs[2] = v;
    attn->heads = s->heads;
    attn->kv_heads = s->kv_heads;
    attn->head_width = s->head_width;
    attn->scalar = s->scale;
    lks_op *quant = add(b, LKS_OP_QUANT, LKS_FORM_A8, s->heads * s->head_width);
    quant->inputs[0] = last(b) - 1;
    return add_linear_add(b, layer, "attn_output", last(b), s->heads * s->head_width, x);
}

static lks_err add_ffn(builder *b, uint32_t layer, uint32_t normed, uint32_t x)
{
    const shape *s = &b->s;
    lks_err err;
    lks_op *op = add(b, LKS_OP_LINEAR_SILU_MUL_Q, LKS_FORM_A8, s->ffn);
    op->inputs[0] = normed;
    if ((err =
             use_in_layer(b, &op->weights[0], layer, "ffn_gate.weight", s->ffn, s->width, false)) ||
        (err = use_in_layer(b, &op->weights[1], layer, "ffn_gate.bias", 0, s->ffn, true)) ||
        (err = use_in_layer(b, &op->weights[2], layer, "ffn_up.weight", s->ffn, s->width, false)) ||
        (err = use_in_layer(b, &op->weights[3], layer, "ffn_up.bias", 0, s->ffn, true)))
        return err;
    return add_linear_add(b, layer, "ffn_down", last(b), s->ffn, x);
}

static lks_err add_layer(builder *b, uint32_t layer)
{
    lks_weight_ref gain;
    uint32_t x = last(b), normed;
    lks_err err;
    if ((err = use_in_layer(b, &gain, layer, "attn_norm.weight", 0, b->s.width, false)) ||
        (err = add_norm(b, x, gain, LKS_ROWS_ALL, &normed)) ||
        (err = add_attention(b, layer, normed, x)))
        return err;
    x = last(b);
    if ((err = use_in_layer(b, &gain, layer, "ffn_norm.weight", 0, b->s.width, false)) ||
        (err = add_norm(b, x, gain, LKS_ROWS_ALL, &normed)))
        return err;
    return add_ffn(b, layer, normed, x);
}

static lks_err add_all(builder *b)
{
    lks_program *p = b->p;
    const lks_gguf_tensor *embedding = lks_gguf_tensor_find(b->g, "token_embd.weight");
    if (!embedding || embedding->dims[1] == 0 || embedding->dims[1] > (1u << 24))
        return lks_fail(LKS_CORRUPT,
                        "the file has no tensor token_embd.weight, or one of an impossible size");
    p->vocab_size = (uint32_t)embedding->dims[1];
    lks_op *embed = add(b, LKS_OP_EMBED, LKS_FORM_F32, b->s.width);
    embed->vocab = p->vocab_size;
    lks_err err = use(b, &embed->weights[0], "token_embd.weight", p->vocab_size, b->s.width, false);
    for (uint32_t layer = 0; !err && layer < b->s.layers; layer++)
        err = add_layer(b, layer);
    if (err)
        return err;
    lks_weight_ref gain;
    uint32_t normed;
    if ((err = use(b, &gain, "output_norm.weight", 0, b->s.width, false)) ||
        (err = add_norm(b, last(b), gain, LKS_ROWS_SAMPLED, &normed)))
        return err;
    lks_op *sample = add(b, LKS_OP_SAMPLE, LKS_FORM_SAMPLE, 2);
    sample->kind = LKS_ROWS_SAMPLED;
    sample->inputs[0] = normed;
    sample->vocab = p->vocab_size;
    bool tied = !lks_gguf_tensor_find(b->g, "output.weight");
    return use(b, &sample->weights[0], tied ? "token_embd.weight" : "output.weight", p->vocab_size,
               b->s.width, false);
}

static lks_err check_all_used(const builder *b)
{
    for (size_t i = 0; i < lks_gguf_tensor_count(b->g); i++)
        if (!b->used[i]) {
            lks_gguf_string name = lks_gguf_tensor_at(b->g, i)->name;
            return lks_fail(LKS_REFUSED,
                            "tensor %.*s is not part of a model that this version knows",
                            (int)(name.len < 64 ? name.len : 64), name.data);
        }
    for (uint32_t i = 0; i < b->p->op_count; i++) {
        const lks_op *op = &b->p->ops[i];
        uint32_t limit = op->code == LKS_OP_LINEAR_SILU_MUL_Q || op->code == LKS_OP_LINEAR_ROPE_Q ||
                                 op->code == LKS_OP_SAMPLE
                             ? LKS_MAX_PAIR_INPUTS
                             : LKS_MAX_LINEAR_INPUTS;
        if (op->weights[0].tensor != LKS_NONE && op->weights[0].cols > limit)
            return lks_fail(LKS_REFUSED, "operation %u (%s) has %u inputs; the limit is %u", i,
                            lks_op_name(op->code), op->weights[0].cols, limit);
    }
    return LKS_OK;
}

lks_err lks_program_derive(lks_program *out, const lks_gguf *g)
{
    memset(out, 0, sizeof *out);
    builder b = {.g = g, .p = out};
    if (lks_gguf_tensor_count(g) == 0)
        return lks_fail(LKS_REFUSED, "the file has a vocabulary but no weights");
    b.used = calloc(lks_gguf_tensor_count(g), sizeof *b.used);
    lks_err err = b.used ? read_shape(&b) : lks_fail(LKS_NOMEM, "out of memory");
    if (!err)
        err = read_rope(&b);
    if (!err) {
        out->ops = calloc((size_t)b.s.layers * OPS_A_LAYER + 4, sizeof *out->ops);
        out->tensors = calloc((size_t)b.s.layers * TENSORS_A_LAYER + 3, sizeof *out->tensors);
        err = out->ops && out->tensors ? add_all(&b) : lks_fail(LKS_NOMEM, "out of memory");
    }
    if (!err)
        err = check_all_used(&b);
    assert(err || out->op_count == b.s.layers * OPS_A_LAYER + 4);
    free(b.used);
    if (err)
        lks_program_free(out);
    return err;
}
