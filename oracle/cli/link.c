#include "oracle/cli/link.h"

#include "chain/address.h"
#include "chain/json.h"
#include "oracle/cli/backoff.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/io.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_RPC "http://127.0.0.1:8545"
/* A client over WebSocket or a socket keeps trying to connect until a call's time is up: a node
 * that is not there shall show sooner than a slow answer is given up. */
#define GREETING_TIMEOUT_MS 4000u
#define CALL_TIMEOUT_MS 30000u
#define RECEIPT_TIMEOUT_S 180.0
#define MAX_DEPLOYMENT_FILE 65536u
#define MAX_DEPLOYMENT_VALUES 1024u

static lks_err read_address(uint8_t out[20], const lks_json *doc, const char *name)
{
    lks_buf text = {0};
    lks_err err = lks_json_string(doc, lks_json_member(doc, 0, name), &text);
    if (err == LKS_OK) {
        err = lks_address_parse(out, lks_buf_text(&text)) == LKS_OK ? LKS_OK : LKS_CORRUPT;
    }
    lks_buf_free(&text);
    return err == LKS_OK ? LKS_OK : lks_fail_in(err, "\"%s\"", name);
}

/* Members that a deployment of the first contracts, without disputes, lacks. */
static lks_err read_optional(lks_deployment *d, const lks_json *doc)
{
    lks_err err = LKS_OK;
    d->has_game = lks_json_member(doc, 0, "game") != LKS_JSON_NONE;
    if (d->has_game) {
        err = read_address(d->game, doc, "game");
        err = err == LKS_OK ? read_address(d->verifier, doc, "verifier") : err;
    }
    if (err == LKS_OK && lks_json_member(doc, 0, "block") != LKS_JSON_NONE) {
        err = lks_json_u64(doc, lks_json_member(doc, 0, "block"), &d->block);
        return err == LKS_OK ? LKS_OK : lks_fail_in(err, "\"block\"");
    }
    return err;
}

lks_err lks_deployment_parse(lks_deployment *out, const char *json, size_t len)
{
    lks_json doc;
    lks_deployment d = {0};
    lks_err err = lks_json_parse(&doc, json, len, MAX_DEPLOYMENT_VALUES);
    if (err != LKS_OK) {
        return err;
    }
    err = lks_json_u64(&doc, lks_json_member(&doc, 0, "chainId"), &d.chain_id);
    if (err != LKS_OK) {
        lks_fail_in(err, "\"chainId\"");
    }
    err = err == LKS_OK ? read_address(d.registry, &doc, "registry") : err;
    err = err == LKS_OK ? read_address(d.bonds, &doc, "bonds") : err;
    err = err == LKS_OK ? read_address(d.oracle, &doc, "oracle") : err;
    err = err == LKS_OK ? read_optional(&d, &doc) : err;
    lks_json_free(&doc);
    if (err == LKS_OK) {
        *out = d;
    }
    return err;
}

static int read_deployment(lks_link *s, const char *path)
{
    char *text;
    size_t len;
    if (path == NULL) {
        return lks_cli_fail(
            LKS_EXIT_USAGE,
            "%s: no contracts; name the deployment's file with --contracts or LOCKSTEP_CONTRACTS",
            s->command);
    }
    lks_err err = lks_read_all(&text, &len, path, MAX_DEPLOYMENT_FILE);
    if (err == LKS_OK) {
        err = lks_deployment_parse(&s->contracts, text, len);
        free(text);
    }
    return err == LKS_OK ? LKS_PARSED
                         : lks_cli_fail_file(
                               err, path,
                               "a deployment is JSON such as "
                               "{\"chainId\":1,\"registry\":\"0x...\",\"bonds\":\"0x...\","
                               "\"oracle\":\"0x...\",\"game\":\"0x...\",\"verifier\":\"0x...\"}");
}

/* What is said of several nodes. */
static void tell(void *user, bool warns, const char *line)
{
    const lks_link *s = user;
    if (warns && s->url_count > 1)
        lks_cli_note("%s: %s", s->command, line);
}

/* Waits until the nodes have checked each other. */
static void wait_for_check(lks_link *s)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    while (!lks_endpoints_checked(lks_nodes_endpoints(s->nodes)))
        nanosleep(&pause, NULL);
}

/* Opens clients of the nodes with this time for each call and asks for the chain id. */
static lks_err open_nodes(lks_link *s, uint32_t timeout_ms, uint64_t *chain_id)
{
    const lks_nodes_options options = {.urls = s->urls,
                                       .count = s->url_count,
                                       .timeout_ms = timeout_ms,
                                       .chain_id = s->contracts.chain_id,
                                       .log = tell,
                                       .user = s};
    lks_err err = lks_nodes_open(&s->nodes, &options);
    if (err != LKS_OK)
        return err;
    wait_for_check(s);
    s->ranges = (lks_eth_ranges)LKS_ETH_RANGES_INIT;
    s->node = (lks_eth){lks_nodes_call_sync, s->nodes, &s->ranges};
    return lks_eth_chain_id(&s->node, chain_id);
}

static void close_nodes(lks_link *s)
{
    lks_nodes_close(s->nodes);
    s->nodes = NULL;
}

static const char *name_of(const lks_link *s)
{
    return lks_endpoints_name(lks_nodes_endpoints(s->nodes));
}

bool lks_link_leave(lks_link *s, const char *why)
{
    return s->nodes != NULL && lks_endpoints_leave(lks_nodes_endpoints(s->nodes), why);
}

/* Tells why the node cannot be spoken to. The URL itself is never printed: it may hold an access
 * key. */
static int fail_node(const lks_link *s, lks_err err)
{
    const char *hint = err == LKS_IO || err == LKS_TIMEOUT
                           ? "is the node running? name it with --rpc or LOCKSTEP_RPC"
                           : NULL;
    int code = lks_cli_fail_chain(err, s->nodes != NULL ? name_of(s) : "--rpc", hint);
    if (s->nodes == NULL && err == LKS_REFUSED) {
        return LKS_EXIT_USAGE;
    }
    /* Too large or too deep an answer: no contract has spoken yet. */
    return code == LKS_EXIT_REFUSED ? LKS_EXIT_CHAIN : code;
}

/* Opens the first clients, until a node answers where that is waited for. */
static int greet(lks_link *s, bool patient, uint64_t *chain_id)
{
    const struct timespec pause = {.tv_nsec = 200000000};
    lks_backoff retry = {0};
    for (;;) {
        /* Of several, one that is slow is left by their checks. */
        lks_err err =
            open_nodes(s, s->url_count > 1 ? CALL_TIMEOUT_MS : GREETING_TIMEOUT_MS, chain_id);
        if (err == LKS_OK)
            return LKS_PARSED;
        int code = fail_node(s, err);
        if (!patient || s->nodes == NULL)
            return code;
        close_nodes(s);
        lks_backoff_fail(&retry);
        while (!lks_backoff_ready(&retry))
            nanosleep(&pause, NULL);
    }
}

static int connect_nodes(lks_link *s, bool patient)
{
    uint64_t chain_id;
    int code = greet(s, patient, &chain_id);
    if (code != LKS_PARSED)
        return code;
    if (chain_id != s->contracts.chain_id) {
        return lks_cli_fail(LKS_EXIT_CHAIN,
                            "%s: the node is on chain %" PRIu64 ", the contracts on %" PRIu64
                            "; choose --rpc and --contracts of one chain",
                            name_of(s), chain_id, s->contracts.chain_id);
    }
    if (s->url_count > 1)
        return LKS_PARSED;
    close_nodes(s);
    lks_err err = open_nodes(s, CALL_TIMEOUT_MS, &chain_id);
    return err == LKS_OK || (patient && s->nodes != NULL) ? LKS_PARSED : fail_node(s, err);
}

/* The URLs of --rpc, or those of the environment, or the default one. */
static int choose_urls(lks_link *s, const lks_text_list *given)
{
    const char *words = lks_cli_setting(NULL, "LOCKSTEP_RPC");
    bool fit = true;
    for (; s->url_count < given->count; s->url_count++)
        s->urls[s->url_count] = given->items[s->url_count];
    if (s->url_count == 0 && words != NULL) {
        s->url_text = strdup(words);
        if (s->url_text == NULL)
            return lks_cli_fail(LKS_EXIT_INTERNAL, "%s: out of memory", s->command);
        fit = lks_nodes_split(s->urls, &s->url_count, s->url_text, " \n");
    }
    if (!fit)
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: LOCKSTEP_RPC has more than %u URLs", s->command,
                            LKS_MAX_ENDPOINTS);
    if (s->url_count == 0)
        s->urls[s->url_count++] = DEFAULT_RPC;
    return LKS_PARSED;
}

int lks_link_open(lks_link *s, const lks_chain_args *c, const lks_account_args *account,
                  const char *command)
{
    int code = LKS_PARSED;
    *s = (lks_link){.command = command, .receipt_timeout_s = RECEIPT_TIMEOUT_S};
    lks_progress_begin(&s->progress, command, c->progress);
    if (account != NULL) {
        s->after_pending = account->after_pending;
        code =
            lks_fee_limits_parse(&s->limits, account->max_fee, account->max_priority_fee, command);
    }
    if (code == LKS_PARSED) {
        code = read_deployment(s, lks_cli_setting(c->contracts, "LOCKSTEP_CONTRACTS"));
    }
    if (code == LKS_PARSED) {
        code = choose_urls(s, &c->rpc);
    }
    if (code == LKS_PARSED) {
        code = connect_nodes(s, c->patient);
    }
    if (code == LKS_PARSED && account != NULL) {
        code = lks_account_unlock(&s->signer, account, command);
    }
    return code;
}

void lks_link_close(lks_link *s)
{
    lks_progress_end(&s->progress);
    lks_signer_free(s->signer);
    close_nodes(s);
    free(s->url_text);
    *s = (lks_link){0};
}

int lks_link_need_game(const lks_link *s)
{
    if (!s->contracts.has_game) {
        return lks_cli_fail(LKS_EXIT_INPUT,
                            "%s: the deployment file names no dispute game (\"game\", "
                            "\"verifier\"): its contracts know no disputes; "
                            "choose the --contracts file of a deployment that does",
                            s->command);
    }
    return LKS_PARSED;
}

lks_err lks_link_view_at(lks_link *s, const uint8_t to20[20], const char *block, lks_buf *call,
                         lks_err call_err, lks_buf *result)
{
    char address[LKS_ADDRESS_SIZE];
    lks_err err = call_err;
    if (err == LKS_OK) {
        lks_eth_message message = {
            .to20 = to20, .data = call->data, .data_len = call->len, .errors = lks_contract_errors};
        err = lks_eth_call(&s->node, &message, block, result, NULL);
    }
    lks_buf_free(call);
    if (err == LKS_OK && result->len == 0) {
        lks_address_format(address, to20);
        return lks_fail(LKS_AUTH,
                        "there is no contract at %s; does the deployment file belong to "
                        "this chain?",
                        address);
    }
    return err;
}

lks_err lks_link_view(lks_link *s, const uint8_t to20[20], lks_buf *call, lks_err call_err,
                      lks_buf *result)
{
    return lks_link_view_at(s, to20, LKS_ETH_LATEST, call, call_err, result);
}

int lks_link_fail(lks_link *s, lks_err err, const char *hint)
{
    lks_progress_end(&s->progress);
    return lks_cli_fail_chain(err, s->command, hint);
}
