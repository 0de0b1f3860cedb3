#include "oracle/cli/send.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "chain/tx.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECEIPT_TIMEOUT_S 180.0
#define POLL_NS 200000000
/* EIP-7825: no transaction may have more gas. */
#define MAX_TX_GAS UINT64_C(16777216)

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
    return lks_cli_fail(LKS_EXIT_REFUSED, "%s: %s has %s ether and needs %s; send it some", what, address, has_text, needs_text);
}

/* Fills gas, fees and nonce, and makes sure that the account can pay. */
static int prepare(lks_link *s, lks_tx *tx, const char *what)
{
    const uint8_t *from = lks_signer_address(s->signer);
    lks_eth_message message = {.from20 = from, .to20 = tx->to, .value = tx->value, .data = tx->data, .data_len = tx->data_len,
                               .errors = lks_contract_errors};
    lks_u256 balance, cost;
    lks_eth_fees fees;
    uint64_t gas;
    lks_err err = lks_eth_balance(&s->node, from, LKS_ETH_LATEST, &balance);
    if (err != LKS_OK) {
        return fail(s, err, what, NULL);
    }
    if (lks_u256_cmp(&balance, &tx->value) < 0) {
        return fail_funds(s, what, &balance, &tx->value);
    }
    err = lks_eth_estimate_gas(&s->node, &message, &gas);
    err = err == LKS_OK ? lks_eth_suggest_fees(&s->node, &fees) : err;
    err = err == LKS_OK ? lks_eth_nonce(&s->node, from, LKS_ETH_PENDING, &tx->nonce) : err;
    if (err != LKS_OK) {
        return fail(s, err, what, NULL);
    }
    if (gas > MAX_TX_GAS) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_REFUSED, "%s: needs %" PRIu64 " gas, and no transaction may have more than %" PRIu64, what, gas, MAX_TX_GAS);
    }
    /* State may change until the transaction runs: a quarter more than the estimate. */
    tx->gas_limit = gas + gas / 4 < MAX_TX_GAS ? gas + gas / 4 : MAX_TX_GAS;
    tx->max_priority_fee = fees.max_priority_fee;
    tx->max_fee = fees.max_fee;
    bool overflow = lks_u256_mul_u64(&cost, &tx->max_fee, tx->gas_limit);
    overflow = lks_u256_add(&cost, &cost, &tx->value) || overflow;
    if (overflow || lks_u256_cmp(&balance, &cost) < 0) {
        return fail_funds(s, what, &balance, &cost);
    }
    return LKS_PARSED;
}

static int await(lks_link *s, lks_sent *sent)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    char hash[LKS_HEX_SIZE(32)], wait[96];
    double started = lks_now();
    lks_err err;
    lks_hex_encode(hash, sent->hash, 32);
    snprintf(wait, sizeof wait, "%s: waiting for a block", sent->what);
    while ((err = lks_eth_receipt_get(&s->node, sent->hash, &sent->receipt)) == LKS_NOTFOUND) {
        if (lks_now() - started > RECEIPT_TIMEOUT_S) {
            lks_progress_end(&s->progress);
            return lks_cli_fail(LKS_EXIT_CHAIN, "%s: transaction %s is in no block after %.0f s; it may still come, look before you repeat",
                                sent->what, hash, RECEIPT_TIMEOUT_S);
        }
        lks_progress_wait(&s->progress, wait);
        nanosleep(&pause, NULL);
    }
    sent->seconds = lks_now() - started;
    if (err != LKS_OK) {
        char what[128];
        snprintf(what, sizeof what, "%s: transaction %s", sent->what, hash);
        return fail(s, err, what, "it was sent; look for it before you repeat");
    }
    if (!sent->receipt.success) {
        lks_progress_end(&s->progress);
        return lks_cli_fail(LKS_EXIT_REFUSED, "%s: transaction %s reverted in block %" PRIu64 "; its gas is spent", sent->what, hash,
                            sent->receipt.block_number);
    }
    lks_progress_note(&s->progress, "%s: block %" PRIu64 ", %" PRIu64 " gas, transaction %s", sent->what, sent->receipt.block_number,
                      sent->receipt.gas_used, hash);
    return LKS_PARSED;
}

int lks_send(lks_link *s, lks_sent *sent, const char *what, const uint8_t to20[20], const lks_u256 *value, lks_buf *call, lks_err call_err)
{
    lks_tx tx = {.chain_id = s->contracts.chain_id, .value = *value, .data = call->data, .data_len = call->len};
    lks_buf raw = {0};
    int code;
    *sent = (lks_sent){.what = what};
    memcpy(tx.to, to20, sizeof tx.to);
    code = call_err == LKS_OK ? prepare(s, &tx, what) : fail(s, call_err, what, NULL);
    if (code == LKS_PARSED) {
        lks_err err = lks_tx_sign(&raw, sent->hash, &tx, s->signer);
        err = err == LKS_OK ? lks_eth_send_raw(&s->node, raw.data, raw.len, sent->hash) : err;
        code = err == LKS_OK ? await(s, sent) : fail(s, err, what, NULL);
    }
    lks_buf_free(&raw);
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
    fprintf(stderr, "lockstep: %s: transaction %s, block %" PRIu64 ", %" PRIu64 " gas\n", sent->what, hash, sent->receipt.block_number,
            sent->receipt.gas_used);
}

bool lks_sent_event(lks_event *event, const lks_sent *sent, const uint8_t contract20[20], lks_event_kind kind)
{
    for (size_t i = 0; i < sent->receipt.logs.count; i++) {
        const lks_eth_log *log = &sent->receipt.logs.items[i];
        if (memcmp(log->address, contract20, 20) == 0 &&
            lks_event_decode(event, log->topics, log->topic_count, log->data, log->data_len) == LKS_OK && event->kind == kind) {
            return true;
        }
    }
    return false;
}
