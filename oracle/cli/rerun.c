#include "oracle/cli/rerun.h"

#include "chain/hex.h"
#include "oracle/cli/account.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/interrupt.h"
#include "oracle/cli/model_id.h"
#include "oracle/cli/policy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_NS 50000000

int lks_rerun_open(lks_rerun_model *out, const lks_rerun_args *args, const char *command,
                   lks_progress *progress)
{
    const char *path = lks_cli_setting(args->model_path, "LOCKSTEP_MODEL");
    *out = (lks_rerun_model){.path = path};
    if (path == NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: no model; name the request's GGUF file with -m or LOCKSTEP_MODEL",
                            command);
    }
    int code = lks_cli_open_model(&out->model, command, path);
    if (code == LKS_PARSED)
        code = lks_model_commit(&out->commitment, &out->model, path, progress);
    return code;
}

int lks_rerun_load(lks_rerun_model *out, const char *path, bool trees, uint32_t threads,
                   const char *command, lks_progress *progress)
{
    *out = (lks_rerun_model){.path = path};
    lks_err err = lks_model_load(&out->model, path);
    if (err != LKS_OK)
        return lks_cli_fail_file(err, command, NULL);
    lks_progress_note(progress, "hashing the model");
    err = trees ? lks_model_trees_make(&out->trees, &out->model)
                : lks_commitment_make(&out->commitment, &out->model, NULL, NULL);
    if (err == LKS_OK && trees)
        out->commitment = *lks_model_trees_commitment(out->trees);
    if (err == LKS_OK)
        err = lks_model_settle(&out->model, threads);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, path, NULL);
}

void lks_rerun_close(lks_rerun_model *m)
{
    lks_model_trees_free(m->trees);
    lks_model_close(&m->model);
    *m = (lks_rerun_model){0};
}

int lks_rerun_match(const lks_rerun_model *m, const lks_request *request, const char *command)
{
    char has[LKS_HEX_SIZE(32)], wants[LKS_HEX_SIZE(32)];
    if (memcmp(m->commitment.model_id, request->model_id, 32) == 0) {
        return LKS_PARSED;
    }
    lks_hex_encode(has, m->commitment.model_id, 32);
    lks_hex_encode(wants, request->model_id, 32);
    return lks_cli_fail(
        LKS_EXIT_INPUT,
        "%s: %s is the model %s, the request asks %s; name that model's file with -m", command,
        m->path, has, wants);
}

struct lks_rerun_task {
    lks_rerun_job job;
    pthread_t thread;
    lks_trace *trace;
    lks_model_trees *trees;
    lks_err err;
    char reason[512]; /* of a failure: it belongs to the thread that failed */
    atomic_bool done;
};

static void *task_thread(void *user)
{
    lks_rerun_task *t = user;
    const lks_model *model = &t->job.model->model;
    if (t->job.run != NULL)
        t->err = lks_trace_make(&t->trace, model, t->job.run, &t->job.options);
    if (t->err == LKS_OK && t->job.judge != NULL)
        t->err = t->job.judge(t->trace, t->job.user);
    if (t->err == LKS_OK && t->job.trees)
        t->err = lks_model_trees_make(&t->trees, model);
    if (t->err != LKS_OK)
        snprintf(t->reason, sizeof t->reason, "%s", lks_error_message());
    atomic_store(&t->done, true);
    return NULL;
}

lks_err lks_rerun_begin(lks_rerun_task **out, const lks_rerun_job *job)
{
    lks_rerun_task *t = calloc(1, sizeof *t);
    *out = NULL;
    if (t == NULL)
        return lks_fail(LKS_NOMEM, "out of memory");
    t->job = *job;
    if (pthread_create(&t->thread, NULL, task_thread, t) != 0) {
        free(t);
        return lks_fail(LKS_IO, "no thread can be started");
    }
    *out = t;
    return LKS_OK;
}

bool lks_rerun_done(const lks_rerun_task *t)
{
    return atomic_load(&t->done);
}

lks_err lks_rerun_end(lks_rerun_task *t, lks_trace **trace, lks_model_trees **trees)
{
    pthread_join(t->thread, NULL);
    lks_err err = t->err;
    if (err != LKS_OK) {
        lks_trace_free(t->trace);
        lks_fail_store("%s", t->reason);
    }
    *trace = err == LKS_OK ? t->trace : NULL;
    *trees = t->trees;
    free(t);
    return err;
}

/* Shows that a job goes on until it is done. */
static lks_err run_job(const lks_rerun_job *job, lks_trace **trace, lks_model_trees **trees,
                       const char *what, lks_progress *progress)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    lks_rerun_task *task;
    lks_err err = lks_rerun_begin(&task, job);
    if (err != LKS_OK)
        return err;
    while (!lks_rerun_done(task)) {
        lks_progress_wait(progress, what);
        nanosleep(&pause, NULL);
    }
    lks_progress_end(progress);
    return lks_rerun_end(task, trace, trees);
}

int lks_rerun_trees(lks_rerun_model *m, const char *command, lks_progress *progress)
{
    const lks_rerun_job job = {.model = m, .trees = true};
    lks_trace *none;
    if (m->trees != NULL)
        return LKS_PARSED;
    lks_err err = run_job(&job, &none, &m->trees, "hashing the model", progress);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, command, NULL);
}

int lks_rerun_trace(lks_trace **trace, const lks_rerun_model *m, const lks_run *run,
                    const lks_rerun_args *args, bool tokens_only, const char *command,
                    lks_progress *progress)
{
    lks_spill *spill = NULL;
    lks_model_trees *none;
    char what[96];
    *trace = NULL;
    if (args->spill != NULL && lks_spill_open(&spill, args->spill, UINT64_MAX) != LKS_OK)
        return lks_cli_fail_file(LKS_IO, command, "choose another --spill folder, or leave it out");
    const lks_rerun_job job = {.model = m,
                               .run = run,
                               .options = {.threads = args->threads,
                                           .spill = spill,
                                           .cancel = lks_interrupt_flag(),
                                           .tokens_only = tokens_only}};
    snprintf(what, sizeof what, "computing %zu positions again",
             run->prompt_count + run->answer_count - 1);
    lks_progress_note(progress, "%s", what);
    lks_interrupt_catch();
    lks_err err = run_job(&job, trace, &none, what, progress);
    lks_interrupt_release();
    lks_spill_close(spill);
    if (lks_interrupted())
        return lks_cli_fail(LKS_EXIT_INTERRUPTED, "%s: interrupted", command);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, command, NULL);
}
