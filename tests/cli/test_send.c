#include "oracle/cli/send.h"

#include <unistd.h>

#include "oracle/cli/cli.h"
#include "oracle/cli/options.h"
#include "tests/chain/chain_test.h"
#include "tests/cli/fake_clock.h"
#include "tests/cli/fake_node.h"

#define GWEI UINT64_C(1000000000)

static fake_node node;
static lks_link s;
static lks_sent sent;
static char told[4096]; /* what the last send printed on standard error */

static int set_up(void **state)
{
    static const uint8_t key[32] = {[31] = 7};
    (void)state;
    node = (fake_node){.head = 5, .step = 1, .base_fee = GWEI, .priority = GWEI, .gas = 80000};
    s = (lks_link){.command = "test",
                   .contracts.chain_id = 1,
                   .receipt_timeout_s = 180,
                   .limits = lks_fee_limits_default(),
                   .node = {fake_node_call, &node}};
    return lks_signer_new(&s.signer, key) == LKS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    lks_sent_free(&sent);
    lks_signer_free(s.signer);
    fake_node_free(&node);
    return 0;
}

/* Sends one ether; standard error goes to `told`. */
static int send_one(void)
{
    static const uint8_t to[20] = {1};
    const lks_u256 value = lks_u256_from_u64(1000000000 * GWEI);
    lks_buf call = {0};
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    lks_buf_put(&call, "data", 4);
    lks_sent_free(&sent);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    int code = lks_send(&s, &sent, "deposit", to, &value, &call, LKS_OK);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    told[fread(told, 1, sizeof told - 1, file)] = '\0';
    fclose(file);
    return code;
}

#define TOLD(text)                                                                                 \
    do {                                                                                           \
        if (strstr(told, text) == NULL)                                                            \
            fail_msg("no '%s' in: %s", text, told);                                                \
    } while (0)

static uint64_t low(const lks_u256 *a)
{
    uint64_t out;
    assert_true(lks_u256_to_u64(&out, a));
    return out;
}

static void test_plain(void **state)
{
    (void)state;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_int_equal(node.sent, 1);
    assert_int_equal(low(&node.txs[0].t.max_fee), 3 * GWEI);
    assert_int_equal(node.txs[0].t.gas_limit, 100000);
    assert_memory_equal(sent.hash, node.txs[0].hash, 32);
    assert_int_equal(s.sent_block, sent.receipt.block_number);
    TOLD("deposit: at most 1.0003 ether: 1 ether of value, and 100000 gas at up to 3 gwei");
}

/* A node that suggests 99,000 gwei gets ten. */
static void test_absurd_suggestion(void **state)
{
    (void)state;
    node.priority = 99000 * GWEI;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_int_equal(low(&node.txs[0].t.max_priority_fee), 10 * GWEI);
    assert_int_equal(low(&node.txs[0].t.max_fee), 12 * GWEI);
}

static void test_base_fee_above(void **state)
{
    (void)state;
    node.base_fee = 99000 * GWEI;
    assert_int_equal(send_one(), LKS_EXIT_REFUSED);
    assert_int_equal(node.sent, 0);
    TOLD("the base fee is 99000 gwei per gas and the ceiling 500 gwei");
    TOLD("raise --max-fee");
    s.limits.max_fee = lks_u256_from_u64(GWEI);
    node.base_fee = 2 * GWEI;
    assert_int_equal(send_one(), LKS_EXIT_REFUSED);
    assert_int_equal(node.sent, 0);
}

/* In no block for three blocks: replaced by what every node takes as a replacement, until it pays.
 */
static void test_replaced(void **state)
{
    (void)state;
    node.least_priority = GWEI + GWEI / 4;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_int_equal(node.sent, 3);
    for (size_t i = 1; i < node.sent; i++) {
        assert_int_equal(node.txs[i].t.nonce, node.txs[0].t.nonce);
        assert_true(low(&node.txs[i].t.max_fee) > low(&node.txs[i - 1].t.max_fee) / 10 * 11);
    }
    assert_memory_equal(sent.hash, node.txs[2].hash, 32);
    assert_true(sent.receipt.success);
}

/* At the ceiling it is not replaced any more; that is said, and so is the end of the waiting. */
static void test_ceiling(void **state)
{
    (void)state;
    double started = fake_clock_now;
    node.least_priority = 600 * GWEI;
    s.limits.max_fee = lks_u256_from_u64(4 * GWEI);
    assert_int_equal(send_one(), LKS_EXIT_CHAIN);
    assert_int_equal(node.sent, 3);
    for (size_t i = 0; i < node.sent; i++)
        assert_true(low(&node.txs[i].t.max_fee) <= 4 * GWEI);
    TOLD("which is as far as --max-fee lets it rise");
    TOLD("is in no block after 180 s");
    assert_true(fake_clock_now - started > 180 && fake_clock_now - started < 200);
}

/* A move of a dispute is waited for without end. */
static void test_patient(void **state)
{
    (void)state;
    double started = fake_clock_now;
    node.least_priority = 600 * GWEI;
    node.cheap_from = 2000;
    s.limits.max_fee = lks_u256_from_u64(4 * GWEI);
    s.patient = true;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_true(fake_clock_now - started > 1000);
    TOLD("is in no block after 361 s");
}

/* A block has the first version although later ones were sent. */
static void test_older_version_wins(void **state)
{
    (void)state;
    node.least_priority = 600 * GWEI;
    node.cheap_from = 30;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_true(node.sent > 5);
    assert_int_equal(node.txs[0].block, 30);
    assert_memory_equal(sent.hash, node.txs[0].hash, 32);
}

/* The connection is lost as the transaction is sent: it is looked for, not sent anew under another
 * nonce, whether the node had acted or not. */
static void test_lost_answer(void **state)
{
    (void)state;
    for (int acts = 0; acts < 2; acts++) {
        size_t before = node.sent;
        node.fails_method = "eth_sendRawTransaction";
        node.fails = 1;
        node.acts = acts;
        assert_int_equal(send_one(), LKS_PARSED);
        assert_int_equal(node.sent, before + 1);
        TOLD("may have reached the node: looking for it");
    }
    assert_int_equal(node.txs[1].t.nonce, node.txs[0].t.nonce + 1);
}

static void test_forgotten(void **state)
{
    (void)state;
    node.forgets = true;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_int_equal(node.sent, 2);
    assert_memory_equal(node.txs[0].hash, node.txs[1].hash, 32);
}

/* Failures of the node while it waits are borne. */
static void test_failing_receipts(void **state)
{
    (void)state;
    node.fails_method = "eth_getTransactionReceipt";
    node.fails = 2;
    assert_int_equal(send_one(), LKS_PARSED);
}

static void test_reverted(void **state)
{
    (void)state;
    node.reverts = true;
    assert_int_equal(send_one(), LKS_EXIT_REFUSED);
    TOLD("reverted in block");
}

/* Another program's transactions wait: refused, unless they may. */
static void test_pending(void **state)
{
    (void)state;
    node.foreign = 2;
    node.foreign_stays = true;
    assert_int_equal(send_one(), LKS_EXIT_REFUSED);
    assert_int_equal(node.sent, 0);
    TOLD("has 2 transactions waiting; another program uses it");
    TOLD("--after-pending");
    node.foreign_stays = false;
    node.foreign = 4; /* one is in a block before the nonce is asked for */
    s.after_pending = true;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_int_equal(node.sent, 1);
    assert_int_equal(node.txs[0].t.nonce, 4);
    TOLD("this one goes after them");
    node.foreign = 4;
    s.after_pending = false;
    s.patient = true;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_int_equal(node.txs[1].t.nonce, 9);
}

/* What stands before it gets into no block: no fee of its own helps, and none is paid. */
static void test_stuck_behind(void **state)
{
    (void)state;
    node.foreign = 1;
    node.foreign_stays = true;
    s.after_pending = true;
    assert_int_equal(send_one(), LKS_EXIT_CHAIN);
    assert_int_equal(node.sent, 1);
    TOLD("waits behind 1 earlier transactions");
}

static void test_nonce_taken(void **state)
{
    (void)state;
    node.least_priority = 600 * GWEI;
    node.take_nonce_at = 8;
    assert_int_equal(send_one(), LKS_EXIT_REFUSED);
    TOLD("nonce 0 went to another transaction of the account");
}

/* A node that is behind the last transaction is waited for: it would count that nonce anew. */
static void test_behind(void **state)
{
    (void)state;
    s.sent_block = 8;
    assert_int_equal(send_one(), LKS_PARSED);
    assert_true(sent.receipt.block_number > 8);
}

static void test_too_large(void **state)
{
    (void)state;
    static const uint8_t to[20] = {1};
    static uint8_t data[LKS_MAX_CALL_BYTES + 1];
    const lks_u256 value = {{0}};
    lks_buf call = {0};
    lks_buf_put(&call, data, sizeof data);
    assert_int_equal(lks_send(&s, &sent, "move", to, &value, &call, LKS_OK), LKS_EXIT_REFUSED);
    assert_int_equal(node.sent, 0);
    node.gas = LKS_MAX_TX_GAS + 1;
    assert_int_equal(send_one(), LKS_EXIT_REFUSED);
    TOLD("no transaction may have more");
    assert_int_equal(node.sent, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_plain),       TEST(test_absurd_suggestion), TEST(test_base_fee_above),
        TEST(test_replaced),    TEST(test_ceiling),           TEST(test_older_version_wins),
        TEST(test_lost_answer), TEST(test_forgotten),         TEST(test_failing_receipts),
        TEST(test_reverted),    TEST(test_pending),           TEST(test_stuck_behind),
        TEST(test_patient),     TEST(test_nonce_taken),       TEST(test_behind),
        TEST(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
