/* What every open claim needs: as operator the answers of a defence, as challenger checks,
 * challenges and the game. All that is known of a dispute comes from the chain, again at every new
 * head; nothing but transactions is stored. */
#include "plugin/operator.h"

#include "chain/keccak.h"
#include "plugin/alarms.h"
#include "plugin/log.h"
#include "plugin/obligations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LKS_FAULTS
#include "oracle/fault.h"
#endif

bool lks_disputes_on(const lks_operator *op) {
    return op->prover != NULL;
}

/* Whether a claim is of the operator that we work for. */
static bool is_ours(const lks_operator *op, const uint8_t operator20[20]) {
    return memcmp(operator20, op->feed.events.who.operator_address, 20) == 0;
}

/* ---- estimates ---- */

static size_t model_index(const lks_operator *op, const uint8_t model_id32[32]) {
    const lks_served *served = lks_models_find(op->models, model_id32);
    return served ? (size_t)(served - op->models->items) : LKS_MAX_MODELS;
}

uint64_t lks_disputes_trace_ms(const lks_operator *op, const uint8_t model_id32[32], uint64_t positions) {
    size_t i = model_index(op, model_id32);
    if (i == LKS_MAX_MODELS) return UINT64_MAX;
    /* A trace is one batched pass and its hashing: the pass takes as long as a prompt's. */
    uint64_t us = op->trace_us[i] ? op->trace_us[i] : 2 * op->speeds[i].prefill_us;
    return us ? positions * us / 1000 + 1 : UINT64_MAX;
}

bool lks_disputes_hold(lks_operator *op, const uint8_t claim_id32[32]) {
    lks_claim claim;
    if (!lks_disputes_on(op) || lks_store_claim_get(op->store, claim_id32, &claim) || claim.disputed.number == 0) return false;
    const lks_match *m = lks_match_find(&op->matches, claim_id32);
    if (!m || m->lent || m->synced.number == 0) return true;
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++)
        if (lks_game_dispute_at(m->game, i)->end == LKS_GAME_LIVE) return true;
    return false;
}

/* ---- the store ---- */

static void put_claim(lks_operator *op, const lks_claim *claim) {
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_claim_put(op->store, claim);
        if (!err) err = lks_store_commit(op->store);
        else lks_store_rollback(op->store);
    }
    if (err) lks_log(op->host, LKS_ERROR, "what is known of a claim is not stored: %s", lks_error_message());
}

static void settle(lks_operator *op, const lks_claim *claim) {
    lks_claim over = *claim; /* which may be the match's own */
    lks_match *m = lks_match_find(&op->matches, claim->claim_id);
    if (m && m->lent) return;
    if (m) lks_match_remove(&op->matches, m);
    over.settled = op->feed.head.ref.number;
    put_claim(op, &over);
}

/* ---- the tick ---- */

/* The most urgent thing for the prover to do. */
typedef struct best {
    lks_match *match; /* NULL: nothing */
    lks_task task;
} best;

/* Proposes a task. In: places, room for task->count copied; may be NULL. */
static void propose(lks_operator *op, best *b, lks_match *m, const lks_task *task,
                    const lks_dispute *places)
{
    if ((b->match && b->task.deadline <= task->deadline) || lks_moves_busy(op, m, task->key))
        return;
    lks_dispute *at = NULL;
    if (places && task->count) {
        at = malloc(task->count * sizeof *at);
        if (!at)
            return; /* the next tick tries again */
        memcpy(at, places, task->count * sizeof *at);
    }
    free(b->task.at);
    b->match = m;
    b->task = *task;
    b->task.at = at;
    b->task.served = m->served;
    b->task.game = m->game;
    b->task.trace = &m->trace;
    memcpy(b->task.claim_id, m->claim.claim_id, 32);
}

/* What is known of a live dispute of the match by its logs and by the contract, where they agree.
 * Returns: NULL when they do not, or the contract cannot be asked. */
static const lks_seen *look(lks_operator *op, lks_match *m, size_t i)
{
    if (lks_game_dispute_at(m->game, i)->end != LKS_GAME_LIVE)
        return NULL;
    const lks_seen *seen = lks_moves_view(op, m, i);
    if (!seen)
        return NULL;
    if (!seen->same)
        m->odd = true;
    return seen->same ? seen : NULL;
}

/* ---- as operator ---- */

/* Adds a place unless it is there. */
static void add_place(lks_dispute *places, size_t *count, const lks_dispute *at)
{
    for (size_t i = 0; i < *count; i++)
        if (lks_match_same_place(&places[i], at))
            return;
    if (*count < LKS_MOST_PLACES)
        places[(*count)++] = *at;
}

/* Every live dispute that asks is answered, all of them together. */
static void defend(lks_operator *op, best *b, lks_match *m)
{
    lks_dispute places[LKS_MOST_PLACES];
    lks_task task = {.kind = LKS_TASK_OPERATOR, .deadline = UINT64_MAX};
    uint8_t key[32];
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++) {
        const lks_seen *seen = look(op, m, i);
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        if (!seen)
            continue;
        uint64_t deadline = seen->view.deadline;
        if (!lks_state_is_operators(d->now.state)) {
            if (op->feed.head.time > deadline)
                lks_moves_timeout(op, m, d);
            continue;
        }
        lks_match_key(key, LKS_VERB_MOVE, d->id, 32, &d->now);
        if (lks_chain_time(op) > deadline || lks_act_is_paused(op, key, LKS_ACTION_MOVE))
            continue;
        add_place(places, &task.count, &d->now);
        if (deadline < task.deadline)
            task.deadline = deadline;
    }
    if (task.count == 0 || lks_moves_answering(op, m))
        return;
    lks_moves_answers_key(task.key, m, 0);
    propose(op, b, m, &task, places);
}

/* ---- as challenger ---- */

/* Our own dispute. */
static void play(lks_operator *op, best *b, lks_match *m, size_t i)
{
    const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
    const lks_seen *seen = look(op, m, i);
    if (!seen)
        return;
    uint64_t deadline = seen->view.deadline;
    if (lks_state_is_operators(d->now.state)) {
        if (op->feed.head.time > deadline)
            lks_moves_timeout(op, m, d);
        return;
    }
    if (lks_chain_time(op) > deadline)
        return;
    if (lks_match_held(m, d->id, &d->now)) {
        lks_prove_step(op, m, d, deadline);
        return;
    }
    lks_task task = {.kind = LKS_TASK_CHALLENGER, .deadline = deadline, .count = 1};
    lks_match_key(task.key, LKS_VERB_MOVE, d->id, 32, &d->now);
    memcpy(task.dispute_id, d->id, 32);
    propose(op, b, m, &task, &d->now);
}

/* Returns: the number of our dispute; of all disputes when there is none. */
static size_t own_dispute(const lks_operator *op, const lks_match *m)
{
    size_t i = 0;
    while (i < lks_game_dispute_count(m->game) &&
           memcmp(lks_game_dispute_at(m->game, i)->terms.challenger, lks_signer_address(op->signer),
                  20))
        i++;
    return i;
}

/* Whether the claim is in the share that is checked. */
static bool is_in_share(const lks_operator *op, const uint8_t claim_id32[32]) {
    uint8_t both[64], hash[32];
    uint64_t number = 0;
    memcpy(both, op->secret, 32);
    memcpy(both + 32, claim_id32, 32);
    lks_keccak256(hash, both, sizeof both);
    for (int i = 0; i < 6; i++) number = number << 8 | hash[i];
    return number % LKS_SHARE_ALL < op->config->check_share;
}

static void propose_run(lks_operator *op, best *b, lks_match *m, lks_task_kind kind, lks_verb verb)
{
    lks_task task = {.kind = kind, .deadline = m->claim.window_end};
    lks_match_key(task.key, verb, m->claim.claim_id, 32, NULL);
    propose(op, b, m, &task, NULL);
}

/* A claim that is known to be wrong. Where a dispute would take more than max_bond_wei, and
 * somebody else's has opened the trace, a proof may do without a bond; it may come as long as a
 * dispute keeps the claim from being final. */
static void accuse(lks_operator *op, best *b, lks_match *m, const char *why)
{
    bool open = lks_game_shown(m->game)->open;
    bool in_time = lks_chain_time(op) <= m->claim.window_end;
    lks_task task;
    lks_dispute at;
    if (open && !lks_moves_can_bond(op, m)) {
        if ((in_time || lks_game_live_count(m->game)) && lks_prove_claim(op, m, &task, &at))
            propose(op, b, m, &task, &at);
    } else if (in_time) {
        lks_moves_challenge(op, m, why);
    }
}

static void attack(lks_operator *op, best *b, lks_match *m)
{
    size_t own = own_dispute(op, m);
    char why[96];
    bool in_time = lks_chain_time(op) <= m->claim.window_end;
    if (own < lks_game_dispute_count(m->game)) {
        play(op, b, m, own);
    } else if (m->claim.check == LKS_CHECK_WRONG) {
        snprintf(why, sizeof why, "token %u of its answer is wrong", m->claim.first_wrong);
        accuse(op, b, m, why);
    } else if (m->differs) {
        accuse(op, b, m, "the trace that its operator opened is wrong");
    } else if (in_time && m->claim.check == LKS_CHECK_DUE) {
        propose_run(op, b, m, LKS_TASK_CHECK, LKS_VERB_CHECK);
    } else if (in_time && !m->compared && lks_game_shown(m->game)->open) {
        propose_run(op, b, m, LKS_TASK_COMPARE, LKS_VERB_COMPARE);
    }
}

/* ---- ends ---- */

/* The claim is over: what is ours comes back. */
static void wind_up(lks_operator *op, lks_match *m)
{
    bool took_part = is_ours(op, m->claim.operator_address), left = false, reward = false;
    bool challenged = false;
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        if (memcmp(d->terms.challenger, lks_signer_address(op->signer), 20))
            continue;
        took_part = challenged = true;
        const lks_seen *seen = lks_moves_view(op, m, i);
        if (!seen)
            return;
        if (seen->view.state == LKS_DISPUTE_CLOSED)
            continue;
        lks_moves_reclaim(op, m, d);
        return;
    }
    if (took_part && lks_money_withdraw(op, m, op->config->game, &left))
        return;
    if (challenged && lks_money_withdraw(op, m, op->config->oracle, &reward))
        return;
    if (!left && !reward)
        settle(op, &m->claim);
}

/* ---- claims ---- */

/* Whether the claim is one whose tokens we check: a challenger's share, and whoever answers the
 * same request with us, since a wrong claim beside ours costs us the fee. */
static bool is_checked(const lks_operator *op, const lks_claim *claim)
{
    if (is_ours(op, claim->operator_address))
        return false;
    return claim->co_seat || (op->config->is_challenger && is_in_share(op, claim->claim_id));
}

/* Whether there may be something to do for the claim before it is over. What we began, as operator
 * or as challenger, goes on in every role. */
static bool is_of_interest(const lks_operator *op, const lks_claim *claim)
{
    bool challenged = false;
    if (is_ours(op, claim->operator_address))
        return claim->disputed.number != 0;
    if (!op->config->is_challenger && !claim->co_seat)
        return lks_obligations_challenged(op, claim, &challenged) == LKS_OK && challenged;
    if (claim->disputed.number || claim->check == LKS_CHECK_WRONG)
        return true;
    return claim->check == LKS_CHECK_DUE && lks_chain_time(op) <= claim->window_end;
}

static lks_match *match_of(lks_operator *op, const lks_claim *claim) {
    lks_job job;
    lks_match *m = lks_match_find(&op->matches, claim->claim_id);
    if (m) return m;
    lks_err err = lks_store_job_get(op->store, claim->request_id, &job);
    const lks_served *served = err ? NULL : lks_models_find(op->models, job.request.model_id);
    if (!err && served) err = lks_match_add(&m, &op->matches, &op->deployment, claim, &job, served);
    return err ? NULL : m;
}

static void look_at(lks_operator *op, best *b, lks_claim *claim) {
    char name[LKS_SHORT_ID_SIZE];
    bool ours = is_ours(op, claim->operator_address);
    if (claim->ended.number && !claim->disputed.number) {
        settle(op, claim);
        return;
    }
    bool due = claim->check == LKS_CHECK_DUE;
    if (!ours && op->config->is_challenger && due && !is_checked(op, claim)) {
        claim->check = LKS_CHECK_SKIPPED;
        put_claim(op, claim);
    }
    if (!claim->ended.number && !is_of_interest(op, claim)) return;
    lks_match *m = match_of(op, claim);
    if (!m) {
        if (claim->ended.number) settle(op, claim); /* its model is not served any more */
        return;
    }
    if (m->lent) {
        lks_alarms_clock(op, m);
        return;
    }
    m->claim = *claim;
    if (lks_match_sync(m, &op->deployment, &op->feed.node, op->store, &op->feed.head.ref)) {
        lks_short_id(name, claim->claim_id);
        if (!lks_inbox_stopped(op->inbox) && lks_act_pause(op, claim->claim_id, LKS_ACTION_NONE))
            lks_log(op->host, LKS_WARN, "claim %s: reading its game: %s; trying again", name, lks_error_message());
        return;
    }
    lks_alarms_lost(op, m);
    if (claim->ended.number) {
        wind_up(op, m);
        return;
    }
    if (ours)
        defend(op, b, m);
    else
        attack(op, b, m);
    lks_alarms_look(op, m);
}

/* Forgets matches whose claims are gone: settled, or taken away by a re-org. */
static void forget_gone(lks_operator *op, const lks_claims *claims) {
    for (size_t i = op->matches.count; i-- > 0;) {
        lks_match *m = op->matches.items[i];
        bool there = m->lent;
        for (size_t k = 0; !there && k < claims->count; k++) there = memcmp(claims->items[k].claim_id, m->claim.claim_id, 32) == 0;
        if (!there) lks_match_remove(&op->matches, m);
    }
}

static const char *task_name(lks_task_kind kind) {
    static const char *const names[] = {"run again", "its trace is made and compared",
                                        "looking for the operator's moves",
                                        "looking for the challenger's move"};
    return names[kind];
}

void lks_disputes_tick(lks_operator *op) {
    lks_claims claims = {0};
    best b = {0};
    char name[LKS_SHORT_ID_SIZE];
    if (!lks_disputes_on(op)) return;
    lks_err err = lks_store_claims_open(op->store, &claims);
    if (err && !lks_inbox_stopped(op->inbox)) lks_log(op->host, LKS_WARN, "looking at claims: %s; trying again", lks_error_message());
    if (!err) forget_gone(op, &claims);
    for (size_t i = 0; !err && i < claims.count; i++) look_at(op, &b, &claims.items[i]);
    lks_claims_free(&claims);
    if (!b.match || !lks_prover_give(op->prover, &b.task)) {
        free(b.task.at);
        return;
    }
    b.match->lent = true;
    lks_short_id(name, b.task.claim_id);
    lks_log(op->host, LKS_DEBUG, "claim %s: %s", name, task_name(b.task.kind));
}

/* ---- results ---- */

static void take_check(lks_operator *op, lks_match *m, const lks_task_result *r) {
    lks_claim claim;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, m->claim.claim_id);
    bool right = r->first_wrong >= m->claim.token_count;
#ifdef LKS_FAULTS
    if (lks_fault_accuses()) right = false;
#endif
    lks_log(op->host, right ? LKS_INFO : LKS_WARN, "claim %s checked in %llu ms: %u tokens, %s", name, (unsigned long long)r->total_ms, m->claim.token_count,
            right ? "right" : "wrong");
    if (lks_store_claim_get(op->store, m->claim.claim_id, &claim)) return; /* gone */
    claim.check = right ? LKS_CHECK_RIGHT : LKS_CHECK_WRONG;
    claim.first_wrong = r->first_wrong;
    put_claim(op, &claim);
}

static void take_failure(lks_operator *op, lks_match *m, const lks_task_result *r) {
    char name[LKS_SHORT_ID_SIZE];
    lks_claim claim;
    if (lks_inbox_stopped(op->inbox)) return;
    lks_short_id(name, m->claim.claim_id);
    if (lks_act_pause(op, r->task.key, LKS_ACTION_MOVE)) lks_log(op->host, LKS_ERROR, "claim %s: %s: %s", name, task_name(r->task.kind), r->reason);
    bool never = r->task.kind == LKS_TASK_CHECK && r->err == LKS_BADARGS;
    if (!never || lks_store_claim_get(op->store, m->claim.claim_id, &claim)) return;
    claim.check = LKS_CHECK_SKIPPED;
    put_claim(op, &claim);
}

bool lks_disputes_results(lks_operator *op) {
    lks_task_result r;
    if (!lks_disputes_on(op) || !lks_prover_take(op->prover, &r)) return false;
    lks_match *m = lks_match_find(&op->matches, r.task.claim_id);
    if (m) {
        m->lent = false;
        lks_resources_look_at(&op->resources, m->trace);
        if (r.trace_us) op->trace_us[model_index(op, m->served->model_id)] = r.trace_us;
        if (r.err) {
            take_failure(op, m, &r);
        } else if (r.task.kind == LKS_TASK_CHECK) {
            take_check(op, m, &r);
        } else if (r.task.kind == LKS_TASK_COMPARE) {
            m->compared = true;
            m->differs = r.differs;
        } else if (r.task.kind == LKS_TASK_OPERATOR) {
            lks_moves_answer(op, m, &r);
        } else {
            lks_moves_play(op, m, &r);
        }
    }
    lks_task_result_free(&r);
    return true;
}
