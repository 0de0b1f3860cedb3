/* The operator on a simulated chain: the whole of a request's life, re-orgs in the middle of it, and a crash at every call to the node. */
#include "chain/keystore.h"
#include "plugin/key.h"
#include "plugin/operator.h"
#include "tests/plugin/sim.h"
#include "tests/plugin/sim_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DO(expression) \
    do { \
        if ((expression) != LKS_OK) fail_msg("%s: %s", #expression, lks_error_message()); \
    } while (0)

static char folder[64], keystore[128], password_file[128], database[128];
static lks_signer *signer;
static sim *chain;
static sim_host *host;
static lks_config config;
static lks_models models;
static lks_inbox *inbox;
static lks_node *rpc;
static lks_operator op;
static bool is_open;

/* ---- a model ---- */

static atomic_uint runs, failing_runs;
static atomic_uint delay_ms;

static uint32_t token_of(uint32_t prompt_count, uint64_t seed, uint32_t temperature, uint32_t i) {
    return (uint32_t)((prompt_count * 31 + (temperature ? seed % 1009 : 0) + i * 7) % 1000);
}

static lks_err fake_run(const lks_served *served, const uint32_t *prompt, size_t prompt_count, const lks_policy *policy, uint32_t max_tokens,
                        const lks_generate_options *o, uint32_t *tokens, uint32_t *count) {
    (void)served, (void)prompt;
    atomic_fetch_add(&runs, 1);
    for (unsigned waited = 0; waited < atomic_load(&delay_ms); waited++) {
        if (atomic_load(o->cancel)) return lks_fail(LKS_REFUSED, "cancelled");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (atomic_load(&failing_runs)) {
        atomic_fetch_sub(&failing_runs, 1);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    for (*count = 0; *count < max_tokens; ++*count) {
        tokens[*count] = token_of((uint32_t)prompt_count, policy->seed, policy->temperature, *count);
        o->on_token(o->user, tokens[*count]);
    }
    return LKS_OK;
}

/* ---- the fixture ---- */

static void write_password(const char *text) {
    FILE *f = fopen(password_file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(password_file, 0600), 0);
}

static int make_key(void **state) {
    (void)state;
    uint8_t key[32];
    lks_buf path = {0};
    /* In memory where there is such a place: hundreds of databases are made, and each commit waits for its disk. */
    snprintf(folder, sizeof folder, "%s/lockstep-operator-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    DO(lks_key_generate(key));
    DO(lks_signer_new(&signer, key));
    DO(lks_keystore_create(&path, folder, key, "secret", 6, LKS_KEYSTORE_LIGHT));
    snprintf(keystore, sizeof keystore, "%s", lks_buf_text(&path));
    lks_buf_free(&path);
    snprintf(password_file, sizeof password_file, "%s/password", folder);
    snprintf(database, sizeof database, "%s/jobs.db", folder);
    write_password("secret\n");
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    lks_signer_free(signer);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void start(void) {
    DO(lks_inbox_new(&inbox, 1000, 1 << 20));
    DO(lks_node_new(&rpc, sim_host_api(host), 5000));
    DO(lks_operator_open(&op, sim_host_api(host), &config, &models, inbox, rpc, signer));
    op.pause_ms = 1;
    is_open = true;
}

/* As after a crash: nothing is told to the chain or the store any more. */
static void halt(void) {
    if (!is_open) return;
    lks_inbox_stop(inbox);
    lks_worker_cancel(op.worker);
    lks_node_close(rpc);
    lks_operator_close(&op);
    sim_host_settle(host);
    lks_node_free(rpc);
    lks_inbox_free(inbox);
    is_open = false;
}

static void restart(void) {
    halt();
    start();
}

static void fresh_chain(void) {
    char command[160];
    snprintf(command, sizeof command, "rm -f %s*", database);
    assert_int_equal(system(command), 0);
    atomic_store(&runs, 0);
    atomic_store(&failing_runs, 0);
    atomic_store(&delay_ms, 0);
    chain = sim_new(lks_signer_address(signer));
    host = sim_host_new(chain);
    memset(&config, 0, sizeof config);
    config.chain_id = SIM_CHAIN_ID;
    memcpy(config.oracle, chain->oracle, 20);
    memcpy(config.bonds, chain->bonds, 20);
    memcpy(config.registry, chain->registry, 20);
    config.models[0] = "fake.gguf";
    config.model_count = 1;
    config.keystore = keystore;
    config.password_file = password_file;
    config.database = database;
    memset(&config.policy.max_stake, 0xff, sizeof config.policy.max_stake);
    memset(&config.recheck_stake, 0xff, sizeof config.recheck_stake);
    config.policy.finalize = true;
    config.policy.accept = config.is_operator = true;
    config.max_fee = lks_u256_from_u64(UINT64_C(100000000000));
    config.max_priority_fee = config.max_fee;
    memset(&models, 0, sizeof models);
    models.count = 1;
    models.run = fake_run;
    memset(models.items[0].model_id, 0x77, 32);
    models.items[0].vocab_size = 1000;
    models.items[0].max_positions = 4096;
    sim_mine(chain, 2);
}

static int setup(void **state) {
    (void)state;
    fresh_chain();
    start();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    halt();
    sim_host_free(host);
    sim_free(chain);
    return 0;
}

/* ---- driving ---- */

static void give(uint64_t number) {
    lks_inbox_put_block(inbox, sim_block_of(chain, number), config.oracle);
}

static void turn(void) {
    for (int i = 0; i < 3; i++) assert_true(lks_operator_turn(&op, 2));
}

static void mine_and_turn(void) {
    sim_mine(chain, 1);
    give(chain->block_count - 1);
    turn();
}

static lks_job job_of(size_t request) {
    lks_job job;
    lks_err err = lks_store_job_get(op.store, chain->requests[request].id, &job);
    if (err == LKS_NOTFOUND) memset(&job, 0, sizeof job);
    else if (err) fail_msg("%s", lks_error_message());
    return job;
}

static void run_until(size_t request, lks_job_state wanted) {
    for (int i = 0; i < 400; i++) {
        if (job_of(request).state == wanted) return;
        mine_and_turn();
    }
    fail_msg("request %zu is %s, not %s; log:\n%s", request, lks_job_state_name(job_of(request).state), lks_job_state_name(wanted), sim_host_lines(host));
}

/* The answer on the chain is what the model says for the seed that the chain says. */
static void check_claim(size_t request) {
    const sim_request *q = &chain->requests[request];
    uint32_t ids[8];
    assert_int_equal(q->tokens.len, 4 * q->request.max_tokens);
    assert_int_equal(lks_tokens_unpack(ids, q->tokens.data, q->tokens.len), LKS_OK);
    for (uint32_t i = 0; i < q->request.max_tokens; i++) assert_int_equal(ids[i], token_of(q->request.prompt_count, q->seed, q->request.temperature, i));
}

static void check_once(void) {
    if (chain->accepts != 1 || chain->claims != 1 || chain->finals != 1 || chain->reverts != 0)
        fail_msg("%zu accepted, %zu claimed, %zu final, %zu reverted; log:\n%s", chain->accepts, chain->claims, chain->finals, chain->reverts,
                 sim_host_lines(host));
}

/* ---- the tests ---- */

static void test_whole_life(void **state) {
    (void)state;
    lks_request terms = sim_terms(chain);
    terms.temperature = 1065353216; /* 1.0: the answer depends on the seed */
    terms.seed = 99;
    turn();
    size_t r = sim_ask(chain, &terms, 5);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
    assert_int_equal(atomic_load(&runs), 2); /* the trial and the answer */
    assert_true(op.speeds[0].decode_us > 0);
    assert_true(atomic_load(&op.finished) == chain->block_count - 1);
}

static void test_several(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 5; i++) sim_ask(chain, NULL, 5 + i);
    for (size_t i = 0; i < 5; i++) run_until(i, LKS_JOB_FINAL);
    for (size_t i = 0; i < 5; i++) check_claim(i);
    assert_true(chain->claims == 5 && chain->reverts == 0);
}

static void test_left_alone(void **state) {
    (void)state;
    config.policy.min_fee = lks_u256_from_u64(10);
    config.policy.max_stake = lks_u256_from_u64(1000);
    lks_request terms = sim_terms(chain);
    terms.stake = lks_u256_from_u64(1000);
    terms.fee = lks_u256_from_u64(9);
    size_t cheap = sim_ask(chain, &terms, 5);
    terms.fee = lks_u256_from_u64(10);
    terms.stake = lks_u256_from_u64(1001);
    size_t risky = sim_ask(chain, &terms, 5);
    terms.stake = lks_u256_from_u64(1000);
    memset(terms.model_id, 0x78, 32);
    size_t foreign = sim_ask(chain, &terms, 5);
    memset(terms.model_id, 0x77, 32);
    size_t too_long = sim_ask(chain, &terms, 4090);
    size_t outside = sim_ask(chain, &terms, 1500); /* ids up to 1500; the vocabulary has 1000 */
    size_t good = sim_ask(chain, &terms, 6);
    run_until(good, LKS_JOB_FINAL);
    assert_int_equal(job_of(cheap).dropped, LKS_DROP_FEE);
    assert_int_equal(job_of(risky).dropped, LKS_DROP_STAKE);
    assert_int_equal(job_of(foreign).state, LKS_JOB_INVALID);
    assert_int_equal(job_of(too_long).dropped, LKS_DROP_MALFORMED);
    assert_int_equal(job_of(outside).dropped, LKS_DROP_MALFORMED);
    check_once();
}

static void test_taken_and_reopened(void **state) {
    (void)state;
    turn();
    size_t r = sim_ask(chain, NULL, 5);
    mine_and_turn();
    sim_mine(chain, 1);
    sim_other(chain, SIM_OTHER_ACCEPTS, r);
    give(chain->block_count - 1);
    mine_and_turn();
    run_until(r, LKS_JOB_DROPPED);
    assert_int_equal(chain->accepts, 0);
    sim_other(chain, SIM_OTHER_MISSES, r);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    assert_true(chain->accepts == 1 && chain->claims == 1);
}

static void test_waits_for_bond(void **state) {
    (void)state;
    lks_u256 bond = chain->free_bond;
    chain->free_bond = lks_u256_from_u64(1);
    size_t r = sim_ask(chain, NULL, 5);
    for (int i = 0; i < 10; i++) mine_and_turn();
    assert_int_equal(job_of(r).state, LKS_JOB_SEEN);
    assert_non_null(strstr(sim_host_lines(host), "above the free bond"));
    chain->free_bond = bond;
    run_until(r, LKS_JOB_FINAL);
    check_once();
}

static void test_model_fails(void **state) {
    (void)state;
    turn();
    mine_and_turn();
    atomic_store(&delay_ms, 20);
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_ACCEPTED);
    atomic_store(&failing_runs, 2);
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
    assert_non_null(strstr(sim_host_lines(host), "the model gave no answer: out of memory"));
}

static void test_lying_seed(void **state) {
    (void)state;
    chain->lies_about_seed = true;
    size_t r = sim_ask(chain, NULL, 5);
    for (int i = 0; i < 40; i++) mine_and_turn();
    assert_int_equal(job_of(r).state, LKS_JOB_ACCEPTED);
    assert_int_equal(chain->claims, 0);
    assert_non_null(strstr(sim_host_lines(host), "does not follow from block"));
}

/* The host leaves blocks out, repeats them, and gives them late. */
static void test_gaps(void **state) {
    (void)state;
    size_t r = sim_ask(chain, NULL, 5);
    for (int i = 0; i < 200 && job_of(r).state != LKS_JOB_FINAL; i++) {
        sim_mine(chain, 1 + (size_t)(i % 3));
        uint64_t head = chain->block_count - 1;
        give(head);
        if (i % 4 == 1) give(head);
        if (i % 5 == 2) give(head - 1);
        if (i % 7 == 3) give(1);
        turn();
    }
    assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
}

/* Not running while everything happens, from before its first block on. */
static void test_catches_up(void **state) {
    (void)state;
    halt();
    size_t r = sim_ask(chain, NULL, 5);
    config.start_block = 1;
    sim_mine(chain, 30);
    atomic_store(&delay_ms, 20);
    start();
    run_until(r, LKS_JOB_ACCEPTED);
    halt();
    sim_mine(chain, 20);
    start();
    run_until(r, LKS_JOB_CLAIMED);
    halt();
    sim_mine(chain, 60);
    start();
    run_until(r, LKS_JOB_FINAL);
    check_claim(r);
    check_once();
}

/* A re-org in each state, of each depth, by which the request stays or moves to another block, with the transactions kept by the node or lost;
 * told to the operator by blocks alone, or by a revert too. In the end there is one claim, and it is right for the seed that then holds. */
static void test_reorgs(void **state) {
    (void)state;
    static const lks_job_state states[] = {LKS_JOB_SEEN, LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED, LKS_JOB_CLAIMING, LKS_JOB_CLAIMED, LKS_JOB_FINALIZING};
    size_t done = 0;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        for (size_t depth = 1; depth <= 12; depth += i < 2 ? 2 : 4)
            for (unsigned how = 0; how < 4; how++) {
                lks_request terms = sim_terms(chain);
                terms.temperature = 1065353216;
                turn();
                if (states[i] == LKS_JOB_ACCEPTED) run_until(sim_ask(chain, NULL, 3), LKS_JOB_FINAL); /* measured: then the worker can be slowed */
                size_t before = chain->claims;
                if (states[i] == LKS_JOB_ACCEPTED) atomic_store(&delay_ms, 50);
                size_t r = sim_ask(chain, &terms, 5);
                run_until(r, states[i]);
                size_t blocks = depth < chain->block_count ? depth : chain->block_count - 1;
                uint64_t old_head = chain->block_count - 1;
                uint8_t old_hash[32];
                memcpy(old_hash, chain->blocks[old_head].hash, 32);
                sim_reorg(chain, blocks, true, how & 1);
                if (how & 2) lks_inbox_put_revert(inbox, old_head, old_hash);
                atomic_store(&delay_ms, 0);
                run_until(r, LKS_JOB_FINAL);
                check_claim(r);
                if (chain->claims != before + 1) fail_msg("%zu claims", chain->claims);
                done++;
                teardown(NULL);
                setup(NULL);
            }
    assert_int_equal(done, (2 * 6 + 4 * 3) * 4);
}

/* The request itself is gone after the re-org: nothing more is done about it. */
static void test_request_vanishes(void **state) {
    (void)state;
    static const lks_job_state states[] = {LKS_JOB_SEEN, LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED, LKS_JOB_CLAIMING, LKS_JOB_CLAIMED};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        turn();
        for (int b = 0; b < 20; b++) mine_and_turn();
        if (states[i] == LKS_JOB_ACCEPTED) atomic_store(&delay_ms, 20);
        size_t r = sim_ask(chain, NULL, 5);
        run_until(r, states[i]);
        sim_reorg(chain, chain->block_count - chain->requests[r].block, false, false);
        for (int b = 0; b < 20; b++) mine_and_turn();
        assert_int_equal(job_of(r).state, LKS_JOB_REORGED);
        assert_int_equal(chain->claims, 0);
        atomic_store(&delay_ms, 0);
        teardown(NULL);
        setup(NULL);
    }
}

/* The connection is lost at the n-th call, before or after the node acted on it, and so is the process; then both come back. */
static void test_crash_at_every_call(void **state) {
    (void)state;
    size_t r = sim_ask(chain, NULL, 5);
    run_until(r, LKS_JOB_FINAL);
    uint64_t calls = chain->calls;
    assert_true(calls > 30);
    size_t crashes = 0;
    for (uint64_t n = 1; n <= calls; n++)
        for (int acted = 0; acted < 2; acted++) {
            teardown(NULL);
            fresh_chain();
            chain->fail_from = n;
            chain->fail_after_doing = acted;
            start();
            r = sim_ask(chain, NULL, 5);
            for (int i = 0; i < 400 && chain->calls < n; i++) mine_and_turn();
            mine_and_turn();
            halt();
            chain->fail_from = 0;
            start();
            run_until(r, LKS_JOB_FINAL);
            check_claim(r);
            check_once();
            crashes++;
        }
    print_message("%zu crashes, at each of %zu calls\n", crashes, (size_t)calls);
}

/* The process ends at every turn, whatever was stored by then. */
static void test_restart_at_every_turn(void **state) {
    (void)state;
    for (int period = 1; period <= 3; period++) {
        size_t r = sim_ask(chain, NULL, 5);
        for (int i = 0; i < 400 && job_of(r).state != LKS_JOB_FINAL; i++) {
            mine_and_turn();
            if (i % period == 0) restart();
        }
        assert_int_equal(job_of(r).state, LKS_JOB_FINAL);
        check_claim(r);
        check_once();
        teardown(NULL);
        setup(NULL);
    }
}

static void test_refuses_to_start(void **state) {
    (void)state;
    lks_operator second;
    halt();
    start();
    assert_int_equal(lks_operator_open(&second, sim_host_api(host), &config, &models, inbox, rpc, signer), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "in use by another process"));
    chain->chain_id = 1;
    assert_int_equal(lks_preflight_chain(&op), LKS_AUTH);
    assert_non_null(strstr(lks_error_message(), "31982"));
    chain->chain_id = SIM_CHAIN_ID;
    memset(config.bonds, 1, 20);
    assert_int_equal(lks_preflight_contracts(&op), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "the InferenceOracle uses the OperatorBonds at"));
    memcpy(config.bonds, chain->bonds, 20);
    chain->balance = lks_u256_from_u64(1);
    DO(lks_preflight_contracts(&op));
    assert_non_null(strstr(sim_host_lines(host), "too little ether"));
}

static void test_key(void **state) {
    (void)state;
    lks_signer *key = NULL;
    DO(lks_key_load(&key, &config));
    assert_memory_equal(lks_signer_address(key), lks_signer_address(signer), 20);
    lks_signer_free(key);
    assert_int_equal(chmod(password_file, 0644), 0);
    assert_int_equal(lks_key_load(&key, &config), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), "chmod 600"));
    assert_int_equal(chmod(password_file, 0600), 0);
    write_password("wrong-password\n");
    assert_int_equal(lks_key_load(&key, &config), LKS_AUTH);
    assert_null(strstr(lks_error_message(), "wrong-password"));
    assert_null(key);
    write_password("secret"); /* without a newline */
    DO(lks_key_load(&key, &config));
    lks_signer_free(key);
    assert_int_equal(unlink(password_file), 0);
    assert_int_equal(lks_key_load(&key, &config), LKS_IO);
    assert_non_null(strstr(lks_error_message(), password_file));
    write_password("secret\r\n");
    DO(lks_key_load(&key, &config));
    lks_signer_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_whole_life),       TEST(test_several),        TEST(test_left_alone),       TEST(test_taken_and_reopened),
        TEST(test_waits_for_bond),   TEST(test_model_fails),    TEST(test_lying_seed),       TEST(test_gaps),
        TEST(test_catches_up),       TEST(test_reorgs),         TEST(test_request_vanishes), TEST(test_restart_at_every_turn),
        TEST(test_refuses_to_start), TEST(test_key), TEST(test_crash_at_every_call),
    };
    return cmocka_run_group_tests(tests, make_key, remove_folder);
}
