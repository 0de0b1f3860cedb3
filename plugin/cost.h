/* Time that runs of a model take. Pure: numbers in, numbers out.
 *
 * A position takes as long as the weights do, and attention over the positions before it. So a run
 * of n positions behind b others takes, for each of them and on average,
 *
 *     base + slope * x    microseconds, with x = b + n / 2
 *
 * which is quadratic in n for the whole run. Base and slope are fitted to the runs that were
 * measured; the model's shape says how the cost grows where these are too few, or too short. */
#ifndef LKS_PLUGIN_COST_H
#define LKS_PLUGIN_COST_H

#include "oracle/model/program.h"

/* The slope that the model's shape suggests, as a part of the base. */
typedef struct lks_growth {
    double batch; /* where many positions are computed together: a prompt, a trace, a check */
    double token; /* where one is: an answer's */
} lks_growth;

/* In: p may be NULL, and nothing grows then. */
lks_growth lks_cost_growth(const lks_program *p);

typedef enum lks_run_kind {
    LKS_RUN_PROMPT, /* of an answer, up to its first token */
    LKS_RUN_TOKENS, /* the other tokens of an answer */
    LKS_RUN_TRACE,  /* a claim, with the trace hashed */
    LKS_RUN_CHECK,  /* a claim's tokens alone */
    LKS_RUN_KINDS
} lks_run_kind;

/* One cell for each power of two of x, which covers all lengths that a model can have. */
#define LKS_COST_CELLS 20u

typedef struct lks_cost_cell {
    double x;     /* of its runs, blended; positions */
    double us;    /* per position, blended; 0: none was measured */
    uint64_t run; /* number of its newest run */
} lks_cost_cell;

/* Measured runs of one kind. All zero: none. */
typedef struct lks_measured {
    lks_cost_cell cells[LKS_COST_CELLS]; /* cell k: x in [2^k, 2^(k+1)) */
    uint64_t runs;                       /* number of the newest one */
} lks_measured;

/* Takes a run of `count` positions behind `before` that took us microseconds. What the last 64 runs
 * did not measure again is forgotten: the machine changes. */
void lks_cost_note(lks_measured *m, uint64_t before, uint64_t count, uint64_t us);

/* Whether a run of about that length was measured, and is not forgotten. */
bool lks_cost_has(const lks_measured *m, uint64_t before, uint64_t count);

/* Returns: x of the longest run; 0 when there is none. */
double lks_cost_reach(const lks_measured *m);

/* Whether there are three lengths or more, the longest at least four times the shortest: then the
 * slope is fitted. */
bool lks_cost_is_fitted(const lks_measured *m);

/* Microseconds per position, as above up to x = end, and with another slope behind it. */
typedef struct lks_line {
    double base, slope, end, beyond;
} lks_line;

/* What a run is expected to take: the fit, extended as it is; with too few lengths, the longest one
 * and the growth. Base and slope are 0 when nothing was measured. */
lks_line lks_cost_likely(const lks_measured *m, double growth);
/* What a run will hardly exceed: as long for each length as was measured, if not longer. Beyond the
 * longest one the cost grows a quarter faster than in the fit, and not less than by the growth;
 * with too few lengths, by twice the growth. */
lks_line lks_cost_safe(const lks_measured *m, double growth);

/* Returns: the growth that the fit shows, at least `growth`, which is also returned without a fit.
 */
double lks_cost_fitted_growth(const lks_measured *m, double growth);

/* Returns: microseconds of count positions behind the first `before`, at least 1; 0 for a line of
 * which nothing was measured. */
uint64_t lks_cost_us(const lks_line *line, uint64_t before, uint64_t count);

#endif
