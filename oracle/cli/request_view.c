#include "oracle/cli/request_view.h"

#include "chain/hex.h"
#include "oracle/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks asked for at a time: events of one request are few. */
#define LOG_STEP 100000u

const char *lks_request_status_word(lks_request_status status)
{
    static const char *const WORDS[LKS_REQUEST_STATUS_COUNT] = {
        [LKS_REQUEST_NONE] = "unknown",      [LKS_REQUEST_OPEN] = "open",
        [LKS_REQUEST_ACCEPTED] = "accepted", [LKS_REQUEST_REVEALING] = "revealing",
        [LKS_REQUEST_CLAIMED] = "claimed",   [LKS_REQUEST_FINAL] = "final",
        [LKS_REQUEST_REFUNDED] = "refunded", [LKS_REQUEST_UNDECIDED] = "undecided"};
    return status < LKS_REQUEST_STATUS_COUNT ? WORDS[status] : WORDS[LKS_REQUEST_NONE];
}

bool lks_request_is_settled(lks_request_status status)
{
    return status == LKS_REQUEST_FINAL || status == LKS_REQUEST_REFUNDED ||
           status == LKS_REQUEST_UNDECIDED;
}

int lks_request_parse_id(uint8_t id32[32], const char *command, const char *text)
{
    if (lks_hex_decode(id32, 32, text, strlen(text)) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: '%.80s' is not a request id; give 0x and 64 digits", command,
                            text);
    }
    return LKS_PARSED;
}

int lks_request_open(lks_link *s, lks_chain_args *chain, uint8_t id32[32], const char *about,
                     int argc, char **argv)
{
    lks_account_args account = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        LKS_CHAIN_OPTIONS(*chain),
        LKS_ACCOUNT_OPTIONS(account),
    };
    const lks_usage usage = {.synopsis = "[OPTIONS] REQUEST-ID",
                             .about = about,
                             .options = options,
                             .option_count = sizeof options / sizeof options[0],
                             .min_args = 1,
                             .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code == LKS_PARSED)
        code = lks_request_parse_id(id32, argv[0], args[0]);
    return code == LKS_PARSED ? lks_link_open(s, chain, &account, argv[0]) : code;
}

static lks_err get_state(lks_request_view *v, lks_link *s)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_state_of(&call, v->id);
    err = lks_link_view(s, s->contracts.oracle, &call, err, &result);
    if (err == LKS_OK) {
        err = lks_return_state(&v->state, result.data, result.len);
    }
    lks_buf_free(&result);
    if (err == LKS_OK && v->state.status == LKS_REQUEST_NONE) {
        return lks_fail(LKS_NOTFOUND, "this deployment knows no such request");
    }
    return err;
}

static lks_err get_credit(lks_request_view *v, lks_link *s)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_credit_of(&call, v->id);
    err = lks_link_view(s, s->contracts.oracle, &call, err, &result);
    err = err == LKS_OK ? lks_return_u256(&v->credit, result.data, result.len) : err;
    lks_buf_free(&result);
    return err;
}

/* The contract keeps the block of a sampled request alone. */
static lks_err get_logs(lks_request_view *v, lks_link *s, uint64_t from, uint64_t to)
{
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])s->contracts.oracle,
                                   .address_count = 1,
                                   .topics = {v->id}};
    if (from == 0) {
        from = v->state.request_block != 0 ? v->state.request_block : s->contracts.block;
    }
    v->first_block = from;
    lks_err err = lks_eth_get_logs(&s->node, &filter, from, to, LOG_STEP, &v->logs);
    if (err != LKS_OK || v->logs.count == 0) {
        return err;
    }
    v->events = calloc(v->logs.count, sizeof v->events[0]);
    if (v->events == NULL) {
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < v->logs.count; i++) {
        const lks_eth_log *log = &v->logs.items[i];
        err = log->removed ? LKS_NOTFOUND
                           : lks_event_decode(&v->events[v->event_count].e, log->topics,
                                              log->topic_count, log->data, log->data_len);
        if (err == LKS_OK) {
            v->events[v->event_count++].log = log;
        } else if (err != LKS_NOTFOUND) {
            return err;
        }
    }
    return LKS_OK;
}

/* Takes the terms from the Requested event, whose hash must be the id. */
static lks_err find_terms(lks_request_view *v, const lks_link *s)
{
    uint8_t id[32];
    for (size_t i = 0; i < v->event_count; i++) {
        if (v->events[i].e.kind == LKS_EVENT_REQUESTED) {
            v->request = v->events[i].e.request;
            v->first_block = v->events[i].log->block_number;
            lks_request_id(id, s->contracts.chain_id, s->contracts.oracle, &v->request);
            return memcmp(id, v->id, sizeof id) == 0
                       ? LKS_OK
                       : lks_fail(LKS_CORRUPT,
                                  "the request's terms from the node do not match its id");
        }
    }
    return lks_fail(LKS_CORRUPT, "the node has no Requested event of it from block %" PRIu64 " on",
                    v->first_block);
}

static bool is_convicted(const lks_request_view *v, const uint8_t name32[32])
{
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_event *e = &v->events[i].e;
        if (e->kind == LKS_EVENT_CONVICTED && memcmp(e->name, name32, 32) == 0) {
            return true;
        }
    }
    return false;
}

void lks_request_view_find_claim(lks_request_view *v)
{
    const uint8_t *final_name = NULL;
    lks_request_status status = v->state.status;
    v->claim = NULL;
    for (size_t i = 0; i < v->event_count; i++) {
        if (v->events[i].e.kind == LKS_EVENT_FINALIZED) {
            final_name = v->events[i].e.name;
        }
    }
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_event *e = &v->events[i].e;
        if (e->kind == LKS_EVENT_REOPENED && final_name == NULL) {
            v->claim = NULL;
        }
        if (e->kind == LKS_EVENT_CLAIMED &&
            (final_name != NULL ? memcmp(e->name, final_name, 32) == 0
                                : !is_convicted(v, e->name))) {
            v->claim = e;
        }
    }
    if (status != LKS_REQUEST_CLAIMED && status != LKS_REQUEST_REVEALING &&
        status != LKS_REQUEST_FINAL) {
        v->claim = NULL;
    }
}

/* Compares the answer of the events with what the contract keeps of it. */
static lks_err check_answer(const lks_request_view *v, lks_link *s)
{
    lks_buf call = {0}, result = {0};
    lks_request_result kept;
    uint8_t hash[32];
    if (v->state.status != LKS_REQUEST_FINAL) {
        return LKS_OK;
    }
    if (v->claim == NULL) {
        return lks_fail(LKS_CORRUPT, "the node has no event of the claim that is final");
    }
    lks_err err = lks_call_result(&call, v->id);
    err = lks_link_view(s, s->contracts.oracle, &call, err, &result);
    if (err == LKS_OK) {
        err = lks_return_result(&kept, result.data, result.len);
    }
    lks_buf_free(&result);
    if (err != LKS_OK) {
        return err;
    }
    lks_tokens_hash(hash, v->claim->bytes, v->claim->bytes_len);
    if (kept.status != LKS_REQUEST_FINAL || memcmp(hash, kept.tokens_hash, 32) != 0 ||
        v->claim->bytes_len != 4 * (size_t)kept.token_count) {
        return lks_fail(LKS_CORRUPT,
                        "the node's events show another answer than the contract keeps");
    }
    return LKS_OK;
}

lks_err lks_request_view_get(lks_request_view *v, lks_link *s, const uint8_t id32[32],
                             uint64_t from)
{
    lks_eth_header newest = {0};
    *v = (lks_request_view){0};
    memcpy(v->id, id32, sizeof v->id);
    lks_err err = get_state(v, s);
    err = err == LKS_OK ? lks_eth_header_at(&s->node, LKS_ETH_LATEST, &newest) : err;
    v->time = newest.timestamp;
    err = err == LKS_OK ? get_credit(v, s) : err;
    err = err == LKS_OK ? get_logs(v, s, from, newest.number) : err;
    err = err == LKS_OK ? find_terms(v, s) : err;
    if (err == LKS_OK) {
        lks_request_view_find_claim(v);
        err = check_answer(v, s);
    }
    return err;
}

void lks_request_view_gas(lks_request_view *v, lks_link *s)
{
    for (size_t i = 0; i < v->event_count; i++) {
        lks_request_event *event = &v->events[i];
        lks_eth_receipt receipt;
        if (i > 0 && memcmp(event->log->tx_hash, event[-1].log->tx_hash, 32) == 0) {
            event->gas_used = event[-1].gas_used;
        } else if (lks_eth_receipt_get(&s->node, event->log->tx_hash, &receipt) == LKS_OK) {
            event->gas_used = receipt.gas_used;
            lks_eth_receipt_free(&receipt);
        }
    }
}

void lks_request_view_free(lks_request_view *v)
{
    lks_eth_logs_free(&v->logs);
    free(v->events);
    *v = (lks_request_view){0};
}
