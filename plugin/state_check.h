/* Whether the contracts say the same of our claims, disputes and seats as their events do. Events
 * can be left out by a node that is behind or loses them, and nothing in a list shows what is not
 * in it; the state cannot. Asked of the newest block, by its hash, at the start, after a gap, and
 * every few blocks. What differs at two heads is told, and read again until it does not.
 *
 * The event thread's. */
#ifndef LKS_PLUGIN_STATE_CHECK_H
#define LKS_PLUGIN_STATE_CHECK_H

#include "plugin/reminder.h"

#include <stddef.h>

/* Something that events and contract do not agree about. */
typedef struct lks_disagreement {
    uint8_t id[32];    /* of a claim or a request */
    uint64_t head;     /* the newest at which it was found */
    unsigned heads;    /* so many have shown it */
    uint64_t since_ms; /* monotonic, as the next */
    uint64_t read_ms;  /* when the events were last given up; 0: not yet */
    lks_reminder lasts;
} lks_disagreement;

/* All zero at first. */
typedef struct lks_state_check {
    uint64_t all_head; /* at which every claim was compared; 0: not yet */
    uint64_t head;     /* at which any was */
    bool gap;          /* blocks were missing since */
    lks_disagreement *items;
    size_t count, capacity;
    lks_reminder failed;
} lks_state_check;

struct lks_operator;

/* Compares what is due at this head. For the end of a tick: games are then at the head. Returns:
 * whether something is to be done anew at once. */
bool lks_state_check_look(struct lks_operator *op);
void lks_state_check_free(lks_state_check *c);

#endif
