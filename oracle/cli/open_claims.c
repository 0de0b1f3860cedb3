#include "oracle/cli/open_claims.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/hex.h"
#include "oracle/cli/output.h"

static lks_err is_standing(bool *standing, lks_link *s, const uint8_t name32[32])
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_standing(&call, name32);
    err = lks_link_view(s, s->contracts.oracle, &call, err, &result);
    if (err == LKS_OK)
        err = lks_return_bool(standing, result.data, result.len);
    lks_buf_free(&result);
    return err;
}

static lks_err add_claims(lks_open_claims *out, lks_link *s, const lks_eth_logs *logs)
{
    lks_err err = LKS_OK;
    out->items = calloc(logs->count + 1, sizeof out->items[0]);
    if (out->items == NULL)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; i < logs->count && err == LKS_OK; i++) {
        const lks_eth_log *log = &logs->items[i];
        bool standing = false;
        lks_event e;
        err = lks_event_decode(&e, log->topics, log->topic_count, log->data, log->data_len);
        if (err == LKS_OK && !log->removed)
            err = is_standing(&standing, s, e.name);
        if (err != LKS_OK || !standing)
            continue;
        lks_open_claim *c = &out->items[out->count++];
        memcpy(c->name, e.name, 32);
        c->window_end = e.time;
    }
    return err;
}

/* Keeps the disputes that the account is a party to. */
static void keep_own(lks_dispute_list *l, const uint8_t address20[20])
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        const lks_dispute_terms *t = &l->rows[i].terms;
        if (memcmp(t->claim.operator_address, address20, 20) == 0 ||
            memcmp(t->challenger, address20, 20) == 0)
            l->rows[kept++] = l->rows[i];
    }
    l->count = kept;
}

lks_err lks_open_claims_get(lks_open_claims *out, lks_link *s, const uint8_t address20[20],
                            uint64_t from)
{
    uint8_t topic[32], who[32] = {0};
    uint64_t newest;
    lks_eth_logs logs = {0};
    *out = (lks_open_claims){0};
    lks_event_topic(topic, LKS_EVENT_CLAIMED);
    memcpy(who + 12, address20, 20);
    const lks_eth_filter filter = {.addresses = (const uint8_t(*)[20])s->contracts.oracle,
                                   .address_count = 1,
                                   .topics0 = (const uint8_t(*)[32])topic,
                                   .topic0_count = 1,
                                   .topics = {NULL, NULL, who}};
    const lks_dispute_query query = {.from = from};
    lks_err err = lks_eth_block_number(&s->node, &newest);
    if (err == LKS_OK)
        err = lks_eth_get_logs(&s->node, &filter, from, newest, 0, &logs);
    if (err == LKS_OK)
        err = add_claims(out, s, &logs);
    lks_eth_logs_free(&logs);
    if (err == LKS_OK)
        err = lks_dispute_list_get(&out->disputes, s, &query);
    if (err == LKS_OK)
        keep_own(&out->disputes, address20);
    return err;
}

void lks_open_claims_free(lks_open_claims *c)
{
    lks_dispute_list_free(&c->disputes);
    free(c->items);
    *c = (lks_open_claims){0};
}

void lks_open_claims_print(const lks_open_claims *c, uint64_t now)
{
    char id[LKS_HEX_SIZE(32)], when[LKS_TIME_SIZE], text[256];
    for (size_t i = 0; i < c->count; i++) {
        const lks_open_claim *o = &c->items[i];
        lks_hex_encode(id, o->name, 32);
        lks_time_text(when, o->window_end);
        if (now > o->window_end)
            snprintf(text, sizeof text, "its window ended at %s", when);
        else
            snprintf(text, sizeof text, "can be disputed until %s, %" PRIu64 " s left", when,
                     o->window_end - now);
        printf("%-18s %s, %s\n", "open claim", id, text);
    }
    for (size_t i = 0; i < c->disputes.count; i++) {
        lks_hex_encode(id, c->disputes.rows[i].id, 32);
        lks_dispute_row_text(text, sizeof text, &c->disputes.rows[i], c->disputes.time);
        printf("%-18s %s, %s\n", "live dispute", id, text);
    }
}

void lks_open_claims_json(lks_json_writer *w, const lks_open_claims *c)
{
    lks_json_put_name(w, "openClaims");
    lks_json_begin_array(w);
    for (size_t i = 0; i < c->count; i++) {
        lks_json_begin_object(w);
        lks_json_member_data(w, "claimName", c->items[i].name, 32);
        lks_json_member_u64(w, "windowEnd", c->items[i].window_end);
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
    lks_dispute_list_json(w, &c->disputes);
}
