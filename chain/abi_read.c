#include "chain/abi.h"

#include <string.h>

#define WORD 32

void lks_abi_read(lks_abi_reader *r, const void *data, size_t len)
{
    *r = (lks_abi_reader){.data = data, .len = len, .at = 0};
}

/* Returns: the next head word, or NULL when the data ends before it. Does not move on. */
static const uint8_t *peek_word(const lks_abi_reader *r)
{
    if (r->at > r->len || r->len - r->at < WORD)
        return NULL;
    return r->data + r->at;
}

static lks_err fail_short(const lks_abi_reader *r)
{
    return lks_fail(LKS_CORRUPT, "ABI: the data ends at byte %zu, a word is needed at %zu", r->len,
                    r->at);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

lks_err lks_abi_read_word(lks_abi_reader *r, uint8_t word32[32])
{
    const uint8_t *word = peek_word(r);
    if (!word)
        return fail_short(r);
    memcpy(word32, word, WORD);
    r->at += WORD;
    return LKS_OK;
}

/* An integer of len bytes at the word's end; the bytes before it must be zero. */
static lks_err read_right(lks_abi_reader *r, uint8_t *out, size_t len, const char *what)
{
    const uint8_t *word = peek_word(r);
    if (!word)
        return fail_short(r);
    if (!is_zero(word, WORD - len))
        return lks_fail(LKS_CORRUPT, "ABI: the word at byte %zu is no %s", r->at, what);
    memcpy(out, word + WORD - len, len);
    r->at += WORD;
    return LKS_OK;
}

static uint64_t load_be64(const uint8_t bytes[8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

lks_err lks_abi_read_u64(lks_abi_reader *r, uint64_t *out)
{
    uint8_t bytes[8];
    lks_err err = read_right(r, bytes, 8, "64-bit integer");
    if (!err)
        *out = load_be64(bytes);
    return err;
}

lks_err lks_abi_read_u32(lks_abi_reader *r, uint32_t *out)
{
    uint8_t bytes[8] = {0};
    lks_err err = read_right(r, bytes + 4, 4, "32-bit integer");
    if (!err)
        *out = (uint32_t)load_be64(bytes);
    return err;
}

lks_err lks_abi_read_u256(lks_abi_reader *r, lks_u256 *out)
{
    uint8_t word[WORD];
    lks_err err = lks_abi_read_word(r, word);
    if (!err)
        *out = lks_u256_from_be(word);
    return err;
}

lks_err lks_abi_read_address(lks_abi_reader *r, uint8_t address20[20])
{
    return read_right(r, address20, 20, "address");
}

lks_err lks_abi_read_bool(lks_abi_reader *r, bool *out)
{
    uint8_t value;
    lks_abi_reader after = *r;
    lks_err err = read_right(&after, &value, 1, "bool");
    if (err)
        return err;
    if (value > 1)
        return lks_fail(LKS_CORRUPT, "ABI: the word at byte %zu is no bool", r->at);
    *out = value;
    *r = after;
    return LKS_OK;
}

lks_err lks_abi_read_fixed(lks_abi_reader *r, void *out, size_t len)
{
    const uint8_t *word = peek_word(r);
    if (!len || len > WORD)
        return lks_fail(LKS_BADARGS, "ABI: there is no type bytes%zu", len);
    if (!word)
        return fail_short(r);
    if (!is_zero(word + len, WORD - len))
        return lks_fail(LKS_CORRUPT, "ABI: the word at byte %zu is no bytes%zu", r->at, len);
    memcpy(out, word, len);
    r->at += WORD;
    return LKS_OK;
}

/* Follows the offset in the next head word. Out: inner, a reader over everything from there to the
 * end of the data. */
static lks_err follow(lks_abi_reader *r, lks_abi_reader *inner)
{
    size_t at = r->at;
    uint64_t offset;
    lks_err err = lks_abi_read_u64(r, &offset);
    if (err)
        return err;
    if (offset > r->len || offset % WORD)
        return lks_fail(LKS_CORRUPT, "ABI: the word at byte %zu is no offset into %zu bytes", at,
                        r->len);
    lks_abi_read(inner, r->data + offset, r->len - (size_t)offset);
    return LKS_OK;
}

lks_err lks_abi_read_bytes(lks_abi_reader *r, const uint8_t **data, size_t *len)
{
    lks_abi_reader after = *r, inner;
    uint64_t count;
    lks_err err = follow(&after, &inner);
    if (!err)
        err = lks_abi_read_u64(&inner, &count);
    if (err)
        return err;
    size_t room = inner.len - WORD;
    if (count > room || (WORD - count % WORD) % WORD > room - count)
        return lks_fail(LKS_CORRUPT, "ABI: %llu bytes, padded, where %zu are left",
                        (unsigned long long)count, room);
    if (!is_zero(inner.data + WORD + count, (WORD - count % WORD) % WORD))
        return lks_fail(LKS_CORRUPT, "ABI: the padding after %llu bytes is not zero",
                        (unsigned long long)count);
    *data = inner.data + WORD;
    *len = (size_t)count;
    *r = after;
    return LKS_OK;
}

lks_err lks_abi_read_tuple(lks_abi_reader *r, lks_abi_reader *tuple)
{
    lks_abi_reader after = *r;
    lks_err err = follow(&after, tuple);
    if (!err)
        *r = after;
    return err;
}

lks_err lks_abi_read_array(lks_abi_reader *r, size_t element_words, lks_abi_reader *elements,
                           size_t *count)
{
    lks_abi_reader after = *r, inner;
    uint64_t length;
    if (!element_words)
        return lks_fail(LKS_BADARGS, "ABI: an array of nothing");
    lks_err err = follow(&after, &inner);
    if (!err)
        err = lks_abi_read_u64(&inner, &length);
    if (err)
        return err;
    size_t room = (inner.len - WORD) / WORD / element_words;
    if (length > room)
        return lks_fail(LKS_CORRUPT, "ABI: an array of %llu elements where there is room for %zu",
                        (unsigned long long)length, room);
    lks_abi_read(elements, inner.data + WORD, inner.len - WORD);
    *count = (size_t)length;
    *r = after;
    return LKS_OK;
}
