/* lockstep dispute list, dispute show, timeout: disputes as the chain shows them. */
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/claim_view.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/dispute_list.h"
#include "oracle/cli/dispute_print.h"
#include "oracle/cli/output.h"
#include "oracle/cli/policy.h"
#include "oracle/cli/send.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct dispute {
    const char *model_path, *claim_text, *request_text;
    bool all;
    lks_chain_args chain;
    lks_account_args account;
    lks_link link;
    uint8_t id[32];
    lks_dispute_row row;
    lks_request_view request;
    lks_follow follow;
    lks_model model;
    lks_sent sent;
} dispute;

static int close_all(dispute *d, int code)
{
    lks_sent_free(&d->sent);
    lks_follow_close(&d->follow);
    lks_request_view_free(&d->request);
    lks_model_close(&d->model);
    lks_link_close(&d->link);
    return code;
}

/* Reads the dispute and its game. */
static int load(dispute *d, const char *id_text)
{
    int code = lks_dispute_parse_id(d->id, d->link.command, id_text);
    if (code == LKS_PARSED) {
        code = lks_link_need_game(&d->link);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_dispute_row_get(&d->row, &d->link, d->id);
    if (err == LKS_NOTFOUND || err == LKS_REFUSED) {
        return lks_cli_fail(LKS_EXIT_NO, "%s: %s; is it the right --contracts file?",
                            d->link.command, lks_error_message());
    }
    const lks_claim_terms *claim = &d->row.terms.claim;
    err = err == LKS_OK ? lks_request_view_get(&d->request, &d->link, d->row.request_id, 0) : err;
    err = err == LKS_OK ? lks_follow_open(&d->follow, &d->link, claim->name, d->row.claim_id,
                                          d->request.first_block)
                        : err;
    err = err == LKS_OK ? lks_follow_model_of_chain(&d->follow, claim->model_id) : err;
    err = err == LKS_OK ? lks_follow_update(&d->follow) : err;
    return err == LKS_OK ? LKS_PARSED : lks_link_fail(&d->link, err, NULL);
}

static int show(dispute *d, const char *id_text)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_dispute_gas gas;
    const lks_program *program = d->model_path != NULL ? &d->model.program : NULL;
    int code = load(d, id_text);
    if (code != LKS_PARSED) {
        return code;
    }
    const lks_game_dispute *found = lks_game_dispute_find(d->follow.game, d->id);
    if (found == NULL) {
        return lks_cli_fail(
            LKS_EXIT_CHAIN,
            "dispute show: the node lacks events of the dispute; try another --rpc");
    }
    lks_err err = lks_dispute_gas_get(&gas, &d->link, found);
    if (err != LKS_OK) {
        return lks_link_fail(&d->link, err, NULL);
    }
    lks_progress_end(&d->link.progress);
    if (d->chain.json) {
        lks_json_begin_object(&w);
        lks_dispute_json(&w, &d->follow, found, &gas, program);
        lks_json_end_object(&w);
    } else {
        lks_dispute_print(&d->follow, found, &gas, program);
    }
    lks_dispute_gas_free(&gas);
    return d->chain.json ? lks_out_json(&out, LKS_EXIT_OK) : lks_cli_finish(LKS_EXIT_OK);
}

int lks_cmd_dispute_show(int argc, char **argv)
{
    dispute d = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = LKS_OPT_TEXT,
         .out = &d.model_path,
         .value = "FILE",
         .help = "the request's GGUF file, which gives layers and operations their names"},
        LKS_CHAIN_OPTIONS(d.chain),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] DISPUTE-ID",
        .about = "Shows a dispute: whose move it is and until when, bond, gas, and moves.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 1,
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    if (d.model_path != NULL) {
        code = lks_cli_open_model(&d.model, argv[0], d.model_path);
    }
    if (code == LKS_PARSED) {
        code = lks_link_open(&d.link, &d.chain, NULL, argv[0]);
    }
    return close_all(&d, code == LKS_PARSED ? show(&d, args[0]) : code);
}

static int list(dispute *d)
{
    lks_dispute_list disputes = {0};
    lks_dispute_query query = {.all = d->all};
    uint8_t claim[32], request[32];
    int code = lks_link_need_game(&d->link);
    if (code == LKS_PARSED && d->claim_text != NULL) {
        if (lks_hex_decode(claim, 32, d->claim_text, strlen(d->claim_text)) != LKS_OK) {
            return lks_cli_fail(LKS_EXIT_USAGE,
                                "dispute list: --claim: '%.80s' is not a claim id; give 0x and 64 "
                                "digits",
                                d->claim_text);
        }
        query.claim32 = claim;
    }
    if (code == LKS_PARSED && d->request_text != NULL) {
        code = lks_request_parse_id(request, "dispute list", d->request_text);
        query.request32 = request;
    }
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_dispute_list_get(&disputes, &d->link, &query);
    if (err != LKS_OK) {
        code = lks_link_fail(&d->link, err, NULL);
    } else {
        lks_progress_end(&d->link.progress);
        code = lks_dispute_list_print(&disputes, d->chain.json);
    }
    lks_dispute_list_free(&disputes);
    return code;
}

int lks_cmd_dispute_list(int argc, char **argv)
{
    dispute d = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "claim",
         .kind = LKS_OPT_TEXT,
         .out = &d.claim_text,
         .value = "ID",
         .help = "only those about this claim"},
        {.name = "request",
         .kind = LKS_OPT_TEXT,
         .out = &d.request_text,
         .value = "ID",
         .help = "only those about claims of this request"},
        {.name = "all",
         .letter = 'a',
         .kind = LKS_OPT_FLAG,
         .out = &d.all,
         .help = "also those that are over"},
        LKS_CHAIN_OPTIONS(d.chain),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS]",
        .about = "Lists the deployment's live disputes, in the order in which they were opened.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_link_open(&d.link, &d.chain, NULL, argv[0]);
    return close_all(&d, code == LKS_PARSED ? list(&d) : code);
}

static int print_timeout(dispute *d)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    bool convicted = lks_dispute_operator_moves((lks_dispute_state)d->row.now.state);
    lks_progress_end(&d->link.progress);
    if (!d->chain.json) {
        puts(convicted ? "the operator was late: its claim is convicted"
                       : "the challenger was late: the dispute is lost");
        lks_sent_tell(&d->sent);
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&w);
    lks_json_member_data(&w, "disputeId", d->id, 32);
    lks_json_member_text(&w, "late", convicted ? "operator" : "challenger");
    lks_json_put_name(&w, "transactions");
    lks_json_begin_array(&w);
    lks_sent_json(&w, &d->sent);
    lks_json_end_array(&w);
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

static int send_timeout(dispute *d, const char *id_text)
{
    lks_game_calls calls = {0};
    char when[LKS_TIME_SIZE];
    int code = load(d, id_text);
    if (code != LKS_PARSED) {
        return code;
    }
    const lks_game_dispute *found = lks_game_dispute_find(d->follow.game, d->id);
    if (found == NULL || d->row.now.state == LKS_DISPUTE_CLOSED || found->end != LKS_GAME_LIVE) {
        return lks_cli_fail(LKS_EXIT_NO, "timeout: the dispute is over (lockstep dispute show)");
    }
    if (d->follow.newest.timestamp <= found->deadline) {
        lks_time_text(when, found->deadline);
        return lks_cli_fail(LKS_EXIT_NO,
                            "timeout: the %s has time until %s; the chain's time is %" PRIu64
                            " s earlier, try again then",
                            lks_dispute_operator_moves(found->now.state) ? "operator"
                                                                         : "challenger",
                            when, found->deadline - d->follow.newest.timestamp + 1);
    }
    lks_err err = lks_game_call_timeout(&calls, found);
    if (err != LKS_OK) {
        return lks_link_fail(&d->link, err, NULL);
    }
    d->row.now.state = (uint8_t)found->now.state;
    code = lks_send(&d->link, &d->sent, "timeout", d->link.contracts.game, &calls.items[0].value,
                    &calls.items[0].data, LKS_OK);
    lks_game_calls_free(&calls);
    return code == LKS_PARSED ? print_timeout(d) : code;
}

int lks_cmd_timeout(int argc, char **argv)
{
    dispute d = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        LKS_CHAIN_OPTIONS(d.chain),
        LKS_ACCOUNT_OPTIONS(d.account),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] DISPUTE-ID",
        .about = "Ends a dispute in which the side to move is late; anybody may do so. A late\n"
                 "operator is convicted, a late challenger loses its bond. While there is time\n"
                 "left, it only prints the deadline.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 1,
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_link_open(&d.link, &d.chain, &d.account, argv[0]);
    return close_all(&d, code == LKS_PARSED ? send_timeout(&d, args[0]) : code);
}
