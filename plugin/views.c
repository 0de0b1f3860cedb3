/* Views of contracts at the newest block. Disputes are asked about many at a time: a thousand of
 * them must not take a thousand calls for each block. */
#include "plugin/operator.h"

#include "chain/eth_each.h"
#include "plugin/log.h"

#include <string.h>

lks_err lks_moves_call_view(lks_operator *op, const uint8_t to20[20], lks_err encoded,
                            lks_buf *call, lks_buf *result)
{
    lks_err err = encoded;
    if (!err) {
        lks_eth_message message = {
            .to20 = to20, .data = call->data, .data_len = call->len, .errors = lks_contract_errors};
        err = lks_eth_call(&op->feed.node, &message, LKS_ETH_LATEST, result, NULL);
    }
    lks_buf_free(call);
    return err;
}

/* A dispute of a match. */
typedef struct place {
    lks_match *match;
    size_t i;
} place;

typedef struct places {
    place items[LKS_ETH_EACH_MOST];
    size_t count;
} places;

/* Whether the dispute will be looked at while the head stays: all about our claims, and our own. */
static bool is_looked_at(const lks_operator *op, const lks_match *m, size_t i)
{
    const lks_game_dispute *d = lks_game_dispute_at(m->game, i);
    if (d->end != LKS_GAME_LIVE || m->seen[i].asked)
        return false;
    return memcmp(m->claim.operator_address, op->feed.events.who.operator_address, 20) == 0 ||
           memcmp(d->terms.challenger, lks_signer_address(op->signer), 20) == 0;
}

/* Out: the dispute itself, and others that have to be asked about, as many as fit. */
static void gather(places *out, lks_operator *op, lks_match *match, size_t i)
{
    out->items[0] = (place){match, i};
    out->count = 1;
    for (size_t k = 0; k < op->matches.count; k++) {
        lks_match *m = op->matches.items[k];
        bool at_head = m->seen && m->synced.number == op->head.ref.number &&
                       memcmp(m->synced.hash, op->head.ref.hash, 32) == 0;
        size_t disputes = at_head ? lks_game_dispute_count(m->game) : 0;
        for (size_t j = 0; j < disputes && out->count < LKS_ETH_EACH_MOST; j++)
            if ((m != match || j != i) && is_looked_at(op, m, j))
                out->items[out->count++] = (place){m, j};
    }
}

/* Takes what the contract returned of a dispute. */
static lks_err take(const place *p, const uint8_t *data, size_t len)
{
    lks_seen *seen = &p->match->seen[p->i];
    lks_err err = lks_return_dispute(&seen->view, data, len);
    seen->asked = err == LKS_OK;
    seen->same = !err && lks_game_fits_view(&seen->view, lks_game_dispute_at(p->match->game, p->i));
    return err;
}

static lks_err ask_all(lks_operator *op, const places *all)
{
    uint8_t ids[LKS_ETH_EACH_MOST][32];
    lks_buf results = {0};
    for (size_t k = 0; k < all->count; k++)
        memcpy(ids[k], lks_game_dispute_at(all->items[k].match->game, all->items[k].i)->id, 32);
    const lks_eth_each each = {.to20 = op->config->game,
                               .signature = LKS_DISPUTE_OF,
                               .returned = LKS_DISPUTE_VIEW_SIZE,
                               .arguments = (const uint8_t(*)[32])ids,
                               .count = all->count};
    lks_err err = lks_eth_call_each(&op->feed.node, &each, LKS_ETH_LATEST, &results);
    for (size_t k = 0; !err && k < all->count; k++)
        err = take(&all->items[k], results.data + k * each.returned, each.returned);
    lks_buf_free(&results);
    return err;
}

static lks_err ask_one(lks_operator *op, const place *p)
{
    lks_buf call = {0}, result = {0};
    lks_err encoded = lks_call_dispute_of(&call, lks_game_dispute_at(p->match->game, p->i)->id);
    lks_err err = lks_moves_call_view(op, op->config->game, encoded, &call, &result);
    if (!err)
        err = take(p, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

/* Asks about many disputes at once. Returns also: LKS_REMOTE: they are to be asked about one by
 * one, until the next head. */
static lks_err ask_together(lks_operator *op, const places *all)
{
    uint64_t head = op->head.ref.number;
    if (all->count == 1 || op->one_by_one_head == head)
        return LKS_REMOTE;
    lks_err err = ask_all(op, all);
    if (!err)
        lks_reminder_end(&op->one_by_one);
    if (!err || err == LKS_IO || err == LKS_TIMEOUT || err == LKS_BUSY)
        return err;
    op->one_by_one_head = head;
    if (lks_reminder_due(&op->one_by_one, LKS_FEED_REMIND_MS))
        lks_log(op->host, LKS_WARN, "%s: asking one by one", lks_error_message());
    return LKS_REMOTE;
}

const lks_seen *lks_moves_view(lks_operator *op, lks_match *match, size_t i)
{
    places all;
    if (match->seen[i].asked)
        return &match->seen[i];
    gather(&all, op, match, i);
    lks_err err = ask_together(op, &all);
    if (err == LKS_REMOTE)
        err = ask_one(op, &all.items[0]);
    return err ? NULL : &match->seen[i];
}
