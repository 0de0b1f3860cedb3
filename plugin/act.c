/* What an operator does: decisions come from lks_job_next, this file carries them out. */
#include "plugin/operator.h"

#include "chain/hex.h"
#include "oracle/policy.h"
#include "plugin/log.h"

#include <stdlib.h>
#include <string.h>

/* A transaction is given that many blocks to be included, in estimates. */
#define INCLUSION_BLOCKS 3u
/* The run that measures a model's speed: long enough to count, short enough to wait for. */
#define TRIAL_PROMPT 64u
#define TRIAL_TOKENS 16u

static const uint8_t no_request[32];

/* ---- pauses ---- */

bool lks_act_is_paused(const lks_operator *op, const uint8_t id32[32], lks_action action) {
    uint64_t now = lks_now_ms();
    for (size_t i = 0; i < LKS_PAUSES; i++)
        if (op->pauses[i].until_ms > now && op->pauses[i].action == action && memcmp(op->pauses[i].id, id32, 32) == 0) return true;
    return false;
}

bool lks_act_pause(lks_operator *op, const uint8_t id32[32], lks_action action) {
    for (size_t i = 0; i < LKS_PAUSES; i++) {
        if (op->pauses[i].until_ms == 0 || op->pauses[i].action != action || memcmp(op->pauses[i].id, id32, 32)) continue;
        op->pauses[i].until_ms = lks_now_ms() + op->pause_ms;
        return false;
    }
    lks_pause *p = &op->pauses[op->next_pause++ % LKS_PAUSES];
    memcpy(p->id, id32, 32);
    p->action = action;
    p->until_ms = lks_now_ms() + op->pause_ms;
    return true;
}

/* ---- estimates ---- */

static size_t model_index(const lks_operator *op, const uint8_t model_id[32]) {
    const lks_served *served = lks_models_find(op->models, model_id);
    return served ? (size_t)(served - op->models->items) : LKS_MAX_MODELS;
}

/* Returns: milliseconds that an answer may take; UINT64_MAX when the model's speed is not known yet. */
static uint64_t estimate_ms(const lks_operator *op, const lks_request *r) {
    size_t i = model_index(op, r->model_id);
    if (i == LKS_MAX_MODELS || op->speeds[i].decode_us == 0) return UINT64_MAX;
    return ((uint64_t)r->prompt_count * op->speeds[i].prefill_us + (uint64_t)r->max_tokens * op->speeds[i].decode_us) / 1000 + 1;
}

/* Returns: milliseconds that the trace of its claim may take; UINT64_MAX when that is not known yet. */
static uint64_t trace_ms(const lks_operator *op, const lks_request *r) {
    return lks_disputes_on(op) ? lks_disputes_trace_ms(op, r->model_id, (uint64_t)r->prompt_count + r->max_tokens) : 0;
}

/* ---- answers ---- */

static uint64_t blend(uint64_t old, uint64_t measured) {
    if (measured == 0) return old;
    return old == 0 ? measured : (3 * old + measured) / 4;
}

static void learn_speed(lks_operator *op, const lks_answer *a) {
    lks_speed *speed = &op->speeds[a->served - op->models->items];
    speed->prefill_us = blend(speed->prefill_us, a->speed.prefill_us ? a->speed.prefill_us : 1);
    speed->decode_us = blend(speed->decode_us, a->speed.decode_us);
    if (speed->decode_us == 0) speed->decode_us = blend(0, a->total_ms * 1000 + 1); /* one token was all there was to measure */
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_speed_put(op->store, a->served->model_id, speed);
        if (!err) err = lks_store_commit(op->store);
        else lks_store_rollback(op->store);
    }
    if (err) lks_log(op->host, LKS_WARN, "a measured speed is not stored: %s", lks_error_message());
}

static lks_err store_answer(lks_operator *op, const lks_answer *a) {
    lks_buf packed = {0};
    lks_job job;
    lks_tokens_pack(&packed, a->tokens, a->count);
    lks_err err = lks_buf_error(&packed);
    if (!err) err = lks_store_begin(op->store);
    if (err) goto out;
    err = lks_store_job_get(op->store, a->request_id, &job);
    if (!err) err = lks_store_answer_put(op->store, &job, a->seed, packed.data, packed.len);
    if (!err) err = lks_store_commit(op->store);
    else lks_store_rollback(op->store);
out:
    lks_buf_free(&packed);
    return err;
}

bool lks_act_answers(lks_operator *op) {
    lks_answer a;
    char name[LKS_SHORT_ID_SIZE];
    if (!lks_worker_take(op->worker, &a)) return false;
    bool trial = memcmp(a.request_id, no_request, 32) == 0;
    lks_short_id(name, a.request_id);
    if (a.err) {
        if (!lks_inbox_stopped(op->inbox)) {
            lks_log(op->host, LKS_ERROR, "%s%s: the model gave no answer: %s", trial ? "measuring its speed" : "request ", trial ? "" : name, a.reason);
            lks_act_pause(op, a.request_id, LKS_ACTION_ANSWER);
        }
    } else {
        learn_speed(op, &a);
        if (trial) {
            const lks_speed *s = &op->speeds[a.served - op->models->items];
            lks_log(op->host, LKS_INFO, "measured: %llu us a prompt token, %llu us an answered one", (unsigned long long)s->prefill_us,
                    (unsigned long long)s->decode_us);
        } else {
            lks_log(op->host, LKS_INFO, "request %s answered: %u tokens in %llu ms", name, a.count, (unsigned long long)a.total_ms);
            if (store_answer(op, &a)) { /* it will be computed again */
                lks_log(op->host, LKS_ERROR, "request %s: the answer is not stored: %s", name, lks_error_message());
                lks_act_pause(op, a.request_id, LKS_ACTION_ANSWER);
            }
        }
    }
    free(a.tokens);
    return true;
}

/* ---- work for the model ---- */

static lks_err unpack(const lks_buf *packed, uint32_t **ids, size_t *count) {
    *count = packed->len / 4;
    *ids = malloc(packed->len + 1);
    if (!*ids) return lks_fail(LKS_NOMEM, "out of memory");
    return lks_tokens_unpack(*ids, packed->data, packed->len);
}

/* Loads what the model needs. Out: work, to be freed. Returns also: LKS_REFUSED: it cannot be run. */
static lks_err make_work(lks_operator *op, const lks_job *job, lks_work *work) {
    lks_buf prompt = {0}, allowed = {0};
    lks_sampling sampling;
    const lks_request *r = &job->request;
    memset(work, 0, sizeof *work);
    memcpy(work->request_id, job->request_id, 32);
    work->served = lks_models_find(op->models, r->model_id);
    work->temperature = r->temperature;
    work->min_p = r->min_p;
    work->seed = job->seed;
    work->max_tokens = r->max_tokens;
    work->recheck = lks_u256_cmp(&r->stake, &op->config->recheck_stake) >= 0;
    lks_err err = work->served ? LKS_OK : lks_fail(LKS_REFUSED, "its model is not served any more");
    if (!err) err = lks_store_job_lists(op->store, job, &prompt, &allowed);
    if (!err) err = unpack(&prompt, &work->prompt, &work->prompt_count);
    if (!err) err = unpack(&allowed, &work->allowed, &work->allowed_count);
    lks_buf_free(&prompt);
    lks_buf_free(&allowed);
    if (err) goto fail;
    if (work->prompt_count == 0 || work->max_tokens == 0 || work->prompt_count + (uint64_t)work->max_tokens - 1 > work->served->max_positions)
        err = lks_fail(LKS_REFUSED, "prompt and answer do not fit the model");
    for (size_t i = 0; !err && i < work->prompt_count; i++)
        if (work->prompt[i] >= work->served->vocab_size) err = lks_fail(LKS_REFUSED, "a prompt token is outside the vocabulary");
    if (!err && work->allowed_count == 0) {
        free(work->allowed);
        work->allowed = NULL;
    }
    lks_policy policy = {.temperature = work->temperature, .min_p = work->min_p, .seed = work->seed, .allowed = work->allowed,
                         .allowed_count = work->allowed_count};
    if (!err && lks_policy_decode(&sampling, &policy, work->served->vocab_size)) err = lks_fail_in(LKS_REFUSED, "policy");
    if (!err) return LKS_OK;
fail:
    lks_work_free(work);
    return err;
}

/* The seed of the Accepted event must follow from the chain as we see it. */
static lks_err check_seed(lks_operator *op, const lks_job *job) {
    lks_eth_header header;
    lks_err err = lks_eth_header_by_number(&op->feed.node, job->requested.number + 1, &header);
    if (err) return err;
    if (lks_seed_used(job->request.seed, header.hash) == job->seed) return LKS_OK;
    return lks_fail(LKS_REFUSED, "the seed of its acceptance does not follow from block %llu", (unsigned long long)header.number);
}

static void start_answer(lks_operator *op, const lks_job *job) {
    lks_work work;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    lks_err err = check_seed(op, job);
    if (!err) err = make_work(op, job, &work);
    if (err) {
        if (lks_act_pause(op, job->request_id, LKS_ACTION_ANSWER))
            lks_log(op->host, LKS_WARN, "request %s cannot be answered now: %s", name, lks_error_message());
        return;
    }
    if (lks_worker_give(op->worker, &work)) lks_log(op->host, LKS_INFO, "request %s: the model runs", name);
    lks_work_free(&work);
}

/* Measures a model whose speed is not known. Returns: whether it was started. */
static bool start_trial(lks_operator *op) {
    for (size_t i = 0; i < op->models->count; i++) {
        const lks_served *served = &op->models->items[i];
        if (op->speeds[i].decode_us || lks_act_is_paused(op, no_request, LKS_ACTION_ANSWER)) continue;
        lks_work work = {.served = served, .max_tokens = TRIAL_TOKENS, .prompt_count = TRIAL_PROMPT};
        if (served->max_positions < TRIAL_PROMPT + TRIAL_TOKENS) work.prompt_count = work.max_tokens = served->max_positions / 2 ? served->max_positions / 2 : 1;
        work.prompt = malloc(work.prompt_count * sizeof *work.prompt);
        if (!work.prompt) return false;
        for (size_t k = 0; k < work.prompt_count; k++) work.prompt[k] = (uint32_t)(k * 7919 % served->vocab_size);
        bool given = lks_worker_give(op->worker, &work);
        lks_work_free(&work);
        return given;
    }
    return false;
}

/* ---- transactions ---- */

/* The calldata of an action. A salt that is needed is stored first. */
static lks_err encode(lks_operator *op, lks_job *job, lks_action action, lks_buf *call) {
    static const uint8_t no_salt[32], no_callback[20];
    lks_buf tokens = {0}, prompt = {0}, allowed = {0};
    uint8_t claim_hash[32], commitment[32];
    const lks_request *r = &job->request;
    lks_err err = LKS_OK;
    if (action == LKS_ACTION_CLAIM || (action == LKS_ACTION_FINALIZE && memcmp(r->callback, no_callback, 20) && job->answered))
        err = lks_store_answer_get(op->store, job, &tokens);
    if (!err && action == LKS_ACTION_CLAIM) err = lks_store_job_lists(op->store, job, &prompt, &allowed);
    if (!err && action == LKS_ACTION_COMMIT && memcmp(job->salt, no_salt, 32) == 0) {
        err = lks_random(job->salt, 32);
        if (!err) err = lks_store_begin(op->store);
        if (!err) {
            err = lks_store_job_put(op->store, job);
            if (!err) err = lks_store_commit(op->store);
            else lks_store_rollback(op->store);
        }
    }
    if (err) goto out;
    switch (action) {
    case LKS_ACTION_ACCEPT:
        err = lks_call_accept(call, r);
        break;
    case LKS_ACTION_COMMIT:
        lks_claim_hash(claim_hash, op->config->chain_id, op->config->oracle, job->request_id, job->seed, lks_signer_address(op->signer), job->answer_count,
                       job->answer_hash);
        lks_claim_commitment(commitment, claim_hash, job->salt);
        err = lks_call_commit_claim(call, r, job->seed, commitment);
        break;
    case LKS_ACTION_CLAIM:
        err = r->replicas > 1 ? lks_call_reveal_claim(call, r, job->seed, tokens.data, tokens.len, allowed.data, allowed.len, job->salt)
                              : lks_call_claim(call, r, job->seed, tokens.data, tokens.len, allowed.data, allowed.len);
        break;
    case LKS_ACTION_FINALIZE:
        err = lks_call_finalize(call, r, tokens.data, tokens.len);
        break;
    default:
        err = lks_call_expire(call, r);
        break;
    }
out:
    lks_buf_free(&tokens);
    lks_buf_free(&prompt);
    lks_buf_free(&allowed);
    return err;
}

static void drop(lks_operator *op, lks_job *job, lks_drop why, const char *detail) {
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    job->dropped = why;
    job->dropped_at = op->feed.head.ref.number;
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_job_put(op->store, job);
        if (!err) err = lks_store_commit(op->store);
        else lks_store_rollback(op->store);
    }
    if (err) lks_log(op->host, LKS_ERROR, "request %s is not stored as dropped: %s", name, lks_error_message());
    else lks_log(op->host, LKS_INFO, "request %s left alone: %s%s%s", name, lks_drop_text(why), detail ? ": " : "", detail ? detail : "");
}

/* Whether the model can run the request. Drops it when not. */
static bool is_runnable(lks_operator *op, lks_job *job) {
    lks_work work;
    lks_err err = make_work(op, job, &work);
    if (err == LKS_REFUSED) drop(op, job, LKS_DROP_MALFORMED, lks_error_message());
    if (!err) lks_work_free(&work);
    return err == LKS_OK;
}

static void send(lks_operator *op, lks_job *job, lks_action action) {
    lks_buf call = {0};
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    if (lks_act_is_paused(op, job->request_id, action)) return;
    if (action == LKS_ACTION_ACCEPT && !is_runnable(op, job)) return;
    lks_sender_now now = {op->feed.head.ref.number, lks_chain_time(op)};
    lks_err err = encode(op, job, action, &call);
    if (!err)
        err = lks_sender_send(&op->sender, &(lks_outgoing){.request_id = job->request_id, .action = action, .to = op->config->oracle, .data = call.data,
                              .len = call.len, .deadline = lks_job_deadline(job, action, op->reveal_seconds)}, &now);
    lks_buf_free(&call);
    if (!err) {
        lks_log(op->host, LKS_INFO, "request %s: %s", name, lks_action_name(action));
    } else if (err == LKS_REFUSED && action == LKS_ACTION_ACCEPT) {
        drop(op, job, LKS_DROP_CONTRACT, lks_error_message());
    } else if (!lks_inbox_stopped(op->inbox)) {
        bool first = lks_act_pause(op, job->request_id, action);
        lks_log(op->host, first ? LKS_WARN : LKS_DEBUG, "request %s: %s must wait: %s", name, lks_action_name(action), lks_error_message());
    }
}

/* ---- the tick ---- */

typedef struct due {
    size_t job;
    lks_action action;
    uint64_t deadline;
} due;

static int by_deadline(const void *a, const void *b) {
    const due *x = a, *y = b;
    if (x->deadline != y->deadline) return x->deadline < y->deadline ? -1 : 1;
    return x->job < y->job ? -1 : x->job > y->job;
}

static lks_err read_free_bond(lks_operator *op, lks_u256 *bond) {
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_free_bond(&call, lks_signer_address(op->signer));
    if (!err) {
        lks_eth_message message = {.to20 = op->config->bonds, .data = call.data, .data_len = call.len, .errors = lks_contract_errors};
        err = lks_eth_call(&op->feed.node, &message, LKS_ETH_LATEST, &result, NULL);
    }
    if (!err) err = lks_return_u256(bond, result.data, result.len);
    lks_buf_free(&call);
    lks_buf_free(&result);
    return err;
}

/* The state of the world that all of this tick's decisions share; acceptances reduce it as they are decided. */
static lks_err look_around(lks_operator *op, const lks_jobs *jobs, lks_job_world *world) {
    bool any_seen = false;
    *world = (lks_job_world){.now = lks_chain_time(op), .head = op->feed.head.ref.number, .reveal_seconds = op->reveal_seconds};
    world->head_time = op->feed.head.time;
    world->inclusion_ms = INCLUSION_BLOCKS * op->interval_ms;
    world->worker_idle = lks_worker_idle(op->worker);
    world->traces_max_ms = lks_disputes_on(op) ? (uint64_t)op->deployment.budget * 1000 / 2 : UINT64_MAX;
    for (size_t i = 0; i < jobs->count; i++) {
        const lks_job *job = &jobs->items[i];
        if (job->state == LKS_JOB_SEEN) any_seen = true;
        if (job->state == LKS_JOB_ACCEPTING || job->state == LKS_JOB_ACCEPTED) {
            uint64_t ms = estimate_ms(op, &job->request);
            if (ms != UINT64_MAX) world->backlog_ms += ms;
        }
        if (job->state != LKS_JOB_SEEN) {
            uint64_t ms = trace_ms(op, &job->request);
            if (ms != UINT64_MAX) world->traces_ms += ms;
        }
    }
    if (!any_seen) return LKS_OK;
    lks_err err = read_free_bond(op, &world->free_bond);
    for (size_t i = 0; !err && i < jobs->count; i++)
        if (jobs->items[i].state == LKS_JOB_ACCEPTING && lks_u256_sub(&world->free_bond, &world->free_bond, &jobs->items[i].request.stake))
            world->free_bond = lks_u256_from_u64(0);
    return err;
}

/* Decides about one job. Returns: what is due; drops at once. */
static lks_action decide(lks_operator *op, lks_job *job, lks_job_world *world) {
    lks_drop why;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, job->request_id);
    world->answer_ms = estimate_ms(op, &job->request);
    world->trace_ms = trace_ms(op, &job->request);
    bool measured = world->answer_ms != UINT64_MAX && world->trace_ms != UINT64_MAX;
    if (job->state == LKS_JOB_SEEN && op->config->is_operator && !measured) return LKS_ACTION_NONE;
    world->disputed = job->state == LKS_JOB_CLAIMED && lks_disputes_hold(op, job->claim_id);
    lks_action action = lks_job_next(job, &op->config->policy, world, &why);
    if (action == LKS_ACTION_DROP) drop(op, job, why, NULL);
    else if (action == LKS_ACTION_NONE && why && lks_act_pause(op, job->request_id, LKS_ACTION_NONE))
        lks_log(op->host, LKS_WARN, "request %s waits: %s", name, lks_drop_text(why));
    if (action == LKS_ACTION_ACCEPT) {
        world->backlog_ms += world->answer_ms;
        world->traces_ms += world->trace_ms;
        lks_u256_sub(&world->free_bond, &world->free_bond, &job->request.stake);
    }
    return action == LKS_ACTION_DROP ? LKS_ACTION_NONE : action;
}

void lks_act_tick(lks_operator *op) {
    lks_jobs jobs = {0};
    lks_job_world world;
    due *list = NULL;
    size_t count = 0;
    lks_sender_now now = {op->feed.head.ref.number, lks_chain_time(op)};
    lks_err err = lks_sender_tend(&op->sender, &now);
    if (err && !lks_inbox_stopped(op->inbox) && lks_act_pause(op, no_request, LKS_ACTION_NONE))
        lks_log(op->host, LKS_WARN, "looking after transactions: %s; trying again", lks_error_message());
    err = lks_store_jobs_open(op->store, &jobs);
    if (!err) err = look_around(op, &jobs, &world);
    if (!err && jobs.count && !(list = calloc(jobs.count, sizeof *list))) err = lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; !err && i < jobs.count; i++) {
        lks_action action = decide(op, &jobs.items[i], &world);
        if (action != LKS_ACTION_NONE) list[count++] = (due){i, action, lks_job_deadline(&jobs.items[i], action, op->reveal_seconds)};
    }
    if (err && !lks_inbox_stopped(op->inbox)) lks_log(op->host, LKS_WARN, "deciding what to do: %s; trying again", lks_error_message());
    if (count) qsort(list, count, sizeof *list, by_deadline);
    bool answering = false;
    for (size_t i = 0; i < count; i++) {
        lks_job *job = &jobs.items[list[i].job];
        if (list[i].action != LKS_ACTION_ANSWER) {
            send(op, job, list[i].action);
        } else if (!answering && !lks_act_is_paused(op, job->request_id, LKS_ACTION_ANSWER)) {
            start_answer(op, job);
            answering = true;
        }
    }
    if (!answering && op->config->is_operator && lks_worker_idle(op->worker)) start_trial(op);
    free(list);
    lks_jobs_free(&jobs);
}
