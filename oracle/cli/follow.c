#include "oracle/cli/follow.h"

#include "chain/hex.h"
#include "oracle/cli/cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Blocks whose logs are read again at every update. */
#define OVERLAP 8u

lks_err lks_game_parameters_get(lks_game_parameters *out, lks_link *s)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_parameters(&call);
    err = lks_link_view(s, s->contracts.game, &call, err, &result);
    err = err == LKS_OK ? lks_return_game_parameters(out, result.data, result.len) : err;
    lks_buf_free(&result);
    return err;
}

static lks_err get_dispute(lks_dispute_view *out, lks_link *s, const uint8_t dispute_id32[32],
                           const char *block)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_dispute_of(&call, dispute_id32);
    err = lks_link_view_at(s, s->contracts.game, block, &call, err, &result);
    if (err == LKS_OK)
        err = lks_return_dispute(out, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

lks_err lks_dispute_get(lks_dispute_view *out, lks_link *s, const uint8_t dispute_id32[32])
{
    lks_err err = get_dispute(out, s, dispute_id32, LKS_ETH_LATEST);
    if (err == LKS_OK && out->state == LKS_DISPUTE_NONE)
        return lks_fail(LKS_NOTFOUND, "this deployment knows no such dispute");
    return err;
}

lks_err lks_dispute_get_at(lks_dispute_view *out, lks_link *s, const uint8_t dispute_id32[32],
                           const uint8_t block_hash32[32])
{
    char block[LKS_ETH_AT_HASH_SIZE];
    lks_eth_at_hash(block, block_hash32);
    return get_dispute(out, s, dispute_id32, block);
}

static lks_err get_claim(lks_disputed_claim *out, lks_link *s, const uint8_t claim_id32[32],
                         const char *block)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_claim_of(&call, claim_id32);
    err = lks_link_view_at(s, s->contracts.game, block, &call, err, &result);
    if (err == LKS_OK)
        err = lks_return_claim(out, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

lks_err lks_disputed_claim_get(lks_disputed_claim *out, lks_link *s, const uint8_t claim_id32[32])
{
    lks_err err = get_claim(out, s, claim_id32, LKS_ETH_LATEST);
    if (err == LKS_OK && out->status == LKS_CLAIM_NONE)
        return lks_fail(LKS_NOTFOUND, "the claim was never disputed");
    return err;
}

lks_err lks_prepayment_get(lks_u256 *wei, lks_link *s, lks_dispute_state asks, uint32_t position)
{
    lks_buf call = {0}, result = {0};
    lks_eth_fees fees;
    lks_u256 wide;
    uint64_t gas;
    lks_err err = lks_call_question_gas(&call, (uint8_t)asks, position);
    err = lks_link_view(s, s->contracts.game, &call, err, &result);
    err = err == LKS_OK ? lks_return_u256(&wide, result.data, result.len) : err;
    lks_buf_free(&result);
    if (err == LKS_OK && !lks_u256_to_u64(&gas, &wide)) {
        err = lks_fail(LKS_CORRUPT, "questionGas: more than 2^64 gas");
    }
    err = err == LKS_OK ? lks_eth_suggest_fees(&s->node, &fees) : err;
    if (err == LKS_OK) {
        lks_game_prepayment(wei, gas, &fees.base_fee);
    }
    return err;
}

/* The larger of what the contract asks now and what it asks once the base fee has doubled. */
lks_err lks_bond_get(lks_u256 *wei, lks_link *s, const lks_u256 *stake)
{
    lks_buf call = {0}, result = {0};
    lks_game_parameters p;
    lks_eth_header newest;
    lks_u256 fee, later;
    lks_err err = lks_call_bond_for(&call, stake);
    err = lks_link_view(s, s->contracts.game, &call, err, &result);
    err = err == LKS_OK ? lks_return_u256(wei, result.data, result.len) : err;
    lks_buf_free(&result);
    err = err == LKS_OK ? lks_game_parameters_get(&p, s) : err;
    err = err == LKS_OK ? lks_eth_header_at(&s->node, LKS_ETH_LATEST, &newest) : err;
    if (err == LKS_OK) {
        lks_u256_mul_u64(&fee, &newest.base_fee, 2);
        lks_game_bond(&later, &p.min_bond, stake, &fee);
        *wei = lks_u256_cmp(&later, wei) > 0 ? later : *wei;
    }
    return err;
}

lks_err lks_follow_open(lks_follow *f, lks_link *s, const uint8_t name32[32],
                        const uint8_t claim_id32[32], uint64_t first)
{
    *f = (lks_follow){.link = s, .first = first};
    memcpy(f->name, name32, sizeof f->name);
    memcpy(f->claim_id, claim_id32, sizeof f->claim_id);
    lks_err err = lks_game_parameters_get(&f->parameters, s);
    if (err != LKS_OK) {
        return err;
    }
    f->deployment =
        (lks_game_deployment){.chain_id = s->contracts.chain_id, .budget = f->parameters.budget};
    memcpy(f->deployment.oracle, s->contracts.oracle, 20);
    memcpy(f->deployment.game, s->contracts.game, 20);
    memcpy(f->deployment.registry, s->contracts.registry, 20);
    return lks_game_new(&f->game, &f->deployment, name32, claim_id32);
}

void lks_follow_close(lks_follow *f)
{
    lks_game_free(f->game);
    free(f->times);
    *f = (lks_follow){0};
}

/* Out: the time of a block; asked for once. */
static lks_err time_of(uint64_t *time, lks_follow *f, const uint8_t hash32[32])
{
    lks_eth_header h;
    for (size_t i = f->time_count; i > 0; i--) {
        if (memcmp(f->times[i - 1].hash, hash32, 32) == 0) {
            *time = f->times[i - 1].time;
            return LKS_OK;
        }
    }
    if (f->time_count == f->time_capacity) {
        size_t capacity = f->time_capacity == 0 ? 16 : 2 * f->time_capacity;
        struct lks_block_time *larger = realloc(f->times, capacity * sizeof larger[0]);
        if (larger == NULL)
            return lks_fail(LKS_NOMEM, "out of memory");
        f->times = larger;
        f->time_capacity = capacity;
    }
    lks_err err = lks_eth_header_by_hash(&f->link->node, hash32, &h);
    if (err != LKS_OK)
        return err;
    struct lks_block_time *new = &f->times[f->time_count++];
    memcpy(new->hash, hash32, 32);
    *time = new->time = h.timestamp;
    return LKS_OK;
}

/* Adds the logs of blocks from to to, each with the time of its block. */
static lks_err add_logs(lks_follow *f, const lks_game_filter *filter, uint64_t from, uint64_t to)
{
    lks_eth_logs logs = {0};
    lks_err err = lks_eth_get_logs(&f->link->node, &filter->filter, from, to, 0, &logs);
    for (size_t i = 0; i < logs.count && err == LKS_OK; i++) {
        uint64_t time;
        err = time_of(&time, f, logs.items[i].block_hash);
        if (err == LKS_OK)
            err = lks_game_add(f->game, &logs.items[i], time);
    }
    lks_eth_logs_free(&logs);
    return err;
}

/* Whether the newest block with a log in the game is still in the chain. */
static lks_err still_there(bool *there, const lks_follow *f)
{
    lks_eth_header now;
    lks_err err = lks_eth_header_by_number(&f->link->node, f->tail.number, &now);
    *there = err == LKS_OK && memcmp(now.hash, f->tail.hash, 32) == 0;
    return err;
}

static lks_err read_blocks(lks_follow *f, uint64_t from, uint64_t to)
{
    lks_game_filter filter;
    lks_game_filter_request(&filter, &f->deployment, f->name);
    lks_err err = add_logs(f, &filter, from, to);
    if (err == LKS_OK) {
        lks_game_filter_claim(&filter, &f->deployment, f->claim_id);
        err = add_logs(f, &filter, from, to);
    }
    return err == LKS_OK ? lks_game_update(f->game) : err;
}

/* All logs again. */
static lks_err read_anew(lks_follow *f, uint64_t to)
{
    lks_game_clear(f->game);
    return read_blocks(f, f->first, to);
}

/* How logs and state compare: what only differs in the number of live disputes can be a claim that
 * has ended elsewhere, and hinders no move. */
typedef enum likeness {
    SAME,
    OTHER_COUNT,
    OTHER
} likeness;

static likeness compare(const lks_game *g, const lks_disputed_claim *c)
{
    if (lks_game_status(g) != c->status || lks_game_run(g) == NULL)
        return OTHER;
    if (c->status != LKS_CLAIM_DISPUTED)
        return SAME;
    if (lks_game_shown(g)->open != (c->opened_at != 0))
        return OTHER;
    return lks_game_live_count(g) == c->live ? SAME : OTHER_COUNT;
}

static lks_err verify(lks_follow *f, const lks_eth_header *newest)
{
    char block[LKS_ETH_AT_HASH_SIZE];
    lks_disputed_claim claim;
    lks_eth_at_hash(block, newest->hash);
    lks_err err = get_claim(&claim, f->link, f->claim_id, block);
    if (err != LKS_OK || compare(f->game, &claim) == SAME)
        return err;
    err = read_anew(f, newest->number);
    if (err == LKS_OK && compare(f->game, &claim) == OTHER) {
        lks_link_leave(f->link, "contradicts itself about a claim");
        err = lks_fail(LKS_CORRUPT,
                       "the node's logs of a claim contradict the contract's state in "
                       "block %" PRIu64 ": it withholds some",
                       newest->number);
    }
    return err;
}

/* Whether a retry can help: the node failed, but did not contradict itself. */
static bool passes(lks_err err)
{
    return err == LKS_IO || err == LKS_TIMEOUT || err == LKS_BUSY || err == LKS_REMOTE;
}

lks_err lks_follow_update_to(lks_follow *f, const lks_eth_header *newest)
{
    bool there = true;
    lks_err err = LKS_OK;
    if (f->started && newest->number < f->tail.number)
        return LKS_OK;
    if (f->started && !f->doubted && memcmp(newest->hash, f->newest.hash, 32) == 0)
        return LKS_OK;
    if (f->started)
        err = still_there(&there, f);
    if (err != LKS_OK)
        return err;
    bool anew = !f->started || f->doubted || !there;
    f->tail = *newest;
    if (anew) {
        f->started = false;
        err = read_anew(f, newest->number);
    } else {
        /* Some blocks once more: a node that was behind may have kept logs back. */
        uint64_t from = f->newest.number + 1;
        err = read_blocks(f, from > f->first + OVERLAP ? from - OVERLAP : f->first, newest->number);
    }
    if (err == LKS_OK)
        err = verify(f, newest);
    f->doubted = false;
    f->started = err == LKS_OK || (!anew && passes(err));
    if (err == LKS_OK)
        f->newest = *newest;
    return err;
}

lks_err lks_follow_update(lks_follow *f)
{
    lks_eth_header newest;
    lks_err err = lks_eth_header_at(&f->link->node, LKS_ETH_LATEST, &newest);
    return err == LKS_OK ? lks_follow_update_to(f, &newest) : err;
}

void lks_follow_doubt(lks_follow *f)
{
    f->doubted = true;
}

lks_err lks_follow_model_of_chain(lks_follow *f, const uint8_t model_id32[32])
{
    lks_game_filter filter;
    lks_eth_logs logs = {0};
    lks_event e;
    uint64_t newest;
    lks_game_filter_model(&filter, &f->deployment, model_id32);
    lks_err err = lks_eth_block_number(&f->link->node, &newest);
    err = err == LKS_OK ? lks_eth_get_logs(&f->link->node, &filter.filter, f->link->contracts.block,
                                           newest, 0, &logs)
                        : err;
    if (err == LKS_OK && logs.count == 0) {
        err = lks_fail(LKS_CORRUPT,
                       "the node has no registration of the request's model from block %" PRIu64
                       " on",
                       f->link->contracts.block);
    }
    if (err == LKS_OK) {
        err = lks_event_decode(&e, logs.items[0].topics, logs.items[0].topic_count,
                               logs.items[0].data, logs.items[0].data_len);
        err = err == LKS_OK ? lks_game_set_model(f->game, &e.model) : err;
    }
    lks_eth_logs_free(&logs);
    return err;
}

int lks_dispute_parse_id(uint8_t id32[32], const char *command, const char *text)
{
    if (lks_hex_decode(id32, 32, text, strlen(text)) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: '%.80s' is not a dispute id; give 0x and 64 digits (lockstep "
                            "dispute list shows them)",
                            command, text);
    }
    return LKS_PARSED;
}
