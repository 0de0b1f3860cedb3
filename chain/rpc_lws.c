/* The three transports. All of it runs on the service thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/rpc_internal.h"

#define CONNECT_SECONDS 10
#define CHUNK 65536

/* A WebSocket that is silent for 20 s is pinged, and given up 10 s later. */
static const lws_retry_bo_t KEEP_ALIVE = {.secs_since_valid_ping = 20, .secs_since_valid_hangup = 30};

static lks_rpc *rpc_of(struct lws *wsi) { return lws_context_user(lws_get_context(wsi)); }

/* Why a connection could not be made, from libwebsockets' text, which of TLS says nothing but a number. */
static const char *reason_of(const lks_rpc *rpc, const void *in)
{
    if (!in)
        return "connection refused";
    return rpc->url.tls && strstr(in, "SSL") ? "the TLS handshake failed; the certificate must name this host and come from a known authority" : in;
}

/* Sends the next call. Returns: 0, or -1 to close the connection. */
static int write_next(lks_rpc *rpc, struct lws *wsi, enum lws_write_protocol kind)
{
    rpc_call *call = rpc_next_unsent(rpc);
    if (!call)
        return 0;
    rpc_sending(call);
    size_t len = call->body.len - LWS_PRE;
    lks_buf_clear(&rpc->sent); /* a copy: a WebSocket masks what it sends, and the call may be sent again */
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
        return lks_fail(LKS_TOO_LARGE, "an answer of %s is over %zu bytes", rpc->url.display, rpc->max_answer);
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
    return err == LKS_TOO_LARGE ? rpc_stream_too_large(rpc, lks_buf_text(&rpc->received), rpc->received.len) : err;
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

static int on_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    lks_rpc *rpc = rpc_of(wsi);
    lks_err err;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED: rpc_link_up(rpc, wsi); break;
    case LWS_CALLBACK_CLIENT_WRITEABLE: return wsi == rpc->wsi ? write_next(rpc, wsi, LWS_WRITE_TEXT) : 0;
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

static int on_ipc(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    lks_rpc *rpc = rpc_of(wsi);
    lks_err err;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_RAW_CONNECTED: rpc_link_up(rpc, wsi); break;
    case LWS_CALLBACK_RAW_WRITEABLE: return wsi == rpc->wsi ? write_next(rpc, wsi, LWS_WRITE_RAW) : 0;
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

/* Returns: 0, or -1 when the headers do not fit. */
static int add_http_headers(struct lws *wsi, const rpc_call *call, unsigned char **at, unsigned char *end)
{
    char length[24];
    int n = snprintf(length, sizeof length, "%zu", call->body.len - LWS_PRE);
    if (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const unsigned char *)"application/json", 16, at, end) ||
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, (const unsigned char *)length, n, at, end))
        return -1;
    lws_client_http_body_pending(wsi, 1);
    lws_callback_on_writable(wsi);
    return 0;
}

/* Writes the next piece of the request's body. Returns: 0, or -1 to close the connection. */
static int write_http_body(struct lws *wsi, rpc_call *call)
{
    size_t left = call->body.len - LWS_PRE - call->written, len = left < CHUNK ? left : CHUNK;
    if (!left)
        return 0;
    uint8_t *at = call->body.data + LWS_PRE + call->written;
    bool last = len == left;
    if (last)
        lws_client_http_body_pending(wsi, 0);
    if (lws_write(wsi, at, len, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)len)
        return -1;
    call->written += len;
    if (!last)
        lws_callback_on_writable(wsi);
    return 0;
}

/* The header Retry-After in seconds; 0: there is none. It may also be a date. */
static uint32_t retry_after_of(struct lws *wsi)
{
    char text[64];
    struct tm utc = {0};
    int len = lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_RETRY_AFTER);
    if (len <= 0)
        return 0;
    if (text[0] >= '0' && text[0] <= '9') {
        unsigned long seconds = strtoul(text, NULL, 10);
        return seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
    }
    if (!strptime(text, "%a, %d %b %Y %H:%M:%S", &utc))
        return 0;
    time_t wait = timegm(&utc) - time(NULL);
    return wait > 0 ? (uint32_t)wait : 1;
}

/* Makes libwebsockets read what came. Returns: 0, or -1 at the end of the connection. */
static int read_http(struct lws *wsi)
{
    char block[LWS_PRE + 16384], *at = block + LWS_PRE;
    int len = sizeof block - LWS_PRE;
    return lws_http_client_read(wsi, &at, &len) < 0 ? -1 : 0;
}

/* Parts the call from a connection that closes by itself. */
static void detach(rpc_call *call, struct lws *wsi)
{
    lws_set_opaque_user_data(wsi, NULL);
    call->wsi = NULL;
}

static int on_http_call(lks_rpc *rpc, rpc_call *call, struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len)
{
    lks_err err;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return add_http_headers(wsi, call, in, *(unsigned char **)in + len);
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE: return write_http_body(wsi, call);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        call->status = (int)lws_http_client_http_response(wsi);
        call->retry_after_s = retry_after_of(wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: return read_http(wsi);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        if (!(err = append(rpc, &call->answer, in, len)))
            return 0;
        detach(call, wsi);
        rpc_finish(rpc, call, err, 0, NULL);
        return -1;
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        detach(call, wsi);
        rpc_http_answer(rpc, call);
        return -1;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        detach(call, wsi);
        /* An answer without a length ends with the connection; whether it is whole, its JSON says. */
        if (call->answer.len)
            rpc_http_answer(rpc, call);
        else {
            lks_fail(LKS_IO, "the connection to %s was closed before the answer came", rpc->url.display);
            rpc_finish(rpc, call, LKS_IO, 0, NULL);
        }
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        detach(call, wsi);
        if (call->written) /* it was connected, and ended without a status line */
            lks_fail(LKS_IO, "the connection to %s was closed before the answer came", rpc->url.display);
        else
            lks_fail(LKS_IO, "cannot connect to %s: %s", rpc->url.display, reason_of(rpc, in));
        rpc_finish(rpc, call, LKS_IO, 0, NULL);
        return 0;
    default: return lws_callback_http_dummy(wsi, reason, NULL, in, len);
    }
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    rpc_call *call = lws_get_opaque_user_data(wsi);
    if (reason == LWS_CALLBACK_RECEIVE_CLIENT_HTTP && !call)
        return -1; /* the call ended before its answer came */
    if (!call)
        return lws_callback_http_dummy(wsi, reason, user, in, len);
    return on_http_call(rpc_of(wsi), call, wsi, reason, in, len);
}

struct lws_context *rpc_lws_create(lks_rpc *rpc)
{
    static const struct lws_protocols PROTOCOLS[] = {
        {.name = "lks-ws", .callback = on_ws, .rx_buffer_size = CHUNK},
        {.name = "lks-http", .callback = on_http, .rx_buffer_size = CHUNK},
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
    /* Over HTTP this also bounds the wait for an answer, which a call's own time does. */
    info.timeout_secs = rpc->url.transport == RPC_HTTP ? rpc->timeout_ms / 1000 + 1 : CONNECT_SECONDS;
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

void rpc_lws_connect_stream(lks_rpc *rpc)
{
    struct lws_client_connect_info info = connect_info(rpc);
    char address[128];
    info.pwsi = &rpc->wsi;
    info.local_protocol_name = "lks-ws";
    if (rpc->url.transport == RPC_IPC) {
        snprintf(address, sizeof address, "+%s", rpc->url.host); /* '+' is how libwebsockets names a Unix socket */
        info.address = address;
        info.method = "RAW";
        info.local_protocol_name = "lks-ipc";
    }
    rpc->link = RPC_CONNECTING;
    if (!lws_client_connect_via_info(&info) && rpc->link == RPC_CONNECTING)
        rpc_link_failed(rpc, "no such host or socket, or nothing listens there");
}

void rpc_lws_connect_http(lks_rpc *rpc, rpc_call *call)
{
    struct lws_client_connect_info info = connect_info(rpc);
    uint64_t id = call->id;
    info.method = "POST";
    info.local_protocol_name = "lks-http";
    info.opaque_user_data = call;
    struct lws *wsi = lws_client_connect_via_info(&info);
    call = rpc_find(rpc, id); /* a failure may already have ended and freed it */
    if (call)
        call->wsi = wsi;
    if (call && !wsi) {
        lks_fail(LKS_IO, "cannot connect to %s: no such host, or nothing listens there", rpc->url.display);
        rpc_finish(rpc, call, LKS_IO, 0, NULL);
    }
}

void rpc_lws_abandon(rpc_call *call)
{
    if (!call->wsi)
        return;
    lws_set_opaque_user_data(call->wsi, NULL);
    lws_set_timeout(call->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
    call->wsi = NULL;
}
