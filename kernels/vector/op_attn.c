/* ATTN, in vectors: chunks of 32 positions as in scalar/op_attn.c, in three passes over them:
 * scores, weights, values. A pass does the same short work for every chunk, so that a processor
 * runs several chunks at once; in one pass each chunk would wait for its own chain of maximum,
 * exponential and scale. A pass leaves its results for the next one in the scratch of the chunk.
 */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/attn_scores.h"
#include "kernels/vector/attn_values.h"

typedef struct inputs {
    const int8_t *q, *k, *v;
    const float *dq, *dk, *dv;
    size_t q_ld, dq_ld;
    uint32_t position, rows; /* of the queries: the first one's position */
    float scale;
} inputs;

typedef struct row {
    query q;
    output o;
    float z;
    float *scores, *maxima; /* by chunk */
    uint32_t chunks, last;  /* present positions of the last chunk */
} row;

INLINE void start_row(row *r, const head *h, const inputs *in, uint32_t t, float *scratch)
{
    uint32_t position = in->position + t;
    load_query(&r->q, h, in->q + t * in->q_ld, in->dq + t * in->dq_ld, in->scale);
    for (uint32_t p = 0; p < h->pieces; p++)
        for (int k = 0; k < 4; k++)
            r->o.part[p][k] = v_set(0.0f);
    r->z = 0.0f;
    r->chunks = position / LKS_CHUNK + 1;
    r->last = position % LKS_CHUNK + 1;
    r->scores = scratch;
    r->maxima = scratch + (size_t)r->chunks * LKS_CHUNK;
}

INLINE uint32_t present_in(const row *r, uint32_t chunk)
{
    return chunk + 1 < r->chunks ? LKS_CHUNK : r->last;
}

INLINE void score(row *r, const head *h, const inputs *in)
{
    const row *longest = &r[in->rows - 1];
    for (uint32_t c = 0; c < longest->chunks; c++) {
        const int8_t *k = in->k + (size_t)c * LKS_CHUNK * h->width;
        const float *dk = in->dk + (size_t)c * LKS_CHUNK * h->blocks;
        uint32_t present = present_in(longest, c);
        if (in->rows == 1) {
            r->maxima[c] = present == LKS_CHUNK
                               ? score_chunk(r->scores + c * LKS_CHUNK, h, &r->q, k, dk, LKS_CHUNK)
                               : score_chunk(r->scores + c * LKS_CHUNK, h, &r->q, k, dk, present);
            continue;
        }
        keys loaded;
        load_keys(&loaded, h, k, dk, present);
        for (uint32_t t = 0; t < in->rows; t++)
            if (c < r[t].chunks)
                r[t].maxima[c] = score_loaded(r[t].scores + c * LKS_CHUNK, h, &r[t].q, &loaded,
                                              present_in(&r[t], c));
    }
}

/* Every chunk's maximum m becomes exp32(m - the greatest). */
static void exponentials_of_maxima(float *m, uint32_t chunks)
{
    float max = m[0];
    for (uint32_t c = 1; c < chunks; c++)
        max = lks_order_key(m[c]) > lks_order_key(max) ? m[c] : max;
    for (uint32_t c = 0; c < chunks; c += LANES) {
        uint32_t n = at_most(chunks - c, LANES);
        v_store_part(m + c, v_exp32(v_sub(v_load_part(m + c, n), v_set(max))), n);
    }
}

INLINE void weigh(row *r, const head *h, const inputs *in)
{
    for (uint32_t c = 0; c < r->chunks; c += LANES) {
        uint32_t n = at_most(r->chunks - c, LANES);
        weigh_chunks(r->scores + c * LKS_CHUNK, h, r->maxima + c,
                     in->dv + (size_t)c * LKS_CHUNK * h->blocks, n,
                     c + n < r->chunks ? LKS_CHUNK : r->last);
    }
    exponentials_of_maxima(r->maxima, r->chunks);
}

/* One piece of the values of chunk c. */
INLINE void add_values(row *r, const head *h, const inputs *in, uint32_t c, uint32_t piece)
{
    const int8_t *v = in->v + (size_t)c * LKS_CHUNK * h->width;
    const uint32_t b = piece / (h->pieces / h->blocks), present = present_in(&r[in->rows - 1], c);
    values loaded;
    vi sums[4];
    if (in->rows > 1)
        load_values(&loaded, h, piece, v, present);
    for (uint32_t t = 0; t < in->rows; t++) {
        if (c >= r[t].chunks)
            continue;
        const float *s = r[t].scores + c * LKS_CHUNK;
        const int8_t *weights = (const int8_t *)s + b * LKS_CHUNK;
        if (v_negative_in_32(weights)) {
            load_values(&loaded, h, piece, v, present);
            signed_products(sums, &loaded, weights, present);
        } else if (in->rows > 1) {
            if (present == LKS_CHUNK)
                loaded_products(sums, &loaded, weights, LKS_CHUNK);
            else
                loaded_products(sums, &loaded, weights, present);
        } else {
            piece_products(sums, h, piece, weights, v, present);
        }
        add_piece(r[t].o.part[piece], r[t].maxima[c], s[WEIGHT_SCALES + b], sums);
    }
}

/* The shape is a constant in the common cases. */
INLINE void attend(float *o, size_t o_ld, const head *h, const inputs *in, float *scores)
{
    row r[LKS_ATTN_ROWS];
    size_t scratch = lks_attn_scratch(in->position + in->rows - 1);
    for (uint32_t t = 0; t < in->rows; t++)
        start_row(&r[t], h, in, t, scores + t * scratch);
    score(r, h, in);
    for (uint32_t t = 0; t < in->rows; t++)
        weigh(&r[t], h, in);
    for (uint32_t c = 0; c < r[in->rows - 1].chunks; c++) {
        for (uint32_t p = 0; p < h->pieces; p++)
            add_values(r, h, in, c, p);
        for (uint32_t t = 0; t < in->rows; t++)
            if (c < r[t].chunks)
                r[t].z = lks_fma(r[t].maxima[c], r[t].scores[c * LKS_CHUNK + EXPONENTIALS], r[t].z);
    }
    for (uint32_t t = 0; t < in->rows; t++)
        finish(o + t * o_ld, h, &r[t].o, r[t].z);
}

static void attend_any(float *o, size_t o_ld, uint32_t width, uint32_t blocks, const inputs *in,
                       float *scores)
{
    static const head of_64 = {64, 1, 64 / PIECE, PIECE}, of_128 = {128, 1, 128 / PIECE, PIECE},
                      of_256 = {256, 2, 256 / PIECE, PIECE};
    uint32_t pieces = (width + PIECE - 1) / PIECE;
    head any = {width, blocks, pieces, width - (pieces - 1) * PIECE};
    if (width == 64)
        attend(o, o_ld, &of_64, in, scores);
    else if (width == 128)
        attend(o, o_ld, &of_128, in, scores);
    else if (width == 256)
        attend(o, o_ld, &of_256, in, scores);
    else
        attend(o, o_ld, &any, in, scores);
}

void LKS_KERNEL(attn)(float *o, size_t ld, const lks_a8 *q, const lks_a8 *k, const lks_a8 *v,
                      uint32_t position, uint32_t rows, float scale, float *scores)
{
    inputs in = {.q = q->q,
                 .k = k->q,
                 .v = v->q,
                 .dq = q->d,
                 .dk = k->d,
                 .dv = v->d,
                 .q_ld = q->q_ld,
                 .dq_ld = q->d_ld,
                 .position = position,
                 .rows = rows,
                 .scale = scale};
    attend_any(o, ld, q->width, q->blocks, &in, scores);
}
