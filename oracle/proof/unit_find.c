/* Units for the faults of a claim, and the partials of attention, from a trace of one's own. */
#include "oracle/proof/unit_find.h"
#include "oracle/proof/element.h"
#include "oracle/proof/unit_search.h"

#include <stdlib.h>

typedef struct finder {
    lks_view view;
    lks_suspect suspect;
    lks_shape shape;
} finder;

static lks_err open_finder(finder *f, lks_trace *own, const lks_known *known, uint32_t op,
                           uint32_t leaf)
{
    const lks_program *p = &lks_trace_model(own)->program;
    uint32_t size;
    lks_view_open(&f->view, own, known);
    if (op >= p->op_count)
        return lks_fail(LKS_BADARGS, "the program has no operation %u", op);
    lks_trace_shape(&f->shape, own, op);
    if (!lks_shape_leaf(&size, &f->shape, leaf))
        return lks_fail(LKS_BADARGS, "operation %u has no leaf %u", op, leaf);
    f->suspect = (lks_suspect){.facts = &f->view.facts,
                               .op = &p->ops[op],
                               .shape = &f->shape,
                               .index = op,
                               .leaf = leaf,
                               .allowed = f->view.run->policy.allowed};
    return LKS_OK;
}

static uint32_t row_of(const finder *f)
{
    return f->suspect.leaf >> f->shape.chunk_bits;
}

/* The position that a row belongs to. */
static uint32_t position_of(const finder *f)
{
    uint32_t row = row_of(f);
    switch (f->suspect.op->kind) {
    case LKS_ROWS_SAMPLED: return (uint32_t)f->view.run->prompt_count - 1 + row;
    case LKS_ROWS_KV: return row & ((1u << f->shape.position_bits) - 1);
    default: return row;
    }
}

/* Asks for the row, and for its inputs at its position, so that one pass gets all that a unit of it
 * reads. */
static lks_err want_row_and_inputs(finder *f)
{
    const lks_suspect *s = &f->suspect;
    lks_err err = lks_view_want(&f->view, s->index, row_of(f));
    for (int k = 0; !err && k < 4 && s->op->code != LKS_OP_ATTN; k++) {
        uint32_t in = s->op->inputs[k];
        if (in != LKS_NONE)
            err = lks_view_want(&f->view, in,
                                f->view.model->program.ops[in].kind == LKS_ROWS_SAMPLED
                                    ? row_of(f)
                                    : position_of(f));
    }
    return err ? err : lks_view_fetch(&f->view);
}

static const uint8_t *own_leaf(const finder *f)
{
    uint32_t chunk = f->suspect.leaf & ((1u << f->shape.chunk_bits) - 1);
    return lks_view_row(&f->view, f->suspect.index, row_of(f)) + (size_t)chunk * LKS_CHUNK_SIZE;
}

lks_err lks_unit_find(lks_unit *u, lks_trace *own, const lks_model_trees *trees,
                      const lks_known *known, uint32_t op, uint32_t leaf)
{
    finder f;
    uint32_t size;
    lks_err err = open_finder(&f, own, known, op, leaf);
    f.view.trees = trees;
    const lks_known_leaf *shown = lks_known_find_leaf(known, op, leaf);
    if (!err && (!shown || !lks_shape_leaf(&size, &f.shape, leaf) || shown->len != size))
        err = lks_fail(LKS_BADARGS,
                       "leaf %u of operation %u was not revealed, or has another length", leaf, op);
    if (!err)
        err = want_row_and_inputs(&f);
    if (!err)
        err = lks_unit_search(u, &f.suspect, own_leaf(&f), shown->bytes, &f.view.reader);
    lks_view_close(&f.view);
    return err;
}

lks_err lks_unit_find_token(lks_unit *u, lks_trace *own, uint32_t index)
{
    finder f;
    const lks_run *run = lks_trace_run(own);
    uint32_t place;
    if (index >= run->answer_count)
        return lks_fail(LKS_BADARGS, "the answer has no token %u", index);
    lks_err err = open_finder(&f, own, NULL, lks_trace_model(own)->program.op_count - 1, index);
    /* A unit of kind UNLISTED reads no row. */
    if (!err && !lks_suspect_lacks(&f.suspect, &place, run->answer[index]))
        err = want_row_and_inputs(&f);
    if (!err)
        err = lks_unit_search_token(u, &f.suspect, run->answer[index], lks_trace_tokens(own)[index],
                                    &f.view.reader);
    lks_view_close(&f.view);
    return err;
}

/* ---- Partials ---- */

/* Gets what the element's partials are made of, in one pass, and computes them. */
static lks_err fetch_partials(uint8_t **out, size_t *len, lks_view *v, const lks_element *e)
{
    *out = NULL;
    *len = 0;
    lks_err err = lks_element_want(v, e);
    if (!err)
        err = lks_view_fetch(v);
    return err ? err : lks_element_partials(out, len, v, e);
}

lks_err lks_partials_make(uint8_t **out, size_t *len, lks_trace *own, uint32_t op, uint32_t row,
                          uint32_t element)
{
    lks_view v;
    lks_view_open(&v, own, NULL);
    lks_err err = fetch_partials(out, len, &v, &(lks_element){op, row, element});
    lks_view_close(&v);
    return err;
}

lks_err lks_unit_find_partial(lks_unit *u, lks_trace *own, const lks_known *known, uint32_t op,
                              uint32_t leaf, uint32_t element, const uint8_t *partials, size_t len)
{
    finder f;
    uint8_t *mine = NULL;
    size_t mine_len;
    lks_err err = open_finder(&f, own, known, op, leaf);
    if (!err && !lks_partials_are_valid(row_of(&f), partials, len))
        err = lks_fail(LKS_BADARGS, "these are not the partials of an element at position %u",
                       row_of(&f));
    if (!err)
        err = lks_view_want(&f.view, op, row_of(&f));
    if (!err)
        err = fetch_partials(&mine, &mine_len, &f.view, &(lks_element){op, row_of(&f), element});
    if (!err)
        err = lks_unit_search_partial(u, &f.suspect, row_of(&f), element, mine, partials,
                                      &f.view.reader);
    free(mine);
    lks_view_close(&f.view);
    return err;
}
