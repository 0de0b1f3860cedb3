/* Special tokens written in text. The longest token that occurs is cut out first, wherever it
 * stands, then the next longest from what is left, as in llama.cpp; among tokens of one length the
 * leftmost comes first. */
#include "oracle/text/tokenizer_internal.h"

#include <stdlib.h>
#include <string.h>

static bool is_special(uint32_t kind, bool all)
{
    return kind == KIND_USER_DEFINED || (all && (kind == KIND_CONTROL || kind == KIND_UNKNOWN));
}

static int by_falling_length(const void *a, const void *b)
{
    uint32_t x = ((const lks_special_group *)a)->len, y = ((const lks_special_group *)b)->len;
    return (x < y) - (x > y);
}

/* One group a length. In and out: groups with room for as many as there are special tokens. */
static size_t make_groups(const lks_tokenizer *t, bool all, lks_special_group *groups)
{
    size_t n = 0, count = 0;
    for (uint32_t id = 0; id < t->count; id++) {
        const lks_token *k = &t->tokens[id];
        if (!is_special(k->kind, all) || k->len == 0)
            continue;
        lks_special_group *g = &groups[n++];
        *g = (lks_special_group){.len = k->len};
        g->begins[(uint8_t)k->text[0] >> 3] = (uint8_t)(1u << (k->text[0] & 7));
    }
    qsort(groups, n, sizeof *groups, by_falling_length);
    for (size_t i = 0; i < n; i++) {
        if (count == 0 || groups[count - 1].len != groups[i].len) {
            groups[count++] = groups[i];
            continue;
        }
        for (int j = 0; j < 32; j++)
            groups[count - 1].begins[j] |= groups[i].begins[j];
    }
    return count;
}

lks_err lks_special_load(lks_tokenizer *t)
{
    size_t user = 0, all = 0;
    for (uint32_t id = 0; id < t->count; id++) {
        user += is_special(t->tokens[id].kind, false);
        all += is_special(t->tokens[id].kind, true);
    }
    t->groups = calloc(user + all + 1, sizeof *t->groups);
    if (!t->groups)
        return lks_fail(LKS_NOMEM, "out of memory for %zu special tokens", all);
    t->user_groups = make_groups(t, false, t->groups);
    t->all_groups = make_groups(t, true, t->groups + t->user_groups);
    return LKS_OK;
}

/* The spans found so far, and a bit for each byte of the text that one of them covers. */
typedef struct cuts {
    lks_span *spans;
    size_t count, capacity;
    uint8_t *covered;
} cuts;

static bool is_covered(const cuts *c, size_t i)
{
    return c->covered && (c->covered[i >> 3] >> (i & 7) & 1);
}

static lks_err add_span(cuts *c, lks_span span, size_t text_len)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 16;
        lks_span *spans = realloc(c->spans, capacity * sizeof *spans);
        if (!spans)
            return lks_fail(LKS_NOMEM, "out of memory for %zu special tokens", c->count);
        c->spans = spans;
        c->capacity = capacity;
    }
    if (!c->covered) {
        c->covered = calloc(text_len / 8 + 1, 1);
        if (!c->covered)
            return lks_fail(LKS_NOMEM, "out of memory for a text of %zu bytes", text_len);
    }
    for (uint32_t i = span.start; i < span.start + span.len; i++)
        c->covered[i >> 3] |= (uint8_t)(1u << (i & 7));
    c->spans[c->count++] = span;
    return LKS_OK;
}

/* Pieces cut out before are at least as long, so an overlap covers the first or the last byte. */
static lks_err find_group(const lks_tokenizer *t, const lks_special_group *g, const char *text,
                          size_t len, bool all, cuts *c)
{
    for (size_t i = 0; i + g->len <= len; i++) {
        uint8_t first = (uint8_t)text[i];
        if (!(g->begins[first >> 3] >> (first & 7) & 1) || is_covered(c, i) ||
            is_covered(c, i + g->len - 1))
            continue;
        uint32_t id = lks_strtab_get(&t->ids, text + i, g->len);
        if (id == LKS_TOKEN_NONE || !is_special(t->tokens[id].kind, all))
            continue;
        lks_err err = add_span(c, (lks_span){.start = (uint32_t)i, .len = g->len, .id = id}, len);
        if (err)
            return err;
        i += g->len - 1;
    }
    return LKS_OK;
}

static int by_start(const void *a, const void *b)
{
    uint32_t x = ((const lks_span *)a)->start, y = ((const lks_span *)b)->start;
    return (x > y) - (x < y);
}

lks_err lks_special_find(const lks_tokenizer *t, const char *text, size_t len, bool all,
                         lks_span **spans, size_t *count)
{
    const lks_special_group *groups = all ? t->groups + t->user_groups : t->groups;
    size_t group_count = all ? t->all_groups : t->user_groups;
    cuts c = {0};
    lks_err err = LKS_OK;
    for (size_t i = 0; i < group_count && !err; i++)
        err = find_group(t, &groups[i], text, len, all, &c);
    free(c.covered);
    if (err) {
        free(c.spans);
        c = (cuts){0};
    }
    if (c.count > 1)
        qsort(c.spans, c.count, sizeof *c.spans, by_start);
    *spans = c.spans;
    *count = c.count;
    return err;
}
