/* The HTTP transport: connections that are kept for further calls. All of it runs on the service
 * thread, but the waking. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chain/http.h"
#include "chain/rpc_internal.h"

#define CONNECTIONS 16
#define CONNECT_US INT64_C(10000000)
#define IDLE_US INT64_C(30000000) /* after which a connection without a call is closed */

typedef enum link_state {
    LINK_FREE,
    LINK_CONNECTING,
    LINK_HANDSHAKE,
    LINK_WRITING,
    LINK_READING,
    LINK_IDLE
} link_state;

typedef struct http_link {
    link_state state;
    int fd;
    short events; /* to be polled for */
    SSL *ssl;
    struct addrinfo *addresses, *next_address; /* those not tried yet */
    int64_t until_us;                          /* of connecting, or idling */
    rpc_call *call;
    bool reused, answered; /* the connection had a call before; bytes came for this one */
    lks_buf out;           /* the request */
    size_t written;
    lks_http_reader reader;
} http_link;

struct rpc_http {
    lks_rpc *rpc;
    int wake_fd;
    SSL_CTX *tls;
    http_link links[CONNECTIONS];
};

enum { IO_AGAIN = -1, IO_END = -2 };

static void close_link(http_link *l)
{
    if (l->ssl) {
        SSL_free(l->ssl);
        l->ssl = NULL;
    }
    if (l->state != LINK_FREE && l->fd >= 0)
        close(l->fd);
    if (l->addresses)
        freeaddrinfo(l->addresses);
    l->addresses = l->next_address = NULL;
    l->fd = -1;
    l->state = LINK_FREE;
    if (l->call)
        l->call->link = NULL;
    l->call = NULL;
}

/* Ends the link, and its call with the stored reason. */
static void fail_link(rpc_http *h, http_link *l, lks_err err)
{
    rpc_call *call = l->call;
    close_link(l);
    if (call)
        rpc_finish(h->rpc, call, err, 0, NULL);
}

/* The node ended the connection, or it broke. A call on a connection that was kept is made once
 * more: nodes end those that are idle as they like, and calls may be made twice. */
static void lose_link(rpc_http *h, http_link *l)
{
    rpc_call *call = l->call;
    if (call && l->reused && !l->answered && !call->repeated) {
        call->repeated = true;
        call->sent = false;
        for (int i = 0; i < CONNECTIONS; i++) /* they are probably as old */
            if (h->links[i].state == LINK_IDLE)
                close_link(&h->links[i]);
        close_link(l);
        return;
    }
    lks_fail(LKS_IO, "the connection to %s was closed before the answer came", h->rpc->url.display);
    fail_link(h, l, LKS_IO);
}

static int io_result(http_link *l, int n)
{
    switch (SSL_get_error(l->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        l->events = POLLIN;
        return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        l->events = POLLOUT;
        return IO_AGAIN;
    default:
        return IO_END;
    }
}

/* Returns: bytes read, 1 or more; IO_AGAIN; IO_END. */
static int read_some(http_link *l, char *data, int size)
{
    /* Some nodes send head and body apart, and the body only when the head is acknowledged. */
    setsockopt(l->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    if (l->ssl) {
        ERR_clear_error();
        int n = SSL_read(l->ssl, data, size);
        return n > 0 ? n : io_result(l, n);
    }
    ssize_t n = recv(l->fd, data, (size_t)size, 0);
    l->events = POLLIN;
    return n > 0 ? (int)n : n < 0 && (errno == EAGAIN || errno == EINTR) ? IO_AGAIN : IO_END;
}

static int write_some(http_link *l, const void *data, int size)
{
    if (l->ssl) {
        ERR_clear_error();
        int n = SSL_write(l->ssl, data, size);
        return n > 0 ? n : io_result(l, n);
    }
    ssize_t n = send(l->fd, data, (size_t)size, MSG_NOSIGNAL);
    l->events = POLLOUT;
    return n > 0 ? (int)n : n < 0 && (errno == EAGAIN || errno == EINTR) ? IO_AGAIN : IO_END;
}

/* The answer is whole: the link waits for the next call, or ends. */
static void end_answer(rpc_http *h, http_link *l)
{
    rpc_call *call = l->call;
    call->status = l->reader.status;
    call->retry_after_s = l->reader.retry_after_s;
    call->link = NULL;
    l->call = NULL;
    l->state = LINK_IDLE;
    l->events = POLLIN;
    l->until_us = lws_now_usecs() + IDLE_US;
    if (l->reader.closes)
        close_link(l);
    rpc_http_answer(h->rpc, call);
}

static lks_err take_body(rpc_http *h, http_link *l, const char *body, size_t len)
{
    lks_buf *answer = &l->call->answer;
    if (len > h->rpc->max_answer || answer->len > h->rpc->max_answer - len)
        return lks_fail(LKS_TOO_LARGE, "an answer of %s is over %zu bytes", h->rpc->url.display,
                        h->rpc->max_answer);
    lks_buf_put(answer, body, len);
    return lks_buf_error(answer);
}

static void read_answer(rpc_http *h, http_link *l)
{
    char data[16384];
    int n;
    while ((n = read_some(l, data, sizeof data)) > 0) {
        l->answered = true;
        for (size_t at = 0, used, len; at < (size_t)n && l->reader.phase != LKS_HTTP_DONE;
             at += used) {
            const char *body;
            lks_err err = lks_http_read(&l->reader, data + at, (size_t)n - at, &used, &body, &len);
            if (!err)
                err = take_body(h, l, body, len);
            if (err) {
                fail_link(h, l, err);
                return;
            }
        }
        if (l->reader.phase == LKS_HTTP_DONE) {
            end_answer(h, l);
            return;
        }
    }
    if (n == IO_AGAIN)
        return;
    if (lks_http_end(&l->reader))
        end_answer(h, l);
    else
        lose_link(h, l);
}

static void write_request(rpc_http *h, http_link *l)
{
    while (l->written < l->out.len) {
        size_t left = l->out.len - l->written;
        int n = write_some(l, l->out.data + l->written, left < 65536 ? (int)left : 65536);
        if (n == IO_AGAIN)
            return;
        if (n == IO_END) {
            lose_link(h, l);
            return;
        }
        l->written += (size_t)n;
    }
    l->state = LINK_READING;
    l->events = POLLIN;
    read_answer(h, l);
}

static void shake_hands(rpc_http *h, http_link *l)
{
    ERR_clear_error();
    int n = SSL_connect(l->ssl);
    if (n != 1 && io_result(l, n) == IO_AGAIN)
        return;
    if (n == 1) {
        l->state = LINK_WRITING;
        write_request(h, l);
        return;
    }
    lks_fail(LKS_IO,
             "cannot connect to %s: the TLS handshake failed; the certificate must name this host "
             "and come from a known authority",
             h->rpc->url.display);
    fail_link(h, l, LKS_IO);
}

/* The connection stands. */
static void greet(rpc_http *h, http_link *l)
{
    freeaddrinfo(l->addresses);
    l->addresses = l->next_address = NULL;
    l->state = LINK_WRITING;
    if (!h->tls) {
        write_request(h, l);
        return;
    }
    const char *host = h->rpc->url.host;
    l->state = LINK_HANDSHAKE;
    l->ssl = SSL_new(h->tls);
    X509_VERIFY_PARAM *param = l->ssl ? SSL_get0_param(l->ssl) : NULL;
    bool is_address = param && X509_VERIFY_PARAM_set1_ip_asc(param, host);
    if (!param ||
        (!is_address &&
         (!SSL_set1_host(l->ssl, host) || !SSL_set_tlsext_host_name(l->ssl, host))) ||
        !SSL_set_fd(l->ssl, l->fd)) {
        lks_fail(LKS_INTERNAL, "TLS cannot be set up for %s", h->rpc->url.display);
        fail_link(h, l, LKS_INTERNAL);
        return;
    }
    shake_hands(h, l);
}

/* Tries the next address; why: the last one's error. */
static void connect_next(rpc_http *h, http_link *l, int why)
{
    for (struct addrinfo *a; (a = l->next_address);) {
        l->next_address = a->ai_next;
        if (l->fd >= 0)
            close(l->fd);
        l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (l->fd >= 0 && (!connect(l->fd, a->ai_addr, a->ai_addrlen) || errno == EINPROGRESS)) {
            setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
            l->state = LINK_CONNECTING;
            l->events = POLLOUT;
            l->until_us = lws_now_usecs() + CONNECT_US;
            return;
        }
        why = errno;
    }
    lks_fail(LKS_IO, "cannot connect to %s: %s", h->rpc->url.display, strerror(why));
    fail_link(h, l, LKS_IO);
}

static void end_connect(rpc_http *h, http_link *l)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        connect_next(h, l, error);
    else
        greet(h, l);
}

static void begin_connect(rpc_http *h, http_link *l)
{
    const rpc_url *url = &h->rpc->url;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char port[8];
    snprintf(port, sizeof port, "%d", url->port);
    l->state = LINK_CONNECTING;
    int code = getaddrinfo(url->host, port, &hints, &l->addresses);
    if (code) {
        l->addresses = NULL;
        lks_fail(LKS_IO, "cannot connect to %s: %s", url->display, gai_strerror(code));
        fail_link(h, l, LKS_IO);
        return;
    }
    l->next_address = l->addresses;
    connect_next(h, l, ECONNREFUSED);
}

static void step_link(rpc_http *h, http_link *l)
{
    char byte;
    switch (l->state) {
    case LINK_CONNECTING:
        end_connect(h, l);
        break;
    case LINK_HANDSHAKE:
        shake_hands(h, l);
        break;
    case LINK_WRITING:
        write_request(h, l);
        break;
    case LINK_READING:
        read_answer(h, l);
        break;
    case LINK_IDLE: /* the node ended it, or says what nobody asked for */
        if (read_some(l, &byte, 1) != IO_AGAIN)
            close_link(l);
        break;
    case LINK_FREE:
        break;
    }
}

static http_link *choose_link(rpc_http *h)
{
    http_link *free_one = NULL;
    for (int i = 0; i < CONNECTIONS; i++) {
        if (h->links[i].state == LINK_IDLE)
            return &h->links[i];
        if (h->links[i].state == LINK_FREE && !free_one)
            free_one = &h->links[i];
    }
    return free_one;
}

static void start_call(rpc_http *h, http_link *l, rpc_call *call)
{
    const rpc_url *url = &h->rpc->url;
    size_t len = call->body.len - LWS_PRE;
    rpc_sending(call);
    call->link = l;
    l->call = call;
    l->reused = l->state == LINK_IDLE;
    l->answered = false;
    l->written = 0;
    l->reader = (lks_http_reader){0};
    lks_buf_clear(&l->out);
    lks_buf_printf(&l->out,
                   "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                   "Accept: application/json\r\nContent-Length: %zu\r\n\r\n",
                   url->path, url->authority, len);
    lks_buf_put(&l->out, call->body.data + LWS_PRE, len);
    lks_err err = lks_buf_error(&l->out);
    if (err)
        fail_link(h, l, err);
    else if (!l->reused)
        begin_connect(h, l);
    else {
        l->state = LINK_WRITING;
        write_request(h, l);
    }
}

void rpc_http_send(rpc_http *h)
{
    http_link *l;
    rpc_call *call;
    while ((l = choose_link(h)) && (call = rpc_next_unsent(h->rpc)))
        start_call(h, l, call);
}

void rpc_http_abandon(rpc_call *call)
{
    if (call->link)
        close_link(call->link);
}

void rpc_http_wake(rpc_http *h)
{
    const uint64_t one = 1;
    ssize_t done = write(h->wake_fd, &one, sizeof one);
    (void)done; /* full: it is awake */
}

/* Ends what took too long. Returns: when the next one will have. */
static int64_t expire(rpc_http *h, int64_t until_us)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        http_link *l = &h->links[i];
        bool timed =
            l->state == LINK_CONNECTING || l->state == LINK_HANDSHAKE || l->state == LINK_IDLE;
        if (timed && l->until_us <= lws_now_usecs()) {
            if (l->state == LINK_IDLE)
                close_link(l);
            else if (l->state == LINK_CONNECTING)
                connect_next(h, l, ETIMEDOUT);
            else {
                lks_fail(LKS_IO, "cannot connect to %s: no TLS handshake in time",
                         h->rpc->url.display);
                fail_link(h, l, LKS_IO);
            }
        } else if (timed && l->until_us < until_us)
            until_us = l->until_us;
    }
    return until_us;
}

int rpc_http_wait(rpc_http *h, int64_t wait_us)
{
    struct pollfd polled[CONNECTIONS + 1];
    http_link *of[CONNECTIONS + 1];
    nfds_t n = 1;
    uint64_t count;
    int64_t until = expire(h, lws_now_usecs() + wait_us);
    polled[0] = (struct pollfd){.fd = h->wake_fd, .events = POLLIN};
    for (int i = 0; i < CONNECTIONS; i++)
        if (h->links[i].state != LINK_FREE) {
            of[n] = &h->links[i];
            polled[n++] = (struct pollfd){.fd = h->links[i].fd, .events = h->links[i].events};
        }
    int64_t left = until - lws_now_usecs();
    if (poll(polled, n, left > 0 ? (int)((left + 999) / 1000) : 0) < 0)
        return errno == EINTR ? 0 : -1;
    if (polled[0].revents && read(h->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return -1;
    for (nfds_t i = 1; i < n; i++)
        if (polled[i].revents && of[i]->fd == polled[i].fd)
            step_link(h, of[i]);
    return 0;
}

rpc_http *rpc_http_create(lks_rpc *rpc)
{
    rpc_http *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->rpc = rpc;
    for (int i = 0; i < CONNECTIONS; i++)
        h->links[i].fd = -1;
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (rpc->url.tls && (h->tls = SSL_CTX_new(TLS_client_method()))) {
        static const unsigned char ALPN[] = "\x08http/1.1";
        SSL_CTX_set_min_proto_version(h->tls, TLS1_2_VERSION);
        SSL_CTX_set_verify(h->tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(h->tls,
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_alpn_protos(h->tls, ALPN, sizeof ALPN - 1);
        if (!SSL_CTX_set_default_verify_paths(h->tls)) {
            SSL_CTX_free(h->tls);
            h->tls = NULL;
        }
    }
    if (h->wake_fd >= 0 && (h->tls || !rpc->url.tls))
        return h;
    rpc_http_free(h);
    return NULL;
}

void rpc_http_free(rpc_http *h)
{
    if (!h)
        return;
    for (int i = 0; i < CONNECTIONS; i++) {
        close_link(&h->links[i]);
        lks_buf_free(&h->links[i].out);
    }
    if (h->wake_fd >= 0)
        close(h->wake_fd);
    SSL_CTX_free(h->tls);
    free(h);
}
