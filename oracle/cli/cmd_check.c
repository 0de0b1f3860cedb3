/* lockstep check: a claim computed again, right or wrong. */
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"
#include "oracle/cli/verdict.h"

#include <stdio.h>

typedef struct check {
    lks_rerun_args rerun;
    lks_claim_args which;
    lks_chain_args chain;
    lks_link link;
    lks_request_view view;
    lks_claim_view claim;
    lks_rerun_model model;
    lks_verdict verdict;
} check;

static int print_json(const check *c)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_json_begin_object(&w);
    lks_verdict_json(&w, &c->verdict, &c->view, &c->claim, &c->model);
    lks_json_end_object(&w);
    return lks_out_json(&out, lks_verdict_code(&c->verdict));
}

static int run(check *c, const char *request)
{
    int code = lks_claim_view_get(&c->view, &c->claim, &c->link, request, &c->which);
    if (code == LKS_PARSED) {
        code = lks_rerun_open(&c->model, &c->rerun, c->link.command, &c->link.progress);
    }
    if (code == LKS_PARSED) {
        code = lks_rerun_match(&c->model, &c->view.request, c->link.command);
    }
    if (code == LKS_PARSED) {
        code = lks_verdict_make(&c->verdict, &c->link, &c->view, &c->claim, &c->model, &c->rerun, false);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    if (c->chain.json) {
        return print_json(c);
    }
    puts(c->verdict.wrong ? "wrong" : "right");
    lks_verdict_print(&c->verdict, &c->view, &c->claim, &c->model);
    return lks_cli_finish(lks_verdict_code(&c->verdict));
}

int lks_cmd_check(int argc, char **argv)
{
    check c = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        LKS_RERUN_OPTIONS(c.rerun),
        LKS_CLAIM_OPTIONS(c.which),
        LKS_CHAIN_OPTIONS(c.chain),
    };
    const lks_usage usage = {.synopsis = "-m FILE [OPTIONS] REQUEST-ID",
                             .about = "Computes a claim of the request again, in one pass over prompt and answer, and says whether it is right. Works on final\n"
                                      "claims too. Names the first wrong token; and where the operator's trace is open on chain, the first difference in it as\n"
                                      "far as it is revealed: layer, operation, position, byte. Needs no account. Ends with 0 for right and 8 for wrong.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof options[0],
                             .min_args = 1,
                             .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_link_open(&c.link, &c.chain, NULL, argv[0]);
    if (code == LKS_PARSED) {
        code = run(&c, args[0]);
    }
    lks_verdict_free(&c.verdict);
    lks_rerun_close(&c.model);
    lks_claim_view_free(&c.claim);
    lks_request_view_free(&c.view);
    lks_link_close(&c.link);
    return code;
}
