/* Vectors of the rules of well-formed programs: an operation of every kind with its inputs, a few
 * words of them changed. */
#include "step_vectors.h"

#include "kernels/bytes.h"
#include "oracle/proof/step.h"

#include <string.h>

enum {
    OPS = 40,
    TENSORS = 12,
    VOCABULARY = 500,
    SAMPLER = 39,
    WORDS = LKS_DESCRIPTOR_SIZE / 4,
    WIDTH = 512,
    HEADS = 4,
    KV_HEADS = 2,
    HEAD = 64
};

typedef struct set { /* an operation, where it stands, and its inputs */
    uint32_t index;
    uint32_t words[5][WORDS];
    bool present[5];
} set;

static const lks_weight_ref NO_WEIGHT = {LKS_NONE, 0, 0, 0};

static lks_op plain(lks_opcode code, lks_row_kind kind, lks_row_form form, uint32_t width,
                    uint32_t block)
{
    lks_op op = {.code = code, .kind = kind, .form = form, .width = width, .block = block};
    for (int k = 0; k < 4; k++) {
        op.inputs[k] = LKS_NONE;
        op.weights[k] = NO_WEIGHT;
    }
    return op;
}

static lks_op of_heads(lks_opcode code, lks_row_kind kind, uint32_t head_width)
{
    lks_op op =
        plain(code, kind, LKS_FORM_A8, kind == LKS_ROWS_KV ? head_width : HEADS * head_width,
              head_width < 128 ? head_width : 128);
    op.heads = HEADS, op.kv_heads = KV_HEADS, op.head_width = head_width;
    if (code != LKS_OP_LINEAR_Q) {
        op.rope_width = one_in(2) ? head_width & ~1u : 2;
        op.pairing = one_in(2) ? LKS_PAIR_INTERLEAVED : LKS_PAIR_HALVES;
    }
    return op;
}

static void put_op(set *s, int slot, const lks_op *op)
{
    uint8_t bytes[LKS_DESCRIPTOR_SIZE];
    lks_op_encode(bytes, op);
    for (int i = 0; i < WORDS; i++)
        s->words[slot][i] = lks_load_le32(bytes + 4 * i);
    s->present[slot] = true;
}

static void give_matrix(lks_op *op, int k, uint32_t rows, uint32_t cols, bool bias)
{
    static const lks_tensor_type types[] = {LKS_Q4_0, LKS_Q4_1, LKS_Q5_0, LKS_Q5_1,
                                            LKS_Q8_0, LKS_Q4_K, LKS_Q5_K, LKS_Q6_K};
    op->weights[k] = (lks_weight_ref){random_below(TENSORS), types[random_below(8)], rows, cols};
    if (bias && one_in(2))
        op->weights[k + 1] = (lks_weight_ref){random_below(TENSORS), LKS_F32, 1, rows};
}

static void give_input(set *s, lks_op *op, int k, const lks_op *input)
{
    op->inputs[k] = random_below(s->index);
    put_op(s, k + 1, input);
}

/* What breaks no rule. */
static void well_formed(set *s, lks_opcode code)
{
    uint32_t kind = one_in(2), head = one_in(3) ? 256 : HEAD,
             heads_kind = one_in(2) ? LKS_ROWS_ALL : LKS_ROWS_KV;
    lks_op stream = plain(LKS_OP_LINEAR_ADD, LKS_ROWS_ALL, LKS_FORM_F32, WIDTH, 0),
           sums = plain(LKS_OP_RMS, kind, LKS_FORM_RMS, 3, 0);
    lks_op row = plain(LKS_OP_QUANT, LKS_ROWS_ALL, LKS_FORM_A8, WIDTH, 64),
           op = plain(code, LKS_ROWS_ALL, LKS_FORM_F32, WIDTH, 0);
    memset(s, 0, sizeof *s);
    s->index = code == LKS_OP_SAMPLE ? SAMPLER : 4 + random_below(SAMPLER - 4);
    if (code == LKS_OP_EMBED) {
        op.vocab = VOCABULARY;
        give_matrix(&op, 0, VOCABULARY, WIDTH, false);
    } else if (code == LKS_OP_RMS) {
        op = plain(code, kind, LKS_FORM_RMS, 3, 0);
        op.scalar = 1e-5f;
        stream.kind = kind && one_in(2) ? LKS_ROWS_SAMPLED : LKS_ROWS_ALL;
        give_input(s, &op, 0, &stream);
    } else if (code == LKS_OP_NORM_Q) {
        op = plain(code, kind, LKS_FORM_A8, WIDTH, 64);
        give_input(s, &op, 0, &stream);
        give_input(s, &op, 1, &sums);
        op.weights[0] = (lks_weight_ref){3, LKS_F32, 1, WIDTH};
    } else if (code == LKS_OP_QUANT || code == LKS_OP_SILU_MUL_Q) {
        op = row;
        op.code = code;
        give_input(s, &op, 0, &stream);
        if (code == LKS_OP_SILU_MUL_Q)
            give_input(s, &op, 1, &stream);
    } else if (code == LKS_OP_LINEAR || code == LKS_OP_LINEAR_ADD ||
               code == LKS_OP_LINEAR_SILU_MUL_Q) {
        if (code == LKS_OP_LINEAR_SILU_MUL_Q)
            op = plain(code, LKS_ROWS_ALL, LKS_FORM_A8, WIDTH, 64);
        give_input(s, &op, 0, &row);
        if (code == LKS_OP_LINEAR_ADD)
            give_input(s, &op, 1, &stream);
        give_matrix(&op, 0, WIDTH, WIDTH, true);
        if (code == LKS_OP_LINEAR_SILU_MUL_Q)
            give_matrix(&op, 2, WIDTH, WIDTH, true);
    } else if (code == LKS_OP_ATTN) {
        lks_op q = of_heads(LKS_OP_LINEAR_ROPE_Q, LKS_ROWS_ALL, head),
               kv = of_heads(LKS_OP_LINEAR_Q, LKS_ROWS_KV, head);
        op.width = HEADS * head, op.heads = HEADS, op.kv_heads = KV_HEADS, op.head_width = head,
        op.scalar = 0.125f;
        give_input(s, &op, 0, &q);
        give_input(s, &op, 1, &kv);
        give_input(s, &op, 2, &kv);
    } else if (code == LKS_OP_SAMPLE) {
        op = plain(code, LKS_ROWS_SAMPLED, LKS_FORM_SAMPLE, 2, 0);
        op.vocab = VOCABULARY;
        row.kind = LKS_ROWS_SAMPLED;
        give_input(s, &op, 0, &row);
        give_matrix(&op, 0, VOCABULARY, WIDTH, false);
    } else { /* LINEAR_Q, LINEAR_ROPE_Q, ROPE_Q */
        uint32_t all = (heads_kind == LKS_ROWS_KV ? KV_HEADS : HEADS) * head;
        op = of_heads(code, heads_kind, head);
        stream.width = all;
        give_input(s, &op, 0, code == LKS_OP_ROPE_Q ? &stream : &row);
        if (code != LKS_OP_ROPE_Q)
            give_matrix(&op, 0, all, WIDTH, true);
    }
    put_op(s, 0, &op);
}

/* Values at the limits that rules name, or close to what stands there. */
static uint32_t other_word(uint32_t old)
{
    static const uint32_t limits[] = {
        0,     1,          2,     3,     4,    6,        7,
        10,    12,         13,    14,    32,   63,       64,
        128,   256,        257,   4096,  4097, 32768,    33024,
        52000, 52224,      65280, 65281, 500,  1u << 24, (1u << 24) + 1,
        11,    0xffffffffu};
    switch (random_below(4)) {
    case 0: return old + 1 - 2 * random_below(2);
    case 1: return old ^ 1u << random_below(32);
    default: return limits[random_below(sizeof limits / sizeof *limits)];
    }
}

/* Widths that change together, to get past the rules that tie them. */
static void replace_everywhere(set *s, uint32_t from, uint32_t to)
{
    for (int k = 0; k < 5; k++)
        for (int i = 3; i < 32; i++)
            if (s->present[k] && s->words[k][i] == from)
                s->words[k][i] = to;
}

/* index; opCount, tensorCount, samplerOp, vocabSize; 64 words of the operation; for each of four
 * inputs 64 words, 0 where it is absent; whether it is malformed */
static void put_set(vector_file *f, const set *s)
{
    uint8_t bytes[5][LKS_DESCRIPTOR_SIZE];
    const uint8_t *inputs[4];
    lks_facts facts = {
        .op_count = OPS, .tensor_count = TENSORS, .sampler_op = SAMPLER, .vocab_size = VOCABULARY};
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < WORDS; i++)
            lks_store_le32(bytes[k] + 4 * i, s->words[k][i]);
    /* an input has an opening where it is an operation before this one; the file holds zeros where
     * the set had none */
    for (int k = 0; k < 4; k++)
        inputs[k] = s->words[0][5 + k] < s->index ? bytes[k + 1] : NULL;
    vector_record(f);
    vector_word(f, s->index);
    vector_word(f, facts.op_count);
    vector_word(f, facts.tensor_count);
    vector_word(f, facts.sampler_op);
    vector_word(f, facts.vocab_size);
    vector_bytes(f, bytes, sizeof bytes);
    vector_word(f, lks_op_is_malformed(s->index, bytes[0], inputs, &facts));
}

void write_rules(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "rules");
    for (uint32_t i = 0; i < 13 * cases; i++) {
        set s;
        well_formed(&s, (lks_opcode)(1 + i % 13));
        for (uint32_t n = random_below(3); n > 0; n--) {
            int slot = one_in(2) ? 0 : (int)random_below(5),
                word = (int)random_below(one_in(8) ? WORDS : 32);
            if (one_in(4))
                replace_everywhere(&s, s.words[slot][word], other_word(s.words[slot][word]));
            else
                s.words[slot][word] = other_word(s.words[slot][word]);
        }
        put_set(&f, &s);
    }
    vector_close(&f);
}
