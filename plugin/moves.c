/* Transactions in disputes: what is to be done comes from disputes.c and the prover, this file
 * makes and sends it. */
#include "plugin/operator.h"

#include "chain/address.h"
#include "plugin/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lks_moves_failed(lks_operator *op, const lks_match *m, const uint8_t key32[32],
                      const char *what)
{
    char name[LKS_SHORT_ID_SIZE];
    if (lks_inbox_stopped(op->inbox))
        return;
    lks_short_id(name, m->claim.claim_id);
    bool first = lks_act_pause(op, key32, LKS_ACTION_MOVE);
    lks_log(op->host, first ? LKS_WARN : LKS_DEBUG, "claim %s: %s must wait: %s", name, what,
            lks_error_message());
}

bool lks_moves_busy(lks_operator *op, const lks_match *match, const uint8_t key32[32])
{
    bool live = false;
    if (lks_act_is_paused(op, key32, LKS_ACTION_MOVE))
        return true;
    if (lks_store_move_is_live(op->store, match->claim.request_id, key32, &live))
        return true;
    return live;
}

/* ---- money ---- */

static lks_err base_fee(lks_operator *op, lks_u256 *out)
{
    lks_eth_fees fees;
    lks_err err = lks_eth_suggest_fees(&op->feed.node, &fees);
    if (!err)
        *out = fees.base_fee;
    return err;
}

/* Adds what a question prepays to its value. In: d NULL for a challenge. */
static lks_err pay(lks_operator *op, lks_game_tx *tx, const lks_game_dispute *d)
{
    lks_buf call = {0}, result = {0};
    lks_u256 fee, prepayment;
    uint64_t gas = 0;
    if (tx->asks == LKS_DISPUTE_NONE)
        return LKS_OK;
    lks_err encoded = lks_call_question_gas(&call, (uint8_t)tx->asks, tx->position);
    lks_err err = lks_moves_call_view(op, op->config->game, encoded, &call, &result);
    if (!err)
        err = lks_return_u64(&gas, result.data, result.len);
    lks_buf_free(&result);
    if (!err)
        err = base_fee(op, &fee);
    if (err)
        return err;
    lks_game_prepayment(&prepayment, gas, &fee);
    lks_game_pay(tx, &prepayment, d);
    return LKS_OK;
}

/* ---- sending ---- */

/* Wei that a move may cost when its deadline is near: a tenth of what hangs on it. That is the
 * stake of a claim of ours; in our own dispute the bond, and a quarter of the stake as its reward.
 */
static lks_u256 worth_of(const lks_operator *op, const lks_match *m)
{
    lks_u256 worth = m->stake;
    if (memcmp(m->claim.operator_address, op->feed.events.who.operator_address, 20)) {
        lks_u256_div_u64(&worth, &worth, 4);
        lks_u256_add(&worth, &worth, &op->min_bond);
    }
    lks_u256_div_u64(&worth, &worth, 10);
    return worth;
}

lks_err lks_moves_send_by(lks_operator *op, lks_sender *sender, const lks_match *m,
                          const uint8_t key32[32], const uint8_t to20[20], const lks_game_tx *tx,
                          bool simulated, uint64_t deadline)
{
    lks_sender_now now = {op->head.ref.number, lks_chain_time(op), op->feed.behind};
    lks_outgoing out = {.request_id = m->claim.request_id,
                        .action = LKS_ACTION_MOVE,
                        .key = key32,
                        .to = to20,
                        .value = tx->value,
                        .gas = simulated ? 0 : tx->gas,
                        .data = tx->data.data,
                        .len = tx->data.len,
                        .deadline = deadline,
                        .worth = worth_of(op, m)};
    return lks_sender_send(sender, &out, &now);
}

/* A defence may be an agent's: its moves are the second account's, which nothing else holds up, as
 * long as it can pay. A dispute of our own belongs to the account that opened it, the main one. */
lks_err lks_moves_send(lks_operator *op, const lks_match *m, const uint8_t key32[32],
                       const uint8_t to20[20], const lks_game_tx *tx, bool simulated,
                       uint64_t deadline)
{
    const lks_sender_now now = {op->head.ref.number, lks_chain_time(op), op->feed.behind};
    bool ours = memcmp(m->claim.operator_address, op->feed.events.who.operator_address, 20) == 0;
    if (ours && op->moves_allowed && !lks_sender_is_broke(&op->moves, &now)) {
        lks_err err = lks_moves_send_by(op, &op->moves, m, key32, to20, tx, simulated, deadline);
        if (err != LKS_NOTFOUND && err != LKS_REFUSED) /* it may be an agent no more */
            return err;
    }
    return lks_moves_send_by(op, &op->sender, m, key32, to20, tx, simulated, deadline);
}

bool lks_moves_send_calls(lks_operator *op, const lks_match *m, const uint8_t key32[32],
                          lks_game_calls *calls, lks_err made, uint64_t deadline, const char *what)
{
    lks_err err = made;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, m->claim.claim_id);
    for (size_t i = 0; !err && i < calls->count; i++) {
        uint8_t own[32];
        const uint8_t *key = key32;
        if (i + 1 < calls->count) {
            lks_match_key(own, LKS_VERB_SHAPE, calls->items[i].data.data, calls->items[i].data.len,
                          NULL);
            key = own;
        }
        bool live = false;
        err = lks_store_move_is_live(op->store, m->claim.request_id, key, &live);
        /* Only the first can be simulated: the calls after it depend on one in no block yet. */
        if (!err && !live)
            err = lks_moves_send(op, m, key, op->config->game, &calls->items[i], i == 0, deadline);
    }
    lks_game_calls_free(calls);
    if (err)
        lks_moves_failed(op, m, key32, what);
    else
        lks_log(op->host, LKS_INFO, "claim %s: %s", name, what);
    return err == LKS_OK;
}

/* ---- opening and ending disputes ---- */

/* Out: a bond that is still enough when the base fee doubles, if max_bond_wei allows that much;
 * else max_bond_wei. Returns also: LKS_REFUSED: not even today's bond is allowed. */
static lks_err choose_bond(lks_operator *op, const lks_match *m, lks_u256 *bond)
{
    lks_u256 fee, least;
    char text[LKS_ETHER_SIZE];
    lks_err err = base_fee(op, &fee);
    if (err)
        return err;
    lks_game_bond(&least, &op->min_bond, &m->stake, &fee);
    if (lks_u256_cmp(&least, &op->config->max_bond) > 0) {
        lks_wei_format(text, &least);
        return lks_fail(LKS_REFUSED, "a dispute takes a bond of %s ether, above max_bond_wei",
                        text);
    }
    lks_u256_mul_u64(&fee, &fee, 2);
    lks_game_bond(bond, &op->min_bond, &m->stake, &fee);
    if (lks_u256_cmp(bond, &op->config->max_bond) > 0)
        *bond = op->config->max_bond;
    return LKS_OK;
}

bool lks_moves_can_bond(lks_operator *op, const lks_match *match)
{
    lks_u256 bond;
    return choose_bond(op, match, &bond) != LKS_REFUSED;
}

bool lks_moves_challenge(lks_operator *op, lks_match *match, const char *why)
{
    static const uint8_t salt[32]; /* we never dispute a claim twice */
    uint8_t key[32], id[32];
    char what[160], name[LKS_SHORT_ID_SIZE];
    lks_game_calls calls = {0};
    lks_u256 bond;
    uint64_t block = 0;
    lks_match_key(key, LKS_VERB_CHALLENGE, match->claim.claim_id, 32, NULL);
    if (lks_moves_busy(op, match, key))
        return false;
    lks_err err = lks_store_move_included(op->store, match->claim.request_id, key, &block);
    if (!err && block) {
        match->odd = true; /* our dispute is there, and its event is not */
        return false;
    }
    if (!err)
        err = choose_bond(op, match, &bond);
    if (err == LKS_REFUSED) {
        lks_short_id(name, match->claim.claim_id);
        if (lks_act_pause(op, key, LKS_ACTION_MOVE))
            lks_log(op->host, LKS_WARN, "claim %s is wrong, but %s", name, lks_error_message());
        return false;
    }
    if (!err)
        err = lks_game_call_challenge(&calls, id, match->game, lks_signer_address(op->signer), salt,
                                      &bond);
    if (!err)
        err = pay(op, &calls.items[0], NULL);
    snprintf(what, sizeof what, "challenge, because %s", why);
    return lks_moves_send_calls(op, match, key, &calls, err, match->claim.window_end, what);
}

bool lks_moves_timeout(lks_operator *op, lks_match *match, const lks_game_dispute *d)
{
    uint8_t key[32];
    lks_game_calls calls = {0};
    lks_match_key(key, LKS_VERB_TIMEOUT, d->id, 32, &d->now);
    if (lks_moves_busy(op, match, key))
        return false;
    lks_err err = lks_game_call_timeout(&calls, d);
    return lks_moves_send_calls(op, match, key, &calls, err, UINT64_MAX,
                                "timeout: the other side's time is over");
}

bool lks_moves_reclaim(lks_operator *op, lks_match *match, const lks_game_dispute *d)
{
    uint8_t key[32];
    lks_game_calls calls = {0};
    lks_match_key(key, LKS_VERB_RECLAIM, d->id, 32, NULL);
    if (lks_moves_busy(op, match, key))
        return false;
    lks_err err = lks_game_call_reclaim(&calls, d);
    return lks_moves_send_calls(op, match, key, &calls, err, UINT64_MAX,
                                "reclaim bond and prepayments");
}

/* ---- the challenger's moves ---- */

/* A pick below an operation's root needs its shape on the chain: tells the game whether it is
 * there. */
static lks_err learn_shape(lks_operator *op, lks_match *m, const lks_move *move)
{
    if (move->kind != LKS_MOVE_PICK || move->op == LKS_TOP ||
        lks_game_shape_known(m->game, move->op))
        return LKS_OK;
    lks_buf call = {0}, result = {0};
    bool recorded = false;
    lks_err encoded = lks_call_shape_recorded(&call, m->served->model_id, (uint16_t)move->op);
    lks_err err = lks_moves_call_view(op, op->config->game, encoded, &call, &result);
    if (!err)
        err = lks_return_bool(&recorded, result.data, result.len);
    lks_buf_free(&result);
    if (!err && recorded)
        lks_game_set_shape(m->game, move->op);
    return err;
}

void lks_moves_describe(char *text, size_t size, const lks_move *m)
{
    switch (m->kind) {
    case LKS_MOVE_OPEN_TRACE: snprintf(text, size, "open the trace"); break;
    case LKS_MOVE_REVEAL: snprintf(text, size, "reveal %zu children", m->hash_count); break;
    case LKS_MOVE_REVEAL_LEAF: snprintf(text, size, "reveal a leaf of %zu bytes", m->len); break;
    case LKS_MOVE_OPEN_PARTIALS: snprintf(text, size, "open %zu bytes of partials", m->len); break;
    case LKS_MOVE_PICK:
        if (m->op == LKS_TOP)
            snprintf(text, size, "pick node %llu at height %u above the operations",
                     (unsigned long long)m->index, m->height);
        else
            snprintf(text, size, "pick node %llu at height %u of operation %u",
                     (unsigned long long)m->index, m->height, m->op);
        break;
    case LKS_MOVE_STEP:
        snprintf(text, size, "step: unit %u of operation %u, %zu openings", m->witness.unit.unit,
                 m->witness.unit.op, m->witness.count);
        break;
    case LKS_MOVE_DEMAND_PARTIALS:
        snprintf(text, size, "demand the partials of element %u", m->element);
        break;
    case LKS_MOVE_STEP_PARTIAL:
        snprintf(text, size, "step on partials: place %u, %zu openings", m->witness.unit.place,
                 m->witness.count);
        break;
    default: snprintf(text, size, "no move"); break;
    }
}

void lks_moves_play(lks_operator *op, lks_match *match, lks_task_result *result)
{
    char what[160], name[LKS_SHORT_ID_SIZE];
    lks_game_calls calls = {0};
    lks_short_id(name, match->claim.claim_id);
    static const uint8_t none[32];
    const lks_game_dispute *d = lks_game_dispute_find(match->game, result->task.dispute_id);
    lks_move *move = &result->moves[0];
    if (memcmp(result->task.dispute_id, none, 32) == 0) {
        lks_prove_take(op, match, result);
        return;
    }
    if (!d || d->end != LKS_GAME_LIVE || !lks_match_same_place(&d->now, &result->task.at[0]))
        return; /* it went on, or a re-org took it away */
    if (move->kind == LKS_MOVE_NONE) {
        if (lks_act_pause(op, result->task.key, LKS_ACTION_MOVE))
            lks_log(op->host, LKS_WARN,
                    "claim %s: no fault was found in state %s, the dispute will be lost", name,
                    lks_state_name(d->now.state));
        return;
    }
    if (lks_prove_must_commit(op, match, d, move)) {
        lks_match_hold(match, d->id, &d->now, move);
        lks_prove_step(op, match, d, result->task.deadline);
        return;
    }
    lks_moves_describe(what, sizeof what, move);
    lks_err err = learn_shape(op, match, move);
    if (!err)
        err = lks_game_call(&calls, match->game, d, move, match->served->model, NULL);
    for (size_t i = 0; !err && i < calls.count; i++)
        err = pay(op, &calls.items[i], d);
    lks_moves_send_calls(op, match, result->task.key, &calls, err, result->task.deadline, what);
}
