/* Byte-level BPE: words, of bytes, merged by the file's list of merges. */
#include "oracle/text/tokenizer_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WHOLE_WORD_LIMIT                                                                           \
    512 /* bytes of a word that may be a token as it stands; no vocabulary has longer ones of one  \
           word */

/* The finaliser of SplitMix64 (Steele, Lea and Flood, 2014). The random key keeps a file from
 * choosing collisions. */
static size_t slot_of(const lks_tokenizer *t, uint64_t pair)
{
    uint64_t x = pair ^ t->merge_key;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (size_t)(x ^ x >> 31) & t->merge_mask;
}

/* Returns: the slot of the pair, or the free slot where it belongs. */
static lks_merge *find_merge(const lks_tokenizer *t, uint64_t pair)
{
    size_t i = slot_of(t, pair);
    while (t->merges[i].rank != UINT32_MAX && t->merges[i].pair != pair)
        i = (i + 1) & t->merge_mask;
    return &t->merges[i];
}

/* "LEFT RIGHT"; a text may begin with a space itself. scratch has room for the longest token. */
static lks_err add_merge(lks_tokenizer *t, uint32_t rank, lks_gguf_string s, char *scratch)
{
    const char *space = s.len > 1 ? memchr(s.data + 1, ' ', s.len - 1) : NULL;
    if (!space)
        return lks_fail(LKS_CORRUPT, "merge %" PRIu32 " is not two texts with a space between them",
                        rank);
    size_t left_len = (size_t)(space - s.data), right_len = s.len - left_len - 1;
    uint32_t left = lks_strtab_get(&t->ids, s.data, left_len),
             right = lks_strtab_get(&t->ids, space + 1, right_len);
    uint32_t id = LKS_TOKEN_NONE;
    if (left_len + right_len <= t->longest) {
        memcpy(scratch, s.data, left_len);
        memcpy(scratch + left_len, space + 1, right_len);
        id = lks_strtab_get(&t->ids, scratch, left_len + right_len);
    }
    if (left == LKS_TOKEN_NONE || right == LKS_TOKEN_NONE || id == LKS_TOKEN_NONE)
        return lks_fail(LKS_CORRUPT, "merge %" PRIu32 " names a text that is not in the vocabulary",
                        rank);
    uint64_t pair = (uint64_t)left << 32 | right;
    lks_merge *m = find_merge(t, pair);
    if (m->rank == UINT32_MAX) /* of equal merges the first counts */
        *m = (lks_merge){.pair = pair, .rank = rank, .id = id};
    return LKS_OK;
}

lks_err lks_bpe_load(lks_tokenizer *t, const lks_gguf *g)
{
    lks_gguf_array merges;
    lks_err err = lks_gguf_get_array(g, "tokenizer.ggml.merges", LKS_GGUF_STRING, &merges);
    if (err)
        return lks_fail_in(LKS_CORRUPT, "the vocabulary");
    if (merges.count >= UINT32_MAX / 4)
        return lks_fail(LKS_CORRUPT, "the vocabulary has %" PRIu64 " merges", merges.count);
    size_t slots = 16;
    while (slots / 2 < merges.count)
        slots *= 2;
    if (getrandom(&t->merge_key, sizeof t->merge_key, 0) != (ssize_t)sizeof t->merge_key)
        return lks_fail(LKS_IO, "the system gives no random bytes: %s", strerror(errno));
    t->merges = malloc(slots * sizeof *t->merges);
    char *scratch = malloc((size_t)t->longest + 1);
    if (!t->merges || !scratch)
        err = lks_fail(LKS_NOMEM, "out of memory for %" PRIu64 " merges", merges.count);
    t->merge_mask = slots - 1;
    for (size_t i = 0; i < slots && !err; i++)
        t->merges[i] = (lks_merge){.rank = UINT32_MAX};
    const uint8_t *cursor = merges.data;
    for (uint64_t i = 0; i < merges.count && !err; i++)
        err = add_merge(t, (uint32_t)i, lks_gguf_next_string(&cursor), scratch);
    free(scratch);
    return err;
}

static bool find(void *context, const lks_symbol *left, const lks_symbol *right, uint32_t *rank,
                 uint32_t *id)
{
    const lks_merge *m = find_merge(context, (uint64_t)left->id << 32 | right->id);
    *rank = m->rank;
    *id = m->id;
    return m->rank != UINT32_MAX;
}

/* Returns: the token that is this word as it stands; LKS_TOKEN_NONE when there is none. */
static uint32_t whole_word(const lks_tokenizer *t, const uint8_t *word, size_t len)
{
    char text[2 * WHOLE_WORD_LIMIT];
    size_t n = 0, step;
    if (len > WHOLE_WORD_LIMIT || len > t->longest)
        return LKS_TOKEN_NONE;
    for (size_t i = 0; i < len; i++, n += step)
        lks_byte_char(word[i], text + n, &step);
    return lks_plain_id(t, text, n);
}

static lks_err encode_word(const lks_tokenizer *t, lks_merger *m, const uint8_t *word, size_t len,
                           lks_tokens *out)
{
    if (t->pre->whole_words) {
        uint32_t id = whole_word(t, word, len);
        if (id != LKS_TOKEN_NONE)
            return lks_tokens_push(out, id);
    }
    lks_merger_clear(m);
    lks_err err = LKS_OK;
    for (size_t i = 0; i < len && !err; i++)
        err = lks_merger_add(m, (uint32_t)i, 1, t->byte_ids[word[i]]);
    if (err)
        return err;
    lks_merger_run(m);
    for (uint32_t i = 0; i != UINT32_MAX && !err; i = m->symbols[i].next)
        if (m->symbols[i].id != LKS_TOKEN_NONE)
            err = lks_tokens_push(out, m->symbols[i].id);
    return err;
}

lks_err lks_bpe_encode(const lks_tokenizer *t, lks_merger *m, const char *text, size_t len,
                       lks_tokens *out)
{
    m->find = find;
    m->context = (void *)(uintptr_t)t;
    lks_err err = LKS_OK;
    for (size_t pos = 0; pos < len && !err;) {
        size_t end = lks_pretokenize(t->pre, text, len, pos);
        err = encode_word(t, m, (const uint8_t *)text + pos, end - pos, out);
        pos = end;
    }
    return err;
}
