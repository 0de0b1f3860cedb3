/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Thread rule: no shared state.
 */
#ifndef LKS_CHAIN_UTF8_H
#define LKS_CHAIN_UTF8_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns: the length, 1 to 4, of the character at text, of which len bytes are there; 0 when they
 * begin no valid one. */
static inline size_t lks_utf8_length(const char *text, size_t len)
{
    const uint8_t *b = (const uint8_t *)text;
    if (!len)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (b[0] >= 0xc2 && b[0] <= 0xdf)
        return len >= 2 && (b[1] & 0xc0) == 0x80 ? 2 : 0;
    if (len < 3 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80)
        return 0;
    if (b[0] >= 0xe0 && b[0] <= 0xef)
        return (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ? 0 : 3;
    if (b[0] < 0xf0 || b[0] > 0xf4 || len < 4 || (b[3] & 0xc0) != 0x80)
        return 0;
    return (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f) ? 0 : 4;
}

/* Writes a character of 0 to 0x10ffff. Out: text, not zero-terminated. Returns: its length, 1 to 4.
 */
static inline size_t lks_utf8_put(char text[4], uint32_t character)
{
    if (character < 0x80) {
        text[0] = (char)character;
        return 1;
    }
    size_t len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i; i--, character >>= 6)
        text[i] = (char)(0x80 | (character & 0x3f));
    text[0] = (char)((0xf0u << (4 - len) & 0xff) | character);
    return len;
}

#ifdef __cplusplus
}
#endif
#endif
