#include "plugin/gate.h"

#include "plugin/operator.h"

/* Used part of FLOOR, the least time that the game gives each answer: a fifth may go to tasks of
 * ours that are no defence (plan.h), and the time taken may be half as much again as estimated. */
#define FLOOR_PARTS 15
#define FLOOR_USED 8
/* Passes over a disputed claim whose rows are not kept: the trace, the leaves, the partials. */
#define PASSES 3

bool lks_gate_load(lks_load *out, const lks_operator *op, const lks_job *job)
{
    const lks_request *r = &job->request;
    const lks_served *served = lks_models_find(op->models, r->model_id);
    lks_trace_needs needs = {0};
    unsigned threads = op->config->threads;
    bool unanswered = job->state == LKS_JOB_SEEN || job->state == LKS_JOB_ACCEPTING ||
                      job->state == LKS_JOB_ACCEPTED;
    *out = (lks_load){.trace_ms = lks_estimate_trace_ms(op, r)};
    uint64_t answer_ms = lks_estimate_answer_ms(op, r);
    bool known = out->trace_ms != UINT64_MAX && answer_ms != UINT64_MAX;
    if (unanswered && !lks_job_has_answer(job))
        out->answer_ms = answer_ms;
    if (known && served)
        known = !lks_answers_measures(op, served, (uint64_t)r->prompt_count + r->max_tokens);
    if (!served || !served->model)
        return known;
    if (unanswered && (uint64_t)r->prompt_count + r->max_tokens <= served->max_positions)
        out->answering = lks_generate_bytes(served->model, r->prompt_count, r->max_tokens, threads);
    if (lks_disputes_on(op) &&
        lks_trace_plan(&needs, served->model, r->prompt_count, r->max_tokens, threads)) {
        out->rows = needs.rows;
        out->kept = needs.kept;
        out->tracing = needs.pass;
    }
    return known;
}

static uint64_t sum(uint64_t a, uint64_t b) { return a < UINT64_MAX - b ? a + b : UINT64_MAX; }

static uint64_t greater(uint64_t a, uint64_t b) { return a > b ? a : b; }

void lks_gate_add(lks_load *all, const lks_load *one)
{
    if (one->answer_ms != UINT64_MAX)
        all->answer_ms += one->answer_ms;
    if (one->trace_ms != UINT64_MAX)
        all->trace_ms += one->trace_ms;
    all->rows = sum(all->rows, one->rows);
    all->kept = sum(all->kept, one->kept);
    all->answering = greater(all->answering, one->answering);
    all->tracing = greater(all->tracing, one->tracing);
}

static uint64_t defence_ms(const lks_operator *op, const lks_load *load)
{
    lks_spill *spill = op->resources.spill;
    if (load->trace_ms == UINT64_MAX)
        return UINT64_MAX;
    bool kept = spill && load->rows <= lks_spill_limit(spill);
    return kept ? load->trace_ms : PASSES * load->trace_ms;
}

/* A defence and an answer may be under way at a time; as challenger moves and checks of others'
 * claims too, which are taken to be no longer than ours. */
static uint64_t memory(const lks_operator *op, const lks_load *load)
{
    unsigned passes = op->config->is_challenger ? 3 : 1;
    uint64_t bytes = sum(load->kept, load->answering);
    for (unsigned i = 0; i < passes; i++)
        bytes = sum(bytes, load->tracing);
    return bytes;
}

void lks_gate_world(lks_job_world *world, const lks_operator *op, const lks_load *all,
                    const lks_load *one)
{
    lks_load with = *all;
    lks_gate_add(&with, one);
    /* Other tasks than defences and answers go between answers, by their deadlines. */
    unsigned share = op->config->is_challenger ? 2 : 1;
    world->answer_ms = one->answer_ms;
    world->backlog_ms = share * (all->answer_ms + all->answer_ms / 2);
    world->defence_ms = defence_ms(op, one);
    world->defences_ms = defence_ms(op, &with);
    world->defences_max_ms = UINT64_MAX;
    if (lks_disputes_on(op))
        world->defences_max_ms = (uint64_t)op->floor * 1000 * FLOOR_USED / FLOOR_PARTS;
    world->memory = memory(op, one);
    world->memories = memory(op, &with);
    world->memory_max = op->resources.max_memory;
}
