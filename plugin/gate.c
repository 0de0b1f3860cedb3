#include "plugin/gate.h"

#include "plugin/log.h"
#include "plugin/operator.h"

#include <string.h>

/* Used part of FLOOR, the least time that the game gives each answer: a fifth may go to tasks of
 * ours that are no defence (plan.h), and the time taken may be half as much again as estimated. */
#define FLOOR_PARTS 15
#define FLOOR_USED 8
/* Passes over a disputed claim whose rows are not kept: the trace, the leaves, the partials. */
#define PASSES 3

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

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
    bool planned = lks_trace_plan(&needs, served->model, r->prompt_count, r->max_tokens, threads);
    if (lks_disputes_on(op) && planned) {
        out->rows = needs.rows;
        out->kept = needs.kept;
        out->tracing = needs.pass;
        if (r->replicas > 1) { /* a claim beside ours is checked, and disputed when it is wrong */
            out->kept += needs.kept;
            out->foreign = needs.pass;
        }
    }
    if (unanswered && planned && lks_u256_cmp(&r->stake, &op->config->recheck_stake) >= 0)
        out->answering = greater(out->answering, needs.pass);
    return known;
}

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
    all->foreign = greater(all->foreign, one->foreign);
}

/* What a claim of somebody else needs: a pass at a time, and a trace in a dispute. */
static void add_foreign(lks_load *all, const lks_operator *op, const lks_match *m)
{
    lks_trace_needs needs;
    const lks_run *run = lks_game_run(m->game);
    bool ours = memcmp(m->claim.operator_address, op->feed.events.who.operator_address, 20) == 0;
    if (ours || !run || !m->served->model ||
        !lks_trace_plan(&needs, m->served->model, run->prompt_count, run->answer_count,
                        op->config->threads))
        return;
    all->kept = sum(all->kept, needs.kept);
    all->foreign = greater(all->foreign, needs.pass);
}

void lks_gate_open_load(lks_load *all, const lks_operator *op, const lks_jobs *jobs)
{
    *all = (lks_load){0};
    for (size_t i = 0; i < jobs->count; i++) {
        const lks_job *job = &jobs->items[i];
        lks_load load;
        if (lks_job_is_late(job, lks_chain_time(op), op->reveal_seconds) ||
            job->state == LKS_JOB_SEEN || job->state == LKS_JOB_REFUSED)
            continue;
        lks_gate_load(&load, op, job);
        lks_gate_add(all, &load);
    }
    for (size_t i = 0; i < op->matches.count; i++)
        add_foreign(all, op, op->matches.items[i]);
}

static uint64_t defence_ms(const lks_operator *op, const lks_load *load)
{
    lks_spill *spill = op->resources.spill;
    if (load->trace_ms == UINT64_MAX)
        return UINT64_MAX;
    bool kept = spill && load->rows <= lks_spill_limit(spill);
    return kept ? load->trace_ms : PASSES * load->trace_ms;
}

/* Every thread that runs models may stand still in the middle of a task, with all of its memory,
 * while another has its turn: the answer; the defence of one claim, and of another one whose rows
 * are kept, since these may have to be computed again after all; a move and a check of a
 * challenger, which are taken to be no longer than ours before they are known. */
static uint64_t memory(const lks_operator *op, const lks_load *load)
{
    uint64_t foreign = load->foreign, bytes = sum(load->kept, load->answering);
    if (op->config->is_challenger)
        foreign = greater(foreign, load->tracing);
    bytes = sum(bytes, load->tracing);
    if (op->resources.spill)
        bytes = sum(bytes, load->tracing);
    return sum(bytes, sum(foreign, foreign));
}

bool lks_gate_has_memory(lks_operator *op, const lks_match *m, lks_task_kind kind)
{
    lks_jobs jobs = {0};
    lks_load all;
    char name[LKS_SHORT_ID_SIZE];
    if (lks_store_jobs_open(op->store, &jobs))
        return false; /* whoever needs it says so */
    lks_gate_open_load(&all, op, &jobs);
    lks_jobs_free(&jobs);
    uint64_t needed = memory(op, &all), most = op->resources.max_memory;
    if (needed <= most)
        return true;
    lks_short_id(name, m->claim.claim_id);
    if (lks_act_pause(op, m->claim.claim_id, LKS_ACTION_DROP))
        lks_log(op->host, LKS_WARN,
                "claim %s is not %s now: with all that is open, that could take %llu bytes of "
                "memory, more than max_memory_bytes, %llu; raise it, or lower \"check_share\"",
                name, kind == LKS_TASK_CHECK ? "checked" : "compared with our trace",
                (unsigned long long)needed, (unsigned long long)most);
    return false;
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
