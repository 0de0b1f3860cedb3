/* When to try again what has failed: after a second, then after twice as long each time, up to a
 * minute. */
#ifndef LKS_CLI_BACKOFF_H
#define LKS_CLI_BACKOFF_H

#include <stdbool.h>

/* All zero: ready. */
typedef struct lks_backoff {
    double pause; /* seconds; 0: nothing has failed */
    double until; /* lks_now */
} lks_backoff;

bool lks_backoff_ready(const lks_backoff *b);
void lks_backoff_fail(lks_backoff *b);
/* No later than in so many seconds, or in one. */
void lks_backoff_limit(lks_backoff *b, double seconds);
/* It has worked. */
void lks_backoff_reset(lks_backoff *b);

#endif
