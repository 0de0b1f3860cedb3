/* The thread that runs models, one request at a time.
 */
#ifndef LKS_PLUGIN_WORKER_H
#define LKS_PLUGIN_WORKER_H

#include "plugin/inbox.h"
#include "plugin/models.h"
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
    bool recheck; /* the answer is computed a second time, in another way; there is none when they differ */
} lks_work;

typedef struct lks_answer {
    uint8_t request_id[32];
    const lks_served *served;
    uint64_t seed;
    lks_err err; /* LKS_OK, or why there is no answer */
    char reason[256];
    uint32_t *tokens; /* owned, to be freed with free() */
    uint32_t count;
    uint32_t prompt_count;
    lks_speed speed;    /* as measured in this run; 0: too short to tell */
    uint64_t total_ms;
} lks_answer;

/* Starts the thread. In: nice, as of lks_desk_open; inbox, tapped when an answer is ready; models, which must outlive the worker. */
lks_err lks_worker_new(lks_worker **out, const lks_models *models, unsigned threads, unsigned nice, lks_inbox *inbox) LKS_MUST_USE;
/* Cancels what runs, waits for the thread, frees. NULL is allowed. */
void lks_worker_free(lks_worker *worker);
/* Cancels what runs: its answer comes with LKS_REFUSED. */
void lks_worker_cancel(lks_worker *worker);

/* Whether it can be given work. Only the thread that gives may rely on it. */
bool lks_worker_idle(lks_worker *worker);
/* The request that it works on, or whose answer waits to be taken. Returns: false when there is none. */
bool lks_worker_busy_with(lks_worker *worker, uint8_t request_id32[32]);
/* Hands over work, when idle. Takes the lists on success. Returns: false when it was not idle. */
bool lks_worker_give(lks_worker *worker, lks_work *work);
/* Takes the answer that is ready. Returns: false when there is none. */
bool lks_worker_take(lks_worker *worker, lks_answer *out);

void lks_work_free(lks_work *work);

#endif
