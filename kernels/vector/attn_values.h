/* The weights of ATTN, and their products with the values: elements of the head are the lanes of the latter. */
#ifndef LKS_KERNELS_VECTOR_ATTN_VALUES_H
#define LKS_KERNELS_VECTOR_ATTN_VALUES_H

#include "kernels/vector/attn_head.h"

/* The 32 floats of a chunk: its scores, and then, in their place, the weights (32 bytes a block), their scales, and the sum of the exponentials. */
enum { WEIGHT_SCALES = LKS_MAX_HEAD_BLOCKS * LKS_CHUNK / 4, EXPONENTIALS = WEIGHT_SCALES + LKS_MAX_HEAD_BLOCKS };

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

/* One piece of the values of a chunk: of rows 4 i to 4 i + 3 the four bytes of an element side by side. */
typedef struct values {
    vi fours[LKS_CHUNK / 4][4];
} values;

INLINE void load_fours(vi o[4], const head *h, uint32_t piece, const int8_t *v, uint32_t i, uint32_t present)
{
    vi row[4];
    for (uint32_t j = 0; j < 4; j++)
        row[j] = load_piece(h, row_of(h, v, i + j, present), piece);
    vi a = v_pairs_low(row[0], row[1]), b = v_pairs_high(row[0], row[1]), c = v_pairs_low(row[2], row[3]), d = v_pairs_high(row[2], row[3]);
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

INLINE void piece_products(vi sums[4], const head *h, uint32_t piece, const int8_t *weights, const int8_t *v, uint32_t present)
{
    for (int k = 0; k < 4; k++)
        sums[k] = v_seti(0);
    for (uint32_t i = 0; i < present; i += 4) {
        vi fours[4];
        load_fours(fours, h, piece, v, i, present);
        add_products(sums, fours, weights + i);
    }
}

/* Weights are negative only where scales of values are: no quantised row has such. Those count apart. */
static __attribute__((noinline)) void signed_products(vi sums[4], const values *v, const int8_t *weights, uint32_t present)
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
static void finish(float *y, const head *h, const output *o, float z)
{
    for (uint32_t p = 0; p < h->pieces; p++) {
        float part[4][LANES];
        uint32_t count = p + 1 < h->pieces ? PIECE : h->tail;
        for (int k = 0; k < 4; k++)
            v_store(part[k], v_canonical(v_div(o->part[p][k], v_set(z))));
        for (uint32_t i = 0; i < count; i += 4)
            memcpy(y + p * PIECE + i, &part[i / 4 % 4][i / 16 * 4], count - i < 4 ? (count - i) * sizeof *y : 4 * sizeof *y);
    }
}

#endif
