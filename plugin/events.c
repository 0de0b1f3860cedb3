#include "plugin/events.h"

#include "chain/hex.h"
#include "plugin/log.h"

#include <string.h>

void lks_short_id(char text[LKS_SHORT_ID_SIZE], const uint8_t id32[32]) {
    lks_hex_encode(text, id32, 4);
}

static bool is_ours(const lks_events *e, const lks_event *event) {
    return memcmp(event->account, e->who.operator_address, 20) == 0;
}

static lks_err on_requested(const lks_events *e, const lks_block_ref *block, uint64_t time, const lks_event *event) {
    char name[LKS_SHORT_ID_SIZE];
    uint8_t id[32];
    lks_job job;
    lks_short_id(name, event->request_id);
    lks_request_id(id, e->who.chain_id, e->who.oracle, &event->request);
    if (memcmp(id, event->request_id, 32)) {
        lks_log(e->host, LKS_WARN, "request %s left alone: its content hashes to another id", name);
        return LKS_OK;
    }
    if (!lks_models_find(e->models, event->request.model_id)) {
        char model[LKS_SHORT_ID_SIZE];
        lks_short_id(model, event->request.model_id);
        lks_log(e->host, LKS_DEBUG, "request %s left alone: model %s is not served here", name, model);
        return LKS_OK;
    }
    lks_err err = lks_store_job_get(e->store, id, &job);
    bool known = err == LKS_OK;
    if (err && err != LKS_NOTFOUND) return err;
    if (!known) {
        memset(&job, 0, sizeof job);
        memcpy(job.request_id, id, 32);
        job.request = event->request;
    }
    job.requested = *block;
    job.requested_time = time;
    lks_log(e->host, LKS_INFO, "request %s in block %llu: %u prompt tokens, up to %u answered%s", name, (unsigned long long)block->number,
            job.request.prompt_count, job.request.max_tokens, known ? " (its block moved)" : "");
    return known ? lks_store_job_put(e->store, &job)
                 : lks_store_job_add(e->store, &job, event->bytes, event->bytes_len, event->allowed, event->allowed_len);
}

static void on_accepted(const lks_events *e, lks_job *job, const lks_block_ref *block, const lks_event *event) {
    if (is_ours(e, event)) {
        job->accepted = *block;
        job->attempt = event->attempt;
        job->seat = event->seat;
        job->seed = event->seed;
    }
    bool seats_full = event->time != 0;
    if (seats_full && job->accepted.number && job->attempt == event->attempt) {
        job->full = *block;
        job->claim_deadline = event->time;
    } else if (seats_full && !job->accepted.number) {
        job->dropped = LKS_DROP_TAKEN;
        job->dropped_at = block->number;
    }
}

static void on_reopened(lks_job *job, const lks_block_ref *block, const lks_event *event) {
    job->reopened = *block;
    job->reopened_deadline = event->time;
    if (job->accepted.number == 0 && (job->dropped == LKS_DROP_TAKEN || job->dropped == LKS_DROP_EXPIRED || job->dropped == LKS_DROP_CONTRACT))
        job->dropped = LKS_DROP_NONE;
}

static void end_job(lks_job *job, const lks_block_ref *block, lks_job_end how) {
    if (job->end) return; /* what came first is what happened to us */
    job->ended = *block;
    job->end = how;
}

/* Returns: false when the event says nothing about the job. */
static bool apply_to_job(const lks_events *e, lks_job *job, const lks_block_ref *block, const lks_event *event) {
    bool ours = is_ours(e, event);
    switch (event->kind) {
    case LKS_EVENT_ACCEPTED:
        on_accepted(e, job, block, event);
        return true;
    case LKS_EVENT_COMMITTED:
        if (ours) job->committed = *block;
        return ours;
    case LKS_EVENT_REVEAL_OPENED:
        job->reveal_opened = *block;
        job->reveal_deadline = event->time;
        return true;
    case LKS_EVENT_CLAIMED:
        if (!ours) return false;
        job->claimed = *block;
        memcpy(job->claim_id, event->claim_id, 32);
        job->window_end = event->time;
        return true;
    case LKS_EVENT_REOPENED:
        on_reopened(job, block, event);
        return true;
    case LKS_EVENT_MISSED:
        if (ours) end_job(job, block, LKS_END_MISSED);
        return ours;
    case LKS_EVENT_CONVICTED:
        if (ours) end_job(job, block, LKS_END_CONVICTED);
        return ours;
    case LKS_EVENT_FINALIZED:
        end_job(job, block, LKS_END_FINAL);
        return true;
    case LKS_EVENT_REFUNDED:
        end_job(job, block, LKS_END_REFUNDED);
        return true;
    default:
        return false;
    }
}

/* ---- claims, whoever made them ---- */

/* The attempt that a claim was made in is what its id says. */
static bool attempt_of(uint8_t *attempt, const lks_event *event) {
    for (*attempt = 1; *attempt <= LKS_MAX_ATTEMPTS; ++*attempt) {
        uint8_t id[32];
        lks_claim_id(id, event->hash, *attempt);
        if (memcmp(id, event->claim_id, 32) == 0) return true;
    }
    return false;
}

static lks_err on_claimed(const lks_events *e, const lks_block_ref *block, const lks_event *event) {
    lks_claim claim = {.claimed = *block, .window_end = event->time, .token_count = (uint32_t)(event->bytes_len / 4)};
    memcpy(claim.claim_id, event->claim_id, 32);
    memcpy(claim.request_id, event->request_id, 32);
    memcpy(claim.operator_address, event->account, 20);
    if (event->bytes_len == 0 || event->bytes_len % 4 || event->bytes_len / 4 > UINT32_MAX || !attempt_of(&claim.attempt, event)) {
        char name[LKS_SHORT_ID_SIZE];
        lks_short_id(name, event->claim_id);
        lks_log(e->host, LKS_WARN, "claim %s is passed over: it is not what its id says", name);
        return LKS_OK;
    }
    return lks_store_claim_add(e->store, &claim);
}

/* Keeps what concerns claims. The job is there. */
static lks_err apply_to_claims(const lks_events *e, const lks_block_ref *block, const lks_event *event) {
    lks_claim claim;
    switch (event->kind) {
    case LKS_EVENT_CLAIMED:
        return on_claimed(e, block, event);
    case LKS_EVENT_FINALIZED:
    case LKS_EVENT_REFUNDED:
        return lks_store_claims_end(e->store, event->request_id, block);
    case LKS_EVENT_DISPUTE_OPENED:
    case LKS_EVENT_CONVICTED: {
        lks_err err = lks_store_claim_get(e->store, event->claim_id, &claim);
        if (err) return err == LKS_NOTFOUND ? LKS_OK : err;
        lks_block_ref *what = event->kind == LKS_EVENT_CONVICTED ? &claim.ended : &claim.disputed;
        if (what->number) return LKS_OK;
        *what = *block;
        return lks_store_claim_put(e->store, &claim);
    }
    default:
        return LKS_OK;
    }
}

lks_err lks_events_apply(const lks_events *e, const lks_block_ref *block, uint64_t time, const uint8_t (*topics)[32], size_t topic_count,
                         const uint8_t *data, size_t len) {
    lks_event event;
    lks_job job;
    char name[LKS_SHORT_ID_SIZE];
    lks_err err = lks_event_decode(&event, topics, topic_count, data, len);
    if (err == LKS_NOTFOUND) return LKS_OK;
    if (err == LKS_NOMEM) return err;
    if (err) {
        lks_log(e->host, LKS_WARN, "a log in block %llu is passed over: %s", (unsigned long long)block->number, lks_error_message());
        return LKS_OK;
    }
    if (event.kind == LKS_EVENT_REQUESTED) return on_requested(e, block, time, &event);
    err = lks_store_job_get(e->store, event.request_id, &job);
    if (err) return err == LKS_NOTFOUND ? LKS_OK : err;
    err = apply_to_claims(e, block, &event);
    if (err) return err;
    lks_job_state before = job.state;
    if (!apply_to_job(e, &job, block, &event)) return LKS_OK;
    lks_job_state after = lks_job_fold(&job);
    lks_short_id(name, job.request_id);
    if (after == LKS_JOB_INVALID) {
        lks_log(e->host, LKS_WARN, "request %s: event %s cannot happen in state %s and is passed over", name, lks_event_name(event.kind),
                lks_job_state_name(before));
        return LKS_OK;
    }
    bool about_us = job.accepted.number != 0;
    if (after != before)
        lks_log(e->host, about_us ? LKS_INFO : LKS_DEBUG, "request %s is %s (block %llu)", name, lks_job_state_name(after),
                (unsigned long long)block->number);
    return lks_store_job_put(e->store, &job);
}
