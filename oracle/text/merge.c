#include "oracle/text/merge.h"

#include <stdlib.h>

#define NONE UINT32_MAX

void lks_merger_free(lks_merger *m)
{
    free(m->symbols);
    free(m->heap);
    m->symbols = NULL;
    m->heap = NULL;
    m->count = m->capacity = m->heap_count = 0;
}

void lks_merger_clear(lks_merger *m)
{
    m->count = m->heap_count = 0;
}

/* The heap holds at most two candidates a symbol: n - 1 at first, and each of at most n - 1 merges
 * takes one out and puts two in. */
static lks_err grow(lks_merger *m)
{
    size_t capacity = m->capacity ? m->capacity * 2 : 64;
    lks_symbol *symbols = realloc(m->symbols, capacity * sizeof *symbols);
    if (!symbols)
        return lks_fail(LKS_NOMEM, "out of memory for a word of %zu bytes", m->count);
    m->symbols = symbols;
    lks_candidate *heap = realloc(m->heap, 2 * capacity * sizeof *heap);
    if (!heap)
        return lks_fail(LKS_NOMEM, "out of memory for a word of %zu bytes", m->count);
    m->heap = heap;
    m->capacity = capacity;
    return LKS_OK;
}

lks_err lks_merger_add(lks_merger *m, uint32_t start, uint32_t len, uint32_t id)
{
    if (m->count == m->capacity) {
        lks_err err = grow(m);
        if (err)
            return err;
    }
    uint32_t i = (uint32_t)m->count++;
    m->symbols[i] =
        (lks_symbol){.start = start, .len = len, .id = id, .next = NONE, .prev = i ? i - 1 : NONE};
    if (i)
        m->symbols[i - 1].next = i;
    return LKS_OK;
}

static bool before(const lks_candidate *a, const lks_candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->left < b->left;
}

static void push(lks_merger *m, lks_candidate c)
{
    size_t i = m->heap_count++;
    while (i > 0 && before(&c, &m->heap[(i - 1) / 2])) {
        m->heap[i] = m->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    m->heap[i] = c;
}

static lks_candidate pop(lks_merger *m)
{
    lks_candidate top = m->heap[0], c = m->heap[--m->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->heap_count; i = child) {
        if (child + 1 < m->heap_count && before(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (!before(&m->heap[child], &c))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = c;
    return top;
}

/* Considers the symbol left and its right neighbour. */
static void consider(lks_merger *m, uint32_t left)
{
    if (left == NONE || m->symbols[left].next == NONE)
        return;
    const lks_symbol *a = &m->symbols[left], *b = &m->symbols[a->next];
    lks_candidate c = {.left = left, .len = a->len + b->len};
    if (m->find(m->context, a, b, &c.rank, &c.id))
        push(m, c);
}

void lks_merger_run(lks_merger *m)
{
    for (size_t i = 0; i + 1 < m->count; i++)
        consider(m, (uint32_t)i);
    while (m->heap_count > 0) {
        lks_candidate c = pop(m);
        lks_symbol *a = &m->symbols[c.left];
        /* Symbols only grow: a pair whose left is gone, or which together has another length, is
         * not the pair that was considered. */
        if (a->len == 0 || a->next == NONE || a->len + m->symbols[a->next].len != c.len)
            continue;
        lks_symbol *b = &m->symbols[a->next];
        a->len = c.len;
        a->id = c.id;
        a->next = b->next;
        b->len = 0;
        if (b->next != NONE)
            m->symbols[b->next].prev = c.left;
        consider(m, a->prev);
        consider(m, c.left);
    }
}
