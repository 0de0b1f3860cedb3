#include "plugin/match.h"

#include "plugin/block_logs.h"

#include "chain/keccak.h"

#include <stdlib.h>
#include <string.h>

/* Blocks that are read again: the node may have had them without all of their logs. */
#define OVERLAP 4u
/* Games that are read in one query; nodes take some hundred topics. */
#define TOGETHER 128u

lks_match *lks_match_find(const lks_matches *all, const uint8_t claim_id32[32])
{
    for (size_t i = 0; i < all->count; i++)
        if (memcmp(all->items[i]->claim.claim_id, claim_id32, 32) == 0)
            return all->items[i];
    return NULL;
}

static void drop_held(lks_match *m)
{
    lks_move_free(&m->held.move);
    memset(&m->held, 0, sizeof m->held);
}

static void free_match(lks_match *m)
{
    drop_held(m);
    lks_trace_free(m->trace);
    lks_game_free(m->game);
    free(m->seen);
    free(m);
}

lks_err lks_match_add(lks_match **out, lks_matches *all, const lks_game_deployment *deployment,
                      const lks_claim *claim, const lks_job *job, const lks_served *served)
{
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? 2 * all->capacity : 8;
        lks_match **items = realloc(all->items, capacity * sizeof *items);
        if (!items)
            return lks_fail(LKS_NOMEM, "out of memory");
        all->items = items;
        all->capacity = capacity;
    }
    lks_match *m = calloc(1, sizeof *m);
    if (!m)
        return lks_fail(LKS_NOMEM, "out of memory");
    m->claim = *claim;
    m->served = served;
    m->from = job->requested.number;
    m->stake = job->request.stake;
    lks_err err = lks_game_new(&m->game, deployment, claim->name, claim->claim_id);
    if (!err)
        err = lks_game_set_model(m->game, &served->commitment);
    if (err) {
        free_match(m);
        return err;
    }
    all->items[all->count++] = m;
    *out = m;
    return LKS_OK;
}

void lks_match_remove(lks_matches *all, lks_match *match)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i] != match)
            continue;
        free_match(match);
        all->items[i] = all->items[--all->count];
        return;
    }
}

void lks_matches_free(lks_matches *all)
{
    for (size_t i = 0; i < all->count; i++)
        free_match(all->items[i]);
    free(all->items);
    memset(all, 0, sizeof *all);
}

/* Whether the block that the game stands at is still canonical: as far as is stored; else by the
 * node's word. */
static lks_err is_on_chain(lks_store *store, const lks_eth *node, const lks_block_ref *ref,
                           bool *on)
{
    lks_store_block stored;
    lks_eth_header header;
    *on = false;
    lks_err err = lks_store_block_below(store, ref->number, &stored);
    if (err && err != LKS_NOTFOUND)
        return err;
    if (!err && stored.ref.number == ref->number) {
        *on = memcmp(stored.ref.hash, ref->hash, 32) == 0;
        return LKS_OK;
    }
    err = lks_eth_header_by_number(node, ref->number, &header);
    *on = !err && memcmp(header.hash, ref->hash, 32) == 0;
    return err == LKS_NOTFOUND ? LKS_OK : err;
}

/* The game's first block: its request's, which a re-org may have moved. */
static lks_err find_first(lks_match *match, lks_store *store)
{
    lks_job job;
    lks_err err = lks_store_job_get(store, match->claim.request_id, &job);
    if (!err)
        match->from = job.requested.number;
    return err;
}

/* Reads logs, all of the branch that ends in head. */
static lks_err read_logs(const lks_matches_source *source, const lks_eth_filter *filter,
                         uint64_t from, const lks_block_ref *head, lks_eth_logs *logs)
{
    lks_err err = lks_eth_get_logs(source->node, filter, from, head->number, 0, logs);
    for (size_t i = 0; !err && i < logs->count; i++)
        if (!logs->items[i].removed)
            err = lks_log_check_branch(&logs->items[i], source->store, head);
    return err;
}

/* Gives the game those logs of a list that are about its claim or request; those that it has are
 * ignored by it. */
static lks_err take_logs(lks_match *m, const lks_eth_logs *logs, const lks_block_ref *head)
{
    lks_err err = LKS_OK;
    bool any = false;
    m->odd = false;
    free(m->seen);
    m->seen = NULL;
    m->synced.number = 0; /* until all of it has worked */
    for (size_t i = 0; !err && i < logs->count; i++) {
        const lks_eth_log *log = &logs->items[i];
        if (log->removed || (memcmp(log->topics[1], m->claim.claim_id, 32) &&
                             memcmp(log->topics[1], m->claim.request_id, 32)))
            continue;
        any = true;
        err = lks_game_add(m->game, log, 0);
    }
    if (!err && any)
        err = lks_game_update(m->game);
    if (!err && !lks_game_run(m->game))
        err = lks_fail(LKS_NOTFOUND, "the node does not give the logs of its request");
    if (!err) {
        m->seen = calloc(lks_game_dispute_count(m->game) + 1, sizeof *m->seen);
        if (!m->seen)
            err = lks_fail(LKS_NOMEM, "out of memory");
    }
    if (!err)
        m->synced = *head;
    return err;
}

/* From its request's block on: the game's logs, and the oracle's, which never change. */
static lks_err read_whole(lks_match *m, const lks_matches_source *source, const lks_block_ref *head)
{
    uint8_t addresses[2][20], ids[2][32];
    lks_eth_logs logs = {0};
    memcpy(addresses[0], source->deployment->game, 20);
    memcpy(addresses[1], source->deployment->oracle, 20);
    memcpy(ids[0], m->claim.claim_id, 32);
    memcpy(ids[1], m->claim.request_id, 32);
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])addresses,
                                   .address_count = 2,
                                   .topics1 = (const uint8_t(*)[32])ids,
                                   .topic1_count = 2};
    m->synced.number = 0;
    m->compared = m->differs = false;
    lks_game_clear(m->game);
    lks_err err = find_first(m, source->store);
    if (!err)
        err = read_logs(source, &filter, m->from, head, &logs);
    if (!err)
        err = take_logs(m, &logs, head);
    lks_eth_logs_free(&logs);
    return err;
}

static bool is_same(const lks_block_ref *a, const lks_block_ref *b)
{
    return a->number == b->number && memcmp(a->hash, b->hash, 32) == 0;
}

/* Brings the match, and others that stand at the same block, to the head by one query. */
static lks_err read_on(lks_matches *all, lks_match *match, const lks_matches_source *source,
                       const lks_block_ref *head)
{
    const lks_block_ref at = match->synced;
    uint8_t ids[TOGETHER][32];
    lks_match *group[TOGETHER] = {match};
    size_t count = 1;
    lks_eth_logs logs = {0};
    for (size_t i = 0; i < all->count && count < TOGETHER; i++)
        if (all->items[i] != match && is_same(&all->items[i]->synced, &at))
            group[count++] = all->items[i];
    for (size_t i = 0; i < count; i++)
        memcpy(ids[i], group[i]->claim.claim_id, 32);
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])source->deployment->game,
                                   .address_count = 1,
                                   .topics1 = (const uint8_t(*)[32])ids,
                                   .topic1_count = count};
    lks_err err =
        read_logs(source, &filter, at.number > OVERLAP ? at.number - OVERLAP : 1, head, &logs);
    if (!err)
        err = take_logs(match, &logs, head);
    for (size_t i = 1; !err && i < count; i++)
        if (take_logs(group[i], &logs, head))
            group[i]->synced.number = 0; /* it is read whole when its turn comes */
    lks_eth_logs_free(&logs);
    return err;
}

lks_err lks_match_sync(lks_matches *all, lks_match *match, const lks_matches_source *source,
                       const lks_block_ref *head)
{
    bool on = false;
    if (is_same(&match->synced, head))
        return LKS_OK;
    lks_err err = LKS_OK;
    if (match->synced.number && match->synced.number < head->number)
        err = is_on_chain(source->store, source->node, &match->synced, &on);
    if (err)
        return err;
    return on ? read_on(all, match, source, head) : read_whole(match, source, head);
}

void lks_match_hold(lks_match *match, const uint8_t subject32[32], const lks_dispute *at,
                    lks_move *move)
{
    drop_held(match);
    match->held.any = true;
    memcpy(match->held.subject, subject32, 32);
    match->held.at = *at;
    match->held.move = *move;
    memset(move, 0, sizeof *move);
}

const lks_move *lks_match_held(const lks_match *match, const uint8_t subject32[32],
                               const lks_dispute *at)
{
    const lks_held *h = &match->held;
    bool fits =
        h->any && memcmp(h->subject, subject32, 32) == 0 && lks_match_same_place(&h->at, at);
    return fits ? &h->move : NULL;
}

bool lks_match_same_place(const lks_dispute *a, const lks_dispute *b)
{
    return a->state == b->state && a->op == b->op && a->height == b->height &&
           a->index == b->index && a->element == b->element;
}

void lks_match_key(uint8_t key32[32], lks_verb verb, const void *subject, size_t len,
                   const lks_dispute *at)
{
    lks_keccak hash;
    uint8_t place[24] = {(uint8_t)verb};
    if (at) {
        uint32_t words[4] = {at->op, at->height, (uint32_t)at->index, at->element};
        place[1] = (uint8_t)at->state;
        memcpy(place + 4, words, sizeof words);
    }
    lks_keccak_init(&hash);
    lks_keccak_update(&hash, place, sizeof place);
    lks_keccak_update(&hash, subject, len);
    lks_keccak_final(&hash, key32);
}

bool lks_state_is_operators(lks_dispute_state state)
{
    return state == LKS_DISPUTE_ROOT || state == LKS_DISPUTE_NODE || state == LKS_DISPUTE_LEAF ||
           state == LKS_DISPUTE_PARTIALS;
}

bool lks_state_asks_rows(lks_dispute_state state)
{
    return state == LKS_DISPUTE_LEAF || state == LKS_DISPUTE_PARTIALS;
}

const char *lks_state_name(lks_dispute_state state)
{
    static const char *const names[] = {"none", "root",     "pick",         "node",  "leaf",
                                        "step", "partials", "partial step", "closed"};
    return (unsigned)state < sizeof names / sizeof *names ? names[state] : "?";
}
