#include "oracle/cli/dispute_list.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/dispute_print.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks asked for at a time: disputes are rare. */
#define LOG_STEP 100000u

/* Fills a row from its event and the contract's state. Out: *wanted. */
static lks_err read_row(lks_dispute_row *r, bool *wanted, lks_link *s, const lks_eth_log *log,
                        const lks_dispute_query *query)
{
    lks_game_event e;
    lks_disputed_claim claim;
    *wanted = false;
    lks_err err =
        lks_game_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
    if (err != LKS_OK || log->removed) {
        return err;
    }
    *r = (lks_dispute_row){.block = log->block_number, .terms = e.dispute};
    memcpy(r->id, e.dispute_id, 32);
    memcpy(r->claim_id, e.claim_id, 32);
    r->of_oracle =
        memcmp(e.dispute.claim.source, s->contracts.oracle, 20) == 0 &&
        lks_claim_name_split(r->request_id, &r->attempt, &r->seat, e.dispute.claim.name) == LKS_OK;
    if (query->request32 != NULL &&
        (!r->of_oracle || memcmp(r->request_id, query->request32, 32) != 0)) {
        return LKS_OK;
    }
    err = lks_dispute_get(&r->now, s, r->id);
    err = err == LKS_OK ? lks_disputed_claim_get(&claim, s, r->claim_id) : err;
    if (err == LKS_OK && r->now.state == LKS_DISPUTE_ROOT && claim.opened_at != 0) {
        /* Another's answer has opened the trace: the contract writes that down later. */
        r->now.state = LKS_DISPUTE_PICK;
        r->now.turn_start = claim.opened_at;
        r->now.deadline = claim.opened_at + r->now.challenger_left;
    }
    if (err == LKS_OK) {
        r->claim_status = claim.status;
        *wanted = query->all ||
                  (r->now.state != LKS_DISPUTE_CLOSED && claim.status == LKS_CLAIM_DISPUTED);
    }
    return err;
}

lks_err lks_dispute_list_get(lks_dispute_list *out, lks_link *s, const lks_dispute_query *query)
{
    uint8_t topic[32], who[32] = {0};
    lks_eth_logs logs = {0};
    lks_eth_header newest;
    *out = (lks_dispute_list){0};
    lks_game_event_topic(topic, LKS_GAME_CHALLENGED);
    if (query->challenger20 != NULL) {
        memcpy(who + 12, query->challenger20, 20);
    }
    const lks_eth_filter filter = {
        .addresses = (const uint8_t(*)[20])s->contracts.game,
        .address_count = 1,
        .topics0 = (const uint8_t(*)[32])topic,
        .topic0_count = 1,
        .topics = {query->claim32, query->dispute32, query->challenger20 != NULL ? who : NULL}};
    uint64_t from = query->from != 0 ? query->from : s->contracts.block;
    lks_err err = lks_eth_header_at(&s->node, LKS_ETH_LATEST, &newest);
    if (err == LKS_OK) {
        out->time = newest.timestamp;
        err = lks_eth_get_logs(&s->node, &filter, from, newest.number, LOG_STEP, &logs);
    }
    if (err == LKS_OK) {
        out->rows = calloc(logs.count + 1, sizeof out->rows[0]);
        err = out->rows != NULL ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < logs.count && err == LKS_OK; i++) {
        bool wanted;
        err = read_row(&out->rows[out->count], &wanted, s, &logs.items[i], query);
        out->count += err == LKS_OK && wanted;
    }
    lks_eth_logs_free(&logs);
    return err;
}

lks_err lks_dispute_row_get(lks_dispute_row *out, lks_link *s, const uint8_t dispute_id32[32])
{
    const lks_dispute_query query = {.dispute32 = dispute_id32, .all = true};
    lks_dispute_list found;
    lks_err err = lks_dispute_list_get(&found, s, &query);
    if (err == LKS_OK && found.count == 0) {
        err = lks_fail(LKS_NOTFOUND, "this deployment knows no such dispute");
    } else if (err == LKS_OK && !found.rows[0].of_oracle) {
        err = lks_fail(LKS_REFUSED, "the dispute is about a claim of another contract than the "
                                    "deployment's oracle, which this command does not know");
    }
    if (err == LKS_OK) {
        *out = found.rows[0];
    }
    lks_dispute_list_free(&found);
    return err;
}

void lks_dispute_list_free(lks_dispute_list *l)
{
    free(l->rows);
    *l = (lks_dispute_list){0};
}

static bool is_live(const lks_dispute_row *r)
{
    return r->now.state != LKS_DISPUTE_CLOSED && r->claim_status == LKS_CLAIM_DISPUTED;
}

void lks_dispute_row_text(char *text, size_t size, const lks_dispute_row *r, uint64_t now)
{
    char when[LKS_TIME_SIZE];
    static const char *const CLAIMS[] = {[LKS_CLAIM_NONE] = "",
                                         [LKS_CLAIM_DISPUTED] = "the claim stands",
                                         [LKS_CLAIM_CONVICTED] = "the claim is convicted",
                                         [LKS_CLAIM_VOID] = "the claim is void"};
    if (!is_live(r)) {
        snprintf(text, size, "over: %s",
                 r->claim_status < LKS_CLAIM_STATUS_COUNT ? CLAIMS[r->claim_status] : "");
        return;
    }
    char left[48];
    lks_time_text(when, r->now.deadline);
    snprintf(left, sizeof left, ", %" PRIu64 " s left", r->now.deadline - now);
    snprintf(text, size, "%s: the %s is to move until %s%s", lks_dispute_state_word(r->now.state),
             lks_dispute_operator_moves((lks_dispute_state)r->now.state) ? "operator"
                                                                         : "challenger",
             when, now > r->now.deadline ? ", which is over (lockstep timeout)" : left);
}

void lks_dispute_list_json(lks_json_writer *w, const lks_dispute_list *l)
{
    lks_json_put_name(w, "disputes");
    lks_json_begin_array(w);
    for (size_t i = 0; i < l->count; i++) {
        const lks_dispute_row *r = &l->rows[i];
        bool live = is_live(r);
        lks_json_begin_object(w);
        lks_json_member_data(w, "disputeId", r->id, 32);
        lks_json_member_data(w, "claimId", r->claim_id, 32);
        lks_json_member_address(w, "source", r->terms.claim.source);
        lks_json_member_data(w, "claimName", r->terms.claim.name, 32);
        if (r->of_oracle) {
            lks_json_member_data(w, "requestId", r->request_id, 32);
            lks_json_member_u64(w, "attempt", r->attempt);
            lks_json_member_u64(w, "seat", r->seat);
        }
        lks_json_member_address(w, "operator", r->terms.claim.operator_address);
        lks_json_member_address(w, "challenger", r->terms.challenger);
        lks_json_member_u64(w, "block", r->block);
        lks_json_put_name(w, "live");
        lks_json_put_bool(w, live);
        lks_json_member_text(w, "state",
                             lks_dispute_state_word(live ? r->now.state : LKS_DISPUTE_CLOSED));
        lks_json_put_name(w, "convicted");
        lks_json_put_bool(w, r->claim_status == LKS_CLAIM_CONVICTED);
        if (live) {
            lks_json_member_text(w, "toMove",
                                 lks_dispute_operator_moves((lks_dispute_state)r->now.state)
                                     ? "operator"
                                     : "challenger");
            lks_json_member_u64(w, "deadline", r->now.deadline);
            lks_json_member_u64(w, "secondsLeft",
                                r->now.deadline > l->time ? r->now.deadline - l->time : 0);
        }
        lks_json_member_wei(w, "bond", &r->terms.bond);
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
}

int lks_dispute_list_print(const lks_dispute_list *l, bool json)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    char id[LKS_HEX_SIZE(32)], address[LKS_ADDRESS_SIZE], text[256];
    if (json) {
        lks_json_begin_object(&w);
        lks_json_member_u64(&w, "chainTime", l->time);
        lks_dispute_list_json(&w, l);
        lks_json_end_object(&w);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    for (size_t i = 0; i < l->count; i++) {
        const lks_dispute_row *r = &l->rows[i];
        lks_hex_encode(id, r->id, 32);
        lks_address_format(address, r->terms.challenger);
        lks_dispute_row_text(text, sizeof text, r, l->time);
        printf("%s\n    block %" PRIu64 ", by %s\n    %s\n", id, r->block, address, text);
        lks_hex_encode(id, r->claim_id, 32);
        printf("    claim %s\n", id);
        if (r->of_oracle) {
            lks_hex_encode(id, r->request_id, 32);
            printf("    request %s, attempt %u, seat %u\n", id, r->attempt, r->seat);
        } else {
            lks_hex_encode(id, r->terms.claim.name, 32);
            lks_address_format(address, r->terms.claim.source);
            printf("    %s of the contract %s\n", id, address);
        }
    }
    return lks_cli_finish(LKS_EXIT_OK);
}
