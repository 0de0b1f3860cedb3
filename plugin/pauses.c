#include "plugin/pauses.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_CAPACITY 64u
/* End of a pause that is not to be found any more; its place is not free, since others may have
 * been put behind it. */
#define ENDED_MS 1u

static bool is_forgotten(const lks_pause *pause, uint64_t now_ms)
{
    return pause->until_ms == ENDED_MS || now_ms > pause->until_ms + LKS_PAUSES_MEMORY_MS;
}

/* The place of a pause, or the free one where it belongs. In: capacity, not 0, of which one is
 * free. */
static lks_pause *place_of(const lks_pauses *p, const uint8_t id32[32], lks_action action)
{
    uint64_t at;
    memcpy(&at, id32, sizeof at); /* ids and keys are hashes */
    at = (at ^ (uint64_t)action) & (p->capacity - 1);
    while (p->items[at].until_ms &&
           (p->items[at].action != action || memcmp(p->items[at].id, id32, 32)))
        at = (at + 1) & (p->capacity - 1);
    return &p->items[at];
}

const lks_pause *lks_pauses_find(const lks_pauses *p, const uint8_t id32[32], lks_action action,
                                 uint64_t now_ms)
{
    if (p->capacity == 0)
        return NULL;
    const lks_pause *pause = place_of(p, id32, action);
    return pause->until_ms == 0 || is_forgotten(pause, now_ms) ? NULL : pause;
}

bool lks_pauses_hold(const lks_pauses *p, const uint8_t id32[32], lks_action action,
                     uint64_t now_ms)
{
    const lks_pause *pause = lks_pauses_find(p, id32, action, now_ms);
    return pause && pause->until_ms > now_ms;
}

/* Makes room for one more, and drops what is forgotten. Returns: false without memory. */
static bool make_room(lks_pauses *p, uint64_t now_ms)
{
    size_t kept = 0;
    if (p->capacity && 4 * (p->count + 1) <= 3 * p->capacity)
        return true;
    for (size_t i = 0; i < p->capacity; i++)
        if (p->items[i].until_ms && !is_forgotten(&p->items[i], now_ms))
            kept++;
    lks_pauses fresh = {.capacity = LEAST_CAPACITY};
    while (fresh.capacity < 2 * (kept + 1))
        fresh.capacity *= 2;
    fresh.items = calloc(fresh.capacity, sizeof *fresh.items);
    if (!fresh.items)
        return false;
    for (size_t i = 0; i < p->capacity; i++) {
        const lks_pause *old = &p->items[i];
        if (old->until_ms == 0 || is_forgotten(old, now_ms))
            continue;
        *place_of(&fresh, old->id, old->action) = *old;
        fresh.count++;
    }
    free(p->items);
    *p = fresh;
    return true;
}

bool lks_pauses_put(lks_pauses *p, const lks_pause *pause, uint64_t now_ms)
{
    if (!make_room(p, now_ms))
        return true;
    lks_pause *at = place_of(p, pause->id, pause->action);
    bool is_new = at->until_ms == 0;
    bool news = is_new || is_forgotten(at, now_ms);
    uint64_t head = news ? pause->head : at->head;
    *at = *pause;
    at->head = head;
    if (at->until_ms <= ENDED_MS)
        at->until_ms = ENDED_MS + 1;
    if (is_new)
        p->count++;
    return news;
}

void lks_pauses_end(lks_pauses *p, const uint8_t id32[32], lks_action action)
{
    if (p->capacity == 0)
        return;
    lks_pause *at = place_of(p, id32, action);
    if (at->until_ms)
        at->until_ms = ENDED_MS;
}

void lks_pauses_free(lks_pauses *p)
{
    free(p->items);
    memset(p, 0, sizeof *p);
}
