/* A small HTTP/1.1 server on 127.0.0.1 that can also fail to answer. One thread per connection. */
#ifndef LKS_TESTS_HTTP_SERVER_H
#define LKS_TESTS_HTTP_SERVER_H

#include "chain/buf.h"

typedef enum http_fate {
    HTTP_ANSWERED,
    HTTP_SILENT, /* the connection stays, and nothing comes */
    HTTP_CUT,    /* the connection ends before the answer */
    HTTP_HALF    /* it ends in the middle of the answer */
} http_fate;

typedef struct http_answer {
    http_fate fate;
    int status;           /* such as 200 */
    unsigned retry_after; /* seconds of the header Retry-After; 0: there is none */
    lks_buf body;         /* freed by the server */
} http_answer;

/* Answers the body of a POST, zero-terminated. Called on the connection's thread. */
typedef void (*http_handler)(void *user, const char *body, size_t len, http_answer *answer);

/* Listens on a port of 127.0.0.1; 0: any free one. Returns: the socket, or -1. Out: *port. */
int http_listen(int *port);
/* Takes connections of that socket until it fails. */
void http_serve(int socket, http_handler handler, void *user);

#endif
