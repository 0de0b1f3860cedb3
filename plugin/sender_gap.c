/* Fills gaps of nonces. A transaction of the account that was not sent here had a nonce, and is
 * gone: a re-org took it away, and no pool has it. What stands behind that nonce can never go on,
 * so an empty transaction takes its place.
 *
 * Not at once: a node that is behind, or one of several, tells of a count that was true earlier.
 * The gap must be seen at each of LKS_SENDER_GAP_HEADS heads, and in the state of the head itself.
 * The empty transaction is not stored: it does nothing, and after a restart another takes its
 * place. */
#include "plugin/sender_internal.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "plugin/log.h"

#include <string.h>

/* Whether the count is the same in the state of the head, which a node that is behind has not. */
static bool is_count_at_head(lks_sender *s, const lks_sender_now *now, uint64_t chain_nonce)
{
    char block[LKS_HEX_U64_SIZE];
    uint64_t count = 0;
    lks_hex_from_u64(block, now->head);
    lks_err err = lks_eth_nonce(&s->node, lks_signer_address(s->signer), block, &count);
    return !err && count == chain_nonce;
}

static bool is_urgent(const lks_store_txs *live, const lks_sender_now *now)
{
    for (size_t i = 0; i < live->count; i++)
        if (!live->items[i].canceled &&
            lks_fees_presses(live->items[i].deadline, now->time, LKS_SENDER_URGENT))
            return true;
    return false;
}

static void warn(lks_sender *s, const lks_store_txs *live)
{
    char address[LKS_ADDRESS_SIZE];
    if (s->gap.warned)
        return;
    s->gap.warned = true;
    lks_address_format(address, lks_signer_address(s->signer));
    lks_log(
        s->host, LKS_WARN,
        "nonce %llu of the account %s is in no transaction: one that was not ours is gone from the"
        " chain; an empty one takes its place, so that %zu behind it can go on; use this key"
        " nowhere else",
        (unsigned long long)s->gap.nonce, address, live->count);
}

/* Out: s->gap.fees, those of the first version, or a step more where the ceilings allow it. */
static lks_err set_gap_fees(lks_sender *s, bool first)
{
    lks_eth_fees suggested;
    lks_tx_fees ceilings = lks_fees_of_cancellation(&s->ceilings);
    lks_err err = lks_eth_suggest_fees(&s->node, &suggested);
    if (!err && first)
        s->gap.fees = lks_fees_first(&suggested, &ceilings, true);
    else if (!err)
        lks_fees_raise(&s->gap.fees, &suggested, &ceilings);
    return err;
}

static lks_err send_empty(lks_sender *s)
{
    uint8_t hash[32];
    lks_buf raw = {0};
    lks_tx t = {.chain_id = s->chain_id,
                .nonce = s->gap.nonce,
                .max_fee = s->gap.fees.max_fee,
                .max_priority_fee = s->gap.fees.max_priority_fee};
    lks_sender_make_empty(s, &t);
    lks_err err = lks_tx_sign(&raw, hash, &t, s->signer);
    if (!err && lks_eth_send_raw(&s->node, raw.data, raw.len, hash))
        lks_log(s->host, LKS_DEBUG, "the empty transaction, nonce %llu, is not taken yet: %s",
                (unsigned long long)s->gap.nonce, lks_error_message());
    lks_buf_free(&raw);
    return err;
}

lks_err lks_sender_fill_gap(lks_sender *s, const lks_store_txs *live, const lks_sender_now *now,
                            uint64_t chain_nonce)
{
    bool is_gap = live->count && chain_nonce < live->items[0].nonce;
    if (!is_gap || now->behind) {
        memset(&s->gap, 0, sizeof s->gap);
        return LKS_OK;
    }
    if (!s->gap.seen)
        s->gap.seen = now->head;
    bool first = s->gap.sent == 0 || s->gap.nonce != chain_nonce;
    uint64_t due = s->gap.sent + (is_urgent(live, now) ? 1 : LKS_SENDER_PATIENCE);
    if (now->head < s->gap.seen + LKS_SENDER_GAP_HEADS || (!first && now->head < due))
        return LKS_OK;
    if (!is_count_at_head(s, now, chain_nonce))
        return LKS_OK;
    lks_err err = set_gap_fees(s, first);
    if (err)
        return err;
    s->gap.nonce = chain_nonce;
    s->gap.sent = now->head;
    warn(s, live);
    return send_empty(s);
}
