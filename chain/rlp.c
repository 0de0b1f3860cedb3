#include "chain/rlp.h"

#include <string.h>

/* The prefix of a payload: offset 0x80 for byte strings, 0xc0 for lists. Returns: its length, 1
 * to 9. */
static size_t make_prefix(uint8_t prefix[9], size_t len, uint8_t offset)
{
    if (len < 56) {
        prefix[0] = (uint8_t)(offset + len);
        return 1;
    }
    uint8_t bytes[8];
    size_t zeros = 0;
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)len >> (8 * (7 - i)));
    while (zeros < 7 && !bytes[zeros])
        zeros++;
    size_t count = 8 - zeros;
    prefix[0] = (uint8_t)(offset + 55 + count);
    memcpy(prefix + 1, bytes + zeros, count);
    return 1 + count;
}

void lks_rlp_put_bytes(lks_buf *out, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    if (len != 1 || bytes[0] >= 0x80) {
        uint8_t prefix[9];
        lks_buf_put(out, prefix, make_prefix(prefix, len, 0x80));
    }
    lks_buf_put(out, data, len);
}

static void put_integer(lks_buf *out, const uint8_t *big_endian, size_t len)
{
    while (len && !*big_endian)
        big_endian++, len--;
    lks_rlp_put_bytes(out, big_endian, len);
}

void lks_rlp_put_u64(lks_buf *out, uint64_t value)
{
    lks_u256 wide = lks_u256_from_u64(value);
    lks_rlp_put_u256(out, &wide);
}

void lks_rlp_put_u256(lks_buf *out, const lks_u256 *value)
{
    uint8_t bytes[32];
    lks_u256_to_be(bytes, value);
    put_integer(out, bytes, 32);
}

size_t lks_rlp_list_begin(lks_buf *out)
{
    return out->len;
}

void lks_rlp_list_end(lks_buf *out, size_t mark)
{
    if (out->failed)
        return;
    uint8_t prefix[9];
    size_t len = out->len - mark, prefix_len = make_prefix(prefix, len, 0xc0);
    if (!lks_buf_extend(out, prefix_len))
        return;
    memmove(out->data + mark + prefix_len, out->data + mark, len);
    memcpy(out->data + mark, prefix, prefix_len);
}

/* Reads the long form's length: count bytes, without leading zeros, above 55 (else the short form
 * was due). */
static lks_err read_long_length(const lks_rlp_reader *in, size_t count, size_t *len)
{
    if (in->len < 1 + count)
        return lks_fail(LKS_CORRUPT, "RLP: the length is cut short");
    if (in->data[1] == 0)
        return lks_fail(LKS_CORRUPT, "RLP: the length has a leading zero");
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | in->data[1 + i];
    if (value < 56)
        return lks_fail(LKS_CORRUPT, "RLP: a long form for %u bytes", (unsigned)value);
    if (value > in->len)
        return lks_fail(LKS_CORRUPT, "RLP: an item of %llu bytes where %zu are left",
                        (unsigned long long)value, in->len);
    *len = (size_t)value;
    return LKS_OK;
}

lks_err lks_rlp_next(lks_rlp_reader *in, lks_rlp_item *item)
{
    if (!in->len)
        return lks_fail(LKS_CORRUPT, "RLP: an item is missing");
    uint8_t first = in->data[0];
    if (first < 0x80) {
        *item = (lks_rlp_item){.is_list = false, .data = in->data, .len = 1};
        in->data++, in->len--;
        return LKS_OK;
    }
    bool is_list = first >= 0xc0;
    size_t kind = first - (is_list ? 0xc0u : 0x80u), prefix = 1, len = kind;
    if (kind > 55) {
        lks_err err = read_long_length(in, kind - 55, &len);
        if (err)
            return err;
        prefix += kind - 55;
    }
    if (len > in->len - prefix)
        return lks_fail(LKS_CORRUPT, "RLP: an item of %zu bytes where %zu are left", len,
                        in->len - prefix);
    const uint8_t *payload = in->data + prefix;
    if (!is_list && len == 1 && payload[0] < 0x80)
        return lks_fail(LKS_CORRUPT, "RLP: a prefix before the single byte 0x%02x", payload[0]);
    *item = (lks_rlp_item){.is_list = is_list, .data = payload, .len = len};
    in->data = payload + len;
    in->len -= prefix + len;
    return LKS_OK;
}

/* Takes the next item when it is of the wanted kind. */
static lks_err next_of_kind(lks_rlp_reader *in, bool want_list, lks_rlp_item *item)
{
    lks_rlp_reader after = *in;
    lks_err err = lks_rlp_next(&after, item);
    if (err)
        return err;
    if (item->is_list != want_list)
        return lks_fail(LKS_CORRUPT, want_list ? "RLP: bytes where a list is needed"
                                               : "RLP: a list where bytes are needed");
    *in = after;
    return LKS_OK;
}

lks_err lks_rlp_read_bytes(lks_rlp_reader *in, const uint8_t **data, size_t *len)
{
    lks_rlp_item item;
    lks_err err = next_of_kind(in, false, &item);
    if (err)
        return err;
    *data = item.data;
    *len = item.len;
    return LKS_OK;
}

lks_err lks_rlp_read_fixed(lks_rlp_reader *in, uint8_t *out, size_t len)
{
    lks_rlp_reader after = *in;
    lks_rlp_item item;
    lks_err err = next_of_kind(&after, false, &item);
    if (err)
        return err;
    if (item.len != len)
        return lks_fail(LKS_CORRUPT, "RLP: %zu bytes where %zu are needed", item.len, len);
    memcpy(out, item.data, len);
    *in = after;
    return LKS_OK;
}

lks_err lks_rlp_read_u256(lks_rlp_reader *in, lks_u256 *out)
{
    lks_rlp_reader after = *in;
    lks_rlp_item item;
    uint8_t bytes[32] = {0};
    lks_err err = next_of_kind(&after, false, &item);
    if (err)
        return err;
    if (item.len > 32)
        return lks_fail(LKS_CORRUPT, "RLP: an integer over 256 bits (%zu bytes)", item.len);
    if (item.len && item.data[0] == 0)
        return lks_fail(LKS_CORRUPT, "RLP: an integer with a leading zero");
    memcpy(bytes + 32 - item.len, item.data, item.len);
    *out = lks_u256_from_be(bytes);
    *in = after;
    return LKS_OK;
}

lks_err lks_rlp_read_u64(lks_rlp_reader *in, uint64_t *out)
{
    lks_rlp_reader after = *in;
    lks_u256 wide;
    uint64_t value;
    lks_err err = lks_rlp_read_u256(&after, &wide);
    if (err)
        return err;
    if (!lks_u256_to_u64(&value, &wide))
        return lks_fail(LKS_CORRUPT, "RLP: an integer over 64 bits");
    *out = value;
    *in = after;
    return LKS_OK;
}

lks_err lks_rlp_read_list(lks_rlp_reader *in, lks_rlp_reader *items)
{
    lks_rlp_item item;
    lks_err err = next_of_kind(in, true, &item);
    if (err)
        return err;
    *items = (lks_rlp_reader){item.data, item.len};
    return LKS_OK;
}

lks_err lks_rlp_read_end(const lks_rlp_reader *in)
{
    return in->len ? lks_fail(LKS_CORRUPT, "RLP: %zu bytes too many", in->len) : LKS_OK;
}
