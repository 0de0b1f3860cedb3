#include "plugin/estimate.h"

#include "plugin/log.h"
#include "plugin/operator.h"

#include <string.h>

static size_t index_of(const lks_operator *op, const lks_served *served)
{
    return (size_t)(served - op->models->items);
}

static const lks_costs *costs_of(const lks_operator *op, const lks_served *served)
{
    return &op->costs[index_of(op, served)];
}

void lks_estimate_load(lks_operator *op)
{
    for (size_t i = 0; i < op->models->count; i++) {
        const lks_served *served = &op->models->items[i];
        lks_costs *c = &op->costs[i];
        *c = (lks_costs){.growth = lks_cost_growth(served->model ? &served->model->program : NULL)};
        for (int kind = 0; kind < LKS_RUN_KINDS; kind++)
            if (lks_store_measured_get(op->store, served->model_id, (lks_run_kind)kind,
                                       &c->of[kind]))
                c->of[kind] = (lks_measured){0};
    }
}

/* ---- measurements ---- */

static void store_measured(lks_operator *op, const lks_served *served, lks_run_kind kind)
{
    const lks_measured *m = &costs_of(op, served)->of[kind];
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_measured_put(op->store, served->model_id, kind, m);
        if (!err)
            err = lks_store_commit(op->store);
        else
            lks_store_rollback(op->store);
    }
    if (err)
        lks_log(op->host, LKS_WARN, "a measured speed is not stored: %s", lks_error_message());
}

static void note(lks_operator *op, const lks_served *served, lks_run_kind kind, uint64_t before,
                 uint64_t count, uint64_t us)
{
    if (count == 0)
        return;
    lks_cost_note(&op->costs[index_of(op, served)].of[kind], before, count, us ? us : 1);
    store_measured(op, served, kind);
}

void lks_estimate_answer(lks_operator *op, const lks_answer *a)
{
    uint64_t prompt = a->prompt_count, rest = a->count > 1 ? a->count - 1 : 0;
    note(op, a->served, LKS_RUN_PROMPT, 0, prompt, a->prefill_us);
    if (rest)
        note(op, a->served, LKS_RUN_TOKENS, prompt, rest, a->decode_us);
    else if (!lks_estimate_is_known(op, a->served)) /* one token was all there was to measure */
        note(op, a->served, LKS_RUN_TOKENS, 0, prompt, (a->total_ms * 1000 + 1) * prompt);
}

void lks_estimate_task(lks_operator *op, const lks_served *served, const lks_task_result *r)
{
    if (r->pass_us)
        note(op, served, r->task.kind == LKS_TASK_CHECK ? LKS_RUN_CHECK : LKS_RUN_TRACE, 0,
             r->positions, r->pass_us);
}

bool lks_estimate_is_known(const lks_operator *op, const lks_served *served)
{
    return costs_of(op, served)->of[LKS_RUN_TOKENS].runs > 0;
}

bool lks_estimate_is_fitted(const lks_operator *op, const lks_served *served)
{
    return lks_cost_is_fitted(&costs_of(op, served)->of[LKS_RUN_PROMPT]);
}

/* ---- estimates ---- */

typedef lks_line (*line_fn)(const lks_measured *m, double growth);

/* Returns: microseconds of a run; 0 when nothing is known of its kind. */
static uint64_t run_us(const lks_costs *c, line_fn line_of, lks_run_kind kind, uint64_t before,
                       uint64_t count)
{
    double growth = kind == LKS_RUN_TOKENS ? c->growth.token : c->growth.batch;
    if (kind == LKS_RUN_TRACE || kind == LKS_RUN_CHECK) /* hashing adds to the base alone */
        growth = lks_cost_fitted_growth(&c->of[LKS_RUN_PROMPT], growth);
    lks_line line = line_of(&c->of[kind], growth);
    return lks_cost_us(&line, before, count);
}

/* A check or a trace. Of kinds that were not measured: one pass like that of a prompt, and its
 * hashing. */
static uint64_t rerun_us(const lks_costs *c, line_fn line_of, lks_task_kind kind, uint64_t count)
{
    uint64_t us = kind == LKS_TASK_CHECK ? run_us(c, line_of, LKS_RUN_CHECK, 0, count) : 0;
    if (us == 0)
        us = run_us(c, line_of, LKS_RUN_TRACE, 0, count);
    return us ? us : 2 * run_us(c, line_of, LKS_RUN_PROMPT, 0, count);
}

uint64_t lks_estimate_prompt_us(const lks_operator *op, const lks_served *served, uint64_t prompt)
{
    return run_us(costs_of(op, served), lks_cost_likely, LKS_RUN_PROMPT, 0, prompt);
}

uint64_t lks_estimate_run_us(const lks_operator *op, const lks_served *served, lks_task_kind kind,
                             uint64_t positions)
{
    return rerun_us(costs_of(op, served), lks_cost_likely, kind, positions);
}

static uint64_t positions_of(const lks_request *r)
{
    return (uint64_t)r->prompt_count + r->max_tokens;
}

uint64_t lks_estimate_answer_ms(const lks_operator *op, const lks_request *r)
{
    const lks_served *served = lks_models_find(op->models, r->model_id);
    if (!served || !lks_estimate_is_known(op, served))
        return UINT64_MAX;
    const lks_costs *c = costs_of(op, served);
    uint64_t us = run_us(c, lks_cost_safe, LKS_RUN_PROMPT, 0, r->prompt_count) +
                  run_us(c, lks_cost_safe, LKS_RUN_TOKENS, r->prompt_count, r->max_tokens);
    if (lks_u256_cmp(&r->stake, &op->config->recheck_stake) >= 0)
        us += rerun_us(c, lks_cost_safe, LKS_TASK_CHECK, positions_of(r));
    return us / 1000 + 1;
}

uint64_t lks_estimate_trace_ms(const lks_operator *op, const lks_request *r)
{
    if (!lks_disputes_on(op))
        return 0;
    const lks_served *served = lks_models_find(op->models, r->model_id);
    uint64_t us = 0;
    if (served)
        us = rerun_us(costs_of(op, served), lks_cost_safe, LKS_TASK_COMPARE, positions_of(r));
    return us ? us / 1000 + 1 : UINT64_MAX;
}
