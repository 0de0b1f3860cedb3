#include "plugin/events.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "plugin/log.h"

#include <string.h>

void lks_short_id(char text[LKS_SHORT_ID_SIZE], const uint8_t id32[32])
{
    lks_hex_encode(text, id32, 4);
}

static bool is_ours(const lks_events *e, const lks_event *event)
{
    return memcmp(event->account, e->who.operator_address, 20) == 0;
}

static lks_err on_requested(const lks_events *e, const lks_block_ref *block, uint64_t time,
                            const lks_event *event)
{
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
        lks_log(e->host, LKS_DEBUG, "request %s left alone: model %s is not served here", name,
                model);
        return LKS_OK;
    }
    lks_err err = lks_store_job_get(e->store, id, &job);
    bool known = err == LKS_OK;
    if (err && err != LKS_NOTFOUND)
        return err;
    if (!known) {
        memset(&job, 0, sizeof job);
        memcpy(job.request_id, id, 32);
        job.request = event->request;
    }
    job.requested = *block;
    job.requested_time = time;
    lks_log(e->host, LKS_INFO, "request %s in block %llu: %u prompt tokens, up to %u answered%s",
            name, (unsigned long long)block->number, job.request.prompt_count,
            job.request.max_tokens, known ? " (its block moved)" : "");
    return known ? lks_store_job_put(e->store, &job)
                 : lks_store_job_add(e->store, &job, event->bytes, event->bytes_len, event->allowed,
                                     event->allowed_len);
}

/* ---- our part in a request ---- */

static void on_accepted(const lks_events *e, lks_job *job, const lks_block_ref *block,
                        const lks_event *event)
{
    lks_round *r = &job->round;
    if (job->seeded.number == 0) {
        job->seeded = *block;
        job->seed = event->seed;
    }
    if (is_ours(e, event)) {
        r->accepted = *block;
        r->attempt = event->attempt;
        r->seat = event->seat;
    }
    bool filled = event->flag;
    if (!filled) {
        r->fill_deadline = event->time;
    } else if (r->accepted.number && r->attempt == event->attempt) {
        r->full = *block;
        r->claim_deadline = event->time;
    } else if (r->accepted.number == 0 && job->end == LKS_END_NONE) {
        job->dropped = LKS_DROP_TAKEN;
        job->dropped_at = block->number;
    }
}

/* The request is open again. Nothing changes for an operator whose claim was convicted: it may not
 * come back. */
static lks_err on_open_again(const lks_events *e, lks_job *job, const lks_block_ref *block)
{
    if (job->end == LKS_END_CONVICTED)
        return LKS_OK;
    if (job->dropped == LKS_DROP_TAKEN || job->dropped == LKS_DROP_CONTRACT)
        job->dropped = LKS_DROP_NONE;
    return lks_store_round_close(e->store, job, block);
}

static void end_job(lks_job *job, const lks_block_ref *block, lks_job_end how)
{
    if (job->end) /* what came first is what happened to us */
        return;
    job->ended = *block;
    job->end = how;
}

static lks_err claim_id_of(uint8_t id32[32], const lks_events *e, const lks_job *job,
                           const lks_event *event)
{
    uint8_t hash[32];
    lks_claim_facts facts;
    lks_claim_terms terms;
    if (event->bytes_len == 0 || event->bytes_len % 4 || event->bytes_len / 4 > UINT32_MAX)
        return lks_fail(LKS_CORRUPT, "an answer of %zu bytes", event->bytes_len);
    lks_tokens_hash(hash, event->bytes, event->bytes_len);
    lks_claim_facts_of(&facts, &job->request, event->seed, (uint32_t)(event->bytes_len / 4), hash);
    lks_claim_terms_of(&terms, e->who.oracle, event->name, event->account, &job->request, &facts);
    lks_claim_id(id32, &terms);
    return LKS_OK;
}

/* Out: *about, whether the event says something about the job. */
static lks_err apply_to_job(const lks_events *e, lks_job *job, const lks_block_ref *block,
                            const lks_event *event, bool *about)
{
    bool ours = is_ours(e, event);
    lks_round *r = &job->round;
    *about = true;
    switch (event->kind) {
    case LKS_EVENT_ACCEPTED: on_accepted(e, job, block, event); return LKS_OK;
    case LKS_EVENT_SEATS_FREED:
    case LKS_EVENT_REOPENED: return on_open_again(e, job, block);
    case LKS_EVENT_REVEAL_OPENED:
        r->reveal_opened = *block;
        r->reveal_deadline = event->time;
        return LKS_OK;
    case LKS_EVENT_CANCELLED: job->cancelled = *block; return LKS_OK;
    case LKS_EVENT_FINALIZED: end_job(job, block, LKS_END_FINAL); return LKS_OK;
    case LKS_EVENT_REFUNDED: end_job(job, block, LKS_END_REFUNDED); return LKS_OK;
    case LKS_EVENT_UNDECIDED: end_job(job, block, LKS_END_UNDECIDED); return LKS_OK;
    default: break;
    }
    *about = ours;
    if (!ours)
        return LKS_OK;
    switch (event->kind) {
    case LKS_EVENT_COMMITTED: r->committed = *block; return LKS_OK;
    case LKS_EVENT_CLAIMED:
        *about =
            claim_id_of(r->claim_id, e, job, event) == LKS_OK; /* else on_claimed has said so */
        if (*about) {
            r->claimed = *block;
            r->window_end = event->time;
        }
        return LKS_OK;
    case LKS_EVENT_MISSED: r->missed = *block; return LKS_OK;
    case LKS_EVENT_CONVICTED: end_job(job, block, LKS_END_CONVICTED); return LKS_OK;
    default: *about = false; return LKS_OK;
    }
}

/* ---- claims, whoever made them ---- */

static lks_err on_claimed(const lks_events *e, const lks_job *job, const lks_block_ref *block,
                          const lks_event *event)
{
    uint8_t id[32], attempt = 0, seat = 0;
    lks_claim claim = {.claimed = *block, .window_end = event->time};
    lks_err err = lks_claim_name_split(id, &attempt, &seat, event->name);
    if (!err)
        err = claim_id_of(claim.claim_id, e, job, event);
    if (err) {
        char name[LKS_SHORT_ID_SIZE];
        lks_short_id(name, event->name);
        lks_log(e->host, LKS_WARN, "claim %s is ignored: %s", name, lks_error_message());
        return LKS_OK;
    }
    claim.token_count = (uint32_t)(event->bytes_len / 4);
    memcpy(claim.name, event->name, 32);
    memcpy(claim.request_id, event->request_id, 32);
    memcpy(claim.operator_address, event->account, 20);
    claim.co_seat =
        !is_ours(e, event) && job->round.accepted.number && job->round.attempt == attempt;
    return lks_store_claim_add(e->store, &claim);
}

/* Something happened to a claim that is stored. Each of these events says that there may be
 * disputes about it, and ours among them, also where the node left out the one that opened the
 * first: what is owed to us is looked for in the game's own logs and state. */
static lks_err on_named(const lks_events *e, const lks_block_ref *block, const lks_event *event)
{
    lks_claim claim;
    char name[LKS_SHORT_ID_SIZE];
    lks_err err = lks_store_claim_named(e->store, event->name, &claim);
    if (err)
        return err == LKS_NOTFOUND ? LKS_OK : err;
    bool ends = event->kind == LKS_EVENT_CONVICTED || event->kind == LKS_EVENT_VOIDED;
    bool first = claim.disputed.number == 0 && !ends;
    if (first && memcmp(claim.operator_address, e->who.operator_address, 20) == 0) {
        lks_short_id(name, claim.claim_id);
        lks_log(e->host, LKS_WARN, "claim %s, which is ours, is disputed (block %llu)", name,
                (unsigned long long)block->number);
    }
    if (claim.disputed.number == 0)
        claim.disputed = *block;
    if (ends && claim.ended.number == 0)
        claim.ended = *block;
    return lks_store_claim_put(e->store, &claim);
}

/* Keeps what concerns claims. */
static lks_err apply_to_claims(const lks_events *e, const lks_job *job, const lks_block_ref *block,
                               const lks_event *event)
{
    switch (event->kind) {
    case LKS_EVENT_CLAIMED: return on_claimed(e, job, block, event);
    case LKS_EVENT_FINALIZED:
    case LKS_EVENT_REFUNDED:
    case LKS_EVENT_UNDECIDED: return lks_store_claims_end(e->store, event->request_id, block);
    case LKS_EVENT_DISPUTED:
    case LKS_EVENT_CONVICTED:
    case LKS_EVENT_VOIDED: return on_named(e, block, event);
    default: return LKS_OK;
    }
}

/* ---- logs ---- */

/* Says that a job is in another state. What costs us bond is an error with the amount, so that one
 * can be alerted by level. */
static void tell(const lks_events *e, const lks_job *job, lks_job_state after,
                 const lks_block_ref *block, const lks_event *event)
{
    char name[LKS_SHORT_ID_SIZE], ether[LKS_ETHER_SIZE];
    unsigned long long number = block->number;
    lks_short_id(name, job->request_id);
    if (after == LKS_JOB_MISSED) {
        lks_wei_format(ether, &event->amount);
        lks_log(
            e->host, LKS_ERROR,
            "request %s is missed (block %llu): its deadline passed without our claim, which costs"
            " %s ether of the bond",
            name, number, ether);
    } else if (after == LKS_JOB_CONVICTED) {
        lks_wei_format(ether, &job->request.stake);
        lks_log(e->host, LKS_ERROR,
                "request %s is convicted (block %llu): our claim was proved wrong or was not "
                "defended in"
                " time, which costs the stake of %s ether",
                name, number, ether);
    } else {
        lks_log(e->host, job->round.accepted.number ? LKS_INFO : LKS_DEBUG,
                "request %s is %s (block %llu)", name, lks_job_state_name(after), number);
    }
}

static lks_err apply(const lks_events *e, const lks_block_ref *block, lks_job *job,
                     const lks_event *event)
{
    char name[LKS_SHORT_ID_SIZE];
    bool about = false;
    lks_job_state before = job->state;
    lks_short_id(name, job->request_id);
    lks_err err = apply_to_claims(e, job, block, event);
    if (!err)
        err = apply_to_job(e, job, block, event, &about);
    if (err || !about)
        return err;
    lks_job_state after = lks_job_fold(job);
    if (after == LKS_JOB_INVALID) {
        lks_log(e->host, LKS_WARN, "request %s: event %s cannot happen in state %s and is ignored",
                name, lks_event_name(event->kind), lks_job_state_name(before));
        return LKS_OK;
    }
    if (after != before)
        tell(e, job, after, block, event);
    return lks_store_job_put(e->store, job);
}

lks_err lks_events_apply(const lks_events *e, const lks_block_ref *block, uint64_t time,
                         const uint8_t (*topics)[32], size_t topic_count, const uint8_t *data,
                         size_t len)
{
    lks_event event;
    lks_job job;
    lks_err err = lks_event_decode(&event, topics, topic_count, data, len);
    if (err == LKS_NOTFOUND)
        return LKS_OK;
    if (err == LKS_NOMEM)
        return err;
    if (err) {
        lks_log(e->host, LKS_WARN, "a log in block %llu is ignored: %s",
                (unsigned long long)block->number, lks_error_message());
        return LKS_OK;
    }
    if (event.kind == LKS_EVENT_REQUESTED)
        return on_requested(e, block, time, &event);
    err = lks_store_job_get(e->store, event.request_id, &job);
    if (err == LKS_CORRUPT) {
        lks_log(e->host, LKS_ERROR, "an event of a request in block %llu is not followed: %s",
                (unsigned long long)block->number, lks_error_message());
        return LKS_OK;
    }
    if (err)
        return err == LKS_NOTFOUND ? LKS_OK : err;
    return apply(e, block, &job, &event);
}
