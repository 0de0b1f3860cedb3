#include "tests/proof/draw.h"

#include "oracle/proof/partials.h"

/* splitmix64 */
uint64_t next(rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t below(rng *r, uint32_t n)
{
    return (uint32_t)(next(r) % n);
}

uint32_t draw_leaf(rng *r, run_rows *rows, uint32_t op)
{
    uint32_t leaf, size;
    do
        leaf = below(r, run_rows_places(rows, op));
    while (!run_rows_leaf(rows, op, leaf, &size));
    return leaf;
}

/* The element that owns a byte of an A8 row: of an entry any of the block's. */
static uint32_t a8_element(rng *r, const lks_op *op, uint32_t at)
{
    uint32_t entries = 8 * lks_op_block_count(op);
    uint32_t whole = op->head_width ? op->head_width : op->width,
             blocks = (whole + op->block - 1) / op->block;
    if (at >= entries)
        return at - entries;
    uint32_t in_whole = at / 8 % blocks * op->block, left = whole - in_whole;
    return at / 8 / blocks * whole + in_whole + below(r, left < op->block ? left : op->block);
}

static void draw_sample(rng *r, run_rows *rows, lks_unit *u)
{
    const lks_policy *p = &rows->run->policy;
    u->unit = u->place = LKS_UNIT_INDEX;
    if (below(r, 2))
        return;
    u->place = below(r, p->allowed_count ? (uint32_t)p->allowed_count : rows->facts.vocab_size);
    u->unit = p->allowed_count ? p->allowed[u->place] : u->place;
}

lks_unit draw_unit(rng *r, run_rows *rows, uint32_t op, uint32_t leaf)
{
    const lks_op *o = &rows->model->program.ops[op];
    const lks_shape *s = &rows->shapes[op];
    uint32_t size, first = (leaf & ((1u << s->chunk_bits) - 1)) * LKS_CHUNK_SIZE,
                   row = leaf >> s->chunk_bits;
    assert_non_null(run_rows_leaf(rows, op, leaf, &size));
    lks_unit u = {LKS_UNIT_OUTPUT, op, leaf, 0, 0};
    if (o->form == LKS_FORM_SAMPLE)
        draw_sample(r, rows, &u);
    else if (o->form == LKS_FORM_A8)
        u.unit = a8_element(r, o, first + below(r, size));
    else
        u.unit = (first + below(r, size)) / 4;
    if (o->code != LKS_OP_ATTN)
        return u;
    u.kind = (lks_unit_kind)(LKS_UNIT_PARTIAL_CHUNK + below(r, 4));
    if (u.kind == LKS_UNIT_PARTIAL_CHUNK || u.kind == LKS_UNIT_PARTIAL_MAXIMUM)
        u.place = below(r, lks_partials_chunks(row));
    if (u.kind == LKS_UNIT_PARTIAL_RUNNING)
        u.place = below(r, lks_partials_runs(row));
    return u;
}
