#include "oracle/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool stamped;

void lks_cli_stamp_lines(void)
{
    stamped = true;
}

void lks_cli_stamp(FILE *out)
{
    char text[32];
    struct tm parts;
    time_t now = time(NULL);
    if (stamped && isatty(fileno(out)) != 1 && gmtime_r(&now, &parts) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ ", &parts) > 0)
        fputs(text, out);
}

static void print(const char *format, va_list args)
{
    fflush(stdout);
    lks_cli_stamp(stderr);
    fputs("lockstep: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int lks_cli_fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
    return code;
}

void lks_cli_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print(format, args);
    va_end(args);
}

static void tell(const char *what, const char *hint)
{
    lks_cli_note("%s: %s%s%s", what, lks_error_message(), hint != NULL ? "; " : "",
                 hint != NULL ? hint : "");
}

int lks_cli_fail_file(lks_err err, const char *what, const char *hint)
{
    tell(what, hint);
    switch (err) {
    case LKS_BADARGS: return LKS_EXIT_USAGE;
    case LKS_AUTH: return LKS_EXIT_AUTH;
    case LKS_NOMEM:
    case LKS_INTERNAL: return LKS_EXIT_INTERNAL;
    default: return LKS_EXIT_INPUT;
    }
}

int lks_cli_fail_chain(lks_err err, const char *what, const char *hint)
{
    tell(what, hint);
    switch (err) {
    case LKS_BADARGS: return LKS_EXIT_USAGE;
    case LKS_REFUSED: return LKS_EXIT_REFUSED;
    case LKS_NOMEM:
    case LKS_INTERNAL: return LKS_EXIT_INTERNAL;
    default: return LKS_EXIT_CHAIN;
    }
}

int lks_cli_finish(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return lks_cli_fail(
            LKS_EXIT_INTERNAL,
            "standard output: cannot be written: %s; free some space or redirect it elsewhere",
            strerror(errno));
    }
    return code;
}
