/* One request's events, read again in place of what was made of them. */
#include "plugin/feed.h"

#include <string.h>

static lks_err read_events(lks_feed *f, const uint8_t id[32], uint64_t from, lks_eth_logs *logs,
                           lks_eth_header *first)
{
    const uint8_t *const topics[1] = {id};
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])f->events.who.oracle,
                                   .address_count = 1,
                                   .topics = {topics[0]}};
    lks_event event;
    lks_err err = lks_eth_get_logs(&f->node, &filter, from, f->head.ref.number, 0, logs);
    for (size_t i = 0; !err && i < logs->count; i++)
        err = lks_log_check_branch(&logs->items[i], f->events.store, &f->head.ref);
    if (err)
        return err;
    const lks_eth_log *log = logs->items;
    bool begins = logs->count &&
                  lks_event_decode(&event, (const uint8_t(*)[32])log->topics, log->topic_count,
                                   log->data, log->data_len) == LKS_OK &&
                  event.kind == LKS_EVENT_REQUESTED;
    if (!lks_recent_logs_are_in(&f->recent, id, f->head.ref.number, logs))
        return lks_fail(LKS_NOTFOUND, "the node leaves out an event that it gave before");
    if (!begins)
        return lks_fail(LKS_NOTFOUND, "the node does not give the event of the request itself");
    return lks_eth_header_by_hash(&f->node, log->block_hash, first);
}

/* Within a transaction. */
static lks_err apply_anew(lks_feed *f, const uint8_t id[32], const lks_eth_logs *logs,
                          uint64_t time, lks_job *job)
{
    lks_salts salts;
    lks_err err = lks_store_job_forget(f->events.store, id, &salts);
    bool known = err != LKS_NOTFOUND;
    if (!known)
        err = LKS_OK;
    for (size_t i = 0; !err && i < logs->count; i++) {
        const lks_eth_log *log = &logs->items[i];
        lks_block_ref block = {.number = log->block_number};
        memcpy(block.hash, log->block_hash, 32);
        err = lks_events_apply(&f->events, &block, time, (const uint8_t(*)[32])log->topics,
                               log->topic_count, log->data, log->data_len);
    }
    if (!err && known)
        err = lks_store_job_recall(f->events.store, id, &salts);
    return err ? err : lks_store_job_get(f->events.store, id, job);
}

lks_err lks_feed_reread(lks_feed *f, const uint8_t request_id32[32], uint64_t from,
                        lks_feed_judge_fn judge, void *user)
{
    lks_store *s = f->events.store;
    lks_eth_logs logs = {0};
    lks_eth_header first;
    lks_job job;
    lks_err err = read_events(f, request_id32, from, &logs, &first);
    if (!err)
        err = lks_store_begin(s);
    if (err) {
        lks_eth_logs_free(&logs);
        return err;
    }
    err = apply_anew(f, request_id32, &logs, first.timestamp, &job);
    if (!err && !judge(user, &job))
        err = lks_fail(LKS_NOTFOUND, "the node's events do not lead to what the contract says");
    if (err)
        lks_store_rollback(s);
    else
        err = lks_store_commit(s);
    if (!err)
        lks_recent_logs_note_all(&f->recent, &logs);
    lks_eth_logs_free(&logs);
    return err;
}
