/* Estimates of the engine time that a model's work takes on this machine, from measurements, when
 * it has the machine for itself. For the event thread. */
#ifndef LKS_PLUGIN_ESTIMATE_H
#define LKS_PLUGIN_ESTIMATE_H

#include "chain/contracts.h"
#include "plugin/cost.h"
#include "plugin/models.h"
#include "plugin/prover.h"
#include "plugin/worker.h"

typedef struct lks_operator lks_operator;

/* Of a model. */
typedef struct lks_costs {
    lks_growth growth;
    lks_measured of[LKS_RUN_KINDS]; /* stored */
} lks_costs;

/* Loads earlier measurements. */
void lks_estimate_load(lks_operator *op);
/* Adds the measurement of an answer or a task. */
void lks_estimate_answer(lks_operator *op, const lks_answer *answer);
void lks_estimate_task(lks_operator *op, const lks_served *served, const lks_task_result *r);

/* Whether answers were measured at all, and at lengths enough for a fit. */
bool lks_estimate_is_known(const lks_operator *op, const lks_served *served);
bool lks_estimate_is_fitted(const lks_operator *op, const lks_served *served);

/* Return: microseconds that are expected; 0 when they are not known. */
uint64_t lks_estimate_prompt_us(const lks_operator *op, const lks_served *served, uint64_t prompt);
uint64_t lks_estimate_run_us(const lks_operator *op, const lks_served *served, lks_task_kind kind,
                             uint64_t positions);

/* Milliseconds that the longest answer to a request will hardly exceed, with its second run where
 * there is one. Returns: UINT64_MAX when that is not known yet, or the model is not served. */
uint64_t lks_estimate_answer_ms(const lks_operator *op, const lks_request *r);
/* Milliseconds that the claim's trace will hardly exceed. Returns as above; 0 without a dispute
 * game. */
uint64_t lks_estimate_trace_ms(const lks_operator *op, const lks_request *r);

#endif
