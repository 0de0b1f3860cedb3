/* Vectors of what works on rows and blocks. */
#include "step_vectors.h"

#include "kernels/math32.h"

#include <string.h>

enum {
    MAX_COLUMNS = 768,
    MAX_BLOCKS = MAX_COLUMNS / 64,
    MAX_HEAD = 256,
    MAX_POSITIONS = 80
};

static uint32_t bits_of(float x)
{
    return lks_bits(lks_canonical(x));
}

/* ---- A8 ---- */

static void random_row(float *x, uint32_t count)
{
    uint32_t temper = random_below(5);
    for (uint32_t i = 0; i < count; i++)
        switch (temper) {
        case 0: x[i] = random_float(); break;
        case 1: x[i] = lks_float((uint32_t)random_bits() & 0x80ffffffu); break;
        case 2:
            x[i] = ((float)random_below(509) - 254.0f) * 0.5f;
            break; /* ties, equal magnitudes */
        case 3: x[i] = one_in(8) ? -0.0f : 0.0f; break;
        default: x[i] = random_tame(); break;
        }
    if (one_in(4))
        x[random_below(count)] = random_float();
}

/* count, x[count], d, idx, q[count] */
static void write_blocks(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "a8");
    for (uint32_t i = 0; i < cases; i++) {
        float x[128], d;
        int8_t q[128];
        uint32_t idx, count = one_in(2) ? 1 + random_below(128) : 64;
        random_row(x, count);
        lks_quantize_block(q, &d, &idx, x, count);
        vector_record(&f);
        vector_word(&f, count);
        vector_floats(&f, x, count);
        vector_float(&f, d);
        vector_word(&f, idx);
        vector_bytes(&f, q, count);
    }
    vector_close(&f);
}

/* count, r, x[count], gain[count], d, idx, q[count] */
static void write_norm(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "norm_q");
    for (uint32_t i = 0; i < cases; i++) {
        float x[64], gain[64], r = one_in(3) ? random_float() : random_tame(), d;
        int8_t q[64];
        uint32_t idx, count = one_in(2) ? 1 + random_below(64) : 64;
        random_row(x, count);
        random_row(gain, count);
        lks_a8 y = {.q = q,
                    .d = &d,
                    .idx = &idx,
                    .width = count,
                    .block = 64,
                    .blocks = 1,
                    .q_ld = count,
                    .d_ld = 1};
        lks_kernels_scalar.norm_q(&y, x, &r, 1, gain, 1);
        vector_record(&f);
        vector_word(&f, count);
        vector_float(&f, r);
        vector_floats(&f, x, count);
        vector_floats(&f, gain, count);
        vector_float(&f, d);
        vector_word(&f, idx);
        vector_bytes(&f, q, count);
    }
    vector_close(&f);
}

/* ---- LINEAR and EMBED ---- */

static const struct weight_type {
    const char *name, *embed_name;
    lks_tensor_type type;
    uint32_t elements, bytes, halves; /* bytes of binary16 at its start; Q6_K has one at its end */
} weight_types[] = {
    {"linear_q4_0", "embed_q4_0", LKS_Q4_0, 32, 18, 2},
    {"linear_q4_1", "embed_q4_1", LKS_Q4_1, 32, 20, 4},
    {"linear_q5_0", "embed_q5_0", LKS_Q5_0, 32, 22, 2},
    {"linear_q5_1", "embed_q5_1", LKS_Q5_1, 32, 24, 4},
    {"linear_q8_0", "embed_q8_0", LKS_Q8_0, 32, 34, 2},
    {"linear_q4_k", "embed_q4_k", LKS_Q4_K, 256, 144, 4},
    {"linear_q5_k", "embed_q5_k", LKS_Q5_K, 256, 176, 4},
    {"linear_q6_k", "embed_q6_k", LKS_Q6_K, 256, 210, 0},
};

static void store_half(uint8_t *p, uint16_t h)
{
    p[0] = (uint8_t)h, p[1] = (uint8_t)(h >> 8);
}

/* A stored row: any bytes, with scales that are mostly finite; sometimes every byte is an extreme
 * one. */
static void random_weights(uint8_t *row, const struct weight_type *w, uint32_t columns)
{
    static const uint8_t extremes[] = {0x00, 0xff, 0x80, 0x7f};
    bool extreme = one_in(4);
    for (uint8_t *p = row; p < row + columns / w->elements * w->bytes; p += w->bytes) {
        for (uint32_t i = 0; i < w->bytes; i++)
            p[i] = extreme ? extremes[random_below(4)] : (uint8_t)random_bits();
        for (uint32_t i = 0; i < w->halves; i += 2)
            store_half(p + i, random_half());
        if (!w->halves)
            store_half(p + w->bytes - 2, random_half());
    }
}

/* An A8 row as a trace may hold it: any bytes, mostly finite scales. */
static void random_activations(const lks_a8 *x)
{
    bool extreme = one_in(4);
    for (uint32_t b = 0; b < x->blocks; b++)
        x->d[b] = one_in(8) ? random_float() : random_tame();
    for (uint32_t i = 0; i < x->width; i++)
        x->q[i] = (int8_t)(extreme      ? (one_in(2) ? 127 : -128)
                           : one_in(16) ? 0
                                        : (int)random_below(256) - 128);
    for (uint32_t i = 0; i < x->width; i += 32) {
        x->sum[i / 32] = 0;
        for (uint32_t j = i; j < i + 32; j++)
            x->sum[i / 32] += x->q[j];
    }
}

/* columns, the stored row, the A8 row in committed form, the result, the result with the bias, the
 * bias */
static void write_linear(const char *dir, const struct weight_type *w, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, w->name);
    for (uint32_t i = 0; i < cases; i++) {
        uint8_t row[MAX_COLUMNS / 32 * 34];
        int8_t q[MAX_COLUMNS];
        float d[MAX_BLOCKS], y, biased, bias = random_float();
        int32_t sum[MAX_COLUMNS / 32];
        uint32_t columns = w->elements * (1 + random_below(w->elements == 32 ? 9 : 2)),
                 blocks = (columns + 63) / 64;
        lks_a8 x = {.q = q,
                    .d = d,
                    .sum = sum,
                    .width = columns,
                    .block = 64,
                    .blocks = blocks,
                    .q_ld = columns,
                    .d_ld = blocks,
                    .sum_ld = columns / 32};
        lks_matrix m = {.type = w->type,
                        .rows = 1,
                        .cols = columns,
                        .data = row,
                        .row_size = columns / w->elements * w->bytes};
        random_weights(row, w, columns);
        random_activations(&x);
        lks_kernels_scalar.linear(&y, 1, &m, NULL, 0, 1, &x, 1);
        lks_kernels_scalar.linear(&biased, 1, &m, &bias, 0, 1, &x, 1);
        vector_record(&f);
        vector_word(&f, columns);
        vector_bytes(&f, row, m.row_size);
        for (uint32_t b = 0; b < blocks; b++) {
            vector_float(&f, d[b]);
            vector_word(&f, random_below(64));
        }
        vector_bytes(&f, q, columns);
        vector_word(&f, bits_of(y));
        vector_word(&f, bits_of(biased));
        vector_float(&f, bias);
    }
    vector_close(&f);
}

/* number of a group of 32, the stored block, the group's 32 floats */
static void write_embed(const char *dir, const struct weight_type *w, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, w->embed_name);
    for (uint32_t i = 0; i < cases; i++) {
        uint8_t row[256];
        float y[256];
        uint32_t id = 0, group = random_below(w->elements / 32);
        lks_matrix m = {
            .type = w->type, .rows = 1, .cols = w->elements, .data = row, .row_size = w->bytes};
        random_weights(row, w, w->elements);
        lks_kernels_scalar.embed(y, &m, &id, 1);
        vector_record(&f);
        vector_word(&f, group);
        vector_bytes(&f, row, w->bytes);
        vector_floats(&f, y + 32 * group, 32);
    }
    vector_close(&f);
}

/* ---- RMS and ROPE ---- */

/* width, epsilon, x[width], the sums of the segments, r */
static void write_rms(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "rms");
    for (uint32_t i = 0; i < cases; i++) {
        float x[600], y[4], epsilon = one_in(4) ? random_float() : 1e-5f;
        uint32_t width = one_in(2) ? 1 + random_below(70) : 1 + random_below(600);
        random_row(x, width);
        lks_kernels_scalar.rms(y, x, width, epsilon, 1);
        vector_record(&f);
        vector_word(&f, width);
        vector_float(&f, epsilon);
        vector_floats(&f, x, width);
        vector_floats(&f, y, (width + 255) / 256 + 1);
    }
    vector_close(&f);
}

/* head width, rotary width, pairing, x[head width], table row[rotary width], y[head width]
 * canonical */
static void write_rope(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "rope");
    for (uint32_t i = 0; i < cases; i++) {
        float x[32], table[32];
        uint32_t width = 2 + random_below(31), rotary = 2 * (1 + random_below(width / 2)),
                 pairing = 1 + random_below(2);
        random_row(x, width);
        for (uint32_t k = 0; k < rotary; k++)
            table[k] = one_in(8) ? random_float() : random_tame();
        vector_record(&f);
        vector_word(&f, width);
        vector_word(&f, rotary);
        vector_word(&f, pairing);
        vector_floats(&f, x, width);
        vector_floats(&f, table, rotary);
        lks_kernels_scalar.rope(x, width, 1, width, rotary, pairing == 2, table, 1);
        for (uint32_t k = 0; k < width; k++)
            vector_word(&f, bits_of(x[k]));
    }
    vector_close(&f);
}

/* ---- ATTN ---- */

typedef struct head_rows {
    uint32_t width, blocks, position;
    int8_t q[MAX_HEAD], k[MAX_POSITIONS][MAX_HEAD], v[MAX_POSITIONS][MAX_HEAD];
    float dq[2], dk[MAX_POSITIONS][2], dv[MAX_POSITIONS][2];
} head_rows;

static void random_head_row(int8_t *q, float *d, uint32_t width, uint32_t blocks, bool tame)
{
    for (uint32_t i = 0; i < width; i++)
        q[i] = (int8_t)(one_in(16) ? (one_in(2) ? 127 : -128) : (int)random_below(256) - 128);
    for (uint32_t b = 0; b < blocks; b++)
        d[b] = tame ? random_tame() * 0.01f : random_float();
}

static void put_head_row(vector_file *f, const int8_t *q, const float *d, const head_rows *h)
{
    for (uint32_t b = 0; b < h->blocks; b++) {
        vector_float(f, d[b]);
        vector_word(f, random_below(128));
    }
    vector_bytes(f, q, h->width);
}

/* The kernel's rows, without the room between them. */
static float attend(const head_rows *h, float scale, uint32_t element)
{
    static int8_t k[MAX_POSITIONS * MAX_HEAD], v[MAX_POSITIONS * MAX_HEAD];
    float dk[2 * MAX_POSITIONS], dv[2 * MAX_POSITIONS], o[MAX_HEAD],
        scratch[MAX_POSITIONS + 2 * LKS_CHUNK];
    for (uint32_t t = 0; t <= h->position; t++) {
        memcpy(k + t * h->width, h->k[t], h->width);
        memcpy(v + t * h->width, h->v[t], h->width);
        memcpy(dk + t * h->blocks, h->dk[t], h->blocks * sizeof *dk);
        memcpy(dv + t * h->blocks, h->dv[t], h->blocks * sizeof *dv);
    }
    lks_a8 shape = {.width = h->width,
                    .block = h->width / h->blocks,
                    .blocks = h->blocks,
                    .q_ld = h->width,
                    .d_ld = h->blocks},
           qa = shape, ka = shape, va = shape;
    qa.q = (int8_t *)h->q, qa.d = (float *)h->dq, ka.q = k, ka.d = dk, va.q = v, va.d = dv;
    lks_kernels_scalar.attn(o, h->width, &qa, &ka, &va, h->position, 1, scale, scratch);
    return o[element];
}

/* head width, position, scale, element, the query's row, position + 1 rows of keys, as many of
 * values, the result */
static void write_attention(const char *dir, uint32_t cases)
{
    static const uint32_t widths[] = {256, 128, 96, 80, 64, 1, 2, 31, 33};
    static head_rows h;
    vector_file f;
    vector_open(&f, dir, "attn");
    for (uint32_t i = 0; i < cases; i++) {
        bool tame = !one_in(4);
        uint32_t most = one_in(8) ? MAX_POSITIONS : 40;
        h.width =
            one_in(2) ? 1 + random_below(40) : widths[random_below(sizeof widths / sizeof *widths)];
        h.blocks = h.width == 256 ? 2 : 1;
        h.position = random_below(most);
        float scale = one_in(8) ? random_float() : 1.0f / lks_sqrt((float)h.width);
        uint32_t element = random_below(h.width);
        random_head_row(h.q, h.dq, h.width, h.blocks, tame);
        for (uint32_t t = 0; t <= h.position; t++) {
            random_head_row(h.k[t], h.dk[t], h.width, h.blocks, tame);
            random_head_row(h.v[t], h.dv[t], h.width, h.blocks, tame);
        }
        vector_record(&f);
        vector_word(&f, h.width);
        vector_word(&f, h.position);
        vector_float(&f, scale);
        vector_word(&f, element);
        put_head_row(&f, h.q, h.dq, &h);
        for (uint32_t t = 0; t <= h.position; t++)
            put_head_row(&f, h.k[t], h.dk[t], &h);
        for (uint32_t t = 0; t <= h.position; t++)
            put_head_row(&f, h.v[t], h.dv[t], &h);
        vector_word(&f, bits_of(attend(&h, scale, element)));
    }
    vector_close(&f);
}

void write_rows(const char *dir, uint32_t cases)
{
    write_blocks(dir, cases);
    write_norm(dir, cases);
    for (size_t i = 0; i < sizeof weight_types / sizeof *weight_types; i++) {
        write_linear(dir, &weight_types[i], cases);
        write_embed(dir, &weight_types[i], cases);
    }
    write_rms(dir, cases);
    write_rope(dir, cases);
    write_attention(dir, cases);
}
