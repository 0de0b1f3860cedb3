/* ATTN, in vectors: chunks of 32 positions as in scalar/op_attn.c, in three passes over them: scores, weights, values. A pass does the same short work
 * for every chunk, so that a processor runs several chunks at once; in one pass each chunk would wait for its own chain of maximum, exponential and scale.
 * Keys are the lanes of scores and weights, elements of the head the lanes of values. What a pass leaves for the next lies in the scratch of the chunk.
 */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/quantize.h"

enum { VECTORS = LKS_CHUNK / LANES, PIECE = 4 * LANES, MAX_PIECES = LKS_MAX_HEAD_WIDTH / PIECE };

/* The 32 floats of a chunk: its scores, and then, in their place, the weights (32 bytes a block), their scales, and the sum of the exponentials. */
enum { WEIGHT_SCALES = LKS_MAX_HEAD_BLOCKS * LKS_CHUNK / 4, EXPONENTIALS = WEIGHT_SCALES + LKS_MAX_HEAD_BLOCKS };

/* A head of `width` bytes in pieces, the last of `tail` bytes; a block never ends inside a piece unless the head does. */
typedef struct head {
    uint32_t width, blocks, pieces, tail;
} head;

/* Row i of the head's keys or values; of those that are not present the last one that is, which is there to be read and counts for nothing. */
INLINE vi load_piece(const head *h, const int8_t *rows, uint32_t i, uint32_t present, uint32_t piece)
{
    const int8_t *row = rows + (size_t)(i < present ? i : present - 1) * h->width + piece * PIECE;
    return v_load_bytes(row, piece + 1 < h->pieces ? PIECE : h->tail);
}

/* The scales of block b of n rows, 0 in the other lanes. */
INLINE vf load_scales(const head *h, const float *d, uint32_t b, uint32_t n)
{
    if (h->blocks == 1)
        return n < LANES ? v_load_part(d, n) : v_load(d);
    float both[2 * LANES] = {0};
    if (n < LANES) {
        memcpy(both, d, 2 * n * sizeof *d);
        d = both;
    }
    vf low = v_load(d), high = v_load(d + LANES);
    return b ? v_odds(low, high) : v_evens(low, high);
}

INLINE uint32_t at_most(uint32_t n, uint32_t most) { return n < most ? n : most; }
INLINE vm lanes_below(uint32_t n) { return v_greater(v_seti((int32_t)n), v_count()); }

/* ---- Scores ---- */

typedef struct query {
    v_factor q[MAX_PIECES];
    int32_t surplus[LKS_MAX_HEAD_BLOCKS];
    float scaled[LKS_MAX_HEAD_BLOCKS]; /* dq * scale */
} query;

static void load_query(query *o, const head *h, const int8_t *q, const float *dq, float scale)
{
    uint32_t pieces = h->pieces / h->blocks;
    for (uint32_t b = 0; b < h->blocks; b++) {
        o->surplus[b] = 0;
        o->scaled[b] = dq[b] * scale;
        for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++) {
            o->q[p] = v_make_factor(load_piece(h, q, 0, 1, p));
            o->surplus[b] += v_surplus(&o->q[p]);
        }
    }
}

/* Scores of up to LANES keys; lanes beyond `present` hold anything. */
INLINE vf score_keys(const head *h, const query *q, const int8_t *k, const float *dk, uint32_t present)
{
    const uint32_t pieces = h->pieces / h->blocks;
    vf acc = v_set(0.0f);
    for (uint32_t b = 0; b < h->blocks; b++) {
        vi products[LANES];
        for (uint32_t i = 0; i < LANES; i++) {
            products[i] = v_seti(0);
            for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++)
                products[i] = v_dot_factor(products[i], &q->q[p], load_piece(h, k, i, present, p));
        }
        vf dots = v_from_int(v_subi(v_sums_of(products), v_seti(q->surplus[b])));
        acc = v_fma(dots, v_mul(v_set(q->scaled[b]), load_scales(h, dk, b, present)), acc);
    }
    return v_canonical(acc);
}

/* s: the scores of a chunk. Returns: their maximum. */
INLINE float score_chunk(float *s, const head *h, const query *q, const int8_t *k, const float *dk, uint32_t present)
{
    vi most = v_seti(INT32_MIN);
    for (uint32_t first = 0; first < present; first += LANES) {
        const int8_t *keys = k + (size_t)first * h->width;
        const float *d = dk + first * h->blocks;
        if (present - first >= LANES) {
            vf v = score_keys(h, q, keys, d, LANES);
            v_store(s + first, v);
            most = v_max(most, v_order_key(v));
        } else {
            vf v = score_keys(h, q, keys, d, present - first);
            v_store(s + first, v);
            most = v_max(most, v_selecti(lanes_below(present - first), v_order_key(v), most));
        }
    }
    return v_from_order_key(v_greatest(most));
}

/* ---- Weights ---- */

/* The A8 block of 32 weights. Returns: its scale. */
INLINE float quantize_weights(int8_t *q, const vf p[VECTORS])
{
    vi most = v_seti(0);
    for (int i = 0; i < VECTORS; i++)
        most = v_max(most, v_magnitude(p[i]));
    uint32_t bits = lks_scale_bits(lks_float((uint32_t)v_greatest(most)));
    if (bits == 0 || bits == LKS_NAN_BITS) {
        memset(q, 0, LKS_CHUNK);
        return lks_float(bits);
    }
    const vf r = v_set(1.0f / lks_float(bits));
    for (int i = 0; i < VECTORS; i++)
        v_store_bytes(q + i * LANES, v_to_int(v_mul(p[i], r)));
    return lks_float(bits);
}

/* s: scores become weights, scales and the sum. */
INLINE void weigh_chunk(float *s, const head *h, float max, const float *dv, uint32_t present)
{
    vf e[VECTORS];
    for (uint32_t i = 0; i < VECTORS; i++) {
        e[i] = v_exp32(v_sub(v_load(s + i * LANES), v_set(max)));
        if (present < LKS_CHUNK)
            e[i] = v_select(lanes_below(present > i * LANES ? present - i * LANES : 0), e[i], v_set(0.0f));
    }
    for (uint32_t b = 0; b < h->blocks; b++) {
        vf p[VECTORS];
        for (uint32_t i = 0; i < VECTORS; i++)
            p[i] = i * LANES < present ? v_mul(e[i], load_scales(h, dv + i * LANES * h->blocks, b, at_most(present - i * LANES, LANES))) : e[i];
        s[WEIGHT_SCALES + b] = quantize_weights((int8_t *)s + b * LKS_CHUNK, p);
    }
    s[EXPONENTIALS] = v_fold_32(e);
}

/* ---- Values ---- */

/* Within a piece the products with the values come out with the elements 16 L + 4 k + e in lane 4 L + e of vector k: o is kept so, and put in order at the end. */
typedef struct output {
    vf part[MAX_PIECES][4];
} output;

/* One piece of the values of a chunk times weights of no sign. */
INLINE void piece_products(vi sums[4], const head *h, uint32_t piece, const int8_t *weights, const int8_t *v, uint32_t present)
{
    for (int k = 0; k < 4; k++)
        sums[k] = v_seti(0);
    for (uint32_t i = 0; i < present; i += 4) {
        vi row[4];
        for (uint32_t j = 0; j < 4; j++)
            row[j] = load_piece(h, v, i + j, present, piece);
        vi a = v_pairs_low(row[0], row[1]), b = v_pairs_high(row[0], row[1]), c = v_pairs_low(row[2], row[3]), d = v_pairs_high(row[2], row[3]);
        int32_t four;
        memcpy(&four, weights + i, 4);
        vi w = v_seti(four);
        sums[0] = v_dot(sums[0], w, v_fours_low(a, c));
        sums[1] = v_dot(sums[1], w, v_fours_high(a, c));
        sums[2] = v_dot(sums[2], w, v_fours_low(b, d));
        sums[3] = v_dot(sums[3], w, v_fours_high(b, d));
    }
}

/* Weights are negative only where scales of values are: no quantised row has such. Those count apart. */
static __attribute__((noinline)) void signed_products(vi sums[4], const head *h, uint32_t piece, const int8_t *weights, const int8_t *v, uint32_t present)
{
    int8_t positive[LKS_CHUNK], negative[LKS_CHUNK];
    vi less[4];
    for (int i = 0; i < LKS_CHUNK; i++) {
        positive[i] = weights[i] > 0 ? weights[i] : 0;
        negative[i] = weights[i] < 0 ? (int8_t)-weights[i] : 0;
    }
    piece_products(sums, h, piece, positive, v, present);
    piece_products(less, h, piece, negative, v, present);
    for (int k = 0; k < 4; k++)
        sums[k] = v_subi(sums[k], less[k]);
}

/* o = fma(f, the chunk's o, o) */
INLINE void add_values(output *o, float f, const head *h, const float *s, const int8_t *v, uint32_t present)
{
    const uint32_t pieces = h->pieces / h->blocks;
    for (uint32_t b = 0; b < h->blocks; b++) {
        const int8_t *weights = (const int8_t *)s + b * LKS_CHUNK;
        const bool negative = v_negative_in_32(weights);
        const vf factor = v_set(f), scale = v_set(s[WEIGHT_SCALES + b]);
        for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++) {
            vi sums[4];
            if (negative)
                signed_products(sums, h, p, weights, v, present);
            else
                piece_products(sums, h, p, weights, v, present);
            for (int k = 0; k < 4; k++)
                o->part[p][k] = v_fma(factor, v_mul(v_from_int(sums[k]), scale), o->part[p][k]);
        }
    }
}

/* y = canonical(o / z), in order. */
static void finish(float *y, const head *h, const output *o, float z)
{
    for (uint32_t p = 0; p < h->pieces; p++) {
        float part[4][LANES];
        uint32_t count = p + 1 < h->pieces ? PIECE : h->tail;
        for (int k = 0; k < 4; k++)
            v_store(part[k], v_canonical(v_div(o->part[p][k], v_set(z))));
        for (uint32_t i = 0; i < count; i++)
            y[p * PIECE + i] = part[i / 4 % 4][i / 16 * 4 + i % 4];
    }
}

/* ---- All of it ---- */

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

/* The shape is a constant in the common cases. */
INLINE void attend(float *o, const head *h, const int8_t *q, const float *dq, const int8_t *k, const float *dk, const int8_t *v, const float *dv, uint32_t position,
                   float scale, float *scores)
{
    const uint32_t chunks = position / LKS_CHUNK + 1, last = position % LKS_CHUNK + 1;
    const size_t row = (size_t)LKS_CHUNK * h->width, scales = (size_t)LKS_CHUNK * h->blocks;
    float *maxima = scores + (size_t)chunks * LKS_CHUNK, z = 0.0f;
    query in;
    output sum;
    load_query(&in, h, q, dq, scale);
    for (uint32_t c = 0; c + 1 < chunks; c++)
        maxima[c] = score_chunk(scores + c * LKS_CHUNK, h, &in, k + c * row, dk + c * scales, LKS_CHUNK);
    maxima[chunks - 1] = score_chunk(scores + (chunks - 1) * LKS_CHUNK, h, &in, k + (chunks - 1) * row, dk + (chunks - 1) * scales, last);
    for (uint32_t c = 0; c + 1 < chunks; c++)
        weigh_chunk(scores + c * LKS_CHUNK, h, maxima[c], dv + c * scales, LKS_CHUNK);
    weigh_chunk(scores + (chunks - 1) * LKS_CHUNK, h, maxima[chunks - 1], dv + (chunks - 1) * scales, last);
    exponentials_of_maxima(maxima, chunks);
    for (uint32_t p = 0; p < h->pieces; p++)
        for (int j = 0; j < 4; j++)
            sum.part[p][j] = v_set(0.0f);
    for (uint32_t c = 0; c < chunks; c++) {
        const float *s = scores + c * LKS_CHUNK;
        z = lks_fma(maxima[c], s[EXPONENTIALS], z);
        if (c + 1 < chunks)
            add_values(&sum, maxima[c], h, s, v + c * row, LKS_CHUNK);
        else
            add_values(&sum, maxima[c], h, s, v + c * row, last);
    }
    finish(o, h, &sum, z);
}

void LKS_KERNEL(attn)(float *o, const int8_t *q, const float *dq, const int8_t *k, const float *dk, const int8_t *v, const float *dv, uint32_t position,
                     uint32_t head_width, uint32_t blocks, float scale, float *scores)
{
    static const head of_64 = {64, 1, 64 / PIECE, PIECE}, of_128 = {128, 1, 128 / PIECE, PIECE}, of_256 = {256, 2, 256 / PIECE, PIECE};
    uint32_t pieces = (head_width + PIECE - 1) / PIECE;
    head any = {head_width, blocks, pieces, head_width - (pieces - 1) * PIECE};
    if (head_width == 64)
        attend(o, &of_64, q, dq, k, dk, v, dv, position, scale, scores);
    else if (head_width == 128)
        attend(o, &of_128, q, dq, k, dk, v, dv, position, scale, scores);
    else if (head_width == 256)
        attend(o, &of_256, q, dq, k, dk, v, dv, position, scale, scores);
    else
        attend(o, &any, q, dq, k, dk, v, dv, position, scale, scores);
}
