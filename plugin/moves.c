/* Transactions in disputes: what is to be done comes from disputes.c and the prover, this file makes and sends it. */
#include "plugin/operator.h"

#include "chain/address.h"
#include "plugin/log.h"

#include <stdio.h>
#include <string.h>

#ifdef LKS_FAULTS
#include "oracle/fault.h"

/* The liar withholds a move. */
static bool is_withheld(lks_move_kind kind) {
    switch (kind) {
    case LKS_MOVE_OPEN_TRACE: return lks_fault_is_silent(LKS_FAULT_TRACE);
    case LKS_MOVE_REVEAL: return lks_fault_is_silent(LKS_FAULT_REVEAL);
    case LKS_MOVE_REVEAL_LEAF: return lks_fault_is_silent(LKS_FAULT_LEAF);
    case LKS_MOVE_OPEN_PARTIALS: return lks_fault_is_silent(LKS_FAULT_PARTIALS);
    default: return false;
    }
}
#endif

/* A move that failed for no reason that we can name is tried again, quietly after the first time. */
static void tell_failure(lks_operator *op, const lks_match *m, const uint8_t key32[32], const char *what) {
    char name[LKS_SHORT_ID_SIZE];
    if (lks_inbox_stopped(op->inbox)) return;
    lks_short_id(name, m->claim.claim_id);
    bool first = lks_act_pause(op, key32, LKS_ACTION_MOVE);
    lks_log(op->host, first ? LKS_WARN : LKS_DEBUG, "claim %s: %s must wait: %s", name, what, lks_error_message());
}

bool lks_moves_busy(lks_operator *op, const lks_match *match, const uint8_t key32[32]) {
    bool live = false;
    if (lks_act_is_paused(op, key32, LKS_ACTION_MOVE)) return true;
    if (lks_store_move_is_live(op->store, match->claim.request_id, key32, &live)) return true;
    return live;
}

/* Calls a view of a contract at the newest block. In: call, freed here. */
static lks_err view(lks_operator *op, const uint8_t to20[20], lks_err encoded, lks_buf *call, lks_buf *result) {
    lks_err err = encoded;
    if (!err) {
        lks_eth_message message = {.to20 = to20, .data = call->data, .data_len = call->len, .errors = lks_contract_errors};
        err = lks_eth_call(&op->feed.node, &message, LKS_ETH_LATEST, result, NULL);
    }
    lks_buf_free(call);
    return err;
}

const lks_seen *lks_moves_view(lks_operator *op, lks_match *match, size_t i) {
    lks_seen *seen = &match->seen[i];
    const lks_game_dispute *d = lks_game_dispute_at(match->game, i);
    lks_buf call = {0}, result = {0};
    if (seen->asked) return seen;
    lks_err encoded = lks_call_dispute_of(&call, d->id);
    lks_err err = view(op, op->config->game, encoded, &call, &result);
    if (!err) err = lks_return_dispute(&seen->view, result.data, result.len);
    lks_buf_free(&result);
    const lks_dispute_view *v = &seen->view;
    seen->asked = err == LKS_OK;
    seen->same = !err && (lks_dispute_state)v->state == d->now.state && v->op == d->now.op && v->height == d->now.height && v->index == d->now.index;
    return err ? NULL : seen;
}

static lks_err send_one(lks_operator *op, const lks_match *m, const uint8_t key32[32], const uint8_t to20[20], const lks_game_tx *tx, bool simulated,
                        uint64_t deadline) {
    lks_sender_now now = {op->feed.head.ref.number, lks_chain_time(op)};
    lks_outgoing out = {.request_id = m->claim.request_id, .action = LKS_ACTION_MOVE, .key = key32, .to = to20, .value = tx->value,
                        .gas = simulated ? 0 : tx->gas, .data = tx->data.data, .len = tx->data.len, .deadline = deadline};
    return lks_sender_send(&op->sender, &out, &now);
}

/* Sends the calls of one deed, the last of them under its key, those ahead of it under keys of their own. They are freed. */
static bool send_calls(lks_operator *op, const lks_match *m, const uint8_t key32[32], lks_game_calls *calls, lks_err made, uint64_t deadline, const char *what) {
    lks_err err = made;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, m->claim.claim_id);
    for (size_t i = 0; !err && i < calls->count; i++) {
        uint8_t own[32];
        const uint8_t *key = key32;
        if (i + 1 < calls->count) {
            lks_match_key(own, LKS_VERB_SHAPE, calls->items[i].data.data, calls->items[i].data.len, NULL);
            key = own;
        }
        bool live = false;
        err = lks_store_move_is_live(op->store, m->claim.request_id, key, &live);
        /* What stands behind another cannot be simulated: the other is in no block yet. */
        if (!err && !live) err = send_one(op, m, key, op->config->game, &calls->items[i], i == 0, deadline);
    }
    lks_game_calls_free(calls);
    if (err) tell_failure(op, m, key32, what);
    else lks_log(op->host, LKS_INFO, "claim %s: %s", name, what);
    return err == LKS_OK;
}

static lks_err base_fee(lks_operator *op, lks_u256 *out) {
    lks_eth_fees fees;
    lks_err err = lks_eth_suggest_fees(&op->feed.node, &fees);
    if (!err) *out = fees.base_fee;
    return err;
}

bool lks_moves_challenge(lks_operator *op, lks_match *match, const char *why) {
    static const uint8_t salt[32]; /* we never dispute a claim twice */
    uint8_t key[32], id[32];
    char what[160], name[LKS_SHORT_ID_SIZE], bond_text[LKS_ETHER_SIZE];
    lks_game_calls calls = {0};
    lks_u256 fee, bond;
    lks_match_key(key, LKS_VERB_CHALLENGE, match->claim.claim_id, 32, NULL);
    if (lks_moves_busy(op, match, key)) return false;
    lks_err err = base_fee(op, &fee);
    if (!err) lks_game_bond(&bond, &op->min_bond, &match->stake, &fee);
    if (!err && lks_u256_cmp(&bond, &op->config->max_bond) > 0) {
        lks_short_id(name, match->claim.claim_id);
        lks_wei_format(bond_text, &bond);
        if (lks_act_pause(op, key, LKS_ACTION_MOVE))
            lks_log(op->host, LKS_WARN, "claim %s is wrong, but a dispute takes a bond of %s ether, above max_bond_wei", name, bond_text);
        return false;
    }
    if (!err) err = lks_game_call_challenge(&calls, id, match->game, lks_signer_address(op->signer), salt, &op->min_bond, &fee);
    snprintf(what, sizeof what, "challenge, because %s", why);
    return send_calls(op, match, key, &calls, err, match->claim.window_end, what);
}

bool lks_moves_timeout(lks_operator *op, lks_match *match, const lks_game_dispute *d) {
    uint8_t key[32];
    lks_game_calls calls = {0};
    lks_match_key(key, LKS_VERB_TIMEOUT, d->id, 32, &d->now);
    if (lks_moves_busy(op, match, key)) return false;
    lks_err err = lks_game_call_timeout(&calls, match->game, d);
    return send_calls(op, match, key, &calls, err, UINT64_MAX, "timeout: the other side's time is over");
}

bool lks_moves_reclaim(lks_operator *op, lks_match *match, const lks_game_dispute *d) {
    uint8_t key[32];
    lks_game_calls calls = {0};
    lks_match_key(key, LKS_VERB_RECLAIM, d->id, 32, NULL);
    if (lks_moves_busy(op, match, key)) return false;
    lks_err err = lks_game_call_reclaim(&calls, d);
    return send_calls(op, match, key, &calls, err, UINT64_MAX, "reclaim bond and prepayments");
}

lks_err lks_moves_withdraw(lks_operator *op, lks_match *match, const uint8_t contract20[20], bool *left) {
    uint8_t key[32];
    lks_buf call = {0}, result = {0};
    lks_u256 credit;
    char name[LKS_SHORT_ID_SIZE], text[LKS_ETHER_SIZE];
    const uint8_t *account = lks_signer_address(op->signer);
    *left = true;
    lks_match_key(key, LKS_VERB_WITHDRAW, contract20, 20, NULL);
    if (lks_moves_busy(op, match, key)) return LKS_OK;
    lks_err encoded = lks_call_credit(&call, account);
    lks_err err = view(op, contract20, encoded, &call, &result);
    if (!err) err = lks_return_u256(&credit, result.data, result.len);
    lks_buf_free(&result);
    *left = !err && !lks_u256_is_zero(&credit);
    if (err || !*left) return err;
    lks_game_tx tx = {.data = {0}};
    err = lks_call_withdraw(&tx.data, account);
    if (!err) err = send_one(op, match, key, contract20, &tx, true, UINT64_MAX);
    lks_buf_free(&tx.data);
    if (err) {
        tell_failure(op, match, key, "withdraw");
        return LKS_OK;
    }
    lks_short_id(name, match->claim.claim_id);
    lks_wei_format(text, &credit);
    lks_log(op->host, LKS_INFO, "claim %s: withdraw %s ether", name, text);
    return LKS_OK;
}

/* A pick below an operation's root needs its shape on the chain: tells the game whether it is there. */
static lks_err learn_shape(lks_operator *op, lks_match *m, const lks_move *move) {
    if (move->kind != LKS_MOVE_PICK || move->op == LKS_TOP || lks_game_shape_known(m->game, move->op)) return LKS_OK;
    lks_buf call = {0}, result = {0};
    bool recorded = false;
    lks_err encoded = lks_call_shape_recorded(&call, m->served->model_id, (uint16_t)move->op);
    lks_err err = view(op, op->config->game, encoded, &call, &result);
    if (!err) err = lks_return_bool(&recorded, result.data, result.len);
    lks_buf_free(&result);
    if (!err && recorded) lks_game_set_shape(m->game, move->op);
    return err;
}

static void describe(char *text, size_t size, const lks_move *m) {
    switch (m->kind) {
    case LKS_MOVE_OPEN_TRACE: snprintf(text, size, "open the trace"); break;
    case LKS_MOVE_REVEAL: snprintf(text, size, "reveal %zu children", m->hash_count); break;
    case LKS_MOVE_REVEAL_LEAF: snprintf(text, size, "reveal a leaf of %zu bytes", m->len); break;
    case LKS_MOVE_OPEN_PARTIALS: snprintf(text, size, "open %zu bytes of partials", m->len); break;
    case LKS_MOVE_PICK:
        if (m->op == LKS_TOP) snprintf(text, size, "pick node %llu at height %u above the operations", (unsigned long long)m->index, m->height);
        else snprintf(text, size, "pick node %llu at height %u of operation %u", (unsigned long long)m->index, m->height, m->op);
        break;
    case LKS_MOVE_STEP: snprintf(text, size, "step: unit %u of operation %u, %zu openings", m->witness.unit.unit, m->witness.unit.op, m->witness.count); break;
    case LKS_MOVE_DEMAND_PARTIALS: snprintf(text, size, "demand the partials of element %u", m->element); break;
    case LKS_MOVE_STEP_PARTIAL: snprintf(text, size, "step on partials: place %u, %zu openings", m->witness.unit.place, m->witness.count); break;
    default: snprintf(text, size, "no move"); break;
    }
}

void lks_moves_play(lks_operator *op, lks_match *match, lks_task_result *result) {
    char what[160], name[LKS_SHORT_ID_SIZE];
    lks_game_calls calls = {0};
    lks_u256 fee;
    lks_short_id(name, match->claim.claim_id);
    const lks_game_dispute *d = lks_game_dispute_find(match->game, result->task.dispute_id);
    if (!d) return;
    if (result->move.kind == LKS_MOVE_NONE) {
        if (lks_act_pause(op, result->task.key, LKS_ACTION_MOVE))
            lks_log(op->host, LKS_WARN, "claim %s: there is no move in state %s%s", name, lks_state_name(d->now.state),
                    result->task.kind == LKS_TASK_CHALLENGER ? ": no fault was found, the dispute will be lost" : "");
        return;
    }
#ifdef LKS_FAULTS
    if (is_withheld(result->move.kind)) {
        if (lks_act_pause(op, result->task.key, LKS_ACTION_MOVE)) lks_log(op->host, LKS_WARN, "claim %s: the liar is silent", name);
        return;
    }
#endif
    describe(what, sizeof what, &result->move);
    lks_err err = base_fee(op, &fee);
    if (!err) err = learn_shape(op, match, &result->move);
    if (!err) err = lks_game_call(&calls, match->game, d, &result->move, match->served->model, &fee);
    send_calls(op, match, result->task.key, &calls, err, result->task.deadline, what);
}
