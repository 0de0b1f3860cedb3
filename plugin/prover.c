#include "plugin/prover.h"

#include <fenv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum phase { IDLE, GIVEN, RUNNING, READY } phase;

struct lks_prover {
    unsigned threads;
    const char *spill_folder;
    lks_inbox *inbox;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    phase phase;
    bool stopped;
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
    lks_trace_options options = {.threads = p->threads, .spill_folder = tokens_only ? NULL : p->spill_folder, .cancel = &p->cancel, .tokens_only = tokens_only};
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

static lks_err work(lks_prover *p, const lks_task *task, lks_task_result *r) {
    if (task->kind == LKS_TASK_CHECK) return check(p, task, r);
    lks_err err = *task->trace ? LKS_OK : make_trace(p, task, false, task->trace, r);
    if (err) return err;
    const lks_shown *shown = lks_game_shown(task->game);
    switch (task->kind) {
    case LKS_TASK_COMPARE:
        r->differs = lks_player_should_challenge(*task->trace, shown);
        return LKS_OK;
    case LKS_TASK_OPERATOR:
        return lks_player_operator(&r->move, *task->trace, shown, &task->at);
    default:
        return lks_player_challenger(&r->move, *task->trace, task->served->trees, shown, &task->at);
    }
}

static void run(lks_prover *p, const lks_task *task, lks_task_result *r) {
    memset(r, 0, sizeof *r);
    r->task = *task;
    uint64_t start = now_us();
    r->err = work(p, task, r);
    r->total_ms = (now_us() - start) / 1000;
    if (r->err) snprintf(r->reason, sizeof r->reason, "%s", lks_error_message());
}

static void *main_of_prover(void *argument) {
    lks_prover *p = argument;
    /* As the thread of inference: not the floating-point environment of the host. */
    fesetenv(FE_DFL_ENV);
    pthread_mutex_lock(&p->lock);
    while (!p->stopped) {
        if (p->phase != GIVEN) {
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        p->phase = RUNNING;
        pthread_mutex_unlock(&p->lock);
        lks_task_result result;
        run(p, &p->task, &result);
        pthread_mutex_lock(&p->lock);
        p->result = result;
        p->phase = READY;
        lks_inbox_tap(p->inbox);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

lks_err lks_prover_new(lks_prover **out, unsigned threads, const char *spill_folder, lks_inbox *inbox) {
    *out = NULL;
    lks_prover *p = calloc(1, sizeof *p);
    if (!p) return lks_fail(LKS_NOMEM, "out of memory");
    p->threads = threads;
    p->spill_folder = spill_folder;
    p->inbox = inbox;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (pthread_create(&p->thread, NULL, main_of_prover, p)) {
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return lks_fail(LKS_IO, "a thread for re-runs cannot be started");
    }
    *out = p;
    return LKS_OK;
}

void lks_prover_cancel(lks_prover *prover) {
    if (prover) atomic_store(&prover->cancel, true);
}

void lks_prover_free(lks_prover *prover) {
    if (!prover) return;
    lks_prover_cancel(prover);
    pthread_mutex_lock(&prover->lock);
    prover->stopped = true;
    pthread_cond_signal(&prover->changed);
    pthread_mutex_unlock(&prover->lock);
    pthread_join(prover->thread, NULL);
    if (prover->phase == READY) lks_move_free(&prover->result.move);
    pthread_cond_destroy(&prover->changed);
    pthread_mutex_destroy(&prover->lock);
    free(prover);
}

bool lks_prover_idle(lks_prover *prover) {
    pthread_mutex_lock(&prover->lock);
    bool idle = prover->phase == IDLE && !prover->stopped;
    pthread_mutex_unlock(&prover->lock);
    return idle;
}

bool lks_prover_give(lks_prover *prover, const lks_task *task) {
    pthread_mutex_lock(&prover->lock);
    bool idle = prover->phase == IDLE && !prover->stopped && !atomic_load(&prover->cancel);
    if (idle) {
        prover->task = *task;
        prover->phase = GIVEN;
        pthread_cond_signal(&prover->changed);
    }
    pthread_mutex_unlock(&prover->lock);
    return idle;
}

bool lks_prover_take(lks_prover *prover, lks_task_result *out) {
    pthread_mutex_lock(&prover->lock);
    bool ready = prover->phase == READY;
    if (ready) {
        *out = prover->result;
        memset(&prover->result, 0, sizeof prover->result);
        prover->phase = IDLE;
    }
    pthread_mutex_unlock(&prover->lock);
    return ready;
}
