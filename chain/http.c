#include "chain/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define MAX_HEAD 65536u

static lks_err not_http(void) { return lks_fail(LKS_CORRUPT, "the node's answer is not HTTP"); }

/* The value of Retry-After in seconds. It may also be a date. */
static uint32_t retry_after(const char *value)
{
    struct tm utc = {0};
    if (*value >= '0' && *value <= '9') {
        unsigned long seconds = strtoul(value, NULL, 10);
        return seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
    }
    if (!strptime(value, "%a, %d %b %Y %H:%M:%S", &utc))
        return 0;
    time_t wait = timegm(&utc) - time(NULL);
    return wait > 0 ? (uint32_t)wait : 1;
}

/* Whether a list of words has the word. */
static bool lists(const char *value, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = value; (at = strcasestr(at, word)); at += len)
        if ((at == value || strchr(", \t", at[-1])) && strchr(", \t;", at[len]))
            return true;
    return false;
}

static lks_err take_status(lks_http_reader *r)
{
    const char *line = r->line;
    if (strncmp(line, "HTTP/1.", 7) || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
        return not_http();
    for (int i = 9; i < 12; i++)
        if (line[i] < '0' || line[i] > '9')
            return not_http();
    r->status = atoi(line + 9);
    r->closes = line[7] == '0';
    r->phase = LKS_HTTP_HEADERS;
    return LKS_OK;
}

static lks_err take_length(lks_http_reader *r, const char *value)
{
    char *end;
    unsigned long long length = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || (r->has_length && length != r->left))
        return not_http();
    r->has_length = true;
    r->left = length;
    return LKS_OK;
}

/* After the empty line. */
static void begin_body(lks_http_reader *r)
{
    if (r->status / 100 == 1) { /* an interim answer; the real one follows */
        size_t head_size = r->head_size;
        *r = (lks_http_reader){.head_size = head_size};
    } else if (r->status == 204 || r->status == 304)
        r->phase = LKS_HTTP_DONE;
    else if (r->chunked)
        r->phase = LKS_HTTP_CHUNK;
    else if (r->has_length)
        r->phase = r->left ? LKS_HTTP_BODY : LKS_HTTP_DONE;
    else {
        r->closes = true;
        r->phase = LKS_HTTP_REST;
    }
}

static lks_err take_header(lks_http_reader *r)
{
    if (!r->line_len) {
        begin_body(r);
        return LKS_OK;
    }
    char *value = strchr(r->line, ':');
    if (!value)
        return not_http();
    *value++ = 0;
    value += strspn(value, " \t");
    for (size_t len = strlen(value); len && strchr(" \t", value[len - 1]); len--)
        value[len - 1] = 0;
    if (!strcasecmp(r->line, "content-length"))
        return take_length(r, value);
    if (!strcasecmp(r->line, "transfer-encoding"))
        r->chunked = lists(value, "chunked");
    else if (!strcasecmp(r->line, "connection"))
        r->closes = lists(value, "close") || (r->closes && !lists(value, "keep-alive"));
    else if (!strcasecmp(r->line, "retry-after"))
        r->retry_after_s = retry_after(value);
    return LKS_OK;
}

static lks_err take_chunk_size(lks_http_reader *r)
{
    char *end;
    r->left = strtoull(r->line, &end, 16);
    if (!strchr("0123456789abcdefABCDEF", r->line[0]) || !r->line[0] || end - r->line > 15)
        return not_http();
    r->phase = r->left ? LKS_HTTP_CHUNK_BODY : LKS_HTTP_TRAILER;
    return LKS_OK;
}

/* A whole line, without its end. */
static lks_err take_line(lks_http_reader *r)
{
    switch (r->phase) {
    case LKS_HTTP_STATUS:
        return take_status(r);
    case LKS_HTTP_HEADERS:
        return take_header(r);
    case LKS_HTTP_CHUNK:
        return take_chunk_size(r);
    case LKS_HTTP_CHUNK_END:
        r->phase = LKS_HTTP_CHUNK;
        return r->line_len ? not_http() : LKS_OK;
    default: /* the trailer */
        if (!r->line_len)
            r->phase = LKS_HTTP_DONE;
        return LKS_OK;
    }
}

/* Adds to the line under way, and takes it when it ends. */
static lks_err read_line(lks_http_reader *r, const char *data, size_t len, size_t *used)
{
    const char *end = memchr(data, '\n', len);
    size_t piece = end ? (size_t)(end - data) : len, room = sizeof r->line - 1 - r->line_len;
    *used = piece + (end != NULL);
    memcpy(r->line + r->line_len, data, piece < room ? piece : room);
    r->line_len += piece < room ? piece : room;
    if (r->phase != LKS_HTTP_CHUNK && r->phase != LKS_HTTP_CHUNK_END)
        r->head_size += *used;
    if (r->head_size > MAX_HEAD || memchr(r->line, 0, r->line_len))
        return not_http();
    if (!end)
        return LKS_OK;
    if (r->line_len && r->line[r->line_len - 1] == '\r')
        r->line_len--;
    r->line[r->line_len] = 0;
    lks_err err = take_line(r);
    r->line_len = 0;
    return err;
}

lks_err lks_http_read(lks_http_reader *r, const char *data, size_t len, size_t *used,
                      const char **body, size_t *body_len)
{
    *body = data;
    *body_len = 0;
    switch (r->phase) {
    case LKS_HTTP_REST:
        *used = *body_len = len;
        return LKS_OK;
    case LKS_HTTP_BODY:
    case LKS_HTTP_CHUNK_BODY:
        *used = *body_len = r->left < len ? (size_t)r->left : len;
        r->left -= *used;
        if (!r->left)
            r->phase = r->phase == LKS_HTTP_BODY ? LKS_HTTP_DONE : LKS_HTTP_CHUNK_END;
        return LKS_OK;
    case LKS_HTTP_DONE:
        *used = len;
        return LKS_OK;
    default:
        return read_line(r, data, len, used);
    }
}

bool lks_http_end(lks_http_reader *r)
{
    if (r->phase == LKS_HTTP_REST)
        r->phase = LKS_HTTP_DONE;
    return r->phase == LKS_HTTP_DONE;
}
