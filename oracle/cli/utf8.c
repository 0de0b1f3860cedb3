#include "oracle/cli/utf8.h"

#include <string.h>

static const char REPLACEMENT[3] = {'\xef', '\xbf', '\xbd'};

/* Bytes of a character that begins with lead; 0 when none does. */
static size_t char_length(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return 2;
    }
    if ((lead & 0xf0) == 0xe0) {
        return 3;
    }
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* Whether next may stand at place i (1 to 3) of a character that begins with lead: table 3-7 of the
 * Unicode standard. */
static bool may_follow(unsigned char lead, size_t i, unsigned char next)
{
    unsigned char low = 0x80, high = 0xbf;
    if (i == 1) {
        low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    }
    return next >= low && next <= high;
}

static size_t replace(char *out)
{
    memcpy(out, REPLACEMENT, sizeof REPLACEMENT);
    return sizeof REPLACEMENT;
}

/* Writes the whole character that is held. */
static size_t release(lks_utf8 *u, char *out)
{
    size_t len = u->held_len;
    unsigned char first = u->held[0];
    bool control = len == 1 ? (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f
                            : len == 2 && first == 0xc2 && u->held[1] < 0xa0;
    u->held_len = 0;
    if (control && u->for_terminal) {
        return replace(out);
    }
    memcpy(out, u->held, len);
    return len;
}

size_t lks_utf8_feed(lks_utf8 *u, const char *in, size_t len, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)in[i];
        if (u->held_len > 0 && !may_follow(u->held[0], u->held_len, byte)) {
            n += replace(out + n);
            u->held_len = 0;
        }
        if (u->held_len == 0 && char_length(byte) == 0) {
            n += replace(out + n);
            continue;
        }
        u->held[u->held_len++] = byte;
        if (u->held_len == char_length(u->held[0])) {
            n += release(u, out + n);
        }
    }
    return n;
}

size_t lks_utf8_end(lks_utf8 *u, char *out)
{
    size_t n = u->held_len > 0 ? replace(out) : 0;
    u->held_len = 0;
    return n;
}
