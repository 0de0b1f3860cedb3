#include "chain/eth.h"

#include <inttypes.h>
#include <string.h>

#include "chain/eth_internal.h"
#include "chain/header.h"
#include "chain/hex.h"
#include "chain/rpc.h"

void eth_begin(eth_request *r, const char *method)
{
    *r = (eth_request){.method = method};
    r->w.out = &r->params;
    lks_json_begin_array(&r->w);
}

lks_err eth_ask(eth_request *r, const lks_eth *node)
{
    lks_json_end_array(&r->w);
    lks_err err = lks_buf_error(&r->params);
    if (err)
        return err;
    err = node->call(node->context, r->method, lks_buf_text(&r->params), &r->text);
    if (err && err != LKS_REMOTE)
        return err;
    lks_err parsed = lks_json_parse(&r->doc, lks_buf_text(&r->text), r->text.len,
                                    lks_json_values_of(r->text.len));
    if (parsed && !err)
        return lks_fail_in(parsed == LKS_REFUSED ? LKS_TOO_LARGE : parsed,
                           "the node's answer to %s", r->method);
    return err ? lks_rpc_fail_remote(r->method, lks_buf_text(&r->text), r->text.len) : LKS_OK;
}

void eth_end(eth_request *r)
{
    lks_json_free(&r->doc);
    lks_buf_free(&r->params);
    lks_buf_free(&r->text);
}

lks_err eth_bad_member(const eth_request *r, lks_err err, const char *name)
{
    return lks_fail_in(err, "the node's answer to %s%s%s", r->method, *name ? ", " : "", name);
}

lks_err eth_u64(const eth_request *r, int object, const char *name, uint64_t *out)
{
    lks_err err = lks_json_quantity(&r->doc, lks_json_member(&r->doc, object, name), out);
    return err ? eth_bad_member(r, err, name) : LKS_OK;
}

lks_err eth_u32(const eth_request *r, int object, const char *name, uint32_t *out)
{
    uint64_t value;
    lks_err err = eth_u64(r, object, name, &value);
    if (!err && value > UINT32_MAX)
        err = eth_bad_member(r, lks_fail(LKS_CORRUPT, "a number over 32 bits"), name);
    if (!err)
        *out = (uint32_t)value;
    return err;
}

lks_err eth_u256(const eth_request *r, int object, const char *name, lks_u256 *out)
{
    lks_err err = lks_json_quantity_u256(&r->doc, lks_json_member(&r->doc, object, name), out);
    return err ? eth_bad_member(r, err, name) : LKS_OK;
}

lks_err eth_fixed(const eth_request *r, int object, const char *name, uint8_t *out, size_t len)
{
    lks_err err = lks_json_data_fixed(&r->doc, lks_json_member(&r->doc, object, name), out, len);
    return err ? eth_bad_member(r, err, name) : LKS_OK;
}

/* Asks, and reads an answer that is one QUANTITY. Ends the request. */
static lks_err ask_u64(eth_request *r, const lks_eth *node, uint64_t *out)
{
    lks_err err = eth_ask(r, node);
    if (!err && (err = lks_json_quantity(&r->doc, 0, out)))
        err = eth_bad_member(r, err, "");
    eth_end(r);
    return err;
}

static lks_err ask_u256(eth_request *r, const lks_eth *node, lks_u256 *out)
{
    lks_err err = eth_ask(r, node);
    if (!err && (err = lks_json_quantity_u256(&r->doc, 0, out)))
        err = eth_bad_member(r, err, "");
    eth_end(r);
    return err;
}

lks_err lks_eth_chain_id(const lks_eth *node, uint64_t *out)
{
    eth_request r;
    eth_begin(&r, "eth_chainId");
    return ask_u64(&r, node, out);
}

lks_err lks_eth_check_chain_id(const lks_eth *node, uint64_t expected)
{
    uint64_t found;
    lks_err err = lks_eth_chain_id(node, &found);
    if (!err && found != expected)
        err = lks_fail(LKS_AUTH, "the node is on chain %" PRIu64 ", configured is chain %" PRIu64,
                       found, expected);
    return err;
}

lks_err lks_eth_block_number(const lks_eth *node, uint64_t *out)
{
    eth_request r;
    eth_begin(&r, "eth_blockNumber");
    return ask_u64(&r, node, out);
}

lks_err lks_eth_balance(const lks_eth *node, const uint8_t address20[20], const char *block,
                        lks_u256 *wei)
{
    eth_request r;
    eth_begin(&r, "eth_getBalance");
    lks_json_put_data(&r.w, address20, 20);
    lks_json_put_text(&r.w, block);
    return ask_u256(&r, node, wei);
}

lks_err lks_eth_nonce(const lks_eth *node, const uint8_t address20[20], const char *block,
                      uint64_t *out)
{
    eth_request r;
    eth_begin(&r, "eth_getTransactionCount");
    lks_json_put_data(&r.w, address20, 20);
    lks_json_put_text(&r.w, block);
    return ask_u64(&r, node, out);
}

/* A chain may have headers without one, or with an empty one. */
static lks_err read_bloom(const eth_request *r, lks_eth_header *out)
{
    int node = lks_json_member(&r->doc, 0, "logsBloom");
    if (node == LKS_JSON_NONE || lks_json_typeof(&r->doc, node) == LKS_JSON_NULL ||
        lks_json_equals(&r->doc, node, "0x"))
        return LKS_OK;
    lks_err err = eth_fixed(r, 0, "logsBloom", out->logs_bloom, sizeof out->logs_bloom);
    out->has_bloom = err == LKS_OK;
    return err;
}

static lks_err read_header(const eth_request *r, lks_eth_header *out)
{
    lks_err err;
    *out = (lks_eth_header){0};
    if ((err = eth_u64(r, 0, "number", &out->number)) ||
        (err = eth_u64(r, 0, "timestamp", &out->timestamp)) ||
        (err = eth_fixed(r, 0, "hash", out->hash, 32)) ||
        (err = eth_fixed(r, 0, "parentHash", out->parent_hash, 32)) ||
        (err = eth_u64(r, 0, "gasLimit", &out->gas_limit)) ||
        (err = eth_u64(r, 0, "gasUsed", &out->gas_used)))
        return err;
    if (lks_json_member(&r->doc, 0, "baseFeePerGas") != LKS_JSON_NONE)
        err = eth_u256(r, 0, "baseFeePerGas", &out->base_fee);
    return err ? err : read_bloom(r, out);
}

/* Asks for a block without its transactions. Ends the request. */
static lks_err ask_header(eth_request *r, const lks_eth *node, lks_eth_header *out)
{
    lks_json_put_bool(&r->w, false);
    lks_err err = eth_ask(r, node);
    if (!err && lks_json_typeof(&r->doc, 0) == LKS_JSON_NULL)
        err = lks_fail(LKS_NOTFOUND, "the node has no such block");
    if (!err)
        err = read_header(r, out);
    eth_end(r);
    return err;
}

lks_err lks_eth_header_at(const lks_eth *node, const char *block, lks_eth_header *out)
{
    eth_request r;
    eth_begin(&r, "eth_getBlockByNumber");
    lks_json_put_text(&r.w, block);
    return ask_header(&r, node, out);
}

lks_err lks_eth_header_by_number(const lks_eth *node, uint64_t number, lks_eth_header *out)
{
    char block[LKS_HEX_U64_SIZE];
    lks_hex_from_u64(block, number);
    lks_err err = lks_eth_header_at(node, block, out);
    if (!err && out->number != number)
        err = lks_fail(LKS_CORRUPT, "the node gave block %" PRIu64 " for block %" PRIu64,
                       out->number, number);
    return err;
}

lks_err lks_eth_header_by_hash(const lks_eth *node, const uint8_t hash32[32], lks_eth_header *out)
{
    eth_request r;
    eth_begin(&r, "eth_getBlockByHash");
    lks_json_put_data(&r.w, hash32, 32);
    lks_err err = ask_header(&r, node, out);
    if (!err && memcmp(out->hash, hash32, 32))
        err = lks_fail(LKS_CORRUPT, "the node gave another block than the one asked for");
    return err;
}

lks_err lks_eth_header_rlp(const lks_eth *node, uint64_t number, lks_buf *rlp,
                           uint8_t prev_randao32[32])
{
    eth_request r;
    char block[LKS_HEX_U64_SIZE];
    uint64_t found = 0;
    lks_buf_clear(rlp);
    lks_hex_from_u64(block, number);
    eth_begin(&r, "eth_getBlockByNumber");
    lks_json_put_text(&r.w, block);
    lks_json_put_bool(&r.w, false);
    lks_err err = eth_ask(&r, node);
    if (!err && lks_json_typeof(&r.doc, 0) == LKS_JSON_NULL)
        err = lks_fail(LKS_NOTFOUND, "the node has no block %" PRIu64, number);
    else if (!err && (err = lks_header_rlp_of(rlp, prev_randao32, &found, &r.doc, 0)))
        err = eth_bad_member(&r, err, "");
    else if (!err && found != number)
        err = lks_fail(LKS_CORRUPT, "the node gave block %" PRIu64 " for block %" PRIu64, found,
                       number);
    if (err)
        lks_buf_clear(rlp);
    eth_end(&r);
    return err;
}

/* The base fee of the block after the newest. */
static lks_err next_base_fee(const lks_eth *node, lks_u256 *out)
{
    eth_request r;
    eth_begin(&r, "eth_feeHistory");
    lks_json_put_quantity(&r.w, 1);
    lks_json_put_text(&r.w, LKS_ETH_LATEST);
    lks_json_begin_array(&r.w);
    lks_json_end_array(&r.w);
    lks_err err = eth_ask(&r, node);
    if (!err &&
        (err = lks_json_quantity_u256(&r.doc, lks_json_path(&r.doc, 0, "baseFeePerGas.1"), out)))
        err = eth_bad_member(&r, err, "baseFeePerGas");
    eth_end(&r);
    return err;
}

lks_err lks_eth_suggest_fees(const lks_eth *node, lks_eth_fees *out)
{
    eth_request r;
    lks_err err = next_base_fee(node, &out->base_fee);
    if (err)
        return err;
    eth_begin(&r, "eth_maxPriorityFeePerGas");
    err = ask_u256(&r, node, &out->max_priority_fee);
    if (err == LKS_REMOTE) { /* not every node has the method */
        out->max_priority_fee = lks_u256_from_u64(1000000000);
        err = LKS_OK;
    }
    if (err)
        return err;
    if (lks_u256_is_zero(&out->max_priority_fee))
        out->max_priority_fee = lks_u256_from_u64(1);
    if (lks_u256_mul_u64(&out->max_fee, &out->base_fee, 2) ||
        lks_u256_add(&out->max_fee, &out->max_fee, &out->max_priority_fee))
        return lks_fail(LKS_CORRUPT, "the node's fees are absurdly high");
    return LKS_OK;
}
