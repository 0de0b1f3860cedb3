#include "oracle/cli/rerun.h"

#include "chain/hex.h"
#include "oracle/cli/account.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/model_id.h"
#include "oracle/cli/policy.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_NS 50000000

static atomic_bool interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    atomic_store(&interrupted, true);
}

int lks_rerun_open_path(lks_rerun_model *out, const char *path, const char *command, lks_progress *progress)
{
    *out = (lks_rerun_model){.path = path};
    int code = lks_cli_open_model(&out->model, command, path);
    return code == LKS_PARSED ? lks_model_commit(&out->commitment, &out->model, path, progress) : code;
}

int lks_rerun_open(lks_rerun_model *out, const lks_rerun_args *args, const char *command, lks_progress *progress)
{
    const char *path = lks_cli_setting(args->model_path, "LOCKSTEP_MODEL");
    *out = (lks_rerun_model){0};
    if (path == NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: no model; name the request's GGUF file with -m or LOCKSTEP_MODEL", command);
    }
    return lks_rerun_open_path(out, path, command, progress);
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
    return lks_cli_fail(LKS_EXIT_INPUT, "%s: %s is the model %s, the request asks %s; name that model's file with -m", command, m->path, has, wants);
}

/* Work that a second thread does while this one shows that it goes on. The reason of a failure belongs to the thread that failed. */
typedef struct work {
    lks_err (*run)(struct work *w);
    const lks_rerun_model *model;
    const lks_run *claim;
    const lks_trace_options *options;
    lks_trace *trace;
    lks_model_trees *trees;
    lks_err err;
    char reason[512];
    atomic_bool done;
} work;

static void *work_thread(void *user)
{
    work *w = user;
    w->err = w->run(w);
    if (w->err != LKS_OK) {
        snprintf(w->reason, sizeof w->reason, "%s", lks_error_message());
    }
    atomic_store(&w->done, true);
    return NULL;
}

static lks_err wait_for(work *w, const char *what, lks_progress *progress)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    pthread_t thread;
    if (pthread_create(&thread, NULL, work_thread, w) != 0) {
        return lks_fail(LKS_IO, "no thread can be started");
    }
    while (!atomic_load(&w->done)) {
        lks_progress_wait(progress, what);
        nanosleep(&pause, NULL);
    }
    pthread_join(thread, NULL);
    lks_progress_end(progress);
    return w->err == LKS_OK ? LKS_OK : lks_fail(w->err, "%s", w->reason);
}

static lks_err make_trace(work *w) { return lks_trace_make(&w->trace, &w->model->model, w->claim, w->options); }

static lks_err make_trees(work *w) { return lks_model_trees_make(&w->trees, &w->model->model); }

int lks_rerun_trees(lks_rerun_model *m, const char *command, lks_progress *progress)
{
    if (m->trees != NULL) {
        return LKS_PARSED;
    }
    work w = {.run = make_trees, .model = m};
    lks_err err = wait_for(&w, "hashing the model", progress);
    m->trees = w.trees;
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, command, NULL);
}

int lks_rerun_trace(lks_trace **trace, const lks_rerun_model *m, const lks_run *run, const lks_rerun_args *args, bool tokens_only, const char *command,
                    lks_progress *progress)
{
    lks_spill *spill = NULL;
    *trace = NULL;
    if (args->spill != NULL && lks_spill_open(&spill, args->spill, UINT64_MAX) != LKS_OK) {
        return lks_cli_fail_file(LKS_IO, command, "choose another --spill folder, or leave it out");
    }
    const lks_trace_options options = {.threads = args->threads, .spill = spill, .cancel = &interrupted, .tokens_only = tokens_only};
    work w = {.run = make_trace, .model = m, .claim = run, .options = &options};
    char what[96];
    snprintf(what, sizeof what, "computing %zu positions again", run->prompt_count + run->answer_count - 1);
    void (*before)(int) = signal(SIGINT, on_interrupt);
    lks_progress_note(progress, "%s", what);
    lks_err err = wait_for(&w, what, progress);
    signal(SIGINT, before);
    *trace = w.trace;
    lks_spill_close(spill);
    if (atomic_load(&interrupted)) {
        return lks_cli_fail(LKS_EXIT_INTERRUPTED, "%s: interrupted", command);
    }
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, command, NULL);
}
