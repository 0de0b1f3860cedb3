/* A byte buffer that grows: what the RLP, ABI and JSON writers append to.
 *
 * Errors are sticky: an append that finds no memory marks the buffer, every later append does
 * nothing, and one check of lks_buf_error() at the end covers them all. `lks_buf b = {0};` is an
 * empty buffer. Thread rule: a buffer belongs to one thread at a time.
 */
#ifndef LKS_CHAIN_BUF_H
#define LKS_CHAIN_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_buf {
    uint8_t *data; /* owned; followed by a zero byte that len does not count; NULL until the first
                      append */
    size_t len;
    size_t cap;
    bool failed; /* an append failed: the contents are not to be used */
} lks_buf;

/* Appends len bytes at data (may be NULL when len is 0; must not point into the buffer itself). */
void lks_buf_put(lks_buf *buf, const void *data, size_t len);
void lks_buf_put_byte(lks_buf *buf, uint8_t byte);
/* Appends the characters of a zero-terminated text, without its zero. */
void lks_buf_put_text(lks_buf *buf, const char *text);
void lks_buf_printf(lks_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends len zero bytes. Returns: the first of them, valid until the next append; NULL on failure.
 */
uint8_t *lks_buf_extend(lks_buf *buf, size_t len);

/* Returns: the contents as zero-terminated text, "" when empty. Valid until the next append. */
const char *lks_buf_text(const lks_buf *buf);

/* Returns: LKS_OK, or LKS_NOMEM when any append failed. */
lks_err lks_buf_error(const lks_buf *buf) LKS_MUST_USE;

/* Empties the buffer and clears its failure; keeps its memory. */
void lks_buf_clear(lks_buf *buf);
/* Frees the memory and leaves an empty buffer. Harmless on an empty one. */
void lks_buf_free(lks_buf *buf);
/* As lks_buf_free, after overwriting the bytes: for secrets. A buffer that held a secret must have
 * been extended once to its final size before, since growing may leave copies behind. */
void lks_buf_wipe(lks_buf *buf);

#ifdef __cplusplus
}
#endif
#endif
