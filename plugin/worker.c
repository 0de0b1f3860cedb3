#include "plugin/worker.h"

#include "plugin/desk.h"

#ifdef LKS_FAULTS
#include "oracle/fault.h"
#endif

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lks_worker {
    const lks_models *models;
    unsigned threads;
    lks_desk desk;
    atomic_bool cancel;
    lks_work work; /* stays until its answer is taken */
    lks_answer answer;
};

void lks_work_free(lks_work *work) {
    free(work->prompt);
    free(work->allowed);
    memset(work, 0, sizeof *work);
}

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

typedef struct progress {
    uint64_t first_us; /* when the first token came */
} progress;

static int on_token(void *user, uint32_t id) {
    progress *p = user;
    (void)id;
    if (!p->first_us) p->first_us = now_us();
    return 0;
}

/* The machine may have erred: memory, or an overheated core. */
static lks_err recheck(lks_worker *w, const lks_work *work, const lks_policy *policy, const lks_answer *answer) {
    lks_run run = {work->prompt, work->prompt_count, answer->tokens, answer->count, *policy};
    lks_trace_options options = {.threads = w->threads, .cancel = &w->cancel, .tokens_only = true};
    uint32_t first_wrong = 0;
    lks_err err = w->models->recheck(work->served, &run, &options, &first_wrong);
    if (!err && first_wrong != answer->count)
        err = lks_fail(LKS_INTERNAL, "a second run gives another token %u: is this machine sound?", first_wrong);
    return err;
}

/* Runs the model. Out: answer. */
static void run(lks_worker *w, const lks_work *work, lks_answer *answer) {
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
    lks_policy policy = {.temperature = work->temperature, .min_p = work->min_p, .seed = work->seed, .allowed = work->allowed,
                         .allowed_count = work->allowed_count};
    progress p = {0};
    lks_generate_options options = {.threads = w->threads, .on_token = on_token, .user = &p, .cancel = &w->cancel};
    uint64_t start = now_us();
    answer->err = w->models->run(work->served, work->prompt, work->prompt_count, &policy, work->max_tokens, &options, answer->tokens,
                                 &answer->count);
    uint64_t end = now_us();
    answer->total_ms = (end - start) / 1000;
#ifdef LKS_FAULTS
    while (!answer->err && lks_fault_holds())
        answer->err = w->models->run(work->served, work->prompt, work->prompt_count, &policy, work->max_tokens,
                                     &options, answer->tokens, &answer->count);
    if (!answer->err) lks_fault_answer(answer->tokens, answer->count, work->max_tokens, work->served->vocab_size, work->allowed, work->allowed_count);
#endif
    if (!answer->err && work->recheck) answer->err = recheck(w, work, &policy, answer);
    if (answer->err) {
        snprintf(answer->reason, sizeof answer->reason, "%s", lks_error_message());
        return;
    }
    if (p.first_us) answer->speed.prefill_us = (p.first_us - start) / work->prompt_count;
    if (p.first_us && answer->count > 1) answer->speed.decode_us = (end - p.first_us) / (answer->count - 1);
}

static void work(void *owner) {
    lks_worker *w = owner;
    run(w, &w->work, &w->answer);
}

lks_err lks_worker_new(lks_worker **out, const lks_models *models, unsigned threads, unsigned nice, lks_inbox *inbox) {
    *out = NULL;
    lks_worker *w = calloc(1, sizeof *w);
    if (!w) return lks_fail(LKS_NOMEM, "out of memory");
    w->models = models;
    w->threads = threads;
    lks_err err = lks_desk_open(&w->desk, work, w, nice, inbox);
    if (err)
        free(w);
    else
        *out = w;
    return err;
}

void lks_worker_cancel(lks_worker *worker) {
    atomic_store(&worker->cancel, true);
}

void lks_worker_free(lks_worker *worker) {
    if (!worker) return;
    lks_worker_cancel(worker);
    lks_desk_close(&worker->desk);
    lks_work_free(&worker->work);
    free(worker->answer.tokens);
    free(worker);
}

bool lks_worker_idle(lks_worker *worker) {
    return lks_desk_look(&worker->desk) == LKS_DESK_IDLE;
}

bool lks_worker_busy_with(lks_worker *worker, uint8_t request_id32[32]) {
    if (lks_worker_idle(worker)) return false;
    memcpy(request_id32, worker->work.request_id, 32);
    return true;
}

bool lks_worker_give(lks_worker *worker, lks_work *work) {
    if (!lks_worker_idle(worker)) return false;
    atomic_store(&worker->cancel, false);
    worker->work = *work;
    memset(work, 0, sizeof *work);
    lks_desk_give(&worker->desk);
    return true;
}

bool lks_worker_take(lks_worker *worker, lks_answer *out) {
    if (lks_desk_look(&worker->desk) != LKS_DESK_DONE) return false;
    *out = worker->answer;
    memset(&worker->answer, 0, sizeof worker->answer);
    lks_work_free(&worker->work);
    lks_desk_clear(&worker->desk);
    return true;
}
