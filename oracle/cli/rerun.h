/* A claim computed again on this machine: what `check`, `challenge`, `prove` and `watch` begin
 * with. */
#ifndef LKS_CLI_RERUN_H
#define LKS_CLI_RERUN_H

#include "oracle/cli/claim_view.h"
#include "oracle/proof/witness.h"
#include "oracle/trace/trace.h"

typedef struct lks_rerun_args {
    const char *model_path, *spill;
    uint32_t threads;
} lks_rerun_args;

#define LKS_RERUN_OPTIONS(a)                                                                       \
    {.name = "model",                                                                              \
     .letter = 'm',                                                                                \
     .kind = LKS_OPT_TEXT,                                                                         \
     .out = &(a).model_path,                                                                       \
     .value = "FILE",                                                                              \
     .help = "the request's GGUF file (default: $LOCKSTEP_MODEL)"},                                \
        {.name = "threads",                                                                        \
         .letter = 'j',                                                                            \
         .kind = LKS_OPT_U32,                                                                      \
         .out = &(a).threads,                                                                      \
         .value = "N",                                                                             \
         .help = "threads (default: one per core)"},                                               \
        {.name = "spill",                                                                          \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(a).spill,                                                                        \
         .value = "FOLDER",                                                                        \
         .help = "keep the whole trace in a file there, unlinked, instead of computing parts of "  \
                 "it again"}

/* A model file, opened and hashed. */
typedef struct lks_rerun_model {
    const char *path;
    lks_model model;
    lks_model_commitment commitment;
    lks_model_trees *trees; /* NULL until lks_rerun_trees */
} lks_rerun_model;

/* The file of -m or $LOCKSTEP_MODEL, opened; its commitment is made with progress. Out: *out, to be
 * closed in either case. Returns: LKS_PARSED, or the exit code after telling. */
int lks_rerun_open(lks_rerun_model *out, const lks_rerun_args *args, const char *command,
                   lks_progress *progress);
/* Opens the file at path for a command that runs for long: in memory of its own (lks_model_load,
 * lks_model_settle), so that nobody who cuts the file off or writes to it ends or misleads the
 * command. In: trees, whether witnesses will be made; threads, as of lks_pool_open. Out and returns
 * as lks_rerun_open. */
int lks_rerun_load(lks_rerun_model *out, const char *path, bool trees, uint32_t threads,
                   const char *command, lks_progress *progress);
/* Also the trees that witnesses are made from; hashes the file a second time. Returns: LKS_PARSED,
 * or the exit code after telling. */
int lks_rerun_trees(lks_rerun_model *m, const char *command, lks_progress *progress);
void lks_rerun_close(lks_rerun_model *m);

/* Whether the file is the request's model. Returns: LKS_PARSED, or the exit code after telling. */
int lks_rerun_match(const lks_rerun_model *m, const lks_request *request, const char *command);

/* Computes the claim again, with progress and with Ctrl-C ending it. Out: *trace, freed by the
 * caller. Returns: LKS_PARSED, or the exit code after telling. */
int lks_rerun_trace(lks_trace **trace, const lks_rerun_model *m, const lks_run *run,
                    const lks_rerun_args *args, bool tokens_only, const char *command,
                    lks_progress *progress);

/* A computation in a thread of its own. */
typedef struct lks_rerun_task lks_rerun_task;

/* Input of a task. All that it points to must outlive the task. */
typedef struct lks_rerun_job {
    const lks_rerun_model *model;
    const lks_run *run;        /* its trace; NULL: none */
    lks_trace_options options; /* of the trace */
    bool trees;                /* the model's trees */
    /* Called with the trace in the same thread; may be NULL. */
    lks_err (*judge)(lks_trace *trace, void *user);
    void *user;
} lks_rerun_job;

/* Out: *out, to be ended. Returns: LKS_OK; LKS_IO (no thread); LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_rerun_begin(lks_rerun_task **out, const lks_rerun_job *job);
bool lks_rerun_done(const lks_rerun_task *t);
/* Waits until it is done, and frees it. Out: *trace and *trees, the caller's; NULL where there is
 * none. Returns: what the computation did. */
LKS_MUST_USE
lks_err lks_rerun_end(lks_rerun_task *t, lks_trace **trace, lks_model_trees **trees);

#endif
