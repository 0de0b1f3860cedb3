#include "chain/abi.h"

#include <string.h>

#include "chain/keccak.h"

#define WORD 32

static void push_frame(lks_abi_writer *e, size_t words)
{
    if (e->depth == LKS_ABI_MAX_DEPTH || words > SIZE_MAX / WORD) {
        e->misused = true;
        return;
    }
    e->frame[e->depth].start = e->out->len;
    e->frame[e->depth].next = 0;
    e->frame[e->depth].words = words;
    e->depth++;
    lks_buf_extend(e->out, words * WORD);
}

void lks_abi_begin(lks_abi_writer *e, lks_buf *out, size_t head_words)
{
    memset(e, 0, sizeof *e);
    e->out = out;
    push_frame(e, head_words);
}

void lks_abi_begin_call(lks_abi_writer *e, lks_buf *out, const char *signature, size_t head_words)
{
    uint8_t selector[4];
    lks_abi_selector(selector, signature);
    lks_buf_put(out, selector, 4);
    lks_abi_begin(e, out, head_words);
}

/* Returns: the place of the innermost frame's next head word, zero so far; NULL on misuse or lack
 * of memory. */
static uint8_t *next_word(lks_abi_writer *e)
{
    if (e->misused || e->out->failed)
        return NULL;
    if (!e->depth || e->frame[e->depth - 1].next == e->frame[e->depth - 1].words) {
        e->misused = true;
        return NULL;
    }
    return e->out->data + e->frame[e->depth - 1].start + WORD * e->frame[e->depth - 1].next++;
}

void lks_abi_put_word(lks_abi_writer *e, const uint8_t word32[32])
{
    uint8_t *word = next_word(e);
    if (word)
        memcpy(word, word32, WORD);
}

void lks_abi_put_u64(lks_abi_writer *e, uint64_t value)
{
    uint8_t *word = next_word(e);
    for (int i = 0; word && i < 8; i++)
        word[24 + i] = (uint8_t)(value >> (8 * (7 - i)));
}

void lks_abi_put_u256(lks_abi_writer *e, const lks_u256 *value)
{
    uint8_t *word = next_word(e);
    if (word)
        lks_u256_to_be(word, value);
}

void lks_abi_put_address(lks_abi_writer *e, const uint8_t address20[20])
{
    uint8_t *word = next_word(e);
    if (word)
        memcpy(word + 12, address20, 20);
}

void lks_abi_put_bool(lks_abi_writer *e, bool value)
{
    lks_abi_put_u64(e, value);
}

void lks_abi_put_fixed(lks_abi_writer *e, const void *data, size_t len)
{
    if (!len || len > WORD) {
        e->misused = true;
        return;
    }
    uint8_t *word = next_word(e);
    if (word)
        memcpy(word, data, len);
}

/* Fills the next head word with the offset of what is appended next. */
static void put_offset(lks_abi_writer *e)
{
    if (e->depth)
        lks_abi_put_u64(e, e->out->len - e->frame[e->depth - 1].start);
    else
        e->misused = true;
}

static void append_length(lks_abi_writer *e, size_t len)
{
    uint8_t *word = lks_buf_extend(e->out, WORD);
    for (int i = 0; word && i < 8; i++)
        word[24 + i] = (uint8_t)((uint64_t)len >> (8 * (7 - i)));
}

void lks_abi_put_bytes(lks_abi_writer *e, const void *data, size_t len)
{
    put_offset(e);
    if (e->misused)
        return;
    append_length(e, len);
    lks_buf_put(e->out, data, len);
    lks_buf_extend(e->out, (WORD - len % WORD) % WORD);
}

void lks_abi_begin_tuple(lks_abi_writer *e, size_t head_words)
{
    put_offset(e);
    if (!e->misused)
        push_frame(e, head_words);
}

void lks_abi_begin_array(lks_abi_writer *e, size_t count, size_t element_words)
{
    put_offset(e);
    if (!element_words || count > SIZE_MAX / WORD / element_words)
        e->misused = true;
    if (e->misused)
        return;
    append_length(e, count);
    push_frame(e, count * element_words);
}

void lks_abi_end(lks_abi_writer *e)
{
    if (!e->depth || e->frame[e->depth - 1].next != e->frame[e->depth - 1].words)
        e->misused = true;
    else
        e->depth--;
}

lks_err lks_abi_finish(lks_abi_writer *e)
{
    lks_err err = lks_buf_error(e->out);
    if (err)
        return err;
    if (e->depth == 1) /* the outermost sequence ends here */
        lks_abi_end(e);
    if (e->misused || e->depth)
        return lks_fail(LKS_INTERNAL, "ABI: members do not match their heads");
    return LKS_OK;
}

void lks_abi_topic(uint8_t topic32[32], const char *signature)
{
    lks_keccak256(topic32, signature, strlen(signature));
}

void lks_abi_selector(uint8_t selector4[4], const char *signature)
{
    uint8_t topic[32];
    lks_abi_topic(topic, signature);
    memcpy(selector4, topic, 4);
}
