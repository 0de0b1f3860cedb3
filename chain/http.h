/* Reads answers of HTTP/1.1 from a stream, in pieces as they come. Source: RFC 9112.
 * A reader holds no memory of its own; one that is all zero begins an answer. Thread rule: no
 * shared state.
 */
#ifndef LKS_CHAIN_HTTP_H
#define LKS_CHAIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lks_http_phase {
    LKS_HTTP_STATUS,
    LKS_HTTP_HEADERS,
    LKS_HTTP_BODY,  /* left bytes of it */
    LKS_HTTP_REST,  /* the body ends with the connection */
    LKS_HTTP_CHUNK, /* the line with a chunk's size */
    LKS_HTTP_CHUNK_BODY,
    LKS_HTTP_CHUNK_END,
    LKS_HTTP_TRAILER,
    LKS_HTTP_DONE
} lks_http_phase;

typedef struct lks_http_reader {
    lks_http_phase phase;
    int status;             /* such as 200; from LKS_HTTP_HEADERS on */
    bool closes;            /* the connection is not for further requests */
    uint32_t retry_after_s; /* the header Retry-After; 0: there is none, or it says 0 */
    bool chunked, has_length;
    uint64_t left;    /* bytes of the body or chunk */
    char line[512];   /* the beginning of the line under way */
    size_t line_len;  /* of what is kept of it */
    size_t head_size; /* bytes of lines so far, in all */
} lks_http_reader;

/* Takes the next piece of the stream, len bytes, more than 0, at data, until LKS_HTTP_DONE.
 * Out: *used, 1 to len, how many it took; *body, *body_len, which of them belong to the body.
 * Returns: LKS_OK; LKS_CORRUPT (not HTTP/1.x, or over 64 KiB of headers). */
lks_err lks_http_read(lks_http_reader *reader, const char *data, size_t len, size_t *used,
                      const char **body, size_t *body_len) LKS_MUST_USE;

/* The connection ended. Returns: whether the answer is whole. */
bool lks_http_end(lks_http_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
