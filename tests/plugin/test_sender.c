/* The transaction sender on a simulated chain: stored before sent, pushed on, replaced, taken back,
 * never twice. */
#include "tests/plugin/sender_fixture.h"

/* When the node sees a transaction, the store has it already. */
static void check_stored(void *user, const uint8_t hash[32])
{
    lks_store_txs live = {0};
    bool found = false;
    DO(lks_store_txs_live(store, lks_signer_address(signer), &live));
    for (size_t i = 0; i < live.count; i++) {
        lks_buf hashes = {0};
        DO(lks_store_tx_hashes(store, live.items[i].id, &hashes));
        for (size_t at = 0; at < hashes.len; at += 32)
            found = found || memcmp(hashes.data + at, hash, 32) == 0;
        lks_buf_free(&hashes);
    }
    lks_store_txs_free(&live);
    if (found)
        ++*(size_t *)user;
}

static void test_sent_and_included(void **state)
{
    (void)state;
    size_t stored_before = 0;
    lks_store_tx tx;
    chain->on_send = check_stored;
    chain->user = &stored_before;
    DO(accept_until(UINT64_MAX));
    assert_int_equal(stored_before, 1);
    assert_int_equal(live_count(&tx), 1);
    assert_true(tx.action == LKS_ACTION_ACCEPT && tx.nonce == 0);
    assert_int_equal(accept_until(UINT64_MAX), LKS_REFUSED); /* not a second one */
    tend();
    assert_int_equal(chain->sends, 1); /* the node knows it: it is not sent again */
    sim_mine(chain, 1);
    tend();
    assert_int_equal(live_count(NULL), 0);
    assert_true(chain->accepts == 1 && chain->sends == 1 && chain->reverts == 0);
    assert_non_null(strstr(lines, "accept transaction 0x"));
}

static void test_refused_before_sending(void **state)
{
    (void)state;
    sim_other(chain, SIM_OTHER_ACCEPTS, request);
    sim_mine(chain, 1);
    assert_int_equal(accept_until(UINT64_MAX), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "WrongStatus"));
    assert_true(live_count(NULL) == 0 && chain->sends == 0);
}

static void test_stuck_is_replaced(void **state)
{
    (void)state;
    lks_store_tx tx;
    DO(accept_until(UINT64_MAX));
    uint64_t first_fee = pooled()->t.max_fee.w[0];
    chain->base_fee = 5 * first_fee; /* the market moves: what was sent cannot be included */
    for (unsigned i = 1; i < LKS_SENDER_PATIENCE; i++) {
        sim_mine(chain, 1);
        tend();
        assert_int_equal(chain->sends, 1);
    }
    sim_mine(chain, 1);
    tend();
    assert_int_equal(live_count(&tx), 1);
    assert_int_equal(versions(&tx), 2);
    assert_true(pooled()->t.nonce == 0 && pooled()->t.max_fee.w[0] >= chain->base_fee);
    sim_mine(chain, 1);
    tend();
    assert_int_equal(live_count(NULL), 0);
    assert_true(chain->accepts == 1 && chain->accounts->nonce == 1);
}

/* The older version gets in after all. */
static void test_older_version_included(void **state)
{
    (void)state;
    DO(accept_until(UINT64_MAX));
    sim_tx *old = NULL;
    for (size_t i = 0; i < chain->tx_count; i++)
        if (chain->txs[i].kind == SIM_SIGNED)
            old = &chain->txs[i];
    assert_non_null(old);
    uint64_t market = chain->base_fee;
    chain->base_fee = 5 * old->t.max_fee.w[0];
    sim_mine(chain, LKS_SENDER_PATIENCE);
    tend();
    assert_true(pooled() != old);
    sim_forget_pool(chain);
    old->pooled = true;
    chain->base_fee = market;
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 1);
}

static void test_forgotten_is_sent_again(void **state)
{
    (void)state;
    chain->pool_forgets = true;
    DO(accept_until(UINT64_MAX));
    tend();
    tend();
    assert_int_equal(chain->sends, 3);
    chain->pool_forgets = false;
    tend();
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 1);
}

static void test_node_away_while_sending(void **state)
{
    (void)state;
    uint64_t before = chain->calls;
    DO(accept_until(UINT64_MAX));
    uint64_t calls = chain->calls - before;
    lks_store_tx tx;
    assert_int_equal(live_count(&tx), 1);
    tx.state = LKS_TX_DEAD; /* that was only to count the calls */
    DO(lks_store_tx_put(store, &tx));
    sim_forget_pool(chain);
    /* The connection is lost at each call in turn: nothing is stored before the last one, and with
     * it the transaction stays to be sent. */
    for (uint64_t n = 1; n <= calls; n++) {
        chain->fail_from = chain->calls + n;
        lks_err err = accept_until(UINT64_MAX);
        if (n < calls) {
            if (err != LKS_IO)
                fail_msg("call %d of %d: %s", (int)n, (int)calls, lks_error_message());
            assert_int_equal(live_count(NULL), 0);
        } else {
            assert_int_equal(err, LKS_OK);
            assert_int_equal(live_count(NULL), 1);
        }
    }
    chain->fail_from = 0;
    tend();
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 1);
}

static void test_nonce_used_elsewhere(void **state)
{
    (void)state;
    chain->pool_forgets = true;
    DO(accept_until(UINT64_MAX));
    chain->pool_forgets = false;
    sim_other(chain, SIM_FOREIGN, 0);
    sim_mine(chain, 1);
    tend();
    assert_int_equal(live_count(NULL), 1); /* once is not enough to believe it */
    tend();
    assert_int_equal(live_count(NULL), 1);
    sim_mine(chain, 1);
    tend();
    assert_int_equal(live_count(NULL), 0);
    assert_non_null(strstr(lines, "went to a transaction that is not ours"));
    DO(accept_until(UINT64_MAX)); /* with the next nonce */
    assert_true(pooled()->t.nonce == 1);
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
}

/* A foreign transaction takes our nonce, a re-org frees it again: the next one that takes it is
 * believed no earlier than the first. */
static void test_nonce_comes_back(void **state)
{
    (void)state;
    chain->pool_forgets = true;
    DO(accept_until(UINT64_MAX));
    for (int times = 0; times < 3; times++) {
        sim_other(chain, SIM_FOREIGN, 0);
        sim_mine(chain, 1);
        tend();
        assert_int_equal(live_count(NULL), 1);
        sim_reorg(chain, 1, false, false);
        sim_mine(chain, 2);
        tend(); /* it is ours again */
        assert_int_equal(chain->accounts->nonce, 0);
    }
    chain->pool_forgets = false;
    tend();
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
    assert_null(strstr(lines, "not ours"));
}

/* The node has our transaction in a block that the plugin has not taken yet. */
static void test_receipt_of_a_newer_block(void **state)
{
    (void)state;
    enum {
        BLOCKS = 5
    };
    DO(accept_until(UINT64_MAX));
    lks_sender_now n = now();
    chain->base_fee *= 50;
    sim_mine(chain, BLOCKS);
    chain->base_fee /= 50;
    sim_mine(chain, 3);
    assert_int_equal(chain->accepts, 1);
    for (int i = 0; i <= BLOCKS; i++, n.head++) {
        DO(lks_sender_tend(&sender, &n));
        assert_int_equal(live_count(NULL), 1);
    }
    for (int i = 0; i < 3; i++, n.head++)
        DO(lks_sender_tend(&sender, &n));
    assert_int_equal(live_count(NULL), 0);
    assert_null(strstr(lines, "not ours"));
}

/* A fork goes on having our transaction, which our chain has not: it is replaced all the same. */
static void test_fork_has_it(void **state)
{
    (void)state;
    lks_store_tx tx;
    DO(accept_until(UINT64_MAX));
    chain->base_fee *= 50;
    for (unsigned i = 0; i < LKS_SENDER_PATIENCE; i++) {
        sim_mine(chain, 1);
        chain->fork_receipts = 1;
        tend();
        assert_int_equal(chain->fork_receipts, 0);
    }
    assert_int_equal(live_count(&tx), 1);
    assert_true(versions(&tx) > 1);
}

/* A transaction that is not ours had the nonce before ours, and a re-org took it away for good. */
static void make_gap(void)
{
    size_t changed = 0;
    sim_other(chain, SIM_FOREIGN, 0);
    sim_mine(chain, 1);
    uint64_t height = chain->block_count - 2;
    DO(accept_until(UINT64_MAX));
    assert_true(pooled()->t.nonce == 1);
    sim_reorg(chain, 1, false, true);
    DO(lks_store_rewind(store, height, &changed));
    assert_int_equal(chain->accounts->nonce, 0);
}

/* Mines a block and looks after the transactions. In: how far the plugin's head is above the
 * node's, and whether it has blocks still to take. */
static void next_head(uint64_t above, bool behind)
{
    sim_mine(chain, 1);
    lks_sender_now n = now();
    n.head += above;
    n.behind = behind;
    DO(lks_sender_tend(&sender, &n));
}

static void test_gap_is_filled(void **state)
{
    (void)state;
    make_gap();
    for (unsigned i = 0; i < LKS_SENDER_GAP_HEADS; i++) {
        next_head(0, false);
        assert_null(pooled_at(0)); /* a node may only be behind */
    }
    next_head(0, false);
    const sim_tx *empty = pooled_at(0);
    assert_non_null(empty);
    assert_true(empty->t.data_len == 0 && empty->t.value.w[0] == 0);
    assert_memory_equal(empty->t.to, lks_signer_address(signer), 20);
    next_head(0, false);
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 2);
    char *said = strstr(lines, "nonce 0 of the account 0x");
    assert_non_null(said);
    assert_null(strstr(said + 1, "nonce 0 of the account 0x"));
}

/* Fees have risen: what fills it follows them, and what waits behind it is not raised for nothing.
 */
static void test_gap_filler_is_raised(void **state)
{
    (void)state;
    lks_store_tx tx;
    make_gap();
    for (unsigned i = 0; i <= LKS_SENDER_GAP_HEADS; i++)
        next_head(0, false);
    assert_int_equal(live_count(&tx), 1);
    assert_int_equal(versions(&tx), 1);
    uint64_t fee = pooled_at(0)->t.max_fee.w[0];
    chain->base_fee = fee + 1;
    for (unsigned i = 0; i < LKS_SENDER_PATIENCE; i++)
        next_head(0, false);
    assert_true(pooled_at(0)->t.max_fee.w[0] > fee);
    for (int i = 0; i < 10 && live_count(NULL); i++)
        next_head(0, false);
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 2);
}

/* Neither while we have blocks to take, which may have a transaction of ours with that nonce, nor
 * by the word of a node that has not our head. */
static void test_gap_of_a_node_behind(void **state)
{
    (void)state;
    make_gap();
    for (unsigned i = 0; i < 3 * LKS_SENDER_GAP_HEADS; i++)
        next_head(0, true);
    assert_null(pooled_at(0));
    for (unsigned i = 0; i < 3 * LKS_SENDER_GAP_HEADS; i++)
        next_head(5, false);
    assert_null(pooled_at(0));
    assert_null(strstr(lines, "nonce 0 of the account"));
    next_head(0, false);
    assert_non_null(pooled_at(0));
}

/* Again and again: another program has the key. It is said, and forgotten when it has ended. */
static void test_shared_account(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LKS_SENDER_FOREIGN; i++) {
        lks_sender_now n = now();
        assert_false(lks_sender_is_shared(&sender, &n));
        assert_null(strstr(lines, "another program sends"));
        chain->pool_forgets = true;
        DO(accept_until(UINT64_MAX));
        chain->pool_forgets = false;
        sim_other(chain, SIM_FOREIGN, 0);
        for (int k = 0; k < 2; k++) {
            sim_mine(chain, 1);
            tend();
        }
        assert_int_equal(live_count(NULL), 0);
    }
    lks_sender_now n = now();
    assert_true(lks_sender_is_shared(&sender, &n));
    assert_non_null(strstr(lines, "another program sends transactions for the account 0x"));
    n.head += LKS_SENDER_FOREIGN_BLOCKS;
    assert_false(lks_sender_is_shared(&sender, &n));
    DO(accept_until(UINT64_MAX)); /* what is decided anew goes out with the next nonce */
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
}

static void test_reorg_brings_it_back(void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) { /* whether the node puts it back into its pool */
        size_t changed = 0;
        DO(accept_until(UINT64_MAX));
        sim_mine(chain, 1);
        tend();
        assert_int_equal(live_count(NULL), 0);
        uint64_t height = chain->block_count - 2;
        sim_reorg(chain, 1, true, false);
        DO(lks_store_rewind(store, height, &changed));
        assert_int_equal(live_count(NULL), 1);
        assert_int_equal(chain->accepts, 0);
        if (kept)
            sim_forget_pool(chain);
        tend();
        sim_mine(chain, 1);
        tend();
        assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 1);
        teardown(NULL);
        setup(NULL);
    }
}

/* A receipt from a fork, as one backend of several may give it, settles nothing. */
static void test_receipt_of_a_fork(void **state)
{
    (void)state;
    lks_store_tx tx;
    DO(accept_until(UINT64_MAX));
    chain->base_fee *= 50;
    for (int i = 0; i < 3; i++) {
        chain->fork_receipts = 1;
        tend();
        assert_int_equal(chain->fork_receipts, 0);
        assert_int_equal(live_count(&tx), 1);
        sim_mine(chain, 1);
    }
    for (int i = 0; i < 30 && live_count(NULL); i++) {
        tend();
        sim_mine(chain, 1);
    }
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 1);
}

/* The nonce is used and the only receipt is a fork's: that is no proof that it went elsewhere. */
static void test_receipt_of_a_fork_later(void **state)
{
    (void)state;
    DO(accept_until(UINT64_MAX));
    sim_mine(chain, 1);
    const sim_block *b = &chain->blocks[chain->block_count - 1];
    lks_store_block stored = {{b->number, {9}}, b->time};
    DO(lks_store_block_put(store, &stored)); /* the plugin stands on another block of that number */
    for (int i = 0; i < 4; i++) {
        tend();
        sim_mine(chain, 1);
        assert_int_equal(live_count(NULL), 1);
    }
    size_t changed = 0;
    DO(lks_store_rewind(store, b->number - 1, &changed));
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
    assert_null(strstr(lines, "not ours"));
}

/* The nonce is used and the node goes on showing a fork's receipt: what it was for is decided anew,
 * and nobody else is blamed. */
static void test_receipt_of_a_fork_for_ever(void **state)
{
    (void)state;
    DO(accept_until(UINT64_MAX));
    sim_mine(chain, 1);
    const sim_block *b = &chain->blocks[chain->block_count - 1];
    lks_store_block stored = {{b->number, {9}}, b->time};
    DO(lks_store_block_put(store, &stored));
    for (unsigned i = 0; i < LKS_SENDER_FORK_HEADS; i++) {
        tend();
        assert_int_equal(live_count(NULL), 1);
        sim_mine(chain, 1);
    }
    tend();
    assert_int_equal(live_count(NULL), 0);
    assert_non_null(strstr(lines, "decided again"));
    assert_null(strstr(lines, "not ours"));
    assert_false(lks_sender_is_shared(&sender, &(lks_sender_now){chain->block_count, 0, false}));
}

static void test_reverted(void **state)
{
    (void)state;
    DO(accept_until(UINT64_MAX));
    chain->accounts->free_bond = lks_u256_from_u64(0); /* between the simulation and the block */
    sim_mine(chain, 1);
    tend();
    assert_int_equal(live_count(NULL), 0);
    assert_int_equal(chain->reverts, 1);
    assert_non_null(strstr(lines, "was reverted in block 4: "));
    assert_non_null(strstr(lines, "InsufficientFreeBond"));
    DO(lks_store_job_get(store, job.request_id, &job));
    assert_true(job.round.failures[LKS_ACTION_ACCEPT] == 1 && job.state == LKS_JOB_SEEN);
}

/* What is over 128 KiB is not signed. */
static void test_too_large(void **state)
{
    (void)state;
    static uint8_t data[128 * 1024];
    lks_sender_now n = now();
    lks_outgoing out = {.request_id = job.request_id,
                        .action = LKS_ACTION_CLAIM,
                        .to = chain->oracle,
                        .gas = 1000000,
                        .data = data,
                        .len = sizeof data,
                        .deadline = UINT64_MAX};
    uint64_t calls = chain->calls;
    assert_int_equal(lks_sender_send(&sender, &out, &n), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "larger than nodes relay"));
    assert_true(live_count(NULL) == 0 && chain->calls == calls);
}

/* One that no node will ever take gives its nonce back; the next transaction has it. */
static void test_refused_for_good(void **state)
{
    (void)state;
    chain->send_error = "oversized data: transaction size 131200, limit 131072";
    assert_int_equal(accept_until(UINT64_MAX), LKS_REFUSED);
    assert_int_equal(live_count(NULL), 0);
    assert_non_null(strstr(lines, "no node will take"));
    DO(lks_store_job_get(store, job.request_id, &job));
    assert_int_equal(job.round.failures[LKS_ACTION_ACCEPT], 1);
    chain->send_error = NULL;
    DO(accept_until(UINT64_MAX));
    assert_true(pooled()->t.nonce == 0);
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1 && chain->accounts->nonce == 1);
}

/* The same later, when others may stand behind it: an empty transaction takes its place. */
static void test_refused_later(void **state)
{
    (void)state;
    chain->pool_forgets = true;
    DO(accept_until(UINT64_MAX));
    chain->send_error = "transaction gas limit too high (cap: 16777216, tx: 20000000)";
    tend();
    chain->send_error = NULL;
    chain->pool_forgets = false;
    tend();
    assert_int_equal(live_count(NULL), 1);
    assert_int_equal(pooled()->t.data_len, 0);
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accounts->nonce == 1 && chain->accepts == 0);
}

static void test_no_funds(void **state)
{
    (void)state;
    chain->send_error = "insufficient funds for gas * price + value: have 0 want 1";
    DO(accept_until(UINT64_MAX));
    for (int i = 0; i < 5; i++)
        tend();
    char *first = strstr(lines, "cannot pay for its transactions");
    assert_non_null(first);
    assert_null(strstr(first + 1, "cannot pay for its transactions")); /* told once */
    assert_non_null(strstr(lines, "0x"));
    chain->send_error = NULL;
    tend();
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 1);
}

static void test_many_nonces(void **state)
{
    (void)state;
    lks_job jobs[4];
    for (uint32_t i = 0; i < 4; i++) {
        size_t index = sim_ask(chain, NULL, 5 + i);
        sim_mine(chain, 3);
        memset(&jobs[i], 0, sizeof jobs[i]);
        jobs[i].request = chain->requests[index].request;
        memcpy(jobs[i].request_id, chain->requests[index].id, 32);
        jobs[i].requested.number = chain->requests[index].block;
        DO(lks_store_job_add(store, &jobs[i], chain->requests[index].prompt.data,
                             chain->requests[index].prompt.len, NULL, 0));
    }
    chain->pool_forgets = true;
    for (uint32_t i = 0; i < 4; i++) {
        job = jobs[i];
        DO(accept_until(UINT64_MAX));
    }
    assert_int_equal(live_count(NULL), 4);
    chain->pool_forgets = false;
    tend();
    sim_mine(chain, 1);
    tend();
    assert_true(live_count(NULL) == 0 && chain->accepts == 4 && chain->accounts->nonce == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_sent_and_included),
        TEST(test_refused_before_sending),
        TEST(test_stuck_is_replaced),
        TEST(test_older_version_included),
        TEST(test_forgotten_is_sent_again),
        TEST(test_node_away_while_sending),
        TEST(test_nonce_used_elsewhere),
        TEST(test_reorg_brings_it_back),
        TEST(test_shared_account),
        TEST(test_reverted),
        TEST(test_no_funds),
        TEST(test_many_nonces),
        TEST(test_receipt_of_a_fork),
        TEST(test_receipt_of_a_fork_later),
        TEST(test_receipt_of_a_fork_for_ever),
        TEST(test_too_large),
        TEST(test_refused_for_good),
        TEST(test_refused_later),
        TEST(test_nonce_comes_back),
        TEST(test_receipt_of_a_newer_block),
        TEST(test_fork_has_it),
        TEST(test_gap_is_filled),
        TEST(test_gap_filler_is_raised),
        TEST(test_gap_of_a_node_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
