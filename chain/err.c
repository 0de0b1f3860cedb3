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

lks_err lks_fail(lks_err err, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    make_one_line(text);
    memcpy(message, text, sizeof text);
    return err;
}

lks_err lks_fail_in(lks_err err, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, ": %s", message);
    make_one_line(text);
    memcpy(message, text, sizeof text);
    return err;
}

const char *lks_error_message(void) { return message; }

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
    }
    return "unknown";
}
