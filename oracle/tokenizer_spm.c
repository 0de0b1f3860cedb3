/* SentencePiece BPE with byte fall-back: characters merged by the scores of the tokens that come of it. */
#include "oracle/le.h"
#include "oracle/tokenizer_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SPACE_MARK "\xe2\x96\x81" /* U+2581 stands for a space */

typedef struct scored {
    float score;
    uint32_t id;
} scored;

static int by_falling_score(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

lks_err lks_spm_load(lks_tokenizer *t, const lks_gguf *g)
{
    lks_gguf_array scores;
    lks_err err = lks_gguf_get_array(g, "tokenizer.ggml.scores", LKS_GGUF_F32, &scores);
    if (err)
        return lks_fail_in(LKS_CORRUPT, "the vocabulary");
    if (scores.count != t->count)
        return lks_fail(LKS_CORRUPT, "tokenizer.ggml.scores has %" PRIu64 " entries for %" PRIu32 " tokens", scores.count, t->count);
    scored *sorted = malloc(t->count * sizeof *sorted);
    t->ranks = malloc(t->count * sizeof *t->ranks);
    if (!sorted || !t->ranks) {
        err = lks_fail(LKS_NOMEM, "out of memory for %" PRIu32 " scores", t->count);
        goto out;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        sorted[i] = (scored){.score = lks_float(lks_load_le32(scores.data + 4 * (size_t)i)), .id = i};
        if (sorted[i].score != sorted[i].score) {
            err = lks_fail(LKS_CORRUPT, "the score of token %" PRIu32 " is not a number", i);
            goto out;
        }
    }
    qsort(sorted, t->count, sizeof *sorted, by_falling_score);
    for (uint32_t i = 0, rank = 0; i < t->count; i++) {
        rank += i > 0 && sorted[i].score != sorted[i - 1].score;
        t->ranks[sorted[i].id] = rank;
    }
out:
    free(sorted);
    return err;
}

typedef struct source {
    const lks_tokenizer *t;
    const char *text;
} source;

/* Neighbours are adjacent in the text, so their union is a piece of it. */
static bool find(void *context, const lks_symbol *left, const lks_symbol *right, uint32_t *rank, uint32_t *id)
{
    const source *s = context;
    uint32_t len = left->len + right->len;
    *id = len <= s->t->longest ? lks_plain_id(s->t, s->text + left->start, len) : LKS_TOKEN_NONE;
    *rank = *id == LKS_TOKEN_NONE ? 0 : s->t->ranks[*id];
    return *id != LKS_TOKEN_NONE;
}

/* Spaces become U+2581. Returns: memory of the caller, *len bytes; NULL when there is none left. */
static char *escape(const char *text, size_t *len, bool space)
{
    size_t spaces = space, n = 0;
    for (size_t i = 0; i < *len; i++)
        spaces += text[i] == ' ';
    char *out = malloc(*len + 3 * spaces);
    if (!out)
        return NULL;
    if (space) {
        memcpy(out, SPACE_MARK, 3);
        n = 3;
    }
    for (size_t i = 0; i < *len; i++) {
        if (text[i] != ' ') {
            out[n++] = text[i];
            continue;
        }
        memcpy(out + n, SPACE_MARK, 3);
        n += 3;
    }
    *len = n;
    return out;
}

/* By the first byte alone, as llama.cpp: what is not UTF-8 forms no token and falls back to bytes. */
static size_t character_len(uint8_t first) { return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4; }

static lks_err push_symbol(const lks_tokenizer *t, const lks_symbol *s, const char *text, lks_tokens *out)
{
    if (s->id != LKS_TOKEN_NONE)
        return lks_tokens_push(out, s->id);
    lks_err err = LKS_OK;
    for (uint32_t i = 0; i < s->len && !err; i++)
        err = lks_tokens_push(out, t->byte_ids[(uint8_t)text[s->start + i]]);
    return err;
}

lks_err lks_spm_encode(const lks_tokenizer *t, lks_merger *m, const char *text, size_t len, bool space, lks_tokens *out)
{
    char *escaped = escape(text, &len, space);
    if (!escaped)
        return lks_fail(LKS_NOMEM, "out of memory for a text of %zu bytes", len);
    source s = {.t = t, .text = escaped};
    m->find = find;
    m->context = &s;
    lks_merger_clear(m);
    lks_err err = LKS_OK;
    for (size_t i = 0, n; i < len && !err; i += n) {
        n = character_len((uint8_t)escaped[i]);
        if (n > len - i)
            n = len - i;
        err = lks_merger_add(m, (uint32_t)i, (uint32_t)n, lks_plain_id(t, escaped + i, n));
    }
    if (!err && m->count > 0) {
        lks_merger_run(m);
        for (uint32_t i = 0; i != UINT32_MAX && !err; i = m->symbols[i].next)
            err = push_symbol(t, &m->symbols[i], escaped, out);
    }
    free(escaped);
    return err;
}
