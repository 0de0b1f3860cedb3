/* Checks resources before a request is accepted: the engine time, disk and memory that it and all
 * other open work may need when every claim is disputed at once. */
#ifndef LKS_PLUGIN_GATE_H
#define LKS_PLUGIN_GATE_H

#include "plugin/match.h"
#include "plugin/prover.h"
#include "plugin/store.h"

typedef struct lks_operator lks_operator;

/* Resources that one job, or all together, may need. */
typedef struct lks_load {
    uint64_t answer_ms; /* of those that are not answered yet */
    uint64_t trace_ms;  /* to make the traces */
    uint64_t rows;      /* bytes of their rows */
    uint64_t kept;      /* bytes of memory that stay as long as the traces */
    uint64_t answering; /* bytes of memory while the largest answer is made */
    uint64_t tracing;   /* and while the largest trace is */
    uint64_t foreign;   /* and while the largest claim of somebody else is run again */
} lks_load;

/* Out: what the job needs. Returns: false when a time is not known yet. */
bool lks_gate_load(lks_load *out, const lks_operator *op, const lks_job *job);
/* Adds a job's load to that of all. */
void lks_gate_add(lks_load *all, const lks_load *one);
/* Out: what everything needs that is open now: the jobs that something may still come of, and the
 * claims of others that are checked or disputed. In: jobs, all that are open. */
void lks_gate_open_load(lks_load *all, const lks_operator *op, const lks_jobs *jobs);
/* Out: world's backlog, defence and memory, for one job beside all others. */
void lks_gate_world(lks_job_world *world, const lks_operator *op, const lks_load *all,
                    const lks_load *one);
/* Whether there is memory for running others' claims again that have matches, beside all that is
 * open. Says what is missing, for this claim. */
bool lks_gate_has_memory(lks_operator *op, const lks_match *m, lks_task_kind kind);

#endif
