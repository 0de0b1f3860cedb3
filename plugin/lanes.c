#include "plugin/lanes.h"

#include "plugin/log.h"
#include "plugin/operator.h"

#include <stdlib.h>
#include <string.h>

const char *lks_task_name(lks_task_kind kind)
{
    static const char *const names[] = {"run again", "its trace is made and compared",
                                        "looking for the operator's moves",
                                        "looking for the challenger's move"};
    return names[kind];
}

/* ---- threads ---- */

lks_err lks_lanes_open(lks_operator *op)
{
    const lks_config *c = op->config;
    lks_err err = LKS_OK;
    for (int i = 0; !err && i < LKS_LANES; i++)
        err = lks_prover_new(&op->lanes.provers[i], c->threads, c->nice, op->resources.spill,
                             op->planner, op->inbox);
    return err;
}

void lks_lanes_close(lks_lanes *lanes)
{
    lks_lanes_stop(lanes);
    for (int i = 0; i < LKS_LANES; i++) {
        lks_prover_free(lanes->provers[i]);
        lks_task_free(&lanes->best[i].task);
    }
    memset(lanes, 0, sizeof *lanes);
}

void lks_lanes_stop(lks_lanes *lanes)
{
    for (int i = 0; i < LKS_LANES; i++)
        lks_prover_stop(lanes->provers[i]);
}

bool lks_lane_is_idle(const lks_lanes *lanes, lks_lane lane)
{
    return !lanes->provers[lane] || lks_prover_idle(lanes->provers[lane]);
}

bool lks_lanes_idle(const lks_lanes *lanes)
{
    for (int i = 0; i < LKS_LANES; i++)
        if (!lks_lane_is_idle(lanes, (lks_lane)i))
            return false;
    return true;
}

/* ---- time ---- */

bool lks_lanes_have_time(const lks_operator *op, uint64_t deadline, uint64_t cost_us)
{
    /* Its result must get into a block as well. */
    uint64_t needed = (cost_us / 1000 + LKS_INCLUSION_BLOCKS * op->interval_ms) / 1000;
    uint64_t now = lks_chain_time(op);
    return now <= deadline && deadline - now >= needed;
}

/* ---- lending ---- */

/* Whether it reads nodes of a trace that is there, and no more. */
static bool reads_nodes(const lks_match *m, const lks_task *task)
{
    return m->trace && task->kind == LKS_TASK_OPERATOR && !task->rows;
}

static bool has_the_trace(const lks_match *m, const lks_task *task)
{
    return task->kind != LKS_TASK_CHECK && !reads_nodes(m, task);
}

static lks_lane lane_of(const lks_match *m, const lks_task *task)
{
    if (task->kind == LKS_TASK_CHALLENGER)
        return LKS_LANE_CHALLENGE;
    if (task->kind != LKS_TASK_OPERATOR)
        return LKS_LANE_CHECKS;
    return reads_nodes(m, task) || (m->trace && m->keeps_rows) ? LKS_LANE_QUICK : LKS_LANE_DEFENCE;
}

static bool is_move(lks_task_kind kind)
{
    return kind == LKS_TASK_OPERATOR || kind == LKS_TASK_CHALLENGER;
}

void lks_lanes_abandon(lks_operator *op, const lks_match *match, lks_lane lane)
{
    for (int i = 0; i < LKS_LANES; i++) {
        bool meant = lane == LKS_LANES || (int)lane == i;
        if (meant && op->lanes.now[i].match == match)
            lks_prover_abandon(op->lanes.provers[i]);
    }
}

/* ---- proposals ---- */

void lks_lanes_propose(lks_operator *op, lks_match *match, const lks_task *task,
                       const lks_dispute *places, uint64_t cost_us)
{
    lks_lane lane = lane_of(match, task);
    lks_errand *best = &op->lanes.best[lane];
    if (is_move(task->kind))
        lks_lanes_abandon(op, match, LKS_LANE_CHECKS);
    if (!lks_lane_is_idle(&op->lanes, lane) || (best->match && best->task.due <= task->due) ||
        (match->trace_lent && has_the_trace(match, task)) || lks_moves_busy(op, match, task->key))
        return;
    lks_dispute *at = NULL;
    if (places && task->count) {
        at = malloc(task->count * sizeof *at);
        if (!at)
            return; /* the next tick tries again */
        memcpy(at, places, task->count * sizeof *at);
    }
    lks_task_free(&best->task);
    best->match = match;
    best->cost_us = cost_us;
    best->task = *task;
    best->task.at = at;
    best->task.served = match->served;
    memcpy(best->task.claim_id, match->claim.claim_id, 32);
}

/* Lends the task what it needs of the match. */
static lks_err lend(lks_match *m, lks_task *task)
{
    lks_err err = LKS_OK;
    task->trace = task->kind == LKS_TASK_CHECK ? NULL : m->trace;
    if (!task->trace)
        err = lks_game_copy_run(&task->game, m->game);
    if (err)
        return err;
    if (task->kind != LKS_TASK_CHALLENGER) {
        for (size_t i = 0; i < task->count; i++)
            task->at[i].partials = NULL; /* the game's; the operator's answers need none */
        lks_game_copy_root(&task->game, m->game);
        return LKS_OK;
    }
    err = lks_game_copy_shown(&task->game, m->game);
    return err ? err : lks_game_copy_partials(&task->game, task->at);
}

static void give(lks_operator *op, lks_lane lane)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_errand *best = &op->lanes.best[lane];
    lks_match *m = best->match;
    bool takes_trace = has_the_trace(m, &best->task);
    lks_short_id(name, best->task.claim_id);
    if (takes_trace && m->trace_lent)
        return;
    if (lend(m, &best->task)) {
        lks_log(op->host, LKS_WARN, "claim %s: %s: %s; trying again", name,
                lks_task_name(best->task.kind), lks_error_message());
        return;
    }
    lks_errand now = {.match = m, .cost_us = best->cost_us, .takes_trace = takes_trace};
    now.task.kind = best->task.kind;
    now.task.deadline = best->task.deadline;
    memcpy(now.task.claim_id, best->task.claim_id, 32);
    if (!lks_prover_give(op->lanes.provers[lane], &best->task))
        return;
    op->lanes.now[lane] = now;
    m->lent++;
    m->trace_lent = m->trace_lent || takes_trace;
    lks_log(op->host, LKS_DEBUG, "claim %s: %s", name, lks_task_name(now.task.kind));
}

/* Cancels a check or comparison that cannot end in time any more. */
static void drop_hopeless(lks_operator *op)
{
    lks_errand *now = &op->lanes.now[LKS_LANE_CHECKS];
    if (!now->match)
        return;
    uint64_t used = lks_prover_used_us(op->lanes.provers[LKS_LANE_CHECKS]);
    uint64_t left = now->cost_us > used ? now->cost_us - used : 0;
    if (lks_lanes_have_time(op, now->task.deadline, left))
        return;
    now->hopeless = true;
    lks_prover_abandon(op->lanes.provers[LKS_LANE_CHECKS]);
}

void lks_lanes_give(lks_operator *op)
{
    if (!lks_disputes_on(op))
        return;
    drop_hopeless(op);
    for (int i = 0; i < LKS_LANES; i++) {
        if (op->lanes.best[i].match)
            give(op, (lks_lane)i);
        lks_task_free(&op->lanes.best[i].task);
        op->lanes.best[i].match = NULL;
    }
}

/* A move can be sent when the game is known. */
static bool can_be_used(const lks_errand *e)
{
    return !is_move(e->task.kind) || e->match->synced.number || !e->match->wanted;
}

bool lks_lanes_take(lks_operator *op, lks_task_result *r, lks_match **match)
{
    for (int i = 0; i < LKS_LANES; i++) {
        lks_errand *now = &op->lanes.now[i];
        lks_match *m = now->match;
        if (!m || !can_be_used(now) || !lks_prover_take(op->lanes.provers[i], r))
            continue;
        r->hopeless = r->abandoned && now->hopeless;
        m->lent--;
        if (now->takes_trace)
            m->trace_lent = false;
        if (r->made)
            m->trace = r->made;
        r->made = NULL;
        if (!m->trace_lent)
            m->keeps_rows = m->trace && lks_trace_keeps_rows(m->trace);
        memset(now, 0, sizeof *now);
        *match = m;
        return true;
    }
    return false;
}
