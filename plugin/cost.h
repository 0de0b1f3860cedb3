/* What runs of a model cost in time. Pure: numbers in, numbers out.
 *
 * A position costs what the weights take, and attention over the positions before it:
 *
 *     base * (1 + growth * p)     microseconds, of the position with p before it
 *
 * The base is measured; the growth follows from the model's shapes. So a measurement of a short run
 * says what a long one takes: n positions cost base * (n + growth * n^2 / 2). */
#ifndef LKS_PLUGIN_COST_H
#define LKS_PLUGIN_COST_H

#include "oracle/program.h"

/* Of a model: what a position adds to the cost of those behind it, of the base. */
typedef struct lks_growth {
    double batch; /* where many positions are computed together: a prompt, a trace, a check */
    double token; /* where one is: an answer's */
} lks_growth;

/* In: p may be NULL, and nothing grows then. */
lks_growth lks_cost_growth(const lks_program *p);

/* Returns: microseconds of count positions behind the first `before`; at least 1. */
uint64_t lks_cost_us(uint64_t base_us, double growth, uint64_t before, uint64_t count);
/* Returns: the base that such a run of us microseconds shows; at least 1. */
uint64_t lks_cost_base(uint64_t us, double growth, uint64_t before, uint64_t count);
/* Returns: old, changed by what was measured; 0 stands for unknown in both. */
uint64_t lks_cost_blend(uint64_t old_us, uint64_t measured_us);

#endif
