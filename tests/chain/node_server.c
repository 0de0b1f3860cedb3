#include "node_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "chain/buf.h"

#define MAX_CLIENTS 128

struct node_server {
    node_kind kind;
    int fd, port;
    char path[108];
    atomic_int mode, requests_left; /* in that mode; negative: any number */
    atomic_uint requests, connections, closed;
    pthread_mutex_t lock; /* for these two */
    lks_buf text;         /* of NODE_TEXT */
    char head[1024];      /* of the newest request */
    atomic_bool stopping;
    pthread_t thread;
    pthread_t clients[MAX_CLIENTS];
    int client_count;
};

typedef struct client {
    node_server *server;
    int fd;
} client;

static bool send_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n, len -= (size_t)n;
    }
    return true;
}

/* Waits for data; gives up when the server stops. */
static bool wait_for_data(const client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    while (!atomic_load(&c->server->stopping))
        if (poll(&p, 1, 20) != 0)
            return true;
    return false;
}

static bool receive(const client *c, lks_buf *in)
{
    char block[65536];
    if (!wait_for_data(c))
        return false;
    ssize_t n = recv(c->fd, block, sizeof block, 0);
    if (n <= 0)
        return false;
    lks_buf_put(in, block, (size_t)n);
    return true;
}

static void drop_front(lks_buf *in, size_t len)
{
    memmove(in->data, in->data + len, in->len - len + 1);
    in->len -= len;
}

static void put_frame(lks_buf *out, int first_byte, const void *data, size_t len)
{
    lks_buf_put_byte(out, (uint8_t)first_byte);
    if (len < 126)
        lks_buf_put_byte(out, (uint8_t)len);
    else {
        int bytes = len < 65536 ? 2 : 8;
        lks_buf_put_byte(out, bytes == 2 ? 126 : 127);
        for (int i = bytes - 1; i >= 0; i--)
            lks_buf_put_byte(out, (uint8_t)((uint64_t)len >> (8 * i)));
    }
    lks_buf_put(out, data, len);
}

/* A part of an HTTP answer's bytes that is sent by itself. */
static size_t piece_of(const lks_buf *out, size_t at, node_mode mode)
{
    size_t left = out->len - at;
    const char *body = strstr(lks_buf_text(out), "\r\n\r\n");
    if (mode == NODE_APART && body && !at)
        return (size_t)(body + 4 - lks_buf_text(out));
    return mode == NODE_SPLIT && left > 7 ? 7 : left;
}

/* One message in the transport's dress. */
static void dress(lks_buf *out, node_kind kind, node_mode mode, const char *text, size_t len)
{
    if (kind == NODE_HTTP) {
        lks_buf_printf(out, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n",
                       mode == NODE_STATUS || mode == NODE_RETRY ? "503 Service Unavailable"
                       : mode == NODE_429                        ? "429 Too Many Requests"
                                                                 : "200 OK");
        if (mode == NODE_RETRY)
            lks_buf_put_text(out, "Retry-After: 2\r\n");
        if (mode == NODE_CHUNKED)
            lks_buf_put_text(out, "Transfer-Encoding: chunked\r\n");
        else if (mode != NODE_NO_LENGTH)
            lks_buf_printf(out, "Content-Length: %zu\r\n", mode == NODE_HALF ? 2 * len : len);
        lks_buf_put_text(out, mode == NODE_GOODBYE ? "Connection: close\r\n\r\n" : "\r\n");
        if (mode == NODE_CHUNKED)
            lks_buf_printf(out, "%zx\r\n%.*s\r\n1;x=y\r\n%.1s\r\n%zX\r\n%s\r\n0\r\nX: y\r\n\r\n",
                           (size_t)3, 3, text, text + 3, len - 4, text + 4);
        else
            lks_buf_put(out, text, len);
    } else if (kind == NODE_WS && mode == NODE_SPLIT) {
        size_t third = len / 3;
        put_frame(out, 0x01, text, third);
        put_frame(out, 0x00, text + third, third);
        put_frame(out, 0x80, text + 2 * third, len - 2 * third);
    } else if (kind == NODE_WS)
        put_frame(out, mode == NODE_HALF ? 0x01 : 0x81, text, len);
    else
        lks_buf_put(out, text, len);
}

/* The text of the answer to a request. */
static void make_answer(lks_buf *out, node_kind kind, node_mode mode, const char *request)
{
    const char *id_text = strstr(request, "\"id\":"), *params = strstr(request, "\"params\":");
    unsigned long id = id_text ? strtoul(id_text + 5, NULL, 10) : 0;
    size_t params_len = params ? strlen(params + 9) - 1 : 0;
    switch (mode) {
    case NODE_ERROR:
        lks_buf_printf(out,
                       "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"error\":{\"code\":3,\"message\":"
                       "\"execution\\nreverted\",\"data\":\"0x\"}}",
                       id);
        break;
    case NODE_ODD_ERROR:
        lks_buf_printf(
            out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"error\":{\"code\":-2,\"message\":\"odd\"}}",
            id);
        break;
    case NODE_MALFORMED:
        lks_buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":0x1}", id);
        break;
    case NODE_NOT_RPC: lks_buf_put_text(out, "{\"hello\":\"world\"}"); break;
    case NODE_BOTH:
        lks_buf_printf(out,
                       "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":1,\"error\":{\"code\":1,"
                       "\"message\":\"x\"}}",
                       id);
        break;
    case NODE_NULL_ID:
        lks_buf_put_text(out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
                              "\"message\":\"parse error\"}}");
        break;
    case NODE_WRONG_ID:
        lks_buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":1}", id + 1000000);
        break;
    case NODE_LARGE: {
        lks_buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":\"", id);
        uint8_t *fill = lks_buf_extend(out, (size_t)2 << 20);
        if (fill)
            memset(fill, 'a', (size_t)2 << 20);
        lks_buf_put_text(out, "\"}");
        break;
    }
    case NODE_DEEP:
        lks_buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":", id);
        for (int i = 0; i < 100; i++)
            lks_buf_put_byte(out, '[');
        for (int i = 0; i < 100; i++)
            lks_buf_put_byte(out, ']');
        lks_buf_put_byte(out, '}');
        break;
    case NODE_STATUS: lks_buf_put_text(out, "<html>too busy</html>"); break;
    case NODE_UNSURE:
        lks_buf_printf(out,
                       "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"error\":{\"code\":-32005,\"message\":"
                       "\"limit exceeded\"}}",
                       id);
        break;
    case NODE_429:
    case NODE_RETRY:
        if (kind == NODE_HTTP)
            lks_buf_put_text(out, "<html>too many</html>");
        else
            lks_buf_printf(out,
                           "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"error\":{\"code\":%d,\"message\":"
                           "\"project ID request rate exceeded\"%s}}",
                           id, mode == NODE_429 ? 429 : -32005,
                           mode == NODE_429 ? "" : ",\"data\":{\"rate\":{\"backoff_seconds\":2}}");
        break;
    case NODE_SHUT:
        lks_buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":[]}", id);
        break;
    default:
        lks_buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lu,\"result\":%.*s}\n", id,
                       (int)params_len, params ? params + 9 : "null");
        break;
    }
}

static node_mode next_mode(node_server *s)
{
    int left = atomic_load(&s->requests_left);
    if (left > 0)
        atomic_store(&s->requests_left, left - 1);
    return left ? (node_mode)atomic_load(&s->mode) : NODE_ECHO;
}

/* Answers one request. Returns: whether the connection goes on. */
static bool answer(const client *c, const char *request)
{
    node_mode mode = next_mode(c->server);
    lks_buf text = {0}, out = {0};
    bool good = true;
    atomic_fetch_add(&c->server->requests, 1);
    if (mode == NODE_CLOSE || mode == NODE_SILENT)
        return mode == NODE_SILENT;
    if (mode == NODE_TEXT) {
        pthread_mutex_lock(&c->server->lock);
        lks_buf_put(&text, c->server->text.data, c->server->text.len);
        pthread_mutex_unlock(&c->server->lock);
        send_all(c->fd, text.data, text.len);
        lks_buf_free(&text);
        return false;
    }
    if (mode == NODE_NOTICE && c->server->kind != NODE_HTTP) {
        static const char NOTICE[] =
            "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":"
            "\"0x1\",\"result\":{\"a\":\"}\\\"\"}}}";
        dress(&out, c->server->kind, mode, NOTICE, sizeof NOTICE - 1);
    }
    make_answer(&text, c->server->kind, mode, request);
    if (mode == NODE_HALF)
        text.len /= 2;
    dress(&out, c->server->kind, mode, lks_buf_text(&text), text.len);
    for (size_t at = 0; good && at < out.len;) {
        size_t len = piece_of(&out, at, mode);
        good = send_all(c->fd, out.data + at, len);
        at += len;
        if (mode == NODE_SPLIT)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    lks_buf_free(&text);
    lks_buf_free(&out);
    if (mode == NODE_408) {
        static const char LATE[] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n"
                                   "Connection: close\r\n\r\n";
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        send_all(c->fd, LATE, sizeof LATE - 1);
        return false;
    }
    bool ends = c->server->kind == NODE_HTTP &&
                (mode == NODE_NO_LENGTH || mode == NODE_GOODBYE || mode == NODE_LEAVE);
    return good && mode != NODE_HALF && !ends;
}

static void serve_http(const client *c)
{
    lks_buf in = {0};
    bool answered = false;
    for (bool going = true; going;) {
        const char *text = lks_buf_text(&in), *body = strstr(text, "\r\n\r\n"),
                   *length = strcasestr(text, "content-length: ");
        size_t whole =
            body && length ? (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10) : SIZE_MAX;
        if (in.len < whole)
            going = receive(c, &in) && !(answered && atomic_load(&c->server->mode) == NODE_SHUT);
        else {
            pthread_mutex_lock(&c->server->lock);
            snprintf(c->server->head, sizeof c->server->head, "%.*s", (int)(body - text), text);
            pthread_mutex_unlock(&c->server->lock);
            char *request = strndup(body + 4, whole - (size_t)(body + 4 - text));
            going = !strncmp(text, "POST ", 5) && answer(c, request);
            free(request);
            drop_front(&in, whole);
            answered = true;
        }
    }
    lks_buf_free(&in);
}

static void serve_ipc(const client *c)
{
    lks_buf in = {0};
    size_t depth = 0;
    bool quoted = false, going = true;
    while (going && receive(c, &in))
        for (size_t i = 0, start = 0; going && i < in.len; i++) {
            char ch = (char)in.data[i];
            if (!start && !i)
                depth = 0,
                quoted = false; /* the request under way is looked at again from its beginning */
            if (ch == '"' && (!i || in.data[i - 1] != '\\'))
                quoted = !quoted;
            depth += !quoted && ch == '{';
            if (!quoted && ch == '}' && !--depth) {
                char *request = strndup((char *)in.data, i + 1);
                going = answer(c, request);
                free(request);
                drop_front(&in, i + 1);
                i = SIZE_MAX; /* goes on at 0 */
            }
        }
    lks_buf_free(&in);
}

static bool shake_hands(const client *c, lks_buf *in)
{
    while (!in->data || !strstr(lks_buf_text(in), "\r\n\r\n"))
        if (!receive(c, in))
            return false;
    const char *key = strcasestr(lks_buf_text(in), "sec-websocket-key: ");
    if (!key)
        return false;
    char text[128], accept[64];
    unsigned char digest[20];
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    EVP_Digest(text, strlen(text), digest, NULL, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, 20);
    lks_buf out = {0};
    lks_buf_printf(&out,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                   "Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   accept);
    bool good = send_all(c->fd, out.data, out.len);
    lks_buf_free(&out);
    drop_front(in, (size_t)(strstr(lks_buf_text(in), "\r\n\r\n") + 4 - lks_buf_text(in)));
    return good;
}

/* Takes one frame off the front. Out: payload, appended. Returns: its first byte, or -1 when it is
 * not whole yet. */
static int take_frame(lks_buf *in, lks_buf *payload)
{
    if (in->len < 2)
        return -1;
    size_t head = 2;
    uint64_t len = in->data[1] & 127;
    int bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (in->len < head + (size_t)bytes + 4)
        return -1;
    if (bytes)
        len = 0;
    for (int i = 0; i < bytes; i++)
        len = len << 8 | in->data[head++];
    const uint8_t mask[4] = {in->data[head], in->data[head + 1], in->data[head + 2],
                             in->data[head + 3]};
    head += 4;
    if (in->len - head < len)
        return -1;
    int first = in->data[0];
    for (uint64_t i = 0; i < len; i++)
        lks_buf_put_byte(payload, in->data[head + i] ^ mask[i % 4]);
    drop_front(in, head + (size_t)len);
    return first;
}

static void serve_ws(const client *c)
{
    lks_buf in = {0}, request = {0};
    bool going = shake_hands(c, &in);
    while (going) {
        int first = in.data ? take_frame(&in, &request) : -1;
        if (first < 0)
            going = receive(c, &in);
        else if ((first & 15) == 8)
            going = false;
        else if (first & 0x80) {
            if ((first & 15) <= 2)
                going = answer(c, lks_buf_text(&request));
            lks_buf_clear(&request);
        }
    }
    lks_buf_free(&in);
    lks_buf_free(&request);
}

static void *serve_client(void *argument)
{
    client *c = argument;
    if (c->server->kind == NODE_HTTP)
        serve_http(c);
    else if (c->server->kind == NODE_WS)
        serve_ws(c);
    else
        serve_ipc(c);
    close(c->fd);
    atomic_fetch_add(&c->server->closed, 1);
    free(c);
    return NULL;
}

static void *serve(void *argument)
{
    node_server *s = argument;
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    while (!atomic_load(&s->stopping)) {
        if (poll(&p, 1, 20) <= 0)
            continue;
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0 || s->client_count == MAX_CLIENTS) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        atomic_fetch_add(&s->connections, 1);
        client *c = malloc(sizeof *c);
        *c = (client){s, fd};
        pthread_create(&s->clients[s->client_count++], NULL, serve_client, c);
    }
    for (int i = 0; i < s->client_count; i++)
        pthread_join(s->clients[i], NULL);
    return NULL;
}

node_server *node_start(node_kind kind, int port, const char *path)
{
    node_server *s = calloc(1, sizeof *s);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    s->kind = kind;
    pthread_mutex_init(&s->lock, NULL);
    atomic_store(&s->requests_left, -1);
    s->fd = socket(kind == NODE_IPC ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bound;
    if (kind == NODE_IPC) {
        snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
        memcpy(s->path, un.sun_path, sizeof s->path);
        bound = bind(s->fd, (struct sockaddr *)&un, sizeof un);
    } else {
        int yes = 1;
        setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        bound = bind(s->fd, (struct sockaddr *)&in, sizeof in);
        socklen_t len = sizeof in;
        getsockname(s->fd, (struct sockaddr *)&in, &len);
        s->port = ntohs(in.sin_port);
    }
    if (bound || listen(s->fd, 128) || pthread_create(&s->thread, NULL, serve, s)) {
        close(s->fd);
        free(s);
        return NULL;
    }
    return s;
}

void node_stop(node_server *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    close(s->fd);
    if (s->kind == NODE_IPC)
        unlink(s->path);
    pthread_mutex_destroy(&s->lock);
    lks_buf_free(&s->text);
    free(s);
}

void node_set(node_server *s, node_mode mode)
{
    node_set_for(s, mode, -1);
}

void node_set_for(node_server *s, node_mode mode, int requests)
{
    atomic_store(&s->mode, (int)mode);
    atomic_store(&s->requests_left, requests);
}

void node_set_text(node_server *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    lks_buf_clear(&s->text);
    lks_buf_put_text(&s->text, text);
    pthread_mutex_unlock(&s->lock);
    node_set(s, NODE_TEXT);
}

void node_head(node_server *s, char *head, size_t size)
{
    pthread_mutex_lock(&s->lock);
    snprintf(head, size, "%s", s->head);
    pthread_mutex_unlock(&s->lock);
}

unsigned node_closed(const node_server *s)
{
    return atomic_load(&s->closed);
}
int node_port(const node_server *s)
{
    return s->port;
}
unsigned node_connections(const node_server *s)
{
    return atomic_load(&s->connections);
}
unsigned node_requests(const node_server *s)
{
    return atomic_load(&s->requests);
}
