/* Looks after live transactions: receipts, nonces used by others, sending again, replacing. */
#include "plugin/sender_internal.h"

#include "chain/contracts.h"
#include "chain/hex.h"
#include "chain/tx.h"
#include "plugin/events.h"
#include "plugin/log.h"

#include <string.h>

/* A transaction whose deadline is nearer than this is replaced after one block. */
#define URGENT_SECONDS 60u
/* Gas of a transaction that does nothing. */
#define EMPTY_GAS 21000u

static lks_u256 larger(const lks_u256 *a, const lks_u256 *b)
{
    return lks_u256_cmp(a, b) > 0 ? *a : *b;
}

/* Nodes take a replacement from 10 % more on both fees; this is 12.5 % and a wei. */
static lks_u256 bumped(const lks_u256 *fee)
{
    lks_u256 eighth, sum, one = lks_u256_from_u64(1);
    lks_u256_div_u64(&eighth, fee, 8);
    lks_u256_add(&sum, fee, &eighth);
    lks_u256_add(&sum, &sum, &one);
    return sum;
}

/* ---- receipts ---- */

/* What the node says of a transaction's receipt. */
typedef enum finding {
    NOWHERE,  /* none of its versions has one */
    INCLUDED, /* it is in a block of our chain, whose effects are stored */
    NEWER,    /* it is in a block above the head */
    ELSEWHERE /* it is in a block of another fork */
} finding;

/* Out: *is, whether a block is of our chain: by what is stored of that number, or else by the
 * node's word. */
static lks_err is_canonical(lks_sender *s, uint64_t number, const uint8_t hash32[32], bool *is)
{
    lks_store_block stored;
    lks_eth_header header;
    lks_err err = lks_store_block_below(s->store, number, &stored);
    *is = !err && memcmp(stored.ref.hash, hash32, 32) == 0;
    if ((!err && stored.ref.number == number) || (err && err != LKS_NOTFOUND))
        return err;
    err = lks_eth_header_by_number(&s->node, number, &header);
    *is = !err && memcmp(header.hash, hash32, 32) == 0;
    return err == LKS_NOTFOUND ? LKS_OK : err;
}

/* Asks for a receipt of any version. Out: receipt, to be freed, and hash32, the version, of one that
 * is INCLUDED. */
static lks_err find_receipt(lks_sender *s, const lks_store_tx *tx, const lks_sender_now *now,
                            finding *found, lks_eth_receipt *receipt, uint8_t hash32[32])
{
    lks_buf hashes = {0};
    *found = NOWHERE;
    lks_err err = lks_store_tx_hashes(s->store, tx->id, &hashes);
    for (size_t at = 0; !err && *found != INCLUDED && at < hashes.len; at += 32) {
        bool canonical = false;
        err = lks_eth_receipt_get(&s->node, hashes.data + at, receipt);
        if (err == LKS_NOTFOUND) {
            err = LKS_OK;
            continue;
        }
        if (!err && receipt->block_number <= now->head)
            err = is_canonical(s, receipt->block_number, receipt->block_hash, &canonical);
        *found = canonical                            ? INCLUDED
                 : receipt->block_number > now->head ? NEWER
                                                     : ELSEWHERE;
        memcpy(hash32, hashes.data + at, 32);
        if (!canonical)
            lks_eth_receipt_free(receipt);
    }
    lks_buf_free(&hashes);
    return err;
}

/* Logs why an included transaction reverted: the same call at the end of its block, as near as the
 * methods of a host come. */
static void log_revert(lks_sender *s, const lks_store_tx *tx, const lks_eth_receipt *receipt)
{
    lks_buf raw = {0}, result = {0};
    lks_tx t;
    char name[LKS_SHORT_ID_SIZE], block[LKS_HEX_U64_SIZE];
    lks_short_id(name, tx->request_id);
    lks_hex_from_u64(block, receipt->block_number);
    lks_err err = lks_store_tx_raw(s->store, tx->id, &raw);
    if (!err)
        err = lks_tx_decode(&t, NULL, NULL, raw.data, raw.len);
    if (!err) {
        lks_eth_message message = {.from20 = lks_signer_address(s->signer),
                                   .to20 = t.to,
                                   .value = t.value,
                                   .data = t.data,
                                   .data_len = t.data_len,
                                   .errors = lks_contract_errors};
        err = lks_eth_call(&s->node, &message, block, &result, NULL);
    }
    lks_log(s->host, LKS_WARN, "request %s: the %s transaction was reverted in block %llu: %s",
            name, lks_action_name(tx->action), (unsigned long long)receipt->block_number,
            err ? lks_error_message() : "for no reason that still holds");
    lks_buf_free(&raw);
    lks_buf_free(&result);
}

static lks_err settle(lks_sender *s, lks_store_tx *tx, const lks_eth_receipt *receipt,
                      const uint8_t hash32[32])
{
    char name[LKS_SHORT_ID_SIZE], hash[LKS_HEX_SIZE(32)];
    lks_short_id(name, tx->request_id);
    lks_hex_encode(hash, hash32, 32);
    tx->included.number = receipt->block_number;
    memcpy(tx->included.hash, receipt->block_hash, 32);
    if (receipt->success)
        lks_log(s->host, LKS_INFO, "request %s: %s transaction %s in block %llu, %llu gas", name,
                tx->canceled ? "canceled" : lks_action_name(tx->action), hash,
                (unsigned long long)receipt->block_number, (unsigned long long)receipt->gas_used);
    else
        log_revert(s, tx, receipt);
    return lks_sender_end(s, tx, receipt->success ? LKS_TX_MINED : LKS_TX_REVERTED,
                          !receipt->success);
}

/* The nonce is used and no version of ours has a receipt. Believed when it is so at two heads. */
static lks_err suspect(lks_sender *s, lks_store_tx *tx, const lks_sender_now *now)
{
    char name[LKS_SHORT_ID_SIZE];
    const size_t count = sizeof s->suspects / sizeof *s->suspects;
    size_t slot = count;
    for (size_t i = 0; i < count; i++)
        if (s->suspects[i].id == tx->id)
            slot = i;
        else if (slot == count && s->suspects[i].id == 0)
            slot = i;
    if (slot == count)
        return LKS_OK;
    if (s->suspects[slot].id != tx->id) {
        s->suspects[slot].id = tx->id;
        s->suspects[slot].head = now->head;
        return LKS_OK;
    }
    if (now->head <= s->suspects[slot].head)
        return LKS_OK;
    s->suspects[slot].id = 0;
    lks_short_id(name, tx->request_id);
    lks_log(s->host, LKS_WARN,
            "request %s: nonce %llu of the %s transaction went to a transaction that is not ours;"
            " use this key nowhere else",
            name, (unsigned long long)tx->nonce, lks_action_name(tx->action));
    tx->included.number = now->head;
    return lks_sender_end(s, tx, LKS_TX_DEAD, false);
}

/* ---- pushing on ---- */

static bool is_overdue(const lks_store_tx *tx, const lks_sender_now *now)
{
    bool urgent = tx->deadline != UINT64_MAX && tx->deadline < now->time + URGENT_SECONDS;
    return now->head >= tx->sent_block + (urgent ? 1 : LKS_SENDER_PATIENCE);
}

/* Raises a transaction's fees by what nodes ask of a replacement at least. The priority fee may go
 * over its own ceiling, up to that of the whole fee; and a cancellation over both: until it is in a
 * block, every later transaction of the account waits behind it. Out: *raised, false when a ceiling
 * is reached. */
static lks_err raise_fees(lks_sender *s, lks_tx *t, bool cancels, bool *raised)
{
    lks_fees f, ceilings = {s->max_fee, s->max_priority_fee};
    if (cancels) {
        lks_u256_mul_u64(&ceilings.max_fee, &s->max_fee, LKS_SENDER_CANCEL_FACTOR);
        ceilings.max_priority_fee = ceilings.max_fee;
    }
    lks_u256 fee = bumped(&t->max_fee), priority = bumped(&t->max_priority_fee);
    *raised = lks_u256_cmp(&fee, &ceilings.max_fee) <= 0 &&
              lks_u256_cmp(&priority, &ceilings.max_fee) <= 0;
    if (!*raised)
        return LKS_OK;
    lks_err err = lks_sender_suggest(s, &ceilings, &f);
    if (err)
        return err;
    t->max_fee = larger(&fee, &f.max_fee);
    t->max_priority_fee = larger(&priority, &f.max_priority_fee);
    if (lks_u256_cmp(&t->max_priority_fee, &t->max_fee) > 0)
        t->max_fee = t->max_priority_fee;
    return LKS_OK;
}

/* A transaction to ourselves that does nothing, under the same nonce. */
static void make_empty(lks_sender *s, lks_tx *t)
{
    memcpy(t->to, lks_signer_address(s->signer), 20);
    t->data = NULL;
    t->data_len = 0;
    t->value = lks_u256_from_u64(0);
    t->gas_limit = EMPTY_GAS;
}

static lks_err store_version(lks_sender *s, lks_store_tx *tx, const lks_tx *t, lks_buf *raw)
{
    uint8_t hash[32];
    lks_err err = lks_tx_sign(raw, hash, t, s->signer);
    if (!err)
        err = lks_store_begin(s->store);
    if (err)
        return err;
    err = lks_store_tx_add_version(s->store, tx, hash, raw->data, raw->len);
    if (!err)
        return lks_store_commit(s->store);
    lks_store_rollback(s->store);
    return err;
}

/* Replaces a transaction by one with higher fees, or, when its deadline is over or no node takes
 * it, by one that does nothing. Out: *replaced. */
static lks_err replace(lks_sender *s, lks_store_tx *tx, const lks_buf *old,
                       const lks_sender_now *now, bool refused, bool *replaced)
{
    lks_tx t;
    lks_buf raw = {0};
    char name[LKS_SHORT_ID_SIZE], fee[LKS_U256_DECIMAL_SIZE];
    *replaced = false;
    bool cancels = tx->canceled || refused || tx->deadline < now->time;
    lks_err err = lks_tx_decode(&t, NULL, NULL, old->data, old->len);
    if (!err)
        err = raise_fees(s, &t, cancels, replaced);
    if (err || !*replaced)
        return err;
    if (cancels)
        make_empty(s, &t);
    tx->canceled = cancels;
    tx->sent_block = now->head;
    tx->sent_time = now->time;
    err = store_version(s, tx, &t, &raw);
    if (!err) {
        lks_u256_to_decimal(fee, &t.max_fee);
        lks_short_id(name, tx->request_id);
        lks_log(s->host, LKS_INFO,
                "request %s: %s transaction, nonce %llu, %s with a fee of up to %s wei per gas",
                name, lks_action_name(tx->action), (unsigned long long)tx->nonce,
                tx->canceled ? "canceled" : "replaced", fee);
        lks_sender_broadcast(s, tx, raw.data, raw.len, now);
    }
    *replaced = err == LKS_OK;
    lks_buf_free(&raw);
    return err;
}

/* A transaction in no block: sends it again when the node has forgotten it, replaces it when it is
 * overdue or refused for good. In: first: none is before it. */
static lks_err push_on(lks_sender *s, lks_store_tx *tx, const lks_sender_now *now, bool first)
{
    lks_buf raw = {0}, hashes = {0};
    bool replaced = false, known = false, in_block = false;
    lks_err err = lks_store_tx_raw(s->store, tx->id, &raw);
    if (!err && first && is_overdue(tx, now))
        err = replace(s, tx, &raw, now, false, &replaced);
    if (!err && !replaced)
        err = lks_store_tx_hashes(s->store, tx->id, &hashes);
    if (!err && !replaced)
        err = lks_eth_tx_known(&s->node, hashes.data, &known, &in_block);
    if (!err && !replaced && !known && !lks_sender_broadcast(s, tx, raw.data, raw.len, now) &&
        !tx->canceled)
        err = replace(s, tx, &raw, now, true, &replaced);
    lks_buf_free(&raw);
    lks_buf_free(&hashes);
    return err;
}

static lks_err tend_one(lks_sender *s, lks_store_tx *tx, const lks_sender_now *now,
                        uint64_t chain_nonce, bool first)
{
    lks_eth_receipt receipt;
    uint8_t hash[32];
    finding found = NOWHERE;
    memset(&receipt, 0, sizeof receipt);
    lks_err err = find_receipt(s, tx, now, &found, &receipt, hash);
    if (!err && found == INCLUDED)
        err = settle(s, tx, &receipt, hash);
    else if (!err && found != NEWER && chain_nonce <= tx->nonce)
        err = push_on(s, tx, now, first); /* also where a fork has it: ours may not */
    else if (!err && found == NOWHERE)
        err = suspect(s, tx, now);
    lks_eth_receipt_free(&receipt);
    return err;
}

lks_err lks_sender_tend(lks_sender *s, const lks_sender_now *now)
{
    lks_store_txs live = {0};
    uint64_t chain_nonce = 0;
    lks_err err = lks_store_txs_live(s->store, lks_signer_address(s->signer), &live);
    /* The count is asked for before the receipts: a nonce that it says is used has its receipt by
     * then. */
    if (!err && live.count)
        err = lks_eth_nonce(&s->node, lks_signer_address(s->signer), LKS_ETH_LATEST, &chain_nonce);
    bool first = true;
    for (size_t i = 0; !err && i < live.count; i++) {
        err = tend_one(s, &live.items[i], now, chain_nonce, first);
        if (live.items[i].state == LKS_TX_LIVE && chain_nonce <= live.items[i].nonce)
            first = false;
    }
    lks_store_txs_free(&live);
    return err;
}
