#include "oracle/cli/claim_set.h"

#include <stdlib.h>
#include <string.h>

/* The slot of a name, or the free one where it belongs. Names begin with a hash. */
static size_t find_slot(const lks_claim_set *s, const uint8_t name32[32])
{
    uint64_t start;
    memcpy(&start, name32, sizeof start);
    start ^= (uint64_t)name32[31] * UINT64_C(0x9e3779b97f4a7c15); /* attempt and seat */
    for (size_t i = start & (s->slot_count - 1);; i = (i + 1) & (s->slot_count - 1)) {
        if (s->slots[i] == 0 || memcmp(s->items[s->slots[i] - 1].name, name32, 32) == 0)
            return i;
    }
}

lks_watched *lks_claim_set_find(const lks_claim_set *s, const uint8_t name32[32])
{
    if (s->slot_count == 0)
        return NULL;
    uint32_t slot = s->slots[find_slot(s, name32)];
    return slot != 0 ? &s->items[slot - 1] : NULL;
}

static void fill_slots(lks_claim_set *s)
{
    memset(s->slots, 0, s->slot_count * sizeof s->slots[0]);
    for (size_t i = 0; i < s->count; i++)
        s->slots[find_slot(s, s->items[i].name)] = (uint32_t)(i + 1);
}

/* Doubles the room; at most half of the slots are ever used. */
static lks_err grow(lks_claim_set *s)
{
    size_t capacity = s->capacity == 0 ? 64 : 2 * s->capacity;
    lks_watched *items = realloc(s->items, capacity * sizeof items[0]);
    if (items != NULL)
        s->items = items;
    uint32_t *slots = items != NULL ? malloc(2 * capacity * sizeof slots[0]) : NULL;
    if (slots == NULL)
        return lks_fail(LKS_NOMEM, "out of memory");
    free(s->slots);
    s->slots = slots;
    s->slot_count = 2 * capacity;
    s->capacity = capacity;
    fill_slots(s);
    return LKS_OK;
}

lks_err lks_claim_set_add(lks_claim_set *s, const lks_watched *w)
{
    lks_err err = s->count == s->capacity ? grow(s) : LKS_OK;
    if (err != LKS_OK)
        return err;
    s->items[s->count] = *w;
    s->slots[find_slot(s, w->name)] = (uint32_t)(s->count + 1);
    s->count++;
    return LKS_OK;
}

size_t lks_claim_set_prune(lks_claim_set *s, uint64_t block)
{
    size_t kept = 0, before = s->count;
    for (size_t i = 0; i < before; i++) {
        const lks_watched *w = &s->items[i];
        if (w->state != LKS_WATCHED_DONE || w->block >= block)
            s->items[kept++] = *w;
    }
    s->count = kept;
    if (kept != before)
        fill_slots(s);
    return before - kept;
}

void lks_claim_set_free(lks_claim_set *s)
{
    free(s->items);
    free(s->slots);
    *s = (lks_claim_set){0};
}
