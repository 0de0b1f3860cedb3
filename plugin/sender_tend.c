/* Looks after live transactions: receipts, nonces used by others, sending again, replacing. */
#include "plugin/sender_internal.h"

#include "chain/address.h"
#include "chain/contracts.h"
#include "chain/hex.h"
#include "chain/tx.h"
#include "plugin/events.h"
#include "plugin/log.h"

#include <string.h>

/* Gas of a transaction that does nothing. */
#define EMPTY_GAS 21000u

/* ---- receipts ---- */

/* Where the node has a transaction's receipt. */
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

/* Asks for a receipt of any version. Out: receipt, to be freed, and hash32, the version, of one
 * that is INCLUDED. */
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
        *found = canonical ? INCLUDED : receipt->block_number > now->head ? NEWER : ELSEWHERE;
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

bool lks_sender_is_shared(const lks_sender *s, const lks_sender_now *now)
{
    uint64_t oldest = s->foreign[LKS_SENDER_FOREIGN - 1];
    return oldest && now->head < oldest + LKS_SENDER_FOREIGN_BLOCKS;
}

/* A nonce went to a transaction that is not ours. */
static void note_foreign(lks_sender *s, const lks_sender_now *now)
{
    char address[LKS_ADDRESS_SIZE];
    memmove(s->foreign + 1, s->foreign, (LKS_SENDER_FOREIGN - 1) * sizeof *s->foreign);
    s->foreign[0] = now->head;
    if (!lks_sender_is_shared(s, now))
        return;
    lks_address_format(address, lks_signer_address(s->signer));
    lks_log(
        s->host, LKS_ERROR,
        "another program sends transactions for the account %s, perhaps a second plugin with the"
        " same key: end it, or give it an account of its own; no request is accepted meanwhile",
        address);
}

/* The place of a transaction among the suspects; a free one when it has none. Returns: NULL when
 * all are taken by others. */
static lks_suspect *suspect_of(lks_sender *s, int64_t id)
{
    lks_suspect *free_place = NULL;
    for (size_t i = 0; i < LKS_SENDER_SUSPECTS; i++) {
        if (s->suspects[i].id == id)
            return &s->suspects[i];
        if (!free_place && s->suspects[i].id == 0)
            free_place = &s->suspects[i];
    }
    return free_place;
}

static void clear_suspect(lks_sender *s, int64_t id)
{
    lks_suspect *place = suspect_of(s, id);
    if (place && place->id == id)
        place->id = 0;
}

/* The nonce is used, and no version of ours has a receipt in our chain. Believed when it is so at
 * two heads; where the node shows it in a block of another fork, after LKS_SENDER_FORK_HEADS: it
 * may be about to change over, but geth also goes on showing what it had before an unclean end. */
static lks_err suspect(lks_sender *s, lks_store_tx *tx, const lks_sender_now *now, finding found)
{
    char name[LKS_SHORT_ID_SIZE];
    lks_suspect *place = suspect_of(s, tx->id);
    if (!place)
        return LKS_OK;
    if (place->id != tx->id)
        *place = (lks_suspect){tx->id, now->head};
    if (now->head < place->head + (found == ELSEWHERE ? LKS_SENDER_FORK_HEADS : 1))
        return LKS_OK;
    place->id = 0;
    lks_short_id(name, tx->request_id);
    if (found == ELSEWHERE) {
        lks_log(
            s->host, LKS_WARN,
            "request %s: the nonce of the %s transaction is used, and the node shows it only in a"
            " block of another fork: its action is decided again",
            name, lks_action_name(tx->action));
    } else {
        lks_log(
            s->host, LKS_WARN,
            "request %s: nonce %llu of the %s transaction went to a transaction that is not ours;"
            " use this key nowhere else",
            name, (unsigned long long)tx->nonce, lks_action_name(tx->action));
        note_foreign(s, now);
    }
    tx->included.number = now->head;
    return lks_sender_end(s, tx, LKS_TX_DEAD, false);
}

/* ---- pushing on ---- */

/* A live transaction in its account's queue. */
typedef struct place {
    const lks_store_txs *queue; /* lowest nonce first */
    size_t i;
    bool first;  /* none before it is live, and no nonce before it is free */
    bool unpaid; /* the account cannot pay for it */
} place;

/* Whether it, or one behind it, which cannot go before it, has its deadline within so many
 * seconds. */
static bool presses(const place *p, const lks_sender_now *now, uint64_t seconds)
{
    for (size_t k = p->i; k < p->queue->count; k++) {
        const lks_store_tx *tx = &p->queue->items[k];
        if (!tx->canceled && lks_fees_presses(tx->deadline, now->time, seconds))
            return true;
    }
    return false;
}

/* Whether it is to be replaced: the first of the queue after a while, and all before one that
 * presses. */
static bool is_overdue(const place *p, const lks_sender_now *now)
{
    const lks_store_tx *tx = &p->queue->items[p->i];
    bool urgent = tx->deadline < now->time || presses(p, now, LKS_SENDER_URGENT);
    if (!p->first && !presses(p, now, LKS_FEES_PRESSING))
        return false;
    return now->head >= tx->sent_block + (urgent ? 1 : LKS_SENDER_PATIENCE);
}

/* Ceilings for a version of so much gas: the highest that it, or one behind it, may pay. */
static lks_tx_fees ceilings_at(const lks_sender *s, const place *p, uint64_t gas,
                               const lks_sender_now *now)
{
    lks_tx_fees most = s->ceilings;
    for (size_t k = p->i; k < p->queue->count; k++) {
        const lks_store_tx *tx = &p->queue->items[k];
        if (tx->canceled)
            continue;
        lks_tx_fees c = lks_fees_ceilings(&s->ceilings, tx->deadline, now->time, &tx->worth, gas);
        if (lks_u256_cmp(&c.max_fee, &most.max_fee) > 0)
            most.max_fee = c.max_fee;
        if (lks_u256_cmp(&c.max_priority_fee, &most.max_priority_fee) > 0)
            most.max_priority_fee = c.max_priority_fee;
    }
    return most;
}

/* Raises a transaction's fees. Out: *raised, false when a ceiling is reached. */
static lks_err raise_fees(lks_sender *s, const place *p, lks_tx *t, bool cancels,
                          const lks_sender_now *now, bool *raised)
{
    lks_eth_fees suggested;
    lks_tx_fees f = {t->max_fee, t->max_priority_fee};
    lks_tx_fees ceilings =
        cancels ? lks_fees_of_cancellation(&s->ceilings) : ceilings_at(s, p, t->gas_limit, now);
    *raised = false;
    lks_err err = lks_eth_suggest_fees(&s->node, &suggested);
    if (err)
        return err;
    *raised = lks_fees_raise(&f, &suggested, &ceilings);
    t->max_fee = f.max_fee;
    t->max_priority_fee = f.max_priority_fee;
    return LKS_OK;
}

void lks_sender_make_empty(const lks_sender *s, lks_tx *t)
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
static lks_err replace(lks_sender *s, const place *p, const lks_buf *old, const lks_sender_now *now,
                       bool refused, bool *replaced)
{
    lks_store_tx *tx = &p->queue->items[p->i];
    lks_tx t;
    lks_buf raw = {0};
    char name[LKS_SHORT_ID_SIZE], fee[LKS_U256_DECIMAL_SIZE];
    *replaced = false;
    bool cancels = tx->canceled || refused || tx->deadline < now->time;
    lks_err err = lks_tx_decode(&t, NULL, NULL, old->data, old->len);
    if (!err)
        err = raise_fees(s, p, &t, cancels, now, replaced);
    if (err || !*replaced)
        return err;
    if (cancels)
        lks_sender_make_empty(s, &t);
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
 * overdue or refused for good. */
static lks_err push_on(lks_sender *s, place *p, const lks_sender_now *now)
{
    lks_store_tx *tx = &p->queue->items[p->i];
    lks_buf raw = {0}, hashes = {0};
    bool replaced = false, known = false, in_block = false;
    lks_err err = lks_store_tx_raw(s->store, tx->id, &raw);
    if (!err && is_overdue(p, now))
        err = replace(s, p, &raw, now, false, &replaced);
    if (!err && !replaced)
        err = lks_store_tx_hashes(s->store, tx->id, &hashes);
    if (!err && !replaced)
        err = lks_eth_tx_known(&s->node, hashes.data, &known, &in_block);
    lks_taken taken = LKS_TAKEN;
    if (!err && !replaced && !known)
        taken = lks_sender_broadcast(s, tx, raw.data, raw.len, now);
    p->unpaid = taken == LKS_UNPAID;
    if (taken == LKS_NEVER_TAKEN && !tx->canceled)
        err = replace(s, p, &raw, now, true, &replaced);
    lks_buf_free(&raw);
    lks_buf_free(&hashes);
    return err;
}

static lks_err tend_one(lks_sender *s, place *p, const lks_sender_now *now, uint64_t chain_nonce)
{
    lks_store_tx *tx = &p->queue->items[p->i];
    lks_eth_receipt receipt;
    uint8_t hash[32];
    finding found = NOWHERE;
    memset(&receipt, 0, sizeof receipt);
    lks_err err = find_receipt(s, tx, now, &found, &receipt, hash);
    bool is_gone = found != INCLUDED && found != NEWER && chain_nonce > tx->nonce;
    if (!err && !is_gone)
        clear_suspect(s, tx->id);
    if (!err && found == INCLUDED)
        err = settle(s, tx, &receipt, hash);
    else if (!err && is_gone)
        err = suspect(s, tx, now, found);
    else if (!err && found != NEWER)
        err = push_on(s, p, now); /* also where a fork has it: ours may not */
    lks_eth_receipt_free(&receipt);
    return err;
}

/* Gives up a transaction that cannot be paid for, and all behind it: the other account does what
 * they were for. */
static lks_err give_up(lks_sender *s, const place *p)
{
    lks_err err = LKS_OK;
    for (size_t i = p->i; !err && i < p->queue->count; i++)
        err = lks_sender_end(s, &p->queue->items[i], LKS_TX_DEAD, false);
    return err;
}

lks_err lks_sender_tend(lks_sender *s, const lks_sender_now *now)
{
    lks_store_txs live = {0};
    uint64_t chain_nonce = 0;
    const uint8_t *account = lks_signer_address(s->signer);
    lks_err err = lks_store_txs_live(s->store, account, &live);
    /* The count is asked for before the receipts: a nonce that it says is used has its receipt by
     * then. */
    if (!err && live.count)
        err = lks_eth_nonce(&s->node, account, LKS_ETH_LATEST, &chain_nonce);
    if (!err)
        err = lks_sender_fill_gap(s, &live, now, chain_nonce);
    place p = {.queue = &live, .first = live.count && live.items[0].nonce <= chain_nonce};
    for (; !err && p.i < live.count; p.i++) {
        err = tend_one(s, &p, now, chain_nonce);
        if (!err && p.unpaid && s->has_fallback) {
            err = give_up(s, &p);
            break;
        }
        if (live.items[p.i].state == LKS_TX_LIVE && chain_nonce <= live.items[p.i].nonce)
            p.first = false;
    }
    lks_store_txs_free(&live);
    return err;
}
