#include "plugin/plan.h"

/* The first of a rank; count when none of it waits. */
static size_t first_of(lks_rank rank, const lks_waiting *all, size_t count)
{
    size_t first = count;
    for (size_t i = 0; i < count; i++)
        if (all[i].rank == rank && (first == count || all[i].due < all[first].due))
            first = i;
    return first;
}

/* Whether a task is owed its next pass: one that had none yet is taken to need as much as the one
 * that it would go ahead of. */
static bool is_owed(const lks_plan *plan, const lks_waiting *w, const lks_waiting *higher)
{
    int64_t owed = plan->owed_us[w->rank];
    return owed > 0 && (uint64_t)owed >= (w->pass_us ? w->pass_us : higher->pass_us);
}

size_t lks_plan_next(const lks_plan *plan, const lks_waiting *all, size_t count, bool *ahead)
{
    size_t best = count;
    *ahead = false;
    for (lks_rank rank = LKS_RANK_DEFENCE; rank < LKS_RANKS; rank++) {
        size_t i = first_of(rank, all, count);
        if (i == count)
            continue;
        if (best == count) {
            best = i;
        } else if (is_owed(plan, &all[i], &all[best])) {
            *ahead = true;
            return i;
        }
    }
    return best;
}

void lks_plan_ran(lks_plan *plan, lks_rank rank, uint64_t us, bool ahead,
                  const bool waited[LKS_RANKS])
{
    int64_t taken = us < INT64_MAX / 4 ? (int64_t)us : INT64_MAX / 4;
    int64_t *own = &plan->owed_us[rank];
    for (lks_rank other = LKS_RANK_DEFENCE + 1; other < LKS_RANKS; other++)
        if (other != rank && waited[other] && plan->owed_us[other] < INT64_MAX / 4)
            plan->owed_us[other] += taken / LKS_PLAN_PARTS;
    if (ahead)
        *own -= taken;
    else if (*own > 0)
        *own = *own > taken ? *own - taken : 0;
}
