#include "plugin/sender_internal.h"

#include "chain/address.h"
#include "chain/contracts.h"
#include "chain/hex.h"
#include "chain/tx.h"
#include "plugin/events.h"
#include "plugin/log.h"

#include <string.h>

/* Blocks between two lines about missing funds. */
#define FUNDS_PAUSE 50u

bool lks_sender_is_broke(const lks_sender *s, const lks_sender_now *now)
{
    return s->funds_warned && now->head < s->funds_warned + FUNDS_PAUSE;
}

static void warn_funds(lks_sender *s, const lks_sender_now *now)
{
    char address[LKS_ADDRESS_SIZE];
    if (lks_sender_is_broke(s, now))
        return;
    s->funds_warned = now->head ? now->head : 1;
    lks_address_format(address, lks_signer_address(s->signer));
    lks_log(s->host, s->has_fallback ? LKS_WARN : LKS_ERROR,
            "the account %s cannot pay for its transactions: send it ether%s", address,
            s->has_fallback ? "; the other account makes the moves meanwhile" : "");
}

/* Whether no node will ever take that transaction: the words of several clients. */
static bool is_refused_for_good(const char *message)
{
    static const char *const words[] = {
        "oversized data",     "size exceeded", "txsizeexceeded",
        "rlp too long",       "rlptoolong",    "exceeds block gas limit",
        "gas limit too high", "intrinsic gas", "floor data gas"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(message, words[i]))
            return true;
    return false;
}

lks_taken lks_sender_broadcast(lks_sender *s, const lks_store_tx *tx, const uint8_t *raw,
                               size_t len, const lks_sender_now *now)
{
    uint8_t hash[32];
    char name[LKS_SHORT_ID_SIZE], hash_text[LKS_HEX_SIZE(32)];
    lks_short_id(name, tx->request_id);
    lks_err err = lks_eth_send_raw(&s->node, raw, len, hash);
    lks_hex_encode(hash_text, hash, 32);
    const char *message = err ? lks_error_message() : "";
    if (err == LKS_OK) {
        lks_log(s->host, LKS_DEBUG, "request %s: %s transaction %s sent, nonce %llu", name,
                lks_action_name(tx->action), hash_text, (unsigned long long)tx->nonce);
    } else if (strcasestr(message, "insufficient funds") ||
               strcasestr(message, "insufficientfunds")) {
        warn_funds(s, now);
        return LKS_UNPAID;
    } else if (is_refused_for_good(message)) {
        lks_log(s->host, LKS_ERROR, "request %s: no node will take the %s transaction: %s", name,
                lks_action_name(tx->action), message);
        return LKS_NEVER_TAKEN;
    } else {
        lks_log(s->host, LKS_DEBUG, "request %s: %s transaction %s not taken yet: %s", name,
                lks_action_name(tx->action), hash_text, message);
    }
    return LKS_TAKEN;
}

static lks_err next_nonce(lks_sender *s, uint64_t *nonce)
{
    uint64_t of_chain = 0, of_store = 0;
    lks_err err = lks_eth_nonce(&s->node, lks_signer_address(s->signer), LKS_ETH_LATEST, &of_chain);
    if (!err)
        err = lks_store_next_nonce(s->store, lks_signer_address(s->signer), &of_store);
    *nonce = of_store > of_chain ? of_store : of_chain;
    return err;
}

/* Simulates. Out: *gas: limit for the transaction. */
static lks_err measure(lks_sender *s, const lks_outgoing *out, uint64_t *gas)
{
    lks_eth_message message = {.from20 = lks_signer_address(s->signer),
                               .to20 = out->to,
                               .value = out->value,
                               .data = out->data,
                               .data_len = out->len,
                               .errors = lks_contract_errors};
    lks_err err = lks_eth_estimate_gas(&s->node, &message, gas);
    if (err)
        return err;
    if (*gas > LKS_MAX_TX_GAS)
        return lks_fail(LKS_REFUSED, "the transaction needs %llu gas; no block takes that",
                        (unsigned long long)*gas);
    /* A quarter more: what the contract does may differ a little in the block that includes it. */
    *gas += *gas / 4 + 10000;
    if (*gas > LKS_MAX_TX_GAS)
        *gas = LKS_MAX_TX_GAS;
    return LKS_OK;
}

static lks_err check_room(lks_sender *s, lks_action action)
{
    lks_store_txs live = {0};
    size_t most = LKS_SENDER_MAX_LIVE + (action == LKS_ACTION_MOVE ? LKS_SENDER_MAX_MOVES : 0);
    lks_err err = lks_store_txs_live(s->store, lks_signer_address(s->signer), &live);
    if (!err && live.count >= most)
        err = lks_fail(LKS_TIMEOUT, "%zu transactions are pending already", live.count);
    lks_store_txs_free(&live);
    return err;
}

/* Counts a failure of a job's action. */
static lks_err count_failure(lks_sender *s, const lks_store_tx *tx)
{
    lks_job job;
    char name[LKS_SHORT_ID_SIZE];
    lks_err err = lks_store_job_get(s->store, tx->request_id, &job);
    if (err)
        return err;
    uint8_t *failures = &job.round.failures[tx->action];
    if (*failures < UINT8_MAX)
        ++*failures;
    err = lks_store_job_put(s->store, &job);
    if (err || job.state != LKS_JOB_REFUSED)
        return err;
    lks_short_id(name, tx->request_id);
    lks_log(s->host, tx->action == LKS_ACTION_ACCEPT ? LKS_WARN : LKS_ERROR,
            "request %s: the %s transaction failed %u times and is given up", name,
            lks_action_name(tx->action), *failures);
    return LKS_OK;
}

lks_err lks_sender_end(lks_sender *s, lks_store_tx *tx, lks_tx_state state, bool failed)
{
    tx->state = state;
    lks_err err = lks_store_begin(s->store);
    if (err)
        return err;
    err = lks_store_tx_put(s->store, tx);
    /* A move is decided anew from what the chain says. */
    if (!err && failed && tx->action != LKS_ACTION_MOVE)
        err = count_failure(s, tx);
    if (!err)
        return lks_store_commit(s->store);
    lks_store_rollback(s->store);
    return err;
}

/* Signs, stores and sends. One that the node refuses for good, or that another account can pay for,
 * is not kept: its nonce, the highest, is the next one's. */
static lks_err put_out(lks_sender *s, const lks_tx *t, lks_store_tx *tx, const lks_sender_now *now)
{
    uint8_t hash[32];
    lks_buf raw = {0};
    lks_err err = lks_tx_sign(&raw, hash, t, s->signer);
    if (!err)
        err = lks_store_begin(s->store);
    if (!err) {
        err = lks_store_tx_add(s->store, tx, hash, raw.data, raw.len);
        if (!err)
            err = lks_store_commit(s->store);
        else
            lks_store_rollback(s->store);
    }
    lks_taken taken = LKS_TAKEN;
    if (!err)
        taken = lks_sender_broadcast(s, tx, raw.data, raw.len, now);
    if (taken == LKS_NEVER_TAKEN) {
        err = lks_sender_end(s, tx, LKS_TX_DEAD, true);
        if (!err)
            err = lks_fail(LKS_REFUSED, "the node takes no such transaction");
    } else if (taken == LKS_UNPAID && s->has_fallback) {
        err = lks_sender_end(s, tx, LKS_TX_DEAD, false);
        if (!err)
            err = lks_fail(LKS_NOTFOUND, "the account cannot pay for it");
    }
    lks_buf_free(&raw);
    return err;
}

/* Out: t->max_fee and t->max_priority_fee. In: t->gas_limit. */
static lks_err set_fees(lks_sender *s, const lks_outgoing *out, const lks_sender_now *now,
                        lks_tx *t)
{
    lks_eth_fees suggested;
    lks_err err = lks_eth_suggest_fees(&s->node, &suggested);
    if (err)
        return err;
    lks_tx_fees ceilings =
        lks_fees_ceilings(&s->ceilings, out->deadline, now->time, &out->worth, t->gas_limit);
    bool presses = lks_fees_presses(out->deadline, now->time, LKS_FEES_PRESSING);
    lks_tx_fees f = lks_fees_first(&suggested, &ceilings, presses);
    t->max_fee = f.max_fee;
    t->max_priority_fee = f.max_priority_fee;
    return LKS_OK;
}

lks_err lks_sender_send(lks_sender *s, const lks_outgoing *out, const lks_sender_now *now)
{
    lks_store_tx tx = {.action = out->action,
                       .state = LKS_TX_LIVE,
                       .deadline = out->deadline,
                       .sent_block = now->head,
                       .sent_time = now->time,
                       .worth = out->worth};
    memcpy(tx.request_id, out->request_id, 32);
    memcpy(tx.account, lks_signer_address(s->signer), 20);
    if (out->key)
        memcpy(tx.key, out->key, 32);
    lks_tx t = {
        .chain_id = s->chain_id, .value = out->value, .data = out->data, .data_len = out->len};
    memcpy(t.to, out->to, 20);
    if (out->len > LKS_MAX_CALL_BYTES)
        return lks_fail(LKS_REFUSED, "a transaction of %zu bytes is larger than nodes relay",
                        out->len);
    lks_err err = check_room(s, out->action);
    t.gas_limit = out->gas;
    if (!err && !out->gas)
        err = measure(s, out, &t.gas_limit);
    if (!err)
        err = set_fees(s, out, now, &t);
    if (!err)
        err = next_nonce(s, &tx.nonce);
    if (err)
        return err;
    t.nonce = tx.nonce;
    return put_out(s, &t, &tx, now);
}
