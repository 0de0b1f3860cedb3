#include "tests/plugin/operator_fixture.h"

#include "chain/hex.h"
#include "chain/keystore.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char folder[64], keystore[128], password_file[128], database[128];
lks_signer *signer;
sim *chain;
sim_host *host;
lks_config config;
lks_models models;
lks_inbox *inbox;
lks_node *rpc;
lks_operator op;
static bool is_open;

/* ---- a model ---- */

atomic_uint runs, failing_runs, delay_ms;

uint32_t token_of(uint32_t prompt_count, uint64_t seed, uint32_t temperature, uint32_t i)
{
    return (uint32_t)((prompt_count * 31 + (temperature ? seed % 1009 : 0) + i * 7) % 1000);
}

static lks_err fake_run(const lks_served *served, const uint32_t *prompt, size_t prompt_count,
                        const lks_policy *policy, uint32_t max_tokens,
                        const lks_generate_options *o, uint32_t *tokens, uint32_t *count)
{
    (void)served, (void)prompt;
    atomic_fetch_add(&runs, 1);
    for (unsigned waited = 0; waited < atomic_load(&delay_ms); waited++) {
        if (atomic_load(o->cancel))
            return lks_fail(LKS_REFUSED, "cancelled");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (atomic_load(&failing_runs)) {
        atomic_fetch_sub(&failing_runs, 1);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    for (*count = 0; *count < max_tokens; ++*count) {
        tokens[*count] =
            token_of((uint32_t)prompt_count, policy->seed, policy->temperature, *count);
        o->on_token(o->user, tokens[*count]);
    }
    return LKS_OK;
}

/* ---- the fixture ---- */

void write_password(const char *text)
{
    FILE *f = fopen(password_file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(password_file, 0600), 0);
}

int make_key(void **state)
{
    (void)state;
    uint8_t key[32];
    lks_buf path = {0};
    /* In memory where there is such a place: hundreds of databases are made, and each commit waits
     * for its disk. */
    snprintf(folder, sizeof folder, "%s/lockstep-operator-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
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

int remove_folder(void **state)
{
    (void)state;
    lks_signer_free(signer);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

void start(void)
{
    DO(lks_inbox_new(&inbox, 1000, 1 << 20));
    DO(lks_node_new(&rpc, sim_host_api(host), 5000));
    DO(lks_operator_open(&op, sim_host_api(host), &config, &models, inbox, rpc, signer));
    op.pause_ms = 1;
    is_open = true;
}

/* As after a crash: nothing is told to the chain or the store any more. */
void halt(void)
{
    if (!is_open)
        return;
    lks_inbox_stop(inbox);
    lks_worker_stop(op.worker);
    lks_node_close(rpc);
    lks_operator_close(&op);
    sim_host_settle(host);
    lks_node_free(rpc);
    lks_inbox_free(inbox);
    is_open = false;
}

void restart(void)
{
    halt();
    start();
}

void forget_database(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -f %s*", database);
    assert_int_equal(system(command), 0);
}

void fresh_chain(void)
{
    forget_database();
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

int setup(void **state)
{
    (void)state;
    fresh_chain();
    start();
    return 0;
}

int teardown(void **state)
{
    (void)state;
    halt();
    sim_host_free(host);
    sim_free(chain);
    return 0;
}

/* ---- driving ---- */

void give(uint64_t number)
{
    lks_inbox_put_block(inbox, sim_block_of(chain, number), config.oracle);
}

void turn(void)
{
    for (int i = 0; i < 3; i++)
        assert_true(lks_operator_turn(&op, 2));
}

void mine_and_turn(void)
{
    sim_mine(chain, 1);
    give(chain->block_count - 1);
    turn();
}

lks_job job_of(size_t request)
{
    lks_job job;
    lks_err err = lks_store_job_get(op.store, chain->requests[request].id, &job);
    if (err == LKS_NOTFOUND)
        memset(&job, 0, sizeof job);
    else if (err)
        fail_msg("%s", lks_error_message());
    return job;
}

void run_until(size_t request, lks_job_state wanted)
{
    for (int i = 0; i < 400; i++) {
        if (job_of(request).state == wanted)
            return;
        mine_and_turn();
    }
    fail_msg("request %zu is %s, not %s; log:\n%s", request,
             lks_job_state_name(job_of(request).state), lks_job_state_name(wanted),
             sim_host_lines(host));
}

/* The answer on the chain is what the model says for the seed that the chain says. */
void check_claim(size_t request)
{
    const sim_request *q = &chain->requests[request];
    uint32_t ids[8];
    const lks_buf *tokens = &q->seats[0].tokens;
    assert_int_equal(tokens->len, 4 * q->request.max_tokens);
    assert_int_equal(lks_tokens_unpack(ids, tokens->data, tokens->len), LKS_OK);
    for (uint32_t i = 0; i < q->request.max_tokens; i++)
        assert_int_equal(ids[i],
                         token_of(q->request.prompt_count, q->seed, q->request.temperature, i));
}

void check_once(void)
{
    if (chain->accepts != 1 || chain->claims != 1 || chain->finals != 1 || chain->reverts != 0)
        fail_msg("%zu accepted, %zu claimed, %zu final, %zu reverted; log:\n%s", chain->accepts,
                 chain->claims, chain->finals, chain->reverts, sim_host_lines(host));
}

/* ---- a node that leaves logs out ---- */

unsigned empty_answers;

bool give_no_logs(void *user, const char *method, const char *params, lks_buf *answer, lks_err *err)
{
    (void)user, (void)params, (void)err;
    if (empty_answers == 0 || strcmp(method, "eth_getLogs"))
        return false;
    empty_answers--;
    lks_buf_put_text(answer, "[]");
    return true;
}

bool hide_from_review(void *user, const char *method, const char *params, lks_buf *answer,
                      lks_err *err)
{
    char id[LKS_HEX_SIZE(32)];
    (void)user, (void)err;
    if (strcmp(method, "eth_getLogs") || !strstr(params, "fromBlock"))
        return false;
    for (size_t i = 0; i < chain->request_count; i++) {
        lks_hex_encode(id, chain->requests[i].id, 32);
        if (strstr(params, id))
            return false;
    }
    lks_buf_put_text(answer, "[]");
    return true;
}

void mine_without_logs(void)
{
    sim_mine(chain, 1);
    lockstep_block block = *sim_block_of(chain, chain->block_count - 1);
    assert_true(block.log_count > 0);
    block.log_count = 0;
    chain->lie = give_no_logs;
    empty_answers = 8;
    lks_inbox_put_block(inbox, &block, config.oracle);
    for (int i = 0; i < 10 && op.feed.head.ref.number < chain->block_count - 1; i++) {
        op.next_sync_ms = 0;
        turn();
    }
    assert_int_equal(op.feed.head.ref.number, chain->block_count - 1);
    assert_int_equal(empty_answers, 0);
}
