/* A small node for the tests of the JSON-RPC client: HTTP, WebSocket or a Unix socket on this
 * machine, on plain sockets, which misbehaves as it is told. */
#ifndef LKS_TESTS_NODE_SERVER_H
#define LKS_TESTS_NODE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum node_kind {
    NODE_HTTP,
    NODE_WS,
    NODE_IPC
} node_kind;

/* What it does with each request. */
typedef enum node_mode {
    NODE_ECHO,      /* "result" is the request's params */
    NODE_SPLIT,     /* the same, in pieces of a few bytes; over WebSocket in several frames */
    NODE_NOTICE,    /* the same, after a subscription's notification (not over HTTP) */
    NODE_NO_LENGTH, /* the same, over HTTP without Content-Length */
    NODE_ERROR,     /* "error": code 3, message, data */
    NODE_ODD_ERROR, /* "error": code -2 */
    NODE_MALFORMED, /* an answer whose JSON is cut short by one quote */
    NODE_NOT_RPC,   /* JSON, but not JSON-RPC */
    NODE_BOTH,      /* result and error */
    NODE_NULL_ID,   /* an error with "id": null */
    NODE_WRONG_ID,  /* an answer to no call of ours */
    NODE_CHUNKED,   /* the same, over HTTP in chunks */
    NODE_GOODBYE,   /* the same, over HTTP with Connection: close */
    NODE_LEAVE,     /* the same, over HTTP the connection ends a moment later without a word */
    NODE_LARGE,     /* a result of 2 MiB */
    NODE_DEEP,      /* a result of 100 arrays in each other */
    NODE_CLOSE,     /* closes the connection */
    NODE_HALF,      /* half an answer, then closes the connection */
    NODE_SILENT,    /* never answers */
    NODE_STATUS,    /* over HTTP: status 503 and a page of text */
    NODE_429,       /* over HTTP: status 429 and a page of text; else an error with code 429 */
    NODE_RETRY,  /* the same with the header Retry-After: 2, and as status 503; else an error whose
                    data names 2 seconds */
    NODE_UNSURE, /* "error": code -32005, "limit exceeded" */
    NODE_TEXT,   /* the text of node_set_text, then closes the connection */
    NODE_APART,  /* NODE_ECHO, over HTTP with head and body sent apart, the body only when the head
                    is acknowledged */
    NODE_SHUT, /* over HTTP: closes a connection on which it answered once in the middle of the next
                  request; else "result": [] */
    NODE_408 /* NODE_ECHO, over HTTP with status 408 and the end of the connection a moment later */
} node_mode;

typedef struct node_server node_server;

/* Starts; for NODE_IPC at path, which it makes; otherwise at port of 127.0.0.1 (0: any free one).
 * NULL on failure. */
node_server *node_start(node_kind kind, int port, const char *path);
void node_stop(node_server *server);
void node_set(node_server *server, node_mode mode);
/* The same for so many requests, then NODE_ECHO. */
void node_set_for(node_server *server, node_mode mode, int requests);
/* NODE_TEXT with text, which is copied. */
void node_set_text(node_server *server, const char *text);
int node_port(const node_server *server);
/* Over HTTP: the head of the newest request that it has read, cut where size ends. */
void node_head(node_server *server, char *head, size_t size);
/* Connections that it has closed. */
unsigned node_closed(const node_server *server);
/* Requests it has read, and connections it has taken. */
unsigned node_requests(const node_server *server);
unsigned node_connections(const node_server *server);

#endif
