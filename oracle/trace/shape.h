/* Where the rows of a tree's item lie (docs/SPEC.md, trees). */
#ifndef LKS_ORACLE_TRACE_SHAPE_H
#define LKS_ORACLE_TRACE_SHAPE_H

#include "oracle/model/program.h"
#include "oracle/trace/tree.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of one size, cut into chunks. */
typedef struct lks_shape {
    uint32_t row_size;      /* bytes */
    uint32_t chunks;        /* C */
    unsigned chunk_bits;    /* L2(C) */
    uint32_t rows;          /* rows in range; of operations of kind KV: positions a head */
    uint32_t heads;         /* key-value heads; 0: not of kind KV */
    unsigned position_bits; /* of kind KV: L2(rows), else 0 */
    unsigned height;        /* of the item's root */
} lks_shape;

void lks_shape_rows(lks_shape *s, uint32_t row_size, uint32_t rows);
/* An operation's output in the trace of a claim with `positions` = P + N - 1 and `sampled` = N. */
void lks_shape_output(lks_shape *s, const lks_op *op, uint32_t positions, uint32_t sampled);

/* Whether place `leaf` is a chunk of a row in range; Out: its length in bytes. */
bool lks_shape_leaf(uint32_t *size, const lks_shape *s, uint64_t leaf);
/* Whether the node's first leaf is in range: else the node is padding. */
bool lks_shape_node(const lks_shape *s, unsigned height, uint64_t index);
/* A row's number as a number of rows in range without gaps (KV: head * rows + position); row must
 * be in range. */
uint64_t lks_shape_row_ordinal(const lks_shape *s, uint32_t row);

#ifdef __cplusplus
}
#endif
#endif
