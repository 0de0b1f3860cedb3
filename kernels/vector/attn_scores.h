/* The scores of ATTN: keys are the lanes. For one query each key is multiplied with it, and the
 * lanes of the products are summed; for several the keys of a chunk are transposed first, so that a
 * lane has its key's sum at once.
 */
#ifndef LKS_KERNELS_VECTOR_ATTN_SCORES_H
#define LKS_KERNELS_VECTOR_ATTN_SCORES_H

#include "kernels/vector/attn_head.h"

typedef struct query {
    int8_t bytes[LKS_MAX_HEAD_WIDTH]; /* zero behind the head */
    v_factor q[MAX_PIECES];
    int32_t surplus[LKS_MAX_HEAD_BLOCKS];
    float scaled[LKS_MAX_HEAD_BLOCKS]; /* dq * scale */
} query;

INLINE void load_query(query *o, const head *h, const int8_t *q, const float *dq, float scale)
{
    uint32_t pieces = h->pieces / h->blocks;
    memset(o->bytes, 0, sizeof o->bytes);
    memcpy(o->bytes, q, h->width);
    for (uint32_t b = 0; b < h->blocks; b++) {
        o->surplus[b] = 0;
        o->scaled[b] = dq[b] * scale;
        for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++) {
            o->q[p] = v_make_factor(v_loadi(o->bytes + p * PIECE));
            o->surplus[b] += v_surplus(&o->q[p]);
        }
    }
}

/* acc + the block's part of the score: dots times scales */
INLINE vf add_block(vf acc, const query *q, uint32_t b, vi dots, vf scales)
{
    return v_fma(v_from_int(v_subi(dots, v_seti(q->surplus[b]))),
                 v_mul(v_set(q->scaled[b]), scales), acc);
}

/* ---- One query ---- */

/* Scores of up to LANES keys; lanes beyond `present` hold anything. */
INLINE vf score_keys(const head *h, const query *q, const int8_t *k, const float *dk,
                     uint32_t present)
{
    const uint32_t pieces = h->pieces / h->blocks;
    vf acc = v_set(0.0f);
    for (uint32_t b = 0; b < h->blocks; b++) {
        vi products[LANES];
        for (uint32_t i = 0; i < LANES; i++) {
            products[i] = v_seti(0);
            for (uint32_t p = b * pieces; p < (b + 1) * pieces; p++)
                products[i] =
                    v_dot_factor(products[i], &q->q[p], load_piece(h, row_of(h, k, i, present), p));
        }
        acc = add_block(acc, q, b, v_sums_of(products), load_scales(h, dk, b, present));
    }
    return v_canonical(acc);
}

/* s: the scores of a chunk. Returns: their maximum. */
INLINE float score_chunk(float *s, const head *h, const query *q, const int8_t *k, const float *dk,
                         uint32_t present)
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

/* ---- Several queries ---- */

/* Four elements of the head in each vector's lanes, for the 32 keys. */
typedef struct keys {
    vi fours[LKS_MAX_HEAD_WIDTH / 4][VECTORS];
    vf scales[LKS_MAX_HEAD_BLOCKS][VECTORS];
} keys;

INLINE void load_keys(keys *o, const head *h, const int8_t *k, const float *dk, uint32_t present)
{
    for (uint32_t i = 0; i < VECTORS; i++) {
        uint32_t first = i * LANES, n = at_most(present > first ? present - first : 0, LANES);
        for (uint32_t p = 0; p < h->pieces; p++) {
            vi v[LANES];
            for (uint32_t j = 0; j < LANES; j++)
                v[j] = v_prepared(load_piece(h, row_of(h, k, first + j, present), p));
            v_transpose(v);
            for (uint32_t j = 0; j < LANES; j++)
                o->fours[p * LANES + j][i] = v[j];
        }
        for (uint32_t b = 0; b < h->blocks; b++)
            o->scales[b][i] = n ? load_scales(h, dk + first * h->blocks, b, n) : v_set(0.0f);
    }
}

/* s: the scores of the first `present` keys; others are anything. Returns: their maximum. */
INLINE float score_loaded(float *s, const head *h, const query *q, const keys *k, uint32_t present)
{
    const uint32_t fours = (h->width / h->blocks + 3) / 4;
    vf acc[VECTORS];
    vi most = v_seti(INT32_MIN);
    for (uint32_t i = 0; i < VECTORS; i++)
        acc[i] = v_set(0.0f);
    for (uint32_t b = 0; b < h->blocks; b++) {
        vi even[VECTORS], odd[VECTORS]; /* two chains, so that one does not wait for the other */
        for (uint32_t i = 0; i < VECTORS; i++)
            even[i] = odd[i] = v_seti(0);
        for (uint32_t g = b * fours; g < (b + 1) * fours; g += 2) {
            v_factor f = v_make_factor(v_seti(four_bytes(q->bytes + 4 * g)));
            for (uint32_t i = 0; i < VECTORS; i++)
                even[i] = v_dot_prepared(even[i], &f, k->fours[g][i]);
            if (g + 1 == (b + 1) * fours)
                break;
            f = v_make_factor(v_seti(four_bytes(q->bytes + 4 * g + 4)));
            for (uint32_t i = 0; i < VECTORS; i++)
                odd[i] = v_dot_prepared(odd[i], &f, k->fours[g + 1][i]);
        }
        for (uint32_t i = 0; i < VECTORS; i++)
            acc[i] = add_block(acc[i], q, b, v_addi(even[i], odd[i]), k->scales[b][i]);
    }
    for (uint32_t i = 0; i < VECTORS; i++) {
        vf v = v_canonical(acc[i]);
        v_store(s + i * LANES, v);
        vm there = lanes_below(present > i * LANES ? present - i * LANES : 0);
        most = v_max(most, v_selecti(there, v_order_key(v), most));
    }
    return v_from_order_key(v_greatest(most));
}

#endif
