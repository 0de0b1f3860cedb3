/* lockstep cancel: a request taken back by its requester. */
#include "chain/address.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/credit.h"
#include "oracle/cli/output.h"
#include "oracle/cli/request_view.h"

#include <stdio.h>
#include <string.h>

typedef struct cancelling {
    lks_chain_args chain;
    lks_link link;
    lks_request_view view;
    lks_sent sent;
} cancelling;

/* Whether there is something to cancel, and the account may. */
static int check(const cancelling *c)
{
    char address[LKS_ADDRESS_SIZE];
    const lks_request_view *v = &c->view;
    if (memcmp(v->request.requester, lks_signer_address(c->link.signer), 20) != 0) {
        lks_address_format(address, v->request.requester);
        return lks_cli_fail(LKS_EXIT_AUTH,
                            "cancel: the request belongs to %s; choose that account with "
                            "--keystore or --account",
                            address);
    }
    if (lks_request_is_settled(v->state.status)) {
        return lks_cli_fail(LKS_EXIT_NO, "cancel: the request is %s already%s",
                            lks_request_status_word(v->state.status),
                            lks_u256_is_zero(&v->credit)
                                ? ""
                                : "; lockstep credit withdraw --request gets its money");
    }
    if (v->state.cancelled) {
        return lks_cli_fail(LKS_EXIT_NO,
                            "cancel: the request is cancelled already: it ends with its "
                            "present operators");
    }
    return LKS_PARSED;
}

static int print_result(cancelling *c)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_progress_end(&c->link.progress);
    if (!c->chain.json) {
        printf("%s\n", c->view.state.status == LKS_REQUEST_REFUNDED
                           ? "refunded"
                           : "cancelled: it does not open again, but its present operators may "
                             "still answer");
        lks_sent_tell(&c->sent);
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&w);
    lks_request_json(&w, &c->view);
    lks_json_put_name(&w, "transactions");
    lks_json_begin_array(&w);
    lks_sent_json(&w, &c->sent);
    lks_json_end_array(&w);
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

static int cancel(cancelling *c, const uint8_t id32[32])
{
    const lks_u256 nothing = {{0}};
    lks_buf call = {0};
    lks_err err = lks_request_view_get(&c->view, &c->link, id32, 0);
    if (err == LKS_NOTFOUND) {
        return lks_cli_fail(LKS_EXIT_NO, "cancel: %s; is it the right --contracts file?",
                            lks_error_message());
    }
    int code = err == LKS_OK ? check(c) : lks_link_fail(&c->link, err, NULL);
    if (code != LKS_PARSED) {
        return code;
    }
    err = lks_call_cancel(&call, &c->view.request);
    code = lks_send(&c->link, &c->sent, "cancel", c->link.contracts.oracle, &nothing, &call, err);
    if (code != LKS_PARSED) {
        return code;
    }
    uint64_t from = c->view.first_block;
    lks_request_view_free(&c->view);
    err = lks_request_view_get(&c->view, &c->link, id32, from);
    if (err != LKS_OK) {
        return lks_link_fail(&c->link, err, NULL);
    }
    code = lks_credit_collect_of(&c->link, &c->view.request, &c->view.credit,
                                 c->chain.json ? NULL : stdout);
    return code == LKS_PARSED ? print_result(c) : code;
}

int lks_cmd_cancel(int argc, char **argv)
{
    static const char about[] =
        "Takes back a request of the account. An open one ends at once and its fee is sent to the\n"
        "account. One that is accepted goes on: its operators may still answer, but it does not "
        "open\n"
        "again when they do not.\n";
    cancelling c = {0};
    uint8_t id[32];
    int code = lks_request_open(&c.link, &c.chain, id, about, argc, argv);
    if (code == LKS_PARSED)
        code = cancel(&c, id);
    lks_request_view_free(&c.view);
    lks_sent_free(&c.sent);
    lks_link_close(&c.link);
    return code;
}
