/* The grammar of RFC 8259, in one pass without recursion. */
#include <string.h>

#include "chain/hex.h"
#include "chain/json_internal.h"
#include "chain/utf8.h"

typedef struct scan {
    const char *text;
    size_t len, at;
    size_t values, max_values;
    size_t depth;
    char open[LKS_JSON_MAX_DEPTH]; /* '{' or '[' */
} scan;

/* Returns: the byte at the place, or -1 at the end. */
static int peek(const scan *s)
{
    return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static void skip_space(scan *s)
{
    while (s->at < s->len && (s->text[s->at] == ' ' || s->text[s->at] == '\t' ||
                              s->text[s->at] == '\n' || s->text[s->at] == '\r'))
        s->at++;
}

static lks_err wanted(const scan *s, const char *what)
{
    if (s->at >= s->len)
        return lks_fail(LKS_CORRUPT, "not JSON: the text ends at byte %zu where %s is needed",
                        s->at, what);
    return lks_fail(LKS_CORRUPT, "not JSON: %s is needed at byte %zu", what, s->at);
}

static lks_err count_value(scan *s)
{
    if (s->values == s->max_values)
        return lks_fail(LKS_REFUSED, "the JSON text has over %zu values", s->max_values);
    s->values++;
    return LKS_OK;
}

static lks_err check_escape(scan *s)
{
    int c = peek(s);
    if (c == 'u') {
        for (int i = 0; i < 4; i++) {
            s->at++;
            c = peek(s);
            if (c < 0 || lks_hex_digit((char)c) < 0)
                return wanted(s, "a hexadecimal digit");
        }
    } else if (c <= 0 || !strchr("\"\\/bfnrt", c))
        return wanted(s, "an escape character");
    s->at++;
    return LKS_OK;
}

/* Characters of a string that stand for themselves, one byte each. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* From after the opening quote to after the closing one. */
static lks_err check_string(scan *s)
{
    for (;;) {
        while (s->at < s->len && is_plain((unsigned char)s->text[s->at]))
            s->at++;
        int c = peek(s);
        if (c < 0x20)
            return wanted(s, "the end of the string");
        if (c == '"') {
            s->at++;
            return LKS_OK;
        }
        if (c == '\\') {
            s->at++;
            lks_err err = check_escape(s);
            if (err)
                return err;
            continue;
        }
        size_t len = lks_utf8_length(s->text + s->at, s->len - s->at);
        if (!len)
            return wanted(s, "UTF-8");
        s->at += len;
    }
}

/* Takes digits. Returns: how many. */
static size_t skip_digits(scan *s)
{
    size_t before = s->at;
    while (s->at < s->len && s->text[s->at] >= '0' && s->text[s->at] <= '9')
        s->at++;
    return s->at - before;
}

static lks_err check_number(scan *s)
{
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (!skip_digits(s))
        return wanted(s, "a digit");
    if (peek(s) == '.') {
        s->at++;
        if (!skip_digits(s))
            return wanted(s, "a digit");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (!skip_digits(s))
            return wanted(s, "a digit");
    }
    return LKS_OK;
}

static lks_err check_word(scan *s, const char *word)
{
    size_t len = strlen(word);
    if (s->len - s->at < len || memcmp(s->text + s->at, word, len))
        return wanted(s, "a value");
    s->at += len;
    return LKS_OK;
}

/* A value that is no container. */
static lks_err check_scalar(scan *s)
{
    int c = peek(s);
    switch (c) {
    case '"': s->at++; return check_string(s);
    case 't': return check_word(s, "true");
    case 'f': return check_word(s, "false");
    case 'n': return check_word(s, "null");
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return check_number(s);
    return wanted(s, "a value");
}

/* A member's name and its colon. */
static lks_err check_name(scan *s)
{
    skip_space(s);
    if (peek(s) != '"')
        return wanted(s, "a member's name");
    s->at++;
    lks_err err = check_string(s);
    if (!err)
        err = count_value(s);
    if (err)
        return err;
    skip_space(s);
    if (peek(s) != ':')
        return wanted(s, "a colon");
    s->at++;
    return LKS_OK;
}

/* Opens a container. Out: *empty: it was closed at once. */
static lks_err check_open(scan *s, bool *empty)
{
    if (s->depth == LKS_JSON_MAX_DEPTH)
        return lks_fail(LKS_REFUSED, "the JSON text is nested over %d deep", LKS_JSON_MAX_DEPTH);
    char open = s->text[s->at++];
    s->open[s->depth++] = open;
    skip_space(s);
    *empty = peek(s) == (open == '{' ? '}' : ']');
    if (*empty) {
        s->at++;
        s->depth--;
        return LKS_OK;
    }
    return open == '{' ? check_name(s) : LKS_OK;
}

/* Checks the text after a value: closed containers, then a comma (and a name), or the end. Out:
 * *more: another value follows. */
static lks_err check_after(scan *s, bool *more)
{
    *more = false;
    for (;;) {
        skip_space(s);
        if (!s->depth)
            return s->at == s->len ? LKS_OK : wanted(s, "the end");
        bool object = s->open[s->depth - 1] == '{';
        int c = peek(s);
        if (c == ',') {
            s->at++;
            *more = true;
            return object ? check_name(s) : LKS_OK;
        }
        if (c != (object ? '}' : ']'))
            return wanted(s, object ? "a comma or }" : "a comma or ]");
        s->at++;
        s->depth--;
    }
}

lks_err lks_json_check(size_t *values, const char *text, size_t len, size_t max_values)
{
    scan s = {.text = text, .len = len, .max_values = max_values};
    bool more = true;
    while (more) {
        lks_err err;
        bool opened = false;
        skip_space(&s);
        if ((err = count_value(&s)))
            return err;
        if (peek(&s) == '{' || peek(&s) == '[') {
            bool empty;
            err = check_open(&s, &empty);
            opened = !empty;
        } else
            err = check_scalar(&s);
        if (!err && !opened)
            err = check_after(&s, &more);
        if (err)
            return err;
    }
    *values = s.values;
    return LKS_OK;
}
