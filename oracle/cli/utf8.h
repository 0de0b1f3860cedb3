/* Bytes that arrive in pieces, as the bytes of tokens do, to valid UTF-8: an unfinished character
 * is held back until its rest comes.
 *
 * Invalid UTF-8 becomes U+FFFD, one for each maximal invalid prefix (Unicode 15, 3.9, "substitution
 * of maximal subparts").
 */
#ifndef LKS_CLI_UTF8_H
#define LKS_CLI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

typedef struct lks_utf8 {
    unsigned char held[4];
    size_t held_len;
    /* Also replaces control characters other than newline and tab: a model's or a stranger's text
     * must not steer a terminal. */
    bool for_terminal;
} lks_utf8;

/* Bytes of output that len bytes of input can make, those held included. */
#define LKS_UTF8_ROOM(len) (3 * ((len) + 4))

/* Out: out, LKS_UTF8_ROOM(len) bytes. Returns: bytes written. */
size_t lks_utf8_feed(lks_utf8 *u, const char *in, size_t len, char *out);

/* The end of the text: an unfinished character becomes U+FFFD. Out: out, LKS_UTF8_ROOM(0) bytes.
 * Returns: bytes written. */
size_t lks_utf8_end(lks_utf8 *u, char *out);

#endif
