/* The operator's side of the player: it shows its own trace. */
#include "oracle/dispute/player_walk.h"
#include "oracle/proof/element.h"

#include <stdlib.h>
#include <string.h>

static lks_err put_children(lks_move *out, const lks_trace *own, const lks_place *parent)
{
    unsigned height;
    uint32_t count;
    if (!lks_stage_below(&height, &count, parent->height))
        return LKS_OK;
    out->hashes = malloc(count * sizeof *out->hashes);
    if (!out->hashes)
        return lks_fail(LKS_NOMEM, "out of memory");
    out->hash_count = count;
    for (uint32_t i = 0; i < count; i++)
        lks_trace_node(out->hashes[i], own, parent->op, height, parent->index * count + i);
    return LKS_OK;
}

/* ---- Answers that need rows ---- */

static bool needs_rows(const lks_dispute *d)
{
    return d->state == LKS_DISPUTE_LEAF || d->state == LKS_DISPUTE_PARTIALS;
}

static uint32_t row_of(const lks_shape *s, const lks_dispute *d)
{
    return (uint32_t)(d->index >> s->chunk_bits);
}

static lks_element element_of(const lks_trace *own, const lks_dispute *d)
{
    lks_shape s;
    lks_trace_shape(&s, own, d->op);
    return (lks_element){d->op, row_of(&s, d), d->element};
}

static lks_err want_rows(lks_view *v, const lks_dispute *d)
{
    lks_shape s;
    lks_element e = element_of(v->own, d);
    lks_trace_shape(&s, v->own, d->op);
    if (d->state == LKS_DISPUTE_PARTIALS)
        return lks_element_want(v, &e);
    return lks_view_want(v, d->op, row_of(&s, d));
}

static lks_err put_leaf(lks_move *out, const lks_view *v, const lks_dispute *d)
{
    lks_shape s;
    uint32_t size = 0;
    lks_trace_shape(&s, v->own, d->op);
    if (!lks_shape_leaf(&size, &s, d->index) || !(out->bytes = malloc(size)))
        return lks_fail(LKS_NOMEM, "out of memory");
    uint64_t chunk = d->index & ((UINT64_C(1) << s.chunk_bits) - 1);
    memcpy(out->bytes, lks_view_row(v, d->op, row_of(&s, d)) + LKS_CHUNK_SIZE * chunk, size);
    out->len = size;
    return LKS_OK;
}

static lks_err put_rows(lks_move *out, const lks_view *v, const lks_dispute *d)
{
    lks_element e = element_of(v->own, d);
    if (d->state == LKS_DISPUTE_PARTIALS)
        return lks_element_partials(&out->bytes, &out->len, v, &e);
    return put_leaf(out, v, d);
}

/* ---- Answers ---- */

static bool is_to_answer(const lks_shown *shown, const lks_dispute *d)
{
    if (d->state == LKS_DISPUTE_ROOT)
        return !shown->open;
    return d->state == LKS_DISPUTE_NODE || needs_rows(d);
}

static bool has_place(const lks_trace *own, const lks_dispute *d, const lks_place *p)
{
    return lks_place_exists(own, p) && (!needs_rows(d) || lks_place_is_leaf(p));
}

/* Makes the answer, or asks the view for the rows that it needs and sets no more than its kind and
 * place. */
static lks_err begin(lks_move *out, lks_view *v, const lks_shown *shown, const lks_dispute *d)
{
    lks_place p = d->state == LKS_DISPUTE_ROOT ? lks_place_top(v->own)
                                               : lks_place_make(v->own, d->op, d->height, d->index);
    if (!is_to_answer(shown, d))
        return LKS_OK;
    if (d->state != LKS_DISPUTE_ROOT && !has_place(v->own, d, &p))
        return lks_fail(LKS_BADARGS,
                        "the dispute is at operation %u, height %u, index %llu, which our trace "
                        "does not have",
                        d->op, d->height, (unsigned long long)d->index);
    out->op = p.op;
    out->height = p.height;
    out->index = p.index;
    switch (d->state) {
    case LKS_DISPUTE_ROOT:
        out->kind = LKS_MOVE_OPEN_TRACE;
        lks_trace_root(out->hash, v->own);
        return put_children(out, v->own, &p);
    case LKS_DISPUTE_NODE: out->kind = LKS_MOVE_REVEAL; return put_children(out, v->own, &p);
    case LKS_DISPUTE_LEAF: out->kind = LKS_MOVE_REVEAL_LEAF; return want_rows(v, d);
    default: /* PARTIALS */
        out->kind = LKS_MOVE_OPEN_PARTIALS;
        out->element = d->element;
        return want_rows(v, d);
    }
}

static bool waits_for_rows(const lks_move *m)
{
    return m->kind == LKS_MOVE_REVEAL_LEAF || m->kind == LKS_MOVE_OPEN_PARTIALS;
}

lks_err lks_player_operator_all(lks_move *moves, lks_trace *own, const lks_shown *shown,
                                const lks_dispute *places, size_t count)
{
    lks_view v;
    lks_err err = LKS_OK;
    size_t failed = 0;
    memset(moves, 0, count * sizeof *moves);
    lks_view_open(&v, own, NULL);
    for (size_t i = 0; i < count; i++) {
        lks_err one = begin(&moves[i], &v, shown, &places[i]);
        if (!one)
            continue;
        lks_move_free(&moves[i]);
        err = one;
        failed++;
    }
    lks_err fetched = lks_view_fetch(&v);
    for (size_t i = 0; i < count; i++) {
        if (!waits_for_rows(&moves[i]))
            continue;
        lks_err one = fetched ? fetched : put_rows(&moves[i], &v, &places[i]);
        if (!one)
            continue;
        lks_move_free(&moves[i]);
        err = one;
        failed++;
    }
    lks_view_close(&v);
    return failed < count ? LKS_OK : err;
}

lks_err lks_player_operator(lks_move *out, lks_trace *own, const lks_shown *shown,
                            const lks_dispute *d)
{
    return lks_player_operator_all(out, own, shown, d, 1);
}
