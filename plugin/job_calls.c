/* The calldata of what an operator does about a request. */
#include "plugin/operator.h"

#include "chain/header.h"
#include "chain/keccak.h"

#include <string.h>

/* The salt of a commitment: nobody else can know it, and a database that was restored from an older
 * copy has it all the same, since its secret is as old as the database. */
static lks_err make_salt(lks_operator *op, lks_job *job)
{
    uint8_t secret[32];
    lks_keccak hash;
    lks_err err = lks_store_secret(op->store, secret);
    if (err)
        return err;
    const uint8_t seat[2] = {job->round.attempt, job->round.seat};
    lks_keccak_init(&hash);
    lks_keccak_update(&hash, secret, sizeof secret);
    lks_keccak_update(&hash, job->request_id, 32);
    lks_keccak_update(&hash, seat, sizeof seat);
    lks_keccak_final(&hash, job->round.salt);
    lks_wipe(secret, sizeof secret);
    return LKS_OK;
}

/* Out: job->round.salt, stored: databases of earlier versions have random ones. */
static lks_err store_salt(lks_operator *op, lks_job *job)
{
    static const uint8_t none[32];
    if (memcmp(job->round.salt, none, 32))
        return LKS_OK;
    lks_err err = make_salt(op, job);
    if (!err)
        err = lks_store_begin(op->store);
    if (err)
        return err;
    err = lks_store_job_put(op->store, job);
    if (!err)
        return lks_store_commit(op->store);
    lks_store_rollback(op->store);
    return err;
}

static lks_err call_accept(lks_operator *op, const lks_job *job, lks_buf *call)
{
    uint8_t prev_randao[32];
    lks_buf header = {0};
    uint64_t number = job->requested.number + LKS_SEED_DELAY;
    lks_err err = LKS_OK;
    if (lks_job_needs_header(job))
        err = lks_eth_header_rlp(&op->feed.node, number, &header, prev_randao);
    if (!err)
        err = lks_call_accept(call, &job->request, op->feed.events.who.operator_address,
                              header.data, header.len);
    lks_buf_free(&header);
    return err;
}

/* The salt is stored before the commitment is made. */
static lks_err call_commit(lks_operator *op, lks_job *job, lks_buf *call)
{
    uint8_t name[32], commitment[32];
    const lks_round *r = &job->round;
    lks_err err = store_salt(op, job);
    if (err)
        return err;
    lks_claim_name(name, job->request_id, r->attempt, r->seat);
    lks_claim_commitment(commitment, name, op->feed.events.who.operator_address, job->seed,
                         job->answer_hash, r->salt);
    return lks_call_commit_claim(call, &job->request, r->seat, job->seed, commitment);
}

static lks_err call_claim(lks_operator *op, lks_job *job, lks_buf *call)
{
    lks_buf tokens = {0}, prompt = {0}, allowed = {0};
    const lks_request *r = &job->request;
    lks_err err = lks_store_answer_get(op->store, job, &tokens);
    if (!err && r->replicas > 1)
        err = store_salt(op, job);
    if (!err && lks_request_shows_allowed(r))
        err = lks_store_job_lists(op->store, job, &prompt, &allowed);
    if (!err && r->replicas > 1)
        err = lks_call_reveal_claim(call, r, job->round.seat, job->seed, tokens.data, tokens.len,
                                    allowed.data, allowed.len, job->round.salt);
    else if (!err)
        err =
            lks_call_claim(call, r, job->seed, tokens.data, tokens.len, allowed.data, allowed.len);
    lks_buf_free(&tokens);
    lks_buf_free(&prompt);
    lks_buf_free(&allowed);
    return err;
}

/* The answer is only looked at when there is a callback. */
static lks_err call_finalize(lks_operator *op, const lks_job *job, lks_buf *call)
{
    static const uint8_t no_callback[20];
    lks_buf tokens = {0};
    lks_err err = LKS_OK;
    if (memcmp(job->request.callback, no_callback, 20) && job->answered)
        err = lks_store_answer_get(op->store, job, &tokens);
    if (!err)
        err = lks_call_finalize(call, &job->request, tokens.data, tokens.len);
    lks_buf_free(&tokens);
    return err;
}

lks_err lks_job_call(lks_operator *op, lks_job *job, lks_action action, lks_buf *call)
{
    switch (action) {
    case LKS_ACTION_ACCEPT: return call_accept(op, job, call);
    case LKS_ACTION_COMMIT: return call_commit(op, job, call);
    case LKS_ACTION_CLAIM: return call_claim(op, job, call);
    case LKS_ACTION_FINALIZE: return call_finalize(op, job, call);
    case LKS_ACTION_FREE: return lks_call_free_seats(call, &job->request);
    case LKS_ACTION_MISS: return lks_call_missed(call, &job->request, job->round.seat);
    default:
        return lks_fail(LKS_INTERNAL, "%s is no transaction of a request", lks_action_name(action));
    }
}

lks_u256 lks_job_worth(const lks_job *job, lks_action action)
{
    lks_u256 worth;
    if (action != LKS_ACTION_COMMIT && action != LKS_ACTION_CLAIM)
        return lks_u256_from_u64(0);
    lks_u256_div_u64(&worth, &job->request.stake, 50);
    lks_u256_add(&worth, &worth, &job->request.fee);
    lks_u256_div_u64(&worth, &worth, 2);
    return worth;
}
