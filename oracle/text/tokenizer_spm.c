/* SentencePiece BPE with byte fall-back: characters merged by the scores of the tokens that come of
 * it. */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/text/tokenizer_internal.h"

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

/* Whether U+2581 stands in this token behind something else. */
static bool joins_words(const lks_token *k)
{
    for (uint32_t i = 1; i + 3 <= k->len; i++)
        if (memcmp(k->text + i, SPACE_MARK, 3) == 0 &&
            (i < 3 || memcmp(k->text + i - 3, SPACE_MARK, 3) != 0))
            return true;
    return false;
}

lks_err lks_spm_load(lks_tokenizer *t, const lks_gguf *g)
{
    lks_gguf_array scores;
    lks_err err = lks_gguf_get_array(g, "tokenizer.ggml.scores", LKS_GGUF_F32, &scores);
    if (err)
        return lks_fail_in(LKS_CORRUPT, "the vocabulary");
    if (scores.count != t->count)
        return lks_fail(LKS_CORRUPT,
                        "tokenizer.ggml.scores has %" PRIu64 " entries for %" PRIu32 " tokens",
                        scores.count, t->count);
    scored *sorted = malloc(t->count * sizeof *sorted);
    t->ranks = malloc(t->count * sizeof *t->ranks);
    if (!sorted || !t->ranks) {
        err = lks_fail(LKS_NOMEM, "out of memory for %" PRIu32 " scores", t->count);
        goto out;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        sorted[i] =
            (scored){.score = lks_float(lks_load_le32(scores.data + 4 * (size_t)i)), .id = i};
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
    t->words_apart = true;
    for (uint32_t i = 0; i < t->count; i++)
        t->words_apart &= !joins_words(&t->tokens[i]);
out:
    free(sorted);
    return err;
}

typedef struct source {
    const lks_tokenizer *t;
    const char *text;
} source;

/* Neighbours are adjacent in the text, so their union is a piece of it. */
static bool find(void *context, const lks_symbol *left, const lks_symbol *right, uint32_t *rank,
                 uint32_t *id)
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

/* Bytes of the character at text, 1 where it is not valid UTF-8. */
static size_t character_len(const char *text, size_t left)
{
    uint32_t cp;
    size_t n = lks_utf8_decode((const uint8_t *)text, left, &cp);
    return n ? n : 1;
}

static lks_err push_symbol(const lks_tokenizer *t, const lks_symbol *s, const char *text,
                           lks_tokens *out)
{
    if (s->id != LKS_TOKEN_NONE)
        return lks_tokens_push(out, s->id);
    lks_err err = LKS_OK;
    for (uint32_t i = 0; i < s->len && !err; i++)
        err = lks_tokens_push(out, t->byte_ids[(uint8_t)text[s->start + i]]);
    return err;
}

static bool is_mark(const char *text, size_t left)
{
    return left >= 3 && memcmp(text, SPACE_MARK, 3) == 0;
}

/* Merges one segment, from start to end. */
static lks_err encode_segment(const source *s, lks_merger *m, size_t start, size_t end,
                              lks_tokens *out)
{
    lks_merger_clear(m);
    lks_err err = LKS_OK;
    for (size_t i = start, n; i < end && !err; i += n) {
        n = character_len(s->text + i, end - i);
        err = lks_merger_add(m, (uint32_t)i, (uint32_t)n, lks_plain_id(s->t, s->text + i, n));
    }
    if (err)
        return err;
    lks_merger_run(m);
    for (uint32_t i = 0; i != UINT32_MAX && !err; i = m->symbols[i].next)
        err = push_symbol(s->t, &m->symbols[i], s->text, out);
    return err;
}

/* Returns: the end of the segment that begins at start: where a word begins, if no token can reach
 * across. */
static size_t segment_end(const lks_tokenizer *t, const char *text, size_t len, size_t start)
{
    bool marks = true; /* only marks so far */
    for (size_t i = start; t->words_apart && i < len; i += character_len(text + i, len - i)) {
        bool mark = is_mark(text + i, len - i);
        if (mark && !marks)
            return i;
        marks = mark;
    }
    return len;
}

lks_err lks_spm_encode(const lks_tokenizer *t, lks_merger *m, const char *text, size_t len,
                       bool space, lks_tokens *out)
{
    char *escaped = escape(text, &len, space);
    if (!escaped)
        return lks_fail(LKS_NOMEM, "out of memory for a text of %zu bytes", len);
    source s = {.t = t, .text = escaped};
    m->find = find;
    m->context = &s;
    lks_err err = LKS_OK;
    for (size_t start = 0, end; start < len && !err; start = end) {
        end = segment_end(t, escaped, len, start);
        err = encode_segment(&s, m, start, end, out);
    }
    free(escaped);
    return err;
}
