/* WebSocket and IPC. All of it runs on the service thread. */
#include <stdio.h>
#include <string.h>

#include "chain/rpc_internal.h"

#define CONNECT_SECONDS 10
#define CHUNK 65536

/* A WebSocket that is silent for 20 s is pinged, and given up 10 s later. */
static const lws_retry_bo_t KEEP_ALIVE = {.secs_since_valid_ping = 20,
                                          .secs_since_valid_hangup = 30};

static lks_rpc *rpc_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* Why a connection could not be made, from libwebsockets' text, which of TLS says nothing but a
 * number. */
static const char *reason_of(const lks_rpc *rpc, const void *in)
{
    if (!in)
        return "connection refused";
    return rpc->url.tls && strstr(in, "SSL") ? "the TLS handshake failed; the certificate must "
                                               "name this host and come from a known authority"
                                             : in;
}

/* Sends the next call. Returns: 0, or -1 to close the connection. */
static int write_next(lks_rpc *rpc, struct lws *wsi, enum lws_write_protocol kind)
{
    rpc_call *call = rpc_next_unsent(rpc);
    if (!call)
        return 0;
    rpc_sending(call);
    size_t len = call->body.len - LWS_PRE;
    lks_buf_clear(
        &rpc->sent); /* a copy: a WebSocket masks what it sends, and the call may be sent again */
    lks_buf_put(&rpc->sent, call->body.data, call->body.len);
    if (rpc->sent.failed || lws_write(wsi, rpc->sent.data + LWS_PRE, len, kind) < (int)len)
        return -1;
    if (rpc_next_unsent(rpc))
        lws_callback_on_writable(wsi);
    return 0;
}

/* Ends the connection for the stored reason. Returns: -1, which makes libwebsockets close it. */
static int drop(lks_rpc *rpc, lks_err err)
{
    rpc_link_lost(rpc, err);
    return -1;
}

static lks_err append(lks_rpc *rpc, lks_buf *to, const void *data, size_t len)
{
    if (len > rpc->max_answer || to->len > rpc->max_answer - len)
        return lks_fail(LKS_TOO_LARGE, "an answer of %s is over %zu bytes", rpc->url.display,
                        rpc->max_answer);
    lks_buf_put(to, data, len);
    return lks_buf_error(to);
}

/* Passes the collected message on. */
static lks_err end_message(lks_rpc *rpc)
{
    lks_err err = rpc_stream_message(rpc, lks_buf_text(&rpc->received), rpc->received.len);
    lks_buf_clear(&rpc->received);
    return err;
}

/* Adds to the message under way. */
static lks_err collect(lks_rpc *rpc, const void *data, size_t len)
{
    lks_err err = append(rpc, &rpc->received, data, len);
    return err == LKS_TOO_LARGE
               ? rpc_stream_too_large(rpc, lks_buf_text(&rpc->received), rpc->received.len)
               : err;
}

static lks_err receive_ws(lks_rpc *rpc, struct lws *wsi, const void *data, size_t len)
{
    lks_err err = collect(rpc, data, len);
    if (!err && lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi))
        err = end_message(rpc);
    return err;
}

static lks_err receive_ipc(lks_rpc *rpc, const char *data, size_t len)
{
    lks_err err = LKS_OK;
    while (len && !err) {
        size_t used = 0;
        int end = rpc_frame_next(&rpc->frame, data, len, &used);
        if (end < 0)
            return lks_fail(LKS_CORRUPT, "%s sends something that is not JSON", rpc->url.display);
        err = collect(rpc, data, used);
        if (!err && end)
            err = end_message(rpc);
        data += used;
        len -= used;
    }
    return err;
}

/* The connection ended by itself. */
static void closed(lks_rpc *rpc, struct lws *wsi)
{
    if (wsi != rpc->wsi)
        return; /* one that we dropped */
    lks_fail(LKS_IO, "the connection to %s was closed before the answer came", rpc->url.display);
    rpc_link_lost(rpc, LKS_IO);
}

static int on_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                 size_t len)
{
    lks_rpc *rpc = rpc_of(wsi);
    lks_err err;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED: rpc_link_up(rpc, wsi); break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return wsi == rpc->wsi ? write_next(rpc, wsi, LWS_WRITE_TEXT) : 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (wsi == rpc->wsi && (err = receive_ws(rpc, wsi, in, len)))
            return drop(rpc, err);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        if (rpc->link == RPC_CONNECTING)
            rpc_link_failed(rpc, reason_of(rpc, in));
        break;
    case LWS_CALLBACK_CLIENT_CLOSED: closed(rpc, wsi); break;
    default: break;
    }
    return 0;
}

static int on_ipc(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    lks_rpc *rpc = rpc_of(wsi);
    lks_err err;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_RAW_CONNECTED: rpc_link_up(rpc, wsi); break;
    case LWS_CALLBACK_RAW_WRITEABLE:
        return wsi == rpc->wsi ? write_next(rpc, wsi, LWS_WRITE_RAW) : 0;
    case LWS_CALLBACK_RAW_RX:
        if (wsi == rpc->wsi && (err = receive_ipc(rpc, in, len)))
            return drop(rpc, err);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        if (rpc->link == RPC_CONNECTING)
            rpc_link_failed(rpc, reason_of(rpc, in));
        break;
    case LWS_CALLBACK_RAW_CLOSE: closed(rpc, wsi); break;
    default: break;
    }
    return 0;
}

struct lws_context *rpc_lws_create(lks_rpc *rpc)
{
    static const struct lws_protocols PROTOCOLS[] = {
        {.name = "lks-ws", .callback = on_ws, .rx_buffer_size = CHUNK},
        {.name = "lks-ipc", .callback = on_ipc, .rx_buffer_size = CHUNK},
        {.name = NULL},
    };
    struct lws_context_creation_info info;
    memset(&info, 0, sizeof info);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = PROTOCOLS;
    info.gid = -1;
    info.uid = -1;
    info.user = rpc;
    info.timeout_secs = CONNECT_SECONDS;
    info.connect_timeout_secs = CONNECT_SECONDS;
    info.retry_and_idle_policy = &KEEP_ALIVE;
    if (rpc->url.tls)
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    lws_set_log_level(0, NULL); /* a library does not print */
    return lws_create_context(&info);
}

static struct lws_client_connect_info connect_info(const lks_rpc *rpc)
{
    struct lws_client_connect_info info;
    memset(&info, 0, sizeof info);
    info.context = rpc->lws;
    info.address = rpc->url.host;
    info.port = rpc->url.port;
    info.host = rpc->url.authority;
    info.path = rpc->url.path;
    info.ssl_connection = (rpc->url.tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    info.alpn = "http/1.1";
    info.retry_and_idle_policy = &KEEP_ALIVE;
    return info;
}

void rpc_lws_connect(lks_rpc *rpc)
{
    struct lws_client_connect_info info = connect_info(rpc);
    char address[128];
    info.pwsi = &rpc->wsi;
    info.local_protocol_name = "lks-ws";
    if (rpc->url.transport == RPC_IPC) {
        snprintf(address, sizeof address, "+%s",
                 rpc->url.host); /* '+' is how libwebsockets names a Unix socket */
        info.address = address;
        info.method = "RAW";
        info.local_protocol_name = "lks-ipc";
    }
    rpc->link = RPC_CONNECTING;
    if (!lws_client_connect_via_info(&info) && rpc->link == RPC_CONNECTING)
        rpc_link_failed(rpc, "no such host or socket, or nothing listens there");
}

static void on_timer(lws_sorted_usec_list_t *timer)
{
    (void)timer; /* lws_service returns: that is all it is for */
}

int rpc_lws_wait(lks_rpc *rpc, int64_t wait_us)
{
    lws_sul_schedule(rpc->lws, 0, &rpc->timer, on_timer, wait_us);
    return lws_service(rpc->lws, 0);
}
