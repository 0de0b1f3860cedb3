#include "chain/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for len bytes more and a zero byte. */
static bool reserve(lks_buf *buf, size_t len)
{
    if (buf->failed)
        return false;
    if (len > SIZE_MAX / 2 - 1 - buf->len) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + len + 1;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap * 2 > need ? buf->cap * 2 : need;
    if (cap < 64)
        cap = 64;
    uint8_t *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void lks_buf_put(lks_buf *buf, const void *data, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = 0;
}

void lks_buf_put_byte(lks_buf *buf, uint8_t byte)
{
    lks_buf_put(buf, &byte, 1);
}

void lks_buf_put_text(lks_buf *buf, const char *text)
{
    lks_buf_put(buf, text, strlen(text));
}

void lks_buf_printf(lks_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        buf->failed = true;
        return;
    }
    if (!reserve(buf, (size_t)n))
        return;
    va_start(args, format);
    vsnprintf((char *)buf->data + buf->len, (size_t)n + 1, format, args);
    va_end(args);
    buf->len += (size_t)n;
}

uint8_t *lks_buf_extend(lks_buf *buf, size_t len)
{
    if (!reserve(buf, len))
        return NULL;
    uint8_t *at = buf->data + buf->len;
    memset(at, 0, len + 1);
    buf->len += len;
    return at;
}

const char *lks_buf_text(const lks_buf *buf)
{
    return buf->data ? (const char *)buf->data : "";
}

lks_err lks_buf_error(const lks_buf *buf)
{
    return buf->failed ? lks_fail(LKS_NOMEM, "out of memory after %zu bytes", buf->len) : LKS_OK;
}

void lks_buf_clear(lks_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = 0;
}

void lks_buf_free(lks_buf *buf)
{
    free(buf->data);
    *buf = (lks_buf){0};
}

void lks_buf_wipe(lks_buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    lks_buf_free(buf);
}
