/* A request and its answer for people and for scripts. */
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/output.h"
#include "oracle/cli/request_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void accepted_line(char *text, size_t size, const lks_event *e, const char *account,
                          const char *when)
{
    char seed[48] = "";
    if (e->seed != 0) {
        snprintf(seed, sizeof seed, ", seed used %" PRIu64, e->seed);
    }
    snprintf(text, size, "accepted by %s%s, %s by %s", account, seed,
             e->flag ? "to claim" : "other seats to be taken", when);
}

/* An end, or what comes back from one. */
static void end_line(char *text, size_t size, const lks_event *e)
{
    char account[LKS_ADDRESS_SIZE], other[LKS_ADDRESS_SIZE], amount[LKS_ETHER_SIZE];
    char requester[LKS_ETHER_SIZE], burned[LKS_ETHER_SIZE];
    lks_address_format(account, e->account);
    lks_address_format(other, e->other);
    lks_wei_format(amount, &e->amount);
    lks_wei_format(requester, &e->to_requester);
    lks_wei_format(burned, &e->burned);
    switch (e->kind) {
    case LKS_EVENT_MISSED:
        snprintf(text, size,
                 "deadline missed by %s, which pays %s ether, %s of it to the requester", account,
                 amount, requester);
        break;
    case LKS_EVENT_CONVICTED:
        snprintf(text, size,
                 "claim of %s convicted by %s, who gets %s ether; %s to the requester, %s burned",
                 account, other, amount, requester, burned);
        break;
    case LKS_EVENT_FINALIZED:
        snprintf(text, size, "final: %" PRIu32 " token%s", e->count, e->count == 1 ? "" : "s");
        break;
    case LKS_EVENT_CALLBACK_RESULT:
        snprintf(text, size, "callback %s", e->flag ? "succeeded" : "failed");
        break;
    case LKS_EVENT_REFUNDED:
        snprintf(text, size, "no result, %s ether went back to the requester", amount);
        break;
    case LKS_EVENT_UNDECIDED:
        snprintf(text, size,
                 "no result: claims disagree after the last attempt; the fee, %s ether, is burned",
                 burned);
        break;
    case LKS_EVENT_CREDITED:
        snprintf(text, size, "%s ether credited to %s", amount, account);
        break;
    case LKS_EVENT_WITHDRAWN_OF:
        snprintf(text, size, "%s ether withdrawn by the requester to %s", amount, other);
        break;
    default: snprintf(text, size, "%s", lks_event_name(e->kind)); break;
    }
}

void lks_event_line(char *text, size_t size, const lks_event *e)
{
    char account[LKS_ADDRESS_SIZE], when[LKS_TIME_SIZE];
    lks_address_format(account, e->account);
    lks_time_text(when, e->time);
    switch (e->kind) {
    case LKS_EVENT_REQUESTED: snprintf(text, size, "requested by %s", account); break;
    case LKS_EVENT_ACCEPTED: accepted_line(text, size, e, account, when); break;
    case LKS_EVENT_SEATS_FREED:
        snprintf(text, size, "seats were not filled in time: all are free again");
        break;
    case LKS_EVENT_COMMITTED: snprintf(text, size, "commitment of %s", account); break;
    case LKS_EVENT_REVEAL_OPENED:
        snprintf(text, size, "commitments are in, to be revealed by %s", when);
        break;
    case LKS_EVENT_CLAIMED:
        snprintf(text, size, "claimed by %s: %zu token%s, open to challenge until %s", account,
                 e->bytes_len / 4, e->bytes_len == 4 ? "" : "s", when);
        break;
    case LKS_EVENT_REOPENED: snprintf(text, size, "open again, attempt %u", e->attempt); break;
    case LKS_EVENT_CANCELLED:
        snprintf(text, size, "cancelled by the requester: it does not open again");
        break;
    case LKS_EVENT_DISPUTED:
        snprintf(text, size, "claim of attempt %u, seat %u disputed", e->attempt, e->seat);
        break;
    case LKS_EVENT_SETTLED:
        snprintf(text, size, "no dispute is live against the claim of attempt %u, seat %u",
                 e->attempt, e->seat);
        break;
    case LKS_EVENT_VOIDED:
        snprintf(text, size, "claim void: the model's program is malformed");
        break;
    default: end_line(text, size, e); break;
    }
}

static uint32_t id_at(const lks_event *claim, size_t i)
{
    const uint8_t *p = claim->bytes + 4 * i;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void lks_answer_print(const lks_request_view *v, const lks_tokenizer *t)
{
    lks_utf8 text = lks_out_begin();
    size_t count = v->claim->bytes_len / 4;
    for (size_t i = 0; i < count; i++) {
        const char *piece;
        if (t != NULL) {
            size_t len = lks_tokenizer_piece(t, id_at(v->claim, i), false, &piece);
            lks_out_text(&text, piece, len);
        } else {
            printf("%s%" PRIu32, i == 0 ? "" : " ", id_at(v->claim, i));
        }
    }
    lks_out_text_end(&text);
}

void lks_answer_json(lks_json_writer *w, const lks_request_view *v, const lks_tokenizer *t)
{
    lks_buf text = {0};
    size_t count = v->claim->bytes_len / 4;
    lks_json_put_name(w, "tokens");
    lks_json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        lks_json_put_u64(w, id_at(v->claim, i));
    }
    lks_json_end_array(w);
    for (size_t i = 0; i < count && t != NULL; i++) {
        const char *piece;
        size_t len = lks_tokenizer_piece(t, id_at(v->claim, i), false, &piece);
        lks_buf_put(&text, piece, len);
    }
    if (t != NULL) {
        lks_json_put_name(w, "text");
        lks_json_put_string(w, lks_buf_text(&text), text.len);
    }
    lks_buf_free(&text);
}

static void json_events(lks_json_writer *w, const lks_request_view *v)
{
    char line[256];
    lks_json_put_name(w, "events");
    lks_json_begin_array(w);
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_request_event *event = &v->events[i];
        lks_event_line(line, sizeof line, &event->e);
        lks_json_begin_object(w);
        lks_json_member_text(w, "event", lks_event_name(event->e.kind));
        lks_json_member_text(w, "text", line);
        lks_json_member_u64(w, "block", event->log->block_number);
        lks_json_member_data(w, "transaction", event->log->tx_hash, 32);
        if (event->gas_used != 0) {
            lks_json_member_u64(w, "gasUsed", event->gas_used);
        }
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
}

void lks_request_json(lks_json_writer *w, const lks_request_view *v)
{
    char seed[24];
    float temperature, min_p;
    memcpy(&temperature, &v->request.temperature, sizeof temperature);
    memcpy(&min_p, &v->request.min_p, sizeof min_p);
    lks_json_member_data(w, "requestId", v->id, 32);
    lks_json_member_text(w, "status", lks_request_status_word(v->state.status));
    lks_json_member_u64(w, "attempt", v->state.attempt);
    lks_json_member_u64(w, "misses", v->state.misses);
    lks_json_put_name(w, "cancelled");
    lks_json_put_bool(w, v->state.cancelled);
    lks_json_member_u64(w, "seatsTaken", v->state.seats_taken);
    lks_json_member_u64(w, "acceptDeadline", v->request.accept_deadline);
    lks_json_member_u64(w, "deadline", v->state.deadline);
    lks_json_member_u64(w, "chainTime", v->time);
    lks_json_member_u64(w, "requestBlock", v->first_block);
    lks_json_member_data(w, "modelId", v->request.model_id, 32);
    lks_json_member_address(w, "requester", v->request.requester);
    if (v->state.seed_fixed || temperature == 0) { /* greedy: 0 */
        snprintf(seed, sizeof seed, "%" PRIu64, v->state.seed);
        lks_json_member_text(w, "seedUsed", seed);
    }
    lks_json_member_u64(w, "promptCount", v->request.prompt_count);
    lks_json_member_u64(w, "maxTokens", v->request.max_tokens);
    lks_json_member_f64(w, "temperature", temperature);
    lks_json_member_f64(w, "minP", min_p);
    lks_json_member_wei(w, "fee", &v->request.fee);
    lks_json_member_wei(w, "stake", &v->request.stake);
    lks_json_member_wei(w, "creditOf", &v->credit);
    lks_json_member_u64(w, "window", v->request.window);
    lks_json_member_u64(w, "replicas", v->request.replicas);
    if (v->claim != NULL) {
        lks_json_member_address(w, "operator", v->claim->account);
        lks_json_member_data(w, "claimName", v->claim->name, 32);
        lks_json_member_u64(w, "windowEnd", v->claim->time);
    }
    json_events(w, v);
}
