#include "plugin/operator.h"

#include "plugin/alarms.h"
#include "plugin/log.h"
#include "plugin/obligations.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS 1000u
#define PAUSE_MS 5000u
#define RETRY_MS 2000u
/* A failure to catch up is told again after that long. */
#define COMPLAINT_MS 30000u
/* The host may be silent that long, and for so many blocks' time. */
#define IDLE_MS 60000u
#define IDLE_BLOCKS 5u
/* Blocks over which the time between blocks is measured at the start. */
#define INTERVAL_BLOCKS 10u

uint64_t lks_chain_time(const lks_operator *op)
{
    return op->head.time + (lks_now_ms() - op->head_ms) / 1000;
}

lks_err lks_operator_open(lks_operator *op, const lockstep_host *host, const lks_config *config,
                          const lks_models *models, lks_inbox *inbox, lks_node *rpc,
                          const lks_signer *signer)
{
    memset(op, 0, sizeof *op);
    op->host = host;
    op->config = config;
    op->models = models;
    op->inbox = inbox;
    op->rpc = rpc;
    op->signer = signer;
    op->pause_ms = PAUSE_MS;
    op->idle_ms = IDLE_MS;
    lks_resources_open(&op->resources, host, config);
    lks_store_identity who = {.chain_id = config->chain_id};
    memcpy(who.oracle, config->oracle, 20);
    memcpy(who.account, lks_signer_address(signer), 20);
    memcpy(who.operator_address, config->is_agent ? config->operator_address : who.account, 20);
    lks_err err = lks_store_open(&op->store, config->database, &who);
    if (!err) {
        lks_eth node = lks_node_eth(rpc);
        op->feed = (lks_feed){.events = {op->store, models, host, who},
                              .node = node,
                              .start_block = config->start_block};
        op->sender = (lks_sender){.node = node,
                                  .store = op->store,
                                  .signer = op->signer,
                                  .host = host,
                                  .chain_id = config->chain_id,
                                  .ceilings = {config->max_fee, config->max_priority_fee}};
        err = lks_feed_open(&op->feed);
    }
    if (!err) {
        lks_estimate_load(op);
        atomic_store(&op->finished, op->feed.head.ref.number);
        err = lks_planner_new(&op->planner);
    }
    if (!err) {
        err =
            lks_worker_new(&op->worker, models, config->threads, config->nice, op->planner, inbox);
    }
    if (!err && lks_config_has_game(config)) {
        op->deployment.chain_id = config->chain_id;
        memcpy(op->deployment.oracle, config->oracle, 20);
        memcpy(op->deployment.game, config->game, 20);
        memcpy(op->deployment.registry, config->registry, 20);
        err = lks_store_secret(op->store, op->secret);
        if (!err)
            err = lks_lanes_open(op);
    }
    if (!err)
        err = lks_obligations_check_models(op);
    if (err)
        lks_operator_close(op);
    return err;
}

void lks_operator_use_moves(lks_operator *op, const lks_signer *signer)
{
    op->moves = op->sender;
    op->moves.signer = signer;
    op->moves.has_fallback = true;
    op->moves_allowed = false;
}

void lks_operator_close(lks_operator *op)
{
    lks_worker_free(op->worker);
    lks_lanes_close(&op->lanes);
    lks_planner_free(op->planner);
    lks_matches_free(&op->matches);
    lks_state_check_free(&op->state_check);
    lks_pauses_free(&op->pauses);
    lks_resources_close(&op->resources);
    lks_feed_close(&op->feed);
    lks_store_close(op->store);
    lks_wipe(op->secret, sizeof op->secret);
    op->worker = NULL;
    op->planner = NULL;
    op->store = NULL;
}

/* Tells of a failure that will be tried again. Nothing is said of one that comes from stopping. */
static void complain(lks_operator *op, const char *what)
{
    if (!lks_inbox_stopped(op->inbox))
        lks_log(op->host, LKS_WARN, "%s: %s; trying again", what, lks_error_message());
}

/* The head may be new: keeps what is derived from it. */
static void note_head(lks_operator *op)
{
    const lks_feed *f = &op->feed;
    bool ahead = f->behind && f->newest.ref.number > f->head.ref.number;
    const lks_store_block *head = ahead ? &f->newest : &f->head;
    atomic_store(&op->finished, f->head.ref.number);
    if (head->ref.number == op->head.ref.number &&
        memcmp(head->ref.hash, op->head.ref.hash, 32) == 0)
        return;
    op->head = *head;
    op->head_ms = op->heard_ms = lks_now_ms();
    op->next_tick_ms = 0;
}

/* Looks at the head's age by this machine's clock, which may be wrong itself: what was accepted,
 * claimed or disputed goes on in any case. A head in the future is of a chain whose clock is
 * ahead. */
static void note_age(lks_operator *op)
{
    uint64_t now = lks_wall_seconds(), most = op->config->max_head_age;
    op->stale = most && now > op->head.time && now - op->head.time > most;
    if (!op->stale && lks_reminder_end(&op->aged))
        lks_log(op->host, LKS_INFO, "the newest block, %llu, is recent again",
                (unsigned long long)op->head.ref.number);
    if (op->stale && lks_reminder_due(&op->aged, LKS_FEED_REMIND_MS))
        lks_log(op->host, LKS_WARN,
                "the newest block, %llu, is %llu s old, above max_head_age_seconds: no request is "
                "accepted until the node has a newer one, or this machine's clock is right",
                (unsigned long long)op->head.ref.number, (unsigned long long)(now - op->head.time));
}

/* Measures the time between blocks, once. A node that does not have them yet is asked again at the
 * next head; until then it is taken to be long. */
static void measure_interval(lks_operator *op)
{
    lks_eth_header then;
    uint64_t head = op->head.ref.number;
    if (op->interval_known || head == op->interval_head)
        return;
    op->interval_head = head;
    op->interval_ms = 12000;
    op->interval_known = head <= INTERVAL_BLOCKS;
    if (op->interval_known) {
        op->interval_ms = 2000;
        return;
    }
    if (lks_eth_header_by_number(&op->feed.node, head - INTERVAL_BLOCKS, &then) ||
        op->head.time <= then.timestamp)
        return;
    op->interval_known = true;
    op->interval_ms = (op->head.time - then.timestamp) * 1000 / INTERVAL_BLOCKS;
    if (op->interval_ms < 1000)
        op->interval_ms = 1000;
    if (op->interval_ms > 60000)
        op->interval_ms = 60000;
}

/* Fills the gap, as far as it gets. */
static void sync(lks_operator *op)
{
    uint64_t now = lks_now_ms();
    if (now < op->next_sync_ms)
        return;
    if (lks_feed_sync(&op->feed)) {
        op->next_sync_ms = now + RETRY_MS;
        if (lks_reminder_due(&op->unsynced, COMPLAINT_MS))
            complain(op, "catching up with the chain");
    } else if (!op->feed.behind) {
        lks_reminder_end(&op->unsynced);
    }
    note_head(op);
}

/* When the host has given nothing for long, the chain stands still, or the host or its node does:
 * asks the node. */
static void listen(lks_operator *op)
{
    uint64_t now = lks_now_ms(), patience = IDLE_BLOCKS * op->interval_ms;
    uint64_t before = op->head.ref.number, silence = now - op->heard_ms;
    if (patience < op->idle_ms)
        patience = op->idle_ms;
    if (op->feed.behind || before == 0 || silence < patience)
        return;
    op->heard_ms = now;
    op->feed.behind = true;
    op->next_sync_ms = 0;
    sync(op);
    if (op->head.ref.number > before) {
        if (lks_reminder_due(&op->unheard, LKS_FEED_REMIND_MS))
            lks_log(
                op->host, LKS_WARN,
                "the host gave no block for %llu s, but its node has block %llu: the node is asked "
                "instead",
                (unsigned long long)silence / 1000, (unsigned long long)op->head.ref.number);
    } else if (!op->feed.behind && lks_reminder_due(&op->stalled, LKS_FEED_REMIND_MS)) {
        lks_log(op->host, LKS_WARN,
                "no new block for %llu s: the newest is %llu. Is the node connected to others?",
                (unsigned long long)(now - op->head_ms) / 1000, (unsigned long long)before);
    }
}

/* Makes sure of chain and contracts, before anything is done and after the node was away. */
static void check(lks_operator *op)
{
    uint64_t now = lks_now_ms();
    if (now < op->next_check_ms)
        return;
    op->next_check_ms = now + RETRY_MS;
    lks_err err = lks_preflight_chain(op);
    if (!err)
        err = lks_preflight_contracts(op);
    if (err) {
        complain(op, "checking chain and contracts");
        return;
    }
    op->checked = true;
}

/* Does whatever is due at this head or time. Moves in disputes need no old logs, so they do not
 * wait for the feed. */
static void tick(lks_operator *op)
{
    op->next_tick_ms = lks_now_ms() + TICK_MS;
    note_age(op);
    lks_disputes_tick(op); /* first: a move in a dispute that comes too late costs a bond */
    op->state_check.gap = op->state_check.gap || op->feed.behind;
    if (lks_state_check_look(op))
        op->next_tick_ms = 0;
    lks_act_tend(op);
    if (op->feed.behind)
        return;
    lks_feed_review(&op->feed);
    lks_act_tick(op);
    lks_money_collect(op);
    lks_obligations_tell(op);
}

bool lks_operator_turn(lks_operator *op, uint32_t wait_ms)
{
    lks_inbox_item *item = NULL;
    bool hurry = op->checked && op->feed.behind && lks_now_ms() >= op->next_sync_ms;
    if (!lks_inbox_take(op->inbox, hurry ? 0 : wait_ms, &item))
        return false;
    bool idle = item == NULL;
    if (item && op->checked) {
        op->heard_ms = lks_now_ms();
        if (lks_feed_take(&op->feed, item))
            complain(op, "taking a block");
        note_head(op);
    }
    free(item);
    if (!op->checked)
        check(op);
    lks_alarms_behind(op);
    lks_alarms_store(op);
    if (!op->checked)
        return true;
    listen(op);
    if (op->feed.behind)
        sync(op);
    measure_interval(op);
    if (lks_answers_take(op) || lks_disputes_results(op))
        op->next_tick_ms = 0;
    bool due = op->head.ref.number && lks_now_ms() >= op->next_tick_ms;
    if (due && (idle || lks_inbox_empty(op->inbox)))
        tick(op);
    return true;
}

void lks_operator_run(lks_operator *op)
{
    while (lks_operator_turn(op, TICK_MS / 2)) {
    }
}
