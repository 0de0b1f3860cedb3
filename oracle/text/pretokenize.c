#include "oracle/text/pretokenize.h"

#include <string.h>

enum {
    OTHER,
    LETTER,
    NUMBER,
    SPACE,
    END
}; /* the first four as in unicode_classes.py */

static const uint32_t runs[] = {
#include "oracle/text/unicode_classes.inc"
};

static const lks_pretokenizer known[] = {
    {.name = "gpt-2"},
    {.name = "mpt"},
    {.name = "smollm", .lone_digits = true},
    {.name = "starcoder", .lone_digits = true},
    {.name = "refact", .lone_digits = true},
    {.name = "command-r", .lone_digits = true},
    {.name = "llama-bpe", .llama3 = true, .digits = 3, .whole_words = true, .adds_bos = true},
    {.name = "llama3", .llama3 = true, .digits = 3, .whole_words = true, .adds_bos = true},
    {.name = "llama-v3", .llama3 = true, .digits = 3, .whole_words = true, .adds_bos = true},
    {.name = "qwen2", .llama3 = true, .digits = 1},
};

const lks_pretokenizer *lks_pretokenizer_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
            return &known[i];
    return NULL;
}

static int class_of(uint32_t cp)
{
    if (cp < 0x80) { /* most text */
        if ((cp | 0x20) - 'a' < 26)
            return LETTER;
        if (cp - '0' < 10)
            return NUMBER;
        return cp == ' ' || cp - '\t' < 5 ? SPACE : OTHER;
    }
    size_t low = 0, high = sizeof runs /
                           sizeof *runs; /* runs[low] begins at or before cp, runs[high] after it */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle] >> 2 <= cp)
            low = middle;
        else
            high = middle;
    }
    return (int)(runs[low] & 3);
}

/* One character of the text, or its end. */
typedef struct character {
    uint32_t cp;
    int cls;
    size_t pos, next; /* where it and the following one begin */
} character;

typedef struct source {
    const uint8_t *text;
    size_t len;
    bool ends_at_numbers;
} source;

size_t lks_utf8_decode(const uint8_t *p, size_t left, uint32_t *cp)
{
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;
    if (n == 0 || n > left)
        return 0;
    uint32_t value = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    bool overlong = (n == 3 && value < 0x800) || (n == 4 && value < 0x10000);
    if (overlong || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *cp = value;
    return n;
}

static character at(const source *s, size_t pos)
{
    const character end = {.cp = UINT32_MAX, .cls = END, .pos = pos, .next = pos};
    if (pos >= s->len)
        return end;
    uint32_t cp = 0xfffd;
    size_t n = lks_utf8_decode(s->text + pos, s->len - pos, &cp);
    int cls = class_of(cp);
    if (cls == NUMBER && s->ends_at_numbers)
        return end;
    return (character){.cp = cp, .cls = cls, .pos = pos, .next = pos + (n ? n : 1)};
}

static character following(const source *s, character c)
{
    return at(s, c.next);
}

/* Returns: the character behind the run of c's class that begins with c. */
static character run_end(const source *s, character c)
{
    int cls = c.cls;
    while (c.cls == cls && cls != END)
        c = following(s, c);
    return c;
}

static bool is_newline(character c)
{
    return c.cp == '\r' || c.cp == '\n';
}

static uint32_t lower(uint32_t cp)
{
    return cp - 'A' < 26 ? cp | 0x20 : cp;
}

/* 's 't 'm 'd 're 've 'll. Returns: the end of the one that begins with c; 0 when there is none. */
static size_t contraction_end(const source *s, character c, bool any_case)
{
    if (c.cp != '\'')
        return 0;
    character a = following(s, c), b = following(s, a);
    uint32_t x = any_case ? lower(a.cp) : a.cp, y = any_case ? lower(b.cp) : b.cp;
    if (x == 's' || x == 't' || x == 'm' || x == 'd')
        return a.next;
    if (((x == 'r' || x == 'v') && y == 'e') || (x == 'l' && y == 'l'))
        return b.next;
    return 0;
}

/* \s+(?!\S)|\s+ : the last white space before a word is left to that word. */
static size_t spaces_end(const source *s, character c)
{
    character first = c, last = c;
    while (c.cls == SPACE) {
        last = c;
        c = following(s, c);
    }
    return c.cls == END || last.pos == first.pos ? c.pos : last.pos;
}

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t gpt2_end(const source *s, character c)
{
    size_t contraction = contraction_end(s, c, false);
    if (contraction)
        return contraction;
    character first = c.cp == ' ' ? following(s, c) : c;
    if (first.cls != SPACE && first.cls != END)
        return run_end(s, first).pos;
    return spaces_end(s, c);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t llama3_end(const source *s, character c, unsigned digits)
{
    size_t contraction = contraction_end(s, c, true);
    if (contraction)
        return contraction;
    if (c.cls == LETTER)
        return run_end(s, c).pos;
    character next = following(s, c);
    if (!is_newline(c) && c.cls != NUMBER && next.cls == LETTER)
        return run_end(s, next).pos;
    if (c.cls == NUMBER) {
        for (unsigned i = 0; i < digits && c.cls == NUMBER; i++)
            c = following(s, c);
        return c.pos;
    }
    character first = c.cp == ' ' ? next : c;
    if (first.cls == OTHER) {
        c = run_end(s, first);
        while (is_newline(c))
            c = following(s, c);
        return c.pos;
    }
    size_t behind_newlines = 0;
    for (character w = c; w.cls == SPACE; w = following(s, w))
        if (is_newline(w))
            behind_newlines = w.next;
    return behind_newlines ? behind_newlines : spaces_end(s, c);
}

size_t lks_pretokenize(const lks_pretokenizer *p, const char *text, size_t len, size_t pos)
{
    source s = {.text = (const uint8_t *)text, .len = len};
    character c = at(&s, pos);
    if (c.cls == NUMBER && p->lone_digits)
        return c.next;
    s.ends_at_numbers = p->lone_digits;
    return p->llama3 ? llama3_end(&s, c, p->digits) : gpt2_end(&s, c);
}
