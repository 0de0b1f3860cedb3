/* Any bytes as what a unit of proof reads: rows, weights, tokens, partials, and descriptors with
 * some words changed. The check never reads outside, asks only for places that exist, and ends. */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/proof/step.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    OP = 10,
    INPUTS = 3,
    HEADER = 16,
    MUTATION = 6,
    TENSORS = 8,
    VOCAB = 40,
    POSITIONS = 64,
    MAX_ROOMS = 64
};

#define NO_INPUTS {LKS_NONE, LKS_NONE, LKS_NONE, LKS_NONE}
#define NO_WEIGHT {LKS_NONE, 0, 0, 0}
#define MATRIX(type, rows, cols) {1, type, rows, cols}
#define VECTOR(cols) {2, LKS_F32, 1, cols}

/* An operation and what it reads; all well-formed. */
typedef struct family {
    lks_op op, inputs[INPUTS];
} family;

#define F32(n) {.code = LKS_OP_LINEAR, .form = LKS_FORM_F32, .width = n}
#define A8(k, n) {.code = LKS_OP_QUANT, .kind = k, .form = LKS_FORM_A8, .width = n, .block = 64}
#define HEADS(c, k, n, hd)                                                                         \
    {.code = c,                                                                                    \
     .kind = k,                                                                                    \
     .form = LKS_FORM_A8,                                                                          \
     .width = n,                                                                                   \
     .block = hd < 128 ? hd : 128,                                                                 \
     .heads = 4,                                                                                   \
     .kv_heads = 2,                                                                                \
     .head_width = hd}

static const family families[] = {
    {{.code = LKS_OP_EMBED,
      .width = 512,
      .inputs = NO_INPUTS,
      .weights = {MATRIX(LKS_Q6_K, VOCAB, 512), NO_WEIGHT, NO_WEIGHT, NO_WEIGHT},
      .vocab = VOCAB},
     {{0}}},
    {{.code = LKS_OP_RMS,
      .form = LKS_FORM_RMS,
      .width = 4,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT}},
     {F32(700)}},
    {{.code = LKS_OP_NORM_Q,
      .kind = LKS_ROWS_SAMPLED,
      .form = LKS_FORM_A8,
      .width = 1100,
      .block = 64,
      .inputs = {0, 1, LKS_NONE, LKS_NONE},
      .weights = {VECTOR(1100), NO_WEIGHT, NO_WEIGHT, NO_WEIGHT}},
     {F32(1100), {.code = LKS_OP_RMS, .kind = LKS_ROWS_SAMPLED, .form = LKS_FORM_RMS, .width = 6}}},
    {{.code = LKS_OP_QUANT,
      .form = LKS_FORM_A8,
      .width = 1100,
      .block = 64,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT}},
     {F32(1100)}},
    {{.code = LKS_OP_LINEAR,
      .width = 300,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {MATRIX(LKS_Q5_1, 300, 96), VECTOR(300), NO_WEIGHT, NO_WEIGHT}},
     {A8(LKS_ROWS_ALL, 96)}},
    {{.code = LKS_OP_LINEAR_ADD,
      .width = 300,
      .inputs = {0, 1, LKS_NONE, LKS_NONE},
      .weights = {MATRIX(LKS_Q5_K, 300, 256), NO_WEIGHT, NO_WEIGHT, NO_WEIGHT}},
     {A8(LKS_ROWS_ALL, 256), F32(300)}},
    {{.code = LKS_OP_LINEAR_Q,
      .kind = LKS_ROWS_KV,
      .form = LKS_FORM_A8,
      .width = 40,
      .block = 40,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {MATRIX(LKS_Q8_0, 80, 64), VECTOR(80), NO_WEIGHT, NO_WEIGHT},
      .heads = 4,
      .kv_heads = 2,
      .head_width = 40},
     {A8(LKS_ROWS_ALL, 64)}},
    {{.code = LKS_OP_LINEAR_ROPE_Q,
      .form = LKS_FORM_A8,
      .width = 1024,
      .block = 128,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {MATRIX(LKS_Q4_K, 1024, 256), NO_WEIGHT, NO_WEIGHT, NO_WEIGHT},
      .heads = 4,
      .kv_heads = 2,
      .head_width = 256,
      .rope_width = 64,
      .pairing = LKS_PAIR_HALVES},
     {A8(LKS_ROWS_ALL, 256)}},
    {{.code = LKS_OP_LINEAR_SILU_MUL_Q,
      .form = LKS_FORM_A8,
      .width = 200,
      .block = 64,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {MATRIX(LKS_Q4_1, 200, 96), NO_WEIGHT, MATRIX(LKS_Q4_0, 200, 96), VECTOR(200)}},
     {A8(LKS_ROWS_ALL, 96)}},
    {{.code = LKS_OP_ROPE_Q,
      .form = LKS_FORM_A8,
      .width = 160,
      .block = 40,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT},
      .heads = 4,
      .kv_heads = 2,
      .head_width = 40,
      .rope_width = 32,
      .pairing = LKS_PAIR_INTERLEAVED},
     {F32(160)}},
    {{.code = LKS_OP_SILU_MUL_Q,
      .form = LKS_FORM_A8,
      .width = 200,
      .block = 64,
      .inputs = {0, 1, LKS_NONE, LKS_NONE},
      .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT}},
     {F32(200), F32(200)}},
    {{.code = LKS_OP_ATTN,
      .width = 160,
      .inputs = {0, 1, 2, LKS_NONE},
      .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT},
      .heads = 4,
      .kv_heads = 2,
      .head_width = 40,
      .scalar = 0.125f},
     {HEADS(LKS_OP_LINEAR_ROPE_Q, LKS_ROWS_ALL, 160, 40),
      HEADS(LKS_OP_LINEAR_ROPE_Q, LKS_ROWS_KV, 40, 40),
      HEADS(LKS_OP_LINEAR_Q, LKS_ROWS_KV, 40, 40)}},
    {{.code = LKS_OP_ATTN,
      .width = 1024,
      .inputs = {0, 1, 2, LKS_NONE},
      .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT},
      .heads = 4,
      .kv_heads = 2,
      .head_width = 256,
      .scalar = 0.125f},
     {HEADS(LKS_OP_ROPE_Q, LKS_ROWS_ALL, 1024, 256), HEADS(LKS_OP_ROPE_Q, LKS_ROWS_KV, 256, 256),
      HEADS(LKS_OP_LINEAR_Q, LKS_ROWS_KV, 256, 256)}},
    {{.code = LKS_OP_SAMPLE,
      .kind = LKS_ROWS_SAMPLED,
      .form = LKS_FORM_SAMPLE,
      .width = 2,
      .inputs = {0, LKS_NONE, LKS_NONE, LKS_NONE},
      .weights = {MATRIX(LKS_Q8_0, VOCAB, 64), NO_WEIGHT, NO_WEIGHT, NO_WEIGHT},
      .vocab = VOCAB},
     {A8(LKS_ROWS_SAMPLED, 64)}},
};

typedef struct stream {
    const uint8_t *data;
    size_t size, at;
    uint8_t descriptors[OP + 1][LKS_DESCRIPTOR_SIZE];
    uint8_t *rooms[MAX_ROOMS];
    size_t room_count;
    const lks_facts *facts;
} stream;

static void check(bool good)
{
    if (!good)
        abort();
}

static uint8_t next(stream *s)
{
    return s->size ? s->data[s->at++ % s->size] : 0;
}

static uint32_t next_u32(stream *s)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | next(s);
    return v;
}

/* Memory of exactly the size, so that the sanitizer sees what lies outside. */
static lks_err read_range(void *user, const uint8_t **bytes, const lks_range *g)
{
    stream *s = user;
    size_t len = 0;
    uint64_t first = ((uint64_t)g->row << g->shape.chunk_bits) + g->lo / LKS_CHUNK_SIZE;
    uint64_t end = ((uint64_t)(g->row + g->count - 1) << g->shape.chunk_bits) +
                   (g->hi - 1) / LKS_CHUNK_SIZE + 1;
    check(g->lo < g->hi && g->hi <= g->shape.row_size && g->count >= 1 &&
          (g->count == 1 || g->shape.chunks == 1));
    for (uint64_t i = first; i < end; i++) {
        uint32_t chunk;
        check(lks_shape_leaf(&chunk, &g->shape, i));
        len += chunk;
    }
    check(s->room_count < MAX_ROOMS && len <= 1 << 20);
    uint8_t *room = s->rooms[s->room_count++] = malloc(len);
    check(room != NULL);
    if (g->tree == LKS_TREE_PROGRAM) {
        check(g->row <= OP && len == LKS_DESCRIPTOR_SIZE);
        memcpy(room, s->descriptors[g->row], len);
    } else {
        check(g->tree != LKS_TREE_WEIGHTS || g->item < TENSORS);
        check(g->tree != LKS_TREE_TRACE || g->item <= OP);
        for (size_t i = 0; i < len; i++)
            room[i] = next(s);
    }
    *bytes = room;
    return LKS_OK;
}

static lks_err read_token(void *user, uint32_t *id, lks_token_list list, uint32_t index)
{
    stream *s = user;
    check(index < (list == LKS_LIST_PROMPT   ? s->facts->prompt_count
                   : list == LKS_LIST_ANSWER ? s->facts->answer_count
                                             : s->facts->allowed_count));
    *id = next(s) % (VOCAB + 2);
    return LKS_OK;
}

static void build_program(stream *s, const family *f, unsigned mutations)
{
    lks_op filler = {.code = LKS_OP_EMBED,
                     .inputs = NO_INPUTS,
                     .weights = {NO_WEIGHT, NO_WEIGHT, NO_WEIGHT, NO_WEIGHT}};
    for (int i = 0; i <= OP; i++)
        lks_op_encode(s->descriptors[i], i == OP ? &f->op : i < INPUTS ? &f->inputs[i] : &filler);
    for (unsigned i = 0; i < mutations; i++) {
        uint8_t which = next(s), word = next(s);
        lks_store_le32(s->descriptors[which % (INPUTS + 1) == INPUTS ? OP : which % (INPUTS + 1)] +
                           4 * (word % 64),
                       next_u32(s));
    }
}

/* Header: family, kind, mutations, temperature, allowed list, then the unit; what follows is read
 * again and again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    stream s = {.data = data, .size = size};
    const family *f = &families[next(&s) % (sizeof families / sizeof *families)];
    uint8_t kind = next(&s), mutations = next(&s), temperature = next(&s), allowed = next(&s);
    lks_unit u = {(lks_unit_kind)(kind % 8), OP, 0, 0, 0};
    u.leaf = next_u32(&s) >> (next(&s) % 33 % 32), u.unit = next(&s) | (uint32_t)next(&s) << 8,
    u.place = next(&s);
    if (u.unit == 0xffff)
        u.unit = u.place = LKS_UNIT_INDEX;
    lks_facts facts = {.prompt_count = 35,
                       .answer_count = 3,
                       .allowed_count = allowed % 4 ? 0 : 7,
                       .temperature = temperature % 2 ? 0.5f : 0.0f,
                       .min_p = temperature % 3 ? 0.25f : 0.0f,
                       .seed = temperature,
                       .op_count = OP + 1,
                       .tensor_count = TENSORS,
                       .sampler_op = f->op.code == LKS_OP_SAMPLE ? OP : OP - 1,
                       .vocab_size = VOCAB,
                       .max_positions = POSITIONS};
    s.facts = &facts;
    build_program(&s, f, mutations % 16 < 12 ? 0 : mutations % 16 - 11);
    lks_reader reader = {&s, read_range, read_token};
    uint8_t partials[64];
    size_t len = lks_partials_size(37);
    check(len <= sizeof partials);
    for (size_t i = 0; i < len; i++)
        partials[i] = next(&s);
    if (kind & 0x80) /* mostly valid */
        for (size_t i = 0; i < len; i += 4)
            lks_store_le32(partials + i,
                           i == 24 + 4
                               ? next(&s) % 2
                               : lks_bits(lks_canonical(lks_float(lks_load_le32(partials + i)))));
    bool wrong;
    lks_err err = lks_step_check(&wrong, &facts, &u, partials,
                                 kind & 0x40 ? lks_partials_size(20) : len, &reader);
    check(err == LKS_OK || err == LKS_BADARGS || err == LKS_REFUSED);
    check(err == LKS_OK || !wrong);
    for (size_t i = 0; i < s.room_count; i++)
        free(s.rooms[i]);
    lks_op op;
    if (size >= LKS_DESCRIPTOR_SIZE && lks_op_decode(&op, data) == LKS_OK) {
        uint8_t again[LKS_DESCRIPTOR_SIZE];
        lks_op_encode(again, &op);
        check(!memcmp(again, data, sizeof again));
    }
    return 0;
}
