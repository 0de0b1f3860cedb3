#include "tests/cli/fake_node.h"

#include <string.h>

#include "chain/hex.h"
#include "chain/json.h"
#include "chain/rpc.h"
#include "tests/chain/chain_test.h"

static bool fits(const fake_node *n, const fake_tx *x)
{
    const lks_u256 least = lks_u256_from_u64(n->least_priority);
    const lks_u256 base = lks_u256_from_u64(n->base_fee);
    bool cheap = n->cheap_from != 0 && n->head >= n->cheap_from;
    return x->block == 0 && !x->forgotten && x->t.nonce == n->mined &&
           (cheap || (lks_u256_cmp(&x->t.max_priority_fee, &least) >= 0 &&
                      lks_u256_cmp(&x->t.max_fee, &base) >= 0));
}

/* Makes a block with the account's next transaction, if it pays enough. */
static void mine(fake_node *n)
{
    n->head++;
    if (n->take_nonce_at != 0 && n->head == n->take_nonce_at)
        n->mined++;
    if (n->foreign > 0 && !n->foreign_stays) {
        n->foreign--;
        n->mined++;
    }
    for (size_t i = 0; i < n->sent; i++) {
        if (fits(n, &n->txs[i])) {
            n->txs[i].block = n->head;
            n->mined++;
            break;
        }
    }
}

static fake_tx *find(fake_node *n, const lks_json *doc)
{
    uint8_t hash[32];
    OK(lks_json_data_fixed(doc, lks_json_first(doc, 0), hash, 32));
    for (size_t i = 0; i < n->sent; i++)
        if (!n->txs[i].forgotten && memcmp(n->txs[i].hash, hash, 32) == 0)
            return &n->txs[i];
    return NULL;
}

static lks_err take(fake_node *n, const lks_json *doc, lks_json_writer *w)
{
    fake_tx *x = &n->txs[n->sent];
    assert_true(n->sent < FAKE_TXS);
    OK(lks_json_data(doc, lks_json_first(doc, 0), &x->raw));
    OK(lks_tx_decode(&x->t, NULL, x->hash, x->raw.data, x->raw.len));
    lks_json_put_data(w, x->hash, 32);
    for (size_t i = 0; i < n->sent; i++) {
        const fake_tx *old = &n->txs[i];
        if (!old->forgotten && memcmp(old->hash, x->hash, 32) == 0) {
            lks_buf_free(&x->raw);
            return LKS_OK;
        }
    }
    x->forgotten = n->forgets;
    n->forgets = false;
    n->sent++;
    return LKS_OK;
}

static void put_quantity(lks_json_writer *w, const char *name, uint64_t value)
{
    lks_json_put_name(w, name);
    lks_json_put_quantity(w, value);
}

static void put_hash(lks_json_writer *w, const char *name, uint64_t seed)
{
    uint8_t hash[32] = {(uint8_t)seed, (uint8_t)(seed >> 8), 1};
    lks_json_put_name(w, name);
    lks_json_put_data(w, hash, 32);
}

static void put_receipt(const fake_node *n, const fake_tx *x, lks_json_writer *w)
{
    if (x == NULL || x->block == 0) {
        lks_json_put_null(w);
        return;
    }
    lks_json_begin_object(w);
    put_quantity(w, "status", !n->reverts);
    put_quantity(w, "blockNumber", x->block);
    put_hash(w, "blockHash", x->block);
    put_quantity(w, "gasUsed", n->gas);
    put_quantity(w, "effectiveGasPrice", n->base_fee);
    lks_json_put_name(w, "logs");
    lks_json_begin_array(w);
    lks_json_end_array(w);
    lks_json_end_object(w);
}

static void put_tx(const fake_tx *x, lks_json_writer *w)
{
    if (x == NULL) {
        lks_json_put_null(w);
        return;
    }
    lks_json_begin_object(w);
    if (x->block != 0)
        put_hash(w, "blockHash", x->block);
    lks_json_end_object(w);
}

static void put_fee_history(const fake_node *n, lks_json_writer *w)
{
    lks_json_begin_object(w);
    lks_json_put_name(w, "baseFeePerGas");
    lks_json_begin_array(w);
    lks_json_put_quantity(w, n->base_fee);
    lks_json_put_quantity(w, n->base_fee);
    lks_json_end_array(w);
    lks_json_end_object(w);
}

static uint64_t count(const fake_node *n, const lks_json *doc)
{
    uint64_t waiting = n->foreign;
    if (!lks_json_equals(doc, lks_json_next(doc, lks_json_first(doc, 0)), "pending"))
        return n->mined;
    for (size_t i = 0; i < n->sent; i++)
        waiting += n->txs[i].block == 0 && !n->txs[i].forgotten;
    return n->mined + waiting;
}

static void answer_to(fake_node *n, const char *method, const lks_json *doc, lks_json_writer *w)
{
    if (strcmp(method, "eth_blockNumber") == 0) {
        for (uint64_t i = 0; i < n->step; i++)
            mine(n);
        lks_json_put_quantity(w, n->head);
    } else if (strcmp(method, "eth_getBalance") == 0) {
        lks_json_put_quantity(w, UINT64_C(10000000000000000000));
    } else if (strcmp(method, "eth_estimateGas") == 0) {
        lks_json_put_quantity(w, n->gas);
    } else if (strcmp(method, "eth_feeHistory") == 0) {
        put_fee_history(n, w);
    } else if (strcmp(method, "eth_maxPriorityFeePerGas") == 0) {
        lks_json_put_quantity(w, n->priority);
    } else if (strcmp(method, "eth_getTransactionCount") == 0) {
        lks_json_put_quantity(w, count(n, doc));
    } else if (strcmp(method, "eth_sendRawTransaction") == 0) {
        OK(take(n, doc, w));
    } else if (strcmp(method, "eth_getTransactionReceipt") == 0) {
        put_receipt(n, find(n, doc), w);
    } else if (strcmp(method, "eth_getTransactionByHash") == 0) {
        put_tx(find(n, doc), w);
    } else {
        fail_msg("the fake node does not know %s", method);
    }
}

lks_err fake_node_call(void *context, const char *method, const char *params, lks_buf *answer)
{
    fake_node *n = context;
    lks_json doc;
    lks_json_writer w = {.out = answer};
    bool fails = n->fails > 0 && strcmp(method, n->fails_method) == 0;
    lks_buf_clear(answer);
    n->fails -= fails;
    if (fails && !n->acts)
        return lks_fail(LKS_IO, "the connection was lost");
    OK(lks_json_parse(&doc, params, strlen(params), 100));
    answer_to(n, method, &doc, &w);
    lks_json_free(&doc);
    if (fails) {
        lks_buf_clear(answer);
        return lks_fail(LKS_IO, "the connection was lost");
    }
    return LKS_OK;
}

void fake_node_free(fake_node *n)
{
    for (size_t i = 0; i < FAKE_TXS; i++)
        lks_buf_free(&n->txs[i].raw);
}
