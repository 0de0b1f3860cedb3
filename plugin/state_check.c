#include "plugin/state_check_internal.h"

#include "plugin/log.h"
#include "plugin/obligations.h"

#include <stdlib.h>
#include <string.h>

/* Blocks after which everything is compared again. */
#define EVERY_BLOCKS 8u
/* Heads that must show a difference: one may be between a block and its logs. */
#define LEAST_HEADS 2u
/* A difference is an error when it lasts that long, and again after as long. */
#define LASTS_MS 60000u

void lks_state_check_free(lks_state_check *c)
{
    free(c->items);
    memset(c, 0, sizeof *c);
}

static lks_disagreement *find(lks_state_check *c, const uint8_t id[32])
{
    for (size_t i = 0; i < c->count; i++)
        if (memcmp(c->items[i].id, id, 32) == 0)
            return &c->items[i];
    return NULL;
}

/* Returns: NULL when there is no memory. */
static lks_disagreement *note(lks_state_check *c, const uint8_t id[32], uint64_t head)
{
    lks_disagreement *d = find(c, id);
    if (!d && c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 8;
        lks_disagreement *items = realloc(c->items, capacity * sizeof *items);
        if (!items)
            return NULL;
        c->items = items;
        c->capacity = capacity;
    }
    if (!d) {
        d = &c->items[c->count++];
        *d = (lks_disagreement){.since_ms = lks_now_ms()};
        memcpy(d->id, id, 32);
    }
    d->heads += d->head != head;
    d->head = head;
    return d;
}

static void forget(lks_state_check *c, lks_disagreement *d)
{
    *d = c->items[--c->count];
}

bool lks_state_check_has(const lks_operator *op, const uint8_t id32[32])
{
    const lks_state_check *c = &op->state_check;
    for (size_t i = 0; i < c->count; i++)
        if (memcmp(c->items[i].id, id32, 32) == 0)
            return true;
    return false;
}

static void tell(lks_operator *op, lks_disagreement *d, const lks_checked *what,
                 const char *difference)
{
    char name[LKS_SHORT_ID_SIZE];
    uint64_t lasted = lks_now_ms() - d->since_ms;
    bool first = d->read_ms == 0;
    lks_short_id(name, what->id);
    if (first)
        lks_log(op->host, LKS_WARN, "%s %s: %s; reading its events again", what->kind, name,
                difference);
    else if (lasted >= LASTS_MS && lks_reminder_due(&d->lasts, LASTS_MS))
        lks_log(
            op->host, LKS_ERROR,
            "%s %s: for %llu s now, %s: the node leaves out events. Use another node at once, or "
            "the stake may be lost",
            what->kind, name, (unsigned long long)lasted / 1000, difference);
}

bool lks_state_check_differs(lks_operator *op, const lks_checked *what, const char *difference)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_state_check *c = &op->state_check;
    lks_disagreement *d = find(c, what->id);
    lks_short_id(name, what->id);
    if (!difference) {
        if (d && d->read_ms)
            lks_log(op->host, LKS_INFO, "%s %s: contract and events agree again", what->kind, name);
        if (d)
            forget(c, d);
        return false;
    }
    d = note(c, what->id, op->head.ref.number);
    if (!d || d->heads < LEAST_HEADS || (d->read_ms && lks_now_ms() - d->read_ms < op->pause_ms))
        return false;
    tell(op, d, what, difference);
    d->read_ms = lks_now_ms();
    return true;
}

/* ---- the contract ---- */

lks_err lks_state_check_ask(lks_operator *op, const uint8_t to20[20], lks_err encoded,
                            lks_buf *call, lks_buf *result)
{
    char at[LKS_ETH_AT_HASH_SIZE];
    lks_err err = encoded;
    lks_eth_at_hash(at, op->head.ref.hash);
    if (!err) {
        lks_eth_message message = {
            .to20 = to20, .data = call->data, .data_len = call->len, .errors = lks_contract_errors};
        err = lks_eth_call(&op->feed.node, &message, at, result, NULL);
    }
    lks_buf_free(call);
    return err;
}

static lks_err ask(lks_operator *op, const lks_claim *claim, lks_disputed_claim *out)
{
    lks_buf call = {0}, result = {0};
    lks_err encoded = lks_call_claim_of(&call, claim->claim_id);
    lks_err err = lks_state_check_ask(op, op->config->game, encoded, &call, &result);
    if (!err)
        err = lks_return_claim(out, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

static bool is_at_head(const lks_operator *op, const lks_match *m)
{
    return m && m->synced.number == op->head.ref.number &&
           memcmp(m->synced.hash, op->head.ref.hash, 32) == 0;
}

/* Returns: what differs, in words; NULL when nothing does. */
static const char *compare(const lks_operator *op, const lks_claim *claim,
                           const lks_disputed_claim *seen)
{
    const lks_match *m = lks_match_find(&op->matches, claim->claim_id);
    bool disputed = claim->disputed.number != 0;
    if (seen->status == LKS_CLAIM_CONVICTED)
        return "it is convicted by the contract, and no event says so";
    if (seen->status == LKS_CLAIM_VOID)
        return "it is void by the contract, and no event says so";
    if (seen->status == LKS_CLAIM_DISPUTED && !disputed)
        return "it is disputed by the contract, and no event says so";
    if (seen->status == LKS_CLAIM_NONE && disputed)
        return "it is disputed by an event, and not by the contract";
    if (!is_at_head(op, m))
        return NULL;
    if (lks_game_live_count(m->game) != seen->live)
        return "contract and events differ in how many of its disputes are live";
    return m->odd ? "contract and events differ in where one of its disputes stands" : NULL;
}

/* ---- what comes of it ---- */

/* The claim's game is read from its request's block on. A dispute is believed
 * without an event. */
static void read_again(lks_operator *op, const lks_claim *claim, const lks_disputed_claim *seen)
{
    lks_match *m = lks_match_find(&op->matches, claim->claim_id);
    if (m)
        m->synced.number = 0;
    if (seen->status == LKS_CLAIM_NONE || claim->disputed.number)
        return;
    lks_claim known = *claim;
    known.disputed = op->head.ref;
    lks_disputes_put_claim(op, &known);
}

/* Whether we lose something by not knowing of a dispute. One about a claim beside ours keeps our
 * stake locked. */
static bool is_watched(const lks_operator *op, const lks_claim *claim)
{
    bool challenged = false;
    if (claim->ended.number)
        return false;
    if (claim->co_seat ||
        memcmp(claim->operator_address, op->feed.events.who.operator_address, 20) == 0)
        return true;
    return lks_obligations_challenged(op, claim, &challenged) == LKS_OK && challenged;
}

static lks_err check_claims(lks_operator *op, bool all, bool *again)
{
    lks_claims claims = {0};
    lks_err err = lks_store_claims_open(op->store, &claims);
    for (size_t i = 0; !err && i < claims.count; i++) {
        const lks_claim *claim = &claims.items[i];
        const lks_checked what = {"claim", claim->claim_id};
        const lks_match *m = lks_match_find(&op->matches, claim->claim_id);
        bool suspect = (m && m->odd) || lks_state_check_has(op, claim->claim_id);
        lks_disputed_claim seen;
        if (!is_watched(op, claim) || !(all || suspect))
            continue;
        err = ask(op, claim, &seen);
        if (err || !lks_state_check_differs(op, &what, compare(op, claim, &seen)))
            continue;
        read_again(op, claim, &seen);
        *again = true;
    }
    lks_claims_free(&claims);
    return err;
}

/* Forgets items not compared at this head: they have ended, or a re-org has removed them. */
static void forget_gone(lks_state_check *c, uint64_t head)
{
    for (size_t i = c->count; i-- > 0;)
        if (c->items[i].head != head)
            forget(c, &c->items[i]);
}

bool lks_state_check_look(lks_operator *op)
{
    lks_state_check *c = &op->state_check;
    uint64_t head = op->head.ref.number;
    bool all =
        c->gap || c->all_head == 0 || head < c->all_head || head >= c->all_head + EVERY_BLOCKS;
    bool again = false;
    lks_err err = LKS_OK;
    if (head == c->head)
        return false;
    if (lks_disputes_on(op))
        err = check_claims(op, all, &again);
    if (!err && !op->feed.behind)
        err = lks_state_check_jobs(op, all, &again);
    c->head = head;
    if (err && !lks_inbox_stopped(op->inbox) && lks_reminder_due(&c->failed, LASTS_MS))
        lks_log(op->host, LKS_WARN,
                "asking the contracts about claims and requests of ours: %s; "
                "trying again",
                lks_error_message());
    if (err)
        return again;
    lks_reminder_end(&c->failed);
    if (op->feed.behind)
        return again;
    forget_gone(c, head);
    if (all) {
        c->all_head = head;
        c->gap = false;
    }
    return again;
}
