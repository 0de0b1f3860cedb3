/* Shared by the files of the JSON-RPC client:
 *   rpc_url.c      which node
 *   rpc_message.c  the text of requests and answers
 *   rpc.c          calls: taking, sending in turn, timing out, answering
 *   rpc_limit.c    nodes that ask for fewer calls
 *   rpc_lws.c      WebSocket and IPC, on libwebsockets
 *   rpc_http.c     HTTP, on libcurl
 */
#ifndef LKS_CHAIN_RPC_INTERNAL_H
#define LKS_CHAIN_RPC_INTERNAL_H

#include <libwebsockets.h>
#include <pthread.h>

#include "chain/rpc.h"

typedef enum rpc_transport {
    RPC_WS,
    RPC_HTTP,
    RPC_IPC
} rpc_transport;

typedef struct rpc_url {
    rpc_transport transport;
    bool tls;
    char *host;      /* IPC: the path of the socket */
    char *authority; /* host and port as the URL has them, for the Host header */
    int port;
    char *path;    /* with the query; may hold an access key, so it never enters a message */
    char *display; /* what messages say: without the path */
} rpc_url;

lks_err rpc_url_parse(rpc_url *out, const char *url) LKS_MUST_USE;
void rpc_url_free(rpc_url *url);

/* Appends a request. Returns: LKS_OK; LKS_BADARGS (method, params); LKS_NOMEM. */
lks_err rpc_request(lks_buf *out, uint64_t id, const char *method,
                    const char *params_json) LKS_MUST_USE;

/* A parsed answer. */
typedef struct rpc_answer {
    bool has_id; /* else it is a notification, or an error about a request that the node could not
                    read */
    uint64_t id;
    bool is_error;
    int32_t code;   /* of the error */
    lks_buf json;   /* owned: the text of "result" or "error" */
    bool is_notice; /* a notification: no answer at all */
} rpc_answer;

/* Reads an answer; free answer->json in any case. Returns: LKS_OK; LKS_CORRUPT (not
 * JSON-RPC); LKS_TOO_LARGE (JSON beyond its bounds); LKS_NOMEM. */
lks_err rpc_answer_parse(rpc_answer *answer, const char *text, size_t len) LKS_MUST_USE;

/* Finds the end of a JSON value in a stream of them, from the brackets outside strings. */
typedef struct rpc_frame {
    size_t depth;
    bool in_string, escaped;
} rpc_frame;

/* In: len bytes at data, the next of the stream. Out: *used, how many of them belong to the value
 * under way (all of them, unless it ends). Returns: 1 when the value ends there; 0 when it goes on;
 * -1 when no value can begin there. */
int rpc_frame_next(rpc_frame *frame, const char *data, size_t len, size_t *used);

/* Back-off from a node that asks for fewer calls: a pause of all calls, then one at a time, one
 * more with each answer. */
typedef struct rpc_limit {
    int64_t began_us,
        until_us;     /* of the pause, the last one or the one under way; 0: there was none */
    int64_t pause_us; /* its length, without what the node named */
    uint32_t window;  /* calls under way at once; 0: any number */
} rpc_limit;

typedef enum rpc_plea {
    RPC_NO_PLEA,
    RPC_PLEA,       /* the node asks for fewer calls */
    RPC_MAY_BE_PLEA /* or for less at once: it names neither */
} rpc_plea;

/* Whether an answer is an error that asks for fewer calls. Out: *retry_after_s, the pause that it
 * names, or 0. */
rpc_plea rpc_plea_of(const rpc_answer *answer, const char *method, uint32_t *retry_after_s);
/* The answer to a call sent at sent_us asks for fewer calls. In: retry_after_s, as it names it, or
 * 0. */
void rpc_limit_begin(rpc_limit *limit, int64_t now_us, int64_t sent_us, uint32_t retry_after_s);
/* A call was answered in some other way. */
void rpc_limit_answered(rpc_limit *limit, int64_t sent_us);
/* Whether a further call may be sent. In: under_way, the calls sent and not yet answered. */
bool rpc_limit_lets(const rpc_limit *limit, int64_t now_us, uint32_t under_way);

typedef struct rpc_waiter rpc_waiter;
typedef struct rpc_http rpc_http;

typedef struct rpc_call {
    struct rpc_call *next;
    uint64_t id;
    lks_buf body; /* LWS_PRE bytes, then the request */
    int64_t deadline_us;
    uint32_t timeout_ms;
    bool sent;
    int64_t sent_us;
    char method[64];
    lks_rpc_reply reply; /* or waiter */
    void *user;
    rpc_waiter *waiter;
    /* HTTP */
    rpc_http *http;
    void *easy;    /* libcurl's handle; NULL: none */
    bool repeated; /* after a kept connection was found to be lost */
    int status;
    uint32_t retry_after_s; /* as the answer's header has it */
    lks_buf answer;
} rpc_call;

typedef enum rpc_link {
    RPC_DOWN,
    RPC_CONNECTING,
    RPC_UP
} rpc_link;

struct lks_rpc {
    rpc_url url;
    uint32_t max_calls, timeout_ms, max_pause_ms;
    size_t max_answer;
    void (*notice)(void *user, const char *line);
    void *user;
    struct lws_context *lws; /* or */
    rpc_http *http;
    pthread_t thread;

    pthread_mutex_t lock; /* for this group only */
    rpc_call *incoming;   /* newest first */
    uint32_t under_way;   /* calls taken and not yet answered */
    uint64_t next_id;
    bool closing;

    /* The service thread's own. */
    rpc_call *calls; /* in the order in which they were taken */
    rpc_limit limit;
    lws_sorted_usec_list_t timer;
    rpc_link link; /* the one connection of WebSocket and IPC */
    struct lws *wsi;
    bool was_up, lost; /* it was up once; it is known to be lost */
    uint32_t pause_ms; /* between attempts to connect */
    int64_t next_attempt_us;
    lks_buf received, sent; /* the message under way; the last one that was sent */
    rpc_frame frame;
};

/* rpc.c, for rpc_lws.c. Service thread only. */
/* Ends a call: err and, when it is LKS_OK or LKS_REMOTE, code and json; otherwise the reason is
 * this thread's stored one. */
void rpc_finish(lks_rpc *rpc, rpc_call *call, lks_err err, int32_t code, const lks_buf *json);
/* Ends every call with the stored reason; with only_sent, those that the node may have seen. */
void rpc_finish_all(lks_rpc *rpc, lks_err err, bool only_sent);
/* The answer that came over HTTP for this call. */
void rpc_http_answer(lks_rpc *rpc, rpc_call *call);
/* A message whose beginning is text is larger than what is read; the reason is the stored one. Ends
 * the call that it answers. Returns: LKS_IO; or LKS_TOO_LARGE, when it cannot be told which call
 * that is. */
lks_err rpc_stream_too_large(lks_rpc *rpc, const char *text, size_t len);
/* Ends a call that was answered, or keeps it for after a pause when the answer asks for fewer
 * calls. err, answer: as of rpc_finish, the answer not freed. */
void rpc_take_answer(lks_rpc *rpc, rpc_call *call, lks_err err, const rpc_answer *answer);
/* Makes a call one that is to be sent, without the answer that it had. */
void rpc_send_again(rpc_call *call);
/* Whether a pause lasts longer than an unsent call can wait; then the stored reason says so. */
bool rpc_limit_outlasts(const lks_rpc *rpc, const rpc_call *call, int64_t now_us);
/* Tells the owner a line: what, the node, a detail that may be "". */
void rpc_tell(lks_rpc *rpc, const char *what, const char *detail);
/* A whole message that came over WebSocket or IPC. Returns: LKS_OK; else the connection is no good,
 * for the stored reason. */
lks_err rpc_stream_message(lks_rpc *rpc, const char *text, size_t len);
rpc_call *rpc_find(lks_rpc *rpc, uint64_t id);
/* The call to be sent next; NULL: none, or not now. rpc_sending: it is on its way. */
rpc_call *rpc_next_unsent(lks_rpc *rpc);
void rpc_sending(rpc_call *call);
/* The connection is up; could not be made; ended (the reason is the stored one). */
void rpc_link_up(lks_rpc *rpc, struct lws *wsi);
void rpc_link_failed(lks_rpc *rpc, const char *reason);
void rpc_link_lost(lks_rpc *rpc, lks_err err);

/* rpc_lws.c */
struct lws_context *rpc_lws_create(lks_rpc *rpc);
/* Starts to connect. A failure comes back as rpc_link_failed. */
void rpc_lws_connect(lks_rpc *rpc);
/* Serves the connection, for wait_us at most. Returns: less than 0 when that is not possible any
 * more. */
int rpc_lws_wait(lks_rpc *rpc, int64_t wait_us);

/* rpc_http.c */
rpc_http *rpc_http_create(lks_rpc *rpc);
void rpc_http_free(rpc_http *http);
/* Sends what is to be sent, as far as there are connections for it. */
void rpc_http_send(rpc_http *http);
/* Ends the transfer of a call; closes its connection when the answer has not come. */
void rpc_http_abandon(rpc_call *call);
int rpc_http_wait(rpc_http *http, int64_t wait_us);
/* Ends rpc_http_wait. Any thread. */
void rpc_http_wake(rpc_http *http);

#endif
