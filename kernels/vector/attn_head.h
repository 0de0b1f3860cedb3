/* Shared by the vector passes of ATTN: the shape of a head, and reading rows of it. */
#ifndef LKS_KERNELS_VECTOR_ATTN_HEAD_H
#define LKS_KERNELS_VECTOR_ATTN_HEAD_H

#include "kernels/vector/quantize.h"

enum {
    VECTORS = LKS_CHUNK / LANES,
    PIECE = 4 * LANES,
    MAX_PIECES = LKS_MAX_HEAD_WIDTH / PIECE
};

/* A head of `width` bytes in pieces, the last of `tail` bytes; a block never ends inside a piece
 * unless the head does. */
typedef struct head {
    uint32_t width, blocks, pieces, tail;
} head;

INLINE vi load_piece(const head *h, const int8_t *row, uint32_t piece)
{
    return v_load_bytes(row + piece * PIECE, piece + 1 < h->pieces ? PIECE : h->tail);
}

/* Row i of keys or values; of those that are not present the last one that is, which is there to be
 * read and counts for nothing. */
INLINE const int8_t *row_of(const head *h, const int8_t *rows, uint32_t i, uint32_t present)
{
    return rows + (size_t)(i < present ? i : present - 1) * h->width;
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

INLINE uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}
INLINE int32_t four_bytes(const int8_t *p)
{
    int32_t w;
    memcpy(&w, p, 4);
    return w;
}

#endif
