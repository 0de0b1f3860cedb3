#include "chain/hex.h"

#include <string.h>

static const char DIGITS[] = "0123456789abcdef";

/* One more than the value of each digit; 0: it is none. */
static const uint8_t values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int lks_hex_digit(char c)
{
    return values[(unsigned char)c] - 1;
}

static void encode_digits(char *text, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = DIGITS[data[i] >> 4];
        text[2 * i + 1] = DIGITS[data[i] & 15];
    }
}

void lks_hex_encode(char *text, const void *data, size_t len)
{
    memcpy(text, "0x", 2);
    encode_digits(text + 2, data, len);
    text[2 + 2 * len] = 0;
}

void lks_hex_append(lks_buf *out, const void *data, size_t len)
{
    if (len > SIZE_MAX / 4) {
        out->failed = true;
        return;
    }
    char *text = (char *)lks_buf_extend(out, 2 + 2 * len);
    if (!text)
        return;
    memcpy(text, "0x", 2);
    encode_digits(text + 2, data, len);
}

static lks_err check_prefix(const char *text, size_t text_len)
{
    if (text_len < 2 || text[0] != '0' || text[1] != 'x')
        return lks_fail(LKS_CORRUPT, "a hexadecimal value must begin with 0x");
    return LKS_OK;
}

/* Decodes 2 * len digits. */
static lks_err decode_digits(uint8_t *out, size_t len, const char *digits)
{
    for (size_t i = 0; i < len; i++) {
        int high = lks_hex_digit(digits[2 * i]), low = lks_hex_digit(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return lks_fail(LKS_CORRUPT, "not a hexadecimal digit at character %zu",
                            2 + 2 * i + (high >= 0));
        out[i] = (uint8_t)(high << 4 | low);
    }
    return LKS_OK;
}

lks_err lks_hex_decode(uint8_t *out, size_t len, const char *text, size_t text_len)
{
    lks_err err = check_prefix(text, text_len);
    if (err)
        return err;
    if (text_len - 2 != 2 * len)
        return lks_fail(LKS_CORRUPT, "%zu hexadecimal digits where %zu are needed", text_len - 2,
                        2 * len);
    return decode_digits(out, len, text + 2);
}

lks_err lks_hex_decode_buf(lks_buf *out, const char *text, size_t text_len)
{
    lks_err err = check_prefix(text, text_len);
    if (err)
        return err;
    if (text_len % 2)
        return lks_fail(LKS_CORRUPT, "an odd number of hexadecimal digits (%zu)", text_len - 2);
    size_t before = out->len, len = (text_len - 2) / 2;
    uint8_t *at = lks_buf_extend(out, len);
    if (!at)
        return lks_buf_error(out);
    err = decode_digits(at, len, text + 2);
    if (err) {
        out->len = before;
        out->data[before] = 0;
    }
    return err;
}

void lks_hex_from_u64(char text[LKS_HEX_U64_SIZE], uint64_t value)
{
    int digits = 1;
    while (digits < 16 && value >> (4 * digits))
        digits++;
    memcpy(text, "0x", 2);
    for (int i = 0; i < digits; i++)
        text[2 + i] = DIGITS[value >> (4 * (digits - 1 - i)) & 15];
    text[2 + digits] = 0;
}

lks_err lks_hex_to_u64(uint64_t *out, const char *text, size_t text_len)
{
    lks_err err = check_prefix(text, text_len);
    if (err)
        return err;
    if (text_len == 2)
        return lks_fail(LKS_CORRUPT, "a quantity without digits");
    if (text_len > 3 && text[2] == '0')
        return lks_fail(LKS_CORRUPT, "a quantity with a leading zero");
    if (text_len > 18)
        return lks_fail(LKS_CORRUPT, "a quantity over 64 bits (%zu digits)", text_len - 2);
    uint64_t value = 0;
    for (size_t i = 2; i < text_len; i++) {
        int digit = lks_hex_digit(text[i]);
        if (digit < 0)
            return lks_fail(LKS_CORRUPT, "not a hexadecimal digit at character %zu", i);
        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return LKS_OK;
}
