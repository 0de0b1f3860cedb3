/* Whose pass of the engine is next. Pure: no clock, no lock, no thread.
 *
 * Tasks have ranks. The one of the highest rank goes first, of equals the one that is due first.
 * Every rank but the highest is owed a part of what others take while it waits, and goes ahead of
 * higher ones when it is owed as much as its pass takes: so the defence has at least eight tenths
 * of the machine, and each of the others a tenth while it wants it.
 */
#ifndef LKS_PLUGIN_PLAN_H
#define LKS_PLUGIN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lks_rank {
    LKS_RANK_DEFENCE,   /* moves for claims of our own */
    LKS_RANK_CHALLENGE, /* moves in disputes that we opened */
    LKS_RANK_WORK,      /* comparisons, checks, answers, trials */
    LKS_RANKS
} lks_rank;

/* A rank is owed one part in so many of what others take while it waits: a tenth of all. */
#define LKS_PLAN_PARTS 9

/* One task that waits for its next pass. */
typedef struct lks_waiting {
    lks_rank rank;
    uint64_t due;     /* chain seconds: when it must go on to be done in time */
    uint64_t pass_us; /* what its last pass took, which the next is taken to take; 0: none yet */
} lks_waiting;

/* All zero at the start. */
typedef struct lks_plan {
    int64_t owed_us[LKS_RANKS];
} lks_plan;

/* Out: *ahead, whether it goes before a higher rank, because it is owed that much. Returns: the
 * index of the one that goes next; count when nobody waits. */
size_t lks_plan_next(const lks_plan *plan, const lks_waiting *all, size_t count, bool *ahead);

/* A pass has run. In: ahead, as lks_plan_next said; waited, of each rank whether a task of it
 * waited meanwhile. */
void lks_plan_ran(lks_plan *plan, lks_rank rank, uint64_t us, bool ahead,
                  const bool waited[LKS_RANKS]);

#endif
