#include "oracle/cli/send.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "chain/tx.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/interrupt.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PATIENCE_BLOCKS = 3, /* without the transaction, after which it is replaced */
    MAX_VERSIONS = 64,   /* 12.5 % each: from 1 wei to 500 gwei and beyond */
};
#define CATCH_UP_S 30.0
#define NOTE_EVERY_S 180.0

/* A transaction on its way into a block. */
typedef struct outgoing {
    lks_link *link;
    lks_sent *sent;
    lks_tx tx;
    lks_buf raw; /* its newest version, signed */
    uint8_t hashes[MAX_VERSIONS][32];
    size_t versions;
    uint64_t head;    /* the newest block that was looked at */
    uint64_t since;   /* head when the newest version was sent */
    uint64_t lost_at; /* head at which its nonce was another's; 0: never */
    bool ceiling_told, behind_told;
    double started, noted;
    lks_err last_err; /* of the node, since the last look that worked */
    char reason[512];
} outgoing;

static int fail(lks_link *s, lks_err err, const char *what, const char *hint)
{
    lks_progress_end(&s->progress);
    return lks_cli_fail_chain(err, what, hint);
}

static int fail_funds(lks_link *s, const char *what, const lks_u256 *has, const lks_u256 *needs)
{
    char address[LKS_ADDRESS_SIZE], has_text[LKS_ETHER_SIZE], needs_text[LKS_ETHER_SIZE];
    lks_address_format(address, lks_signer_address(s->signer));
    lks_wei_format(has_text, has);
    lks_wei_format(needs_text, needs);
    lks_progress_end(&s->progress);
    return lks_cli_fail(LKS_EXIT_REFUSED, "%s: %s has %s ether and needs %s; send it some", what,
                        address, has_text, needs_text);
}

/* ---- before it is signed ---- */

/* Waits until the node has the block of our last transaction: one that is behind would simulate and
 * count as if that had never been. */
static int catch_up(outgoing *o)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    lks_link *s = o->link;
    double started = lks_now();
    for (;;) {
        lks_err err = lks_eth_block_number(&s->node, &o->head);
        if (err != LKS_OK)
            return fail(s, err, o->sent->what, NULL);
        if (o->head >= s->sent_block)
            return LKS_PARSED;
        if (lks_now() - started > CATCH_UP_S || lks_interrupted()) {
            lks_progress_end(&s->progress);
            return lks_cli_fail(LKS_EXIT_CHAIN,
                                "%s: the node is behind: it stands at block %" PRIu64
                                ", and the last transaction is in block %" PRIu64
                                "; wait until it has caught up, or name another with --rpc",
                                o->sent->what, o->head, s->sent_block);
        }
        lks_progress_wait(&s->progress, "waiting for the node to catch up");
        nanosleep(&pause, NULL);
    }
}

static int choose_nonce(outgoing *o)
{
    lks_link *s = o->link;
    const uint8_t *from = lks_signer_address(s->signer);
    char address[LKS_ADDRESS_SIZE];
    uint64_t mined, pending;
    lks_err err = lks_eth_nonce(&s->node, from, LKS_ETH_LATEST, &mined);
    if (err == LKS_OK)
        err = lks_eth_nonce(&s->node, from, LKS_ETH_PENDING, &pending);
    if (err != LKS_OK)
        return fail(s, err, o->sent->what, NULL);
    o->tx.nonce = pending > mined ? pending : mined;
    if (pending <= mined)
        return LKS_PARSED;
    lks_progress_end(&s->progress);
    lks_address_format(address, from);
    const uint64_t count = pending - mined;
    if (!s->after_pending && !s->patient)
        return lks_cli_fail(LKS_EXIT_REFUSED,
                            "%s: the account %s has %" PRIu64
                            " transaction%s waiting; another program uses it: wait until they are "
                            "in a block, or send this one after them with --after-pending",
                            o->sent->what, address, count, count == 1 ? "" : "s");
    lks_cli_note("%s: the account %s has %" PRIu64
                 " transaction%s waiting; another program uses it: this one goes after them",
                 o->sent->what, address, count, count == 1 ? "" : "s");
    return LKS_PARSED;
}

/* Fills gas limit and fees. Out: *cost: what the transaction takes at most. */
static int price(outgoing *o, const lks_u256 *balance, lks_u256 *cost)
{
    lks_link *s = o->link;
    const char *what = o->sent->what;
    lks_eth_message message = {.from20 = lks_signer_address(s->signer),
                               .to20 = o->tx.to,
                               .value = o->tx.value,
                               .data = o->tx.data,
                               .data_len = o->tx.data_len,
                               .errors = lks_contract_errors};
    lks_eth_fees suggested;
    lks_tx_fees fees;
    uint64_t gas;
    lks_err err = lks_eth_estimate_gas(&s->node, &message, &gas);
    if (err == LKS_OK)
        err = lks_eth_suggest_fees(&s->node, &suggested);
    if (err == LKS_OK)
        err = lks_fees_choose(&fees, &suggested, &s->limits);
    if (err != LKS_OK)
        return fail(s, err, what, NULL);
    if (gas > LKS_MAX_TX_GAS) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_REFUSED,
                            "%s: needs %" PRIu64 " gas, and no transaction may have more than "
                            "%" PRIu64,
                            what, gas, LKS_MAX_TX_GAS);
    }
    /* State may change until the transaction runs: a quarter more than the estimate. */
    o->tx.gas_limit = gas + gas / 4 < LKS_MAX_TX_GAS ? gas + gas / 4 : LKS_MAX_TX_GAS;
    o->tx.max_fee = fees.max_fee;
    o->tx.max_priority_fee = fees.max_priority_fee;
    bool overflow = lks_u256_mul_u64(cost, &o->tx.max_fee, o->tx.gas_limit);
    overflow = lks_u256_add(cost, cost, &o->tx.value) || overflow;
    if (overflow || lks_u256_cmp(balance, cost) < 0)
        return fail_funds(s, what, balance, cost);
    return LKS_PARSED;
}

static void tell_cost(const outgoing *o, const lks_u256 *cost)
{
    char value[LKS_ETHER_SIZE], total[LKS_ETHER_SIZE], fee[LKS_GWEI_SIZE];
    lks_wei_format(value, &o->tx.value);
    lks_wei_format(total, cost);
    lks_gwei_text(fee, &o->tx.max_fee);
    lks_progress_end(&o->link->progress);
    lks_cli_note("%s: at most %s ether: %s ether of value, and %" PRIu64 " gas at up to %s",
                 o->sent->what, total, value, o->tx.gas_limit, fee);
}

/* Fills gas, fees and nonce, and makes sure that the account can pay. */
static int prepare(outgoing *o)
{
    lks_link *s = o->link;
    lks_u256 balance, cost;
    int code = catch_up(o);
    if (code != LKS_PARSED)
        return code;
    if (o->tx.data_len > LKS_MAX_CALL_BYTES) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_REFUSED,
                            "%s: a transaction of %zu bytes is larger than nodes relay",
                            o->sent->what, o->tx.data_len);
    }
    lks_err err =
        lks_eth_balance(&s->node, lks_signer_address(s->signer), LKS_ETH_LATEST, &balance);
    if (err != LKS_OK)
        return fail(s, err, o->sent->what, NULL);
    if (lks_u256_cmp(&balance, &o->tx.value) < 0)
        return fail_funds(s, o->sent->what, &balance, &o->tx.value);
    code = price(o, &balance, &cost);
    if (code == LKS_PARSED)
        code = choose_nonce(o);
    if (code == LKS_PARSED)
        tell_cost(o, &cost);
    return code;
}

/* ---- on its way ---- */

/* Signs a version with the fees of o->tx and gives it to the node. */
static lks_err send_version(outgoing *o)
{
    lks_buf raw = {0};
    uint8_t *hash = o->hashes[o->versions];
    lks_err err = lks_tx_sign(&raw, hash, &o->tx, o->link->signer);
    if (err != LKS_OK) {
        lks_buf_free(&raw);
        return err;
    }
    lks_buf_free(&o->raw);
    o->raw = raw;
    o->versions++;
    o->since = o->head;
    memcpy(o->sent->hash, hash, 32);
    return lks_eth_send_raw(&o->link->node, raw.data, raw.len, o->sent->hash);
}

/* Replaces it by a version with higher fees. */
static lks_err replace(outgoing *o)
{
    lks_link *s = o->link;
    lks_eth_fees suggested;
    lks_tx_fees fees = {o->tx.max_fee, o->tx.max_priority_fee};
    char fee[LKS_GWEI_SIZE];
    lks_err err = lks_eth_suggest_fees(&s->node, &suggested);
    if (err != LKS_OK)
        return err;
    bool raised = o->versions < MAX_VERSIONS && lks_fees_raise(&fees, &suggested, &s->limits);
    lks_gwei_text(fee, &fees.max_fee);
    if (!raised && !o->ceiling_told) {
        o->ceiling_told = true;
        lks_progress_end(&s->progress);
        lks_cli_note("%s: still in no block at a fee of up to %s per gas, which is as far as "
                     "--max-fee lets it rise",
                     o->sent->what, fee);
    }
    if (!raised) {
        o->since = o->head;
        return LKS_OK;
    }
    o->tx.max_fee = fees.max_fee;
    o->tx.max_priority_fee = fees.max_priority_fee;
    lks_progress_note(&s->progress, "%s: in no block yet: replaced with a fee of up to %s per gas",
                      o->sent->what, fee);
    err = send_version(o);
    /* The pool wants more, or a version got into a block meanwhile: both show at the next look. */
    return err == LKS_REFUSED ? LKS_OK : err;
}

/* Sends it again when the node has forgotten it. */
static lks_err remind(outgoing *o)
{
    uint8_t hash[32];
    bool known, in_block;
    lks_err err = lks_eth_tx_known(&o->link->node, o->sent->hash, &known, &in_block);
    if (err == LKS_OK && !known)
        err = lks_eth_send_raw(&o->link->node, o->raw.data, o->raw.len, hash);
    return err == LKS_REFUSED ? LKS_OK : err;
}

/* Looks after it at a new head. Out: *lost, when its nonce went to another transaction. */
static lks_err push_on(outgoing *o, bool *lost)
{
    uint64_t head, mined;
    lks_link *s = o->link;
    lks_err err = lks_eth_block_number(&s->node, &head);
    if (err != LKS_OK || head <= o->head)
        return err;
    err = lks_eth_nonce(&s->node, lks_signer_address(s->signer), LKS_ETH_LATEST, &mined);
    if (err != LKS_OK)
        return err;
    o->head = head;
    if (mined > o->tx.nonce) {
        /* Its own receipt may come a moment later. */
        o->lost_at = o->lost_at != 0 ? o->lost_at : head;
        *lost = head > o->lost_at + 1;
        return LKS_OK;
    }
    o->lost_at = 0;
    if (mined == o->tx.nonce && head >= o->since + PATIENCE_BLOCKS)
        return replace(o);
    if (mined < o->tx.nonce && head >= o->since + PATIENCE_BLOCKS && !o->behind_told) {
        o->behind_told = true;
        lks_progress_end(&s->progress);
        lks_cli_note("%s: waits behind %" PRIu64 " earlier transactions of the account, which "
                     "another program sent",
                     o->sent->what, o->tx.nonce - mined);
    }
    return remind(o);
}

/* Asks for the receipt of each version, the newest first. Returns also: LKS_NOTFOUND. */
static lks_err find_receipt(outgoing *o)
{
    lks_err err = LKS_NOTFOUND;
    for (size_t i = o->versions; i > 0 && err == LKS_NOTFOUND; i--) {
        err = lks_eth_receipt_get(&o->link->node, o->hashes[i - 1], &o->sent->receipt);
        if (err == LKS_OK)
            memcpy(o->sent->hash, o->hashes[i - 1], 32);
    }
    return err;
}

static int finish(outgoing *o)
{
    lks_link *s = o->link;
    const lks_eth_receipt *r = &o->sent->receipt;
    char hash[LKS_HEX_SIZE(32)];
    lks_hex_encode(hash, o->sent->hash, 32);
    o->sent->seconds = lks_now() - o->started;
    s->sent_block = r->block_number;
    if (!r->success) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_REFUSED,
                            "%s: transaction %s reverted in block %" PRIu64 "; its gas is spent",
                            o->sent->what, hash, r->block_number);
    }
    lks_progress_note(&s->progress, "%s: block %" PRIu64 ", %" PRIu64 " gas, transaction %s",
                      o->sent->what, r->block_number, r->gas_used, hash);
    return LKS_PARSED;
}

/* Whether to go on waiting. Returns: LKS_PARSED, or the exit code after telling. */
static int check_patience(outgoing *o)
{
    lks_link *s = o->link;
    char hash[LKS_HEX_SIZE(32)];
    double waited = lks_now() - o->started;
    const char *failed = o->last_err != LKS_OK ? "; the node fails: " : "";
    lks_hex_encode(hash, o->sent->hash, 32);
    if (lks_interrupted()) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_INTERRUPTED,
                            "%s: interrupted; transaction %s is sent, and in no block yet",
                            o->sent->what, hash);
    }
    if (!s->patient && waited > s->receipt_timeout_s) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_CHAIN,
                            "%s: transaction %s is in no block after %.0f s; it may still "
                            "get into one: check before you repeat%s%s",
                            o->sent->what, hash, s->receipt_timeout_s, failed, o->reason);
    }
    if (waited - o->noted > NOTE_EVERY_S) {
        o->noted = waited;
        lks_progress_end(&s->progress);
        lks_cli_note("%s: transaction %s is in no block after %.0f s%s%s", o->sent->what, hash,
                     waited, failed, o->reason);
    }
    return LKS_PARSED;
}

static int await(outgoing *o)
{
    const struct timespec often = {.tv_nsec = 200000000}, seldom = {.tv_sec = 1};
    char wait[96];
    snprintf(wait, sizeof wait, "%s: waiting for a block", o->sent->what);
    for (;;) {
        bool lost = false;
        lks_err err = find_receipt(o);
        if (err == LKS_OK)
            return finish(o);
        if (err == LKS_NOTFOUND)
            err = push_on(o, &lost);
        if (lost) {
            lks_progress_end(&o->link->progress);
            return lks_cli_fail(LKS_EXIT_REFUSED,
                                "%s: nonce %" PRIu64 " went to another transaction of the account; "
                                "use its key in one program at a time, and repeat",
                                o->sent->what, o->tx.nonce);
        }
        o->last_err = err;
        snprintf(o->reason, sizeof o->reason, "%s", err != LKS_OK ? lks_error_message() : "");
        int code = check_patience(o);
        if (code != LKS_PARSED)
            return code;
        lks_progress_wait(&o->link->progress, wait);
        nanosleep(err == LKS_OK && lks_now() - o->started < 10 ? &often : &seldom, NULL);
    }
}

static int sign_and_send(outgoing *o)
{
    lks_err err = send_version(o);
    /* Without an answer the node may have it all the same: then only a look at the chain tells. */
    bool unknown = o->versions > 0 && (err == LKS_IO || err == LKS_TIMEOUT || err == LKS_CORRUPT);
    if (err != LKS_OK && !unknown)
        return fail(o->link, err, o->sent->what, NULL);
    if (err != LKS_OK) {
        char hash[LKS_HEX_SIZE(32)];
        lks_hex_encode(hash, o->sent->hash, 32);
        lks_progress_end(&o->link->progress);
        lks_cli_note("%s: %s; transaction %s may have reached the node: looking for it",
                     o->sent->what, lks_error_message(), hash);
    }
    o->started = lks_now();
    return await(o);
}

int lks_send(lks_link *s, lks_sent *sent, const char *what, const uint8_t to20[20],
             const lks_u256 *value, lks_buf *call, lks_err call_err)
{
    outgoing o = {.link = s, .sent = sent};
    int code;
    *sent = (lks_sent){.what = what};
    o.tx = (lks_tx){.chain_id = s->contracts.chain_id,
                    .value = *value,
                    .data = call->data,
                    .data_len = call->len};
    memcpy(o.tx.to, to20, sizeof o.tx.to);
    code = call_err == LKS_OK ? prepare(&o) : fail(s, call_err, what, NULL);
    if (code == LKS_PARSED)
        code = sign_and_send(&o);
    lks_buf_free(&o.raw);
    lks_buf_free(call);
    return code;
}

void lks_sent_free(lks_sent *sent)
{
    lks_eth_receipt_free(&sent->receipt);
    *sent = (lks_sent){0};
}

void lks_sent_json(lks_json_writer *w, const lks_sent *sent)
{
    lks_json_begin_object(w);
    lks_json_member_text(w, "what", sent->what);
    lks_json_member_data(w, "hash", sent->hash, 32);
    lks_json_member_u64(w, "block", sent->receipt.block_number);
    lks_json_member_u64(w, "gasUsed", sent->receipt.gas_used);
    lks_json_member_f64(w, "seconds", sent->seconds);
    lks_json_end_object(w);
}

void lks_sent_tell(const lks_sent *sent)
{
    char hash[LKS_HEX_SIZE(32)];
    lks_hex_encode(hash, sent->hash, 32);
    fprintf(stderr, "lockstep: %s: transaction %s, block %" PRIu64 ", %" PRIu64 " gas\n",
            sent->what, hash, sent->receipt.block_number, sent->receipt.gas_used);
}

bool lks_sent_event(lks_event *event, const lks_sent *sent, const uint8_t contract20[20],
                    lks_event_kind kind)
{
    for (size_t i = 0; i < sent->receipt.logs.count; i++) {
        const lks_eth_log *log = &sent->receipt.logs.items[i];
        if (memcmp(log->address, contract20, 20) == 0 &&
            lks_event_decode(event, log->topics, log->topic_count, log->data, log->data_len) ==
                LKS_OK &&
            event->kind == kind) {
            return true;
        }
    }
    return false;
}
