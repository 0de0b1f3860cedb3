#include "oracle/game/game_internal.h"

#include <stdlib.h>

bool lks_slot_of_event(lks_slot *out, const lks_game_event *e)
{
    *out = (lks_slot){.kind = LKS_SLOT_NODE, .op = e->op, .height = e->height, .index = e->index, .waiting = LKS_NOBODY};
    switch (e->kind) {
    case LKS_GAME_CHALLENGED:
    case LKS_GAME_TRACE_OPENED:
        out->kind = LKS_SLOT_TRACE;
        out->op = out->height = out->index = 0;
        return true;
    case LKS_GAME_PICKED:
        if (e->op != LKS_TOP && e->height == 0)
            out->kind = LKS_SLOT_LEAF;
        return true;
    case LKS_GAME_REVEALED: return true;
    case LKS_GAME_LEAF_REVEALED: out->kind = LKS_SLOT_LEAF; return true;
    case LKS_GAME_PARTIALS_DEMANDED:
    case LKS_GAME_PARTIALS_OPENED:
        out->kind = LKS_SLOT_PARTIALS;
        out->element = e->element;
        return true;
    default: return false;
    }
}

static int order(uint32_t a, uint32_t b) { return a < b ? -1 : a > b; }

static int compare(const void *left, const void *right)
{
    const lks_slot *a = left, *b = right;
    int by = order(a->kind, b->kind);
    by = by ? by : order(a->op, b->op);
    by = by ? by : order(a->height, b->height);
    by = by ? by : order(a->index, b->index);
    return by ? by : order(a->element, b->element);
}

void lks_slots_order(lks_slots *s)
{
    size_t kept = 0;
    if (s->count)
        qsort(s->items, s->count, sizeof *s->items, compare);
    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || compare(&s->items[kept - 1], &s->items[i]))
            s->items[kept++] = s->items[i];
    s->count = kept;
}

lks_slot *lks_slots_find(const lks_slots *s, const lks_slot *key)
{
    return s->count ? bsearch(key, s->items, s->count, sizeof *s->items, compare) : NULL;
}

bool lks_slot_is_filled(const lks_game *g, lks_slot_kind kind, uint32_t op, uint32_t height, uint32_t index, uint32_t element)
{
    lks_slot key = {.kind = kind, .op = op, .height = height, .index = index, .element = element};
    const lks_slot *slot = lks_slots_find(&g->state.slots, &key);
    return slot && slot->filled;
}
