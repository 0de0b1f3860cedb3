#include "tests/hostile/views.h"

#include "chain/hex.h"
#include "chain/json.h"
#include "chain/rpc.h"

#include <stdio.h>
#include <string.h>

#define BLOOM_DIGITS 512u

static lks_err ask(const views *v, const char *method, const char *params, lks_buf *answer)
{
    return v->truth.call(v->truth.context, method, params, answer);
}

static bool is(const char *method, const char *name)
{
    return strcmp(method, name) == 0;
}

static bool is_block(const char *method)
{
    return is(method, "eth_getBlockByNumber") || is(method, "eth_getBlockByHash");
}

static bool is_transaction(const char *method)
{
    return is(method, "eth_getTransactionReceipt") || is(method, "eth_getTransactionByHash");
}

static bool is_state(const char *method)
{
    return is(method, "eth_call") || is(method, "eth_getBalance") ||
           is(method, "eth_getTransactionCount") || is(method, "eth_estimateGas");
}

static lks_err refuse(const char *method, const char *words, lks_buf *answer)
{
    lks_buf_clear(answer);
    lks_buf_printf(answer, "{\"code\":-32000,\"message\":\"%s\"}", words);
    return lks_rpc_fail_remote(method, lks_buf_text(answer), answer->len);
}

static void answer_null(lks_buf *answer)
{
    lks_buf_clear(answer);
    lks_buf_put_text(answer, "null");
}

/* Puts one text in the place of another, wherever that stands. */
static void replace(lks_buf *text, const char *from, const char *to)
{
    const char *at = lks_buf_text(text), *found = strstr(at, from);
    lks_buf out = {0};
    if (!found)
        return;
    for (; found; found = strstr(at, from)) {
        lks_buf_put(&out, at, (size_t)(found - at));
        lks_buf_put_text(&out, to);
        at = found + strlen(from);
    }
    lks_buf_put_text(&out, at);
    lks_buf_free(text);
    *text = out;
}

/* ---- what an answer holds ---- */

static bool number_of(const lks_json *doc, int node, const char *member, uint64_t *number)
{
    return lks_json_quantity(doc, lks_json_member(doc, node, member), number) == LKS_OK;
}

/* The number of the block that an answer is, or is about. Returns: whether it has one. */
static bool block_of(const lks_buf *answer, const char *member, uint64_t *number)
{
    lks_json doc = {0};
    bool found = false;
    if (lks_json_parse(&doc, lks_buf_text(answer), answer->len, LKS_JSON_MAX_VALUES) == LKS_OK)
        found = number_of(&doc, 0, member, number);
    lks_json_free(&doc);
    return found;
}

/* Leaves the logs up to that block in the list. Returns: whether all are left. */
static bool keep_logs(lks_buf *answer, uint64_t last)
{
    lks_json doc = {0};
    lks_buf out = {0};
    bool all = true;
    if (lks_json_parse(&doc, lks_buf_text(answer), answer->len, LKS_JSON_MAX_VALUES))
        return true;
    lks_json_writer w = {.out = &out};
    lks_json_begin_array(&w);
    for (int n = lks_json_first(&doc, 0); n != LKS_JSON_NONE; n = lks_json_next(&doc, n)) {
        uint64_t number = 0;
        const char *text;
        size_t len;
        if (!number_of(&doc, n, "blockNumber", &number) || lks_json_raw(&doc, n, &text, &len))
            continue;
        all &= number <= last;
        if (number <= last)
            lks_json_put_raw(&w, text, len);
    }
    lks_json_end_array(&w);
    lks_json_free(&doc);
    lks_buf_free(answer);
    *answer = out;
    return all;
}

/* Takes out what is of later blocks. */
static void hide(const char *method, uint64_t last, lks_buf *answer)
{
    uint64_t number = 0;
    if (is_block(method) && block_of(answer, "number", &number) && number > last)
        answer_null(answer);
    if (is_transaction(method) && block_of(answer, "blockNumber", &number) && number > last)
        answer_null(answer);
}

/* ---- the chain as it was ---- */

static lks_err head_of(const views *v, uint64_t *head)
{
    const lks_eth node = {.call = v->truth.call, .context = v->truth.context};
    return lks_eth_block_number(&node, head);
}

/* The parameters with the block in place of the newest one. */
static void put_params(lks_buf *params, const char *method, const char *given, uint64_t block)
{
    char tag[LKS_HEX_U64_SIZE + 2], number[LKS_HEX_U64_SIZE];
    lks_hex_from_u64(number, block);
    lks_buf_put_text(params, given);
    snprintf(tag, sizeof tag, "\"%s\"", number);
    replace(params, "\"latest\"", tag);
    replace(params, "\"pending\"", tag);
    if (is(method, "eth_estimateGas") && !strstr(lks_buf_text(params), tag) && params->len) {
        params->len--; /* the bracket */
        lks_buf_printf(params, ",%s]", tag);
    }
}

/* Whether the state that is asked for is of a later block. */
static bool is_later(const views *v, const char *method, const char *params, uint64_t last)
{
    const char *hash = strstr(params, "\"blockHash\":\"");
    lks_buf question = {0}, block = {0};
    uint64_t number = 0;
    if (!is_state(method) || !hash)
        return false;
    lks_buf_printf(&question, "[\"%.66s\",false]", hash + strlen("\"blockHash\":\""));
    if (ask(v, "eth_getBlockByHash", lks_buf_text(&question), &block) == LKS_OK)
        block_of(&block, "number", &number);
    lks_buf_free(&question);
    lks_buf_free(&block);
    return number > last;
}

lks_err views_behind(void *context, const char *method, const char *params_json, lks_buf *answer)
{
    const views *v = context;
    uint64_t head = 0, last = 1;
    lks_buf params = {0};
    lks_err err = head_of(v, &head);
    if (err)
        return err;
    if (head > v->lag)
        last = head - v->lag;
    if (is_later(v, method, params_json, last))
        return refuse(method, "header not found", answer);
    put_params(&params, method, params_json, last);
    err = ask(v, method, lks_buf_text(&params), answer);
    lks_buf_free(&params);
    if (err)
        return err;
    if (is(method, "eth_blockNumber")) {
        lks_buf_clear(answer);
        lks_buf_printf(answer, "\"0x%llx\"", (unsigned long long)last);
    }
    hide(method, last, answer);
    if (is(method, "eth_getLogs") && !keep_logs(answer, last) && strstr(params_json, "blockHash"))
        return refuse(method, "unknown block", answer);
    return LKS_OK;
}

/* ---- another branch ---- */

/* The hash on the branch of the block that has that hash on the chain. */
static void alter(char to[VIEWS_HASH_SIZE], const char *hash)
{
    memcpy(to, hash, VIEWS_HASH_SIZE);
    to[VIEWS_HASH_SIZE - 2] = hash[VIEWS_HASH_SIZE - 2] == '0' ? '1' : '0';
}

/* Gets the hashes of the chain's blocks that came since. */
static lks_err follow(views *v)
{
    const lks_eth node = {.call = v->truth.call, .context = v->truth.context};
    uint64_t head = 0;
    lks_err err = head_of(v, &head);
    while (!err && v->count < VIEWS_MOST && v->left_at + v->count <= head) {
        lks_eth_header header;
        err = lks_eth_header_by_number(&node, v->left_at + v->count, &header);
        if (!err)
            lks_hex_encode(v->hashes[v->count++], header.hash, 32);
    }
    return err;
}

void views_leave(views *v, uint64_t blocks)
{
    uint64_t head = 0;
    v->count = 0;
    v->bare = chance_of(&v->chance, 500);
    if (head_of(v, &head) == LKS_OK && head > blocks)
        v->left_at = head - blocks;
}

/* Whether the parameters name a block that is on the chain only. */
static bool is_elsewhere(const views *v, const char *params)
{
    for (size_t i = 1; i < v->count; i++)
        if (strstr(params, v->hashes[i]))
            return true;
    return false;
}

/* The parameters as the node understands them. */
static void to_chain(const views *v, const char *method, const char *given, lks_buf *params)
{
    bool shared = v->bare && is_state(method); /* the state is that of the last shared block */
    if (shared)
        put_params(params, method, given, v->left_at);
    else
        lks_buf_put_text(params, given);
    for (size_t i = 1; i < v->count; i++) {
        char altered[VIEWS_HASH_SIZE];
        alter(altered, v->hashes[i]);
        replace(params, altered, v->hashes[shared ? 0 : i]);
    }
}

/* The answer of the chain as that of the branch. */
static void to_branch(const views *v, const char *method, lks_buf *answer)
{
    uint64_t number = 0;
    char *bloom = answer->data ? strstr((char *)answer->data, "\"logsBloom\":\"0x") : NULL;
    if (v->bare && is_transaction(method))
        hide(method, v->left_at, answer);
    if (v->bare && is(method, "eth_getLogs"))
        keep_logs(answer, v->left_at);
    if (v->bare && bloom && is_block(method) && block_of(answer, "number", &number) &&
        number > v->left_at)
        memset(bloom + strlen("\"logsBloom\":\"0x"), '0', BLOOM_DIGITS);
    for (size_t i = 1; i < v->count; i++) {
        char altered[VIEWS_HASH_SIZE];
        alter(altered, v->hashes[i]);
        replace(answer, v->hashes[i], altered);
    }
}

lks_err views_branch(void *context, const char *method, const char *params_json, lks_buf *answer)
{
    views *v = context;
    lks_buf params = {0};
    lks_err err = follow(v);
    if (err)
        return err;
    if (is_elsewhere(v, params_json)) {
        if (!is_block(method))
            return refuse(method, "unknown block", answer);
        answer_null(answer);
        return LKS_OK;
    }
    to_chain(v, method, params_json, &params);
    err = ask(v, method, lks_buf_text(&params), answer);
    lks_buf_free(&params);
    if (!err)
        to_branch(v, method, answer);
    return err;
}
