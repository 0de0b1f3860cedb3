#include "plugin/job.h"

#include "plugin/terms.h"

#include <string.h>

/* A request ends for everybody, whatever we were doing. */
#define ENDS                                                                                       \
    [LKS_JOB_ON_FINAL] = LKS_JOB_FINAL, [LKS_JOB_ON_REFUNDED] = LKS_JOB_REFUNDED,                  \
    [LKS_JOB_ON_UNDECIDED] = LKS_JOB_UNDECIDED

/* next[state][event]; what is not named is LKS_JOB_INVALID: it cannot happen. */
static const uint8_t transitions[LKS_JOB_STATE_COUNT][LKS_JOB_EVENT_COUNT] = {
    [LKS_JOB_INVALID] = {[LKS_JOB_ON_REQUESTED] = LKS_JOB_SEEN},
    [LKS_JOB_SEEN] = {[LKS_JOB_ON_DROPPED] = LKS_JOB_DROPPED,
                      [LKS_JOB_ON_ACCEPTED] = LKS_JOB_ACCEPTED,
                      [LKS_JOB_ON_SENT_ACCEPT] = LKS_JOB_ACCEPTING,
                      [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                      ENDS},
    [LKS_JOB_ACCEPTING] = {ENDS},
    [LKS_JOB_DROPPED] = {[LKS_JOB_ON_ACCEPTED] = LKS_JOB_ACCEPTED, ENDS},
    /* A claim or commitment without an answer: made by this key before this database was. */
    [LKS_JOB_ACCEPTED] = {[LKS_JOB_ON_ANSWERED] = LKS_JOB_ANSWERED,
                          [LKS_JOB_ON_COMMITTED] = LKS_JOB_COMMITTED,
                          [LKS_JOB_ON_CLAIMED] = LKS_JOB_CLAIMED,
                          [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                          ENDS},
    [LKS_JOB_ANSWERED] = {[LKS_JOB_ON_COMMITTED] = LKS_JOB_COMMITTED,
                          [LKS_JOB_ON_CLAIMED] = LKS_JOB_CLAIMED,
                          [LKS_JOB_ON_SENT_COMMIT] = LKS_JOB_COMMITTING,
                          [LKS_JOB_ON_SENT_CLAIM] = LKS_JOB_CLAIMING,
                          [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                          [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                          ENDS},
    [LKS_JOB_COMMITTING] = {[LKS_JOB_ON_MISSED] = LKS_JOB_MISSED, ENDS},
    [LKS_JOB_COMMITTED] = {[LKS_JOB_ON_CLAIMED] = LKS_JOB_CLAIMED,
                           [LKS_JOB_ON_SENT_CLAIM] = LKS_JOB_CLAIMING,
                           [LKS_JOB_ON_REFUSED] = LKS_JOB_REFUSED,
                           [LKS_JOB_ON_MISSED] = LKS_JOB_MISSED,
                           ENDS},
    [LKS_JOB_CLAIMING] = {[LKS_JOB_ON_MISSED] = LKS_JOB_MISSED, ENDS},
    [LKS_JOB_CLAIMED] = {[LKS_JOB_ON_SENT_FINALIZE] = LKS_JOB_FINALIZING,
                         [LKS_JOB_ON_CONVICTED] = LKS_JOB_CONVICTED,
                         ENDS},
    [LKS_JOB_FINALIZING] = {[LKS_JOB_ON_CONVICTED] = LKS_JOB_CONVICTED, ENDS},
    [LKS_JOB_REFUSED] = {[LKS_JOB_ON_MISSED] = LKS_JOB_MISSED, ENDS},
    [LKS_JOB_MISSED] = {ENDS},
};

lks_job_state lks_job_step(lks_job_state state, lks_job_event event)
{
    if ((unsigned)state >= LKS_JOB_STATE_COUNT || (unsigned)event >= LKS_JOB_EVENT_COUNT)
        return LKS_JOB_INVALID;
    return (lks_job_state)transitions[state][event];
}

bool lks_job_has_answer(const lks_job *job)
{
    if (!job->answered || job->answer_count == 0)
        return false;
    return job->request.temperature == 0 || (job->seeded.number && job->answer_seed == job->seed);
}

bool lks_job_needs_header(const lks_job *job)
{
    return job->request.temperature != 0 && job->seeded.number == 0;
}

/* ---- the fold ---- */

/* Which sent transaction means something in this state; one of a later step waits until its turn
 * comes (back). */
static lks_job_event sent_event(const lks_job *job, lks_job_state state)
{
    if (state == LKS_JOB_SEEN && (job->sent & LKS_SENT(LKS_ACTION_ACCEPT)))
        return LKS_JOB_ON_SENT_ACCEPT;
    if (state == LKS_JOB_ANSWERED && (job->sent & LKS_SENT(LKS_ACTION_COMMIT)))
        return LKS_JOB_ON_SENT_COMMIT;
    bool can_claim = state == LKS_JOB_ANSWERED || state == LKS_JOB_COMMITTED;
    if (can_claim && (job->sent & LKS_SENT(LKS_ACTION_CLAIM)))
        return LKS_JOB_ON_SENT_CLAIM;
    if (state == LKS_JOB_CLAIMED && (job->sent & LKS_SENT(LKS_ACTION_FINALIZE)))
        return LKS_JOB_ON_SENT_FINALIZE;
    return LKS_JOB_ON_INVALID;
}

/* The next action to send in this state, among those that can be given up. */
static lks_action next_sent(const lks_job *job, lks_job_state state)
{
    switch (state) {
    case LKS_JOB_SEEN: return LKS_ACTION_ACCEPT;
    case LKS_JOB_ANSWERED: return job->request.replicas > 1 ? LKS_ACTION_COMMIT : LKS_ACTION_CLAIM;
    case LKS_JOB_COMMITTED: return LKS_ACTION_CLAIM;
    default: return LKS_ACTION_NONE;
    }
}

lks_job_state lks_job_fold(const lks_job *job)
{
    static const lks_job_event ends[LKS_END_COUNT] = {LKS_JOB_ON_INVALID, LKS_JOB_ON_FINAL,
                                                      LKS_JOB_ON_CONVICTED, LKS_JOB_ON_REFUNDED,
                                                      LKS_JOB_ON_UNDECIDED};
    const lks_round *r = &job->round;
    if (job->requested.number == 0)
        return LKS_JOB_REORGED;
    if ((unsigned)job->end >= LKS_END_COUNT)
        return LKS_JOB_INVALID;
    lks_job_event facts[LKS_JOB_EVENT_COUNT];
    size_t count = 0;
    facts[count++] = LKS_JOB_ON_REQUESTED;
    if (job->dropped)
        facts[count++] = LKS_JOB_ON_DROPPED;
    if (r->accepted.number)
        facts[count++] = LKS_JOB_ON_ACCEPTED;
    if (r->accepted.number && lks_job_has_answer(job))
        facts[count++] = LKS_JOB_ON_ANSWERED;
    if (r->committed.number)
        facts[count++] = LKS_JOB_ON_COMMITTED;
    if (r->claimed.number)
        facts[count++] = LKS_JOB_ON_CLAIMED;

    lks_job_state state = LKS_JOB_INVALID;
    for (size_t i = 0; i < count; i++) {
        state = lks_job_step(state, facts[i]);
        if (state == LKS_JOB_INVALID)
            return LKS_JOB_INVALID;
    }
    lks_job_event sent = sent_event(job, state);
    if (sent)
        state = lks_job_step(state, sent);
    else if (r->failures[next_sent(job, state)] >= LKS_MAX_FAILURES)
        state = lks_job_step(state, LKS_JOB_ON_REFUSED);
    if (r->missed.number)
        state = lks_job_step(state, LKS_JOB_ON_MISSED);
    if (job->end)
        state = lks_job_step(state, ends[job->end]);
    return state;
}

/* ---- rounds and re-orgs ---- */

void lks_job_new_round(lks_job *job)
{
    const lks_round *old = &job->round;
    lks_round fresh = {.misses = old->misses, .unfilled = old->unfilled};
    if (old->missed.number)
        fresh.misses++;
    else if (old->accepted.number && !old->full.number)
        fresh.unfilled++;
    job->round = fresh;
}

static bool rewind_ref(lks_block_ref *ref, uint64_t height)
{
    if (ref->number <= height)
        return false;
    memset(ref, 0, sizeof *ref);
    return true;
}

static bool rewind_round(lks_round *r, uint64_t height)
{
    bool changed = rewind_ref(&r->missed, height);
    if (rewind_ref(&r->claimed, height)) {
        memset(r->claim_id, 0, sizeof r->claim_id);
        r->window_end = 0;
        changed = true;
    }
    if (rewind_ref(&r->reveal_opened, height)) {
        r->reveal_deadline = 0;
        changed = true;
    }
    if (rewind_ref(&r->committed, height))
        changed = true;
    if (rewind_ref(&r->full, height)) {
        r->claim_deadline = 0;
        changed = true;
    }
    if (rewind_ref(&r->accepted, height)) {
        r->attempt = r->seat = 0;
        r->fill_deadline = 0;
        memset(r->salt, 0, sizeof r->salt); /* the next seat may be another, and has its own */
        changed = true;
    }
    return changed;
}

bool lks_job_rewind(lks_job *job, uint64_t height)
{
    bool changed = rewind_round(&job->round, height);
    if (rewind_ref(&job->ended, height)) {
        job->end = LKS_END_NONE;
        changed = true;
    }
    if (rewind_ref(&job->cancelled, height))
        changed = true;
    if (rewind_ref(&job->seeded, height)) {
        job->seed = 0;
        changed = true;
    }
    if (rewind_ref(&job->requested, height)) {
        job->requested_time = 0;
        changed = true;
    }
    if (job->dropped && job->dropped_at > height)
        changed = true;
    if (changed) { /* decisions of ours that looked at what is gone are made again */
        job->dropped = LKS_DROP_NONE;
        job->dropped_at = 0;
        memset(job->round.failures, 0, sizeof job->round.failures);
        job->state = lks_job_fold(job);
    }
    return changed;
}

/* ---- decisions ---- */

bool lks_job_is_claimable(const lks_request *r)
{
    enum {
        FRAME_BYTES =
            1024, /* selector, request, offsets, lengths, salt, and the transaction around */
        FIXED_GAS = 400000, /* storage, the event, the request's words */
        TOKEN_GAS =
            350, /* 4 bytes of calldata, hashed, logged, compared with end-of-sequence ids */
        LIST_ID_GAS = 130,     /* 4 bytes of calldata */
        LIST_LOOK_UP_GAS = 280 /* a token, per binary digit of the list's length */
    };
    uint64_t tokens = r->max_tokens, ids = lks_request_shows_allowed(r) ? r->allowed_count : 0,
             digits = 0;
    for (uint64_t n = ids; n; n >>= 1)
        digits++;
    if (FRAME_BYTES + 4 * (tokens + ids) > LKS_CLAIM_MAX_BYTES)
        return false;
    uint64_t gas = FIXED_GAS + tokens * (TOKEN_GAS + digits * LIST_LOOK_UP_GAS) + ids * LIST_ID_GAS;
    return gas <= LKS_CLAIM_MAX_GAS;
}

/* Finds a reason for which the request can never be accepted. */
static lks_drop find_obstacle(const lks_job *job, const lks_job_policy *policy,
                              const lks_job_world *world, uint64_t own_seconds)
{
    const lks_request *r = &job->request;
    uint64_t inclusion = (world->inclusion_ms + 999) / 1000;
    if (!policy->accept && !policy->drains)
        return LKS_DROP_ROLE;
    if (job->cancelled.number)
        return LKS_DROP_CANCELLED;
    if (!lks_job_is_claimable(r))
        return LKS_DROP_SIZE;
    if ((policy->max_prompt && r->prompt_count > policy->max_prompt) ||
        (policy->max_answer && r->max_tokens > policy->max_answer))
        return LKS_DROP_LENGTH;
    if (lks_u256_cmp(&r->fee, &policy->min_fee) < 0)
        return LKS_DROP_FEE;
    if (lks_u256_cmp(&r->stake, &policy->max_stake) > 0)
        return LKS_DROP_STAKE;
    if (job->round.misses >= LKS_MAX_MISSES || (job->round.misses && !lks_job_has_answer(job)))
        return LKS_DROP_MISSED;
    if (job->round.unfilled >= LKS_MAX_UNFILLED)
        return LKS_DROP_UNFILLED;
    if (r->claim_period < policy->min_claim_seconds || r->claim_period < own_seconds)
        return LKS_DROP_TIME;
    if (world->now + inclusion > r->accept_deadline)
        return LKS_DROP_EXPIRED;
    if (world->defence_ms > world->defences_max_ms)
        return LKS_DROP_TRACES;
    if (world->memory > world->memory_max)
        return LKS_DROP_MEMORY;
    if (lks_job_needs_header(job) && world->head + 1 > job->requested.number + LKS_SEED_LAST_BLOCK)
        return LKS_DROP_EXPIRED;
    return LKS_DROP_NONE;
}

/* Whether too much of the bond would wait for empty seats. */
static bool waits_for_seats(const lks_job *job, const lks_job_policy *policy,
                            const lks_job_world *world)
{
    lks_u256 after, most = policy->max_unfilled;
    if (policy->unfilled == LKS_UNFILLED_ANY || job->request.replicas <= 1)
        return false;
    if (policy->unfilled == LKS_UNFILLED_QUARTER)
        lks_u256_div_u64(&most, &world->bond, 4);
    lks_u256_add(&after, &world->unfilled, &job->request.stake);
    return lks_u256_cmp(&after, &most) > 0;
}

static bool pays_gas(const lks_job *job, const lks_job_policy *policy, const lks_job_world *world)
{
    lks_u256 least;
    if (!policy->fee_pays_gas)
        return true;
    lks_terms_least_fee(&least, &job->request, lks_job_needs_header(job), &world->gas_price);
    return lks_u256_cmp(&job->request.fee, &least) >= 0;
}

/* Whether to accept: what will never do drops the request, what may yet come (bond, idle time) is
 * waited for. */
static lks_action next_of_seen(const lks_job *job, const lks_job_policy *policy,
                               const lks_job_world *world, lks_drop *why)
{
    const lks_request *r = &job->request;
    uint64_t answer_ms = lks_job_has_answer(job) ? 0 : world->answer_ms;
    uint64_t own = (2 * answer_ms + 999) / 1000 + (world->inclusion_ms + 999) / 1000;
    *why = find_obstacle(job, policy, world, own);
    if (*why)
        return LKS_ACTION_DROP;
    if (!policy->accept)
        return LKS_ACTION_NONE;
    if (lks_job_needs_header(job) && world->head < job->requested.number + LKS_SEED_FIRST_BLOCK)
        return LKS_ACTION_NONE;
    if (!pays_gas(job, policy, world))
        *why = LKS_DROP_GAS;
    else if (lks_u256_cmp(&r->stake, &world->free_bond) > 0)
        *why = LKS_DROP_BOND;
    else if (waits_for_seats(job, policy, world))
        *why = LKS_DROP_SEATS;
    else if (r->claim_period < own + (world->backlog_ms + 999) / 1000)
        *why = LKS_DROP_TIME;
    else if (world->defences_ms > world->defences_max_ms)
        *why = LKS_DROP_TRACES;
    else if (world->memories > world->memory_max)
        *why = LKS_DROP_MEMORY;
    return *why ? LKS_ACTION_NONE : LKS_ACTION_ACCEPT;
}

/* Last second of what the contract awaits of us; UINT64_MAX before the seats are full. */
static uint64_t own_deadline(const lks_job *job, uint32_t reveal_seconds)
{
    const lks_round *r = &job->round;
    if (r->full.number == 0)
        return UINT64_MAX;
    if (r->committed.number == 0)
        return r->claim_deadline;
    return r->reveal_opened.number ? r->reveal_deadline : r->claim_deadline + reveal_seconds;
}

bool lks_job_is_late(const lks_job *job, uint64_t time, uint32_t reveal_seconds)
{
    switch (job->state) {
    case LKS_JOB_ACCEPTED:
    case LKS_JOB_ANSWERED:
    case LKS_JOB_COMMITTED: return time > own_deadline(job, reveal_seconds);
    case LKS_JOB_REFUSED: /* of an acceptance, where nothing is awaited of us */
        return job->round.accepted.number && time > own_deadline(job, reveal_seconds);
    default: return false;
    }
}

bool lks_job_is_tight(const lks_job *job, const lks_job_world *world)
{
    bool waits = job->state == LKS_JOB_ACCEPTED && job->round.full.number != 0;
    if (!waits || world->answer_ms == UINT64_MAX)
        return false;
    return world->now + (world->answer_ms + world->inclusion_ms) / 1000 > job->round.claim_deadline;
}

static lks_action unless_sent(const lks_job *job, lks_action action)
{
    return job->sent & LKS_SENT(action) ? LKS_ACTION_NONE : action;
}

/* The time is over without a claim of ours. */
static lks_action next_of_late(const lks_job *job, const lks_job_world *world)
{
    uint64_t due = own_deadline(job, world->reveal_seconds) + LKS_MISS_PATIENCE;
    return world->head_time > due ? unless_sent(job, LKS_ACTION_MISS) : LKS_ACTION_NONE;
}

static lks_action next_of_accepted(const lks_job *job, const lks_job_world *world)
{
    const lks_round *r = &job->round;
    bool empty = r->full.number == 0;
    if (empty && world->head_time > r->fill_deadline)
        return unless_sent(job, LKS_ACTION_FREE);
    if (job->state == LKS_JOB_ACCEPTED)
        return world->worker_idle ? LKS_ACTION_ANSWER : LKS_ACTION_NONE;
    if (empty)
        return LKS_ACTION_NONE;
    return job->request.replicas > 1 ? LKS_ACTION_COMMIT : LKS_ACTION_CLAIM;
}

lks_action lks_job_next(const lks_job *job, const lks_job_policy *policy,
                        const lks_job_world *world, lks_drop *why)
{
    const lks_round *r = &job->round;
    *why = LKS_DROP_NONE;
    if (lks_job_is_late(job, world->now, world->reveal_seconds))
        return next_of_late(job, world);
    switch (job->state) {
    case LKS_JOB_SEEN: return next_of_seen(job, policy, world, why);
    case LKS_JOB_ACCEPTED:
    case LKS_JOB_ANSWERED: return next_of_accepted(job, world);
    case LKS_JOB_COMMITTED:
        if (!lks_job_has_answer(job)) /* committed by a database that ours is an older copy of */
            return world->worker_idle ? LKS_ACTION_ANSWER : LKS_ACTION_NONE;
        if (r->reveal_opened.number == 0 &&
            (r->full.number == 0 || world->head_time <= r->claim_deadline))
            return LKS_ACTION_NONE;
        return LKS_ACTION_CLAIM;
    case LKS_JOB_CLAIMED:
        if (policy->finalize && world->head_time > r->window_end && !world->disputed)
            return LKS_ACTION_FINALIZE;
        return LKS_ACTION_NONE;
    default: return LKS_ACTION_NONE;
    }
}

uint64_t lks_job_deadline(const lks_job *job, lks_action action, uint32_t reveal_seconds)
{
    const lks_round *r = &job->round;
    uint64_t claim = r->full.number ? r->claim_deadline : UINT64_MAX;
    switch (action) {
    case LKS_ACTION_ACCEPT: return job->request.accept_deadline;
    case LKS_ACTION_ANSWER:
    case LKS_ACTION_COMMIT: return claim;
    case LKS_ACTION_CLAIM: return own_deadline(job, reveal_seconds);
    default: return UINT64_MAX;
    }
}

bool lks_job_is_over(lks_job_state state)
{
    switch (state) {
    case LKS_JOB_FINAL:
    case LKS_JOB_DROPPED:
    case LKS_JOB_REFUSED:
    case LKS_JOB_MISSED:
    case LKS_JOB_CONVICTED:
    case LKS_JOB_REFUNDED:
    case LKS_JOB_UNDECIDED:
    case LKS_JOB_REORGED: return true;
    default: return false;
    }
}

/* ---- words ---- */

static const char *word(const char *const *words, size_t count, unsigned i)
{
    return i < count && words[i] ? words[i] : "?";
}

const char *lks_job_state_name(lks_job_state state)
{
    static const char *const names[LKS_JOB_STATE_COUNT] = {
        "invalid",   "seen",     "accepting", "accepted",   "answered",  "committing",
        "committed", "claiming", "claimed",   "finalizing", "final",     "dropped",
        "refused",   "missed",   "convicted", "refunded",   "undecided", "reorged"};
    return word(names, LKS_JOB_STATE_COUNT, (unsigned)state);
}

const char *lks_action_name(lks_action action)
{
    static const char *const names[LKS_ACTION_COUNT] = {
        "none",       "accept", "commit",  "claim",  "finalize",
        "free seats", "missed", "dispute", "answer", "drop"};
    return word(names, LKS_ACTION_COUNT, (unsigned)action);
}

const char *lks_drop_text(lks_drop drop)
{
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
        "all claims that can be disputed could not be defended in time",
        "its longest answer is too large for a transaction",
        "its requester cancelled it",
        "its deadline was missed before",
        "its other seats stayed empty before",
        "its prompt is above max_prompt_tokens, or its answer may be above max_answer_tokens",
        "its fee does not pay for its transactions at today's gas price (see min_fee_wei)",
        "too much of the bond waits for the empty seats of others (max_unfilled_bond_wei)",
        "it needs more memory than max_memory_bytes allows"};
    return word(texts, LKS_DROP_COUNT, (unsigned)drop);
}
