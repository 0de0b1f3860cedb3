/* lockstep bond agent, bond source: who may act for an operator, and which contracts may lock its
 * bond. */
#include "chain/address.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"
#include "oracle/cli/send.h"

#include <stdio.h>
#include <string.h>

typedef struct grant {
    const char *operator_text;
    lks_chain_args chain;
    lks_account_args account;
    lks_link link;
    uint8_t operator20[20], other20[20]; /* other: the agent, or the source */
    lks_sent sent;
} grant;

/* ---- names of roles ---- */

static const struct {
    const char *name;
    uint8_t bits;
} ROLES[] = {{"claims", LKS_AGENT_CLAIMS},
             {"disputes", LKS_AGENT_DISPUTES},
             {"receipts", LKS_AGENT_RECEIPTS}};

#define ROLE_COUNT (sizeof ROLES / sizeof ROLES[0])

/* Out: "claims,disputes"; "none". */
static void roles_text(char text[64], uint8_t roles)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (roles & ROLES[i].bits) {
            len +=
                (size_t)snprintf(text + len, 64 - len, "%s%s", len > 0 ? "," : "", ROLES[i].name);
        }
    }
    if (len == 0) {
        snprintf(text, 64, "none");
    }
}

/* Reads "claims,disputes", "all" or "none". Returns: LKS_PARSED, or the exit code after telling. */
static int parse_roles(uint8_t *roles, const char *text)
{
    *roles = strcmp(text, "all") == 0 ? LKS_AGENT_ALL : 0;
    if (*roles != 0 || strcmp(text, "none") == 0) {
        return LKS_PARSED;
    }
    while (true) {
        size_t len = strcspn(text, ","), i = 0;
        while (i < ROLE_COUNT &&
               (strlen(ROLES[i].name) != len || memcmp(ROLES[i].name, text, len))) {
            i++;
        }
        if (i == ROLE_COUNT) {
            return lks_cli_fail(LKS_EXIT_USAGE,
                                "bond agent: '%.40s' is not a role; give claims, disputes, "
                                "receipts, joined by commas, or all, or none",
                                text);
        }
        *roles |= ROLES[i].bits;
        if (text[len] == '\0') {
            return LKS_PARSED;
        }
        text += len + 1;
    }
}

/* ---- views ---- */

static lks_err get_roles(grant *g, uint8_t *roles)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_agent_roles(&call, g->operator20, g->other20);
    err = lks_link_view(&g->link, g->link.contracts.bonds, &call, err, &result);
    err = err == LKS_OK ? lks_return_u8(roles, result.data, result.len) : err;
    lks_buf_free(&result);
    return err;
}

static lks_err get_source(grant *g, bool *allowed, lks_u256 *locked)
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_is_allowed_source(&call, g->operator20, g->other20);
    err = lks_link_view(&g->link, g->link.contracts.bonds, &call, err, &result);
    err = err == LKS_OK ? lks_return_bool(allowed, result.data, result.len) : err;
    if (err == LKS_OK) {
        err = lks_call_locked_by(&call, g->operator20, g->other20);
        err = lks_link_view(&g->link, g->link.contracts.bonds, &call, err, &result);
        err = err == LKS_OK ? lks_return_u256(locked, result.data, result.len) : err;
    }
    lks_buf_free(&result);
    return err;
}

/* ---- results ---- */

static void print_address(const char *label, const uint8_t address20[20])
{
    char address[LKS_ADDRESS_SIZE];
    lks_address_format(address, address20);
    printf("%-18s %s\n", label, address);
}

static void begin_json(lks_json_writer *w, const grant *g, const char *name)
{
    lks_json_begin_object(w);
    lks_json_member_address(w, "operator", g->operator20);
    lks_json_member_address(w, name, g->other20);
}

static void end_json(lks_json_writer *w, const grant *g)
{
    lks_json_put_name(w, "transactions");
    lks_json_begin_array(w);
    if (g->sent.what != NULL) {
        lks_sent_json(w, &g->sent);
    }
    lks_json_end_array(w);
    lks_json_end_object(w);
}

static int finish(grant *g, int code)
{
    if (code == LKS_PARSED && g->sent.what != NULL) {
        lks_sent_tell(&g->sent);
    }
    return code == LKS_PARSED ? lks_cli_finish(LKS_EXIT_OK) : code;
}

static int show_agent(grant *g)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    char text[64];
    uint8_t roles = 0;
    lks_err err = get_roles(g, &roles);
    if (err != LKS_OK) {
        return lks_link_fail(&g->link, err, NULL);
    }
    roles_text(text, roles);
    lks_progress_end(&g->link.progress);
    if (g->chain.json) {
        begin_json(&w, g, "agent");
        lks_json_member_text(&w, "roles", text);
        end_json(&w, g);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    print_address("operator", g->operator20);
    print_address("agent", g->other20);
    printf("%-18s %s\n", "roles", text);
    return finish(g, LKS_PARSED);
}

static int show_source(grant *g)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    char locked_text[LKS_ETHER_SIZE];
    bool allowed = false;
    lks_u256 locked = {{0}};
    lks_err err = get_source(g, &allowed, &locked);
    if (err != LKS_OK) {
        return lks_link_fail(&g->link, err, NULL);
    }
    lks_progress_end(&g->link.progress);
    if (g->chain.json) {
        begin_json(&w, g, "source");
        lks_json_put_name(&w, "allowed");
        lks_json_put_bool(&w, allowed);
        lks_json_member_wei(&w, "locked", &locked);
        end_json(&w, g);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    lks_wei_format(locked_text, &locked);
    print_address("operator", g->operator20);
    print_address("source", g->other20);
    printf("%-18s %s\n%-18s %s ether\n", "may lock", allowed ? "yes" : "no", "has locked",
           locked_text);
    return finish(g, LKS_PARSED);
}

/* ---- both commands ---- */

/* Opens the link, with the account only where something is changed. */
static int open_link(grant *g, const char *command, const char *other, bool change)
{
    if (lks_address_parse(g->other20, other) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s", command, lks_error_message());
    }
    if (!change && g->operator_text == NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: no operator; name it with --operator", command);
    }
    if (change && g->operator_text != NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: only the operator itself can change it; leave "
                            "--operator out",
                            command);
    }
    if (!change && lks_address_parse(g->operator20, g->operator_text) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: --operator: %s", command, lks_error_message());
    }
    int code = lks_link_open(&g->link, &g->chain, change ? &g->account : NULL, command);
    if (code == LKS_PARSED && change) {
        memcpy(g->operator20, lks_signer_address(g->link.signer), sizeof g->operator20);
    }
    return code;
}

static int send(grant *g, const char *what, lks_buf *call, lks_err err)
{
    const lks_u256 nothing = {{0}};
    return lks_send(&g->link, &g->sent, what, g->link.contracts.bonds, &nothing, call, err);
}

static int close_link(grant *g, int code)
{
    lks_sent_free(&g->sent);
    lks_link_close(&g->link);
    return code;
}

#define GRANT_OPTIONS(g)                                                                           \
    {.name = "operator",                                                                           \
     .kind = LKS_OPT_TEXT,                                                                         \
     .out = &(g).operator_text,                                                                    \
     .value = "ADDRESS",                                                                           \
     .help = "show what this operator has granted; needs no account"},                             \
        LKS_CHAIN_OPTIONS((g).chain), LKS_ACCOUNT_OPTIONS((g).account)

int lks_cmd_bond_agent(int argc, char **argv)
{
    grant g = {0};
    char **args;
    int arg_count;
    uint8_t roles = 0;
    lks_buf call = {0};
    const lks_option options[] = {GRANT_OPTIONS(g)};
    const lks_usage usage = {
        .synopsis = "(set AGENT ROLES | show AGENT --operator ADDRESS) [OPTIONS]",
        .about = "Lets an agent act for the account's operator in ROLES, or shows its roles:\n"
                 "claims (accept and answer requests), disputes (answer challenges, repaid),\n"
                 "receipts (sign answers off chain); joined by commas, or all. none revokes every\n"
                 "role. An agent for claims can lock the whole free bond behind wrong answers; no\n"
                 "agent can withdraw bond.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 2,
        .max_args = 3};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    bool set = strcmp(args[0], "set") == 0;
    if ((!set && strcmp(args[0], "show") != 0) || arg_count != (set ? 3 : 2)) {
        return lks_cli_fail(LKS_EXIT_USAGE, "bond agent: give set AGENT ROLES, or show AGENT");
    }
    code = set ? parse_roles(&roles, args[2]) : LKS_PARSED;
    if (code == LKS_PARSED) {
        code = open_link(&g, "bond agent", args[1], set);
    }
    if (code == LKS_PARSED && set) {
        lks_err err = lks_call_set_agent(&call, g.other20, roles);
        code = send(&g, "set agent", &call, err);
    }
    return close_link(&g, code == LKS_PARSED ? show_agent(&g) : code);
}

int lks_cmd_bond_source(int argc, char **argv)
{
    grant g = {0};
    char **args;
    int arg_count;
    lks_buf call = {0};
    const lks_option options[] = {GRANT_OPTIONS(g)};
    const lks_usage usage = {
        .synopsis = "(allow | forbid | show) SOURCE [OPTIONS]",
        .about = "Allows or forbids a contract other than the oracle to lock the account's bond,\n"
                 "or shows whether it may (with --operator). Locked bond stays locked until the\n"
                 "contract releases it: allow only contracts whose code you know.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 2,
        .max_args = 2};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    bool allow = strcmp(args[0], "allow") == 0, forbid = strcmp(args[0], "forbid") == 0;
    if (!allow && !forbid && strcmp(args[0], "show") != 0) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "bond source: give allow, forbid or show, and the contract");
    }
    code = open_link(&g, "bond source", args[1], allow || forbid);
    if (code == LKS_PARSED && (allow || forbid)) {
        lks_err err = lks_call_allow_source(&call, g.other20, allow);
        code = send(&g, allow ? "allow source" : "forbid source", &call, err);
    }
    return close_link(&g, code == LKS_PARSED ? show_source(&g) : code);
}
