/* What every open claim needs: as operator the answers of a defence, as challenger checks, challenges and the game. All that is known of a dispute comes from
 * the chain, again at every new head; nothing but transactions is stored. */
#include "plugin/operator.h"

#include "chain/keccak.h"
#include "plugin/log.h"

#include <stdio.h>
#include <string.h>

#ifdef LKS_FAULTS
#include "oracle/fault.h"
#endif

bool lks_disputes_on(const lks_operator *op) {
    return op->prover != NULL;
}

static bool is_ours(const lks_operator *op, const uint8_t address20[20]) {
    return memcmp(address20, lks_signer_address(op->signer), 20) == 0;
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

static void propose(lks_operator *op, best *b, lks_match *m, lks_task_kind kind, const uint8_t key32[32], uint64_t deadline, const lks_game_dispute *d) {
    if ((b->match && b->task.deadline <= deadline) || lks_moves_busy(op, m, key32)) return;
    b->match = m;
    b->task = (lks_task){.kind = kind, .deadline = deadline, .served = m->served, .game = m->game, .trace = &m->trace};
    memcpy(b->task.claim_id, m->claim.claim_id, 32);
    memcpy(b->task.key, key32, 32);
    if (!d) return;
    memcpy(b->task.dispute_id, d->id, 32);
    b->task.at = d->now;
}

/* A live dispute that we have a side in. Answers of an operator are named by what is asked for, which is the same in all disputes of a claim. */
static void play(lks_operator *op, best *b, lks_match *m, size_t i, bool defends) {
    const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
    const lks_seen *seen = lks_moves_view(op, m, i);
    uint8_t key[32];
    if (!seen || !seen->same) return;
    uint64_t deadline = seen->view.deadline;
    if (lks_state_is_operators(d->now.state) != defends) {
        if (op->feed.head.time > deadline) lks_moves_timeout(op, m, d);
    } else if (lks_chain_time(op) <= deadline) {
        lks_match_key(key, LKS_VERB_MOVE, defends ? m->claim.claim_id : d->id, 32, &d->now);
        propose(op, b, m, defends ? LKS_TASK_OPERATOR : LKS_TASK_CHALLENGER, key, deadline, d);
    }
}

static void defend(lks_operator *op, best *b, lks_match *m) {
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++) {
        if (lks_game_dispute_at(m->game, i)->end == LKS_GAME_LIVE) play(op, b, m, i, true);
    }
}

/* Returns: the number of our dispute; of all disputes when there is none. */
static size_t own_dispute(const lks_operator *op, const lks_match *m) {
    size_t i = 0;
    while (i < lks_game_dispute_count(m->game) && !is_ours(op, lks_game_dispute_at(m->game, i)->challenger)) i++;
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

static void attack(lks_operator *op, best *b, lks_match *m) {
    size_t own = own_dispute(op, m);
    uint8_t key[32];
    char why[96];
    if (own < lks_game_dispute_count(m->game)) {
        if (lks_game_dispute_at(m->game, own)->end == LKS_GAME_LIVE) play(op, b, m, own, false);
        return;
    }
    if (lks_chain_time(op) > m->claim.window_end) return;
    if (m->claim.check == LKS_CHECK_WRONG) {
        snprintf(why, sizeof why, "token %u of its answer is wrong", m->claim.first_wrong);
        lks_moves_challenge(op, m, why);
    } else if (m->differs) {
        lks_moves_challenge(op, m, "the trace that its operator opened is wrong");
    } else if (m->claim.check == LKS_CHECK_DUE) {
        lks_match_key(key, LKS_VERB_CHECK, m->claim.claim_id, 32, NULL);
        propose(op, b, m, LKS_TASK_CHECK, key, m->claim.window_end, NULL);
    } else if (!m->compared && lks_game_shown(m->game)->open) {
        lks_match_key(key, LKS_VERB_COMPARE, m->claim.claim_id, 32, NULL);
        propose(op, b, m, LKS_TASK_COMPARE, key, m->claim.window_end, NULL);
    }
}

/* The claim is over: what is ours comes back. */
static void wind_up(lks_operator *op, lks_match *m) {
    bool took_part = is_ours(op, m->claim.operator_address), left = false, reward = false;
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        if (!is_ours(op, d->challenger)) continue;
        took_part = true;
        const lks_seen *seen = lks_moves_view(op, m, i);
        if (!seen) return;
        if (seen->view.state == LKS_DISPUTE_CLOSED) continue;
        lks_moves_reclaim(op, m, d);
        return;
    }
    if (took_part && lks_moves_withdraw(op, m, op->config->game, &left)) return;
    if (took_part && op->config->is_challenger && lks_moves_withdraw(op, m, op->config->oracle, &reward)) return;
    if (!left && !reward) settle(op, &m->claim);
}

/* Whether there may be something to do for the claim before it is over. */
static bool is_of_interest(const lks_operator *op, const lks_claim *claim) {
    if (is_ours(op, claim->operator_address)) return op->config->is_operator && claim->disputed.number;
    if (!op->config->is_challenger) return false;
    if (claim->disputed.number || claim->check == LKS_CHECK_WRONG) return true;
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
    if (!ours && op->config->is_challenger && claim->check == LKS_CHECK_DUE && !is_in_share(op, claim->claim_id)) {
        claim->check = LKS_CHECK_SKIPPED;
        put_claim(op, claim);
    }
    if (!claim->ended.number && !is_of_interest(op, claim)) return;
    lks_match *m = match_of(op, claim);
    if (!m) {
        if (claim->ended.number) settle(op, claim); /* its model is not served any more */
        return;
    }
    if (m->lent) return;
    m->claim = *claim;
    if (lks_match_sync(m, &op->deployment, &op->feed.node, op->store, &op->feed.head.ref)) {
        lks_short_id(name, claim->claim_id);
        if (!lks_inbox_stopped(op->inbox) && lks_act_pause(op, claim->claim_id, LKS_ACTION_NONE))
            lks_log(op->host, LKS_WARN, "claim %s: reading its game: %s; trying again", name, lks_error_message());
        return;
    }
    if (claim->ended.number) wind_up(op, m);
    else if (ours) defend(op, b, m);
    else attack(op, b, m);
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
    static const char *const names[] = {"run again", "its trace is made and compared", "looking for the operator's move", "looking for the challenger's move"};
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
    if (!b.match || !lks_prover_give(op->prover, &b.task)) return;
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
        if (r.trace_us) op->trace_us[model_index(op, m->served->model_id)] = r.trace_us;
        if (r.err) {
            take_failure(op, m, &r);
        } else if (r.task.kind == LKS_TASK_CHECK) {
            take_check(op, m, &r);
        } else if (r.task.kind == LKS_TASK_COMPARE) {
            m->compared = true;
            m->differs = r.differs;
        } else {
            lks_moves_play(op, m, &r);
        }
    }
    lks_move_free(&r.move);
    return true;
}
