#include "oracle/trace/shape.h"

#include <string.h>

void lks_shape_rows(lks_shape *s, uint32_t row_size, uint32_t rows)
{
    memset(s, 0, sizeof *s);
    s->row_size = row_size;
    s->chunks = row_size / LKS_CHUNK_SIZE + (row_size % LKS_CHUNK_SIZE != 0);
    s->chunk_bits = lks_log2_ceil(s->chunks);
    s->rows = rows;
    s->height = s->chunk_bits + lks_log2_ceil(rows);
}

void lks_shape_output(lks_shape *s, const lks_op *op, uint32_t positions, uint32_t sampled)
{
    lks_shape_rows(s, lks_op_row_size(op), op->kind == LKS_ROWS_SAMPLED ? sampled : positions);
    if (op->kind != LKS_ROWS_KV)
        return;
    s->heads = op->kv_heads;
    s->position_bits = lks_log2_ceil(positions);
    s->height += lks_log2_ceil(op->kv_heads);
}

static bool row_in_range(const lks_shape *s, uint64_t row)
{
    if (s->heads == 0)
        return row < s->rows;
    return row >> s->position_bits < s->heads &&
           (row & (((uint64_t)1 << s->position_bits) - 1)) < s->rows;
}

bool lks_shape_leaf(uint32_t *size, const lks_shape *s, uint64_t leaf)
{
    uint64_t chunk = leaf & (((uint64_t)1 << s->chunk_bits) - 1);
    if (chunk >= s->chunks || !row_in_range(s, leaf >> s->chunk_bits))
        return false;
    *size = chunk + 1 < s->chunks ? LKS_CHUNK_SIZE : s->row_size - LKS_CHUNK_SIZE * (s->chunks - 1);
    return true;
}

bool lks_shape_node(const lks_shape *s, unsigned height, uint64_t index)
{
    uint32_t size;
    if (height > s->height || index >> (s->height - height))
        return false;
    return lks_shape_leaf(&size, s, index << height);
}

uint64_t lks_shape_row_ordinal(const lks_shape *s, uint32_t row)
{
    if (s->heads == 0)
        return row;
    return (uint64_t)(row >> s->position_bits) * s->rows + (row & ((1u << s->position_bits) - 1));
}
