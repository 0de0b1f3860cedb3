/* The newest blocks, read once more some blocks later: a list that lacked some of their logs looked
 * like any other then. */
#include "plugin/feed_internal.h"

#include "plugin/log.h"

#include <string.h>

/* Blocks after which it is done again. */
#define REVIEW_EVERY 8u

typedef struct before {
    lks_job job; /* as it was known; all zero: it was not */
} before;

/* Whether what the events say now takes nothing away that is ours. Where it rightly does, the state
 * of the contract shows it, and the state check acts on that. */
static bool keeps_ours(void *user, const lks_job *job)
{
    const lks_round *old = &((const before *)user)->job.round, *now = &job->round;
    return (now->accepted.number || !old->accepted.number) &&
           (now->committed.number || !old->committed.number) &&
           (now->reveal_opened.number || !old->reveal_opened.number) &&
           (now->claimed.number || !old->claimed.number);
}

/* Whether the log was left out when its block was read. Of blocks that were read before the start
 * it is told by what is stored: a request or a claim of another is known by its event alone. */
static bool is_missing(lks_feed *f, const lks_eth_log *log, const lks_event *event)
{
    lks_store *s = f->events.store;
    lks_claim claim;
    lks_job job;
    if (f->recent.from && log->block_number >= f->recent.from)
        return !lks_recent_logs_has(&f->recent, log);
    lks_err err = lks_store_job_get(s, event->request_id, &job);
    if (event->kind == LKS_EVENT_REQUESTED)
        return err == LKS_NOTFOUND && lks_models_find(f->events.models, event->request.model_id);
    return event->kind == LKS_EVENT_CLAIMED && err == LKS_OK &&
           lks_store_claim_named(s, event->name, &claim) == LKS_NOTFOUND;
}

/* Reads a request again where the log about it was left out. */
static void mend(lks_feed *f, const lks_eth_log *log)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_event event;
    before known;
    const uint8_t *id = log->topics[1];
    memset(&known, 0, sizeof known);
    lks_err err = lks_event_decode(&event, (const uint8_t(*)[32])log->topics, log->topic_count,
                                   log->data, log->data_len);
    if (err || !is_missing(f, log, &event))
        return;
    uint64_t from = log->block_number;
    err = lks_store_job_get(f->events.store, id, &known.job);
    if (!err && known.job.requested.number)
        from = known.job.requested.number;
    else if (event.kind != LKS_EVENT_REQUESTED)
        return;
    lks_short_id(name, id);
    err = lks_feed_reread(f, id, from, keeps_ours, &known);
    if (err)
        lks_log(f->events.host, LKS_DEBUG, "request %s: reading its events again: %s", name,
                lks_error_message());
    else
        lks_log(f->events.host, LKS_WARN,
                "request %s: the node had left out event %s of block %llu, and gives it now; if "
                "that happens often, use another node",
                name, lks_event_name(event.kind), (unsigned long long)log->block_number);
}

static lks_err read_recent(lks_feed *f, lks_eth_logs *logs)
{
    uint8_t topics[LKS_EVENT_KIND_COUNT][32];
    const lks_eth_filter filter = lks_feed_oracle_filter(f, topics);
    const lks_store_block *head = &f->head;
    lks_store_block oldest;
    uint64_t from = head->ref.number;
    from = from > LKS_RECENT_BLOCKS ? from - LKS_RECENT_BLOCKS : 1;
    lks_err err = lks_store_block_oldest(f->events.store, &oldest);
    if (!err && from < oldest.ref.number)
        from = oldest.ref.number;
    if (!err)
        err = lks_eth_get_logs(&f->node, &filter, from, head->ref.number, 0, logs);
    for (size_t i = 0; !err && i < logs->count; i++)
        err = lks_log_check_branch(&logs->items[i], f->events.store, &head->ref);
    return err;
}

void lks_feed_review(lks_feed *f)
{
    lks_eth_logs logs = {0};
    uint64_t head = f->head.ref.number;
    bool due = f->reviewed == 0 || head < f->reviewed || head >= f->reviewed + REVIEW_EVERY;
    if (f->behind || !due || head == 0)
        return;
    lks_err err = read_recent(f, &logs);
    for (size_t i = 0; !err && i < logs.count; i++) {
        const lks_eth_log *log = &logs.items[i];
        if (!log->removed && log->topic_count > 1)
            mend(f, log);
    }
    if (err)
        lks_log(f->events.host, LKS_DEBUG, "reading the newest blocks once more: %s",
                lks_error_message());
    lks_eth_logs_free(&logs);
    f->reviewed = head;
}
