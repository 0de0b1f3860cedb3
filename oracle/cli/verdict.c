#include "oracle/cli/verdict.h"

#include "chain/address.h"
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static lks_place_run place_run(const lks_claim_view *c, const lks_rerun_model *m)
{
    return (lks_place_run){&m->model.program, (uint32_t)c->run.prompt_count,
                           (uint32_t)c->run.answer_count};
}

/* Brings the claim's game up to date. Deployments without a game have none. */
static lks_err read_game(lks_follow *f, lks_link *s, const lks_request_view *v,
                         const lks_claim_view *c, const lks_rerun_model *m)
{
    if (!s->contracts.has_game) {
        return LKS_OK;
    }
    lks_err err = lks_follow_open(f, s, c->name, c->claim_id, v->first_block);
    err = err == LKS_OK ? lks_game_set_model(f->game, &m->commitment) : err;
    return err == LKS_OK ? lks_follow_update(f) : err;
}

int lks_verdict_begin(lks_verdict *out, lks_link *s, const lks_request_view *v,
                      const lks_claim_view *c, const lks_rerun_model *m, bool hashed)
{
    *out = (lks_verdict){.started = lks_now()};
    lks_err err = read_game(&out->follow, s, v, c, m);
    if (err != LKS_OK)
        return lks_link_fail(s, err, NULL);
    out->hashed = hashed;
    if (out->follow.game != NULL)
        out->hashed = hashed || lks_game_shown(out->follow.game)->open;
    return LKS_PARSED;
}

lks_err lks_verdict_judge(lks_trace *trace, void *verdict)
{
    lks_verdict *d = verdict;
    const lks_game *game = d->follow.game;
    lks_err err = LKS_OK;
    d->wrong_token = lks_trace_first_wrong_token(trace);
    d->wrong = d->wrong_token < lks_trace_run(trace)->answer_count;
    if (d->hashed && game != NULL) {
        err = lks_difference_find(&d->difference, trace, lks_game_shown(game));
        if (d->difference.kind == LKS_DIFFERENCE_NODE || d->difference.kind == LKS_DIFFERENCE_BYTE)
            d->wrong = true;
    }
    return err;
}

void lks_verdict_finish(lks_verdict *out, lks_trace *trace)
{
    out->trace = trace;
    lks_follow_close(&out->follow);
    out->seconds = lks_now() - out->started;
}

int lks_verdict_make(lks_verdict *out, lks_link *s, const lks_request_view *v,
                     const lks_claim_view *c, const lks_rerun_model *m, const lks_rerun_args *args,
                     bool hashed)
{
    lks_trace *trace;
    int code = lks_verdict_begin(out, s, v, c, m, hashed);
    if (code == LKS_PARSED)
        code = lks_rerun_trace(&trace, m, &c->run, args, !out->hashed, s->command, &s->progress);
    if (code != LKS_PARSED)
        return code;
    lks_err err = lks_verdict_judge(trace, out);
    lks_verdict_finish(out, trace);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_chain(err, s->command, NULL);
}

void lks_verdict_free(lks_verdict *d)
{
    lks_follow_close(&d->follow);
    lks_trace_free(d->trace);
    *d = (lks_verdict){0};
}

int lks_verdict_code(const lks_verdict *d)
{
    return d->wrong ? LKS_EXIT_WRONG : LKS_EXIT_OK;
}

/* A token for people: its id and, quoted, its text. */
static void print_token(const lks_tokenizer *t, uint32_t id)
{
    const char *piece;
    size_t len = lks_tokenizer_piece(t, id, true, &piece);
    printf("%" PRIu32 " \"", id);
    for (size_t i = 0, run = 0; i < len; i = run) {
        while (run < len && piece[run] != '\n' && piece[run] != '\t') {
            run++;
        }
        lks_out_safe(piece + i, run - i);
        if (run < len) {
            fputs(piece[run++] == '\n' ? "\\n" : "\\t", stdout);
        }
    }
    putchar('"');
}

static const char *standing_text(const lks_claim_view *c, const lks_request_view *v)
{
    if (c->convicted) {
        return "convicted";
    }
    if (c->voided) {
        return "void";
    }
    if (c->standing) {
        return v->time <= c->window_end ? "open to challenge" : "its window is over";
    }
    return v->state.status == LKS_REQUEST_FINAL ? "final" : "no longer standing";
}

void lks_verdict_print(const lks_verdict *d, const lks_request_view *v, const lks_claim_view *c,
                       const lks_rerun_model *m)
{
    char hash[LKS_HEX_SIZE(32)], address[LKS_ADDRESS_SIZE], text[2 * LKS_PLACE_SIZE],
        when[LKS_TIME_SIZE];
    lks_place_run run = place_run(c, m);
    lks_hex_encode(hash, v->id, 32);
    printf("%-18s %s\n", "request", hash);
    lks_hex_encode(hash, c->claim_id, 32);
    printf("%-18s %s\n", "claim", hash);
    lks_address_format(address, c->operator20);
    printf("%-18s %s, attempt %u, seat %u\n", "operator", address, c->attempt, c->seat);
    lks_time_text(when, c->window_end);
    printf("%-18s %s, window until %s\n", "state", standing_text(c, v), when);
    printf("%-18s %zu of prompt, %zu claimed\n", "tokens", c->run.prompt_count,
           c->run.answer_count);
    if (d->wrong_token < c->run.answer_count) {
        printf("%-18s token %" PRIu32 " of the answer, position %zu: claimed ", "first wrong token",
               d->wrong_token, c->run.prompt_count + d->wrong_token);
        print_token(m->model.tokenizer, c->run.answer[d->wrong_token]);
        printf(", right is ");
        print_token(m->model.tokenizer, lks_trace_tokens(d->trace)[d->wrong_token]);
        putchar('\n');
    }
    lks_difference_text(text, &d->difference, &run);
    printf("%-18s %s\n", "operator's trace", text);
    printf("%-18s %.2f s\n", "time", d->seconds);
}

static void token_json(lks_json_writer *w, const char *name, const lks_tokenizer *t, uint32_t id)
{
    const char *piece;
    size_t len = lks_tokenizer_piece(t, id, true, &piece);
    lks_json_put_name(w, name);
    lks_json_begin_object(w);
    lks_json_member_u64(w, "id", id);
    lks_json_put_name(w, "text");
    lks_json_put_string(w, piece, len);
    lks_json_end_object(w);
}

void lks_verdict_json(lks_json_writer *w, const lks_verdict *d, const lks_request_view *v,
                      const lks_claim_view *c, const lks_rerun_model *m)
{
    lks_place_run run = place_run(c, m);
    lks_json_member_text(w, "verdict", d->wrong ? "wrong" : "right");
    lks_json_member_data(w, "requestId", v->id, 32);
    lks_json_member_data(w, "claimId", c->claim_id, 32);
    lks_json_member_address(w, "operator", c->operator20);
    lks_json_member_u64(w, "attempt", c->attempt);
    lks_json_member_u64(w, "seat", c->seat);
    lks_json_member_text(w, "state", standing_text(c, v));
    lks_json_member_u64(w, "windowEnd", c->window_end);
    lks_json_member_u64(w, "promptCount", c->run.prompt_count);
    lks_json_member_u64(w, "tokenCount", c->run.answer_count);
    if (d->wrong_token < c->run.answer_count) {
        lks_json_put_name(w, "firstWrongToken");
        lks_json_begin_object(w);
        lks_json_member_u64(w, "index", d->wrong_token);
        lks_json_member_u64(w, "position", c->run.prompt_count + d->wrong_token);
        token_json(w, "claimed", m->model.tokenizer, c->run.answer[d->wrong_token]);
        token_json(w, "expected", m->model.tokenizer, lks_trace_tokens(d->trace)[d->wrong_token]);
        lks_json_end_object(w);
    }
    lks_json_put_name(w, "trace");
    lks_json_begin_object(w);
    lks_difference_json(w, &d->difference, &run);
    lks_json_end_object(w);
    lks_json_member_f64(w, "seconds", d->seconds);
}
