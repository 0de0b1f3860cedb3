/* Actions of an operator: lks_job_next decides, this file carries them out. */
#include "plugin/operator.h"

#include "plugin/alarms.h"
#include "plugin/gate.h"
#include "plugin/log.h"
#include "plugin/terms.h"

#include <stdlib.h>
#include <string.h>

/* A node that is a block behind refuses what it will allow. An acceptance that still is refused so
 * many heads later is tried again after so many pauses, a minute, for as long as it may be made:
 * the node may be far behind, or the chain not be yet where a re-org found it. */
#define REFUSAL_HEADS 2u
#define REFUSED_PAUSES 12u
/* Pauses, an hour in all, before an action that returns our bond and keeps reverting is retried. */
#define SELDOM 720u

static const uint8_t no_request[32];

/* ---- pauses ---- */

bool lks_act_is_paused(const lks_operator *op, const uint8_t id32[32], lks_action action)
{
    return lks_pauses_hold(&op->pauses, id32, action, lks_now_ms());
}

/* As lks_act_pause, for so many pauses. */
static bool pause_for(lks_operator *op, const uint8_t id32[32], lks_action action, uint32_t pauses)
{
    uint64_t now = lks_now_ms();
    lks_pause pause = {.action = action,
                       .until_ms = now + (uint64_t)op->pause_ms * pauses,
                       .head = op->head.ref.number};
    memcpy(pause.id, id32, 32);
    return lks_pauses_put(&op->pauses, &pause, now);
}

bool lks_act_pause(lks_operator *op, const uint8_t id32[32], lks_action action)
{
    return pause_for(op, id32, action, 1);
}

/* ---- transactions ---- */

static void drop(lks_operator *op, lks_job *job, lks_drop why, const char *detail)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    job->dropped = why;
    job->dropped_at = op->head.ref.number;
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_job_put(op->store, job);
        if (!err)
            err = lks_store_commit(op->store);
        else
            lks_store_rollback(op->store);
    }
    if (err)
        lks_log(op->host, LKS_ERROR, "request %s is not stored as dropped: %s", name,
                lks_error_message());
    else
        lks_log(op->host, LKS_INFO, "request %s left alone: %s%s%s", name, lks_drop_text(why),
                detail ? ": " : "", detail ? detail : "");
}

/* Whether the model can run the request. Drops it when not. */
static bool is_runnable(lks_operator *op, lks_job *job)
{
    lks_err err = LKS_OK;
    if (!lks_answers_can_run(op, job, &err))
        drop(op, job, LKS_DROP_MALFORMED, lks_error_message());
    return err == LKS_OK;
}

/* After an action could not be sent. refused: by the contract. Returns: whether that is news. */
static bool pause_unsent(lks_operator *op, const lks_job *job, lks_action action, bool refused)
{
    const lks_pause *first = lks_pauses_find(&op->pauses, job->request_id, action, lks_now_ms());
    bool accepts = action == LKS_ACTION_ACCEPT;
    bool lasts = refused && first && op->head.ref.number >= first->head + REFUSAL_HEADS;
    return pause_for(op, job->request_id, action, accepts && lasts ? REFUSED_PAUSES : 1);
}

/* After a transaction was sent. */
static void note_sent(lks_operator *op, const lks_job *job, lks_action action)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    lks_log(op->host, LKS_INFO, "request %s: %s", name, lks_action_name(action));
    lks_pauses_end(&op->pauses, job->request_id, action);
    if (job->round.failures[action] >= LKS_MAX_FAILURES)
        pause_for(op, job->request_id, action, SELDOM);
}

static void send(lks_operator *op, lks_job *job, lks_action action)
{
    lks_buf call = {0};
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    if (lks_act_is_paused(op, job->request_id, action))
        return;
    lks_sender_now now = {op->head.ref.number, lks_chain_time(op), op->feed.behind};
    bool accepts = action == LKS_ACTION_ACCEPT;
    if (accepts && (lks_sender_is_shared(&op->sender, &now) || !is_runnable(op, job)))
        return;
    lks_err err = lks_job_call(op, job, action, &call);
    lks_outgoing out = {.request_id = job->request_id,
                        .action = action,
                        .to = op->config->oracle,
                        .data = call.data,
                        .len = call.len,
                        .deadline = lks_job_deadline(job, action, op->reveal_seconds),
                        .worth = lks_job_worth(job, action)};
    if (!err)
        err = lks_sender_send(&op->sender, &out, &now);
    lks_buf_free(&call);
    bool refused = err == LKS_REFUSED;
    if (!err) {
        note_sent(op, job, action);
    } else if (!lks_inbox_stopped(op->inbox)) {
        bool first = pause_unsent(op, job, action, refused);
        bool lost = refused && action == LKS_ACTION_CLAIM && job->round.committed.number;
        lks_log(op->host,
                !first ? LKS_DEBUG
                : lost ? LKS_ERROR
                       : LKS_WARN,
                "request %s: %s must wait: %s%s", name, lks_action_name(action),
                lks_error_message(),
                lost ? "; if the database that made its commitment is lost, so is its salt" : "");
    }
}

/* ---- the tick ---- */

typedef struct due {
    size_t job;
    size_t rank; /* of LKS_ACTION_ACCEPT, which come last: how good a request is, 1 for the best */
    lks_action action;
    uint64_t deadline;
    uint64_t answer_ms; /* of LKS_ACTION_ANSWER */
    bool late;          /* an answer that will probably miss it: after those that can make it */
} due;

static int by_deadline(const void *a, const void *b)
{
    const due *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->late != y->late)
        return x->late - y->late;
    if (x->deadline != y->deadline)
        return x->deadline < y->deadline ? -1 : 1;
    return x->job < y->job ? -1 : x->job > y->job;
}

static lks_err read_free_bond(lks_operator *op, lks_u256 *bond)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_free_bond(&call, op->feed.events.who.operator_address);
    if (!err) {
        lks_eth_message message = {.to20 = op->config->bonds,
                                   .data = call.data,
                                   .data_len = call.len,
                                   .errors = lks_contract_errors};
        err = lks_eth_call(&op->feed.node, &message, LKS_ETH_LATEST, &result, NULL);
    }
    if (!err)
        err = lks_return_u256(bond, result.data, result.len);
    lks_buf_free(&call);
    lks_buf_free(&result);
    return err;
}

/* Gas price of a transaction that is sent now. */
static lks_err read_gas_price(lks_operator *op, lks_u256 *price)
{
    lks_eth_fees fees;
    uint64_t head = op->head.ref.number;
    lks_err err = LKS_OK;
    if (op->gas_price_head != head) {
        err = lks_eth_suggest_fees(&op->feed.node, &fees);
        if (err)
            return err;
        lks_u256_add(&op->gas_price, &fees.base_fee, &fees.max_priority_fee);
        op->gas_price_head = head;
    }
    *price = op->gas_price;
    return err;
}

/* Adds the bond that our open jobs lock, or will lock. */
static void add_locked(lks_job_world *world, const lks_jobs *jobs)
{
    world->bond = world->free_bond;
    for (size_t i = 0; i < jobs->count; i++) {
        const lks_job *job = &jobs->items[i];
        bool sent = job->state == LKS_JOB_ACCEPTING;
        bool locks = sent || (job->round.accepted.number && !job->round.missed.number);
        if (!locks)
            continue;
        lks_u256_add(&world->bond, &world->bond, &job->request.stake);
        if (job->request.replicas > 1 && job->round.full.number == 0)
            lks_u256_add(&world->unfilled, &world->unfilled, &job->request.stake);
        if (sent && lks_u256_sub(&world->free_bond, &world->free_bond, &job->request.stake))
            world->free_bond = lks_u256_from_u64(0);
    }
}

/* The state of the world that all of this tick's decisions share; acceptances reduce it as they are
 * decided. */
static lks_err look_around(lks_operator *op, const lks_jobs *jobs, lks_job_world *world,
                           lks_load *all)
{
    bool any_seen = false;
    *world = (lks_job_world){.now = lks_chain_time(op),
                             .head = op->head.ref.number,
                             .reveal_seconds = op->reveal_seconds};
    world->head_time = op->head.time;
    world->inclusion_ms = LKS_INCLUSION_BLOCKS * op->interval_ms;
    world->worker_idle = lks_worker_idle(op->worker) || lks_answers_is_trial(op);
    lks_gate_open_load(all, op, jobs);
    for (size_t i = 0; i < jobs->count; i++)
        any_seen = any_seen || jobs->items[i].state == LKS_JOB_SEEN;
    if (!any_seen)
        return LKS_OK;
    lks_err err = read_free_bond(op, &world->free_bond);
    if (!err)
        add_locked(world, jobs);
    if (!err && op->config->policy.fee_pays_gas)
        err = read_gas_price(op, &world->gas_price);
    return err;
}

/* Whether the action begins something, and is not for what was begun before. */
static bool is_new(lks_action action)
{
    return action == LKS_ACTION_ACCEPT || action == LKS_ACTION_ANSWER;
}

/* Whether the model's file keeps us from the action. */
static bool is_out_of_service(const lks_operator *op, const lks_job *job, lks_action action)
{
    const lks_served *served = lks_models_find(op->models, job->request.model_id);
    return is_new(action) && served && !lks_service_has(op, served);
}

/* Whether an acceptance is held back: what it needs is free for others meanwhile. */
static bool accepts_later(const lks_operator *op, const lks_job *job, lks_action action)
{
    return action == LKS_ACTION_ACCEPT && lks_act_is_paused(op, job->request_id, action);
}

/* Decides about one job. Returns: what is due; drops at once. */
static lks_action decide(lks_operator *op, lks_job *job, lks_job_world *world, lks_load *all)
{
    lks_drop why;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    if (op->stale && job->state == LKS_JOB_SEEN)
        return LKS_ACTION_NONE;
    lks_load load;
    bool measured = lks_gate_load(&load, op, job);
    lks_gate_world(world, op, all, &load);
    if (job->state == LKS_JOB_SEEN && op->config->is_operator && !measured)
        return LKS_ACTION_NONE;
    world->disputed = job->state == LKS_JOB_CLAIMED && lks_disputes_hold(op, job->round.claim_id);
    lks_alarms_job(op, job, world);
    lks_action action = lks_job_next(job, &op->config->policy, world, &why);
    if (is_out_of_service(op, job, action))
        return LKS_ACTION_NONE;
    if (accepts_later(op, job, action))
        return LKS_ACTION_NONE;
    if (action == LKS_ACTION_DROP)
        drop(op, job, why, NULL);
    else if (action == LKS_ACTION_NONE && why &&
             lks_act_pause(op, job->request_id, LKS_ACTION_NONE))
        lks_log(op->host, LKS_WARN, "request %s waits: %s", name, lks_drop_text(why));
    if (action == LKS_ACTION_ACCEPT) {
        lks_gate_add(all, &load);
        lks_u256_sub(&world->free_bond, &world->free_bond, &job->request.stake);
        if (job->request.replicas > 1)
            lks_u256_add(&world->unfilled, &world->unfilled, &job->request.stake);
    }
    return action == LKS_ACTION_DROP ? LKS_ACTION_NONE : action;
}

/* A job and when it is decided about. */
typedef struct turn {
    size_t job;
    const lks_request *request; /* NULL: what is begun, before what is not */
    uint64_t ms;                /* that it takes of the machine */
} turn;

static int by_worth(const void *a, const void *b)
{
    const turn *x = a, *y = b;
    int better = 0;
    if (!x->request || !y->request)
        better = (x->request != NULL) - (y->request != NULL);
    else
        better = lks_terms_compare(x->request, x->ms, y->request, y->ms);
    return better ? better : (x->job > y->job) - (x->job < y->job);
}

/* Requests that are not accepted yet share what is free of bond and time in the order of what they
 * pay for the time they take. */
static turn *order(const lks_operator *op, const lks_jobs *jobs)
{
    turn *turns = calloc(jobs->count + 1, sizeof *turns);
    for (size_t i = 0; turns && i < jobs->count; i++) {
        const lks_request *r = &jobs->items[i].request;
        bool seen = jobs->items[i].state == LKS_JOB_SEEN;
        uint64_t answer = seen ? lks_estimate_answer_ms(op, r) : 0;
        uint64_t trace = seen ? lks_estimate_trace_ms(op, r) : 0;
        turns[i] = (turn){.job = i, .request = seen ? r : NULL, .ms = UINT64_MAX};
        if (answer != UINT64_MAX && trace != UINT64_MAX)
            turns[i].ms = answer + trace;
    }
    if (turns && jobs->count)
        qsort(turns, jobs->count, sizeof *turns, by_worth);
    return turns;
}

static due due_of(const lks_operator *op, const lks_jobs *jobs, size_t i, lks_action action,
                  uint64_t answer_ms)
{
    uint64_t deadline = lks_job_deadline(&jobs->items[i], action, op->reveal_seconds);
    due d = {.job = i, .action = action, .deadline = deadline, .answer_ms = answer_ms};
    if (action == LKS_ACTION_ANSWER && answer_ms < UINT64_MAX / 1000)
        d.late = !lks_lanes_have_time(op, deadline, answer_ms * 1000);
    return d;
}

/* Looks after the transactions of both accounts: a failure of one does not keep back the other. */
static lks_err tend_both(lks_operator *op, const lks_sender_now *now)
{
    const uint8_t *second = op->moves.signer ? lks_signer_address(op->moves.signer) : NULL;
    lks_err err =
        lks_store_txs_abandon(op->store, lks_signer_address(op->signer), second, now->head);
    lks_err of_moves = op->moves.signer ? lks_sender_tend(&op->moves, now) : LKS_OK;
    lks_err of_account = lks_sender_tend(&op->sender, now);
    return err ? err : of_moves ? of_moves : of_account;
}

void lks_act_tend(lks_operator *op)
{
    lks_sender_now now = {op->head.ref.number, lks_chain_time(op), op->feed.behind};
    lks_err err = tend_both(op, &now);
    if (err && !lks_inbox_stopped(op->inbox) && lks_act_pause(op, no_request, LKS_ACTION_NONE))
        lks_log(op->host, LKS_WARN, "checking transactions: %s; trying again", lks_error_message());
}

void lks_act_tick(lks_operator *op)
{
    lks_jobs jobs = {0};
    lks_job_world world;
    lks_load all;
    due *list = NULL;
    turn *turns = NULL;
    size_t count = 0;
    lks_service_look(op);
    lks_err err = lks_store_jobs_open(op->store, &jobs);
    lks_alarms_damage(op, &jobs.damage, "stored requests");
    if (!err)
        err = look_around(op, &jobs, &world, &all);
    if (!err && jobs.count && !(list = calloc(jobs.count, sizeof *list)))
        err = lks_fail(LKS_NOMEM, "out of memory");
    if (!err && !(turns = order(op, &jobs)))
        err = lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; !err && i < jobs.count; i++) {
        lks_action action = decide(op, &jobs.items[turns[i].job], &world, &all);
        if (action == LKS_ACTION_NONE)
            continue;
        list[count] = due_of(op, &jobs, turns[i].job, action, world.answer_ms);
        if (action == LKS_ACTION_ACCEPT)
            list[count].rank = i + 1;
        count++;
    }
    if (err && !lks_inbox_stopped(op->inbox))
        lks_log(op->host, LKS_WARN, "deciding what to do: %s; trying again", lks_error_message());
    if (count)
        qsort(list, count, sizeof *list, by_deadline);
    bool answering = false;
    for (size_t i = 0; i < count; i++) {
        lks_job *job = &jobs.items[list[i].job];
        if (list[i].action != LKS_ACTION_ANSWER) {
            send(op, job, list[i].action);
        } else if (!answering && !lks_act_is_paused(op, job->request_id, LKS_ACTION_ANSWER)) {
            answering = lks_answers_start(op, job, list[i].answer_ms);
        }
    }
    if (!err)
        lks_answers_drop(op, &jobs);
    if (!answering && op->config->is_operator && lks_worker_idle(op->worker))
        lks_answers_trial(op);
    free(list);
    free(turns);
    lks_jobs_free(&jobs);
}
