#include "plugin/prover.h"

#include "plugin/clock.h"
#include "plugin/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lks_prover {
    unsigned threads;
    lks_spill *spill;
    lks_planner *planner;
    lks_desk desk;
    lks_ticket ticket;
    atomic_bool stopped;
    atomic_bool cancel; /* of the task that runs */
    bool abandoned;     /* the giver's, as the desk is not */
    lks_task task;
    lks_task_result result;
};

static lks_rank rank_of(lks_task_kind kind)
{
    if (kind == LKS_TASK_OPERATOR)
        return LKS_RANK_DEFENCE;
    return kind == LKS_TASK_CHALLENGER ? LKS_RANK_CHALLENGE : LKS_RANK_WORK;
}

/* ---- the thread ---- */

static lks_err make_trace(lks_prover *p, const lks_task *task, bool tokens_only, lks_trace **out,
                          lks_task_result *r)
{
    const lks_run *run = &task->game.run;
    lks_trace_options options = {.threads = p->threads,
                                 .spill = p->spill,
                                 .cancel = &p->cancel,
                                 .tokens_only = tokens_only,
                                 .before_pass = lks_ticket_turn,
                                 .user = &p->ticket};
    lks_err err = lks_trace_make(out, task->served->model, run, &options);
    if (!err) {
        r->pass_us = lks_ticket_used_us(&p->ticket) + 1;
        r->positions = (uint32_t)(run->prompt_count + run->answer_count - 1);
    }
    return err;
}

static lks_err check(lks_prover *p, const lks_task *task, lks_task_result *r)
{
    lks_trace *t = NULL;
    lks_err err = make_trace(p, task, true, &t, r);
    if (!err)
        r->first_wrong = lks_trace_first_wrong_token(t);
    lks_trace_free(t);
    return err;
}

static lks_err make_moves(lks_trace *own, const lks_task *task, lks_task_result *r)
{
    const lks_shown *shown = &task->game.shown;
    r->moves = calloc(task->count + 1, sizeof *r->moves);
    if (!r->moves)
        return lks_fail(LKS_NOMEM, "out of memory");
    if (task->kind == LKS_TASK_OPERATOR)
        return lks_player_operator_all(r->moves, own, shown, task->at, task->count);
    return lks_player_challenger(r->moves, own, task->served->trees, shown, task->at);
}

static void free_moves(lks_task_result *r)
{
    for (size_t i = 0; r->moves && i < r->task.count; i++)
        lks_move_free(&r->moves[i]);
    free(r->moves);
    r->moves = NULL;
}

/* Whether it reads nodes alone, which another task of the same trace may do too. */
static bool reads_nodes(const lks_task *task)
{
    return task->kind == LKS_TASK_OPERATOR && !task->rows;
}

static lks_err do_task(lks_prover *p, const lks_task *task, lks_task_result *r)
{
    lks_trace *own = task->trace;
    lks_err err = LKS_OK;
    if (task->kind == LKS_TASK_CHECK)
        return check(p, task, r);
    if (!own) {
        err = make_trace(p, task, false, &r->made, r);
        own = r->made;
    } else if (!reads_nodes(task)) {
        lks_trace_hand_over(own, &p->cancel, lks_ticket_turn, &p->ticket);
    }
    if (err)
        return err;
    if (task->kind == LKS_TASK_COMPARE) {
        r->differs = lks_player_should_challenge(own, &task->game.shown);
        return LKS_OK;
    }
    err = make_moves(own, task, r);
    if (err)
        free_moves(r);
    return err;
}

static void work(void *owner)
{
    lks_prover *p = owner;
    lks_task_result *r = &p->result;
    memset(r, 0, sizeof *r);
    r->task = p->task;
    memset(&p->task, 0, sizeof p->task);
    uint64_t start = lks_now_us();
    r->err = do_task(p, &r->task, r);
    lks_ticket_end(&p->ticket);
    r->total_ms = (lks_now_us() - start) / 1000;
    if (r->err)
        snprintf(r->reason, sizeof r->reason, "%s", lks_error_message());
}

/* ---- the giver's side ---- */

void lks_task_free(lks_task *task)
{
    lks_game_copy_free(&task->game);
    free(task->at);
    memset(task, 0, sizeof *task);
}

void lks_task_result_free(lks_task_result *r)
{
    free_moves(r);
    lks_trace_free(r->made);
    lks_task_free(&r->task);
    memset(r, 0, sizeof *r);
}

lks_err lks_prover_new(lks_prover **out, unsigned threads, unsigned nice, lks_spill *spill,
                       lks_planner *planner, lks_inbox *inbox)
{
    *out = NULL;
    lks_prover *p = calloc(1, sizeof *p);
    if (!p)
        return lks_fail(LKS_NOMEM, "out of memory");
    p->threads = threads;
    p->spill = spill;
    p->planner = planner;
    lks_ticket_open(&p->ticket, planner, &p->cancel);
    lks_err err = lks_desk_open(&p->desk, work, p, nice, inbox);
    if (err) {
        lks_ticket_close(&p->ticket);
        free(p);
        return err;
    }
    *out = p;
    return LKS_OK;
}

static void cancel(lks_prover *p)
{
    atomic_store(&p->cancel, true);
    lks_planner_wake(p->planner);
}

void lks_prover_stop(lks_prover *prover)
{
    if (!prover)
        return;
    atomic_store(&prover->stopped, true);
    cancel(prover);
}

void lks_prover_free(lks_prover *prover)
{
    if (!prover)
        return;
    lks_prover_stop(prover);
    lks_desk_close(&prover->desk);
    lks_ticket_close(&prover->ticket);
    lks_task_result_free(&prover->result);
    lks_task_free(&prover->task);
    free(prover);
}

bool lks_prover_idle(lks_prover *prover)
{
    return lks_desk_look(&prover->desk) == LKS_DESK_IDLE;
}

bool lks_prover_give(lks_prover *prover, lks_task *task)
{
    if (!lks_prover_idle(prover))
        return false;
    /* In this order: whoever stops meanwhile sets both, the second last. */
    atomic_store(&prover->cancel, false);
    if (atomic_load(&prover->stopped))
        return false;
    prover->abandoned = false;
    prover->task = *task;
    memset(task, 0, sizeof *task);
    lks_ticket_begin(&prover->ticket, rank_of(prover->task.kind), prover->task.due);
    lks_desk_give(&prover->desk);
    return true;
}

void lks_prover_abandon(lks_prover *prover)
{
    if (lks_desk_look(&prover->desk) != LKS_DESK_BUSY)
        return;
    prover->abandoned = true;
    cancel(prover);
}

uint64_t lks_prover_used_us(lks_prover *prover)
{
    return lks_ticket_used_us(&prover->ticket);
}

bool lks_prover_take(lks_prover *prover, lks_task_result *out)
{
    if (lks_desk_look(&prover->desk) != LKS_DESK_DONE)
        return false;
    *out = prover->result;
    memset(&prover->result, 0, sizeof prover->result);
    out->abandoned = out->err && prover->abandoned;
    lks_desk_clear(&prover->desk);
    return true;
}
