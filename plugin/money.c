/* Withdraws what contracts owe our account. */
#include "plugin/operator.h"

#include "chain/address.h"
#include "plugin/log.h"

#include <string.h>

/* Gas of a withdrawal, and how many times its cost it must bring. */
#define WITHDRAW_GAS 60000u
#define WORTH 2u

/* Whether a credit is worth a transaction at today's fees. */
static lks_err is_worth_it(lks_operator *op, const lks_u256 *credit, bool *worth)
{
    lks_eth_fees fees;
    lks_u256 least;
    *worth = false;
    if (lks_u256_is_zero(credit))
        return LKS_OK;
    lks_err err = lks_eth_suggest_fees(&op->feed.node, &fees);
    if (err)
        return err;
    lks_u256_add(&least, &fees.base_fee, &fees.max_priority_fee);
    lks_u256_mul_u64(&least, &least, WITHDRAW_GAS * WORTH);
    *worth = lks_u256_cmp(credit, &least) > 0;
    return LKS_OK;
}

lks_err lks_money_withdraw(lks_operator *op, lks_sender *sender, lks_match *match,
                           const uint8_t contract20[20], bool *left)
{
    uint8_t key[32], subject[40];
    lks_buf call = {0}, result = {0};
    lks_u256 credit;
    char name[LKS_SHORT_ID_SIZE], text[LKS_ETHER_SIZE];
    const uint8_t *account = lks_signer_address(sender->signer);
    *left = true;
    memcpy(subject, contract20, 20);
    memcpy(subject + 20, account, 20);
    lks_match_key(key, LKS_VERB_WITHDRAW, subject, sizeof subject, NULL);
    if (lks_moves_busy(op, match, key))
        return LKS_OK;
    lks_err encoded = lks_call_credit(&call, account);
    lks_err err = lks_moves_call_view(op, contract20, encoded, &call, &result);
    if (!err)
        err = lks_return_u256(&credit, result.data, result.len);
    lks_buf_free(&result);
    if (!err)
        err = is_worth_it(op, &credit, left);
    if (err || !*left)
        return err;
    lks_game_tx tx = {.data = {0}};
    err = lks_call_withdraw(&tx.data, account);
    if (!err)
        err = lks_moves_send_by(op, sender, match, key, contract20, &tx, true, UINT64_MAX);
    lks_buf_free(&tx.data);
    if (err) {
        lks_moves_failed(op, match, key, "withdraw");
        return LKS_OK;
    }
    lks_short_id(name, match->claim.claim_id);
    lks_wei_format(text, &credit);
    lks_log(op->host, LKS_INFO, "claim %s: withdraw %s ether", name, text);
    return LKS_OK;
}
