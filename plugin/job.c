#include "plugin/job.h"

#include <string.h>

/* next[state][event]; what is not named is LKS_JOB_INVALID: it cannot happen. */
static const uint8_t transitions[LKS_JOB_STATE_COUNT][LKS_JOB_EVENT_COUNT] = {
    [LKS_JOB_INVALID] = {[LKS_JOB_ON_REQUESTED] = LKS_JOB_SEEN},
    [LKS_JOB_SEEN] = {[LKS_JOB_ON_DROPPED] = LKS_JOB_DROPPED,
                      [LKS_JOB_ON_ACCEPTED] = LKS_JOB_ACCEPTED,
                      [LKS_JOB_ON_SENT_ACCEPT] = LKS_JOB_ACCEPTING,
                      [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                      [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                      [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_ACCEPTING] = {[LKS_JOB_ON_FINAL] = LKS_JOB_FINAL, [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_DROPPED] = {[LKS_JOB_ON_ACCEPTED] = LKS_JOB_ACCEPTED,
                         [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                         [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    /* A claim or commitment without an answer: made by this key before this database was. */
    [LKS_JOB_ACCEPTED] = {[LKS_JOB_ON_ANSWERED] = LKS_JOB_ANSWERED,
                          [LKS_JOB_ON_COMMITTED] = LKS_JOB_COMMITTED,
                          [LKS_JOB_ON_CLAIMED] = LKS_JOB_CLAIMED,
                          [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                          [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                          [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                          [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_ANSWERED] = {[LKS_JOB_ON_COMMITTED] = LKS_JOB_COMMITTED,
                          [LKS_JOB_ON_CLAIMED] = LKS_JOB_CLAIMED,
                          [LKS_JOB_ON_SENT_COMMIT] = LKS_JOB_COMMITTING,
                          [LKS_JOB_ON_SENT_CLAIM] = LKS_JOB_CLAIMING,
                          [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                          [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                          [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                          [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_COMMITTING] = {[LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                            [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                            [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_COMMITTED] = {[LKS_JOB_ON_CLAIMED] = LKS_JOB_CLAIMED,
                           [LKS_JOB_ON_SENT_CLAIM] = LKS_JOB_CLAIMING,
                           [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                           [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                           [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                           [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_CLAIMING] = {[LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                          [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                          [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_CLAIMED] = {[LKS_JOB_ON_SENT_FINALIZE] = LKS_JOB_FINALIZING,
                         [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                         [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                         [LKS_JOB_ON_CONVICTED] = LKS_JOB_CONVICTED,
                         [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_FINALIZING] = {[LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                            [LKS_JOB_ON_CONVICTED] = LKS_JOB_CONVICTED,
                            [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
    [LKS_JOB_REFUSED] = {[LKS_JOB_ON_FINAL] = LKS_JOB_FINAL,
                         [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                         [LKS_JOB_ON_CONVICTED] = LKS_JOB_CONVICTED,
                         [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED},
};

lks_job_state lks_job_step(lks_job_state state, lks_job_event event) {
    if ((unsigned)state >= LKS_JOB_STATE_COUNT || (unsigned)event >= LKS_JOB_EVENT_COUNT) return LKS_JOB_INVALID;
    return (lks_job_state)transitions[state][event];
}

bool lks_job_has_answer(const lks_job *job) {
    return job->answered && job->answer_count > 0 && (job->request.temperature == 0 || job->answer_seed == job->seed);
}

/* Which sent transaction means something in this state; one of a later step waits until its turn comes (back). */
static lks_job_event sent_event(const lks_job *job, lks_job_state state) {
    if (state == LKS_JOB_SEEN && (job->sent & LKS_SENT(LKS_ACTION_ACCEPT))) return LKS_JOB_ON_SENT_ACCEPT;
    if (state == LKS_JOB_ANSWERED && (job->sent & LKS_SENT(LKS_ACTION_COMMIT))) return LKS_JOB_ON_SENT_COMMIT;
    if ((state == LKS_JOB_ANSWERED || state == LKS_JOB_COMMITTED) && (job->sent & LKS_SENT(LKS_ACTION_CLAIM)))
        return LKS_JOB_ON_SENT_CLAIM;
    if (state == LKS_JOB_CLAIMED && (job->sent & LKS_SENT(LKS_ACTION_FINALIZE))) return LKS_JOB_ON_SENT_FINALIZE;
    return LKS_JOB_ON_INVALID;
}

lks_job_state lks_job_fold(const lks_job *job) {
    if (job->requested.number == 0) return LKS_JOB_REORGED;
    lks_job_event facts[LKS_JOB_EVENT_COUNT];
    size_t count = 0;
    facts[count++] = LKS_JOB_ON_REQUESTED;
    if (job->dropped) facts[count++] = LKS_JOB_ON_DROPPED;
    if (job->accepted.number) facts[count++] = LKS_JOB_ON_ACCEPTED;
    if (job->accepted.number && lks_job_has_answer(job)) facts[count++] = LKS_JOB_ON_ANSWERED;
    if (job->committed.number) facts[count++] = LKS_JOB_ON_COMMITTED;
    if (job->claimed.number) facts[count++] = LKS_JOB_ON_CLAIMED;

    lks_job_state state = LKS_JOB_INVALID;
    for (size_t i = 0; i < count; i++) {
        state = lks_job_step(state, facts[i]);
        if (state == LKS_JOB_INVALID) return LKS_JOB_INVALID;
    }
    lks_job_event sent = sent_event(job, state);
    if (sent) state = lks_job_step(state, sent);
    else if (job->failures >= LKS_MAX_FAILURES && state != LKS_JOB_DROPPED) state = lks_job_step(state, LKS_JOB_ON_REFUSED);

    static const lks_job_event ends[LKS_END_COUNT] = {LKS_JOB_ON_INVALID, LKS_JOB_ON_FINAL, LKS_JOB_ON_MISSED,
                                                      LKS_JOB_ON_CONVICTED, LKS_JOB_ON_REFUNDED};
    if ((unsigned)job->end >= LKS_END_COUNT) return LKS_JOB_INVALID;
    if (job->end) state = lks_job_step(state, ends[job->end]);
    return state;
}

static bool rewind_ref(lks_block_ref *ref, uint64_t height) {
    if (ref->number <= height) return false;
    memset(ref, 0, sizeof *ref);
    return true;
}

bool lks_job_rewind(lks_job *job, uint64_t height) {
    bool changed = false;
    if (rewind_ref(&job->ended, height)) {
        job->end = LKS_END_NONE;
        changed = true;
    }
    if (rewind_ref(&job->claimed, height)) {
        memset(job->claim_id, 0, sizeof job->claim_id);
        job->window_end = 0;
        changed = true;
    }
    if (rewind_ref(&job->reveal_opened, height)) {
        job->reveal_deadline = 0;
        changed = true;
    }
    if (rewind_ref(&job->committed, height)) changed = true;
    if (rewind_ref(&job->full, height)) {
        job->claim_deadline = 0;
        changed = true;
    }
    if (rewind_ref(&job->accepted, height)) {
        job->attempt = job->seat = 0;
        job->seed = 0;
        changed = true;
    }
    if (rewind_ref(&job->reopened, height)) {
        job->reopened_deadline = 0;
        changed = true;
    }
    if (rewind_ref(&job->requested, height)) {
        job->requested_time = 0;
        changed = true;
    }
    if (job->dropped && job->dropped_at > height) changed = true;
    if (changed) { /* decisions of ours that looked at what is gone are made again */
        job->dropped = LKS_DROP_NONE;
        job->dropped_at = 0;
        job->failures = 0;
        job->state = lks_job_fold(job);
    }
    return changed;
}

uint64_t lks_job_accept_deadline(const lks_job *job) {
    return job->reopened.number ? job->reopened_deadline : job->requested_time + job->request.accept_period;
}

/* Whether to accept: what will never do drops the request, what may yet come (bond, idle time) is waited for. */
static lks_action next_of_seen(const lks_job *job, const lks_job_policy *policy, const lks_job_world *world, lks_drop *why) {
    const lks_request *r = &job->request;
    *why = LKS_DROP_NONE;
    if (!policy->accept) {
        *why = LKS_DROP_ROLE;
        return LKS_ACTION_DROP;
    }
    uint64_t inclusion = (world->inclusion_ms + 999) / 1000;
    uint64_t own = (2 * world->answer_ms + 999) / 1000 + inclusion;
    if (lks_u256_cmp(&r->fee, &policy->min_fee) < 0) *why = LKS_DROP_FEE;
    else if (lks_u256_cmp(&r->stake, &policy->max_stake) > 0) *why = LKS_DROP_STAKE;
    else if (r->claim_period < policy->min_claim_seconds || r->claim_period < own) *why = LKS_DROP_TIME;
    else if (world->now + inclusion > lks_job_accept_deadline(job)) *why = LKS_DROP_EXPIRED;
    else if (world->trace_ms > world->traces_max_ms) *why = LKS_DROP_TRACES;
    else if (world->head + 1 > job->requested.number + LKS_ACCEPT_MAX_BLOCKS) *why = LKS_DROP_EXPIRED;
    if (*why) return LKS_ACTION_DROP;

    if (world->head < job->requested.number + LKS_ACCEPT_MIN_BLOCKS) return LKS_ACTION_NONE;
    if (lks_u256_cmp(&r->stake, &world->free_bond) > 0) *why = LKS_DROP_BOND;
    else if (r->claim_period < own + (world->backlog_ms + 999) / 1000) *why = LKS_DROP_TIME;
    else if (world->traces_ms + world->trace_ms > world->traces_max_ms) *why = LKS_DROP_TRACES;
    return *why ? LKS_ACTION_NONE : LKS_ACTION_ACCEPT;
}

lks_action lks_job_next(const lks_job *job, const lks_job_policy *policy, const lks_job_world *world, lks_drop *why) {
    *why = LKS_DROP_NONE;
    bool replicas = job->request.replicas > 1;
    bool seats_empty = job->full.number == 0;
    bool claim_open = seats_empty || world->now <= job->claim_deadline;
    switch (job->state) {
    case LKS_JOB_SEEN:
        return next_of_seen(job, policy, world, why);
    case LKS_JOB_ACCEPTED:
    case LKS_JOB_ANSWERED:
        if (seats_empty && world->now > lks_job_accept_deadline(job))
            return job->sent & LKS_SENT(LKS_ACTION_EXPIRE) ? LKS_ACTION_NONE : LKS_ACTION_EXPIRE;
        if (job->state == LKS_JOB_ACCEPTED) return world->worker_idle && claim_open ? LKS_ACTION_ANSWER : LKS_ACTION_NONE;
        if (seats_empty || !claim_open) return LKS_ACTION_NONE;
        return replicas ? LKS_ACTION_COMMIT : LKS_ACTION_CLAIM;
    case LKS_JOB_COMMITTED:
        if (!lks_job_has_answer(job)) return LKS_ACTION_NONE;
        if (job->reveal_opened.number == 0 && (seats_empty || world->head_time <= job->claim_deadline)) return LKS_ACTION_NONE;
        return world->now <= lks_job_deadline(job, LKS_ACTION_CLAIM, world->reveal_seconds) ? LKS_ACTION_CLAIM : LKS_ACTION_NONE;
    case LKS_JOB_CLAIMED:
        return policy->finalize && world->head_time > job->window_end && !world->disputed ? LKS_ACTION_FINALIZE : LKS_ACTION_NONE;
    default:
        return LKS_ACTION_NONE;
    }
}

uint64_t lks_job_deadline(const lks_job *job, lks_action action, uint32_t reveal_seconds) {
    uint64_t claim = job->full.number ? job->claim_deadline : UINT64_MAX;
    switch (action) {
    case LKS_ACTION_ACCEPT:
        return lks_job_accept_deadline(job);
    case LKS_ACTION_ANSWER:
    case LKS_ACTION_COMMIT:
        return claim;
    case LKS_ACTION_CLAIM:
        if (job->request.replicas <= 1) return claim;
        if (job->reveal_opened.number) return job->reveal_deadline;
        return claim == UINT64_MAX ? claim : claim + reveal_seconds;
    default:
        return UINT64_MAX;
    }
}

bool lks_job_is_over(lks_job_state state) {
    switch (state) {
    case LKS_JOB_FINAL:
    case LKS_JOB_DROPPED:
    case LKS_JOB_REFUSED:
    case LKS_JOB_MISSED:
    case LKS_JOB_CONVICTED:
    case LKS_JOB_REFUNDED:
    case LKS_JOB_REORGED:
        return true;
    default:
        return false;
    }
}

static const char *word(const char *const *words, size_t count, unsigned i) {
    return i < count && words[i] ? words[i] : "?";
}

const char *lks_job_state_name(lks_job_state state) {
    static const char *const names[LKS_JOB_STATE_COUNT] = {
        "invalid", "seen", "accepting", "accepted", "answered", "committing", "committed", "claiming", "claimed",
        "finalizing", "final", "dropped", "refused", "missed", "convicted", "refunded", "reorged"};
    return word(names, LKS_JOB_STATE_COUNT, (unsigned)state);
}

const char *lks_action_name(lks_action action) {
    static const char *const names[LKS_ACTION_COUNT] = {"none", "accept", "commit", "claim", "finalize", "expire", "dispute", "answer", "drop"};
    return word(names, LKS_ACTION_COUNT, (unsigned)action);
}

const char *lks_drop_text(lks_drop drop) {
    static const char *const texts[LKS_DROP_COUNT] = {
        "no reason",
        "its fee is below min_fee_wei",
        "its stake is above max_stake_wei",
        "its stake is above the free bond",
        "the answer would come after the claim deadline",
        "the time to accept it is over",
        "other operators have taken it",
        "its prompt or policy cannot be run",
        "the contract would refuse the acceptance",
        "this plugin answers no requests",
        "the traces of all claims that can be disputed could not be opened in time"};
    return word(texts, LKS_DROP_COUNT, (unsigned)drop);
}
