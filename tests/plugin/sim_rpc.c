/* The JSON-RPC of the simulated chain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/eth_each.h"
#include "chain/hex.h"
#include "chain/json.h"
#include "chain/rpc.h"
#include "tests/plugin/sim_internal.h"

static lks_err refuse(const char *method, lks_buf *answer, int code, const char *message,
                      const char *error_signature)
{
    lks_json_writer w = {.out = answer};
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "code");
    lks_json_put_i64(&w, code);
    lks_json_put_name(&w, "message");
    lks_json_put_text(&w, message);
    if (error_signature) {
        uint8_t data[36] = {0};
        lks_abi_selector(data, error_signature);
        data[35] = 3;
        lks_json_put_name(&w, "data");
        lks_json_put_data(&w, data, strstr(error_signature, "()") ? 4 : 36);
    }
    lks_json_end_object(&w);
    return lks_rpc_fail_remote(method, lks_buf_text(answer), answer->len);
}

static void put_data(lks_json_writer *w, const char *name, const void *data, size_t len)
{
    lks_json_put_name(w, name);
    lks_json_put_data(w, data, len);
}

static void put_quantity(lks_json_writer *w, const char *name, uint64_t value)
{
    lks_json_put_name(w, name);
    lks_json_put_quantity(w, value);
}

/* With all members of the header, as sim_header has them. */
static void put_block(const sim_block *b, lks_json_writer *w)
{
    static const uint8_t zero[32];
    lks_json_begin_object(w);
    put_data(w, "hash", b->hash, 32);
    put_data(w, "parentHash", b->parent, 32);
    put_data(w, "sha3Uncles", zero, 32);
    put_data(w, "miner", zero, 20);
    put_data(w, "stateRoot", zero, 32);
    put_data(w, "transactionsRoot", zero, 32);
    put_data(w, "receiptsRoot", zero, 32);
    put_data(w, "logsBloom", b->bloom, 256);
    put_quantity(w, "difficulty", 0);
    put_quantity(w, "number", b->number);
    put_quantity(w, "gasLimit", 60000000);
    put_quantity(w, "gasUsed", 21000);
    put_quantity(w, "timestamp", b->time);
    put_data(w, "extraData", &b->branch, 1);
    put_data(w, "mixHash", b->prev_randao, 32);
    put_data(w, "nonce", zero, 8);
    put_quantity(w, "baseFeePerGas", b->base_fee);
    lks_json_end_object(w);
}

static const sim_block *block_by_tag(sim *s, const lks_json *doc, int node)
{
    uint64_t number = 0;
    if (lks_json_equals(doc, node, "latest"))
        return &s->blocks[s->block_count - 1];
    if (lks_json_equals(doc, node, "finalized"))
        return s->finalized ? &s->blocks[s->finalized] : NULL;
    if (lks_json_quantity(doc, node, &number) || number >= s->block_count)
        return NULL;
    return &s->blocks[number];
}

static const sim_block *block_by_hash(sim *s, const uint8_t hash[32])
{
    for (size_t i = 0; i < s->block_count; i++)
        if (memcmp(s->blocks[i].hash, hash, 32) == 0)
            return &s->blocks[i];
    return NULL;
}

/* Whether a filter's member, one value or a list of some, allows a value. Nothing, and null, allow
 * all. */
static bool allows(const lks_json *doc, int node, const uint8_t *value, size_t len)
{
    uint8_t one[32];
    if (node == LKS_JSON_NONE || lks_json_typeof(doc, node) == LKS_JSON_NULL)
        return true;
    if (lks_json_typeof(doc, node) != LKS_JSON_ARRAY)
        return lks_json_data_fixed(doc, node, one, len) == LKS_OK && memcmp(one, value, len) == 0;
    for (int n = lks_json_first(doc, node); n != LKS_JSON_NONE; n = lks_json_next(doc, n))
        if (lks_json_data_fixed(doc, n, one, len) == LKS_OK && memcmp(one, value, len) == 0)
            return true;
    return false;
}

static bool is_wanted(const lks_json *doc, int filter, const sim_log *log,
                      const uint8_t address[20])
{
    int topics = lks_json_member(doc, filter, "topics");
    size_t i = 0;
    if (!allows(doc, lks_json_member(doc, filter, "address"), address, 20))
        return false;
    if (topics == LKS_JSON_NONE)
        return true;
    for (int n = lks_json_first(doc, topics); n != LKS_JSON_NONE; n = lks_json_next(doc, n), i++)
        if (!(i < log->topic_count ? allows(doc, n, log->topics[i], 32)
                                   : lks_json_typeof(doc, n) == LKS_JSON_NULL))
            return false;
    return true;
}

/* Returns: false when the filter names a block that is not there. */
static bool put_logs(sim *s, const lks_json *doc, int filter, lks_json_writer *w)
{
    uint64_t from = 0, to = s->block_count - 1;
    uint8_t hash[32];
    if (lks_json_data_fixed(doc, lks_json_member(doc, filter, "blockHash"), hash, 32) == LKS_OK) {
        const sim_block *b = block_by_hash(s, hash);
        if (!b)
            return false;
        from = to = b->number;
    } else {
        assert_int_equal(lks_json_quantity(doc, lks_json_member(doc, filter, "fromBlock"), &from),
                         LKS_OK);
        assert_int_equal(lks_json_quantity(doc, lks_json_member(doc, filter, "toBlock"), &to),
                         LKS_OK);
    }
    lks_json_begin_array(w);
    for (size_t i = 0; i < s->log_count; i++) {
        const sim_log *log = &s->logs[i];
        const uint8_t *address = log->of_game ? s->game : s->oracle;
        if ((log->of_game && s->hides_logs) || log->block < from || log->block > to ||
            !is_wanted(doc, filter, log, address))
            continue;
        lks_json_begin_object(w);
        lks_json_put_name(w, "address");
        lks_json_put_data(w, address, 20);
        lks_json_put_name(w, "topics");
        lks_json_begin_array(w);
        for (size_t t = 0; t < log->topic_count; t++)
            lks_json_put_data(w, log->topics[t], 32);
        lks_json_end_array(w);
        lks_json_put_name(w, "data");
        lks_json_put_data(w, log->data.data, log->data.len);
        lks_json_put_name(w, "blockNumber");
        lks_json_put_quantity(w, log->block);
        lks_json_put_name(w, "blockHash");
        lks_json_put_data(w, s->blocks[log->block].hash, 32);
        lks_json_put_name(w, "transactionHash");
        lks_json_put_data(w, s->blocks[log->block].hash, 32);
        lks_json_put_name(w, "transactionIndex");
        lks_json_put_quantity(w, 0);
        lks_json_put_name(w, "logIndex");
        lks_json_put_quantity(w, i);
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
    return true;
}

static sim_tx *find_tx(sim *s, const lks_json *doc, const sim_block **block, size_t *place)
{
    uint8_t hash[32];
    *block = NULL;
    assert_int_equal(lks_json_data_fixed(doc, lks_json_path(doc, 0, "0"), hash, 32), LKS_OK);
    for (size_t i = 0; i < s->tx_count; i++) {
        if (memcmp(s->txs[i].hash, hash, 32))
            continue;
        for (size_t n = 0; n < s->block_count; n++)
            for (size_t k = 0; k < s->blocks[n].tx_count; k++)
                if (s->blocks[n].txs[k] == i) {
                    *block = &s->blocks[n];
                    *place = k;
                }
        return *block || s->txs[i].pooled ? &s->txs[i] : NULL;
    }
    return NULL;
}

static void put_receipt(sim *s, const lks_json *doc, lks_json_writer *w)
{
    sim_block fork = {.number = s->block_count - 1, .hash = {7}, .ok = {true}};
    const sim_block *b = NULL;
    size_t place = 0;
    if (find_tx(s, doc, &b, &place) && !b && s->fork_receipts) {
        s->fork_receipts--;
        b = &fork;
    }
    if (!b) {
        lks_json_put_null(w);
        return;
    }
    lks_json_begin_object(w);
    lks_json_put_name(w, "status");
    lks_json_put_quantity(w, b->ok[place]);
    lks_json_put_name(w, "blockNumber");
    lks_json_put_quantity(w, b->number);
    lks_json_put_name(w, "blockHash");
    lks_json_put_data(w, b->hash, 32);
    lks_json_put_name(w, "gasUsed");
    lks_json_put_quantity(w, SIM_TX_GAS);
    lks_json_put_name(w, "effectiveGasPrice");
    lks_json_put_quantity(w, s->base_fee);
    lks_json_put_name(w, "logs");
    lks_json_begin_array(w);
    lks_json_end_array(w);
    lks_json_end_object(w);
}

static void put_tx(sim *s, const lks_json *doc, lks_json_writer *w)
{
    const sim_block *b = NULL;
    size_t place = 0;
    if (!find_tx(s, doc, &b, &place)) {
        lks_json_put_null(w);
        return;
    }
    lks_json_begin_object(w);
    lks_json_put_name(w, "blockHash");
    if (b)
        lks_json_put_data(w, b->hash, 32);
    else
        lks_json_put_null(w);
    lks_json_end_object(w);
}

/* Whether a pays at least a tenth more than b, as nodes ask of a replacement. */
static bool pays_more(const lks_u256 *a, const lks_u256 *b)
{
    return a->w[0] >= b->w[0] + (b->w[0] + 9) / 10;
}

static bool can_pay(const sim_account *account, const lks_tx *t)
{
    lks_u256 cost;
    lks_u256_mul_u64(&cost, &t->max_fee, t->gas_limit);
    lks_u256_add(&cost, &cost, &t->value);
    return lks_u256_cmp(&cost, &account->balance) <= 0;
}

static lks_err send_raw(sim *s, const char *method, const lks_json *doc, lks_buf *answer)
{
    lks_buf raw = {0};
    lks_tx t;
    uint8_t sender[20], hash[32];
    assert_int_equal(lks_json_data(doc, lks_json_path(doc, 0, "0"), &raw), LKS_OK);
    if (lks_tx_decode(&t, sender, hash, raw.data, raw.len))
        fail_msg("a transaction that cannot be read: %s", lks_error_message());
    const sim_account *account = sim_account_at(s, sender);
    assert_non_null(account);
    assert_true(t.chain_id == s->chain_id);
    const char *error = s->send_error;
    if (!error && t.nonce < account->nonce)
        error = "nonce too low";
    if (!error && !can_pay(account, &t))
        error = "insufficient funds for gas * price + value: balance too low";
    for (size_t i = 0; !error && i < s->tx_count; i++) {
        sim_tx *old = &s->txs[i];
        if (old->kind != SIM_SIGNED || &s->accounts[old->account] != account || !old->pooled ||
            old->t.nonce != t.nonce)
            continue;
        if (memcmp(old->hash, hash, 32) == 0)
            error = "already known";
        else if (!pays_more(&t.max_fee, &old->t.max_fee) ||
                 !pays_more(&t.max_priority_fee, &old->t.max_priority_fee))
            error = "replacement transaction underpriced";
        else
            old->pooled = false;
    }
    if (error) {
        lks_buf_free(&raw);
        return refuse(method, answer, -32000, error, NULL);
    }
    s->sends++;
    size_t index = SIM_TXS;
    for (size_t i = 0; i < s->tx_count; i++)
        if (memcmp(s->txs[i].hash, hash, 32) == 0)
            index = i;
    if (index == SIM_TXS) {
        index = sim_add_tx(s, SIM_SIGNED, 0);
        sim_tx *tx = &s->txs[index];
        memcpy(tx->hash, hash, 32);
        tx->account = (size_t)(account - s->accounts);
        tx->raw = raw;
        assert_int_equal(lks_tx_decode(&tx->t, NULL, NULL, tx->raw.data, tx->raw.len), LKS_OK);
    } else {
        lks_buf_free(&raw);
    }
    s->txs[index].pooled = !s->pool_forgets;
    if (s->on_send)
        s->on_send(s->user, hash);
    lks_json_writer w = {.out = answer};
    lks_json_put_data(&w, hash, 32);
    return LKS_OK;
}

/* RequestState and Seat, of what the plugin looks at. Returns: false when it is none. */
static bool request_view(sim *s, const uint8_t *data, size_t len, lks_buf *result)
{
    static const uint8_t zero[32];
    static const sim_request unknown;
    uint8_t id[32];
    uint32_t attempt = 0, number = 0;
    lks_abi_reader r;
    lks_abi_writer e;
    const sim_request *q = &unknown; /* the chain may not have it yet */
    bool of_seat = sim_is_call(data, len, "seatOf(bytes32,uint8,uint8)");
    if (!of_seat && !sim_is_call(data, len, "stateOf(bytes32)"))
        return false;
    lks_abi_read(&r, data + 4, len - 4);
    assert_int_equal(lks_abi_read_word(&r, id), LKS_OK);
    for (size_t i = 0; i < s->request_count; i++)
        if (memcmp(s->requests[i].id, id, 32) == 0)
            q = &s->requests[i];
    if (of_seat) {
        assert_int_equal(lks_abi_read_u32(&r, &attempt), LKS_OK);
        assert_int_equal(lks_abi_read_u32(&r, &number), LKS_OK);
        bool taken = attempt == q->attempt && number < q->taken;
        const sim_seat *seat = &q->seats[taken ? number : 0];
        lks_abi_begin(&e, result, 6);
        lks_abi_put_address(&e, taken ? seat->operator_address : zero);
        lks_abi_put_u64(&e, taken ? seat->status : LKS_SEAT_EMPTY);
        lks_abi_put_u64(&e, 0);
        lks_abi_put_u64(&e, 0);
        lks_abi_put_bool(&e, taken && seat->disputes);
        lks_abi_put_word(&e, zero);
    } else {
        const uint64_t words[10] = {q->status, q->attempt,  q->misses, q->cancelled,  q->taken,
                                    0,         q->deadline, 0,         q->seed_fixed, q->seed};
        lks_abi_begin(&e, result, 10);
        for (int i = 0; i < 10; i++)
            lks_abi_put_u64(&e, words[i]);
    }
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    return true;
}

/* The oracle's, the bonds' and the registry's views. Returns: false when it is none. */
static bool view(sim *s, const uint8_t *data, size_t len, lks_buf *result)
{
    lks_abi_writer e;
    lks_u256 bond = lks_u256_from_u64(0), reward = bond;
    uint64_t roles = 0;
    uint8_t account20[20] = {0};
    if (len >= 36)
        memcpy(account20, data + 16, 20); /* of those functions that take an address first */
    const sim_account *bonded = sim_account_for(s, account20), *a = sim_account_at(s, account20);
    if (bonded)
        bond = sim_free_bond(bonded);
    const sim_account *agent = len >= 68 ? sim_account_at(s, data + 48) : NULL;
    if (agent && memcmp(agent->operator_address, account20, 20) == 0)
        roles = agent->agent_roles;
    if (a)
        reward = a->reward;
    lks_abi_begin(&e, result, sim_is_call(data, len, "parameters()") ? 10 : 1);
    if (sim_is_call(data, len, "freeBond(address)")) {
        lks_abi_put_u256(&e, &bond);
    } else if (sim_is_call(data, len, "isRegistered(bytes32)")) {
        lks_abi_put_bool(&e, true);
    } else if (sim_is_call(data, len, "bonds()")) {
        lks_abi_put_address(&e, s->bonds);
    } else if (sim_is_call(data, len, "disputeGame()")) {
        lks_abi_put_address(&e, s->game);
    } else if (sim_is_call(data, len, "credit(address)")) {
        lks_abi_put_u256(&e, &reward);
    } else if (sim_is_call(data, len, "agentRoles(address,address)")) {
        lks_abi_put_u64(&e, roles);
    } else if (sim_is_call(data, len, "registry()")) {
        lks_abi_put_address(&e, s->registry);
    } else if (sim_is_call(data, len, "parameters()")) {
        for (int i = 0; i < 8; i++)
            lks_abi_put_u64(&e, 30);
        lks_abi_put_u64(&e, SIM_FILL_SECONDS);
        lks_abi_put_u64(&e, SIM_REVEAL_SECONDS);
    } else {
        lks_buf_clear(result);
        return false;
    }
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    return true;
}

/* The answer to many views of the game in one call: the node reverts with what they return. */
static lks_err call_each(sim *s, const char *method, const lks_buf *code, lks_buf *answer)
{
    uint8_t call[36];
    lks_buf result = {0};
    lks_json_writer w = {.out = answer};
    if (s->refuses_each)
        return refuse(method, answer, -32000, "contract creation is not simulated", NULL);
    assert_true(code->len > LKS_ETH_EACH_ARGUMENTS_AT);
    assert_memory_equal(code->data + LKS_ETH_EACH_ADDRESS_AT, s->game, 20);
    memcpy(call, code->data + LKS_ETH_EACH_SELECTOR_AT, 4);
    for (size_t at = LKS_ETH_EACH_ARGUMENTS_AT; at < code->len; at += 32) {
        lks_buf one = {0};
        memcpy(call + 4, code->data + at, 32);
        assert_true(sim_game_view(s, call, sizeof call, &one));
        lks_buf_put(&result, one.data, one.len);
        lks_buf_free(&one);
    }
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "code");
    lks_json_put_i64(&w, 3);
    lks_json_put_name(&w, "message");
    lks_json_put_text(&w, "execution reverted");
    put_data(&w, "data", result.data, result.len);
    lks_json_end_object(&w);
    lks_buf_free(&result);
    return lks_rpc_fail_remote(method, lks_buf_text(answer), answer->len);
}

/* eth_call and eth_estimateGas. */
static lks_err call_contract(sim *s, const char *method, const lks_json *doc, lks_buf *answer)
{
    lks_buf data = {0}, result = {0};
    lks_json_writer w = {.out = answer};
    int message = lks_json_path(doc, 0, "0");
    const sim_block *b = block_by_tag(s, doc, lks_json_path(doc, 0, "1"));
    const char *error = NULL;
    uint8_t to[20], sender[20];
    if (!b)
        b = &s->blocks[s->block_count - 1];
    assert_int_equal(lks_json_data(doc, lks_json_member(doc, message, "input"), &data), LKS_OK);
    if (lks_json_member(doc, message, "to") == LKS_JSON_NONE) {
        lks_err err = call_each(s, method, &data, answer);
        lks_buf_free(&data);
        return err;
    }
    assert_int_equal(lks_json_data_fixed(doc, lks_json_member(doc, message, "to"), to, 20), LKS_OK);
    bool to_game = memcmp(to, s->game, 20) == 0;
    bool is_view = to_game ? sim_game_view(s, data.data, data.len, &result)
                           : request_view(s, data.data, data.len, &result) ||
                                 view(s, data.data, data.len, &result);
    if (!is_view) {
        const sim_run run = {data.data, data.len, sender, b, false};
        assert_int_equal(lks_json_data_fixed(doc, lks_json_member(doc, message, "from"), sender,
                                             20),
                         LKS_OK);
        if (lks_json_quantity_u256(doc, lks_json_member(doc, message, "value"), &s->value))
            s->value = lks_u256_from_u64(0);
        error = to_game ? sim_game_execute(s, &run) : sim_execute(s, &run);
        if (s->early_estimates && strcmp(method, "eth_estimateGas") == 0) {
            s->early_estimates--;
            error = "TooEarly()";
        }
    }
    lks_err err = LKS_OK;
    if (error)
        err = refuse(method, answer, 3, "execution reverted", error);
    else if (strcmp(method, "eth_estimateGas") == 0)
        lks_json_put_quantity(&w, 60000);
    else
        lks_json_put_data(&w, result.data, result.len);
    lks_buf_free(&data);
    lks_buf_free(&result);
    return err;
}

/* The account that the first parameter names. */
static const sim_account *asked(sim *s, const lks_json *doc)
{
    uint8_t address[20];
    assert_int_equal(lks_json_data_fixed(doc, lks_json_path(doc, 0, "0"), address, 20), LKS_OK);
    const sim_account *a = sim_account_at(s, address);
    assert_non_null(a);
    return a;
}

static lks_err answer_call(sim *s, const char *method, const lks_json *doc, lks_buf *answer)
{
    lks_json_writer w = {.out = answer};
    const sim_block *b = NULL;
    uint8_t hash[32];
    if (strcmp(method, "eth_chainId") == 0) {
        lks_json_put_quantity(&w, s->chain_id);
    } else if (strcmp(method, "eth_getBlockByNumber") == 0 ||
               strcmp(method, "eth_getBlockByHash") == 0) {
        if (strcmp(method, "eth_getBlockByNumber") == 0)
            b = block_by_tag(s, doc, lks_json_path(doc, 0, "0"));
        else if (lks_json_data_fixed(doc, lks_json_path(doc, 0, "0"), hash, 32) == LKS_OK)
            b = block_by_hash(s, hash);
        if (b)
            put_block(b, &w);
        else
            lks_json_put_null(&w);
    } else if (strcmp(method, "eth_getLogs") == 0) {
        if (!put_logs(s, doc, lks_json_path(doc, 0, "0"), &w))
            return refuse(method, answer, -32000, "unknown block", NULL);
    } else if (strcmp(method, "eth_getTransactionCount") == 0) {
        uint64_t number = 0;
        if (lks_json_quantity(doc, lks_json_path(doc, 0, "1"), &number) == LKS_OK &&
            number >= s->block_count)
            return refuse(method, answer, -32000, "header not found", NULL);
        lks_json_put_quantity(&w, asked(s, doc)->nonce);
    } else if (strcmp(method, "eth_getBalance") == 0) {
        lks_json_put_quantity_u256(&w, &asked(s, doc)->balance);
    } else if (strcmp(method, "eth_feeHistory") == 0) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":[\"0x%llx\",\"0x%llx\"],"
                 "\"gasUsedRatio\":[0.5]}",
                 (unsigned long long)s->base_fee, (unsigned long long)s->base_fee);
        lks_json_put_raw(&w, text, strlen(text));
    } else if (strcmp(method, "eth_maxPriorityFeePerGas") == 0) {
        lks_json_put_quantity(&w, s->priority);
    } else if (strcmp(method, "eth_getTransactionReceipt") == 0) {
        put_receipt(s, doc, &w);
    } else if (strcmp(method, "eth_getTransactionByHash") == 0) {
        put_tx(s, doc, &w);
    } else if (strcmp(method, "eth_sendRawTransaction") == 0) {
        return send_raw(s, method, doc, answer);
    } else if (strcmp(method, "eth_call") == 0 || strcmp(method, "eth_estimateGas") == 0) {
        return call_contract(s, method, doc, answer);
    } else {
        fail_msg("the plugin called %s", method);
    }
    return lks_buf_error(answer);
}

lks_err sim_call(void *context, const char *method, const char *params_json, lks_buf *answer)
{
    sim *s = context;
    lks_json doc = {0};
    lks_buf_clear(answer);
    lks_err lied = LKS_OK;
    if (s->lie && s->lie(s->liar, method, params_json, answer, &lied))
        return lied;
    pthread_mutex_lock(&s->lock);
    uint64_t number = ++s->calls;
    bool fails = s->fail_from && number >= s->fail_from;
    lks_err err = LKS_OK;
    if (!fails || (s->fail_after_doing && number == s->fail_from)) {
        assert_int_equal(lks_json_parse(&doc, params_json, strlen(params_json), 4096), LKS_OK);
        err = answer_call(s, method, &doc, answer);
        lks_json_free(&doc);
    }
    pthread_mutex_unlock(&s->lock);
    if (fails) {
        lks_buf_clear(answer);
        return lks_fail(LKS_IO, "%s: the connection is lost", method);
    }
    return err;
}
