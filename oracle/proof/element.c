#include "oracle/proof/element.h"

#include "oracle/proof/partials.h"

#include <stdlib.h>
#include <string.h>

/* Where the element's keys and values lie. */
typedef struct head {
    const lks_op *op;
    uint32_t number, first_row; /* the query's head; row of position 0 of the key-value head */
} head;

static head head_of(const lks_view *v, const lks_element *e)
{
    lks_shape keys;
    const lks_op *op = &v->model->program.ops[e->op];
    uint32_t number = e->number / op->head_width;
    lks_trace_shape(&keys, v->own, op->inputs[1]);
    return (head){op, number, number / (op->heads / op->kv_heads) << keys.position_bits};
}

lks_err lks_element_want(lks_view *v, const lks_element *e)
{
    const lks_program *p = &v->model->program;
    if (e->op >= p->op_count || p->ops[e->op].code != LKS_OP_ATTN ||
        e->number >= p->ops[e->op].width)
        return lks_fail(LKS_BADARGS, "operation %u has no attention element %u", e->op, e->number);
    lks_shape s;
    lks_trace_shape(&s, v->own, e->op);
    if (e->row >= s.rows)
        return lks_fail(LKS_BADARGS, "operation %u has no row %u", e->op, e->row);
    head h = head_of(v, e);
    lks_err err = lks_view_want(v, h.op->inputs[0], e->row);
    for (int i = 1; i <= 2; i++)
        for (uint32_t t = 0; !err && t <= e->row; t++)
            err = lks_view_want(v, h.op->inputs[i], h.first_row | t);
    return err;
}

/* Out: the rows of one input of kind KV at positions [0, count), one behind the other. */
static void join(uint8_t *out, const lks_view *v, uint32_t op, uint32_t first_row, uint32_t count)
{
    size_t size = lks_op_row_size(&v->model->program.ops[op]);
    for (uint32_t t = 0; t < count; t++)
        memcpy(out + t * size, lks_view_row(v, op, first_row | t), size);
}

lks_err lks_element_partials(uint8_t **out, size_t *len, const lks_view *v, const lks_element *e)
{
    head h = head_of(v, e);
    const lks_op *op = h.op, *k = &v->model->program.ops[op->inputs[1]];
    uint32_t blocks = lks_op_block_count(k), count = e->row + 1;
    size_t size = lks_op_row_size(k);
    uint8_t *joined = malloc(2 * count * size);
    *len = lks_partials_size(e->row);
    *out = joined ? malloc(*len) : NULL;
    if (!*out) {
        free(joined);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    join(joined, v, op->inputs[1], h.first_row, count);
    join(joined + count * size, v, op->inputs[2], h.first_row, count);
    const uint8_t *q = lks_view_row(v, op->inputs[0], e->row);
    const int8_t *values = (const int8_t *)q + 8 * op->heads * blocks;
    lks_head_rows rows = {.q_entries = q + 8 * h.number * blocks,
                          .q = values + h.number * op->head_width,
                          .k = joined,
                          .v = joined + count * size,
                          .block = k->block,
                          .blocks = blocks,
                          .row_size = (uint32_t)size,
                          .scale = op->scalar};
    lks_partials_compute(*out, &rows, e->row, e->number % op->head_width);
    free(joined);
    return LKS_OK;
}
