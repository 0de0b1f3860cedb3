/* Decides when a lasting condition is logged again.
 * Thread rule: no shared state. */
#ifndef LKS_PLUGIN_REMINDER_H
#define LKS_PLUGIN_REMINDER_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing is logged yet. */
typedef struct lks_reminder {
    bool told;
    uint64_t told_ms; /* monotonic */
} lks_reminder;

/* Whether the condition was not logged for every_ms, or never; if so, counts as logged now. */
bool lks_reminder_due(lks_reminder *r, uint64_t every_ms);
/* Ends the condition. Returns: whether it had been logged. */
bool lks_reminder_end(lks_reminder *r);

#endif
