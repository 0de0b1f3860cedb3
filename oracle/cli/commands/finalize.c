/* lockstep finalize: the step that a request is due for, which anybody may take. */
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"
#include "oracle/cli/request_view.h"
#include "oracle/cli/send.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct finalizing {
    lks_chain_args chain;
    lks_link link;
    lks_request_view view;
    uint64_t block; /* the newest */
    lks_sent sent[LKS_MAX_REPLICAS];
    size_t sent_count;
} finalizing;

/* Whether an open request can be accepted no more. */
static bool is_over(const finalizing *f)
{
    const lks_request_view *v = &f->view;
    bool drawn = v->request.temperature == 0 || v->state.seed_fixed;
    return v->time > v->request.accept_deadline || v->state.cancelled ||
           v->state.attempt > LKS_MAX_ATTEMPTS ||
           (!drawn && f->block > v->state.request_block + LKS_SEED_LAST_BLOCK);
}

/* Whether the operator of a seat in that state let its deadline pass. */
static bool is_late(const lks_request_view *v, lks_seat_status seat)
{
    if (seat == LKS_SEAT_ACCEPTED) {
        return v->state.status != LKS_REQUEST_ACCEPTED || v->time > v->state.deadline;
    }
    return seat == LKS_SEAT_COMMITTED && v->state.status == LKS_REQUEST_CLAIMED;
}

static lks_err get_seat(lks_seat *out, finalizing *f, uint8_t seat)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_seat_of(&call, f->view.id, f->view.state.attempt, seat);
    err = lks_link_view(&f->link, f->link.contracts.oracle, &call, err, &result);
    err = err == LKS_OK ? lks_return_seat(out, result.data, result.len) : err;
    lks_buf_free(&result);
    return err;
}

static int send(finalizing *f, const char *what, lks_buf *call, lks_err err)
{
    const lks_u256 nothing = {{0}};
    lks_sent *sent = &f->sent[f->sent_count++];
    return lks_send(&f->link, sent, what, f->link.contracts.oracle, &nothing, call, err);
}

/* Fines every operator of the round that is late. */
static int fine_late_seats(finalizing *f)
{
    int code = LKS_PARSED;
    for (uint8_t i = 0; i < f->view.state.seats_taken && code == LKS_PARSED; i++) {
        lks_buf call = {0};
        lks_seat seat;
        lks_err err = get_seat(&seat, f, i);
        if (err != LKS_OK) {
            return lks_link_fail(&f->link, err, NULL);
        }
        if (is_late(&f->view, seat.status)) {
            err = lks_call_missed(&call, &f->view.request, i);
            code = send(f, "missed", &call, err);
        }
    }
    return code;
}

/* Nothing is due yet. */
static int fail_early(const finalizing *f)
{
    const lks_request_view *v = &f->view;
    bool waits = v->state.status == LKS_REQUEST_OPEN && v->state.seats_taken == 0;
    uint64_t until = waits ? v->request.accept_deadline : v->state.deadline;
    char when[LKS_TIME_SIZE];
    lks_time_text(when, until);
    return lks_cli_fail(LKS_EXIT_NO,
                        "finalize: the request is %s until %s; the chain's time is %" PRIu64
                        " s earlier, try again then",
                        lks_request_status_word(v->state.status), when,
                        until >= v->time ? until - v->time : 0);
}

static int send_due(finalizing *f)
{
    const lks_request_view *v = &f->view;
    lks_buf call = {0};
    lks_err err;
    int code;
    if (v->state.status == LKS_REQUEST_OPEN) {
        if (is_over(f)) {
            err = lks_call_expire(&call, &v->request);
            return send(f, "expire", &call, err);
        }
        if (v->state.seats_taken > 0 && v->time > v->state.deadline) {
            err = lks_call_free_seats(&call, &v->request);
            return send(f, "free seats", &call, err);
        }
        return fail_early(f);
    }
    if (v->state.status == LKS_REQUEST_CLAIMED && v->time > v->state.deadline) {
        const lks_event *claim = v->claim;
        err = lks_call_finalize(&call, &v->request, claim != NULL ? claim->bytes : NULL,
                                claim != NULL ? claim->bytes_len : 0);
        return send(f, "finalize", &call, err);
    }
    code = fine_late_seats(f);
    return code == LKS_PARSED && f->sent_count == 0 ? fail_early(f) : code;
}

static int print_result(finalizing *f)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    uint8_t id[32];
    uint64_t from = f->view.first_block;
    memcpy(id, f->view.id, sizeof id);
    lks_request_view_free(&f->view);
    lks_err err = lks_request_view_get(&f->view, &f->link, id, from);
    if (err != LKS_OK) {
        return lks_link_fail(&f->link, err, NULL);
    }
    lks_progress_end(&f->link.progress);
    if (!f->chain.json) {
        puts(lks_request_status_word(f->view.state.status));
        for (size_t i = 0; i < f->sent_count; i++) {
            lks_sent_tell(&f->sent[i]);
        }
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&w);
    lks_request_json(&w, &f->view);
    lks_json_put_name(&w, "transactions");
    lks_json_begin_array(&w);
    for (size_t i = 0; i < f->sent_count; i++) {
        lks_sent_json(&w, &f->sent[i]);
    }
    lks_json_end_array(&w);
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

static int settle(finalizing *f, const uint8_t id32[32])
{
    lks_err err = lks_request_view_get(&f->view, &f->link, id32, 0);
    if (err == LKS_NOTFOUND) {
        return lks_cli_fail(LKS_EXIT_NO, "finalize: %s; is it the right --contracts file?",
                            lks_error_message());
    }
    err = err == LKS_OK ? lks_eth_block_number(&f->link.node, &f->block) : err;
    if (err != LKS_OK) {
        return lks_link_fail(&f->link, err, NULL);
    }
    if (lks_request_is_settled(f->view.state.status)) {
        return lks_cli_fail(LKS_EXIT_NO, "finalize: the request is %s already",
                            lks_request_status_word(f->view.state.status));
    }
    int code = send_due(f);
    return code == LKS_PARSED ? print_result(f) : code;
}

int lks_cmd_finalize(int argc, char **argv)
{
    static const char about[] =
        "Takes the step that is due for a request; anybody may do so: makes a claim final\n"
        "after its window, fines operators that are late, frees seats that were not filled in\n"
        "time, gives the fee back when nobody can accept any more. Prints the status it has "
        "then.\n";
    finalizing f = {0};
    uint8_t id[32];
    int code = lks_request_open(&f.link, &f.chain, id, about, argc, argv);
    if (code == LKS_PARSED)
        code = settle(&f, id);
    lks_request_view_free(&f.view);
    for (size_t i = 0; i < f.sent_count; i++)
        lks_sent_free(&f.sent[i]);
    lks_link_close(&f.link);
    return code;
}
