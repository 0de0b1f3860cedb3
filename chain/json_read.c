/* Typed access to the values of a JSON document. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chain/hex.h"
#include "chain/json_internal.h"
#include "chain/utf8.h"

static const char *type_name(lks_json_type type)
{
    switch (type) {
    case LKS_JSON_MISSING: return "nothing";
    case LKS_JSON_OBJECT: return "an object";
    case LKS_JSON_ARRAY: return "an array";
    case LKS_JSON_STRING: return "a string";
    case LKS_JSON_NUMBER: return "a number";
    case LKS_JSON_TRUE: return "true";
    case LKS_JSON_FALSE: return "false";
    case LKS_JSON_NULL: return "null";
    }
    return "nothing";
}

static lks_err get(const lks_json_node **out, const lks_json *doc, int node, lks_json_type type,
                   const char *what)
{
    *out = lks_json_node_at(doc, node);
    if (*out && (*out)->type == type)
        return LKS_OK;
    return lks_fail(LKS_CORRUPT, "JSON: %s where %s is needed",
                    type_name(lks_json_typeof(doc, node)), what);
}

lks_err lks_json_raw(const lks_json *doc, int node, const char **text, size_t *len)
{
    const lks_json_node *n = lks_json_node_at(doc, node);
    if (!n)
        return lks_fail(LKS_CORRUPT, "JSON: a value is missing");
    int quote = n->type == LKS_JSON_STRING;
    *text = doc->text + n->start - quote;
    *len = (size_t)(n->end - n->start + 2 * quote);
    return LKS_OK;
}

/* The four digits of a \u escape, which are known to be there. */
static uint32_t read_unit(const char *digits)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)lks_hex_digit(digits[i]);
    return unit;
}

int lks_json_next_piece(char piece[4], const char **at, const char *end)
{
    const char *p = *at;
    if (*p != '\\') {
        size_t len = lks_utf8_length(p, (size_t)(end - p));
        memcpy(piece, p, len);
        *at = p + len;
        return (int)len;
    }
    static const char NAMES[] = "bfnrt", BYTES[] = "\b\f\n\r\t";
    if (p[1] != 'u') {
        const char *name = strchr(NAMES, p[1]);
        piece[0] = name ? BYTES[name - NAMES] : p[1];
        *at = p + 2;
        return 1;
    }
    uint32_t character = read_unit(p + 2);
    p += 6;
    if (character >= 0xd800 && character <= 0xdfff) {
        if (character > 0xdbff || end - p < 6 || p[0] != '\\' || p[1] != 'u')
            return -1;
        uint32_t low = read_unit(p + 2);
        if (low < 0xdc00 || low > 0xdfff)
            return -1;
        character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
    }
    *at = p;
    return (int)lks_utf8_put(piece, character);
}

lks_err lks_json_string(const lks_json *doc, int node, lks_buf *out)
{
    const lks_json_node *n;
    lks_err err = get(&n, doc, node, LKS_JSON_STRING, "a string");
    if (err)
        return err;
    size_t before = out->len;
    const char *at = doc->text + n->start, *end = doc->text + n->end;
    while (at < end) {
        char piece[4];
        int len = lks_json_next_piece(piece, &at, end);
        if (len < 0) {
            out->len = before;
            if (out->data)
                out->data[before] = 0;
            return lks_fail(LKS_CORRUPT, "JSON: half a surrogate pair in a string");
        }
        lks_buf_put(out, piece, (size_t)len);
    }
    lks_buf_put(out, NULL, 0); /* an empty string, too, leaves zero-terminated text */
    return lks_buf_error(out);
}

lks_err lks_json_bool(const lks_json *doc, int node, bool *out)
{
    lks_json_type type = lks_json_typeof(doc, node);
    if (type != LKS_JSON_TRUE && type != LKS_JSON_FALSE)
        return lks_fail(LKS_CORRUPT, "JSON: %s where true or false is needed", type_name(type));
    *out = type == LKS_JSON_TRUE;
    return LKS_OK;
}

static lks_err digits_to_u64(const char *text, size_t len, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9)
            return lks_fail(LKS_CORRUPT, "JSON: a whole number is needed, found %.*s",
                            (int)(len < 40 ? len : 40), text);
        if (value > (UINT64_MAX - digit) / 10)
            return lks_fail(LKS_CORRUPT, "JSON: the number %.*s is over 64 bits",
                            (int)(len < 40 ? len : 40), text);
        value = value * 10 + digit;
    }
    *out = value;
    return LKS_OK;
}

lks_err lks_json_u64(const lks_json *doc, int node, uint64_t *out)
{
    const lks_json_node *n;
    lks_err err = get(&n, doc, node, LKS_JSON_NUMBER, "a whole number");
    return err ? err : digits_to_u64(doc->text + n->start, (size_t)(n->end - n->start), out);
}

lks_err lks_json_i64(const lks_json *doc, int node, int64_t *out)
{
    const lks_json_node *n;
    uint64_t value;
    lks_err err = get(&n, doc, node, LKS_JSON_NUMBER, "a whole number");
    if (err)
        return err;
    int minus = doc->text[n->start] == '-';
    err = digits_to_u64(doc->text + n->start + minus, (size_t)(n->end - n->start - minus), &value);
    if (err)
        return err;
    if (value > (uint64_t)INT64_MAX + (uint64_t)minus)
        return lks_fail(LKS_CORRUPT, "JSON: a number over 63 bits");
    *out = minus ? -(int64_t)(value - (value != 0)) - (value != 0) : (int64_t)value;
    return LKS_OK;
}

lks_err lks_json_f64(const lks_json *doc, int node, double *out)
{
    const lks_json_node *n;
    char text[512];
    lks_err err = get(&n, doc, node, LKS_JSON_NUMBER, "a number");
    if (err)
        return err;
    size_t len = (size_t)(n->end - n->start);
    if (len >= sizeof text)
        return lks_fail(LKS_CORRUPT, "JSON: a number of %zu characters is too long", len);
    memcpy(text, doc->text + n->start, len);
    text[len] = 0;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return lks_fail(LKS_NOMEM, "out of memory for a number");
    double value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (!isfinite(value))
        return lks_fail(LKS_CORRUPT, "JSON: the number %.40s is too large", text);
    *out = value;
    return LKS_OK;
}

static lks_err get_hex(const lks_json *doc, int node, const char *what, const char **text,
                       size_t *len)
{
    const lks_json_node *n;
    lks_err err = get(&n, doc, node, LKS_JSON_STRING, what);
    if (err)
        return err;
    *text = doc->text + n->start;
    *len = (size_t)(n->end - n->start);
    return LKS_OK;
}

lks_err lks_json_quantity(const lks_json *doc, int node, uint64_t *out)
{
    const char *text;
    size_t len;
    lks_err err = get_hex(doc, node, "a quantity", &text, &len);
    return err ? err : lks_hex_to_u64(out, text, len);
}

lks_err lks_json_quantity_u256(const lks_json *doc, int node, lks_u256 *out)
{
    const char *text;
    size_t len;
    lks_err err = get_hex(doc, node, "a quantity", &text, &len);
    return err ? err : lks_u256_from_hex(out, text, len);
}

lks_err lks_json_data(const lks_json *doc, int node, lks_buf *out)
{
    const char *text;
    size_t len;
    lks_err err = get_hex(doc, node, "hexadecimal data", &text, &len);
    return err ? err : lks_hex_decode_buf(out, text, len);
}

lks_err lks_json_data_fixed(const lks_json *doc, int node, uint8_t *out, size_t len)
{
    const char *text;
    size_t text_len;
    lks_err err = get_hex(doc, node, "hexadecimal data", &text, &text_len);
    return err ? err : lks_hex_decode(out, len, text, text_len);
}
