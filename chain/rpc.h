/* A JSON-RPC 2.0 client for an Ethereum node: over WebSocket, HTTP, either with TLS, or a Unix
 * socket.
 *
 * One lks_rpc has one service thread of its own; calls are taken from any thread and answered on
 * the service thread. Over WebSocket and a Unix socket there is one connection, made when a call
 * needs it. When it is lost, the calls that were sent fail at once (the node may or may not have
 * acted on them); later calls make it again, after pauses that grow from 0.25 s to 8 s as attempts
 * fail, and a failed attempt fails the calls that waited for it. Over HTTP every call is one POST,
 * on up to 16 connections, which are kept for further calls; one that the node has ended meanwhile
 * costs no call. A node that asks for fewer calls, by HTTP status 429, by 503 with Retry-After, or
 * by a JSON-RPC error, gets a pause: as long as it names, else 1 s and twice as long each time, up
 * to 60 s. Calls wait for its end and are sent again; those that cannot wait that long fail with
 * LKS_BUSY. After it, calls are sent two at a time, one more with each answer. Calls under way, the
 * size of an answer and the time of each call are bounded. There are no subscriptions: whoever
 * follows the chain polls eth_blockNumber, which works over every transport.
 */
#ifndef LKS_CHAIN_RPC_H
#define LKS_CHAIN_RPC_H

#include "chain/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_rpc lks_rpc;

typedef struct lks_rpc_options {
    uint32_t max_calls;    /* under way at once; 0 means 64 */
    size_t max_answer;     /* bytes of one answer; 0 means 64 MiB */
    uint32_t timeout_ms;   /* of a call; 0 means 30,000 */
    uint32_t max_pause_ms; /* for which a call waits when the node asks for fewer; 0: as long as
                              timeout_ms lets it */
    /* When not NULL: told of each lost connection and each connection made again, one line without
     * a newline, on the service thread. */
    void (*notice)(void *user, const char *line);
    void *user;
} lks_rpc_options;

/* Opens a client. Does not connect yet: a node that is not there shows in the first call, as
 * LKS_IO. In: url: ws://HOST:PORT/PATH, wss://, http://, https://, or the path of a Unix socket (it
 * contains a '/', or begins with "ipc:"). options: NULL for the defaults; copied. Returns: LKS_OK,
 * *out is to be closed; LKS_BADARGS (the URL); LKS_NOMEM; LKS_INTERNAL. */
lks_err lks_rpc_open(lks_rpc **out, const char *url, const lks_rpc_options *options) LKS_MUST_USE;

/* Ends the service thread and frees. Calls under way get LKS_RPC_FAILED replies before it returns.
 * Never from within a reply. NULL is harmless. */
void lks_rpc_close(lks_rpc *rpc);

/* Returns: scheme, host and port of the URL, or the path of the socket, for messages. What follows
 * the port is left out: it may hold an access key. Valid until lks_rpc_close. */
const char *lks_rpc_name(const lks_rpc *rpc);

/* The answer to one call; the shape of lockstep_rpc_reply.
 * code: 0, then json is the text of "result"; the node's error code, then json is the text of
 * "error"; or LKS_RPC_FAILED, LKS_RPC_TOO_LARGE, LKS_RPC_LIMITED or LKS_RPC_TIMED_OUT, no answer
 * was to be had, then json is {"message":"..."}. An error code of 0, or one that means something
 * else here (LKS_RPC_RESERVED to -1), is given as LKS_RPC_ERROR_OTHER. json: len bytes, followed by
 * a zero byte that len does not count; valid until the reply returns. Runs exactly once, on the
 * service thread; it must not block, and must not call lks_rpc_call_sync or lks_rpc_close. */
typedef void (*lks_rpc_reply)(void *user, int32_t code, const char *json, size_t len);

#define LKS_RPC_FAILED                                                                             \
    INT32_C(-1) /* no connection, a lost one, or an answer that is not JSON-RPC */
#define LKS_RPC_TOO_LARGE                                                                          \
    INT32_C(-6) /* the answer is over max_answer, or its JSON beyond what is read */
#define LKS_RPC_LIMITED INT32_C(-7) /* the node asks for fewer calls */
#define LKS_RPC_TIMED_OUT INT32_C(-8)
#define LKS_RPC_RESERVED INT32_C(-15) /* codes from here to 0 are not the node's */
#define LKS_RPC_ERROR_OTHER INT32_C(-32000)

/* Starts a call. In: method, of letters, digits and '_'; params_json, a JSON array, which is
 * checked; both copied. Returns: LKS_OK, then reply runs later; LKS_BUSY (too many calls under way:
 * try later); LKS_BADARGS (method, params); LKS_NOMEM; LKS_IO (closing). When it is not LKS_OK,
 * reply never runs. */
lks_err lks_rpc_call(lks_rpc *rpc, const char *method, const char *params_json, lks_rpc_reply reply,
                     void *user) LKS_MUST_USE;

/* Calls and waits. Has the shape of lks_eth_call_fn (chain/eth.h): first argument an lks_rpc.
 * Out: answer, cleared first: on LKS_OK the text of "result", on LKS_REMOTE the text of "error".
 * Returns: LKS_OK; LKS_REMOTE (the reason has the node's message and code); LKS_TIMEOUT; LKS_IO (no
 * connection, connection lost); LKS_CORRUPT (the answer is not JSON-RPC); LKS_TOO_LARGE; LKS_BUSY
 * (too many calls under way, or the node asks for fewer); LKS_BADARGS; LKS_NOMEM. */
lks_err lks_rpc_call_sync(void *rpc, const char *method, const char *params_json,
                          lks_buf *answer) LKS_MUST_USE;

/* Makes a failure out of the text of a JSON-RPC "error": stores "the node refused METHOD: MESSAGE
 * (code CODE)". Returns: LKS_REMOTE always. For whoever gets answers by another way than lks_rpc.
 */
lks_err lks_rpc_fail_remote(const char *method, const char *error_json, size_t len);

#ifdef __cplusplus
}
#endif
#endif
