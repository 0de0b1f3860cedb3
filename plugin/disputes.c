/* Work for every open claim, and the results of its tasks. All knowledge of a dispute comes from
 * the chain, again at every new head; only transactions are stored. */
#include "plugin/operator.h"

#include "chain/keccak.h"
#include "plugin/alarms.h"
#include "plugin/attack.h"
#include "plugin/defence.h"
#include "plugin/log.h"
#include "plugin/obligations.h"

#include <string.h>

#ifdef LKS_FAULTS
#include "oracle/trace/fault.h"
#endif

bool lks_disputes_on(const lks_operator *op)
{
    return op->lanes.provers[0] != NULL;
}

/* Whether a claim is of the operator that we work for. */
static bool is_ours(const lks_operator *op, const uint8_t operator20[20])
{
    return memcmp(operator20, op->feed.events.who.operator_address, 20) == 0;
}

bool lks_disputes_hold(lks_operator *op, const uint8_t claim_id32[32])
{
    lks_claim claim;
    if (!lks_disputes_on(op) || lks_store_claim_get(op->store, claim_id32, &claim) ||
        claim.disputed.number == 0)
        return false;
    const lks_match *m = lks_match_find(&op->matches, claim_id32);
    if (!m || m->synced.number == 0)
        return true;
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++)
        if (lks_game_dispute_at(m->game, i)->end == LKS_GAME_LIVE)
            return true;
    return false;
}

/* ---- the store ---- */

void lks_disputes_put_claim(lks_operator *op, const lks_claim *claim)
{
    lks_err err = lks_store_begin(op->store);
    if (!err) {
        err = lks_store_claim_put(op->store, claim);
        if (!err)
            err = lks_store_commit(op->store);
        else
            lks_store_rollback(op->store);
    }
    if (err)
        lks_log(op->host, LKS_ERROR, "the state of a claim is not stored: %s", lks_error_message());
}

static void settle(lks_operator *op, const lks_claim *claim)
{
    lks_claim over = *claim; /* which may be the match's own */
    lks_match *m = lks_match_find(&op->matches, claim->claim_id);
    if (m && m->lent) {
        lks_lanes_abandon(op, m, LKS_LANES);
        return;
    }
    if (m)
        lks_match_remove(&op->matches, m);
    over.settled = op->head.ref.number;
    lks_disputes_put_claim(op, &over);
}

const lks_seen *lks_disputes_look(lks_operator *op, lks_match *m, size_t i)
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

/* ---- ends ---- */

/* The claim is over: what is ours comes back. */
static void wind_up(lks_operator *op, lks_match *m)
{
    bool ours = is_ours(op, m->claim.operator_address), challenged = false;
    bool left = false, reward = false, moved = false;
    for (size_t i = 0; i < lks_game_dispute_count(m->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        if (memcmp(d->terms.challenger, lks_signer_address(op->signer), 20))
            continue;
        challenged = true;
        const lks_seen *seen = lks_moves_view(op, m, i);
        if (!seen)
            return;
        if (seen->view.state == LKS_DISPUTE_CLOSED)
            continue;
        lks_moves_reclaim(op, m, d);
        return;
    }
    if ((ours || challenged) && lks_money_withdraw(op, &op->sender, m, op->config->game, &left))
        return;
    if (ours && op->moves.signer && lks_money_withdraw(op, &op->moves, m, op->config->game, &moved))
        return;
    if (challenged && lks_money_withdraw(op, &op->sender, m, op->config->oracle, &reward))
        return;
    if (!left && !reward && !moved)
        settle(op, &m->claim);
}

/* ---- claims ---- */

/* Whether the claim is in the share that is checked. */
static bool is_in_share(const lks_operator *op, const uint8_t claim_id32[32])
{
    uint8_t both[64], hash[32];
    uint64_t number = 0;
    memcpy(both, op->secret, 32);
    memcpy(both + 32, claim_id32, 32);
    lks_keccak256(hash, both, sizeof both);
    for (int i = 0; i < 6; i++)
        number = number << 8 | hash[i];
    return number % LKS_SHARE_ALL < op->config->check_share;
}

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

static lks_match *match_of(lks_operator *op, const lks_claim *claim)
{
    lks_job job;
    lks_match *m = lks_match_find(&op->matches, claim->claim_id);
    lks_err err = m ? LKS_OK : lks_store_job_get(op->store, claim->request_id, &job);
    if (!m && !err) {
        const lks_served *served = lks_models_find(op->models, job.request.model_id);
        if (served)
            err = lks_match_add(&m, &op->matches, &op->deployment, claim, &job, served);
    }
    if (err || !m)
        return NULL;
    m->wanted = true;
    return m;
}

/* The claim's match with its game at the head. Returns: NULL when that is not to be had now. */
static lks_match *bring_to_head(lks_operator *op, const lks_claim *claim)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_match *m = match_of(op, claim);
    if (!m)
        return NULL;
    m->claim = *claim;
    const lks_matches_source source = {&op->deployment, &op->feed.node, op->store};
    if (!lks_match_sync(&op->matches, m, &source, &op->head.ref))
        return m;
    lks_short_id(name, claim->claim_id);
    if (!lks_inbox_stopped(op->inbox) && lks_act_pause(op, claim->claim_id, LKS_ACTION_NONE))
        lks_log(op->host, LKS_WARN, "claim %s: reading its game: %s; trying again", name,
                lks_error_message());
    return NULL;
}

/* Whether there is nothing to do for the claim but to run it again: its game is then read no
 * earlier than that. */
static bool is_only_checked(const lks_operator *op, const lks_claim *claim)
{
    return !is_ours(op, claim->operator_address) && !claim->ended.number &&
           !claim->disputed.number && claim->check == LKS_CHECK_DUE;
}

/* Whether a claim that is over had no dispute that may have left us something. The node may have
 * left out the event of one that we opened ourselves. */
static bool owes_nothing(const lks_operator *op, const lks_claim *claim)
{
    bool challenged = false;
    return claim->disputed.number == 0 &&
           lks_obligations_challenged(op, claim, &challenged) == LKS_OK && !challenged;
}

static void look_at(lks_operator *op, lks_claim *claim)
{
    bool ours = is_ours(op, claim->operator_address), due = claim->check == LKS_CHECK_DUE;
    if (claim->ended.number && owes_nothing(op, claim)) {
        settle(op, claim);
        return;
    }
    if (!ours && op->config->is_challenger && due && !is_checked(op, claim)) {
        claim->check = LKS_CHECK_SKIPPED;
        lks_disputes_put_claim(op, claim);
    }
    if (is_only_checked(op, claim) || (!claim->ended.number && !is_of_interest(op, claim)))
        return;
    lks_match *m = bring_to_head(op, claim);
    if (!m) {
        if (claim->ended.number && !lks_match_find(&op->matches, claim->claim_id))
            settle(op, claim); /* its model is not served any more */
        return;
    }
    lks_alarms_lost(op, m);
    if (claim->ended.number) {
        lks_lanes_abandon(op, m, LKS_LANES);
        wind_up(op, m);
        return;
    }
    if (ours)
        lks_defence_look(op, m);
    else
        lks_attack_look(op, m);
    lks_alarms_look(op, m);
}

/* Whether the claim may be checked now. */
static bool is_checkable(const lks_operator *op, const lks_claim *claim)
{
    uint8_t key[32];
    if (!is_only_checked(op, claim) || !is_of_interest(op, claim))
        return false;
    lks_match_key(key, LKS_VERB_CHECK, claim->claim_id, 32, NULL);
    return !lks_act_is_paused(op, key, LKS_ACTION_MOVE);
}

/* Lets the check that runs go on while its claim is there. */
static void keep_check(lks_operator *op, const lks_claims *claims)
{
    lks_match *m = op->lanes.now[LKS_LANE_CHECKS].match;
    for (size_t i = 0; m && !m->wanted && i < claims->count; i++)
        if (memcmp(claims->items[i].claim_id, m->claim.claim_id, 32) == 0)
            m->wanted = is_only_checked(op, &claims->items[i]);
}

/* Proposes the check whose window ends first; of those that come too late, one at a time is given
 * up. */
static void look_for_check(lks_operator *op, const lks_claims *claims)
{
    const lks_claim *first = NULL;
    if (!lks_lane_is_idle(&op->lanes, LKS_LANE_CHECKS)) {
        keep_check(op, claims);
        return;
    }
    for (size_t i = 0; i < claims->count; i++) {
        const lks_claim *c = &claims->items[i];
        if ((!first || c->window_end < first->window_end) && is_checkable(op, c))
            first = c;
    }
    lks_match *m = first ? bring_to_head(op, first) : NULL;
    if (m)
        lks_attack_check(op, m);
}

/* Forgets matches that nothing is to be done for: their claims are right, settled, or taken away by
 * a re-org. */
static void forget_unwanted(lks_operator *op)
{
    for (size_t i = op->matches.count; i-- > 0;) {
        lks_match *m = op->matches.items[i];
        if (m->wanted)
            continue;
        if (m->lent)
            lks_lanes_abandon(op, m, LKS_LANES);
        else
            lks_match_remove(&op->matches, m);
    }
}

void lks_disputes_tick(lks_operator *op)
{
    lks_claims claims = {0};
    if (!lks_disputes_on(op))
        return;
    if (lks_store_claims_open(op->store, &claims)) {
        if (!lks_inbox_stopped(op->inbox))
            lks_log(op->host, LKS_WARN, "reading the stored claims: %s; trying again",
                    lks_error_message());
        return;
    }
    lks_alarms_damage(op, &claims.damage, "stored claims");
    for (size_t i = 0; i < op->matches.count; i++)
        op->matches.items[i]->wanted = false;
    for (size_t i = 0; i < claims.count; i++)
        look_at(op, &claims.items[i]);
    look_for_check(op, &claims);
    lks_claims_free(&claims);
    forget_unwanted(op);
    lks_lanes_give(op);
}

/* ---- results ---- */

static void take_check(lks_operator *op, lks_match *m, const lks_task_result *r)
{
    lks_claim claim;
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, m->claim.claim_id);
    bool right = r->first_wrong >= m->claim.token_count;
#ifdef LKS_FAULTS
    if (lks_fault_accuses())
        right = false;
#endif
    lks_log(op->host, right ? LKS_INFO : LKS_WARN, "claim %s checked in %llu ms: %u tokens, %s",
            name, (unsigned long long)r->total_ms, m->claim.token_count, right ? "right" : "wrong");
    if (lks_store_claim_get(op->store, m->claim.claim_id, &claim))
        return; /* gone */
    claim.check = right ? LKS_CHECK_RIGHT : LKS_CHECK_WRONG;
    claim.first_wrong = r->first_wrong;
    lks_disputes_put_claim(op, &claim);
}

static void take_failure(lks_operator *op, lks_match *m, const lks_task_result *r)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_claim claim;
    if (r->hopeless)
        lks_attack_give_up(op, m, r->task.kind);
    if (r->abandoned || lks_inbox_stopped(op->inbox))
        return;
    lks_short_id(name, m->claim.claim_id);
    if (lks_act_pause(op, r->task.key, LKS_ACTION_MOVE))
        lks_log(op->host, LKS_ERROR, "claim %s: %s: %s", name, lks_task_name(r->task.kind),
                r->reason);
    bool never = r->task.kind == LKS_TASK_CHECK && r->err == LKS_BADARGS;
    if (!never || lks_store_claim_get(op->store, m->claim.claim_id, &claim))
        return;
    claim.check = LKS_CHECK_SKIPPED;
    lks_disputes_put_claim(op, &claim);
}

static void take(lks_operator *op, lks_match *m, lks_task_result *r)
{
    lks_estimate_task(op, m->served, r);
    if (m->trace && !m->trace_lent)
        lks_resources_look_at(&op->resources, m->trace);
    if (r->err) {
        take_failure(op, m, r);
    } else if (r->task.kind == LKS_TASK_CHECK) {
        take_check(op, m, r);
    } else if (r->task.kind == LKS_TASK_COMPARE) {
        m->compared = true;
        m->differs = r->differs;
    } else if (!m->wanted) {
        return; /* the claim is gone */
    } else if (r->task.kind == LKS_TASK_OPERATOR) {
        lks_moves_answer(op, m, r);
    } else {
        lks_moves_play(op, m, r);
    }
}

bool lks_disputes_results(lks_operator *op)
{
    lks_task_result r;
    lks_match *m = NULL;
    bool any = false;
    while (lks_disputes_on(op) && lks_lanes_take(op, &r, &m)) {
        take(op, m, &r);
        lks_task_result_free(&r);
        any = true;
    }
    return any;
}
