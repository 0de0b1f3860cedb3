#include "oracle/cli/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

double lks_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void lks_progress_begin(lks_progress *p, const char *label, bool forced)
{
    *p = (lks_progress){.label = label};
    p->terminal = isatty(STDERR_FILENO) == 1;
    p->shown = p->terminal || forced;
    p->started = p->last = lks_now();
}

static bool due(lks_progress *p)
{
    double now = lks_now();
    if (!p->shown || now - p->started < 1 || now - p->last < (p->terminal ? 0.2 : 1.0)) {
        return false;
    }
    p->last = now;
    return true;
}

static void clear_line(lks_progress *p)
{
    if (p->line_open) {
        fputs("\r\033[K", stderr);
        p->line_open = false;
    }
}

static void end_line(lks_progress *p)
{
    if (!p->terminal) {
        fputc('\n', stderr);
    }
    p->line_open = p->terminal;
    fflush(stderr);
}

void lks_progress_update(lks_progress *p, uint64_t done, uint64_t total)
{
    if (due(p)) {
        clear_line(p);
        fprintf(stderr, "%s %" PRIu64 " %%", p->label,
                total == 0 ? 100 : (uint64_t)(100.0 * (double)done / (double)total));
        end_line(p);
    }
}

void lks_progress_note(lks_progress *p, const char *format, ...)
{
    va_list args;
    if (!p->shown) {
        return;
    }
    clear_line(p);
    fprintf(stderr, "%7.1f s  ", lks_now() - p->started);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    fflush(stderr);
}

void lks_progress_wait(lks_progress *p, const char *what)
{
    if (p->terminal && due(p)) {
        clear_line(p);
        fprintf(stderr, "%7.1f s  %s", lks_now() - p->started, what);
        end_line(p);
    }
}

void lks_progress_end(lks_progress *p)
{
    clear_line(p);
    fflush(stderr);
}
