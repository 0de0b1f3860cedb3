/* The thread that makes answers, one request at a time; the planner says when each pass of the
 * engine may run.
 */
#ifndef LKS_PLUGIN_WORKER_H
#define LKS_PLUGIN_WORKER_H

#include "plugin/inbox.h"
#include "plugin/models.h"
#include "plugin/planner.h"
#include "plugin/store.h"

typedef struct lks_worker lks_worker;

/* One answer to be made. The lists are owned by whoever holds the work. */
typedef struct lks_work {
    uint8_t request_id[32];
    const lks_served *served;
    uint32_t *prompt;
    size_t prompt_count;
    uint32_t *allowed;
    size_t allowed_count;
    uint32_t temperature, min_p;
    uint64_t seed; /* the seed used */
    uint32_t max_tokens;
    uint64_t due; /* chain seconds: when it must go on to be done in time */
    bool recheck; /* the answer is computed a second time, in another way; there is none when they
                     differ */
} lks_work;

typedef struct lks_answer {
    uint8_t request_id[32];
    const lks_served *served;
    uint64_t seed;
    lks_err err; /* LKS_OK, or why there is no answer */
    bool abandoned;
    bool file_changed; /* the reason: that of the model */
    char reason[256];
    uint32_t *tokens; /* owned, to be freed with free() */
    uint32_t count;
    uint32_t prompt_count;
    uint64_t prefill_us; /* that it had the engine: up to the first token, and after it */
    uint64_t decode_us;
    uint64_t total_ms;
} lks_answer;

/* Starts the thread. In: nice, as of lks_desk_open; models and planner, which must outlive the
 * worker; inbox, tapped when an answer is ready. */
lks_err lks_worker_new(lks_worker **out, const lks_models *models, unsigned threads, unsigned nice,
                       lks_planner *planner, lks_inbox *inbox) LKS_MUST_USE;
/* Stops, waits for the thread, frees. NULL is allowed. */
void lks_worker_free(lks_worker *worker);
/* Any thread. Cancels what runs and takes nothing more. */
void lks_worker_stop(lks_worker *worker);

/* Whether it can be given work. Only the thread that gives may rely on it. */
bool lks_worker_idle(lks_worker *worker);
/* The request that it works on, or whose answer waits to be taken. Returns: false when there is
 * none. */
bool lks_worker_busy_with(lks_worker *worker, uint8_t request_id32[32]);
/* Hands over work, when idle. Takes the lists on success. Returns: false when it was not idle. */
bool lks_worker_give(lks_worker *worker, lks_work *work);
/* Cancels the work that runs, if there is some: its answer comes with LKS_REFUSED, abandoned. */
void lks_worker_abandon(lks_worker *worker);
/* Takes the answer that is ready. Returns: false when there is none. */
bool lks_worker_take(lks_worker *worker, lks_answer *out);

void lks_work_free(lks_work *work);

#endif
