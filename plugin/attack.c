#include "plugin/attack.h"

#include "plugin/gate.h"
#include "plugin/log.h"

#include <stdio.h>
#include <string.h>

/* Seconds that the sides of a dispute have to end it themselves when the other is late, before we
 * do, and how many such disputes are ended at once. */
#define OTHERS_PATIENCE 600u
#define OTHERS_AT_ONCE 8u

/* Our own dispute. */
static void play(lks_operator *op, lks_match *m, size_t i)
{
    const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
    const lks_seen *seen = lks_disputes_look(op, m, i);
    if (!seen)
        return;
    uint64_t deadline = seen->view.deadline;
    if (lks_state_is_operators(d->now.state)) {
        if (op->head.time > deadline)
            lks_moves_timeout(op, m, d);
        return;
    }
    if (lks_chain_time(op) > deadline)
        return;
    if (lks_match_held(m, d->id, &d->now)) {
        lks_prove_step(op, m, d, deadline);
        return;
    }
    lks_task task = {
        .kind = LKS_TASK_CHALLENGER, .deadline = deadline, .due = deadline, .count = 1};
    lks_match_key(task.key, LKS_VERB_MOVE, d->id, 32, &d->now);
    memcpy(task.dispute_id, d->id, 32);
    lks_lanes_propose(op, m, &task, &d->now, 0);
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

void lks_attack_give_up(lks_operator *op, lks_match *m, lks_task_kind kind)
{
    char name[LKS_SHORT_ID_SIZE];
    uint64_t now = lks_chain_time(op), end = m->claim.window_end;
    lks_claim claim;
    lks_short_id(name, m->claim.claim_id);
    lks_log(op->host, LKS_WARN,
            "claim %s is not %s: its window ends in %llu s, too soon at the measured speed. A lower"
            " \"check_share\" or more cores would help",
            name, kind == LKS_TASK_CHECK ? "checked" : "compared with our trace",
            (unsigned long long)(end > now ? end - now : 0));
    if (kind == LKS_TASK_COMPARE) {
        m->compared = true;
        return;
    }
    if (lks_store_claim_get(op->store, m->claim.claim_id, &claim))
        return; /* gone */
    claim.check = m->claim.check = LKS_CHECK_SKIPPED;
    lks_disputes_put_claim(op, &claim);
}

static void propose_run(lks_operator *op, lks_match *m, lks_task_kind kind, lks_verb verb)
{
    const lks_run *run = lks_game_run(m->game);
    uint64_t end = m->claim.window_end;
    lks_task task = {.kind = kind, .deadline = end};
    if (!run || !lks_lane_is_idle(&op->lanes, LKS_LANE_CHECKS))
        return;
    uint64_t us = lks_estimate_run_us(op, m->served, kind, run->prompt_count + run->answer_count);
    if (!lks_lanes_have_time(op, end, us)) {
        lks_attack_give_up(op, m, kind);
        return;
    }
    task.due = end - us / 1000000;
    lks_match_key(task.key, verb, m->claim.claim_id, 32, NULL);
    if (!lks_gate_has_memory(op, m, kind)) {
        lks_act_pause(op, task.key, LKS_ACTION_MOVE);
        return;
    }
    lks_lanes_propose(op, m, &task, NULL, us);
}

void lks_attack_check(lks_operator *op, lks_match *m)
{
    propose_run(op, m, LKS_TASK_CHECK, LKS_VERB_CHECK);
}

/* Ends disputes of others whose side to move is late, when nobody else does. As long as one is live
 * no claim of its request is settled, so our stake beside it stays locked; and an operator that is
 * silent about a wrong claim is convicted by it. */
static void end_overdue(lks_operator *op, lks_match *m)
{
    size_t sent = 0;
    for (size_t i = 0; i < lks_game_dispute_count(m->game) && sent < OTHERS_AT_ONCE; i++) {
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        bool ours = memcmp(d->terms.challenger, lks_signer_address(op->signer), 20) == 0;
        if (ours || d->end != LKS_GAME_LIVE || op->head.time <= d->deadline + OTHERS_PATIENCE)
            continue;
        const lks_seen *seen = lks_disputes_look(op, m, i);
        if (seen && op->head.time > seen->view.deadline + OTHERS_PATIENCE)
            sent += lks_moves_timeout(op, m, d);
    }
}

/* A claim that is known to be wrong. Where a dispute would take more than max_bond_wei, and
 * somebody else's has opened the trace, a proof may do without a bond; it may come as long as a
 * dispute keeps the claim from being final. */
static void accuse(lks_operator *op, lks_match *m, const char *why)
{
    bool open = lks_game_shown(m->game)->open;
    bool in_time = lks_chain_time(op) <= m->claim.window_end;
    lks_task task;
    lks_dispute at;
    if (open && !lks_moves_can_bond(op, m)) {
        if ((in_time || lks_game_live_count(m->game)) && lks_prove_claim(op, m, &task, &at))
            lks_lanes_propose(op, m, &task, &at, 0);
    } else if (in_time) {
        lks_moves_challenge(op, m, why);
    }
}

void lks_attack_look(lks_operator *op, lks_match *m)
{
    size_t own = own_dispute(op, m);
    char why[96];
    bool in_time = lks_chain_time(op) <= m->claim.window_end;
    if (own < lks_game_dispute_count(m->game)) {
        play(op, m, own);
    } else if (m->claim.check == LKS_CHECK_WRONG) {
        snprintf(why, sizeof why, "token %u of its answer is wrong", m->claim.first_wrong);
        accuse(op, m, why);
    } else if (m->differs) {
        accuse(op, m, "the trace that its operator opened is wrong");
    } else if (in_time && m->claim.check == LKS_CHECK_DUE) {
        lks_attack_check(op, m);
    } else if (in_time && !m->compared && lks_game_shown(m->game)->open) {
        propose_run(op, m, LKS_TASK_COMPARE, LKS_VERB_COMPARE);
    }
    if (m->claim.co_seat || m->claim.check == LKS_CHECK_WRONG || m->differs)
        end_overdue(op, m);
}
