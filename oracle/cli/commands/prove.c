/* lockstep prove: shows a claim wrong in one transaction, without a dispute. */
#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/case.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/credit.h"
#include "oracle/cli/output.h"
#include "oracle/cli/play.h"
#include "oracle/proof/unit_find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGNATURE_SIZE 65u
/* Seconds without a new block after which it gives up. */
#define BLOCK_TIMEOUT_S 180.0

typedef struct prove {
    const char *root_text, *signature_text;
    lks_case on;
    lks_account_args account;
    lks_play play;
    uint8_t root[32], signature[SIGNATURE_SIZE]; /* of --root, --signature */
    uint8_t salt[32];
    lks_witness witness;
    bool equivocation; /* two roots prove it, no witness is needed */
    lks_sent sent[2];
} prove;

static int read_root(prove *p)
{
    if ((p->root_text != NULL) != (p->signature_text != NULL)) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "prove: a root that is not open on chain needs both --root and "
                            "--signature");
    }
    if (p->root_text != NULL &&
        lks_hex_decode(p->root, 32, p->root_text, strlen(p->root_text)) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "prove: --root: '%.80s' is not a root; give 0x and 64 digits",
                            p->root_text);
    }
    if (p->root_text != NULL && lks_hex_decode(p->signature, SIGNATURE_SIZE, p->signature_text,
                                               strlen(p->signature_text)) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "prove: --signature: give r, s and v, 0x and 130 digits");
    }
    return LKS_PARSED;
}

/* Whether the operator of the claim signed the root. */
static int check_signature(const prove *p)
{
    uint8_t digest[32], signer[20];
    lks_signature s;
    uint8_t v = p->signature[64];
    if (v != 27 && v != 28) {
        return lks_cli_fail(LKS_EXIT_USAGE, "prove: --signature: its last byte is 27 or 28, not %u",
                            v);
    }
    memcpy(s.r32, p->signature, 32);
    memcpy(s.s32, p->signature + 32, 32);
    s.parity = v - 27;
    lks_trace_root_hash(digest, p->on.link.contracts.chain_id, p->on.link.contracts.game,
                        p->on.claim.claim_id, p->root);
    if (lks_recover_address(signer, &s, digest) != LKS_OK ||
        memcmp(signer, p->on.claim.operator20, 20) != 0) {
        return lks_cli_fail(LKS_EXIT_NO,
                            "prove: the claim's operator did not sign that root for this claim");
    }
    return LKS_PARSED;
}

static int fail_dispute_only(const char *why)
{
    return lks_cli_fail(LKS_EXIT_NO,
                        "prove: %s; only a dispute can show the fault: lockstep challenge", why);
}

/* A fault of the opened trace, which differs from the own one. */
static int find_in_trace(prove *p, lks_unit *u, const lks_known *known)
{
    const lks_difference *d = &p->on.verdict.difference;
    if (d->kind != LKS_DIFFERENCE_BYTE) {
        return fail_dispute_only("the operator's trace differs from the right one, and the bytes "
                                 "of its first difference are not revealed");
    }
    if (p->on.model.model.program.ops[d->op].code == LKS_OP_ATTN) {
        return fail_dispute_only("the first difference is in an attention operation, whose "
                                 "partials the operator must post");
    }
    lks_err err =
        lks_unit_find(u, p->on.verdict.trace, p->on.model.trees, known, d->op, (uint32_t)d->index);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, "prove", NULL);
}

/* Finds what can be proved against the root. Out: p->witness, or p->equivocation. */
static int find_fault(prove *p)
{
    const lks_shown *shown = lks_game_shown(p->play.follow.game);
    const uint8_t *root = p->root_text != NULL ? p->root : shown->root;
    const lks_known nothing = {0};
    uint8_t own[32];
    lks_unit u;
    bool wrong = false;
    int code = LKS_PARSED;
    if (p->root_text == NULL && !shown->open) {
        return fail_dispute_only("the operator's trace is not open and no signed root is given");
    }
    if (p->root_text != NULL && shown->open && memcmp(root, shown->root, 32) != 0) {
        p->equivocation = true;
        return LKS_PARSED;
    }
    lks_trace_root(own, p->on.verdict.trace);
    bool same = memcmp(root, own, 32) == 0;
    if (same && p->on.verdict.wrong_token >= p->on.claim.run.answer_count) {
        return lks_cli_fail(LKS_EXIT_NO,
                            "prove: the claim is right: its tokens and its root match ours");
    }
    if (!same && !shown->open) {
        return fail_dispute_only("the signed root differs from the right one, and nothing of its "
                                 "trace is revealed");
    }
    const lks_known *known = shown->open ? &shown->known : &nothing;
    lks_err err = LKS_OK;
    if (same) {
        err = lks_unit_find_token(&u, p->on.verdict.trace, p->on.verdict.wrong_token);
    } else {
        code = find_in_trace(p, &u, known);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    err = err == LKS_OK ? lks_witness_make(&p->witness, &wrong, p->on.verdict.trace,
                                           p->on.model.trees, known, &u, NULL, 0)
                        : err;
    if (err == LKS_OK && !wrong) {
        err = lks_fail(LKS_INTERNAL, "the unit that was found shows nothing wrong");
    }
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, "prove", NULL);
}

static lks_err write_commit(prove *p, lks_buf *call)
{
    lks_game_calls calls = {0};
    const uint8_t *sender = lks_signer_address(p->on.link.signer);
    uint8_t subject[32], commitment[32];
    if (p->equivocation) {
        lks_equivocation_hash(subject, lks_game_shown(p->play.follow.game)->root, p->root);
        lks_proof_commitment(commitment, sender, p->salt, subject);
        return lks_call_commit_proof(call, commitment);
    }
    lks_err err = lks_game_call_commit_proof(&calls, &p->witness, sender, p->salt);
    if (err == LKS_OK) {
        lks_buf_put(call, calls.items[0].data.data, calls.items[0].data.len);
    }
    lks_game_calls_free(&calls);
    return err == LKS_OK ? lks_buf_error(call) : err;
}

static lks_err write_proof(prove *p, lks_buf *call)
{
    lks_game_calls calls = {0};
    const lks_shown *shown = lks_game_shown(p->play.follow.game);
    size_t len = p->root_text != NULL ? SIGNATURE_SIZE : 0;
    lks_err err;
    if (p->equivocation) {
        err = lks_game_call_prove_equivocation(&calls, p->play.follow.game, p->root, p->signature,
                                               len, p->salt);
    } else {
        err = lks_game_call_prove(&calls, p->play.follow.game, len != 0 ? p->root : shown->root,
                                  len != 0 ? p->signature : NULL, len, &p->witness, p->salt);
    }
    if (err == LKS_OK) {
        lks_buf_put(call, calls.items[0].data.data, calls.items[0].data.len);
    }
    lks_game_calls_free(&calls);
    return err == LKS_OK ? lks_buf_error(call) : err;
}

/* Waits until the commitment of that block is old enough, which it must be longer while a dispute
 * about the claim is live. */
static int wait_for_commitment(prove *p, uint64_t block)
{
    const struct timespec pause = {.tv_nsec = 300000000};
    lks_follow *f = &p->play.follow;
    double moved = lks_now();
    char wait[96];
    for (uint64_t last = 0;;) {
        lks_err err = lks_follow_update(f);
        if (err != LKS_OK && err != LKS_IO && err != LKS_TIMEOUT && err != LKS_BUSY) {
            return lks_link_fail(&p->on.link, err, NULL);
        }
        uint64_t newest = f->newest.number, due = block + lks_game_proof_delay(f->game);
        if (err == LKS_OK && newest >= due) {
            return LKS_PARSED;
        }
        if (err == LKS_OK && newest != last) {
            last = newest;
            moved = lks_now();
        }
        if (lks_now() - moved > BLOCK_TIMEOUT_S) {
            lks_progress_end(&p->on.link.progress);
            return lks_cli_fail(LKS_EXIT_CHAIN,
                                "prove: the chain made no block in %.0f s; run it again",
                                BLOCK_TIMEOUT_S);
        }
        snprintf(wait, sizeof wait, "waiting for the commitment to be %" PRIu64 " blocks old",
                 lks_game_proof_delay(f->game));
        lks_progress_wait(&p->on.link.progress, wait);
        nanosleep(&pause, NULL);
    }
}

static int send_proof(prove *p)
{
    const lks_u256 nothing = {{0}};
    const uint8_t *game = p->on.link.contracts.game;
    lks_buf call = {0};
    /* Not derived from anything: who knew the salt could copy the proof out of the pool. */
    lks_err err = lks_random(p->salt, sizeof p->salt);
    err = err == LKS_OK ? write_commit(p, &call) : err;
    int code = lks_send(&p->on.link, &p->sent[0], "commit proof", game, &nothing, &call, err);
    if (code == LKS_PARSED) {
        code = wait_for_commitment(p, p->sent[0].receipt.block_number);
    }
    if (code == LKS_PARSED) {
        err = write_proof(p, &call);
        code = lks_send(&p->on.link, &p->sent[1], "prove", game, &nothing, &call, err);
    }
    return code;
}

static int print_result(prove *p)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    if (!p->on.chain.json) {
        printf("%-18s %s\n", "result",
               p->equivocation ? "the claim is convicted: its operator signed two roots"
                               : "the claim is convicted");
        lks_sent_tell(&p->sent[0]);
        lks_sent_tell(&p->sent[1]);
        int code = lks_credit_collect(&p->on.link, stdout);
        return lks_cli_finish(code == LKS_PARSED ? LKS_EXIT_OK : code);
    }
    int code = lks_credit_collect(&p->on.link, NULL);
    lks_progress_end(&p->on.link.progress);
    lks_json_begin_object(&w);
    lks_verdict_json(&w, &p->on.verdict, &p->on.view, &p->on.claim, &p->on.model);
    lks_json_put_name(&w, "equivocation");
    lks_json_put_bool(&w, p->equivocation);
    lks_json_put_name(&w, "transactions");
    lks_json_begin_array(&w);
    lks_sent_json(&w, &p->sent[0]);
    lks_sent_json(&w, &p->sent[1]);
    lks_json_end_array(&w);
    lks_json_end_object(&w);
    return lks_out_json(&out, code == LKS_PARSED ? LKS_EXIT_OK : code);
}

static int prepare(prove *p, const char *request)
{
    int code = lks_link_need_game(&p->on.link);
    if (code == LKS_PARSED) {
        code = lks_claim_view_get(&p->on.view, &p->on.claim, &p->on.link, request, &p->on.which);
    }
    if (code == LKS_PARSED && !p->on.claim.standing) {
        code = lks_cli_fail(LKS_EXIT_NO, "prove: the claim %s; there is nothing to prove",
                            p->on.claim.convicted ? "is convicted already"
                                                  : "does not stand any more");
    }
    if (code == LKS_PARSED && p->root_text != NULL) {
        code = check_signature(p);
    }
    if (code == LKS_PARSED) {
        code = lks_case_judge(&p->on, true);
    }
    if (code == LKS_PARSED) {
        code = lks_rerun_trees(&p->on.model, p->on.link.command, &p->on.link.progress);
    }
    return code == LKS_PARSED ? lks_play_open(&p->play, &p->on.link, &p->on.view, &p->on.claim,
                                              &p->on.model, p->on.verdict.trace)
                              : code;
}

static int run(prove *p, const char *request)
{
    int code = prepare(p, request);
    if (code == LKS_PARSED) {
        code = find_fault(p);
    }
    if (code == LKS_PARSED) {
        code = send_proof(p);
    }
    return code == LKS_PARSED ? print_result(p) : code;
}

int lks_cmd_prove(int argc, char **argv)
{
    prove p = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "root",
         .kind = LKS_OPT_TEXT,
         .out = &p.root_text,
         .value = "ROOT",
         .help = "a root of the claim's trace that the operator signed"},
        {.name = "signature",
         .kind = LKS_OPT_TEXT,
         .out = &p.signature_text,
         .value = "SIGNATURE",
         .help = "its signature: r, s, v, 65 bytes in hexadecimal"},
        LKS_CASE_OPTIONS(p.on),
        LKS_ACCOUNT_OPTIONS(p.account),
    };
    const lks_usage usage = {
        .synopsis = "-m FILE [OPTIONS] REQUEST-ID",
        .about = "Computes a claim of the request again and proves it wrong without a dispute if\n"
                 "possible. That takes a trace that is open on chain, or a signed root, and one\n"
                 "of these: the trace is right and a token is wrong; the first wrong bytes are\n"
                 "revealed; the operator signed a root other than the one that it opened. Sends\n"
                 "a commitment, waits two blocks (fifty while a dispute about the claim is\n"
                 "live), sends the proof and withdraws the reward. Says when only a dispute can\n"
                 "show the fault.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 1,
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code == LKS_PARSED) {
        code = read_root(&p);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_link_open(&p.on.link, &p.on.chain, &p.account, argv[0]);
    if (code == LKS_PARSED) {
        code = run(&p, args[0]);
    }
    lks_sent_free(&p.sent[0]);
    lks_sent_free(&p.sent[1]);
    lks_witness_free(&p.witness);
    lks_play_close(&p.play);
    lks_case_close(&p.on);
    return code;
}
