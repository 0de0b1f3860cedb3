/* The weights of ATTN, and their products with the values: elements of the head are the lanes of
 * the latter. */
#ifndef LKS_KERNELS_VECTOR_ATTN_VALUES_H
#define LKS_KERNELS_VECTOR_ATTN_VALUES_H

#include "kernels/vector/attn_head.h"

/* The 32 floats of a chunk: its scores, and then, in their place, the weights (32 bytes a block),
 * their scales, and the sum of the exponentials. */
enum {
    WEIGHT_SCALES = LKS_MAX_HEAD_BLOCKS * LKS_CHUNK / 4,
    EXPONENTIALS = WEIGHT_SCALES + LKS_MAX_HEAD_BLOCKS
};

/* ---- Weights ---- */

/* e, or what was stored of it, times the scales of the values. */
INLINE void weights_of(vf p[VECTORS], const head *h, const vf e[VECTORS], const float *dv,
                       uint32_t b, uint32_t present)
{
    for (uint32_t i = 0; i < VECTORS; i++)
        p[i] = i * LANES < present ? v_mul(e[i], load_scales(h, dv + i * LANES * h->blocks, b,
                                                             at_most(present - i * LANES, LANES)))
                                   : e[i];
}

/* s: scores become exponentials. Out: the greatest magnitude of a weight, for each block. */
INLINE void exponentiate(float *s, int32_t tops[LKS_MAX_HEAD_BLOCKS], const head *h, float max,
                         const float *dv, uint32_t present)
{
    vf e[VECTORS], p[VECTORS];
    for (uint32_t i = 0; i < VECTORS; i++) {
        e[i] = v_exp32(v_sub(v_load(s + i * LANES), v_set(max)));
        if (present < LKS_CHUNK)
            e[i] = v_select(lanes_below(present > i * LANES ? present - i * LANES : 0), e[i],
                            v_set(0.0f));
        v_store(s + i * LANES, e[i]);
    }
    for (uint32_t b = 0; b < h->blocks; b++) {
        vi most = v_seti(0);
        weights_of(p, h, e, dv, b, present);
        for (uint32_t i = 0; i < VECTORS; i++)
            most = v_max(most, v_magnitude(p[i]));
        tops[b] = v_greatest(most);
    }
}

/* s: exponentials become weights, scales and the sum. */
INLINE void quantize_weights(float *s, const head *h, const float d[LKS_MAX_HEAD_BLOCKS],
                             const float r[LKS_MAX_HEAD_BLOCKS], const float *dv, uint32_t present)
{
    vf e[VECTORS], p[VECTORS];
    for (uint32_t i = 0; i < VECTORS; i++)
        e[i] = v_load(s + i * LANES);
    for (uint32_t b = 0; b < h->blocks; b++) {
        int8_t *q = (int8_t *)s + b * LKS_CHUNK;
        weights_of(p, h, e, dv, b, present);
        if (r[b] == 0.0f)
            memset(q, 0, LKS_CHUNK);
        else
            for (uint32_t i = 0; i < VECTORS; i++)
                v_store_bytes(q + i * LANES, v_to_int(v_mul(p[i], v_set(r[b]))));
        s[WEIGHT_SCALES + b] = d[b];
    }
    s[EXPONENTIALS] = v_fold_32(e);
}

/* All of it for n <= LANES chunks, the last of which has `last` positions. */
INLINE void weigh_chunks(float *s, const head *h, const float *maxima, const float *dv, uint32_t n,
                         uint32_t last)
{
    const size_t scales = (size_t)LKS_CHUNK * h->blocks;
    int32_t tops[LKS_MAX_HEAD_BLOCKS][LANES] = {{0}};
    float d[LKS_MAX_HEAD_BLOCKS][LANES], r[LKS_MAX_HEAD_BLOCKS][LANES];
    for (uint32_t c = 0; c < n; c++) {
        int32_t top[LKS_MAX_HEAD_BLOCKS];
        if (c + 1 < n || last == LKS_CHUNK)
            exponentiate(s + c * LKS_CHUNK, top, h, maxima[c], dv + c * scales, LKS_CHUNK);
        else
            exponentiate(s + c * LKS_CHUNK, top, h, maxima[c], dv + c * scales, last);
        for (uint32_t b = 0; b < h->blocks; b++)
            tops[b][c] = top[b];
    }
    for (uint32_t b = 0; b < h->blocks; b++) {
        vf scale, factor;
        v_scales(&scale, &factor, v_loadi(tops[b]));
        v_store(d[b], scale);
        v_store(r[b], factor);
    }
    for (uint32_t c = 0; c < n; c++) {
        float scale[LKS_MAX_HEAD_BLOCKS], factor[LKS_MAX_HEAD_BLOCKS];
        for (uint32_t b = 0; b < h->blocks; b++)
            scale[b] = d[b][c], factor[b] = r[b][c];
        if (c + 1 < n || last == LKS_CHUNK)
            quantize_weights(s + c * LKS_CHUNK, h, scale, factor, dv + c * scales, LKS_CHUNK);
        else
            quantize_weights(s + c * LKS_CHUNK, h, scale, factor, dv + c * scales, last);
    }
}

/* ---- Values ---- */

/* Within a piece the products with the values come out with the elements 16 L + 4 k + e in lane 4 L
 * + e of vector k: o is kept so, and put in order at the end. */
typedef struct output {
    vf part[MAX_PIECES][4];
} output;

/* One piece of the values of a chunk: of rows 4 i to 4 i + 3 the four bytes of an element side by
 * side. */
typedef struct values {
    vi fours[LKS_CHUNK / 4][4];
} values;

INLINE void load_fours(vi o[4], const head *h, uint32_t piece, const int8_t *v, uint32_t i,
                       uint32_t present)
{
    vi row[4];
    for (uint32_t j = 0; j < 4; j++)
        row[j] = load_piece(h, row_of(h, v, i + j, present), piece);
    vi a = v_pairs_low(row[0], row[1]), b = v_pairs_high(row[0], row[1]),
       c = v_pairs_low(row[2], row[3]), d = v_pairs_high(row[2], row[3]);
    o[0] = v_fours_low(a, c);
    o[1] = v_fours_high(a, c);
    o[2] = v_fours_low(b, d);
    o[3] = v_fours_high(b, d);
}

INLINE void load_values(values *o, const head *h, uint32_t piece, const int8_t *v, uint32_t present)
{
    for (uint32_t i = 0; i < present; i += 4)
        load_fours(o->fours[i / 4], h, piece, v, i, present);
}

INLINE void add_products(vi sums[4], const vi fours[4], const int8_t *weights)
{
    vi w = v_seti(four_bytes(weights));
    for (int k = 0; k < 4; k++)
        sums[k] = v_dot(sums[k], w, fours[k]);
}

/* Weights of no sign times values that are loaded or not; those behind `present` are 0. */
INLINE void loaded_products(vi sums[4], const values *v, const int8_t *weights, uint32_t present)
{
    for (int k = 0; k < 4; k++)
        sums[k] = v_seti(0);
    for (uint32_t i = 0; i < present; i += 4)
        add_products(sums, v->fours[i / 4], weights + i);
}

INLINE void piece_products(vi sums[4], const head *h, uint32_t piece, const int8_t *weights,
                           const int8_t *v, uint32_t present)
{
    for (int k = 0; k < 4; k++)
        sums[k] = v_seti(0);
    for (uint32_t i = 0; i < present; i += 4) {
        vi fours[4];
        load_fours(fours, h, piece, v, i, present);
        add_products(sums, fours, weights + i);
    }
}

/* Weights are negative only where scales of values are: no quantised row has such. Those count
 * apart. */
static __attribute__((noinline)) void signed_products(vi sums[4], const values *v,
                                                      const int8_t *weights, uint32_t present)
{
    int8_t positive[LKS_CHUNK], negative[LKS_CHUNK];
    vi less[4];
    for (int i = 0; i < LKS_CHUNK; i++) {
        positive[i] = weights[i] > 0 ? weights[i] : 0;
        negative[i] = weights[i] < 0 ? (int8_t)-weights[i] : 0;
    }
    loaded_products(sums, v, positive, present);
    loaded_products(less, v, negative, present);
    for (int k = 0; k < 4; k++)
        sums[k] = v_subi(sums[k], less[k]);
}

/* o = fma(f, the chunk's o, o), of one piece */
INLINE void add_piece(vf o[4], float f, float scale, const vi sums[4])
{
    for (int k = 0; k < 4; k++)
        o[k] = v_fma(v_set(f), v_mul(v_from_int(sums[k]), v_set(scale)), o[k]);
}

/* y = canonical(o / z), in order. */
INLINE void finish(float *y, const head *h, const output *o, float z)
{
    for (uint32_t p = 0; p < h->pieces; p++) {
        float part[4][LANES];
        uint32_t count = p + 1 < h->pieces ? PIECE : h->tail;
        for (int k = 0; k < 4; k++)
            v_store(part[k], v_canonical(v_div(o->part[p][k], v_set(z))));
        for (uint32_t i = 0; i < count; i += 4)
            memcpy(y + p * PIECE + i, &part[i / 4 % 4][i / 16 * 4],
                   count - i < 4 ? (count - i) * sizeof *y : 4 * sizeof *y);
    }
}

#endif
