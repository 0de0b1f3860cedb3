#include "oracle/proof/unit_search.h"

#include "kernels/bytes.h"
#include "oracle/proof/partials.h"

#include <string.h>

uint32_t lks_count_below(const uint32_t *list, uint32_t count, uint32_t id)
{
    uint32_t low = 0;
    while (count) {
        uint32_t half = count / 2;
        if (list[low + half] < id) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

bool lks_suspect_lacks(const lks_suspect *s, uint32_t *place, uint32_t id)
{
    uint32_t count = s->facts->allowed_count;
    *place = lks_count_below(s->allowed, count, id);
    return count && (*place == count || s->allowed[*place] != id);
}

/* A search in progress. */
typedef struct search {
    const lks_suspect *s;
    lks_reader *reader;
    const uint8_t *partials;
    size_t partials_len;
    lks_unit *u;
    bool found;
    lks_err err;
} search;

/* Keeps the unit when it shows a fault. Returns: whether the search is over. A unit that does not
 * exist, or proves nothing, is not an error of the search. */
static bool try(search *x, lks_unit_kind kind, uint32_t unit, uint32_t place)
{
    *x->u = (lks_unit){kind, x->s->index, x->s->leaf, unit, place};
    lks_err err =
        lks_step_check(&x->found, x->s->facts, x->u, x->partials, x->partials_len, x->reader);
    if (err && err != LKS_BADARGS)
        x->err = err;
    return x->found || x->err;
}

static lks_err result(const search *x)
{
    if (x->err)
        return x->err;
    return x->found ? LKS_OK
                    : lks_fail(LKS_NOTFOUND, "no unit of operation %u, leaf %u shows a fault",
                               x->s->index, x->s->leaf);
}

static bool words_differ(const uint8_t *a, const uint8_t *b)
{
    return lks_load_le32(a) != lks_load_le32(b);
}

/* ---- Rows ---- */

/* Rows of f32 and RMS: element by element. */
static void search_floats(search *x, const uint8_t *own, const uint8_t *shown, uint32_t lo,
                          uint32_t size)
{
    for (uint32_t i = 0; i + 4 <= size; i += 4)
        if (words_differ(own + i, shown + i) && try(x, LKS_UNIT_OUTPUT, (lo + i) / 4, 0))
            return;
}

/* The place in its block of the element that refutes an entry: the claimed index if its element
 * does not give so much, else the true one. */
static uint32_t convicting_place(const uint8_t *own, const uint8_t *shown, uint32_t count)
{
    uint32_t d = lks_load_le32(own), idx = lks_load_le32(own + 4), shown_d = lks_load_le32(shown),
             shown_idx = lks_load_le32(shown + 4);
    if (shown_idx >= count)
        return 0;
    if (shown_d == d)
        return idx < shown_idx ? idx : shown_idx;
    return shown_d < d ? idx : shown_idx;
}

static void search_a8(search *x, const uint8_t *own, const uint8_t *shown, uint32_t lo,
                      uint32_t size)
{
    const lks_op *op = x->s->op;
    uint32_t entries = 8 * lks_op_block_count(op), i = 0;
    uint32_t whole = op->head_width ? op->head_width : op->width,
             blocks =
                 (whole + op->block - 1) / op->block; /* of what is cut into blocks on its own */
    for (; i < size && lo + i < entries; i += 8) {
        uint32_t b = (lo + i) / 8, in_whole = b % blocks * op->block, left = whole - in_whole,
                 count = left < op->block ? left : op->block;
        if (!memcmp(own + i, shown + i, 8))
            continue;
        if (try(x, LKS_UNIT_OUTPUT,
                b / blocks * whole + in_whole + convicting_place(own + i, shown + i, count), 0))
            return;
    }
    for (; i < size; i++)
        if (own[i] != shown[i] && try(x, LKS_UNIT_OUTPUT, lo + i - entries, 0))
            return;
}

static void search_sample(search *x, const uint8_t *own, const uint8_t *shown)
{
    const lks_facts *f = x->s->facts;
    uint32_t index = lks_load_le32(shown + 4), w = lks_load_le32(own + 4), place;
    if (!lks_suspect_lacks(x->s, &place, index))
        place = LKS_UNIT_INDEX;
    if (!try(x, LKS_UNIT_OUTPUT, LKS_UNIT_INDEX, place))
        try(x, LKS_UNIT_OUTPUT, w,
            f->allowed_count ? lks_count_below(x->s->allowed, f->allowed_count, w) : 0);
}

static uint32_t first_difference(const uint8_t *a, const uint8_t *b, uint32_t size)
{
    uint32_t i = 0;
    while (i < size && a[i] == b[i])
        i++;
    return i;
}

lks_err lks_unit_search(lks_unit *u, const lks_suspect *s, const uint8_t *own, const uint8_t *shown,
                        lks_reader *reader)
{
    search x = {.s = s, .reader = reader, .u = u};
    uint32_t size, lo = (s->leaf & ((1u << s->shape->chunk_bits) - 1)) * LKS_CHUNK_SIZE;
    if (!lks_shape_leaf(&size, s->shape, s->leaf))
        return lks_fail(LKS_BADARGS, "operation %u has no leaf %u", s->index, s->leaf);
    if (s->op->code == LKS_OP_ATTN) {
        uint32_t at = first_difference(own, shown, size);
        *u = (lks_unit){LKS_UNIT_OUTPUT, s->index, s->leaf, (lo + at) / 4, 0};
        x.found = at < size;
        return result(&x);
    }
    switch (s->op->form) {
    case LKS_FORM_F32:
    case LKS_FORM_RMS: search_floats(&x, own, shown, lo, size); break;
    case LKS_FORM_A8: search_a8(&x, own, shown, lo, size); break;
    case LKS_FORM_SAMPLE: search_sample(&x, own, shown); break;
    }
    return result(&x);
}

/* ---- Tokens ---- */

lks_err lks_unit_search_token(lks_unit *u, const lks_suspect *s, uint32_t claimed, uint32_t own,
                              lks_reader *reader)
{
    search x = {.s = s, .reader = reader, .u = u};
    const lks_facts *f = s->facts;
    uint32_t place;
    if (lks_suspect_lacks(s, &place, claimed))
        try(&x, LKS_UNIT_UNLISTED, 0, place);
    else if (f->temperature == 0.0f)
        try(&x, LKS_UNIT_TOKEN, 0, 0);
    else if (!try(&x, LKS_UNIT_TOKEN, claimed, 0) && claimed != own)
        try(&x, LKS_UNIT_TOKEN, own,
            f->allowed_count ? lks_count_below(s->allowed, f->allowed_count, own) : 0);
    return result(&x);
}

/* ---- Partials ---- */

static void search_parts(search *x, uint32_t position, uint32_t element, const uint8_t *own,
                         const uint8_t *shown)
{
    for (uint32_t c = 0; c < lks_partials_chunks(position); c++) {
        size_t at = lks_partials_part_at(c);
        if (memcmp(own + at, shown + at, LKS_PART_SIZE) &&
            try(x, LKS_UNIT_PARTIAL_CHUNK, element, c))
            return;
    }
    size_t at = lks_partials_maximum_at(position);
    uint32_t own_c = lks_load_le32(own + at + 4), shown_c = lks_load_le32(shown + at + 4);
    if (memcmp(own + at, shown + at, LKS_MAXIMUM_SIZE) &&
        (try(x, LKS_UNIT_PARTIAL_MAXIMUM, element, own_c) ||
         try(x, LKS_UNIT_PARTIAL_MAXIMUM, element, shown_c)))
        return;
    for (uint32_t k = 0; k < lks_partials_runs(position); k++) {
        at = lks_partials_running_at(position, k);
        if (memcmp(own + at, shown + at, LKS_RUNNING_SIZE) &&
            try(x, LKS_UNIT_PARTIAL_RUNNING, element, k))
            return;
    }
    try(x, LKS_UNIT_PARTIAL_FINAL, element, 0);
}

lks_err lks_unit_search_partial(lks_unit *u, const lks_suspect *s, uint32_t position,
                                uint32_t element, const uint8_t *own, const uint8_t *shown,
                                lks_reader *reader)
{
    search x = {.s = s,
                .reader = reader,
                .u = u,
                .partials = shown,
                .partials_len = lks_partials_size(position)};
    search_parts(&x, position, element, own, shown);
    return result(&x);
}
