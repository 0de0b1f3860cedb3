/* lockstep-node's following of the chain: every block once, re-orgs, a client that lags, logs that
 * do not come. */
#include "plugin/hosts/runner/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chain/json.h"
#include "chain/keccak.h"

#define MAX_BLOCKS 4096
#define OUR_LOGS 2

/* A chain whose block n has the hash {n, branch} and, where ours[n], logs of our address. */
static struct {
    uint8_t branch[MAX_BLOCKS];
    bool ours[MAX_BLOCKS];
    bool no_bloom, full_bloom;
    uint64_t head; /* what "latest" is */
    uint64_t has;  /* the highest block that look-ups by number and hash find */
    int hide_logs; /* answers to eth_getLogs that lack them */
    int log_calls;
    lks_err err;
} chain;

static const uint8_t OURS[20] = {0xaa, 1};
static uint64_t clock_ms, finished;
static uint8_t seen_branch[MAX_BLOCKS];
static size_t blocks, reverts, logs_seen;
static uint64_t tip;
static char warnings[4096];

void runner_log(const runner_host *host, int level, const char *format, ...)
{
    char line[512];
    va_list args;
    (void)host;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t len = strlen(warnings);
    snprintf(warnings + len, sizeof warnings - len, "%d %s\n", level, line);
}

static size_t warning_count(void)
{
    size_t n = 0;
    for (const char *p = warnings; *p; p++)
        n += *p == '\n';
    return n;
}

static void hash_of(uint8_t hash[32], uint64_t number, uint8_t branch)
{
    memset(hash, 0, 32);
    memcpy(hash, &number, sizeof number);
    hash[31] = branch;
    hash[30] = 1;
}

static void put_bloom(lks_json_writer *w, bool ours)
{
    uint8_t bloom[256] = {0}, hash[32];
    if (chain.full_bloom)
        memset(bloom, 0xff, sizeof bloom);
    if (ours) {
        lks_keccak256(hash, OURS, 20);
        for (int i = 0; i < 6; i += 2) {
            unsigned bit = ((unsigned)hash[i] << 8 | hash[i + 1]) % 2048;
            bloom[255 - bit / 8] |= (uint8_t)(1 << bit % 8);
        }
    }
    lks_json_put_name(w, "logsBloom");
    lks_json_put_data(w, bloom, sizeof bloom);
}

static void put_header(lks_json_writer *w, uint64_t n)
{
    uint8_t hash[32];
    lks_json_begin_object(w);
    lks_json_put_name(w, "number");
    lks_json_put_quantity(w, n);
    lks_json_put_name(w, "timestamp");
    lks_json_put_quantity(w, n);
    lks_json_put_name(w, "gasLimit");
    lks_json_put_quantity(w, 1);
    lks_json_put_name(w, "gasUsed");
    lks_json_put_quantity(w, 1);
    lks_json_put_name(w, "hash");
    hash_of(hash, n, chain.branch[n]);
    lks_json_put_data(w, hash, 32);
    lks_json_put_name(w, "parentHash");
    hash_of(hash, n - 1, chain.branch[n - 1]);
    lks_json_put_data(w, hash, 32);
    if (!chain.no_bloom)
        put_bloom(w, chain.ours[n]);
    lks_json_end_object(w);
}

static void put_logs(lks_json_writer *w, uint64_t n)
{
    uint8_t hash[32];
    lks_json_begin_array(w);
    for (uint64_t i = 0; chain.ours[n] && !chain.hide_logs && i < OUR_LOGS; i++) {
        lks_json_begin_object(w);
        lks_json_put_name(w, "address");
        lks_json_put_data(w, OURS, 20);
        lks_json_put_name(w, "topics");
        lks_json_begin_array(w);
        lks_json_end_array(w);
        lks_json_put_name(w, "data");
        lks_json_put_text(w, "0x");
        lks_json_put_name(w, "blockNumber");
        lks_json_put_quantity(w, n);
        hash_of(hash, n, chain.branch[n]);
        lks_json_put_name(w, "blockHash");
        lks_json_put_data(w, hash, 32);
        lks_json_put_name(w, "transactionHash");
        lks_json_put_data(w, hash, 32);
        lks_json_put_name(w, "transactionIndex");
        lks_json_put_quantity(w, 0);
        lks_json_put_name(w, "logIndex");
        lks_json_put_quantity(w, i);
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
    if (chain.ours[n] && chain.hide_logs)
        chain.hide_logs--;
}

static lks_err call(void *context, const char *method, const char *params, lks_buf *answer)
{
    lks_json doc = {0};
    lks_json_writer w = {.out = answer};
    uint8_t hash[32];
    uint64_t n = 0;
    (void)context;
    lks_buf_clear(answer);
    if (chain.err)
        return lks_fail(chain.err, "the node is gone");
    assert_int_equal(lks_json_parse(&doc, params, strlen(params), 100), LKS_OK);
    if (!strcmp(method, "eth_getLogs")) {
        assert_int_equal(lks_json_data_fixed(&doc, lks_json_path(&doc, 0, "0.blockHash"), hash, 32),
                         LKS_OK);
        memcpy(&n, hash, sizeof n);
        chain.log_calls++;
        put_logs(&w, n);
    } else {
        assert_string_equal(method, "eth_getBlockByNumber");
        if (lks_json_quantity(&doc, lks_json_path(&doc, 0, "0"), &n))
            put_header(&w, chain.head);
        else if (n > chain.has)
            lks_json_put_null(&w);
        else
            put_header(&w, n);
    }
    lks_json_free(&doc);
    return LKS_OK;
}

/* The plugin checks that it gets a chain. */
static void on_block(lockstep_plugin *self, const lockstep_block *block)
{
    uint8_t hash[32];
    (void)self;
    if (tip) {
        assert_true(block->number == tip + 1);
        hash_of(hash, tip, seen_branch[tip]);
        assert_memory_equal(block->parent_hash, hash, 32);
    }
    tip = block->number;
    seen_branch[tip] = block->hash[31];
    logs_seen += block->log_count;
    blocks++;
}

static void on_revert(lockstep_plugin *self, uint64_t number, const uint8_t hash[32])
{
    (void)self;
    assert_true(number == tip && hash[31] == seen_branch[tip]);
    tip--;
    reverts++;
}

static uint64_t finished_height(lockstep_plugin *self)
{
    (void)self;
    return finished;
}

static bool stopping(void)
{
    return false;
}
static uint64_t now_ms(void)
{
    return clock_ms;
}

static lockstep_plugin plugin = {
    .on_block = on_block, .on_revert = on_revert, .finished_height = finished_height};
static runner_follow follow;

static int set_up(void **state)
{
    (void)state;
    memset(&chain, 0, sizeof chain);
    memset(&follow, 0, sizeof follow);
    follow.node = (lks_eth){call, NULL, NULL};
    follow.filter = (lks_eth_filter){.addresses = &OURS, .address_count = 1};
    follow.plugin = &plugin;
    follow.stopping = stopping;
    follow.now_ms = now_ms;
    clock_ms = 1000;
    blocks = reverts = logs_seen = 0;
    tip = finished = 0;
    warnings[0] = 0;
    return 0;
}

/* The client's newest block is n, and it has all up to there. */
static void step_to(uint64_t n)
{
    chain.head = chain.has = n;
    clock_ms += 500;
    lks_err err = runner_follow_step(&follow);
    runner_follow_watch(&follow, err);
    assert_int_equal(err, LKS_OK);
}

static void test_in_order(void **state)
{
    (void)state;
    step_to(100);
    step_to(101);
    step_to(101);
    step_to(110);
    assert_int_equal(blocks, 11);
    assert_int_equal(reverts, 0);
    /* A re-org of three blocks to a longer chain, one to a shorter, one to the same height. */
    memset(chain.branch + 108, 1, MAX_BLOCKS - 108);
    step_to(111);
    assert_int_equal(reverts, 3);
    assert_int_equal(tip, 111);
    memset(chain.branch + 107, 2, MAX_BLOCKS - 107);
    step_to(109);
    assert_int_equal(reverts, 3 + 5);
    assert_int_equal(tip, 109);
    memset(chain.branch + 109, 3, MAX_BLOCKS - 109);
    step_to(109);
    assert_int_equal(reverts, 3 + 5 + 1);
    step_to(1109);
    step_to(2900); /* more than is remembered */
    assert_int_equal(reverts, 9);
    assert_string_equal(warnings, "");
}

/* Heads of one chain that go back and forth are no re-org; nor is a node behind that does not know
 * the newest blocks. */
static void test_lagging(void **state)
{
    (void)state;
    step_to(90);
    step_to(100);
    for (int i = 0; i < 9; i++) {
        step_to(98);
        step_to(100);
    }
    assert_int_equal(reverts, 0);
    assert_string_equal(warnings, "");
    step_to(98);
    assert_non_null(strstr(warnings, "1 the client's head goes back and forth, now to block 98"));
    step_to(100);
    for (int i = 0; i < 100; i++) {
        step_to(98);
        step_to(100);
    }
    assert_int_equal(warning_count(), 1);
    /* Below all that is remembered: nothing can be told, so nothing is taken back. */
    step_to(50);
    step_to(100);
    assert_int_equal(reverts, 0);
    assert_int_equal(blocks, 11);
    /* The head comes from a node that is up to date, the rest from one that is not. */
    chain.head = 103;
    chain.has = 98;
    for (int i = 0; i < 5; i++)
        assert_int_equal(runner_follow_step(&follow), LKS_OK);
    assert_int_equal(reverts, 0);
    assert_int_equal(blocks, 11);
    step_to(103);
    assert_int_equal(blocks, 14);
}

/* A client that gives nothing new is warned of: at once when it fails, else after two minutes, then
 * every five. */
static void test_quiet(void **state)
{
    (void)state;
    step_to(100);
    for (int i = 0; i < 238; i++)
        step_to(100);
    assert_int_equal(warning_count(), 0);
    for (int i = 0; i < 4; i++)
        step_to(100);
    assert_int_equal(warning_count(), 1);
    assert_non_null(strstr(warnings,
                           "1 no new block for 120 s: the client's head is still block 100"));
    clock_ms += 297000;
    step_to(98);
    assert_int_equal(warning_count(), 1);
    clock_ms += 4000;
    step_to(98);
    assert_non_null(strstr(warnings,
                           "the client's head is block 98, below block 100 that it gave before"));
    clock_ms += 301000;
    chain.err = LKS_IO;
    lks_err err = runner_follow_step(&follow);
    assert_int_equal(err, LKS_IO);
    runner_follow_watch(&follow, err);
    assert_non_null(strstr(warnings, "s: the node is gone"));
    assert_int_equal(warning_count(), 3);
    chain.err = LKS_OK;
    step_to(101);
    assert_non_null(strstr(warnings, "2 new blocks arrive again"));
}

/* A block that has logs of ours by its bloom is asked for them until they come. */
static void test_missing_logs(void **state)
{
    (void)state;
    chain.ours[100] = chain.ours[101] = chain.ours[102] = true;
    step_to(100);
    assert_int_equal(logs_seen, 2);
    assert_int_equal(chain.log_calls, 1);
    chain.hide_logs = 1;
    step_to(101);
    assert_int_equal(logs_seen, 4);
    assert_int_equal(chain.log_calls, 3);
    chain.hide_logs = 5;
    chain.head = chain.has = 102;
    assert_int_equal(runner_follow_step(&follow), LKS_CORRUPT);
    assert_int_equal(runner_follow_step(&follow), LKS_CORRUPT);
    assert_int_equal(tip, 101);
    assert_int_equal(runner_follow_step(&follow), LKS_OK);
    assert_int_equal(logs_seen, 6);
    assert_string_equal(warnings, "");
    /* They never come: the block is given without them in the end. */
    chain.ours[103] = true;
    chain.hide_logs = 1000;
    chain.head = chain.has = 103;
    for (unsigned i = 1; i < RUNNER_LOG_STEPS; i++)
        assert_int_equal(runner_follow_step(&follow), LKS_CORRUPT);
    assert_int_equal(runner_follow_step(&follow), LKS_OK);
    assert_int_equal(tip, 103);
    assert_non_null(strstr(warnings, "1 block 103 has logs of our contracts by its bloom"));
}

/* A bloom with every bit set tells little: asked once more, then believed. Without a bloom nothing
 * is asked again. */
static void test_little_bloom(void **state)
{
    (void)state;
    chain.full_bloom = true;
    step_to(100);
    assert_int_equal(chain.log_calls, 2);
    assert_int_equal(tip, 100);
    chain.no_bloom = true;
    step_to(101);
    assert_int_equal(chain.log_calls, 3);
    /* All logs of all contracts: a bloom that is not empty is certain. */
    chain.no_bloom = chain.full_bloom = false;
    follow.filter = (lks_eth_filter){0};
    step_to(102);
    assert_int_equal(chain.log_calls, 4);
    chain.ours[103] = true;
    chain.hide_logs = 2;
    chain.head = chain.has = 103;
    assert_int_equal(runner_follow_step(&follow), LKS_CORRUPT);
    step_to(103);
    assert_int_equal(logs_seen, 2);
    assert_string_equal(warnings, "");
}

/* A client that is behind at the start is waited for: the plugin has seen those blocks, and giving
 * thousands of them would keep the new ones from it. */
static void test_behind_at_start(void **state)
{
    (void)state;
    finished = 2100;
    step_to(400);
    step_to(401);
    assert_int_equal(blocks, 0);
    step_to(2102);
    assert_int_equal(blocks, 2);
    assert_int_equal(tip, 2102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_in_order, set_up),
        cmocka_unit_test_setup(test_lagging, set_up),
        cmocka_unit_test_setup(test_quiet, set_up),
        cmocka_unit_test_setup(test_missing_logs, set_up),
        cmocka_unit_test_setup(test_little_bloom, set_up),
        cmocka_unit_test_setup(test_behind_at_start, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
