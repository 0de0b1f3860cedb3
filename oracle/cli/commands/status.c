/* lockstep status: one request, or the deployment and an account in it. */
#include "chain/address.h"
#include "chain/hex.h"
#include "chain/keystore.h"
#include "oracle/cli/bond_view.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/dispute_list.h"
#include "oracle/cli/lookback.h"
#include "oracle/cli/open_claims.h"
#include "oracle/cli/output.h"
#include "oracle/cli/policy.h"
#include "oracle/cli/request_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct status {
    const char *model_path, *of;
    uint8_t of20[20];
    lks_chain_args chain;
    lks_account_args account;
    lks_link link;
    lks_gguf *file;
    lks_tokenizer *tokenizer;
} status;

static void print_row(const char *label, const char *text)
{
    printf("%-18s %s\n", label, text);
}

/* Prints the step that the request waits for, and until when. */
static void print_deadline(const lks_request_view *v)
{
    const lks_request_state *state = &v->state;
    bool filling = state->status == LKS_REQUEST_OPEN && state->seats_taken > 0;
    uint64_t until = state->status == LKS_REQUEST_OPEN && !filling ? v->request.accept_deadline
                                                                   : state->deadline;
    const char *what = filling                                  ? " for the other seats"
                       : state->status == LKS_REQUEST_OPEN      ? " to accept"
                       : state->status == LKS_REQUEST_CLAIMED   ? " to challenge"
                       : state->status == LKS_REQUEST_REVEALING ? " to reveal"
                                                                : " to claim";
    char when[LKS_TIME_SIZE];
    lks_time_text(when, until);
    printf("%-18s %s%s%s\n", "until", when, what,
           v->time > until ? ", which is over: lockstep finalize settles what is due" : "");
}

static void print_state(const lks_request_view *v)
{
    const lks_request_state *state = &v->state;
    char amount[LKS_ETHER_SIZE];
    bool open = state->status == LKS_REQUEST_OPEN;
    const char *more = !open ? ""
                       : state->attempt > LKS_MAX_ATTEMPTS
                           ? ", to nobody: all attempts were convicted"
                       : state->cancelled                        ? ", to nobody: cancelled"
                       : state->misses > 0 || state->attempt > 1 ? " again"
                                                                 : "";
    printf("%-18s %s%s\n", "status", lks_request_status_word(state->status), more);
    if (!lks_request_is_settled(state->status)) {
        print_deadline(v);
        printf("%-18s %u of %u, attempt %u of %u\n", "seats taken", state->seats_taken,
               v->request.replicas, state->attempt, LKS_MAX_ATTEMPTS);
    }
    if (state->cancelled && !open) {
        print_row("cancelled", "it does not open again");
    }
    if (state->misses > 0) {
        printf("%-18s %u%s round%s ended without a claim; the next costs its operator %u %% of the "
               "stake\n",
               "misses", state->misses, state->misses == 3 ? " or more" : "",
               state->misses == 1 ? "" : "s", 2u << state->misses);
    }
    if (!lks_u256_is_zero(&v->credit)) {
        lks_wei_format(amount, &v->credit);
        printf("%-18s %s ether for the requester: lockstep credit withdraw --request\n",
               "money back", amount);
    }
}

static void print_terms(const lks_request_view *v)
{
    const lks_request *r = &v->request;
    char hash[LKS_HEX_SIZE(32)], address[LKS_ADDRESS_SIZE], amount[LKS_ETHER_SIZE];
    float temperature, min_p;
    memcpy(&temperature, &r->temperature, sizeof temperature);
    memcpy(&min_p, &r->min_p, sizeof min_p);
    lks_hex_encode(hash, v->id, 32);
    print_row("request", hash);
    print_state(v);
    lks_hex_encode(hash, r->model_id, 32);
    print_row("model", hash);
    lks_address_format(address, r->requester);
    print_row("requester", address);
    printf("%-18s %" PRIu32 " tokens of prompt, at most %" PRIu32 " of answer\n", "length",
           r->prompt_count, r->max_tokens);
    if (temperature == 0) {
        print_row("policy", r->allowed_count > 0 ? "greedy among allowed tokens" : "greedy");
    } else {
        printf("%-18s temperature %.9g, min-p %.9g%s\n", "policy", (double)temperature,
               (double)min_p, r->allowed_count > 0 ? ", among allowed tokens" : "");
    }
    if (v->state.seed_fixed) {
        printf("%-18s %" PRIu64 "\n", "seed used", v->state.seed);
    }
    lks_wei_format(amount, &r->fee);
    printf("%-18s %s ether\n", "fee", amount);
    lks_wei_format(amount, &r->stake);
    printf("%-18s %s ether\n%-18s %" PRIu32 " s\n", "stake", amount, "window", r->window);
}

static void print_events(const lks_request_view *v)
{
    char line[256];
    printf("\n");
    for (size_t i = 0; i < v->event_count; i++) {
        const lks_request_event *event = &v->events[i];
        lks_event_line(line, sizeof line, &event->e);
        printf("block %-10" PRIu64 " %8" PRIu64 " gas  %s\n", event->log->block_number,
               event->gas_used, line);
    }
}

static void print_disputes(const lks_dispute_list *l)
{
    char id[LKS_HEX_SIZE(32)], text[256];
    for (size_t i = 0; i < l->count; i++) {
        lks_hex_encode(id, l->rows[i].id, 32);
        lks_dispute_row_text(text, sizeof text, &l->rows[i], l->time);
        printf("%sdispute %s, %s\n", i == 0 ? "\n" : "", id, text);
    }
}

static int print_request(status *st, const lks_request_view *v, const lks_dispute_list *disputes)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    if (st->chain.json) {
        lks_json_begin_object(&w);
        lks_request_json(&w, v);
        lks_dispute_list_json(&w, disputes);
        if (v->claim != NULL) {
            lks_answer_json(&w, v, st->tokenizer);
        }
        lks_json_end_object(&w);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    print_terms(v);
    print_events(v);
    print_disputes(disputes);
    if (v->claim != NULL) {
        printf("\n%s (%s)\n",
               v->state.status == LKS_REQUEST_FINAL ? "The answer" : "The claim, not final",
               st->tokenizer != NULL ? "text"
                                     : "token ids; name the model file with -m for the text");
        lks_answer_print(v, st->tokenizer);
    }
    return lks_cli_finish(LKS_EXIT_OK);
}

static int show_request(status *st, const char *id_text)
{
    lks_request_view v = {0};
    lks_dispute_list disputes = {0};
    uint8_t id[32];
    int code = lks_request_parse_id(id, "status", id_text);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_request_view_get(&v, &st->link, id, 0);
    if (err == LKS_OK && st->link.contracts.has_game) {
        const lks_dispute_query query = {.request32 = id, .from = v.first_block, .all = true};
        err = lks_dispute_list_get(&disputes, &st->link, &query);
    }
    if (err == LKS_NOTFOUND) {
        lks_progress_end(&st->link.progress);
        code = lks_cli_fail(LKS_EXIT_NO, "status: %s; is it the right --contracts file?",
                            lks_error_message());
    } else if (err != LKS_OK) {
        code = lks_link_fail(&st->link, err, NULL);
    } else {
        lks_request_view_gas(&v, &st->link);
        code = print_request(st, &v, &disputes);
    }
    lks_dispute_list_free(&disputes);
    lks_request_view_free(&v);
    return code;
}

/* The accounts to show: --of, else those of the keystore directory when there is one. Out:
 * *entries, *count. */
static lks_err find_accounts(const status *st, lks_keystore_entry **entries, size_t *count)
{
    lks_buf directory = {0};
    lks_err err = LKS_OK;
    *entries = NULL;
    *count = 0;
    if (st->of != NULL) {
        *entries = calloc(1, sizeof **entries);
        if (*entries == NULL) {
            return lks_fail(LKS_NOMEM, "out of memory");
        }
        *count = 1;
        memcpy((*entries)[0].address, st->of20, sizeof st->of20);
        return LKS_OK;
    }
    if (lks_account_default_keystore(&directory, &st->account) == LKS_OK) {
        err = lks_keystore_list(entries, count, lks_buf_text(&directory));
    }
    lks_buf_free(&directory);
    return err == LKS_NOTFOUND || err == LKS_IO ? LKS_OK : err;
}

static void print_address(const char *label, const uint8_t address20[20])
{
    char address[LKS_ADDRESS_SIZE];
    lks_address_format(address, address20);
    print_row(label, address);
}

static lks_err get_parameters(lks_link *s, lks_oracle_parameters *p)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_parameters(&call);
    err = lks_link_view(s, s->contracts.oracle, &call, err, &result);
    err = err == LKS_OK ? lks_return_parameters(p, result.data, result.len) : err;
    lks_buf_free(&result);
    return err;
}

static void print_deployment(const lks_deployment *d, const lks_oracle_parameters *p,
                             uint64_t block)
{
    char text[LKS_ETHER_SIZE];
    printf("%-18s %" PRIu64 ", block %" PRIu64 "\n", "chain", d->chain_id, block);
    print_address("registry", d->registry);
    print_address("bonds", d->bonds);
    print_address("oracle", d->oracle);
    if (d->has_game) {
        print_address("dispute game", d->game);
        print_address("step verifier", d->verifier);
    }
    lks_wei_format(text, &p->min_stake);
    printf("%-18s %s ether\n%-18s %" PRIu32 " s to %" PRIu32 " s\n", "least stake", text,
           "challenge window", p->min_window, p->max_window);
    printf("%-18s %" PRIu32 " s to %" PRIu32 " s\n", "to accept", p->min_accept_period,
           p->max_accept_period);
    printf("%-18s %" PRIu32 " s to %" PRIu32 " s, with replicas at least %" PRIu32 " s\n",
           "to claim", p->min_claim_period, p->max_claim_period, p->min_replica_claim_period);
    printf("%-18s %" PRIu32 " s to fill the seats, %" PRIu32 " s to reveal\n", "replicas",
           p->fill_period, p->reveal_period);
}

static void deployment_json(lks_json_writer *w, const lks_deployment *d,
                            const lks_oracle_parameters *p, uint64_t block)
{
    lks_json_member_u64(w, "chainId", d->chain_id);
    lks_json_member_u64(w, "block", block);
    lks_json_member_address(w, "registry", d->registry);
    lks_json_member_address(w, "bonds", d->bonds);
    lks_json_member_address(w, "oracle", d->oracle);
    if (d->has_game) {
        lks_json_member_address(w, "game", d->game);
        lks_json_member_address(w, "verifier", d->verifier);
    }
    lks_json_member_wei(w, "minStake", &p->min_stake);
    lks_json_member_u64(w, "minWindow", p->min_window);
    lks_json_member_u64(w, "maxWindow", p->max_window);
    lks_json_member_u64(w, "minAcceptPeriod", p->min_accept_period);
    lks_json_member_u64(w, "maxAcceptPeriod", p->max_accept_period);
    lks_json_member_u64(w, "minClaimPeriod", p->min_claim_period);
    lks_json_member_u64(w, "minReplicaClaimPeriod", p->min_replica_claim_period);
    lks_json_member_u64(w, "maxClaimPeriod", p->max_claim_period);
    lks_json_member_u64(w, "fillPeriod", p->fill_period);
    lks_json_member_u64(w, "revealPeriod", p->reveal_period);
}

/* An account's money, claims and disputes, into w when it is not NULL. */
static lks_err show_account(status *st, lks_json_writer *w, const uint8_t address20[20],
                            uint64_t from, uint64_t now)
{
    lks_bond_view b;
    lks_open_claims claims = {0};
    lks_err err = lks_bond_view_get(&b, &st->link, address20);
    if (err == LKS_OK && st->link.contracts.has_game)
        err = lks_open_claims_get(&claims, &st->link, address20, from);
    if (err == LKS_OK && w != NULL) {
        lks_json_begin_object(w);
        lks_json_member_address(w, "address", address20);
        lks_bond_json(w, &b);
        lks_open_claims_json(w, &claims);
        lks_json_end_object(w);
    } else if (err == LKS_OK) {
        putchar('\n');
        print_address("account", address20);
        lks_bond_print(&b, now);
        lks_open_claims_print(&claims, now);
    }
    lks_open_claims_free(&claims);
    return err;
}

/* Every account, into w when it is not NULL. */
static lks_err show_accounts(status *st, lks_json_writer *w, uint64_t now)
{
    lks_keystore_entry *entries;
    size_t count;
    uint64_t from = 0;
    lks_err err = find_accounts(st, &entries, &count);
    if (err == LKS_OK && count > 0 && st->link.contracts.has_game)
        err = lks_lookback_block(&from, &st->link);
    for (size_t i = 0; i < count && err == LKS_OK; i++)
        err = show_account(st, w, entries[i].address, from, now);
    lks_keystore_list_free(entries, count);
    return err;
}

static int show_overview(status *st)
{
    lks_oracle_parameters p;
    lks_eth_header newest;
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_err err = lks_eth_header_at(&st->link.node, LKS_ETH_LATEST, &newest);
    err = err == LKS_OK ? get_parameters(&st->link, &p) : err;
    if (err == LKS_OK && st->chain.json) {
        lks_json_begin_object(&w);
        deployment_json(&w, &st->link.contracts, &p, newest.number);
        lks_json_put_name(&w, "accounts");
        lks_json_begin_array(&w);
        err = show_accounts(st, &w, newest.timestamp);
        lks_json_end_array(&w);
        lks_json_end_object(&w);
    } else if (err == LKS_OK) {
        print_deployment(&st->link.contracts, &p, newest.number);
        err = show_accounts(st, NULL, newest.timestamp);
    }
    if (err != LKS_OK) {
        lks_buf_free(&out);
        return lks_link_fail(&st->link, err, NULL);
    }
    return st->chain.json ? lks_out_json(&out, LKS_EXIT_OK) : lks_cli_finish(LKS_EXIT_OK);
}

static int open_vocabulary(status *st)
{
    if (st->model_path == NULL) {
        return LKS_PARSED;
    }
    lks_err err = lks_cli_open_vocabulary(&st->file, &st->tokenizer, st->model_path);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, "status", NULL);
}

int lks_cmd_status(int argc, char **argv)
{
    status st = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = LKS_OPT_TEXT,
         .out = &st.model_path,
         .value = "FILE",
         .help = "GGUF file whose tokenizer turns the answer into text"},
        {.name = "of",
         .kind = LKS_OPT_TEXT,
         .out = &st.of,
         .value = "ADDRESS",
         .help = "bond, credit, balance, open claims and disputes of this account"},
        LKS_KEYSTORE_OPTION(st.account),
        LKS_CHAIN_OPTIONS(st.chain),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] [REQUEST-ID]",
        .about = "Shows a request, its history, its disputes and its answer. Without a request:\n"
                 "the deployment, and for the accounts of the keystore, or that of --of, their\n"
                 "money, claims that are not final, and live disputes on either side, with whose\n"
                 "turn it is and the seconds left.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    if (st.of != NULL && lks_address_parse(st.of20, st.of) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "status: --of: %s", lks_error_message());
    }
    code = open_vocabulary(&st);
    if (code == LKS_PARSED) {
        code = lks_link_open(&st.link, &st.chain, NULL, argv[0]);
    }
    if (code == LKS_PARSED) {
        code = arg_count == 1 ? show_request(&st, args[0]) : show_overview(&st);
    }
    lks_link_close(&st.link);
    lks_tokenizer_close(st.tokenizer);
    lks_gguf_close(st.file);
    return code;
}
