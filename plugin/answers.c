/* Answers: what the model is given, and what comes back. */
#include "plugin/operator.h"

#include "oracle/engine/policy.h"
#include "plugin/log.h"

#include <stdlib.h>
#include <string.h>

/* Runs that measure a model's speed, and how it falls with the length: long enough to count, short
 * enough to wait for. */
static const uint32_t trial_prompts[] = {64, 192, 576};
#define TRIALS (sizeof trial_prompts / sizeof *trial_prompts)
#define TRIAL_TOKENS 16u
/* Requests so many times as long as what was measured wait while there are trials to come. */
#define TRIAL_REACH 4.0
/* One that is expected to take longer, after the first, is left out. */
#define TRIAL_MOST_US 30000000u

static const uint8_t no_request[32];

/* ---- results ---- */

static lks_err store_answer(lks_operator *op, const lks_answer *a)
{
    lks_buf packed = {0};
    lks_job job;
    lks_tokens_pack(&packed, a->tokens, a->count);
    lks_err err = lks_buf_error(&packed);
    if (!err)
        err = lks_store_begin(op->store);
    if (err)
        goto out;
    err = lks_store_job_get(op->store, a->request_id, &job);
    if (!err)
        err = lks_store_answer_put(op->store, &job, a->seed, packed.data, packed.len);
    if (!err)
        err = lks_store_commit(op->store);
    else
        lks_store_rollback(op->store);
out:
    lks_buf_free(&packed);
    return err;
}

bool lks_answers_take(lks_operator *op)
{
    lks_answer a;
    char name[LKS_SHORT_ID_SIZE];
    if (!lks_worker_take(op->worker, &a))
        return false;
    bool trial = memcmp(a.request_id, no_request, 32) == 0;
    lks_short_id(name, a.request_id);
    if (a.file_changed) {
        lks_service_end(op, a.served, a.reason);
    } else if (a.err) {
        if (!a.abandoned && !lks_inbox_stopped(op->inbox)) {
            lks_log(op->host, LKS_ERROR, "%s%s: the model gave no answer: %s",
                    trial ? "measuring its speed" : "request ", trial ? "" : name, a.reason);
            lks_act_pause(op, a.request_id, LKS_ACTION_ANSWER);
        }
    } else {
        lks_estimate_answer(op, &a);
        if (trial) {
            lks_log(op->host, LKS_INFO,
                    "measured: %llu us per token of a prompt of %u, %llu us per answered token",
                    (unsigned long long)(a.prefill_us / a.prompt_count), a.prompt_count,
                    (unsigned long long)(a.count > 1 ? a.decode_us / (a.count - 1) : 0));
        } else {
            lks_log(op->host, LKS_INFO, "request %s answered: %u tokens in %llu ms", name, a.count,
                    (unsigned long long)a.total_ms);
            if (store_answer(op, &a)) { /* it will be computed again */
                lks_log(op->host, LKS_ERROR, "request %s: the answer is not stored: %s", name,
                        lks_error_message());
                lks_act_pause(op, a.request_id, LKS_ACTION_ANSWER);
            }
        }
    }
    free(a.tokens);
    return true;
}

/* ---- work for the model ---- */

static lks_err unpack(const lks_buf *packed, uint32_t **ids, size_t *count)
{
    *count = packed->len / 4;
    *ids = malloc(packed->len + 1);
    if (!*ids)
        return lks_fail(LKS_NOMEM, "out of memory");
    return lks_tokens_unpack(*ids, packed->data, packed->len);
}

/* Loads what the model needs. Out: work, to be freed. Returns also: LKS_REFUSED: it cannot be run.
 */
static lks_err make_work(lks_operator *op, const lks_job *job, lks_work *work)
{
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
    if (!err)
        err = lks_store_job_lists(op->store, job, &prompt, &allowed);
    if (!err)
        err = unpack(&prompt, &work->prompt, &work->prompt_count);
    if (!err)
        err = unpack(&allowed, &work->allowed, &work->allowed_count);
    lks_buf_free(&prompt);
    lks_buf_free(&allowed);
    if (err)
        goto fail;
    if (work->prompt_count == 0 || work->max_tokens == 0 ||
        work->prompt_count + (uint64_t)work->max_tokens - 1 > work->served->max_positions)
        err = lks_fail(LKS_REFUSED, "prompt and answer do not fit the model");
    for (size_t i = 0; !err && i < work->prompt_count; i++)
        if (work->prompt[i] >= work->served->vocab_size)
            err = lks_fail(LKS_REFUSED, "a prompt token is outside the vocabulary");
    if (!err && work->allowed_count == 0) {
        free(work->allowed);
        work->allowed = NULL;
    }
    lks_policy policy = {.temperature = work->temperature,
                         .min_p = work->min_p,
                         .seed = work->seed,
                         .allowed = work->allowed,
                         .allowed_count = work->allowed_count};
    if (!err && lks_policy_decode(&sampling, &policy, work->served->vocab_size))
        err = lks_fail_in(LKS_REFUSED, "policy");
    if (!err)
        return LKS_OK;
fail:
    lks_work_free(work);
    return err;
}

/* The seed of the acceptance must follow from the chain as we see it. */
static lks_err check_seed(lks_operator *op, const lks_job *job)
{
    uint8_t prev_randao[32];
    lks_buf rlp = {0};
    if (job->request.temperature == 0) {
        if (job->seed == 0)
            return LKS_OK;
        return lks_fail(LKS_REFUSED, "the seed of its acceptance is not 0 although it is greedy");
    }
    uint64_t number = job->requested.number + LKS_SEED_DELAY;
    lks_err err = lks_eth_header_rlp(&op->feed.node, number, &rlp, prev_randao);
    lks_buf_free(&rlp);
    if (err || lks_seed_used(job->request.seed, prev_randao) == job->seed)
        return err;
    return lks_fail(LKS_REFUSED, "the seed of its acceptance does not follow from block %llu",
                    (unsigned long long)number);
}

bool lks_answers_start(lks_operator *op, const lks_job *job, uint64_t answer_ms)
{
    lks_work work = {0};
    char name[LKS_SHORT_ID_SIZE];
    uint64_t deadline = lks_job_deadline(job, LKS_ACTION_ANSWER, op->reveal_seconds);
    if (lks_answers_is_trial(op)) { /* it is measured another time */
        lks_worker_abandon(op->worker);
        return false;
    }
    lks_short_id(name, job->request_id);
    lks_err err = check_seed(op, job);
    if (!err)
        err = make_work(op, job, &work);
    /* It may end with its first token. */
    if (!err && !lks_lanes_have_time(op, deadline,
                                     lks_estimate_prompt_us(op, work.served, work.prompt_count)))
        err = lks_fail(LKS_TIMEOUT, "reading its prompt alone would end after its deadline");
    if (err) {
        if (lks_act_pause(op, job->request_id, LKS_ACTION_ANSWER))
            lks_log(op->host, LKS_WARN, "request %s cannot be answered now: %s", name,
                    lks_error_message());
        lks_work_free(&work);
        return false;
    }
    uint64_t seconds = answer_ms == UINT64_MAX ? 0 : answer_ms / 1000;
    work.due = deadline > seconds ? deadline - seconds : 0;
    bool given = lks_worker_give(op->worker, &work);
    if (given)
        lks_log(op->host, LKS_INFO, "request %s: the model runs", name);
    lks_work_free(&work);
    return given;
}

void lks_answers_drop(lks_operator *op, const lks_jobs *jobs)
{
    uint8_t id[32];
    char name[LKS_SHORT_ID_SIZE];
    uint64_t now = lks_chain_time(op);
    if (!lks_worker_busy_with(op->worker, id) || memcmp(id, no_request, 32) == 0)
        return;
    for (size_t i = 0; i < jobs->count; i++)
        if (memcmp(jobs->items[i].request_id, id, 32) == 0 &&
            !lks_job_is_late(&jobs->items[i], now, op->reveal_seconds))
            return;
    lks_short_id(name, id);
    if (lks_act_pause(op, id, LKS_ACTION_ANSWER))
        lks_log(op->host, LKS_WARN,
                "request %s: its answer is given up: nobody can use it any more", name);
    lks_worker_abandon(op->worker);
}

/* Returns: tokens of the prompt of the model's next trial; 0 when none is due. */
static uint32_t next_trial(const lks_operator *op, const lks_served *served)
{
    const lks_costs *c = &op->costs[served - op->models->items];
    uint32_t half = served->max_positions / 2;
    if (!lks_estimate_is_known(op, served))
        return half > trial_prompts[0] ? trial_prompts[0] : half ? half : 1;
    for (size_t i = 0; i < TRIALS && !lks_estimate_is_fitted(op, served); i++) {
        uint32_t prompt = trial_prompts[i];
        if (prompt + TRIAL_TOKENS > served->max_positions ||
            lks_estimate_prompt_us(op, served, prompt) > TRIAL_MOST_US)
            break;
        if (!lks_cost_has(&c->of[LKS_RUN_PROMPT], 0, prompt))
            return prompt;
    }
    return 0;
}

static bool start_trial(lks_operator *op, const lks_served *served, uint32_t prompt)
{
    lks_work work = {.served = served,
                     .prompt_count = prompt,
                     .max_tokens = prompt < TRIAL_TOKENS ? prompt : TRIAL_TOKENS,
                     .due = UINT64_MAX,
                     .prompt = malloc(prompt * sizeof *work.prompt)};
    if (!work.prompt)
        return false;
    for (size_t k = 0; k < prompt; k++)
        work.prompt[k] = (uint32_t)(k * 7919 % served->vocab_size);
    bool given = lks_worker_give(op->worker, &work);
    lks_work_free(&work);
    return given;
}

bool lks_answers_trial(lks_operator *op)
{
    if (lks_act_is_paused(op, no_request, LKS_ACTION_ANSWER))
        return false;
    for (size_t i = 0; i < op->models->count; i++) {
        const lks_served *served = &op->models->items[i];
        uint32_t prompt = lks_service_has(op, served) ? next_trial(op, served) : 0;
        if (prompt)
            return start_trial(op, served, prompt);
    }
    return false;
}

bool lks_answers_measures(const lks_operator *op, const lks_served *served, uint64_t positions)
{
    const lks_measured *m = &op->costs[served - op->models->items].of[LKS_RUN_PROMPT];
    return (double)positions / 2 > TRIAL_REACH * lks_cost_reach(m) && next_trial(op, served) &&
           !lks_act_is_paused(op, no_request, LKS_ACTION_ANSWER);
}

bool lks_answers_is_trial(const lks_operator *op)
{
    uint8_t id[32];
    return lks_worker_busy_with(op->worker, id) && memcmp(id, no_request, 32) == 0;
}

bool lks_answers_can_run(lks_operator *op, const lks_job *job, lks_err *err)
{
    lks_work work;
    *err = make_work(op, job, &work);
    if (*err == LKS_OK)
        lks_work_free(&work);
    return *err != LKS_REFUSED;
}
