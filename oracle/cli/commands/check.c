/* lockstep check: a claim computed again, right or wrong. */
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/case.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"

#include <stdio.h>

static int print_json(const lks_case *c)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_json_begin_object(&w);
    lks_verdict_json(&w, &c->verdict, &c->view, &c->claim, &c->model);
    lks_json_end_object(&w);
    return lks_out_json(&out, lks_verdict_code(&c->verdict));
}

static int run(lks_case *c, const char *request)
{
    int code = lks_claim_view_get(&c->view, &c->claim, &c->link, request, &c->which);
    if (code == LKS_PARSED) {
        code = lks_case_judge(c, false);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    return c->chain.json ? print_json(c) : lks_cli_finish(lks_verdict_code(&c->verdict));
}

int lks_cmd_check(int argc, char **argv)
{
    lks_case c = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        LKS_CASE_OPTIONS(c),
    };
    const lks_usage usage = {
        .synopsis = "-m FILE [OPTIONS] REQUEST-ID",
        .about = "Computes a claim of the request again, in one pass over prompt and answer, and\n"
                 "says whether it is right. Works on final claims too. Names the first wrong\n"
                 "token; and where the operator's trace is open on chain, the first difference\n"
                 "in it as far as it is revealed: layer, operation, position, byte. Needs no\n"
                 "account. Exits with 0 for right and 8 for wrong.\n",
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
    lks_case_close(&c);
    return code;
}
