#include "oracle/cli/ask.h"

#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/model_id.h"
#include "oracle/cli/values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TOKENS 64u
#define DEFAULT_FEE "0.001ether"
#define DEFAULT_PERIOD_S 600u
#define TIMEOUT_MARGIN_S 120u
/* Seconds that a request may take into a block without its accept deadline coming too near. */
#define ACCEPT_SLACK_S 60u
#define MAX_ALLOWED 16384u
/* A re-org may put the request that many blocks earlier. */
#define REORG_BLOCKS 64u

static int read_prompt_ids(lks_ask *a)
{
    lks_err err = lks_parse_id_list(&a->ids, a->prompt_ids);
    if (err != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: --prompt-ids: %s", lks_error_message());
    }
    return LKS_PARSED;
}

/* The model id: of the file, of the option, or of both when they agree. */
static int find_model_id(lks_ask *a)
{
    lks_model_commitment c;
    lks_progress progress;
    uint8_t stated[32];
    char text[LKS_HEX_SIZE(32)];
    int code = LKS_PARSED;
    if (a->model_id_text != NULL) {
        code = lks_model_parse_id(stated, "ask", a->model_id_text);
        memcpy(a->model_id, stated, sizeof stated);
    }
    if (code != LKS_PARSED || a->model_path == NULL) {
        return code;
    }
    lks_progress_begin(&progress, "ask", a->chain.progress);
    code = lks_model_commit(&c, &a->model, a->model_path, &progress);
    if (code != LKS_PARSED) {
        return code;
    }
    memcpy(a->model_id, c.model_id, sizeof c.model_id);
    if (a->model_id_text != NULL && memcmp(stated, c.model_id, sizeof stated) != 0) {
        lks_hex_encode(text, c.model_id, 32);
        return lks_cli_fail(LKS_EXIT_NO,
                            "ask: %s is the model %s, not the one that --model-id names",
                            a->model_path, text);
    }
    return LKS_PARSED;
}

static int check_arguments(lks_ask *a)
{
    if ((a->prompt != NULL) == (a->prompt_ids != NULL)) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: give either PROMPT or --prompt-ids");
    }
    if (a->model_path == NULL &&
        (a->model_id_text == NULL || a->prompt != NULL || a->policy.allow != NULL || a->yes_no)) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: text needs the model's tokenizer; name the GGUF "
                                            "file with -m, or give --model-id with token ids only");
    }
    if (a->yes_no && (a->policy.allow != NULL || a->policy.allow_ids != NULL)) {
        return lks_cli_fail(
            LKS_EXIT_USAGE,
            "ask: --yes-no is a list of allowed tokens itself; leave --allow and --allow-ids out");
    }
    if (a->replicas < 1 || a->replicas > LKS_MAX_REPLICAS) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: --replicas is 1 to %u", LKS_MAX_REPLICAS);
    }
    if (a->max_given && a->max_tokens == 0) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: -n 0 leaves nothing to answer; give at least 1");
    }
    a->policy.allow = a->yes_no ? "Yes,No" : a->policy.allow;
    return lks_policy_check(&a->policy, "ask");
}

static int check_positions(const lks_ask *a)
{
    uint32_t positions = a->model.program.max_positions;
    if (a->model_path != NULL && (uint64_t)a->ids.count + a->max_tokens - 1 > positions) {
        return lks_cli_fail(LKS_EXIT_INPUT,
                            "ask: a prompt of %zu tokens and an answer of up to %" PRIu32
                            " do not fit the model's %" PRIu32
                            " positions; shorten the prompt or lower -n",
                            a->ids.count, a->max_tokens, positions);
    }
    return LKS_PARSED;
}

int lks_ask_prepare(lks_ask *a)
{
    int code = check_arguments(a);
    if (code == LKS_PARSED && a->model_path != NULL) {
        code = lks_cli_open_model(&a->model, "ask", a->model_path);
    }
    if (code == LKS_PARSED) {
        code = lks_policy_resolve(&a->policy, "ask", a->model.tokenizer);
    }
    if (code == LKS_PARSED && a->policy.allowed.count > MAX_ALLOWED) {
        code = lks_cli_fail(LKS_EXIT_USAGE,
                            "ask: %zu tokens are allowed; the contract takes lists of at most %u",
                            a->policy.allowed.count, MAX_ALLOWED);
    }
    if (code == LKS_PARSED) {
        code = a->prompt_ids != NULL
                   ? read_prompt_ids(a)
                   : lks_prompt_encode(&a->ids, &a->model, "ask", a->prompt, a->policy.raw);
    }
    if (code == LKS_PARSED) {
        a->max_tokens = a->max_given                  ? a->max_tokens
                        : a->policy.allowed.count > 0 ? 1
                                                      : DEFAULT_TOKENS;
        code = check_positions(a);
    }
    return code == LKS_PARSED ? find_model_id(a) : code;
}

static int check_registered(lks_ask *a)
{
    bool known = false;
    char id[LKS_HEX_SIZE(32)];
    lks_err err = lks_model_is_registered(&known, &a->link, a->model_id);
    if (err != LKS_OK) {
        return lks_link_fail(&a->link, err, NULL);
    }
    if (!known) {
        lks_hex_encode(id, a->model_id, 32);
        return lks_cli_fail(LKS_EXIT_NO,
                            "ask: model %s is not registered in this deployment; lockstep model "
                            "register FILE does that",
                            id);
    }
    return LKS_PARSED;
}

/* A period: typed, or fallback brought into what the deployment allows. */
static int choose_period(uint32_t *out, const char *option, const char *text, uint64_t fallback,
                         uint32_t least, uint32_t most)
{
    if (text == NULL) {
        *out = fallback < least ? least : fallback > most ? most : (uint32_t)fallback;
        return LKS_PARSED;
    }
    if (lks_parse_duration(out, text) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: %s: %s", option, lks_error_message());
    }
    if (*out < least || *out > most) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "ask: %s: this deployment allows %" PRIu32 "s to %" PRIu32 "s", option,
                            least, most);
    }
    return LKS_PARSED;
}

static int choose_amounts(lks_ask *a, const lks_oracle_parameters *p)
{
    char least[LKS_ETHER_SIZE];
    if (lks_parse_amount(&a->fee, a->fee_text != NULL ? a->fee_text : DEFAULT_FEE) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: --fee: %s", lks_error_message());
    }
    a->params.stake = p->min_stake;
    if (a->stake_text != NULL && lks_parse_amount(&a->params.stake, a->stake_text) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "ask: --stake: %s", lks_error_message());
    }
    if (lks_u256_cmp(&a->params.stake, &p->min_stake) < 0) {
        lks_wei_format(least, &p->min_stake);
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "ask: --stake: this deployment demands at least %s ether", least);
    }
    return LKS_PARSED;
}

/* The last second of accepting: the period after the newest block, but never so short that it is
 * too near when the request is in a block. */
static lks_err set_accept_deadline(lks_ask *a, const lks_oracle_parameters *p, uint32_t period)
{
    lks_eth_header newest;
    uint64_t least = (uint64_t)p->min_accept_period + ACCEPT_SLACK_S, seconds = period;
    lks_err err = lks_eth_header_at(&a->link.node, LKS_ETH_LATEST, &newest);
    seconds = seconds < least ? least : seconds;
    seconds = seconds > p->max_accept_period ? p->max_accept_period : seconds;
    a->params.accept_deadline = newest.timestamp + seconds;
    return err;
}

static int fit_to_deployment(lks_ask *a)
{
    lks_buf call = {0}, result = {0};
    lks_oracle_parameters p;
    lks_request_params *r = &a->params;
    uint32_t timeout, accept_period = 0;
    bool replicated = a->replicas > 1;
    lks_err err = lks_call_parameters(&call);
    err = lks_link_view(&a->link, a->link.contracts.oracle, &call, err, &result);
    err = err == LKS_OK ? lks_return_parameters(&p, result.data, result.len) : err;
    lks_buf_free(&result);
    if (err != LKS_OK) {
        return lks_link_fail(&a->link, err, NULL);
    }
    uint32_t least = replicated ? p.min_replica_claim_period : p.min_claim_period;
    int code = choose_amounts(a, &p);
    if (code == LKS_PARSED) {
        code = choose_period(&r->window, "--window", a->window_text, 2 * (uint64_t)p.min_window,
                             p.min_window, p.max_window);
    }
    if (code == LKS_PARSED) {
        code = choose_period(&accept_period, "--accept-within", a->accept_text, DEFAULT_PERIOD_S,
                             p.min_accept_period, p.max_accept_period);
    }
    if (code == LKS_PARSED) {
        code = choose_period(&r->claim_period, "--claim-within", a->claim_text, DEFAULT_PERIOD_S,
                             least, p.max_claim_period);
    }
    a->timeout = (uint64_t)r->window + accept_period + r->claim_period + TIMEOUT_MARGIN_S +
                 (replicated ? (uint64_t)p.fill_period + p.reveal_period : 0);
    if (code == LKS_PARSED && a->timeout_text != NULL) {
        code = choose_period(&timeout, "--timeout", a->timeout_text, 0, 0, UINT32_MAX);
        a->timeout = timeout;
    }
    if (code == LKS_PARSED) {
        err = set_accept_deadline(a, &p, accept_period);
        code = err == LKS_OK ? LKS_PARSED : lks_link_fail(&a->link, err, NULL);
    }
    return code;
}

int lks_ask_send(lks_ask *a)
{
    lks_buf call = {0};
    lks_request_params *r = &a->params;
    lks_event event;
    int code = check_registered(a);
    if (code == LKS_PARSED) {
        code = fit_to_deployment(a);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    lks_tokens_pack(&a->packed_prompt, a->ids.ids, a->ids.count);
    lks_tokens_pack(&a->packed_allowed, a->policy.allowed.ids, a->policy.allowed.count);
    memcpy(r->model_id, a->model_id, sizeof r->model_id);
    r->prompt = a->packed_prompt.data;
    r->prompt_len = a->packed_prompt.len;
    r->allowed = a->packed_allowed.data;
    r->allowed_len = a->packed_allowed.len;
    r->temperature = a->policy.temperature;
    r->min_p = a->policy.min_p;
    r->seed = a->policy.seed;
    r->max_tokens = a->max_tokens;
    r->replicas = (uint8_t)a->replicas;
    lks_err err = lks_buf_error(&a->packed_prompt);
    err = err == LKS_OK ? lks_buf_error(&a->packed_allowed) : err;
    err = err == LKS_OK ? lks_call_request(&call, r) : err;
    code = lks_send(&a->link, &a->sent, "request", a->link.contracts.oracle, &a->fee, &call, err);
    if (code != LKS_PARSED) {
        return code;
    }
    a->requested = lks_now() - a->link.progress.started;
    if (!lks_sent_event(&event, &a->sent, a->link.contracts.oracle, LKS_EVENT_REQUESTED)) {
        return lks_link_fail(&a->link,
                             lks_fail(LKS_CORRUPT,
                                      "the transaction's receipt has no Requested event"),
                             "does the deployment file belong to this chain?");
    }
    memcpy(a->request_id, event.request_id, sizeof a->request_id);
    uint64_t block = a->sent.receipt.block_number;
    a->block = block > REORG_BLOCKS ? block - REORG_BLOCKS : 1;
    return LKS_PARSED;
}

void lks_ask_free(lks_ask *a)
{
    lks_model_close(&a->model);
    lks_sent_free(&a->sent);
    lks_buf_free(&a->packed_prompt);
    lks_buf_free(&a->packed_allowed);
    free(a->policy.allowed.ids);
    free(a->ids.ids);
    *a = (lks_ask){0};
}
