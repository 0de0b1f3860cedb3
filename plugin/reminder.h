/* When something that lasts is worth a line again.
 * Thread rule: no shared state. */
#ifndef LKS_PLUGIN_REMINDER_H
#define LKS_PLUGIN_REMINDER_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing was told yet. */
typedef struct lks_reminder {
    bool told;
    uint64_t told_ms; /* monotonic */
} lks_reminder;

/* Whether it was never told, or not for that long; then it is taken as told now. */
bool lks_reminder_due(lks_reminder *r, uint64_t every_ms);
/* What was told is over. Returns: whether it was told. */
bool lks_reminder_end(lks_reminder *r);

#endif
