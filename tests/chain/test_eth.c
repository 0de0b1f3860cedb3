/* The typed calls, against a node that is a script: it checks each request and gives the answer
 * that the case says. */
#include "chain/eth.h"

#include "chain/rpc.h"
#include "chain_test.h"

/* One expected call; answer is the text of "result", or of "error" when it begins with '!'. */
typedef struct step {
    const char *method, *params, *answer;
} step;

static const step *script;

static lks_err play(void *context, const char *method, const char *params_json, lks_buf *answer)
{
    (void)context;
    lks_buf_clear(answer);
    assert_non_null(script->method);
    assert_string_equal(method, script->method);
    assert_string_equal(params_json, script->params);
    const char *text = (script++)->answer;
    if (!text)
        return lks_fail(LKS_TIMEOUT, "no answer");
    bool error = *text == '!';
    lks_buf_put_text(answer, text + error);
    return error ? lks_rpc_fail_remote(method, text + 1, strlen(text + 1)) : LKS_OK;
}

static const lks_eth NODE = {play, NULL, NULL};

#define SCRIPT(...) (script = (const step[]){__VA_ARGS__, {NULL, NULL, NULL}})
#define H32 "1111111111111111111111111111111111111111111111111111111111111111"
#define G32 "2222222222222222222222222222222222222222222222222222222222222222"
#define A20 "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"

static uint8_t address[20], hash[32], other[32];

static int set_up(void **state)
{
    (void)state;
    unhex_to(address, 20, A20);
    unhex_to(hash, 32, H32);
    unhex_to(other, 32, G32);
    return 0;
}

static void test_simple(void **state)
{
    (void)state;
    uint64_t number;
    lks_u256 wei;
    SCRIPT({"eth_chainId", "[]", "\"0x7a69\""}, {"eth_chainId", "[]", "\"0x7a69\""},
           {"eth_chainId", "[]", "\"0x1\""});
    OK(lks_eth_chain_id(&NODE, &number));
    assert_int_equal(number, 31337);
    OK(lks_eth_check_chain_id(&NODE, 31337));
    FAILS(LKS_AUTH, "chain 1, configured is chain 31337", lks_eth_check_chain_id(&NODE, 31337));
    SCRIPT({"eth_blockNumber", "[]", "\"0x10\""},
           {"eth_getBalance", "[\"0x" A20 "\",\"latest\"]", "\"0xde0b6b3a7640000\""},
           {"eth_getTransactionCount", "[\"0x" A20 "\",\"pending\"]", "\"0x0\""});
    OK(lks_eth_block_number(&NODE, &number));
    assert_int_equal(number, 16);
    OK(lks_eth_balance(&NODE, address, LKS_ETH_LATEST, &wei));
    assert_true(wei.w[0] == 1000000000000000000);
    OK(lks_eth_nonce(&NODE, address, LKS_ETH_PENDING, &number));
    assert_int_equal(number, 0);
}

/* What a node may say instead of a block number, and what comes of it. */
static void test_bad_quantity(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *reason;
        lks_err err;
    } CASES[] = {
        {"16", "a number where a quantity", LKS_CORRUPT},
        {"null", "null where a quantity", LKS_CORRUPT},
        {"\"0x\"", "without digits", LKS_CORRUPT},
        {"\"0x010\"", "leading zero", LKS_CORRUPT},
        {"\"16\"", "0x", LKS_CORRUPT},
        {"\"0x10000000000000000\"", "64 bits", LKS_CORRUPT},
        {"{\"a\":1", "not JSON", LKS_CORRUPT},
        {"", "not JSON", LKS_CORRUPT},
        {"!{\"code\":-32601,\"message\":\"no such method\"}", "no such method (code -32601)",
         LKS_REMOTE},
        {"!{}", "no message", LKS_REMOTE},
        {NULL, "no answer", LKS_TIMEOUT},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint64_t number;
        SCRIPT({"eth_blockNumber", "[]", CASES[i].answer});
        FAILS(CASES[i].err, CASES[i].reason, lks_eth_block_number(&NODE, &number));
        if (CASES[i].err == LKS_CORRUPT)
            assert_non_null(strstr(lks_error_message(), "the node's answer to eth_blockNumber"));
    }
}

#define HEADER(number, hash)                                                                       \
    "{\"number\":\"" number "\",\"timestamp\":\"0x65\",\"hash\":\"0x" hash                         \
    "\",\"parentHash\":\"0x" G32                                                                   \
    "\",\"gasLimit\":\"0x3938700\",\"gasUsed\":\"0x5208\",\"baseFeePerGas\":\"0x7\"}"

static void test_headers(void **state)
{
    (void)state;
    lks_eth_header header;
    SCRIPT({"eth_getBlockByNumber", "[\"finalized\",false]", HEADER("0x5", H32)},
           {"eth_getBlockByNumber", "[\"0x5\",false]", HEADER("0x5", H32)},
           {"eth_getBlockByNumber", "[\"0x6\",false]", HEADER("0x5", H32)},
           {"eth_getBlockByHash", "[\"0x" H32 "\",false]", HEADER("0x5", H32)},
           {"eth_getBlockByHash", "[\"0x" G32 "\",false]", HEADER("0x5", H32)},
           {"eth_getBlockByNumber", "[\"0x7\",false]", "null"},
           {"eth_getBlockByNumber", "[\"latest\",false]", "{\"number\":\"0x5\"}"},
           {"eth_getBlockByNumber", "[\"latest\",false]", "[]"});
    OK(lks_eth_header_at(&NODE, LKS_ETH_FINALIZED, &header));
    assert_true(header.number == 5 && header.timestamp == 0x65 && header.gas_limit == 60000000 &&
                header.gas_used == 21000 && header.base_fee.w[0] == 7);
    assert_memory_equal(header.hash, hash, 32);
    assert_memory_equal(header.parent_hash, other, 32);
    OK(lks_eth_header_by_number(&NODE, 5, &header));
    FAILS(LKS_CORRUPT, "block 5 for block 6", lks_eth_header_by_number(&NODE, 6, &header));
    OK(lks_eth_header_by_hash(&NODE, hash, &header));
    FAILS(LKS_CORRUPT, "another block", lks_eth_header_by_hash(&NODE, other, &header));
    FAILS(LKS_NOTFOUND, "no such block", lks_eth_header_by_number(&NODE, 7, &header));
    FAILS(LKS_CORRUPT, "timestamp", lks_eth_header_at(&NODE, LKS_ETH_LATEST, &header));
    FAILS(LKS_CORRUPT, "number", lks_eth_header_at(&NODE, LKS_ETH_LATEST, &header));
}

#define WITH_BLOOM(bloom)                                                                          \
    "{\"number\":\"0x5\",\"timestamp\":\"0x65\",\"hash\":\"0x" H32 "\",\"parentHash\":\"0x" G32    \
    "\","                                                                                          \
    "\"gasLimit\":\"0x0\",\"gasUsed\":\"0x0\",\"logsBloom\":" bloom "}"

/* A block may come without a bloom. */
static void test_bloom(void **state)
{
    (void)state;
    lks_eth_header header;
    SCRIPT({"eth_getBlockByNumber", "[\"latest\",false]",
            WITH_BLOOM("\"0x" H32 H32 H32 H32 H32 H32 H32 G32 "\"")},
           {"eth_getBlockByNumber", "[\"latest\",false]", WITH_BLOOM("null")},
           {"eth_getBlockByNumber", "[\"latest\",false]", WITH_BLOOM("\"0x\"")},
           {"eth_getBlockByNumber", "[\"latest\",false]", WITH_BLOOM("\"0x" H32 "\"")});
    OK(lks_eth_header_at(&NODE, LKS_ETH_LATEST, &header));
    assert_true(header.has_bloom);
    assert_memory_equal(header.logs_bloom, hash, 32);
    assert_memory_equal(header.logs_bloom + 224, other, 32);
    OK(lks_eth_header_at(&NODE, LKS_ETH_LATEST, &header));
    assert_false(header.has_bloom);
    OK(lks_eth_header_at(&NODE, LKS_ETH_LATEST, &header));
    assert_false(header.has_bloom);
    FAILS(LKS_CORRUPT, "logsBloom", lks_eth_header_at(&NODE, LKS_ETH_LATEST, &header));
}

#define Z32 "0000000000000000000000000000000000000000000000000000000000000000"
#define Z128 Z32 Z32 Z32 Z32
#define EMPTY_TREE "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
/* Mainnet's genesis block. */
#define GENESIS(gas_limit)                                                                         \
    "{\"hash\":\"0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3\","            \
    "\"parentHash\":\"0x" Z32                                                                      \
    "\",\"sha3Uncles\":\"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7"                          \
    "413f0a142fd40d49347\",\"miner\":\"0x0000000000000000000000000000000000000000\","              \
    "\"stateRoot\":\"0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544\","        \
    "\"transactionsRoot\":\"0x" EMPTY_TREE "\",\"receiptsRoot\":\"0x" EMPTY_TREE "\","             \
    "\"logsBloom\":\"0x" Z128 Z128 "\",\"difficulty\":\"0x400000000\",\"number\":\"0x0\","         \
    "\"gasLimit\":\"" gas_limit "\",\"gasUsed\":\"0x0\",\"timestamp\":\"0x0\","                    \
    "\"extraData\":\"0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa\","        \
    "\"mixHash\":\"0x" Z32 "\",\"nonce\":\"0x0000000000000042\"}"

/* The RLP itself is test_header's. */
static void test_header_rlp(void **state)
{
    (void)state;
    lks_buf rlp = {0};
    uint8_t randao[32], zeros[32] = {0};
    SCRIPT({"eth_getBlockByNumber", "[\"0x0\",false]", GENESIS("0x1388")},
           {"eth_getBlockByNumber", "[\"0x0\",false]", GENESIS("0x1389")},
           {"eth_getBlockByNumber", "[\"0x1\",false]", GENESIS("0x1388")},
           {"eth_getBlockByNumber", "[\"0x2\",false]", "null"},
           {"eth_getBlockByNumber", "[\"0x3\",false]", "[]"},
           {"eth_getBlockByNumber", "[\"0x4\",false]", NULL});
    OK(lks_eth_header_rlp(&NODE, 0, &rlp, randao));
    assert_memory_equal(randao, zeros, 32);
    assert_int_equal(rlp.len, 535);
    FAILS(LKS_CORRUPT, "do not have its hash", lks_eth_header_rlp(&NODE, 0, &rlp, randao));
    assert_int_equal(rlp.len, 0);
    FAILS(LKS_CORRUPT, "block 0 for block 1", lks_eth_header_rlp(&NODE, 1, &rlp, randao));
    assert_int_equal(rlp.len, 0);
    FAILS(LKS_NOTFOUND, "no block 2", lks_eth_header_rlp(&NODE, 2, &rlp, randao));
    FAILS(LKS_CORRUPT, "eth_getBlockByNumber", lks_eth_header_rlp(&NODE, 3, &rlp, randao));
    FAILS(LKS_TIMEOUT, "no answer", lks_eth_header_rlp(&NODE, 4, &rlp, randao));
    lks_buf_free(&rlp);
}

static void test_fees(void **state)
{
    (void)state;
    lks_eth_fees fees;
    SCRIPT(
        {"eth_feeHistory", "[\"0x1\",\"latest\",[]]",
         "{\"baseFeePerGas\":[\"0x8\",\"0x64\"],\"gasUsedRatio\":[0.5],\"oldestBlock\":\"0x1\"}"},
        {"eth_maxPriorityFeePerGas", "[]", "\"0xa\""});
    OK(lks_eth_suggest_fees(&NODE, &fees));
    assert_true(fees.base_fee.w[0] == 100 && fees.max_priority_fee.w[0] == 10 &&
                fees.max_fee.w[0] == 210);
    SCRIPT({"eth_feeHistory", "[\"0x1\",\"latest\",[]]", "{\"baseFeePerGas\":[\"0x8\",\"0x0\"]}"},
           {"eth_maxPriorityFeePerGas", "[]", "\"0x0\""});
    OK(lks_eth_suggest_fees(&NODE, &fees));
    assert_true(fees.max_priority_fee.w[0] == 1 && fees.max_fee.w[0] == 1);
    SCRIPT({"eth_feeHistory", "[\"0x1\",\"latest\",[]]", "{\"baseFeePerGas\":[\"0x8\",\"0x1\"]}"},
           {"eth_maxPriorityFeePerGas", "[]", "!{\"code\":-32601,\"message\":\"no\"}"});
    OK(lks_eth_suggest_fees(&NODE, &fees));
    assert_true(fees.max_priority_fee.w[0] == 1000000000);
    SCRIPT({"eth_feeHistory", "[\"0x1\",\"latest\",[]]", "{\"baseFeePerGas\":[\"0x8\"]}"});
    FAILS(LKS_CORRUPT, "baseFeePerGas", lks_eth_suggest_fees(&NODE, &fees));
    SCRIPT({"eth_feeHistory", "[\"0x1\",\"latest\",[]]",
            "{\"baseFeePerGas\":[\"0x8\",\"0x" H32 "\"]}"},
           {"eth_maxPriorityFeePerGas", "[]", "\"0x8" H32 "\""});
    FAILS(LKS_CORRUPT, "256 bits", lks_eth_suggest_fees(&NODE, &fees));
}

static void test_call(void **state)
{
    (void)state;
    static const char *const ERRORS[] = {"BondTooSmall(uint256,uint256)", NULL};
    lks_eth_message m = {
        .to20 = address, .data = (const uint8_t *)"\x01\x02", .data_len = 2, .errors = ERRORS};
    lks_buf result = {0}, revert = {0};
    uint64_t gas;
#define MESSAGE "{\"to\":\"0x" A20 "\",\"value\":\"0x0\",\"input\":\"0x0102\"}"
    SCRIPT({"eth_call", "[" MESSAGE ",\"latest\"]", "\"0xbeef\""},
           {"eth_call", "[" MESSAGE ",\"latest\"]", "\"0xbee\""},
           {"eth_call", "[" MESSAGE ",\"latest\"]",
            "!{\"code\":3,\"message\":\"execution reverted: no\",\"data\":\"0x08c379a0"
            "00000000000000000000000000000000000000000000000000000000000000200000000000000000000000"
            "00000000000000000000000000000000000000000"
            "26e6f000000000000000000000000000000000000000000000000000000000000\"}"},
           {"eth_call", "[" MESSAGE ",\"latest\"]",
            "!{\"code\":-32015,\"message\":\"VM execution error: "
            "Revert\",\"data\":{\"data\":\"0x12345678\"}}"},
           {"eth_call", "[" MESSAGE ",\"latest\"]",
            "!{\"code\":3,\"message\":\"execution reverted\"}"},
           {"eth_call", "[" MESSAGE ",\"latest\"]",
            "!{\"code\":-32000,\"message\":\"header not found\"}"},
           {"eth_call", "[" MESSAGE ",{\"blockHash\":\"0x" H32 "\"}]", "\"0xbeef\""});
    OK(lks_eth_call(&NODE, &m, LKS_ETH_LATEST, &result, &revert));
    assert_true(result.len == 2 && !memcmp(result.data, "\xbe\xef", 2) && !revert.len);
    FAILS(LKS_CORRUPT, "odd", lks_eth_call(&NODE, &m, LKS_ETH_LATEST, &result, &revert));
    FAILS(LKS_REFUSED, "the contract refused: no",
          lks_eth_call(&NODE, &m, LKS_ETH_LATEST, &result, &revert));
    assert_true(revert.len == 100 && !result.len);
    FAILS(LKS_REFUSED, "custom error 0x12345678",
          lks_eth_call(&NODE, &m, LKS_ETH_LATEST, &result, NULL));
    FAILS(LKS_REFUSED, "without a reason",
          lks_eth_call(&NODE, &m, LKS_ETH_LATEST, &result, &revert));
    FAILS(LKS_REMOTE, "header not found (code -32000)",
          lks_eth_call(&NODE, &m, LKS_ETH_LATEST, &result, &revert));
    char at[LKS_ETH_AT_HASH_SIZE];
    lks_eth_at_hash(at, hash);
    OK(lks_eth_call(&NODE, &m, at, &result, &revert));
    m.from20 = address;
    m.gas = 255;
    m.to20 = NULL;
    m.value = lks_u256_from_u64(16);
    SCRIPT({"eth_estimateGas",
            "[{\"from\":\"0x" A20 "\",\"gas\":\"0xff\",\"value\":\"0x10\",\"input\":\"0x0102\"}]",
            "\"0x5208\""},
           {"eth_estimateGas",
            "[{\"from\":\"0x" A20 "\",\"gas\":\"0xff\",\"value\":\"0x10\",\"input\":\"0x0102\"}]",
            "!{\"code\":3,\"message\":\"execution "
            "reverted\",\"data\":"
            "\"0x4e487b710000000000000000000000000000000000000000000000000000000000000012\"}"});
    OK(lks_eth_estimate_gas(&NODE, &m, &gas));
    assert_int_equal(gas, 21000);
    FAILS(LKS_REFUSED, "division by zero", lks_eth_estimate_gas(&NODE, &m, &gas));
    lks_buf_free(&result);
    lks_buf_free(&revert);
}

static void test_send(void **state)
{
    (void)state;
    uint8_t found[32];
    /* Keccak-256 of "abc" */
#define SENT "\"0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45\""
    SCRIPT({"eth_sendRawTransaction", "[\"0x616263\"]", SENT},
           {"eth_sendRawTransaction", "[\"0x616263\"]",
            "!{\"code\":-32000,\"message\":\"already known\"}"},
           {"eth_sendRawTransaction", "[\"0x616263\"]",
            "!{\"code\":-32000,\"message\":\"nonce too low: next nonce 5, tx nonce 4\"}"},
           {"eth_sendRawTransaction", "[\"0x616263\"]",
            "!{\"code\":-32003,\"message\":\"Insufficient funds for gas * price + value\"}"},
           {"eth_sendRawTransaction", "[\"0x616263\"]",
            "!{\"code\":-32000,\"message\":\"replacement transaction underpriced\"}"},
           {"eth_sendRawTransaction", "[\"0x616263\"]",
            "!{\"code\":-32000,\"message\":\"txpool is full\"}"},
           {"eth_sendRawTransaction", "[\"0x616263\"]", "\"0x" H32 "\""},
           {"eth_sendRawTransaction", "[\"0x616263\"]", "null"});
    const uint8_t *raw = (const uint8_t *)"abc";
    OK(lks_eth_send_raw(&NODE, raw, 3, found));
    assert_hex(found, 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    OK(lks_eth_send_raw(&NODE, raw, 3, found));
    FAILS(LKS_REFUSED, "nonce too low", lks_eth_send_raw(&NODE, raw, 3, found));
    FAILS(LKS_REFUSED, "Insufficient funds", lks_eth_send_raw(&NODE, raw, 3, found));
    FAILS(LKS_REFUSED, "underpriced", lks_eth_send_raw(&NODE, raw, 3, found));
    FAILS(LKS_REMOTE, "txpool is full", lks_eth_send_raw(&NODE, raw, 3, found));
    FAILS(LKS_CORRUPT, "another hash", lks_eth_send_raw(&NODE, raw, 3, found));
    FAILS(LKS_CORRUPT, "eth_sendRawTransaction", lks_eth_send_raw(&NODE, raw, 3, found));
}

#define LOG(block, block_hash, index, topics, data)                                                \
    "{\"address\":\"0x" A20 "\",\"blockHash\":\"0x" block_hash "\",\"blockNumber\":\"" block       \
    "\",\"data\":\"" data "\",\"logIndex\":\"" index "\",\"removed\":false,\"topics\":[" topics    \
    "],\"transactionHash\":\"0x" G32 "\",\"transactionIndex\":\"0x3\"}"

static void test_receipt(void **state)
{
    (void)state;
    lks_eth_receipt receipt;
    bool known, in_block;
#define RECEIPT(status, contract, logs)                                                            \
    "{\"status\":\"" status "\",\"blockNumber\":\"0x9\",\"blockHash\":\"0x" H32                    \
    "\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x7\",\"contractAddress\":" contract        \
    ",\"logs\":" logs "}"
    SCRIPT({"eth_getTransactionReceipt", "[\"0x" G32 "\"]", "null"},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]",
            RECEIPT("0x1", "null",
                    "[" LOG("0x9", H32, "0x2", "\"0x" G32 "\",\"0x" H32 "\"", "0xabcd") "]")},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]", RECEIPT("0x0", "\"0x" A20 "\"", "[]")},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]",
            RECEIPT("0x1", "null", "[" LOG("0x9", H32, "0x2", "", "0xabcd") ",{}]")},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]", RECEIPT("0x1", "null", "null")});
    FAILS(LKS_NOTFOUND, "not in a block", lks_eth_receipt_get(&NODE, other, &receipt));
    OK(lks_eth_receipt_get(&NODE, other, &receipt));
    assert_true(receipt.success && receipt.block_number == 9 && receipt.gas_used == 21000 &&
                receipt.gas_price.w[0] == 7 && !receipt.has_contract);
    assert_int_equal(receipt.logs.count, 1);
    const lks_eth_log *log = &receipt.logs.items[0];
    assert_true(log->topic_count == 2 && log->log_index == 2 && log->tx_index == 3 &&
                log->block_number == 9 && !log->removed && log->data_len == 2);
    assert_memory_equal(log->topics[0], other, 32);
    assert_memory_equal(log->topics[1], hash, 32);
    assert_memory_equal(log->address, address, 20);
    assert_memory_equal(log->data, "\xab\xcd", 2);
    lks_eth_receipt_free(&receipt);
    OK(lks_eth_receipt_get(&NODE, other, &receipt));
    assert_true(!receipt.success && receipt.has_contract);
    assert_memory_equal(receipt.contract, address, 20);
    lks_eth_receipt_free(&receipt);
    FAILS(LKS_CORRUPT, "address", lks_eth_receipt_get(&NODE, other, &receipt));
    FAILS(LKS_CORRUPT, "array of logs", lks_eth_receipt_get(&NODE, other, &receipt));
    SCRIPT({"eth_getTransactionReceipt", "[\"0x" G32 "\"]",
            "!{\"code\":-32000,\"message\":\"receipt not found, 17, " H32 ", 0\"}"},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]",
            "!{\"code\":-32000,\"message\":\"transaction indexing is in progress\"}"});
    FAILS(LKS_NOTFOUND, "not in the block", lks_eth_receipt_get(&NODE, other, &receipt));
    FAILS(LKS_REMOTE, "in progress", lks_eth_receipt_get(&NODE, other, &receipt));
    SCRIPT({"eth_getTransactionReceipt", "[\"0x" G32 "\"]", "null"},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]", "null"},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]", RECEIPT("0x1", "null", "[]")},
           {"eth_getTransactionReceipt", "[\"0x" G32 "\"]", "null"});
    OK(lks_eth_receipt_wait(&NODE, other, 10000, &receipt));
    lks_eth_receipt_free(&receipt);
    FAILS(LKS_TIMEOUT, "no block", lks_eth_receipt_wait(&NODE, other, 0, &receipt));
    SCRIPT({"eth_getTransactionByHash", "[\"0x" G32 "\"]", "null"},
           {"eth_getTransactionByHash", "[\"0x" G32 "\"]", "{\"blockHash\":null}"},
           {"eth_getTransactionByHash", "[\"0x" G32 "\"]", "{\"blockHash\":\"0x" H32 "\"}"},
           {"eth_getTransactionByHash", "[\"0x" G32 "\"]", "7"});
    OK(lks_eth_tx_known(&NODE, other, &known, &in_block));
    assert_true(!known && !in_block);
    OK(lks_eth_tx_known(&NODE, other, &known, &in_block));
    assert_true(known && !in_block);
    OK(lks_eth_tx_known(&NODE, other, &known, &in_block));
    assert_true(known && in_block);
    FAILS(LKS_CORRUPT, "no transaction", lks_eth_tx_known(&NODE, other, &known, &in_block));
}

static void test_logs(void **state)
{
    (void)state;
    lks_eth_logs logs = {0};
    const uint8_t addresses[1][20] = {{0x5a, 0xae, 0xb6, 0x05, 0x3f, 0x3e, 0x94, 0xc9, 0xb9, 0xa0,
                                       0x9f, 0x33, 0x66, 0x94, 0x35, 0xe7, 0xef, 0x1b, 0xea, 0xed}};
    uint8_t topics0[2][32];
    memcpy(topics0[0], hash, 32);
    memcpy(topics0[1], other, 32);
    lks_eth_filter filter = {.addresses = addresses,
                             .address_count = 1,
                             .topics0 = (const uint8_t(*)[32])topics0,
                             .topic0_count = 2,
                             .topics = {NULL, other, NULL}};
#define FILTER                                                                                     \
    ",\"address\":[\"0x" A20 "\"],\"topics\":[[\"0x" H32 "\",\"0x" G32 "\"],null,\"0x" G32 "\"]}]"
#define RANGE(from, to) "[{\"fromBlock\":\"" from "\",\"toBlock\":\"" to "\""
#define T "\"0x" H32 "\",\"0x" H32 "\",\"0x" G32 "\""
    /* 0 to 6 by 4: the first range is too much and is halved, then grows again, to less than what
     * was too much. */
    SCRIPT({"eth_getLogs", RANGE("0x0", "0x3") FILTER,
            "!{\"code\":-32005,\"message\":\"query returned more than 10000 results\"}"},
           {"eth_getLogs", RANGE("0x0", "0x1") FILTER, "[]"},
           {"eth_getLogs", RANGE("0x2", "0x4") FILTER,
            "[" LOG("0x2", H32, "0x0", T, "0x") "," LOG("0x4", G32, "0x1", T, "0x01") "]"},
           {"eth_getLogs", RANGE("0x5", "0x6") FILTER, "[" LOG("0x6", G32, "0x0", T, "0x02") "]"});
    OK(lks_eth_get_logs(&NODE, &filter, 0, 6, 4, &logs));
    assert_null(script->method);
    assert_int_equal(logs.count, 3);
    assert_int_equal(logs.items[0].data_len, 0);
    assert_int_equal(logs.items[2].block_number, 6);
    lks_eth_logs_free(&logs);
    /* Down to one block and still too much. */
    SCRIPT({"eth_getLogs", RANGE("0x0", "0x1") "}]", "!{\"code\":1,\"message\":\"no\"}"},
           {"eth_getLogs", RANGE("0x0", "0x0") "}]", "!{\"code\":1,\"message\":\"no\"}"});
    FAILS(LKS_REMOTE, "no (code 1)", lks_eth_get_logs(&NODE, NULL, 0, 1, 0, &logs));
    /* An answer that cannot be right is asked for again, not for ever. */
#define WRONG {"eth_getLogs", RANGE("0x5", "0x5") "}]", "[" LOG("0x6", G32, "0x0", T, "0x02") "]"}
    SCRIPT(WRONG, WRONG, WRONG);
    FAILS(LKS_CORRUPT, "a log of block 6", lks_eth_get_logs(&NODE, NULL, 5, 5, 0, &logs));
    lks_eth_logs_free(&logs);
    SCRIPT({"eth_getLogs", RANGE("0xffffffffffffffff", "0xffffffffffffffff") "}]", "[]"});
    OK(lks_eth_get_logs(&NODE, NULL, UINT64_MAX, UINT64_MAX, 0, &logs));
    OK(lks_eth_get_logs(&NODE, NULL, 2, 1, 0, &logs));
    filter = (lks_eth_filter){.topics1 = (const uint8_t(*)[32])topics0, .topic1_count = 2};
    SCRIPT({"eth_getLogs", RANGE("0x5", "0x5") ",\"topics\":[null,[\"0x" H32 "\",\"0x" G32 "\"]]}]",
            "[]"});
    OK(lks_eth_get_logs(&NODE, &filter, 5, 5, 0, &logs));
    filter = (lks_eth_filter){0};
#define BY_HASH "[{\"blockHash\":\"0x" H32 "\""
    SCRIPT({"eth_getLogs", BY_HASH "}]",
            "[" LOG("0x6", H32, "0x0", "", "0x02") "," LOG("0x6", H32, "0x1", T ",\"0x" H32 "\"",
                                                           "0x02") "]"},
           {"eth_getLogs", BY_HASH ",\"topics\":[null]}]",
            "[" LOG("0x6", G32, "0x0", T, "0x02") "]"});
    OK(lks_eth_get_block_logs(&NODE, NULL, hash, &logs));
    assert_true(logs.count == 2 && logs.items[0].topic_count == 0 &&
                logs.items[1].topic_count == 4);
    FAILS(LKS_CORRUPT, "another block", lks_eth_get_block_logs(&NODE, &filter, hash, &logs));
    lks_eth_logs_free(&logs);
    /* Out of order, and some twice: in order, each once. */
    SCRIPT({"eth_getLogs", RANGE("0x5", "0x6") "}]",
            "[" LOG("0x6", G32, "0x1", T, "0x03") "," LOG("0x5", H32, "0x7", T, "0x01") "," LOG(
                "0x6", G32, "0x0", T, "0x02") "," LOG("0x5", H32, "0x7", T, "0x01") "]"},
           {"eth_getLogs", BY_HASH "}]",
            "[" LOG("0x6", H32, "0x9", T, "0x05") "," LOG("0x6", H32, "0x8", T,
                                                          "0x04") "," LOG("0x6", H32, "0x9", T,
                                                                          "0x05") "]"});
    OK(lks_eth_get_logs(&NODE, NULL, 5, 6, 0, &logs));
    OK(lks_eth_get_block_logs(&NODE, NULL, hash, &logs));
    assert_int_equal(logs.count, 5);
    for (uint8_t i = 0; i < 5; i++)
        assert_int_equal(logs.items[i].data[0], i + 1);
    lks_eth_logs_free(&logs);
}

static void test_bad_logs(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *reason;
    } CASES[] = {
        {"null", "no array of logs"},
        {"[1]", "address"},
        {"[" LOG("0x6", H32, "0x0", T ",\"0x" H32 "\",\"0x" H32 "\"", "0x02") "]", "at most 4"},
        {"[" LOG("0x6", H32, "0x0", "\"0x11\"", "0x02") "]", "topics"},
        {"[" LOG("0x6", H32, "0x100000000", "", "0x02") "]", "over 32 bits"},
        {"[" LOG("0x6", H32, "0x0", "", "0x2") "]", "odd"},
        {"[" LOG("6", H32, "0x0", "", "0x02") "]", "blockNumber"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        lks_eth_logs logs = {0};
        SCRIPT({"eth_getLogs", BY_HASH "}]", CASES[i].answer});
        FAILS(LKS_CORRUPT, CASES[i].reason, lks_eth_get_block_logs(&NODE, NULL, hash, &logs));
        lks_eth_logs_free(&logs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),     cmocka_unit_test(test_bad_quantity),
        cmocka_unit_test(test_headers),    cmocka_unit_test(test_bloom),
        cmocka_unit_test(test_header_rlp), cmocka_unit_test(test_fees),
        cmocka_unit_test(test_call),       cmocka_unit_test(test_send),
        cmocka_unit_test(test_receipt),    cmocka_unit_test(test_logs),
        cmocka_unit_test(test_bad_logs),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
