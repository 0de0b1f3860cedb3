/* lockstep bond deposit, bond withdraw, credit withdraw: an operator's money. */
#include "chain/address.h"
#include "oracle/cli/bond_view.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"
#include "oracle/cli/request_view.h"
#include "oracle/cli/send.h"
#include "oracle/cli/values.h"

#include <stdio.h>
#include <string.h>

typedef struct money {
    const char *operator_text, *request_text;
    bool restart;
    lks_chain_args chain;
    lks_account_args account;
    lks_link link;
    lks_bond_view before;
    uint64_t now; /* time of the newest block */
    lks_sent sent[2];
    size_t sent_count;
} money;

static int open_link(money *m, const char *command)
{
    lks_eth_header newest;
    int code = lks_link_open(&m->link, &m->chain, &m->account, command);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_bond_view_get(&m->before, &m->link, lks_signer_address(m->link.signer));
    err = err == LKS_OK ? lks_eth_header_at(&m->link.node, LKS_ETH_LATEST, &newest) : err;
    if (err != LKS_OK) {
        return lks_link_fail(&m->link, err, NULL);
    }
    m->now = newest.timestamp;
    return LKS_PARSED;
}

static int parse_amount(lks_u256 *out, const char *command, const char *text)
{
    if (lks_parse_amount(out, text) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s", command, lks_error_message());
    }
    return lks_u256_is_zero(out) ? lks_cli_fail(LKS_EXIT_USAGE, "%s: the amount is zero", command)
                                 : LKS_PARSED;
}

/* Prints what was done: "text AMOUNT ether of 0x..." with the account's state behind it. */
static int print_done(money *m, const char *done, const lks_u256 *wei, const uint8_t address20[20])
{
    lks_bond_view after;
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    char amount[LKS_ETHER_SIZE], address[LKS_ADDRESS_SIZE];
    lks_err err = lks_bond_view_get(&after, &m->link, address20);
    if (err != LKS_OK) {
        return lks_link_fail(&m->link, err, NULL);
    }
    lks_progress_end(&m->link.progress);
    if (m->chain.json) {
        lks_json_begin_object(&w);
        lks_json_member_text(&w, "done", done);
        lks_json_member_wei(&w, "amount", wei);
        lks_json_member_address(&w, "address", address20);
        lks_bond_json(&w, &after);
        lks_json_put_name(&w, "transactions");
        lks_json_begin_array(&w);
        for (size_t i = 0; i < m->sent_count; i++) {
            lks_sent_json(&w, &m->sent[i]);
        }
        lks_json_end_array(&w);
        lks_json_end_object(&w);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    lks_wei_format(amount, wei);
    lks_address_format(address, address20);
    printf("%s %s ether, account %s\n", done, amount, address);
    lks_bond_print(&after, m->now);
    for (size_t i = 0; i < m->sent_count; i++) {
        lks_sent_tell(&m->sent[i]);
    }
    return lks_cli_finish(LKS_EXIT_OK);
}

static int transact(money *m, const char *what, const uint8_t to20[20], const lks_u256 *value,
                    lks_buf *call, lks_err err)
{
    return lks_send(&m->link, &m->sent[m->sent_count++], what, to20, value, call, err);
}

static int deposit(money *m, const char *amount)
{
    lks_u256 wei;
    lks_buf call = {0};
    uint8_t operator20[20];
    int code = parse_amount(&wei, "bond deposit", amount);
    if (code != LKS_PARSED) {
        return code;
    }
    if (m->operator_text != NULL && lks_address_parse(operator20, m->operator_text) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "bond deposit: --operator: %s", lks_error_message());
    }
    code = open_link(m, "bond deposit");
    if (code != LKS_PARSED) {
        return code;
    }
    if (m->operator_text == NULL) {
        memcpy(operator20, lks_signer_address(m->link.signer), sizeof operator20);
    }
    lks_err err = lks_call_deposit(&call, operator20);
    code = transact(m, "deposit", m->link.contracts.bonds, &wei, &call, err);
    return code == LKS_PARSED ? print_done(m, "deposited", &wei, operator20) : code;
}

/* Starts the delay for an amount. */
static int queue(money *m, const char *amount)
{
    lks_u256 wei;
    const lks_u256 nothing = {{0}};
    lks_buf call = {0};
    char has[LKS_ETHER_SIZE], queued[LKS_ETHER_SIZE], when[LKS_TIME_SIZE];
    int code = parse_amount(&wei, "bond withdraw", amount);
    if (code == LKS_PARSED) {
        code = open_link(m, "bond withdraw");
    }
    if (code != LKS_PARSED) {
        return code;
    }
    if (!lks_u256_is_zero(&m->before.bond.queued) && !m->restart) {
        lks_wei_format(queued, &m->before.bond.queued);
        lks_time_text(when, m->before.bond.ready_at);
        return lks_cli_fail(LKS_EXIT_REFUSED,
                            "bond withdraw: %s ether are queued already, ready at %s; "
                            "queueing more restarts the delay for all of it: "
                            "withdraw that first, or do so with --restart",
                            queued, when);
    }
    if (lks_u256_cmp(&m->before.bond.free, &wei) < 0) {
        lks_wei_format(has, &m->before.bond.free);
        return lks_cli_fail(LKS_EXIT_REFUSED,
                            "bond withdraw: only %s ether of the bond are free; wait for locked "
                            "bond, or withdraw less",
                            has);
    }
    lks_err err = lks_call_queue_withdrawal(&call, &wei);
    code = transact(m, "queue withdrawal", m->link.contracts.bonds, &nothing, &call, err);
    return code == LKS_PARSED
               ? print_done(m, "queued for withdrawal", &wei, lks_signer_address(m->link.signer))
               : code;
}

/* Sends what is queued to the account, when its delay is over. */
static int take(money *m)
{
    const lks_u256 nothing = {{0}};
    lks_buf call = {0};
    char when[LKS_TIME_SIZE];
    int code = open_link(m, "bond withdraw");
    if (code != LKS_PARSED) {
        return code;
    }
    if (lks_u256_is_zero(&m->before.bond.queued)) {
        return lks_cli_fail(LKS_EXIT_NO,
                            "bond withdraw: nothing is queued; name an AMOUNT to start its delay");
    }
    if (m->now < m->before.bond.ready_at) {
        lks_time_text(when, m->before.bond.ready_at);
        return lks_cli_fail(LKS_EXIT_NO,
                            "bond withdraw: the queued bond is ready at %s, not before; the "
                            "chain's time is %lu s earlier",
                            when, (unsigned long)(m->before.bond.ready_at - m->now));
    }
    const uint8_t *to = lks_signer_address(m->link.signer);
    lks_err err = lks_call_withdraw(&call, to);
    code = transact(m, "withdraw", m->link.contracts.bonds, &nothing, &call, err);
    return code == LKS_PARSED ? print_done(m, "withdrawn", &m->before.bond.queued, to) : code;
}

static int take_credit_of(money *m, const char *what, const uint8_t contract20[20],
                          const lks_u256 *wei)
{
    const lks_u256 nothing = {{0}};
    lks_buf call = {0};
    if (lks_u256_is_zero(wei)) {
        return LKS_PARSED;
    }
    lks_err err = lks_call_withdraw(&call, lks_signer_address(m->link.signer));
    return transact(m, what, contract20, &nothing, &call, err);
}

/* Withdraws the money of one request of the account. */
static int take_credit_of_request(money *m)
{
    const lks_u256 nothing = {{0}};
    lks_request_view v = {0};
    lks_buf call = {0};
    lks_u256 credit;
    uint8_t id[32];
    char address[LKS_ADDRESS_SIZE];
    const uint8_t *own;
    int code = lks_request_parse_id(id, "credit withdraw", m->request_text);
    if (code == LKS_PARSED) {
        code = open_link(m, "credit withdraw");
    }
    if (code != LKS_PARSED) {
        return code;
    }
    own = lks_signer_address(m->link.signer);
    lks_err err = lks_request_view_get(&v, &m->link, id, 0);
    if (err != LKS_OK) {
        code = lks_link_fail(&m->link, err,
                             err == LKS_NOTFOUND ? "is it the right --contracts file?" : NULL);
    } else if (memcmp(v.request.requester, own, 20) != 0) {
        lks_address_format(address, v.request.requester);
        code = lks_cli_fail(LKS_EXIT_AUTH,
                            "credit withdraw: the request belongs to %s; choose that account with "
                            "--keystore or --account",
                            address);
    } else if (lks_u256_is_zero(&v.credit)) {
        code = lks_cli_fail(LKS_EXIT_NO, "credit withdraw: the request has no credit; it is %s",
                            lks_request_status_word(v.state.status));
    }
    credit = v.credit;
    if (code == LKS_PARSED) {
        err = lks_call_withdraw_of(&call, &v.request, own);
        code =
            transact(m, "withdraw of the request", m->link.contracts.oracle, &nothing, &call, err);
    }
    lks_request_view_free(&v);
    return code == LKS_PARSED ? print_done(m, "withdrawn", &credit, own) : code;
}

static int take_credit(money *m)
{
    lks_u256 sum;
    int code = open_link(m, "credit withdraw");
    if (code != LKS_PARSED) {
        return code;
    }
    const lks_credits *credit = &m->before.credit;
    lks_u256_add(&sum, &credit->oracle, &credit->game);
    if (lks_u256_is_zero(&sum)) {
        return lks_cli_fail(LKS_EXIT_NO,
                            "credit withdraw: the account has no credit; withdraw money of its "
                            "requests with --request");
    }
    code = take_credit_of(m, "withdraw credit", m->link.contracts.oracle, &credit->oracle);
    if (code == LKS_PARSED) {
        code =
            take_credit_of(m, "withdraw credit of disputes", m->link.contracts.game, &credit->game);
    }
    return code == LKS_PARSED ? print_done(m, "withdrawn", &sum, lks_signer_address(m->link.signer))
                              : code;
}

static int close_link(money *m, int code)
{
    for (size_t i = 0; i < m->sent_count; i++) {
        lks_sent_free(&m->sent[i]);
    }
    lks_link_close(&m->link);
    return code;
}

int lks_cmd_bond_deposit(int argc, char **argv)
{
    money m = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "operator",
         .kind = LKS_OPT_TEXT,
         .out = &m.operator_text,
         .value = "ADDRESS",
         .help = "operator that gets the bond (default: the account itself)"},
        LKS_CHAIN_OPTIONS(m.chain),
        LKS_ACCOUNT_OPTIONS(m.account),
    };
    const lks_usage usage = {.synopsis = "[OPTIONS] AMOUNT",
                             .about =
                                 "Adds AMOUNT, such as 1.5ether, to an operator's free bond.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof options[0],
                             .min_args = 1,
                             .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    return code == LKS_PARSED ? close_link(&m, deposit(&m, args[0])) : code;
}

int lks_cmd_bond_withdraw(int argc, char **argv)
{
    money m = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "restart",
         .kind = LKS_OPT_FLAG,
         .out = &m.restart,
         .help = "queue AMOUNT even if that restarts the delay of bond already queued"},
        LKS_CHAIN_OPTIONS(m.chain),
        LKS_ACCOUNT_OPTIONS(m.account),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] [AMOUNT]",
        .about = "With AMOUNT: queues that much of the free bond for withdrawal and says when it\n"
                 "is ready.\n"
                 "Without: sends the queued bond to the account once it is ready.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    return code == LKS_PARSED ? close_link(&m, arg_count == 1 ? queue(&m, args[0]) : take(&m))
                              : code;
}

int lks_cmd_credit_withdraw(int argc, char **argv)
{
    money m = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "request",
         .kind = LKS_OPT_TEXT,
         .out = &m.request_text,
         .value = "REQUEST-ID",
         .help = "withdraw the money of this request instead: its fee, penalties, its part of "
                 "slashed bonds"},
        LKS_CHAIN_OPTIONS(m.chain),
        LKS_ACCOUNT_OPTIONS(m.account),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS]",
        .about = "Withdraws the account's credit from the oracle (fees earned and rewards) and\n"
                 "from the dispute game (bonds, prepaid money and repaid answers). With\n"
                 "--request: only the money of one of the account's own requests.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    return code == LKS_PARSED ? close_link(&m, m.request_text != NULL ? take_credit_of_request(&m)
                                                                      : take_credit(&m))
                              : code;
}
