#include "tests/hostile/http_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_HEAD ((size_t)64 << 10)
#define MOST_BODY ((size_t)8 << 20)

typedef struct connection {
    int fd;
    http_handler handler;
    void *user;
    lks_buf in; /* what came and is not taken yet */
} connection;

static bool send_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool receive(connection *c)
{
    char block[65536];
    ssize_t n = recv(c->fd, block, sizeof block, 0);
    if (n <= 0)
        return false;
    lks_buf_put(&c->in, block, (size_t)n);
    return !c->in.failed;
}

/* Waits for the next request. Out: where its body begins and how long it is. */
static bool next_request(connection *c, size_t *head, size_t *len)
{
    for (;;) {
        const char *text = lks_buf_text(&c->in), *end = strstr(text, "\r\n\r\n");
        if (end) {
            const char *length = strcasestr(text, "\r\ncontent-length:");
            *head = (size_t)(end + 4 - text);
            *len = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
            if (*len > MOST_BODY || strncmp(text, "POST ", 5) != 0)
                return false;
            if (c->in.len - *head >= *len)
                return true;
        } else if (c->in.len > MOST_HEAD) {
            return false;
        }
        if (!receive(c))
            return false;
    }
}

/* Returns: whether the connection goes on. */
static bool send_answer(connection *c, const http_answer *a)
{
    lks_buf out = {0};
    lks_buf_printf(&out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n", a->status,
                   a->status == 200 ? "OK" : "Sorry");
    if (a->retry_after)
        lks_buf_printf(&out, "Retry-After: %u\r\n", a->retry_after);
    lks_buf_printf(&out, "Content-Length: %zu\r\n\r\n", a->body.len);
    lks_buf_put(&out, a->body.data, a->body.len);
    bool half = a->fate == HTTP_HALF;
    bool sent = !out.failed && send_all(c->fd, out.data, half ? out.len / 2 : out.len);
    lks_buf_free(&out);
    return sent && !half;
}

/* Answers the request at the front. Returns: whether the connection goes on. */
static bool answer(connection *c, size_t head, size_t len)
{
    http_answer a = {.status = 200};
    char *body = strndup(lks_buf_text(&c->in) + head, len);
    bool goes_on = body != NULL;
    memmove(c->in.data, c->in.data + head + len, c->in.len - head - len + 1);
    c->in.len -= head + len;
    if (!body)
        return false;
    c->handler(c->user, body, strlen(body), &a);
    free(body);
    if (a.fate == HTTP_SILENT)
        while (receive(c)) /* until the other side has had enough */
            lks_buf_clear(&c->in);
    goes_on = a.fate != HTTP_SILENT && a.fate != HTTP_CUT && send_answer(c, &a);
    lks_buf_free(&a.body);
    return goes_on;
}

static void *converse(void *argument)
{
    connection *c = argument;
    size_t head, len;
    while (next_request(c, &head, &len) && answer(c, head, len))
        ;
    close(c->fd);
    lks_buf_free(&c->in);
    free(c);
    return NULL;
}

int http_listen(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 64) ||
        getsockname(fd, (struct sockaddr *)&at, &len)) {
        close(fd);
        return -1;
    }
    *port = ntohs(at.sin_port);
    return fd;
}

void http_serve(int socket, http_handler handler, void *user)
{
    for (int fd; (fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        connection *c = malloc(sizeof *c);
        pthread_t thread;
        if (!c) {
            close(fd);
            continue;
        }
        *c = (connection){.fd = fd, .handler = handler, .user = user};
        if (pthread_create(&thread, NULL, converse, c)) {
            close(fd);
            free(c);
            continue;
        }
        pthread_detach(thread);
    }
}
