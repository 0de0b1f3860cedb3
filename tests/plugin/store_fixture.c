#include "tests/plugin/store_fixture.h"

#include "chain/keccak.h"

#include <sqlite3.h>

char folder[64], path[96];
const lks_store_identity who = {
    .chain_id = 31982, .oracle = {1, 2, 3}, .operator_address = {4, 5, 6}, .account = {4, 5, 6}};
const uint8_t prompt[12] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0},
              tokens[8] = {9, 0, 0, 0, 8, 0, 0, 0};

int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lockstep-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/jobs.db", folder);
    return 0;
}

int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

lks_store *open_store(void)
{
    lks_store *s = NULL;
    if (lks_store_open(&s, path, &who))
        fail_msg("%s", lks_error_message());
    return s;
}

void run_sql(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

lks_job make_job(uint64_t nonce)
{
    lks_job job = {.requested = {.number = 100}, .requested_time = 5000};
    job.request.nonce = nonce;
    job.request.prompt_count = 3;
    lks_tokens_hash(job.request.prompt_hash, prompt, sizeof prompt);
    job.request.max_tokens = 4;
    job.request.replicas = 1;
    job.request.stake = lks_u256_from_u64(1000);
    lks_request_id(job.request_id, who.chain_id, who.oracle, &job.request);
    return job;
}

void add_job(lks_store *s, lks_job *job)
{
    DO(lks_store_begin(s));
    DO(lks_store_job_add(s, job, prompt, sizeof prompt, NULL, 0));
    DO(lks_store_commit(s));
}

lks_store_tx add_tx(lks_store *s, const lks_job *job, lks_action action, uint64_t nonce)
{
    lks_store_tx tx = {.action = action,
                       .nonce = nonce,
                       .state = LKS_TX_LIVE,
                       .deadline = 9,
                       .sent_block = 8,
                       .sent_time = 7};
    uint8_t raw[8] = {(uint8_t)nonce, (uint8_t)action}, hash[32];
    memcpy(tx.request_id, job->request_id, 32);
    memcpy(tx.account, who.account, 20);
    lks_keccak256(hash, raw, sizeof raw);
    DO(lks_store_begin(s));
    DO(lks_store_tx_add(s, &tx, hash, raw, sizeof raw));
    DO(lks_store_commit(s));
    return tx;
}
