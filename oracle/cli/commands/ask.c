/* lockstep ask: a request on chain, and its answer. */
#include "oracle/cli/ask.h"
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/credit.h"
#include "oracle/cli/interrupt.h"
#include "oracle/cli/output.h"
#include "oracle/cli/request_wait.h"

#include <inttypes.h>
#include <stdio.h>

static const char *gas_of(char text[24], const lks_request_view *v, lks_event_kind kind)
{
    for (size_t i = 0; i < v->event_count; i++) {
        if (v->events[i].e.kind == kind && v->events[i].gas_used != 0) {
            snprintf(text, 24, "%" PRIu64, v->events[i].gas_used);
            return text;
        }
    }
    return "?";
}

static void tell_end(const lks_request_view *v)
{
    char id[LKS_HEX_SIZE(32)], fee[LKS_ETHER_SIZE], by[LKS_ADDRESS_SIZE], gas[4][24];
    size_t count = v->claim->bytes_len / 4;
    lks_hex_encode(id, v->id, 32);
    lks_wei_format(fee, &v->request.fee);
    lks_address_format(by, v->claim->account);
    fprintf(stderr,
            "lockstep: final: %zu token%s by %s; request %s, fee %s ether; gas: request %s, accept "
            "%s, claim %s, finalize %s\n",
            count, count == 1 ? "" : "s", by, id, fee, gas_of(gas[0], v, LKS_EVENT_REQUESTED),
            gas_of(gas[1], v, LKS_EVENT_ACCEPTED), gas_of(gas[2], v, LKS_EVENT_CLAIMED),
            gas_of(gas[3], v, LKS_EVENT_FINALIZED));
}

/* Penalties of operators that were late, or part of a slashed bond. */
static void tell_credit(const lks_request_view *v)
{
    char id[LKS_HEX_SIZE(32)], amount[LKS_ETHER_SIZE];
    lks_hex_encode(id, v->id, 32);
    lks_wei_format(amount, &v->credit);
    fprintf(stderr,
            "lockstep: the request has %s ether of penalties: "
            "lockstep credit withdraw --request %s\n",
            amount, id);
}

static int print_json(const lks_ask *a, const lks_wait *w, int code)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    lks_json_begin_object(&j);
    lks_request_json(&j, &w->view);
    if (w->view.claim != NULL) {
        lks_answer_json(&j, &w->view, a->model.tokenizer);
    }
    lks_json_put_name(&j, "transactions");
    lks_json_begin_array(&j);
    lks_sent_json(&j, &a->sent);
    lks_json_end_array(&j);
    lks_json_put_name(&j, "seconds");
    lks_json_begin_object(&j);
    lks_json_member_f64(&j, "requested", a->requested);
    lks_json_member_f64(&j, "accepted", w->accepted);
    lks_json_member_f64(&j, "claimed", w->claimed);
    lks_json_member_f64(&j, "settled", w->settled);
    lks_json_end_object(&j);
    lks_json_end_object(&j);
    return lks_out_json(&out, code);
}

static int print_request_id(const lks_ask *a)
{
    lks_buf out = {0};
    lks_json_writer j = {.out = &out};
    char id[LKS_HEX_SIZE(32)];
    lks_hex_encode(id, a->request_id, 32);
    if (!a->chain.json) {
        puts(id);
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&j);
    lks_json_member_text(&j, "requestId", id);
    lks_json_put_name(&j, "transactions");
    lks_json_begin_array(&j);
    lks_sent_json(&j, &a->sent);
    lks_json_end_array(&j);
    lks_json_end_object(&j);
    return lks_out_json(&out, LKS_EXIT_OK);
}

/* The request brought no answer: what is back of its money is withdrawn. */
static int tell_no_answer(lks_ask *a, const lks_request_view *v, int code)
{
    const char *why = v->state.status == LKS_REQUEST_UNDECIDED
                          ? "the operators' claims disagree after the last attempt, so the "
                            "fee is burned"
                      : v->state.cancelled ? "the request was cancelled"
                                           : "no operator gave an answer that stands";
    lks_cli_fail(LKS_EXIT_NO, "ask: %s", why);
    if (lks_credit_collect_of(&a->link, &v->request, &v->credit, stderr) != LKS_PARSED) {
        fprintf(stderr, "lockstep: ask: lockstep credit withdraw --request gets the money later\n");
    }
    return code;
}

static int wait_and_print(lks_ask *a)
{
    lks_wait w;
    lks_interrupt_catch();
    int code = lks_request_wait(&w, &a->link, a->request_id, a->block, a->timeout);
    if (code == LKS_PARSED) {
        bool final = w.view.state.status == LKS_REQUEST_FINAL;
        lks_request_view_gas(&w.view, &a->link);
        code = final ? LKS_EXIT_OK : LKS_EXIT_NO;
        if (a->chain.json) {
            code = print_json(a, &w, code);
        } else if (final) {
            lks_answer_print(&w.view, a->model.tokenizer);
            code = lks_cli_finish(code);
            tell_end(&w.view);
        }
        if (!final) {
            code = tell_no_answer(a, &w.view, code);
        } else if (!lks_u256_is_zero(&w.view.credit)) {
            tell_credit(&w.view);
        }
    }
    lks_request_view_free(&w.view);
    return code;
}

static int ask(lks_ask *a)
{
    int code = lks_ask_prepare(a);
    if (code == LKS_PARSED) {
        code = lks_link_open(&a->link, &a->chain, &a->account, "ask");
    }
    if (code == LKS_PARSED) {
        code = lks_ask_send(a);
    }
    if (code == LKS_PARSED) {
        code = a->no_wait ? print_request_id(a) : wait_and_print(a);
    }
    lks_link_close(&a->link);
    return code;
}

int lks_cmd_ask(int argc, char **argv)
{
    lks_ask a = {.replicas = 1};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = LKS_OPT_TEXT,
         .out = &a.model_path,
         .value = "FILE",
         .help = "the GGUF file: gives tokenizer and model id"},
        {.name = "model-id",
         .kind = LKS_OPT_TEXT,
         .out = &a.model_id_text,
         .value = "ID",
         .help = "the model id; with a file it must be the file's"},
        {.name = "prompt-ids",
         .kind = LKS_OPT_TEXT,
         .out = &a.prompt_ids,
         .value = "I,J,...",
         .help = "the prompt as token ids, instead of PROMPT"},
        {.name = "tokens",
         .letter = 'n',
         .kind = LKS_OPT_U32,
         .out = &a.max_tokens,
         .given = &a.max_given,
         .value = "N",
         .help = "at most N tokens (default 64; 1 with allowed tokens)"},
        LKS_POLICY_OPTIONS(
            a.policy,
            "your part of the seed; the eighth block after the request adds its own (default 0)"),
        {.name = "yes-no",
         .kind = LKS_OPT_FLAG,
         .out = &a.yes_no,
         .help = "a verdict: the same as --allow Yes,No"},
        {.name = "fee",
         .kind = LKS_OPT_TEXT,
         .out = &a.fee_text,
         .value = "AMOUNT",
         .help = "the operator's fee, such as 0.001ether (the default)"},
        {.name = "stake",
         .kind = LKS_OPT_TEXT,
         .out = &a.stake_text,
         .value = "AMOUNT",
         .help = "what a wrong answer costs (default: the deployment's minimum)"},
        {.name = "window",
         .kind = LKS_OPT_TEXT,
         .out = &a.window_text,
         .value = "TIME",
         .help = "challenge window such as 20s or 24h (default: twice the deployment's minimum)"},
        {.name = "accept-within",
         .kind = LKS_OPT_TEXT,
         .out = &a.accept_text,
         .value = "TIME",
         .help = "time for an operator to accept (default 10m); "
                 "sampled requests from the ninth block on, greedy ones at once"},
        {.name = "claim-within",
         .kind = LKS_OPT_TEXT,
         .out = &a.claim_text,
         .value = "TIME",
         .help = "time for the operator to claim (default 10m)"},
        {.name = "replicas",
         .kind = LKS_OPT_U32,
         .out = &a.replicas,
         .value = "N",
         .help = "operators that answer independently, 1 to 5 (default 1)"},
        {.name = "no-wait",
         .kind = LKS_OPT_FLAG,
         .out = &a.no_wait,
         .help = "print the request id and exit"},
        {.name = "timeout",
         .kind = LKS_OPT_TEXT,
         .out = &a.timeout_text,
         .value = "TIME",
         .help = "stop waiting after this time (default: all periods and two minutes)"},
        LKS_CHAIN_OPTIONS(a.chain),
        LKS_ACCOUNT_OPTIONS(a.account),
    };
    const lks_usage usage = {
        .synopsis = "(-m FILE PROMPT | --model-id ID --prompt-ids I,J,...) [OPTIONS]",
        .about = "Asks on chain, waits until the answer is final and prints it; its state goes\n"
                 "to standard error. PROMPT - is read from standard input. If there is no\n"
                 "answer, the fee is refunded and withdrawn. After an interrupt the request goes\n"
                 "on: lockstep status shows it, lockstep cancel takes it back.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    a.prompt = arg_count == 1 ? args[0] : NULL;
    code = ask(&a);
    lks_ask_free(&a);
    return code;
}
