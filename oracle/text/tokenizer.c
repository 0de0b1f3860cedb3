#include "oracle/text/tokenizer_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT (16u << 20)

static lks_err read_id(const lks_tokenizer *t, const lks_gguf *g, const char *key, uint32_t *id)
{
    *id = LKS_TOKEN_NONE;
    if (!lks_gguf_find(g, key))
        return LKS_OK;
    lks_err err = lks_gguf_get_u32(g, key, id);
    if (!err && *id >= t->count)
        err = lks_fail(LKS_CORRUPT, "%s is %" PRIu32 ", outside a vocabulary of %" PRIu32, key, *id,
                       t->count);
    return err;
}

static void add_end(lks_tokenizer *t, uint32_t id)
{
    size_t i = 0;
    while (i < t->end_count && t->ends[i] < id)
        i++;
    if (id == LKS_TOKEN_NONE || (i < t->end_count && t->ends[i] == id))
        return;
    memmove(&t->ends[i + 1], &t->ends[i], (t->end_count - i) * sizeof *t->ends);
    t->ends[i] = id;
    t->end_count++;
}

static lks_err read_flag(const lks_gguf *g, const char *key, bool *flag)
{
    return lks_gguf_find(g, key) ? lks_gguf_get_bool(g, key, flag) : LKS_OK;
}

static lks_err read_settings(lks_tokenizer *t, const lks_gguf *g)
{
    t->add_bos = t->pre ? t->pre->adds_bos : true;
    t->add_space = !t->pre;
    uint32_t eot = LKS_TOKEN_NONE, eom = LKS_TOKEN_NONE;
    lks_err err = read_id(t, g, "tokenizer.ggml.bos_token_id", &t->bos);
    if (!err)
        err = read_id(t, g, "tokenizer.ggml.eos_token_id", &t->eos);
    if (!err)
        err = read_id(t, g, "tokenizer.ggml.eot_token_id", &eot);
    if (!err)
        err = read_id(t, g, "tokenizer.ggml.eom_token_id", &eom);
    if (!err)
        err = read_flag(g, "tokenizer.ggml.add_bos_token", &t->add_bos);
    if (!err)
        err = read_flag(g, "tokenizer.ggml.add_eos_token", &t->add_eos);
    if (!err && !t->pre)
        err = read_flag(g, "tokenizer.ggml.add_space_prefix", &t->add_space);
    if (err)
        return err;
    if (t->add_bos && t->bos == LKS_TOKEN_NONE)
        return lks_fail(LKS_CORRUPT,
                        "the file asks for a BOS token and has no tokenizer.ggml.bos_token_id");
    if (t->add_eos && t->eos == LKS_TOKEN_NONE)
        return lks_fail(LKS_CORRUPT,
                        "the file asks for an EOS token and has no tokenizer.ggml.eos_token_id");
    add_end(t, t->eos);
    add_end(t, eot);
    add_end(t, eom);
    return LKS_OK;
}

/* Sets t->pre, NULL for SentencePiece. */
static lks_err choose_model(lks_tokenizer *t, const lks_gguf *g)
{
    lks_gguf_string model, pre = {.data = "", .len = 0};
    lks_err err = lks_gguf_get_string(g, "tokenizer.ggml.model", &model);
    if (err)
        return lks_fail_in(LKS_CORRUPT, "the file has no usable tokenizer");
    if (model.len == 5 && memcmp(model.data, "llama", 5) == 0)
        return LKS_OK;
    if (model.len != 4 || memcmp(model.data, "gpt2", 4) != 0)
        return lks_fail(LKS_REFUSED,
                        "tokenizer model \"%.*s\" is not supported; gpt2 and llama are",
                        (int)(model.len > 40 ? 40 : model.len), model.data);
    if (lks_gguf_find(g, "tokenizer.ggml.pre"))
        err = lks_gguf_get_string(g, "tokenizer.ggml.pre", &pre);
    if (err)
        return err;
    t->pre = lks_pretokenizer_find(pre.data, pre.len);
    if (!t->pre)
        return lks_fail(LKS_REFUSED, "pre-tokenizer \"%.*s\" is not supported",
                        (int)(pre.len > 40 ? 40 : pre.len), pre.data);
    return LKS_OK;
}

lks_err lks_tokenizer_open(lks_tokenizer **out, const lks_gguf *g)
{
    *out = NULL;
    lks_tokenizer *t = calloc(1, sizeof *t);
    if (!t)
        return lks_fail(LKS_NOMEM, "out of memory for a tokenizer");
    lks_err err = choose_model(t, g);
    if (!err)
        err = lks_vocab_load(t, g);
    if (!err)
        err = read_settings(t, g);
    if (!err)
        err = lks_special_load(t);
    if (!err)
        err = t->pre ? lks_bpe_load(t, g) : lks_spm_load(t, g);
    if (err)
        lks_tokenizer_close(t);
    else
        *out = t;
    return err;
}

void lks_tokenizer_close(lks_tokenizer *t)
{
    if (!t)
        return;
    lks_strtab_free(&t->ids);
    free(t->tokens);
    free(t->pieces);
    free(t->merges);
    free(t->ranks);
    free(t->groups);
    free(t);
}

uint32_t lks_tokenizer_vocab_size(const lks_tokenizer *t)
{
    return t->count;
}

uint32_t lks_tokenizer_bos(const lks_tokenizer *t)
{
    return t->bos;
}

bool lks_tokenizer_adds_bos(const lks_tokenizer *t)
{
    return t->add_bos;
}

bool lks_tokenizer_adds_space(const lks_tokenizer *t)
{
    return t->add_space;
}

size_t lks_tokenizer_eos(const lks_tokenizer *t, uint32_t ids[LKS_MAX_EOS])
{
    memcpy(ids, t->ends, t->end_count * sizeof *ids);
    return t->end_count;
}

lks_err lks_tokens_push(lks_tokens *list, uint32_t id)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        uint32_t *ids =
            capacity <= SIZE_MAX / sizeof *ids ? realloc(list->ids, capacity * sizeof *ids) : NULL;
        if (!ids)
            return lks_fail(LKS_NOMEM, "out of memory for %zu tokens", list->count);
        list->ids = ids;
        list->capacity = capacity;
    }
    list->ids[list->count++] = id;
    return LKS_OK;
}

/* The text between special tokens, and those. */
static lks_err encode_parts(const lks_tokenizer *t, const char *text, size_t len,
                            const lks_span *spans, size_t span_count, lks_tokens *out)
{
    lks_merger merger = {0};
    lks_err err = LKS_OK;
    size_t pos = 0;
    bool space = t->add_space; /* at the start and behind each special token */
    for (size_t i = 0; i <= span_count && !err; i++) {
        size_t end = i < span_count ? spans[i].start : len;
        if (end > pos) {
            err = t->pre ? lks_bpe_encode(t, &merger, text + pos, end - pos, out)
                         : lks_spm_encode(t, &merger, text + pos, end - pos, space, out);
            space = false;
        }
        if (i < span_count && !err) {
            err = lks_tokens_push(out, spans[i].id);
            space = t->add_space;
            pos = (size_t)spans[i].start + spans[i].len;
        }
    }
    lks_merger_free(&merger);
    return err;
}

lks_err lks_tokenizer_encode(const lks_tokenizer *t, const char *text, size_t len,
                             bool parse_special, bool add_special, lks_tokens *out)
{
    if (len > TEXT_LIMIT)
        return lks_fail(LKS_BADARGS, "the text has %zu bytes; %u are the most", len, TEXT_LIMIT);
    size_t count_before = out->count, span_count = 0;
    lks_span *spans = NULL;
    lks_err err = lks_special_find(t, text, len, parse_special, &spans, &span_count);
    if (!err && add_special && t->add_bos)
        err = lks_tokens_push(out, t->bos);
    if (!err)
        err = encode_parts(t, text, len, spans, span_count, out);
    if (!err && add_special && t->add_eos)
        err = lks_tokens_push(out, t->eos);
    free(spans);
    if (err)
        out->count = count_before;
    return err;
}

size_t lks_tokenizer_piece(const lks_tokenizer *t, uint32_t id, bool show_special,
                           const char **piece)
{
    *piece = "";
    if (id >= t->count)
        return 0;
    const lks_token *k = &t->tokens[id];
    if (!show_special && (k->kind == KIND_CONTROL || k->kind == KIND_UNKNOWN))
        return 0;
    *piece = k->piece;
    return k->piece_len;
}

uint32_t lks_tokenizer_find_special(const lks_tokenizer *t, const char *text)
{
    uint32_t id = lks_strtab_get(&t->ids, text, strlen(text));
    if (id == LKS_TOKEN_NONE)
        return id;
    uint32_t kind = t->tokens[id].kind;
    return kind == KIND_CONTROL || kind == KIND_USER_DEFINED ? id : LKS_TOKEN_NONE;
}
