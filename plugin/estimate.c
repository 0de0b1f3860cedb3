#include "plugin/estimate.h"

#include "plugin/log.h"
#include "plugin/operator.h"

#include <string.h>

static size_t index_of(const lks_operator *op, const lks_served *served)
{
    return (size_t)(served - op->models->items);
}

void lks_estimate_load(lks_operator *op)
{
    for (size_t i = 0; i < op->models->count; i++) {
        const lks_served *served = &op->models->items[i];
        lks_costs *c = &op->costs[i];
        *c = (lks_costs){.growth = lks_cost_growth(served->model ? &served->model->program : NULL)};
        if (lks_store_speed_get(op->store, served->model_id, &c->speed))
            memset(&c->speed, 0, sizeof c->speed);
    }
}

/* ---- measurements ---- */

static void store_speed(lks_operator *op, const lks_served *served, const lks_speed *speed)
{
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_speed_put(op->store, served->model_id, speed);
        if (!err)
            err = lks_store_commit(op->store);
        else
            lks_store_rollback(op->store);
    }
    if (err)
        lks_log(op->host, LKS_WARN, "a measured speed is not stored: %s", lks_error_message());
}

void lks_estimate_answer(lks_operator *op, const lks_answer *a)
{
    lks_costs *c = &op->costs[index_of(op, a->served)];
    lks_speed *s = &c->speed;
    uint64_t prompt = a->prompt_count, rest = a->count > 1 ? a->count - 1 : 0;
    s->prefill_us = lks_cost_blend(s->prefill_us,
                                   lks_cost_base(a->prefill_us, c->growth.batch, 0, prompt));
    if (rest)
        s->decode_us = lks_cost_blend(
            s->decode_us, lks_cost_base(a->decode_us, c->growth.token, prompt, rest));
    if (s->decode_us == 0) /* one token was all there was to measure */
        s->decode_us = a->total_ms * 1000 + 1;
    store_speed(op, a->served, s);
}

void lks_estimate_task(lks_operator *op, const lks_served *served, const lks_task_result *r)
{
    lks_costs *c = &op->costs[index_of(op, served)];
    if (r->pass_us == 0)
        return;
    uint64_t base = lks_cost_base(r->pass_us, c->growth.batch, 0, r->positions);
    uint64_t *kept = r->task.kind == LKS_TASK_CHECK ? &c->check_us : &c->trace_us;
    *kept = lks_cost_blend(*kept, base);
}

/* ---- estimates ---- */

uint64_t lks_estimate_prompt_us(const lks_operator *op, const lks_served *served, uint64_t prompt)
{
    const lks_costs *c = &op->costs[index_of(op, served)];
    uint64_t base = c->speed.prefill_us;
    return base ? lks_cost_us(base, c->growth.batch, 0, prompt) + c->speed.decode_us : 0;
}

uint64_t lks_estimate_run_us(const lks_operator *op, const lks_served *served, lks_task_kind kind,
                             uint64_t positions)
{
    const lks_costs *c = &op->costs[index_of(op, served)];
    uint64_t base = kind == LKS_TASK_CHECK && c->check_us ? c->check_us : c->trace_us;
    if (base == 0) /* one pass like that of a prompt, and its hashing */
        base = 2 * c->speed.prefill_us;
    return base ? lks_cost_us(base, c->growth.batch, 0, positions) : 0;
}

static uint64_t positions_of(const lks_request *r)
{
    return (uint64_t)r->prompt_count + r->max_tokens;
}

uint64_t lks_estimate_answer_ms(const lks_operator *op, const lks_request *r)
{
    const lks_served *served = lks_models_find(op->models, r->model_id);
    const lks_costs *c = served ? &op->costs[index_of(op, served)] : NULL;
    if (!c || c->speed.decode_us == 0)
        return UINT64_MAX;
    uint64_t us = lks_cost_us(c->speed.prefill_us, c->growth.batch, 0, r->prompt_count) +
                  lks_cost_us(c->speed.decode_us, c->growth.token, r->prompt_count, r->max_tokens);
    if (lks_u256_cmp(&r->stake, &op->config->recheck_stake) >= 0)
        us += lks_estimate_run_us(op, served, LKS_TASK_CHECK, positions_of(r));
    return us / 1000 + 1;
}

uint64_t lks_estimate_trace_ms(const lks_operator *op, const lks_request *r)
{
    if (!lks_disputes_on(op))
        return 0;
    const lks_served *served = lks_models_find(op->models, r->model_id);
    uint64_t us = served ? lks_estimate_run_us(op, served, LKS_TASK_COMPARE, positions_of(r)) : 0;
    return us ? us / 1000 + 1 : UINT64_MAX;
}
