/* How many calls the logs of a range cost, against nodes that limit blocks, logs, bytes or calls.
 */
#include "chain/eth.h"

#include <stdlib.h>

#include "chain/json.h"
#include "chain_test.h"

/* A node with logs_per_block logs in each block, more in [dense_from, dense_to]. */
typedef struct fake_node {
    uint64_t most_blocks, most_logs; /* of one answer; 0: any */
    lks_err refusal;                 /* what more than that gives */
    uint64_t logs_per_block, dense_from, dense_to, dense_logs;
    lks_err broken;        /* what every call gives; LKS_OK: none */
    uint64_t broken_after; /* this many calls */
    unsigned calls, refused;
} fake_node;

static uint64_t logs_of(const fake_node *n, uint64_t block)
{
    return n->dense_logs && block >= n->dense_from && block <= n->dense_to ? n->dense_logs
                                                                           : n->logs_per_block;
}

static lks_err fail_call(fake_node *n, lks_err err, lks_buf *answer)
{
    static const char ERROR[] = "{\"code\":-32602,\"message\":\"up to a 10 block range\"}";
    n->refused++;
    if (err == LKS_REMOTE)
        lks_buf_put_text(answer, ERROR);
    return lks_fail(err, "more than this node gives");
}

static void put_log(lks_buf *out, uint64_t block, uint64_t index)
{
#define WORD "0x1111111111111111111111111111111111111111111111111111111111111111"
    lks_buf_printf(
        out,
        "%s{\"address\":\"0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\",\"topics\":[\"" WORD
        "\",\"" WORD "\",\"" WORD
        "\"],\"data\":\"0x\",\"blockNumber\":\"0x%llx\",\"blockHash\":\"" WORD
        "\",\"transactionHash\":\"" WORD
        "\",\"transactionIndex\":\"0x0\",\"logIndex\":\"0x%llx\",\"removed\":false}",
        out->data[out->len - 1] == '[' ? "" : ",", (unsigned long long)block,
        (unsigned long long)index);
}

static lks_err call(void *context, const char *method, const char *params, lks_buf *answer)
{
    fake_node *n = context;
    lks_json doc;
    uint64_t from, to, logs = 0;
    lks_buf_clear(answer);
    assert_string_equal(method, "eth_getLogs");
    n->calls++;
    if (n->broken && n->calls > n->broken_after)
        return fail_call(n, n->broken, answer);
    OK(lks_json_parse(&doc, params, strlen(params), 100));
    OK(lks_json_quantity(&doc, lks_json_path(&doc, 0, "0.fromBlock"), &from));
    OK(lks_json_quantity(&doc, lks_json_path(&doc, 0, "0.toBlock"), &to));
    lks_json_free(&doc);
    for (uint64_t b = from; b <= to; b++)
        logs += logs_of(n, b);
    if ((n->most_blocks && to - from + 1 > n->most_blocks) || (n->most_logs && logs > n->most_logs))
        return fail_call(n, n->refusal, answer);
    lks_buf_put_text(answer, "[");
    for (uint64_t b = from; b <= to; b++)
        for (uint64_t i = 0; i < logs_of(n, b); i++)
            put_log(answer, b, i);
    lks_buf_put_text(answer, "]");
    return lks_buf_error(answer);
}

/* Gets the logs of [from, to] and checks that each is there once, in order. */
static void get_all(const lks_eth *node, uint64_t from, uint64_t to)
{
    const fake_node *n = node->context;
    lks_eth_logs logs = {0};
    size_t at = 0;
    OK(lks_eth_get_logs(node, NULL, from, to, 1000, &logs));
    for (uint64_t b = from; b <= to; b++)
        for (uint64_t i = 0; i < logs_of(n, b); i++, at++)
            assert_true(at < logs.count && logs.items[at].block_number == b &&
                        logs.items[at].log_index == i);
    assert_int_equal(at, logs.count);
    lks_eth_logs_free(&logs);
}

/* A limit of blocks is found in a few calls and kept: hardly any call is refused from then on. */
static void test_block_limit(void **state)
{
    (void)state;
    static const uint64_t LIMITS[] = {1, 2, 7, 10, 100, 500, 999};
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        lks_eth_ranges ranges = LKS_ETH_RANGES_INIT;
        fake_node n = {.most_blocks = LIMITS[i], .refusal = LKS_REMOTE, .logs_per_block = 1};
        const lks_eth node = {call, &n, &ranges};
        get_all(&node, 1, 1000);
        assert_true(n.refused <= 20);
        assert_true(n.calls <= 1000 / LIMITS[i] + 30);
        n.calls = n.refused = 0;
        get_all(&node, 1001, 4000);
        assert_true(n.refused <= 7);
        assert_true(n.calls <= 3000 / LIMITS[i] + 10);
    }
}

/* Whatever the kind of the refusal, it is the range that becomes smaller. */
static void test_kinds(void **state)
{
    (void)state;
    static const lks_err KINDS[] = {LKS_REMOTE, LKS_TOO_LARGE, LKS_TIMEOUT, LKS_IO, LKS_CORRUPT};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        lks_eth_ranges ranges = LKS_ETH_RANGES_INIT;
        fake_node n = {.most_logs = 20000, .refusal = KINDS[i], .logs_per_block = 43};
        const lks_eth node = {call, &n, &ranges};
        uint64_t from = 1;
        lks_eth_logs logs = {0};
        lks_err err;
        /* A call gives up after three failures that may be the connection's; the next one goes on
         * with less. */
        for (int tries = 0;
             (err = lks_eth_get_logs_on(&node, NULL, &from, 1000, 1000, &logs)) && tries < 4;
             tries++)
            assert_int_equal(err, KINDS[i]);
        OK(err);
        assert_int_equal(logs.count, 43000);
        assert_int_equal(from, 1001);
        assert_true(n.refused < 12);
        lks_eth_logs_free(&logs);
    }
}

/* After a stretch of full blocks the range grows back. */
static void test_dense_blocks(void **state)
{
    (void)state;
    lks_eth_ranges ranges = LKS_ETH_RANGES_INIT;
    fake_node n = {.most_logs = 1500,
                   .refusal = LKS_TOO_LARGE,
                   .logs_per_block = 1,
                   .dense_from = 400,
                   .dense_to = 420,
                   .dense_logs = 1000};
    const lks_eth node = {call, &n, &ranges};
    get_all(&node, 1, 5000);
    assert_true(n.calls < 150);
    n.calls = n.refused = 0;
    get_all(&node, 5001, 10000);
    assert_true(n.calls <= 6 && n.refused == 0);
}

/* A block that alone is too much is an error, and not the end of the range for good. */
static void test_one_block(void **state)
{
    (void)state;
    lks_eth_ranges ranges = LKS_ETH_RANGES_INIT;
    fake_node n = {.most_logs = 10,
                   .refusal = LKS_TOO_LARGE,
                   .dense_from = 5,
                   .dense_to = 5,
                   .dense_logs = 11};
    const lks_eth node = {call, &n, &ranges};
    lks_eth_logs logs = {0};
    FAILS(LKS_TOO_LARGE, "more than", lks_eth_get_logs(&node, NULL, 1, 100, 0, &logs));
    lks_eth_logs_free(&logs);
    n.most_logs = 0;
    n.calls = 0;
    get_all(&node, 1, 2000);
    assert_true(n.calls < 40);
}

/* A node that is gone costs a few calls; what was fetched before is kept, and what fits is not
 * forgotten. */
static void test_lost(void **state)
{
    (void)state;
    static const lks_err KINDS[] = {LKS_IO, LKS_TIMEOUT, LKS_CORRUPT, LKS_BUSY};
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        lks_eth_ranges ranges = LKS_ETH_RANGES_INIT;
        fake_node n = {.logs_per_block = 1, .broken = KINDS[i], .broken_after = 3};
        const lks_eth node = {call, &n, &ranges};
        lks_eth_logs logs = {0};
        uint64_t from = 1;
        FAILS(KINDS[i], "more than", lks_eth_get_logs_on(&node, NULL, &from, 10000, 1000, &logs));
        assert_int_equal(n.calls, KINDS[i] == LKS_BUSY ? 4 : 6);
        assert_int_equal(from, 3001);
        assert_int_equal(logs.count, 3000);
        n.broken = LKS_OK;
        n.calls = 0;
        OK(lks_eth_get_logs_on(&node, NULL, &from, 10000, 1000, &logs));
        assert_int_equal(logs.count, 10000);
        assert_true(n.calls <= (KINDS[i] == LKS_BUSY ? 7 : 40));
        lks_eth_logs_free(&logs);
    }
}

/* A large answer of ordinary logs has over 2^20 JSON values and is read. */
static void test_many_values(void **state)
{
    (void)state;
    fake_node n = {.logs_per_block = 60};
    const lks_eth node = {call, &n, NULL};
    get_all(&node, 1, 1000);
    assert_int_equal(n.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_limit),  cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_dense_blocks), cmocka_unit_test(test_one_block),
        cmocka_unit_test(test_lost),         cmocka_unit_test(test_many_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
