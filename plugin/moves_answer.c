/* The operator's answers in disputes: every live dispute that asks gets one of its own. Several go
 * into one transaction, as many as its gas and size allow. */
#include "plugin/operator.h"

#include "plugin/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LKS_FAULTS
#include "oracle/trace/fault.h"

/* The liar withholds a move. */
static bool is_withheld(lks_move_kind kind)
{
    switch (kind) {
    case LKS_MOVE_OPEN_TRACE: return lks_fault_is_silent(LKS_FAULT_TRACE);
    case LKS_MOVE_REVEAL: return lks_fault_is_silent(LKS_FAULT_REVEAL);
    case LKS_MOVE_REVEAL_LEAF: return lks_fault_is_silent(LKS_FAULT_LEAF);
    case LKS_MOVE_OPEN_PARTIALS: return lks_fault_is_silent(LKS_FAULT_PARTIALS);
    default: return false;
    }
}
#endif

/* Limits of one transaction. */
#define BATCH_GAS UINT64_C(12000000)
#define BATCH_BYTES 120000u
/* Transactions with answers of one claim at a time, with rows and without. */
#define BATCHES 8u

/* An answer to be sent. */
typedef struct answer {
    lks_buf call;
    uint64_t gas;
    uint64_t deadline;
    uint8_t key[32]; /* of the move: what is paused when the contract refuses it */
} answer;

typedef struct answers {
    answer items[LKS_MOST_ANSWERS];
    size_t count;
    size_t batches; /* sent so far */
    bool rows;      /* of the task */
} answers;

void lks_moves_answers_key(uint8_t key32[32], const lks_match *m, bool rows, size_t i)
{
    uint8_t subject[33];
    memcpy(subject, m->claim.claim_id, 32);
    subject[32] = (uint8_t)(rows ? BATCHES + i : i);
    lks_match_key(key32, LKS_VERB_ANSWERS, subject, sizeof subject, NULL);
}

bool lks_moves_answering(lks_operator *op, const lks_match *m, bool rows)
{
    uint8_t key[32];
    for (size_t i = 0; i < BATCHES; i++) {
        lks_moves_answers_key(key, m, rows, i);
        if (lks_moves_busy(op, m, key))
            return true;
    }
    return false;
}

/* ---- collecting ---- */

static const lks_move *move_at(const lks_task_result *r, const lks_dispute *at)
{
    for (size_t i = 0; i < r->task.count; i++)
        if (lks_match_same_place(&r->task.at[i], at))
            return &r->moves[i];
    return NULL;
}

/* Whether there is something to send. Otherwise it is logged why not, and held back. */
static bool is_sendable(lks_operator *op, const lks_match *m, const lks_game_dispute *d,
                        const lks_move *move, const uint8_t key32[32])
{
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, m->claim.claim_id);
    if (move->kind == LKS_MOVE_NONE) {
        if (lks_act_pause(op, key32, LKS_ACTION_MOVE))
            lks_log(op->host, LKS_ERROR, "claim %s: there is no move in state %s", name,
                    lks_state_name(d->now.state));
        return false;
    }
#ifdef LKS_FAULTS
    if (is_withheld(move->kind)) {
        if (lks_act_pause(op, key32, LKS_ACTION_MOVE))
            lks_log(op->host, LKS_WARN, "claim %s: the liar is silent", name);
        return false;
    }
#endif
    return true;
}

/* Adds the answer to a dispute, if it asks for one that was made. Out: *opens, set when it opens
 * the trace, which is done once for all disputes. */
static void collect(lks_operator *op, lks_match *m, size_t i, const lks_task_result *r,
                    answers *all, bool *opens)
{
    char what[160], name[LKS_SHORT_ID_SIZE];
    lks_game_calls calls = {0};
    const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
    const lks_move *move = d->end == LKS_GAME_LIVE ? move_at(r, &d->now) : NULL;
    const lks_seen *seen = move ? lks_moves_view(op, m, i) : NULL;
    answer *a = &all->items[all->count];
    if (!seen || !seen->same || all->count == LKS_MOST_ANSWERS)
        return;
    lks_match_key(a->key, LKS_VERB_MOVE, d->id, 32, &d->now);
    if (lks_act_is_paused(op, a->key, LKS_ACTION_MOVE) || !is_sendable(op, m, d, move, a->key))
        return;
    if (move->kind == LKS_MOVE_OPEN_TRACE && *opens)
        return;
    lks_moves_describe(what, sizeof what, move);
    if (lks_game_call(&calls, m->game, d, move, m->served->model, NULL)) {
        lks_moves_failed(op, m, a->key, what);
        return;
    }
    *opens = *opens || move->kind == LKS_MOVE_OPEN_TRACE;
    a->call = calls.items[0].data;
    a->gas = calls.items[0].gas;
    a->deadline = seen->view.deadline;
    all->count++;
    lks_short_id(name, m->claim.claim_id);
    lks_log(op->host, LKS_INFO, "claim %s: %s", name, what);
}

/* ---- sending ---- */

/* Sends answers [from, to) in one transaction, of which the contract takes those that fit; when it
 * refuses the whole, in two, and so on: one that it refuses keeps back no other. */
static void send_batch(lks_operator *op, lks_match *m, answers *all, size_t from, size_t to)
{
    uint8_t key[32];
    lks_buf calls[LKS_MOST_ANSWERS];
    lks_game_tx tx = {.data = {0}};
    uint64_t deadline = UINT64_MAX;
    if (from == to || all->batches == BATCHES)
        return;
    for (size_t i = from; i < to; i++) {
        calls[i - from] = all->items[i].call;
        if (all->items[i].deadline < deadline)
            deadline = all->items[i].deadline;
    }
    lks_moves_answers_key(key, m, all->rows, all->batches);
    lks_err err = LKS_OK;
    if (to - from == 1)
        tx.data = calls[0];
    else
        err = lks_call_try_multicall(&tx.data, calls, to - from);
    if (!err)
        err = lks_moves_send(op, m, key, op->config->game, &tx, true, deadline);
    if (to - from > 1)
        lks_buf_free(&tx.data);
    if (!err) {
        all->batches++;
    } else if (err == LKS_REFUSED && to - from > 1) {
        size_t middle = from + (to - from) / 2;
        send_batch(op, m, all, from, middle);
        send_batch(op, m, all, middle, to);
    } else {
        for (size_t i = from; i < to; i++)
            lks_moves_failed(op, m, all->items[i].key, "an answer");
    }
}

void lks_moves_answer(lks_operator *op, lks_match *m, const lks_task_result *result)
{
    answers *all = calloc(1, sizeof *all);
    bool opens = false;
    if (!all)
        return; /* the next tick tries again */
    all->rows = result->task.rows;
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++)
        collect(op, m, i, result, all, &opens);
    size_t from = 0;
    while (from < all->count) {
        size_t to = from;
        uint64_t gas = 0, bytes = 0;
        while (to < all->count &&
               (to == from || (gas + all->items[to].gas <= BATCH_GAS &&
                               bytes + all->items[to].call.len <= BATCH_BYTES))) {
            gas += all->items[to].gas;
            bytes += all->items[to].call.len + 96; /* its offset, length and padding */
            to++;
        }
        send_batch(op, m, all, from, to);
        from = to;
    }
    for (size_t i = 0; i < all->count; i++)
        lks_buf_free(&all->items[i].call);
    free(all);
}
