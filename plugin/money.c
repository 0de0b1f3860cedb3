/* Withdraws what contracts owe our accounts. */
#include "plugin/operator.h"

#include "chain/address.h"
#include "plugin/log.h"

#include <string.h>

#define WITHDRAW_GAS 60000u
/* A withdrawal brings so many times what it costs, at least: of a claim that is over, and of fees,
 * which can wait. */
#define WORTH 2u
#define WORTH_OF_FEES 100u
/* Blocks after which credits are looked at again. */
#define COLLECT_BLOCKS 64u

/* One withdrawal of an account's whole credit. */
typedef struct withdrawal {
    lks_sender *sender;
    const uint8_t *contract;   /* 20 bytes: the oracle or the game */
    const uint8_t *request_id; /* 32 bytes: the job that the transaction is stored with */
    uint64_t worth;            /* times its cost */
    lks_u256 above;            /* wei: more than this */
    uint8_t key[32];
} withdrawal;

static void make_key(withdrawal *w)
{
    uint8_t subject[40];
    memcpy(subject, w->contract, 20);
    memcpy(subject + 20, lks_signer_address(w->sender->signer), 20);
    lks_match_key(w->key, LKS_VERB_WITHDRAW, subject, sizeof subject, NULL);
}

/* Whether a credit is worth a transaction at today's fees. */
static lks_err is_worth_it(lks_operator *op, const withdrawal *w, const lks_u256 *credit,
                           bool *worth)
{
    lks_eth_fees fees;
    lks_u256 least;
    *worth = false;
    if (lks_u256_cmp(credit, &w->above) <= 0)
        return LKS_OK;
    lks_err err = lks_eth_suggest_fees(&op->feed.node, &fees);
    if (err)
        return err;
    lks_u256_add(&least, &fees.base_fee, &fees.max_priority_fee);
    lks_u256_mul_u64(&least, &least, WITHDRAW_GAS * w->worth);
    *worth = lks_u256_cmp(credit, &least) > 0;
    return LKS_OK;
}

static lks_err read_credit(lks_operator *op, const withdrawal *w, lks_u256 *credit)
{
    lks_buf call = {0}, result = {0};
    lks_err encoded = lks_call_credit(&call, lks_signer_address(w->sender->signer));
    lks_err err = lks_moves_call_view(op, w->contract, encoded, &call, &result);
    if (!err)
        err = lks_return_u256(credit, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

static lks_err send(lks_operator *op, const withdrawal *w)
{
    lks_buf call = {0};
    const lks_sender_now now = {op->head.ref.number, lks_chain_time(op), op->feed.behind};
    lks_err err = lks_call_withdraw(&call, lks_signer_address(w->sender->signer));
    const lks_outgoing out = {.request_id = w->request_id,
                              .action = LKS_ACTION_MOVE,
                              .key = w->key,
                              .to = w->contract,
                              .data = call.data,
                              .len = call.len,
                              .deadline = UINT64_MAX};
    if (!err)
        err = lks_sender_send(w->sender, &out, &now);
    lks_buf_free(&call);
    return err;
}

/* Out: *left, whether there is something worth it, or may be. */
static lks_err withdraw(lks_operator *op, withdrawal *w, bool *left)
{
    lks_u256 credit;
    char text[LKS_ETHER_SIZE];
    bool live = false;
    make_key(w);
    *left = true;
    if (lks_act_is_paused(op, w->key, LKS_ACTION_MOVE))
        return LKS_OK;
    lks_err err = lks_store_key_is_live(op->store, w->key, &live);
    if (err || live)
        return err;
    err = read_credit(op, w, &credit);
    if (!err)
        err = is_worth_it(op, w, &credit, left);
    if (err || !*left)
        return err;
    lks_wei_format(text, &credit);
    err = send(op, w);
    if (!err) {
        lks_log(op->host, LKS_INFO, "withdraw %s ether of credit", text);
    } else if (!lks_inbox_stopped(op->inbox)) {
        bool first = lks_act_pause(op, w->key, LKS_ACTION_MOVE);
        lks_log(op->host, first ? LKS_WARN : LKS_DEBUG,
                "the withdrawal of %s ether of credit must wait: %s", text, lks_error_message());
    }
    return LKS_OK;
}

lks_err lks_money_withdraw(lks_operator *op, lks_sender *sender, lks_match *match,
                           const uint8_t contract20[20], bool *left)
{
    withdrawal w = {.sender = sender,
                    .contract = contract20,
                    .request_id = match->claim.request_id,
                    .worth = WORTH};
    return withdraw(op, &w, left);
}

/* Withdraws what an account has in a contract, if that is a sum that should not lie there. */
static lks_err collect(lks_operator *op, lks_sender *sender, const uint8_t contract20[20],
                       const uint8_t request_id32[32])
{
    const lks_config *config = op->config;
    withdrawal w = {.sender = sender,
                    .contract = contract20,
                    .request_id = request_id32,
                    .worth = config->withdraws_above ? WORTH : WORTH_OF_FEES,
                    .above = config->withdraw_above};
    bool left = false;
    return withdraw(op, &w, &left);
}

void lks_money_collect(lks_operator *op)
{
    uint8_t id[32];
    uint64_t head = op->head.ref.number, last = op->collected_head;
    bool due = head < last || head >= last + COLLECT_BLOCKS;
    if (!due || lks_store_final_job(op->store, id))
        return;
    op->collected_head = head;
    lks_err err = collect(op, &op->sender, op->config->oracle, id);
    if (!err && lks_config_has_game(op->config))
        err = collect(op, &op->sender, op->config->game, id);
    if (!err && op->moves.signer)
        err = collect(op, &op->moves, op->config->game, id);
    if (err && !lks_inbox_stopped(op->inbox))
        lks_log(op->host, LKS_DEBUG, "looking at credits: %s", lks_error_message());
}
