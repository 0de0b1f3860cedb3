#include "plugin/prover.h"

#include "plugin/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lks_prover {
    unsigned threads;
    lks_spill *spill;
    lks_desk desk;
    atomic_bool cancel;
    lks_task task;
    lks_task_result result;
};

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static lks_err make_trace(lks_prover *p, const lks_task *task, bool tokens_only, lks_trace **out, lks_task_result *r) {
    const lks_run *run = lks_game_run(task->game);
    if (!run) return lks_fail(LKS_NOTFOUND, "the claim's request is not known");
    lks_trace_options options = {.threads = p->threads, .spill = p->spill, .cancel = &p->cancel, .tokens_only = tokens_only};
    uint64_t start = now_us();
    lks_err err = lks_trace_make(out, task->served->model, run, &options);
    if (!err && !tokens_only) r->trace_us = (now_us() - start) / (run->prompt_count + run->answer_count) + 1;
    return err;
}

static lks_err check(lks_prover *p, const lks_task *task, lks_task_result *r) {
    lks_trace *t = NULL;
    lks_err err = make_trace(p, task, true, &t, r);
    if (!err) r->first_wrong = lks_trace_first_wrong_token(t);
    lks_trace_free(t);
    return err;
}

static lks_err make_moves(const lks_task *task, lks_task_result *r)
{
    const lks_shown *shown = lks_game_shown(task->game);
    r->moves = calloc(task->count + 1, sizeof *r->moves);
    if (!r->moves)
        return lks_fail(LKS_NOMEM, "out of memory");
    if (task->kind == LKS_TASK_OPERATOR)
        return lks_player_operator_all(r->moves, *task->trace, shown, task->at, task->count);
    return lks_player_challenger(r->moves, *task->trace, task->served->trees, shown, task->at);
}

static void free_moves(lks_task_result *r)
{
    for (size_t i = 0; r->moves && i < r->task.count; i++)
        lks_move_free(&r->moves[i]);
    free(r->moves);
    r->moves = NULL;
}

void lks_task_result_free(lks_task_result *r)
{
    free_moves(r);
    free(r->task.at);
    memset(r, 0, sizeof *r);
}

static lks_err do_task(lks_prover *p, const lks_task *task, lks_task_result *r)
{
    if (task->kind == LKS_TASK_CHECK)
        return check(p, task, r);
    lks_err err = *task->trace ? LKS_OK : make_trace(p, task, false, task->trace, r);
    if (err)
        return err;
    if (task->kind == LKS_TASK_COMPARE) {
        r->differs = lks_player_should_challenge(*task->trace, lks_game_shown(task->game));
        return LKS_OK;
    }
    err = make_moves(task, r);
    if (err)
        free_moves(r);
    return err;
}

static void work(void *owner) {
    lks_prover *p = owner;
    lks_task_result *r = &p->result;
    memset(r, 0, sizeof *r);
    r->task = p->task;
    memset(&p->task, 0, sizeof p->task);
    uint64_t start = now_us();
    r->err = do_task(p, &r->task, r);
    r->total_ms = (now_us() - start) / 1000;
    if (r->err) snprintf(r->reason, sizeof r->reason, "%s", lks_error_message());
}

lks_err lks_prover_new(lks_prover **out, unsigned threads, unsigned nice, lks_spill *spill, lks_inbox *inbox) {
    *out = NULL;
    lks_prover *p = calloc(1, sizeof *p);
    if (!p) return lks_fail(LKS_NOMEM, "out of memory");
    p->threads = threads;
    p->spill = spill;
    lks_err err = lks_desk_open(&p->desk, work, p, nice, inbox);
    if (err)
        free(p);
    else
        *out = p;
    return err;
}

void lks_prover_cancel(lks_prover *prover) {
    if (prover) atomic_store(&prover->cancel, true);
}

void lks_prover_free(lks_prover *prover) {
    if (!prover) return;
    lks_prover_cancel(prover);
    lks_desk_close(&prover->desk);
    lks_task_result_free(&prover->result);
    free(prover->task.at);
    free(prover);
}

bool lks_prover_idle(lks_prover *prover) {
    return lks_desk_look(&prover->desk) == LKS_DESK_IDLE;
}

bool lks_prover_give(lks_prover *prover, const lks_task *task) {
    if (!lks_prover_idle(prover) || atomic_load(&prover->cancel)) return false;
    prover->task = *task;
    lks_desk_give(&prover->desk);
    return true;
}

bool lks_prover_take(lks_prover *prover, lks_task_result *out) {
    if (lks_desk_look(&prover->desk) != LKS_DESK_DONE) return false;
    *out = prover->result;
    memset(&prover->result, 0, sizeof prover->result);
    lks_desk_clear(&prover->desk);
    return true;
}
