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
    lks_account_args account;
    lks_link link;
    lks_request_view view;
    lks_sent sent;
} finalizing;

/* Out: *late, the seat of the first operator of this attempt that let its deadline pass, or LKS_MAX_REPLICAS. */
static lks_err find_late_seat(finalizing *f, uint8_t *late)
{
    lks_err err = LKS_OK;
    lks_seat_status waiting = f->view.state.status == LKS_REQUEST_REVEALING ? LKS_SEAT_COMMITTED : LKS_SEAT_ACCEPTED;
    *late = LKS_MAX_REPLICAS;
    for (uint8_t i = 0; i < f->view.state.seats_taken && err == LKS_OK && *late == LKS_MAX_REPLICAS; i++) {
        lks_buf call = {0}, result = {0};
        lks_seat seat;
        err = lks_call_seat_of(&call, f->view.id, f->view.state.attempt, i);
        err = lks_link_view(&f->link, f->link.contracts.oracle, &call, err, &result);
        err = err == LKS_OK ? lks_return_seat(&seat, result.data, result.len) : err;
        lks_buf_free(&result);
        if (err == LKS_OK && seat.status == waiting) {
            *late = i;
        }
    }
    return err;
}

static int send_due(finalizing *f)
{
    const lks_request_view *v = &f->view;
    const lks_u256 nothing = {{0}};
    const uint8_t *oracle = f->link.contracts.oracle;
    lks_buf call = {0};
    uint8_t seat;
    lks_err err;
    switch (v->state.status) {
    case LKS_REQUEST_OPEN:
        err = lks_call_expire(&call, &v->request);
        return lks_send(&f->link, &f->sent, "expire", oracle, &nothing, &call, err);
    case LKS_REQUEST_ACCEPTED:
    case LKS_REQUEST_REVEALING:
        err = find_late_seat(f, &seat);
        if (err == LKS_OK && seat == LKS_MAX_REPLICAS) {
            return lks_cli_fail(LKS_EXIT_NO, "finalize: no operator of the request is late");
        }
        err = err == LKS_OK ? lks_call_missed(&call, &v->request, seat) : err;
        return lks_send(&f->link, &f->sent, "missed", oracle, &nothing, &call, err);
    default:
        err = lks_call_finalize(&call, &v->request, v->claim != NULL ? v->claim->bytes : NULL, v->claim != NULL ? v->claim->bytes_len : 0);
        return lks_send(&f->link, &f->sent, "finalize", oracle, &nothing, &call, err);
    }
}

static int print_result(finalizing *f)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    uint8_t id[32];
    memcpy(id, f->view.id, sizeof id);
    lks_request_view_free(&f->view);
    lks_err err = lks_request_view_get(&f->view, &f->link, id);
    if (err != LKS_OK) {
        return lks_link_fail(&f->link, err, NULL);
    }
    lks_progress_end(&f->link.progress);
    if (!f->chain.json) {
        puts(lks_request_status_word(f->view.state.status));
        lks_sent_tell(&f->sent);
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&w);
    lks_request_json(&w, &f->view);
    lks_json_put_name(&w, "transactions");
    lks_json_begin_array(&w);
    lks_sent_json(&w, &f->sent);
    lks_json_end_array(&w);
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

static int settle(finalizing *f, const uint8_t id32[32])
{
    char when[LKS_TIME_SIZE];
    lks_err err = lks_request_view_get(&f->view, &f->link, id32);
    if (err == LKS_NOTFOUND) {
        return lks_cli_fail(LKS_EXIT_NO, "finalize: %s; is it the right --contracts file?", lks_error_message());
    }
    if (err != LKS_OK) {
        return lks_link_fail(&f->link, err, NULL);
    }
    const lks_request_state *state = &f->view.state;
    if (state->status == LKS_REQUEST_FINAL || state->status == LKS_REQUEST_REFUNDED) {
        return lks_cli_fail(LKS_EXIT_NO, "finalize: the request is %s already", lks_request_status_word(state->status));
    }
    if (f->view.time <= state->deadline) {
        lks_time_text(when, state->deadline);
        return lks_cli_fail(LKS_EXIT_NO, "finalize: the request is %s until %s; the chain's time is %" PRIu64 " s earlier, try again then",
                            lks_request_status_word(state->status), when, state->deadline - f->view.time);
    }
    int code = send_due(f);
    return code == LKS_PARSED ? print_result(f) : code;
}

int lks_cmd_finalize(int argc, char **argv)
{
    finalizing f = {0};
    char **args;
    int arg_count;
    uint8_t id[32];
    const lks_option options[] = {
        LKS_CHAIN_OPTIONS(f.chain),
        LKS_ACCOUNT_OPTIONS(f.account),
    };
    const lks_usage usage = {.synopsis = "[OPTIONS] REQUEST-ID",
                             .about = "Takes the step that a request is due for, which anybody may: makes a claim final after its window, fines an\n"
                                      "operator that is late, gives the fee back when nobody accepted. Prints the status it has then.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof options[0],
                             .min_args = 1,
                             .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code == LKS_PARSED) {
        code = lks_request_parse_id(id, argv[0], args[0]);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_link_open(&f.link, &f.chain, &f.account, argv[0]);
    if (code == LKS_PARSED) {
        code = settle(&f, id);
    }
    lks_request_view_free(&f.view);
    lks_sent_free(&f.sent);
    lks_link_close(&f.link);
    return code;
}
