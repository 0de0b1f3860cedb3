/* Messages: simulated, measured, sent. */
#include <stdio.h>
#include <string.h>

#include "chain/abi.h"
#include "chain/eth_internal.h"
#include "chain/hex.h"
#include "chain/keccak.h"
#include "chain/rpc.h"

static void put_message(lks_json_writer *w, const lks_eth_message *m)
{
    lks_json_begin_object(w);
    if (m->from20) {
        lks_json_put_name(w, "from");
        lks_json_put_data(w, m->from20, 20);
    }
    if (m->to20) {
        lks_json_put_name(w, "to");
        lks_json_put_data(w, m->to20, 20);
    }
    if (m->gas) {
        lks_json_put_name(w, "gas");
        lks_json_put_quantity(w, m->gas);
    }
    lks_json_put_name(w, "value");
    lks_json_put_quantity_u256(w, &m->value);
    lks_json_put_name(w, "input");
    lks_json_put_data(w, m->data, m->data_len);
    lks_json_end_object(w);
}

/* Appends the text of an error's message. */
static void get_message(const eth_request *r, lks_buf *out)
{
    if (lks_json_string(&r->doc, lks_json_member(&r->doc, 0, "message"), out))
        lks_buf_clear(out);
}

/* After LKS_REMOTE: LKS_REFUSED with the decoded reason when the error is a revert. Code 3 is
 * geth's and anvil's; others say it in words. Out: revert, the bytes; may be NULL. */
static lks_err explain_revert(const eth_request *r, const lks_eth_message *m, lks_buf *revert)
{
    lks_buf message = {0}, data = {0};
    char text[400];
    int64_t code = 0;
    int node = lks_json_member(&r->doc, 0, "data");
    get_message(r, &message);
    if (lks_json_i64(&r->doc, lks_json_member(&r->doc, 0, "code"), &code))
        code = 0;
    bool reverted = code == 3 || strcasestr(lks_buf_text(&message), "revert");
    lks_buf_free(&message);
    if (!reverted)
        return lks_rpc_fail_remote(r->method, lks_buf_text(&r->text), r->text.len);
    if (lks_json_typeof(&r->doc, node) == LKS_JSON_OBJECT) /* some nodes wrap it once more */
        node = lks_json_member(&r->doc, node, "data");
    if (lks_json_data(&r->doc, node, &data))
        lks_buf_clear(&data);
    lks_abi_revert_text(text, sizeof text, data.data, data.len, m->errors);
    if (revert)
        lks_buf_put(revert, data.data, data.len);
    lks_buf_free(&data);
    return lks_fail(LKS_REFUSED, "the contract refused: %s", text);
}

void lks_eth_at_hash(char text[LKS_ETH_AT_HASH_SIZE], const uint8_t hash32[32])
{
    char hash[LKS_HEX_SIZE(32)];
    lks_hex_encode(hash, hash32, 32);
    snprintf(text, LKS_ETH_AT_HASH_SIZE, "{\"blockHash\":\"%s\"}", hash);
}

lks_err lks_eth_call(const lks_eth *node, const lks_eth_message *message, const char *block,
                     lks_buf *result, lks_buf *revert)
{
    eth_request r;
    lks_buf_clear(result);
    if (revert)
        lks_buf_clear(revert);
    eth_begin(&r, "eth_call");
    put_message(&r.w, message);
    if (*block == '{')
        lks_json_put_raw(&r.w, block, strlen(block));
    else
        lks_json_put_text(&r.w, block);
    lks_err err = eth_ask(&r, node);
    if (err == LKS_REMOTE)
        err = explain_revert(&r, message, revert);
    else if (!err && (err = lks_json_data(&r.doc, 0, result)))
        err = eth_bad_member(&r, err, "");
    eth_end(&r);
    return err;
}

lks_err lks_eth_estimate_gas(const lks_eth *node, const lks_eth_message *message, uint64_t *gas)
{
    eth_request r;
    eth_begin(&r, "eth_estimateGas");
    put_message(&r.w, message);
    lks_err err = eth_ask(&r, node);
    if (err == LKS_REMOTE)
        err = explain_revert(&r, message, NULL);
    else if (!err && (err = lks_json_quantity(&r.doc, 0, gas)))
        err = eth_bad_member(&r, err, "");
    eth_end(&r);
    return err;
}

static bool contains_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasestr(text, *words))
            return true;
    return false;
}

/* Nodes tell these apart by words only: those of geth, reth, nethermind, besu, erigon and anvil. */
static const char *const KNOWN[] = {"already known",     "alreadyknown",   "already imported",
                                    "known transaction", "already exists", NULL};

bool lks_eth_tx_is_known(const char *error_json, size_t len)
{
    lks_json doc = {0};
    lks_buf message = {0};
    bool known = !lks_json_parse(&doc, error_json, len, LKS_JSON_MAX_VALUES) &&
                 !lks_json_string(&doc, lks_json_member(&doc, 0, "message"), &message) &&
                 contains_any(lks_buf_text(&message), KNOWN);
    lks_buf_free(&message);
    lks_json_free(&doc);
    return known;
}

static lks_err classify_send(const eth_request *r)
{
    static const char *const FINAL[] = {"nonce too low",
                                        "insufficient funds",
                                        "underpriced",
                                        "intrinsic gas",
                                        "exceeds block gas limit",
                                        "max fee per gas less than",
                                        "gas limit too high",
                                        "oldnonce",
                                        "insufficientfunds",
                                        NULL};
    lks_buf message = {0};
    get_message(r, &message);
    lks_err err = contains_any(lks_buf_text(&message), KNOWN)   ? LKS_OK
                  : contains_any(lks_buf_text(&message), FINAL) ? LKS_REFUSED
                                                                : LKS_REMOTE;
    lks_buf_free(&message);
    if (err)
        lks_rpc_fail_remote(r->method, lks_buf_text(&r->text), r->text.len);
    return err;
}

lks_err lks_eth_send_raw(const lks_eth *node, const uint8_t *raw, size_t len, uint8_t hash32[32])
{
    eth_request r;
    uint8_t answered[32];
    lks_keccak256(hash32, raw, len);
    eth_begin(&r, "eth_sendRawTransaction");
    lks_json_put_data(&r.w, raw, len);
    lks_err err = eth_ask(&r, node);
    if (err == LKS_REMOTE)
        err = classify_send(&r);
    else if (!err && (err = lks_json_data_fixed(&r.doc, 0, answered, 32)))
        err = eth_bad_member(&r, err, "");
    else if (!err && memcmp(answered, hash32, 32))
        err = lks_fail(LKS_CORRUPT, "the node gives our transaction another hash");
    eth_end(&r);
    return err;
}

lks_err lks_eth_tx_known(const lks_eth *node, const uint8_t hash32[32], bool *known, bool *in_block)
{
    eth_request r;
    eth_begin(&r, "eth_getTransactionByHash");
    lks_json_put_data(&r.w, hash32, 32);
    lks_err err = eth_ask(&r, node);
    if (!err) {
        lks_json_type type = lks_json_typeof(&r.doc, 0);
        if (type != LKS_JSON_NULL && type != LKS_JSON_OBJECT)
            err = lks_fail(LKS_CORRUPT, "the node's answer to %s is no transaction", r.method);
        *known = type == LKS_JSON_OBJECT;
        *in_block =
            lks_json_typeof(&r.doc, lks_json_member(&r.doc, 0, "blockHash")) == LKS_JSON_STRING;
    }
    eth_end(&r);
    return err;
}
