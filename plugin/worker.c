#include "plugin/worker.h"

#include "plugin/clock.h"
#include "plugin/desk.h"

#ifdef LKS_FAULTS
#include "oracle/trace/fault.h"
#endif

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lks_worker {
    const lks_models *models;
    unsigned threads;
    lks_desk desk;
    lks_planner *planner;
    lks_ticket ticket;
    atomic_bool stopped;
    atomic_bool cancel; /* of the work that runs */
    bool abandoned;     /* the giver's, as the desk is not */
    lks_work work;      /* stays until its answer is taken */
    lks_answer answer;
};

void lks_work_free(lks_work *work)
{
    free(work->prompt);
    free(work->allowed);
    memset(work, 0, sizeof *work);
}

/* How far the run has come, by the time that it has had the engine. */
typedef struct progress {
    lks_ticket *ticket;
    bool any;          /* a token came */
    uint64_t first_us; /* when the first one did */
} progress;

static int on_token(void *user, uint32_t id)
{
    progress *p = user;
    (void)id;
    if (!p->any)
        p->first_us = lks_ticket_used_us(p->ticket);
    p->any = true;
    return 0;
}

static int before_pass(void *user)
{
    return lks_ticket_turn(((progress *)user)->ticket);
}

/* The machine may have erred: memory, or an overheated core. */
static lks_err recheck(lks_worker *w, const lks_work *work, const lks_policy *policy,
                       const lks_answer *answer)
{
    lks_run run = {work->prompt, work->prompt_count, answer->tokens, answer->count, *policy};
    lks_trace_options options = {.threads = w->threads,
                                 .cancel = &w->cancel,
                                 .tokens_only = true,
                                 .before_pass = lks_ticket_turn,
                                 .user = &w->ticket};
    uint32_t first_wrong = 0;
    lks_err err = w->models->recheck(work->served, &run, &options, &first_wrong);
    if (!err && first_wrong != answer->count)
        err = lks_fail(LKS_INTERNAL, "a second run gives another token %u: is this machine sound?",
                       first_wrong);
    return err;
}

/* Whether the model's file is what it was; an answer from another would not be defended after a
 * restart. */
static lks_err check_file(const lks_work *work, lks_answer *answer)
{
    lks_err err = lks_served_check(work->served);
    answer->file_changed = err != LKS_OK;
    return err;
}

/* Runs the model. Out: answer. */
static void run(lks_worker *w, const lks_work *work, lks_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    memcpy(answer->request_id, work->request_id, 32);
    answer->served = work->served;
    answer->seed = work->seed;
    answer->prompt_count = (uint32_t)work->prompt_count;
    answer->tokens = malloc(work->max_tokens * sizeof *answer->tokens);
    if (!answer->tokens) {
        answer->err = lks_fail(LKS_NOMEM, "out of memory");
        snprintf(answer->reason, sizeof answer->reason, "%s", lks_error_message());
        return;
    }
    lks_policy policy = {.temperature = work->temperature,
                         .min_p = work->min_p,
                         .seed = work->seed,
                         .allowed = work->allowed,
                         .allowed_count = work->allowed_count};
    progress p = {.ticket = &w->ticket};
    lks_generate_options options = {.threads = w->threads,
                                    .on_token = on_token,
                                    .before_pass = before_pass,
                                    .user = &p,
                                    .cancel = &w->cancel};
    uint64_t start = lks_now_us();
    if (lks_ticket_turn(&w->ticket))
        answer->err = lks_fail(LKS_REFUSED, "cancelled");
    else
        answer->err = check_file(work, answer);
    if (!answer->err)
        answer->err = w->models->run(work->served, work->prompt, work->prompt_count, &policy,
                                     work->max_tokens, &options, answer->tokens, &answer->count);
    uint64_t used = lks_ticket_used_us(&w->ticket);
    answer->total_ms = (lks_now_us() - start) / 1000;
#ifdef LKS_FAULTS
    while (!answer->err && lks_fault_holds())
        answer->err = w->models->run(work->served, work->prompt, work->prompt_count, &policy,
                                     work->max_tokens, &options, answer->tokens, &answer->count);
    if (!answer->err)
        lks_fault_answer(answer->tokens, answer->count, work->max_tokens, work->served->vocab_size,
                         work->allowed, work->allowed_count);
#endif
    if (!answer->err && work->recheck)
        answer->err = recheck(w, work, &policy, answer);
    if (!answer->err)
        answer->err = check_file(work, answer);
    if (answer->err) {
        snprintf(answer->reason, sizeof answer->reason, "%s", lks_error_message());
        return;
    }
    answer->prefill_us = p.first_us;
    answer->decode_us = used - p.first_us;
}

static void work(void *owner)
{
    lks_worker *w = owner;
    run(w, &w->work, &w->answer);
    lks_ticket_end(&w->ticket);
}

lks_err lks_worker_new(lks_worker **out, const lks_models *models, unsigned threads, unsigned nice,
                       lks_planner *planner, lks_inbox *inbox)
{
    *out = NULL;
    lks_worker *w = calloc(1, sizeof *w);
    if (!w)
        return lks_fail(LKS_NOMEM, "out of memory");
    w->models = models;
    w->threads = threads;
    w->planner = planner;
    lks_ticket_open(&w->ticket, planner, &w->cancel);
    lks_err err = lks_desk_open(&w->desk, work, w, nice, inbox);
    if (err) {
        lks_ticket_close(&w->ticket);
        free(w);
        return err;
    }
    *out = w;
    return LKS_OK;
}

static void cancel(lks_worker *w)
{
    atomic_store(&w->cancel, true);
    lks_planner_wake(w->planner);
}

void lks_worker_stop(lks_worker *worker)
{
    atomic_store(&worker->stopped, true);
    cancel(worker);
}

void lks_worker_free(lks_worker *worker)
{
    if (!worker)
        return;
    lks_worker_stop(worker);
    lks_desk_close(&worker->desk);
    lks_ticket_close(&worker->ticket);
    lks_work_free(&worker->work);
    free(worker->answer.tokens);
    free(worker);
}

bool lks_worker_idle(lks_worker *worker)
{
    return lks_desk_look(&worker->desk) == LKS_DESK_IDLE;
}

bool lks_worker_busy_with(lks_worker *worker, uint8_t request_id32[32])
{
    if (lks_worker_idle(worker))
        return false;
    memcpy(request_id32, worker->work.request_id, 32);
    return true;
}

bool lks_worker_give(lks_worker *worker, lks_work *work)
{
    if (!lks_worker_idle(worker))
        return false;
    /* In this order: whoever stops meanwhile sets both, the second last. */
    atomic_store(&worker->cancel, false);
    if (atomic_load(&worker->stopped))
        return false;
    worker->abandoned = false;
    worker->work = *work;
    memset(work, 0, sizeof *work);
    lks_ticket_begin(&worker->ticket, LKS_RANK_WORK, worker->work.due);
    lks_desk_give(&worker->desk);
    return true;
}

void lks_worker_abandon(lks_worker *worker)
{
    if (lks_desk_look(&worker->desk) != LKS_DESK_BUSY)
        return;
    worker->abandoned = true;
    cancel(worker);
}

bool lks_worker_take(lks_worker *worker, lks_answer *out)
{
    if (lks_desk_look(&worker->desk) != LKS_DESK_DONE)
        return false;
    *out = worker->answer;
    out->abandoned = out->err && worker->abandoned;
    memset(&worker->answer, 0, sizeof worker->answer);
    lks_work_free(&worker->work);
    lks_desk_clear(&worker->desk);
    return true;
}
