/* Proofs, and the commitments that come before them: in a dispute of ours, or without one. */
#include "plugin/operator.h"

#include "chain/keccak.h"
#include "plugin/log.h"

#include <stdio.h>
#include <string.h>

/* The salt of our commitment about a dispute or claim: nobody else can know it, and a restart does
 * not lose it. */
static void make_salt(const lks_operator *op, const uint8_t subject32[32], uint8_t salt32[32])
{
    lks_keccak hash;
    lks_keccak_init(&hash);
    lks_keccak_update(&hash, op->secret, sizeof op->secret);
    lks_keccak_update(&hash, subject32, 32);
    lks_keccak_final(&hash, salt32);
}

/* Sees to the commitment. Out: *block that it is in; 0 while it is in none. */
static lks_err commit(lks_operator *op, const lks_match *m, const lks_witness *w,
                      const uint8_t salt32[32], uint64_t deadline, uint64_t *block)
{
    uint8_t key[32];
    lks_game_calls calls = {0};
    *block = 0;
    lks_err err = lks_game_call_commit_proof(&calls, w, lks_signer_address(op->signer), salt32);
    if (err)
        return err;
    lks_match_key(key, LKS_VERB_COMMIT, calls.items[0].data.data, calls.items[0].data.len, NULL);
    err = lks_store_move_included(op->store, m->claim.request_id, key, block);
    if (!err && *block == 0 && !lks_moves_busy(op, m, key))
        lks_moves_send_calls(op, m, key, &calls, LKS_OK, deadline, "commit to a proof");
    lks_game_calls_free(&calls);
    return err;
}

bool lks_prove_must_commit(lks_operator *op, lks_match *match, const lks_game_dispute *d,
                           const lks_move *move)
{
    if (move->kind != LKS_MOVE_STEP && move->kind != LKS_MOVE_STEP_PARTIAL)
        return false;
    if (lks_game_live_count(match->game) > 1)
        return true;
    for (size_t i = 0; i < lks_game_dispute_count(match->game); i++) {
        if (lks_game_dispute_at(match->game, i) != d)
            continue;
        const lks_seen *seen = lks_moves_view(op, match, i);
        return !seen || !seen->view.alone;
    }
    return true;
}

void lks_prove_step(lks_operator *op, lks_match *match, const lks_game_dispute *d,
                    uint64_t deadline)
{
    uint8_t salt[32], key[32];
    char what[160];
    uint64_t block = 0;
    lks_game_calls calls = {0};
    const lks_move *move = lks_match_held(match, d->id, &d->now);
    lks_match_key(key, LKS_VERB_MOVE, d->id, 32, &d->now);
    if (!move || lks_moves_busy(op, match, key))
        return;
    lks_moves_describe(what, sizeof what, move);
    make_salt(op, d->id, salt);
    lks_err err = commit(op, match, &move->witness, salt, deadline, &block);
    if (!err && block == 0)
        return;
    if (d->step_count && d->steps[0].block > block)
        block = d->steps[0].block; /* the challenge must be as old */
    if (!err && op->head.ref.number < block + LKS_GAME_COMMIT_BLOCKS)
        return;
    if (!err)
        err = lks_game_call(&calls, match->game, d, move, match->served->model, salt);
    lks_moves_send_calls(op, match, key, &calls, err, deadline, what);
}

/* ---- without a dispute ---- */

static lks_dispute top_of(const lks_match *m)
{
    return (lks_dispute){.state = LKS_DISPUTE_PICK,
                         .op = LKS_TOP,
                         .height = lks_log2_ceil(lks_game_model(m->game)->op_count)};
}

bool lks_prove_claim(lks_operator *op, lks_match *match, lks_task *task, lks_dispute *at)
{
    uint8_t salt[32];
    uint64_t block = 0;
    lks_game_calls calls = {0};
    const uint8_t *id = match->claim.claim_id;
    *at = top_of(match);
    uint64_t end = match->claim.window_end;
    *task = (lks_task){.kind = LKS_TASK_CHALLENGER, .deadline = end, .due = end, .count = 1};
    lks_match_key(task->key, LKS_VERB_MOVE, id, 32, at);
    const lks_move *move = lks_match_held(match, id, at);
    if (!move)
        return true;
    if (lks_moves_busy(op, match, task->key))
        return false;
    make_salt(op, id, salt);
    lks_err err = commit(op, match, &move->witness, salt, UINT64_MAX, &block);
    if (!err && (block == 0 || op->head.ref.number < block + lks_game_proof_delay(match->game)))
        return false;
    if (!err)
        err = lks_game_call_prove(&calls, match->game, lks_game_shown(match->game)->root, NULL, 0,
                                  &move->witness, salt);
    lks_moves_send_calls(op, match, task->key, &calls, err, UINT64_MAX,
                         "prove it wrong without a dispute");
    return false;
}

void lks_prove_take(lks_operator *op, lks_match *match, lks_task_result *result)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_move *move = &result->moves[0];
    if (move->kind == LKS_MOVE_STEP) {
        lks_match_hold(match, match->claim.claim_id, &result->task.at[0], move);
        return;
    }
    lks_short_id(name, match->claim.claim_id);
    if (lks_act_pause(op, result->task.key, LKS_ACTION_MOVE))
        lks_log(op->host, LKS_WARN, "claim %s is wrong, but only a dispute could show that", name);
}
