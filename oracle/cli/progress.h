/* Progress of work that takes longer than a second: on standard error, and only where somebody
 * looks (a terminal, or --progress). */
#ifndef LKS_CLI_PROGRESS_H
#define LKS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lks_progress {
    const char *label;
    bool shown, terminal;
    double started, last; /* seconds, lks_now */
    bool line_open;       /* a line without its newline stands on the terminal */
} lks_progress;

/* Seconds of a clock that only goes forward. */
double lks_now(void);

/* Out: *p; forced is the --progress option. */
void lks_progress_begin(lks_progress *p, const char *label, bool forced);
/* Shows "label 42 %" on a terminal at most five times, elsewhere at most once a second, and nothing
 * in the first second. */
void lks_progress_update(lks_progress *p, uint64_t done, uint64_t total);
/* Shows one line of news ("accepted by 0x...") at once. */
void lks_progress_note(lks_progress *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Shows "label ..., 12 s" while something is waited for. Call it a few times a second. */
void lks_progress_wait(lks_progress *p, const char *what);
/* Leaves the terminal on a fresh line. */
void lks_progress_end(lks_progress *p);

#endif
