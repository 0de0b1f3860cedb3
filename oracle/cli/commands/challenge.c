/* lockstep challenge: disputes a wrong claim and plays the dispute to its end. */
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/case.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/dispute_list.h"
#include "oracle/cli/output.h"
#include "oracle/cli/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct challenge {
    const char *resume;
    bool force, no_play;
    lks_case on;
    lks_account_args account;
    lks_play play;
} challenge;

/* The claim that --resume's dispute is about. */
static int find_by_dispute(challenge *c, uint8_t id32[32])
{
    lks_dispute_row d;
    int code = lks_dispute_parse_id(id32, c->on.link.command, c->resume);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_dispute_row_get(&d, &c->on.link, id32);
    if (err == LKS_NOTFOUND || err == LKS_REFUSED) {
        return lks_cli_fail(LKS_EXIT_NO, "challenge: %s; is it the right --contracts file?",
                            lks_error_message());
    }
    if (err == LKS_OK &&
        memcmp(d.terms.challenger, lks_signer_address(c->on.link.signer), 20) != 0) {
        char address[LKS_ADDRESS_SIZE];
        lks_address_format(address, d.terms.challenger);
        return lks_cli_fail(LKS_EXIT_AUTH,
                            "challenge: the dispute belongs to %s; choose that account with "
                            "--keystore or --account",
                            address);
    }
    err = err == LKS_OK ? lks_request_view_get(&c->on.view, &c->on.link, d.request_id, 0) : err;
    err = err == LKS_OK ? lks_claim_view_by_name(&c->on.claim, &c->on.view, &c->on.link.contracts,
                                                 d.terms.claim.name)
                        : err;
    return err == LKS_OK ? LKS_PARSED : lks_link_fail(&c->on.link, err, NULL);
}

/* Whether a new dispute can be opened, and whether there is a reason to. */
static int check_reasons(const challenge *c)
{
    char when[LKS_TIME_SIZE];
    if (!c->on.claim.standing) {
        return lks_cli_fail(LKS_EXIT_NO, "challenge: the claim %s; there is nothing to dispute",
                            c->on.claim.convicted ? "is convicted already"
                                                  : "does not stand any more");
    }
    if (c->play.follow.newest.timestamp > c->on.claim.window_end) {
        lks_time_text(when, c->on.claim.window_end);
        return lks_cli_fail(
            LKS_EXIT_NO,
            "challenge: the challenge window ended at %s; disputes open only inside it", when);
    }
    if (!c->on.verdict.wrong && !c->force) {
        return lks_cli_fail(
            LKS_EXIT_NO, "challenge: the claim is right; a dispute about it would lose the bond");
    }
    return LKS_PARSED;
}

static int open_dispute(challenge *c)
{
    char text[LKS_HEX_SIZE(32)], bond[LKS_ETHER_SIZE];
    lks_u256 wei;
    int code = check_reasons(c);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_bond_get(&wei, &c->on.link, &c->on.view.request.stake);
    if (err != LKS_OK) {
        return lks_link_fail(&c->on.link, err, NULL);
    }
    lks_wei_format(bond, &wei);
    if (!c->on.chain.json) {
        printf("%-18s %s ether, which comes back unless the dispute is lost\n", "bond", bond);
    }
    code = lks_play_challenge(&c->play, &wei);
    if (code == LKS_PARSED && !c->on.chain.json) {
        lks_hex_encode(text, c->play.dispute_id, 32);
        lks_progress_end(&c->on.link.progress);
        printf("%-18s %s\n", "dispute", text);
        fflush(stdout);
    }
    return code;
}

/* The account's dispute on the claim: the one named, a live one, or a new one. */
static int find_dispute(challenge *c, const uint8_t *named32)
{
    char text[LKS_HEX_SIZE(32)];
    const lks_game_dispute *d = named32 != NULL
                                    ? lks_game_dispute_find(c->play.follow.game, named32)
                                    : lks_play_find_own(&c->play);
    if (named32 != NULL && d == NULL) {
        return lks_cli_fail(LKS_EXIT_CHAIN,
                            "challenge: the node lacks events of the dispute; try another --rpc");
    }
    if (d == NULL) {
        return open_dispute(c);
    }
    lks_play_resume(&c->play, d);
    if (!c->on.chain.json) {
        lks_hex_encode(text, d->id, 32);
        printf("%-18s %s, resumed\n", "dispute", text);
        fflush(stdout);
    }
    return LKS_PARSED;
}

static int print_json(challenge *c, int code)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_dispute_gas gas = {0};
    lks_err err = lks_follow_update(&c->play.follow);
    const lks_game_dispute *d =
        err == LKS_OK ? lks_game_dispute_find(c->play.follow.game, c->play.dispute_id) : NULL;
    err = d != NULL ? lks_dispute_gas_get(&gas, &c->on.link, d) : err;
    if (err != LKS_OK || d == NULL) {
        return err != LKS_OK
                   ? lks_link_fail(&c->on.link, err, NULL)
                   : lks_cli_fail(LKS_EXIT_CHAIN, "challenge: the node does not show the dispute");
    }
    lks_progress_end(&c->on.link.progress);
    lks_json_begin_object(&w);
    lks_dispute_json(&w, &c->play.follow, d, &gas, &c->on.model.model.program);
    lks_json_put_name(&w, "verdict");
    lks_json_begin_object(&w);
    lks_verdict_json(&w, &c->on.verdict, &c->on.view, &c->on.claim, &c->on.model);
    lks_json_end_object(&w);
    lks_json_end_object(&w);
    lks_dispute_gas_free(&gas);
    return lks_out_json(&out, code);
}

static int print_end(challenge *c, int code)
{
    char spent[LKS_ETHER_SIZE];
    static const char *const ENDS[] = {
        [LKS_GAME_LIVE] = "nothing to prove: the bond will be lost",
        [LKS_GAME_WON] = "won: the claim is convicted",
        [LKS_GAME_LOST] = "lost: the bond is gone",
        [LKS_GAME_MOOT] =
            "ended with its claim, which another convicted, or which is void or stands no longer"};
    lks_wei_format(spent, &c->play.spent);
    printf("%-18s %s\n", "result", ENDS[lks_play_result(&c->play)]);
    printf("%-18s %" PRIu64 " in this run's transactions, %s ether\n", "own gas", c->play.gas,
           spent);
    return lks_cli_finish(code);
}

static int prepare(challenge *c, const char *request, uint8_t dispute32[32])
{
    int code = lks_link_need_game(&c->on.link);
    if (code == LKS_PARSED) {
        code = c->resume != NULL ? find_by_dispute(c, dispute32)
                                 : lks_claim_view_get(&c->on.view, &c->on.claim, &c->on.link,
                                                      request, &c->on.which);
    }
    return code == LKS_PARSED ? lks_case_judge(&c->on, true) : code;
}

static int run(challenge *c, const char *request)
{
    uint8_t dispute[32];
    int code = prepare(c, request, dispute);
    if (code == LKS_PARSED) {
        code = lks_play_open(&c->play, &c->on.link, &c->on.view, &c->on.claim, &c->on.model,
                             c->on.verdict.trace);
    }
    c->play.quiet = c->on.chain.json;
    if (code == LKS_PARSED) {
        code = find_dispute(c, c->resume != NULL ? dispute : NULL);
    }
    if (code == LKS_PARSED && c->no_play) {
        return c->on.chain.json ? print_json(c, LKS_EXIT_OK) : lks_cli_finish(LKS_EXIT_OK);
    }
    if (code == LKS_PARSED) {
        code = lks_rerun_trees(&c->on.model, c->on.link.command, &c->on.link.progress);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_play_to_end(&c->play);
    if (code != LKS_EXIT_OK && code != LKS_EXIT_NO) {
        return code;
    }
    return c->on.chain.json ? print_json(c, code) : print_end(c, code);
}

int lks_cmd_challenge(int argc, char **argv)
{
    challenge c = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "resume",
         .kind = LKS_OPT_TEXT,
         .out = &c.resume,
         .value = "DISPUTE-ID",
         .help = "resume this dispute of the account"},
        {.name = "no-play",
         .kind = LKS_OPT_FLAG,
         .out = &c.no_play,
         .help = "open the dispute and exit; run it again to play"},
        {.name = "force",
         .kind = LKS_OPT_FLAG,
         .out = &c.force,
         .help = "dispute the claim although it is right, which loses the bond (for tests)"},
        LKS_CASE_OPTIONS(c.on),
        LKS_ACCOUNT_OPTIONS(c.account),
    };
    const lks_usage usage = {
        .synopsis = "-m FILE [OPTIONS] (REQUEST-ID | --resume DISPUTE-ID)",
        .about = "Computes a claim of the request again. When it is wrong, opens a dispute with\n"
                 "a bond and plays it: finds the first difference in the trace that the operator\n"
                 "must show, proves it on chain or lets the operator's time run out, and\n"
                 "withdraws what it has won. While others dispute the claim too, commits to its\n"
                 "proof two blocks before it sends it, so that nobody can copy it. Prints every\n"
                 "move with its gas. After an interrupt, the same command resumes the account's\n"
                 "open dispute. Exits with 0 when the claim fell, 1 when it is right, closed to\n"
                 "disputes, or the dispute was lost.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    if ((c.resume != NULL) == (arg_count == 1)) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "challenge: give either REQUEST-ID or --resume DISPUTE-ID");
    }
    code = lks_link_open(&c.on.link, &c.on.chain, &c.account, argv[0]);
    if (code == LKS_PARSED) {
        code = run(&c, arg_count == 1 ? args[0] : NULL);
    }
    lks_play_close(&c.play);
    lks_case_close(&c.on);
    return code;
}
