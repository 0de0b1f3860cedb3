#include "plugin/alarms.h"

#include "plugin/log.h"

#include <string.h>

/* Milliseconds without the newest block after which an operator is told, and told again. */
#define BEHIND_MS 60000u
/* Chain seconds between two warnings about the turns of one claim. */
#define CLOCK_PAUSE 600u

void lks_alarms_behind(lks_operator *op)
{
    uint64_t now = lks_now_ms();
    lks_gap *gap = &op->gap;
    if (op->checked && !op->feed.behind) {
        memset(gap, 0, sizeof *gap);
        return;
    }
    if (gap->since_ms == 0) {
        gap->since_ms = gap->told_ms = now;
        return;
    }
    if (now - gap->told_ms < BEHIND_MS)
        return;
    gap->told_ms = now;
    lks_log(
        op->host, LKS_WARN,
        "for %llu s the newest block is not known, only block %llu: requests, claims and disputes"
        " after it are not seen, and clocks run on",
        (unsigned long long)(now - gap->since_ms) / 1000,
        (unsigned long long)op->feed.head.ref.number);
}

void lks_alarms_store(lks_operator *op)
{
    uint64_t now = lks_now_ms();
    if (!lks_store_is_unwritable(op->store)) {
        if (op->unwritable_told_ms)
            lks_log(op->host, LKS_INFO, "the database can be written again");
        op->unwritable_told_ms = 0;
        return;
    }
    if (op->unwritable_told_ms && now - op->unwritable_told_ms < BEHIND_MS)
        return;
    op->unwritable_told_ms = now;
    lks_log(
        op->host, LKS_ERROR,
        "the database %s cannot be written, so nothing is signed, claims and moves included, while"
        " their clocks run: free space on its disk, or repair it",
        op->config->database);
}

/* ---- claims ---- */

void lks_alarms_look(lks_operator *op, lks_match *m)
{
    bool ours = memcmp(m->claim.operator_address, op->feed.events.who.operator_address, 20) == 0;
    m->turns = (lks_turns){.told = m->turns.told, .window = m->turns.window, .lost = m->turns.lost};
    for (size_t i = 0; m->seen && i < lks_game_dispute_count(m->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        const lks_seen *seen = &m->seen[i];
        bool of_operator = lks_state_is_operators((lks_dispute_state)seen->view.state);
        bool mine = memcmp(d->terms.challenger, lks_signer_address(op->signer), 20) == 0;
        if (d->end != LKS_GAME_LIVE || !seen->asked || (ours ? !of_operator : of_operator || !mine))
            continue;
        if (m->turns.count++ == 0 || seen->view.deadline < m->turns.deadline)
            m->turns.deadline = seen->view.deadline;
    }
    lks_alarms_clock(op, m);
}

void lks_alarms_clock(lks_operator *op, lks_match *m)
{
    lks_turns *turns = &m->turns;
    uint64_t now = lks_chain_time(op);
    char name[LKS_SHORT_ID_SIZE];
    lks_short_id(name, m->claim.claim_id);
    if (turns->count == 0)
        return;
    if (now > m->claim.window_end && !turns->window) {
        turns->window = true;
        lks_log(op->host, LKS_WARN,
                "claim %s: its window is over, and %zu of its disputes wait for us", name,
                turns->count);
    }
    bool near = now + op->floor > turns->deadline;
    if (!near || (turns->told && now < turns->told + CLOCK_PAUSE))
        return;
    turns->told = now;
    lks_log(
        op->host, LKS_WARN,
        "claim %s: %zu of its disputes wait for us, and the first is lost in %llu s, less than the"
        " minimum of %u s for a move",
        name, turns->count, (unsigned long long)(turns->deadline > now ? turns->deadline - now : 0),
        op->floor);
}

void lks_alarms_lost(lks_operator *op, lks_match *m)
{
    char name[LKS_SHORT_ID_SIZE], bond[LKS_ETHER_SIZE];
    for (size_t i = 0; !m->turns.lost && i < lks_game_dispute_count(m->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
        if (d->end != LKS_GAME_LOST ||
            memcmp(d->terms.challenger, lks_signer_address(op->signer), 20))
            continue;
        m->turns.lost = true;
        lks_short_id(name, m->claim.claim_id);
        lks_wei_format(bond, &d->terms.bond);
        lks_log(op->host, LKS_ERROR,
                "claim %s: our dispute is lost, because our move did not come in time or there was "
                "none,"
                " which costs its bond of %s ether",
                name, bond);
    }
}

/* ---- requests ---- */

void lks_alarms_job(lks_operator *op, const lks_job *job, const lks_job_world *world)
{
    char name[LKS_SHORT_ID_SIZE];
    uint8_t running[32];
    if (!lks_job_is_tight(job, world))
        return;
    bool runs =
        lks_worker_busy_with(op->worker, running) && memcmp(running, job->request_id, 32) == 0;
    if (runs || !lks_act_pause(op, job->request_id, LKS_ACTION_DROP))
        return;
    lks_short_id(name, job->request_id);
    lks_log(op->host, LKS_WARN,
            "request %s: its answer takes %llu s, and its claim is due in %llu s: the deadline will"
            " probably be missed",
            name, (unsigned long long)world->answer_ms / 1000,
            (unsigned long long)(job->round.claim_deadline > world->now
                                     ? job->round.claim_deadline - world->now
                                     : 0));
}

/* ---- the database ---- */

void lks_alarms_damage(lks_operator *op, const lks_damage *damage, const char *what)
{
    uint8_t key[32] = {0};
    memcpy(key, what, strlen(what) < 32 ? strlen(what) : 32);
    if (damage->rows == 0 || !lks_act_pause(op, key, LKS_ACTION_DROP))
        return;
    lks_log(op->host, LKS_ERROR,
            "%zu %s cannot be resumed, all others are: %s; stop, and restore a backup of the "
            "database",
            damage->rows, what, damage->reason);
}
