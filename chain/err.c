#include "chain/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 512

static _Thread_local char message[MESSAGE_SIZE] = "no error";

/* Outside text may reach a message: keep it one printable line. */
static void make_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void lks_fail_store(const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_one_line(text);
    memcpy(message, text, sizeof text);
}

void lks_fail_store_in(const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n + 3 < sizeof text) {
        size_t at = (size_t)n, len = strnlen(message, sizeof text - at - 3);
        memcpy(text + at, ": ", 2);
        memcpy(text + at + 2, message, len);
        text[at + 2 + len] = 0;
    }
    make_one_line(text);
    memcpy(message, text, sizeof text);
}

const char *lks_error_message(void)
{
    return message;
}

const char *lks_err_name(lks_err err)
{
    switch (err) {
    case LKS_OK: return "ok";
    case LKS_BADARGS: return "bad arguments";
    case LKS_CORRUPT: return "corrupt";
    case LKS_REFUSED: return "refused";
    case LKS_NOTFOUND: return "not found";
    case LKS_AUTH: return "not authorised";
    case LKS_NOMEM: return "out of memory";
    case LKS_IO: return "input/output";
    case LKS_REMOTE: return "node error";
    case LKS_TIMEOUT: return "time-out";
    case LKS_INTERNAL: return "internal";
    case LKS_BUSY: return "busy";
    case LKS_TOO_LARGE: return "too large";
    }
    return "unknown";
}
