#include "tests/plugin/puppet.h"

#include "plugin/match.h"
#include "tests/plugin/sim_game.h"

#include <string.h>

static lks_game_deployment deployment_of(const sim *chain)
{
    lks_game_deployment d = {.chain_id = SIM_CHAIN_ID};
    memcpy(d.oracle, chain->oracle, 20);
    memcpy(d.game, chain->game, 20);
    memcpy(d.registry, chain->registry, 20);
    return d;
}

static void feed(puppet *p, const lks_eth *node, const lks_eth_filter *filter)
{
    lks_eth_logs logs = {0};
    DO(lks_eth_get_logs(node, filter, 1, p->chain->block_count - 1, 0, &logs));
    for (size_t i = 0; i < logs.count; i++)
        DO(lks_game_add(p->game, &logs.items[i], 0));
    lks_eth_logs_free(&logs);
}

/* Reads the claim's game anew. */
static void read_game(puppet *p)
{
    const lks_game_deployment d = deployment_of(p->chain);
    const sim_request *q = &p->chain->requests[p->request];
    lks_eth node = {sim_call, p->chain, NULL};
    lks_game_filter f;
    lks_game_free(p->game);
    p->game = NULL;
    DO(lks_game_new(&p->game, &d, q->seats[p->seat].name, q->seats[p->seat].claim_id));
    DO(lks_game_set_model(p->game, &p->served->commitment));
    lks_game_filter_request(&f, &d, q->id);
    feed(p, &node, &f.filter);
    lks_game_filter_claim(&f, &d, q->seats[p->seat].claim_id);
    feed(p, &node, &f.filter);
    DO(lks_game_update(p->game));
}

bool puppet_look(puppet *p)
{
    const sim *chain = p->chain;
    if (!sim_stands(&chain->requests[p->request], p->seat))
        return false;
    /* Nothing has changed since the newest block with a log. */
    const uint8_t *newest = chain->blocks[chain->logs[chain->log_count - 1].block].hash;
    if (memcmp(p->read_at, newest, 32)) {
        read_game(p);
        memcpy(p->read_at, newest, 32);
    }
    if (p->trace)
        return true;
    lks_run run = *lks_game_run(p->game);
    run.answer = p->tokens;
    DO(lks_trace_make(&p->trace, p->served->model, &run,
                      &(lks_trace_options){.threads = 1, .spill = p->spill}));
    return true;
}

static void send(const puppet *p, lks_game_calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        sim_put_call(p->chain, p->address, p->chain->game, &calls->items[i].data);
    lks_game_calls_free(calls);
}

static void play(puppet *p, const lks_game_dispute *d)
{
    static const uint8_t no_salt[32]; /* it never committed */
    lks_move move = {0};
    lks_game_calls calls = {0};
    const lks_shown *shown = lks_game_shown(p->game);
    lks_err err;
    if (p->defends)
        err = lks_player_operator(&move, p->trace, shown, &d->now);
    else
        err = lks_player_challenger(&move, p->trace, p->served->trees, shown, &d->now);
    if (!err && move.kind != LKS_MOVE_NONE) {
        DO(lks_game_call(&calls, p->game, d, &move, p->served->model, no_salt));
        send(p, &calls);
    }
    lks_move_free(&move);
}

void puppet_move(puppet *p)
{
    if (p->silent || !puppet_look(p))
        return;
    for (size_t i = 0; i < lks_game_dispute_count(p->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(p->game, i);
        if (d->end == LKS_GAME_LIVE &&
            (p->defends || memcmp(d->terms.challenger, p->address, 20) == 0))
            play(p, d);
    }
}

void puppet_challenge(puppet *p)
{
    static const uint8_t salt[32] = {1};
    uint8_t id[32];
    lks_game_calls calls = {0};
    lks_u256 bond = lks_u256_from_u64(SIM_MIN_BOND);
    assert_true(puppet_look(p));
    DO(lks_game_call_challenge(&calls, id, p->game, p->address, salt, &bond));
    send(p, &calls);
}

void puppet_timeout(puppet *p)
{
    if (!puppet_look(p))
        return;
    for (size_t i = 0; i < lks_game_dispute_count(p->game); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(p->game, i);
        lks_game_calls calls = {0};
        bool theirs = lks_state_is_operators(d->now.state) != p->defends;
        if (d->end != LKS_GAME_LIVE || !theirs)
            continue;
        DO(lks_game_call_timeout(&calls, d));
        send(p, &calls);
    }
}

void puppet_free(puppet *p)
{
    lks_trace_free(p->trace);
    lks_game_free(p->game);
    p->trace = NULL;
    p->game = NULL;
}
