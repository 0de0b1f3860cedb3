/* The job store: what is read back, what is refused, and kill -9 in the middle of everything. */
#include "chain/keccak.h"
#include "plugin/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];
static const lks_store_identity who = {.chain_id = 31982, .oracle = {1, 2, 3}, .operator_address = {4, 5, 6}};
static const uint8_t prompt[12] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0}, tokens[8] = {9, 0, 0, 0, 8, 0, 0, 0};

static int setup(void **state) {
    (void)state;
    strcpy(folder, "/tmp/lockstep-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/jobs.db", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static lks_store *open_store(void) {
    lks_store *s = NULL;
    if (lks_store_open(&s, path, &who)) fail_msg("%s", lks_error_message());
    return s;
}

static void run_sql(const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static lks_job make_job(uint64_t nonce) {
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

#define DO(expression) \
    do { \
        if ((expression) != LKS_OK) fail_msg("%s: %s", #expression, lks_error_message()); \
    } while (0)

static void add_job(lks_store *s, lks_job *job) {
    DO(lks_store_begin(s));
    DO(lks_store_job_add(s, job, prompt, sizeof prompt, NULL, 0));
    DO(lks_store_commit(s));
}

static lks_store_tx add_tx(lks_store *s, const lks_job *job, lks_action action, uint64_t nonce) {
    lks_store_tx tx = {.action = action, .nonce = nonce, .state = LKS_TX_LIVE, .deadline = 9, .sent_block = 8, .sent_time = 7};
    uint8_t raw[8] = {(uint8_t)nonce, (uint8_t)action}, hash[32];
    memcpy(tx.request_id, job->request_id, 32);
    lks_keccak256(hash, raw, sizeof raw);
    DO(lks_store_begin(s));
    DO(lks_store_tx_add(s, &tx, hash, raw, sizeof raw));
    DO(lks_store_commit(s));
    return tx;
}

static void test_everything_comes_back(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1), back;
    add_job(s, &job);
    assert_int_equal(job.state, LKS_JOB_SEEN);
    job.accepted = (lks_block_ref){102, {7}};
    job.full = job.accepted;
    job.attempt = 2;
    job.seat = 1;
    job.seed = UINT64_MAX - 3;
    job.claim_deadline = 6000;
    job.reopened = (lks_block_ref){101, {8}};
    job.reopened_deadline = 5500;
    memset(job.salt, 0x5a, 32);
    DO(lks_store_begin(s));
    DO(lks_store_answer_put(s, &job, job.seed, tokens, sizeof tokens));
    DO(lks_store_commit(s));
    assert_int_equal(job.state, LKS_JOB_ANSWERED);
    lks_store_close(s);

    s = open_store();
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_memory_equal(&back, &job, sizeof job);
    lks_buf list = {0}, none = {0}, answer = {0};
    DO(lks_store_job_lists(s, &back, &list, &none));
    DO(lks_store_answer_get(s, &back, &answer));
    assert_int_equal(list.len, sizeof prompt);
    assert_memory_equal(list.data, prompt, sizeof prompt);
    assert_int_equal(none.len, 0);
    assert_memory_equal(answer.data, tokens, sizeof tokens);
    lks_buf_free(&list);
    lks_buf_free(&none);
    lks_buf_free(&answer);
    uint8_t unknown[32] = {1};
    assert_int_equal(lks_store_job_get(s, unknown, &back), LKS_NOTFOUND);
    lks_speed speed = {123, 456}, read;
    assert_int_equal(lks_store_speed_get(s, unknown, &read), LKS_NOTFOUND);
    DO(lks_store_speed_put(s, unknown, &speed));
    DO(lks_store_speed_get(s, unknown, &read));
    assert_memory_equal(&read, &speed, sizeof speed);
    lks_store_close(s);
}

static void test_open_jobs(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_jobs jobs = {0};
    for (uint64_t i = 0; i < 40; i++) {
        lks_job job = make_job(i);
        job.requested.number = 100 + i % 7;
        if (i % 4 == 0) {
            job.dropped = LKS_DROP_FEE;
            job.dropped_at = 100;
        }
        add_job(s, &job);
    }
    DO(lks_store_jobs_open(s, &jobs));
    assert_int_equal(jobs.count, 30);
    for (size_t i = 1; i < jobs.count; i++) assert_true(jobs.items[i - 1].requested.number <= jobs.items[i].requested.number);
    lks_jobs_free(&jobs);
    /* Jobs that are over are forgotten in time, the others never. */
    lks_store_block far = {{LKS_STORE_KEEP_BLOCKS + 50, {1}}, 1}, farther = {{2 * LKS_STORE_KEEP_BLOCKS, {2}}, 2};
    DO(lks_store_block_put(s, &far));
    DO(lks_store_block_put(s, &farther));
    lks_job job = make_job(4), back;
    assert_int_equal(lks_store_job_get(s, job.request_id, &back), LKS_NOTFOUND);
    DO(lks_store_jobs_open(s, &jobs));
    assert_int_equal(jobs.count, 30);
    lks_jobs_free(&jobs);
    lks_store_close(s);
}

static void test_transactions(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    lks_store_txs live = {0};
    lks_buf buf = {0};
    uint64_t next = 1;
    uint8_t raw2[5] = {5, 4, 3, 2, 1}, hash2[32];
    lks_keccak256(hash2, raw2, sizeof raw2);
    add_job(s, &job);
    DO(lks_store_next_nonce(s, &next));
    assert_true(next == 0);
    lks_store_tx tx = add_tx(s, &job, LKS_ACTION_ACCEPT, 17);
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_int_equal(job.state, LKS_JOB_ACCEPTING);
    lks_store_tx second = tx;
    assert_int_equal(lks_store_tx_add(s, &second, hash2, raw2, sizeof raw2), LKS_REFUSED); /* one at a time */
    DO(lks_store_next_nonce(s, &next));
    assert_true(next == 18);

    tx.sent_block = 11;
    DO(lks_store_tx_add_version(s, &tx, hash2, raw2, sizeof raw2));
    DO(lks_store_tx_raw(s, tx.id, &buf));
    assert_true(buf.len == sizeof raw2);
    assert_memory_equal(buf.data, raw2, sizeof raw2);
    lks_buf_clear(&buf);
    DO(lks_store_tx_hashes(s, tx.id, &buf));
    assert_int_equal(buf.len, 64);
    assert_memory_equal(buf.data, hash2, 32);
    DO(lks_store_txs_live(s, &live));
    assert_true(live.count == 1 && live.items[0].nonce == 17 && live.items[0].sent_block == 11 && live.items[0].action == LKS_ACTION_ACCEPT);
    lks_store_txs_free(&live);

    /* Included, and taken back by a re-org: live again, and so is the state. */
    tx.state = LKS_TX_MINED;
    tx.included = (lks_block_ref){105, {3}};
    DO(lks_store_tx_put(s, &tx));
    DO(lks_store_job_get(s, job.request_id, &job));
    job.accepted = job.full = (lks_block_ref){105, {3}};
    DO(lks_store_job_put(s, &job));
    assert_int_equal(job.state, LKS_JOB_ACCEPTED);
    DO(lks_store_next_nonce(s, &next));
    assert_true(next == 0);
    size_t changed = 0;
    DO(lks_store_rewind(s, 105, &changed));
    assert_int_equal(changed, 0);
    DO(lks_store_rewind(s, 104, &changed));
    assert_int_equal(changed, 1);
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_int_equal(job.state, LKS_JOB_ACCEPTING);
    DO(lks_store_txs_live(s, &live));
    assert_true(live.count == 1 && live.items[0].id == tx.id && live.items[0].included.number == 0);
    lks_store_txs_free(&live);

    /* Canceled: the job may try anew beside it. */
    tx.state = LKS_TX_LIVE;
    tx.included = (lks_block_ref){0};
    tx.canceled = true;
    DO(lks_store_tx_put(s, &tx));
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_int_equal(job.state, LKS_JOB_SEEN);
    add_tx(s, &job, LKS_ACTION_ACCEPT, 18);
    DO(lks_store_rewind(s, 99, &changed));
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_int_equal(job.state, LKS_JOB_REORGED);
    lks_buf_free(&buf);
    lks_store_close(s);
}

/* Moves of one job have keys: several live ones, each once. */
static void test_moves(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    uint8_t raw[1] = {1}, hash[32];
    lks_keccak256(hash, raw, sizeof raw);
    lks_store_tx a = {.action = LKS_ACTION_MOVE, .key = {1}, .nonce = 1, .state = LKS_TX_LIVE, .deadline = 9};
    memcpy(a.request_id, job.request_id, 32);
    lks_store_tx b = a, again = a;
    b.key[0] = 2;
    b.nonce = 2;
    again.nonce = 3;
    bool live = true;
    DO(lks_store_move_is_live(s, job.request_id, a.key, &live));
    assert_false(live);
    DO(lks_store_tx_add(s, &a, hash, raw, sizeof raw));
    DO(lks_store_tx_add(s, &b, hash, raw, sizeof raw));
    assert_int_equal(lks_store_tx_add(s, &again, hash, raw, sizeof raw), LKS_REFUSED);
    DO(lks_store_move_is_live(s, job.request_id, b.key, &live));
    assert_true(live);
    lks_store_close(s);
    s = open_store();
    lks_store_txs txs = {0};
    DO(lks_store_txs_live(s, &txs));
    assert_int_equal(txs.count, 2);
    assert_memory_equal(txs.items[1].key, b.key, 32);
    a = txs.items[0];
    lks_store_txs_free(&txs);
    a.state = LKS_TX_MINED;
    a.included.number = 7;
    DO(lks_store_tx_put(s, &a));
    DO(lks_store_move_is_live(s, job.request_id, a.key, &live));
    assert_false(live);
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_true(job.sent & LKS_SENT(LKS_ACTION_MOVE));
    assert_int_equal(job.state, LKS_JOB_SEEN); /* no state of the job follows from a move */
    lks_store_close(s);
}

static lks_claim make_claim(const lks_job *job, uint8_t id, uint64_t block) {
    lks_claim claim = {.claim_id = {id}, .operator_address = {7}, .attempt = 1, .claimed = {block, {3}}, .window_end = 99, .token_count = 5};
    memcpy(claim.request_id, job->request_id, 32);
    return claim;
}

static size_t open_claims(lks_store *s) {
    lks_claims claims = {0};
    DO(lks_store_claims_open(s, &claims));
    size_t count = claims.count;
    lks_claims_free(&claims);
    return count;
}

static void test_claims(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    lks_claim a = make_claim(&job, 1, 10), b = make_claim(&job, 2, 12), got;
    uint8_t secret[32], same[32];
    size_t changed = 0;
    DO(lks_store_secret(s, secret));
    DO(lks_store_claim_add(s, &a));
    DO(lks_store_claim_add(s, &b));
    a.disputed = (lks_block_ref){13, {4}};
    a.check = LKS_CHECK_WRONG;
    a.first_wrong = 3;
    DO(lks_store_claim_put(s, &a));
    lks_store_close(s);
    s = open_store();
    DO(lks_store_secret(s, same));
    assert_memory_equal(secret, same, 32);
    DO(lks_store_claim_get(s, a.claim_id, &got));
    assert_memory_equal(got.request_id, job.request_id, 32);
    assert_true(got.operator_address[0] == 7 && got.attempt == 1 && got.claimed.number == 10 && got.claimed.hash[0] == 3 && got.window_end == 99);
    assert_true(got.token_count == 5 && got.disputed.number == 13 && got.disputed.hash[0] == 4 && got.check == LKS_CHECK_WRONG && got.first_wrong == 3);
    assert_int_equal(open_claims(s), 2);
    DO(lks_store_claims_end(s, job.request_id, &(lks_block_ref){14, {5}}));
    DO(lks_store_claim_get(s, b.claim_id, &got));
    assert_true(got.ended.number == 14 && got.ended.hash[0] == 5);
    got.settled = 15;
    DO(lks_store_claim_put(s, &got));
    assert_int_equal(open_claims(s), 1);
    DO(lks_store_rewind(s, 14, &changed)); /* settled no more */
    assert_int_equal(open_claims(s), 2);
    DO(lks_store_rewind(s, 12, &changed));
    DO(lks_store_claim_get(s, a.claim_id, &got));
    assert_true(got.ended.number == 0 && got.disputed.number == 0 && got.check == LKS_CHECK_WRONG);
    DO(lks_store_rewind(s, 11, &changed));
    assert_int_equal(lks_store_claim_get(s, b.claim_id, &got), LKS_NOTFOUND);
    assert_int_equal(open_claims(s), 1);
    lks_store_close(s);
}

/* A database of version 1: what it has stays, and moves and claims can be stored. */
static void test_upgrade(void **state) {
    (void)state;
    static const uint8_t zero[32];
    uint8_t secret[32];
    lks_store *s = open_store();
    lks_job job = make_job(1), got;
    add_job(s, &job);
    lks_store_tx tx = add_tx(s, &job, LKS_ACTION_ACCEPT, 4);
    lks_store_close(s);
    run_sql("DROP TABLE claim; DROP TABLE secret; DROP INDEX tx_one_live; ALTER TABLE tx DROP COLUMN key;"
            "CREATE UNIQUE INDEX tx_one_live ON tx(request_id, action) WHERE state = 1 AND revived = 0 AND canceled = 0; PRAGMA user_version = 1");
    s = open_store();
    DO(lks_store_secret(s, secret));
    assert_memory_not_equal(secret, zero, 32);
    DO(lks_store_job_get(s, job.request_id, &got));
    assert_int_equal(got.state, LKS_JOB_ACCEPTING);
    lks_store_txs txs = {0};
    DO(lks_store_txs_live(s, &txs));
    assert_true(txs.count == 1 && txs.items[0].nonce == tx.nonce);
    assert_memory_equal(txs.items[0].key, zero, 32);
    lks_store_txs_free(&txs);
    lks_claim claim = make_claim(&job, 1, 10);
    DO(lks_store_claim_add(s, &claim));
    lks_store_close(s);
    s = open_store();
    assert_int_equal(open_claims(s), 1);
    lks_store_close(s);
}

static void test_blocks(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_store_block b = {{0, {0}}, 0}, back;
    assert_int_equal(lks_store_head(s, &back), LKS_NOTFOUND);
    for (uint64_t n = 10; n < 10 + 2 * LKS_STORE_BLOCKS; n += 2) {
        b.ref.number = n;
        b.ref.hash[0] = (uint8_t)n;
        b.time = 2 * n;
        DO(lks_store_block_put(s, &b));
    }
    DO(lks_store_head(s, &back));
    assert_memory_equal(&back, &b, sizeof b);
    DO(lks_store_block_below(s, b.ref.number - 1, &back));
    assert_true(back.ref.number == b.ref.number - 2);
    assert_int_equal(lks_store_block_below(s, b.ref.number - LKS_STORE_BLOCKS, &back), LKS_NOTFOUND); /* forgotten */
    size_t changed = 0;
    DO(lks_store_rewind(s, b.ref.number - 3, &changed));
    DO(lks_store_head(s, &back));
    assert_true(back.ref.number == b.ref.number - 4);
    lks_store_close(s);
}

static void test_nothing_half_done(void **state) {
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1), back;
    DO(lks_store_begin(s));
    DO(lks_store_job_add(s, &job, prompt, sizeof prompt, NULL, 0));
    lks_store_rollback(s);
    lks_store_rollback(s);
    assert_int_equal(lks_store_job_get(s, job.request_id, &back), LKS_NOTFOUND);
    job.claimed.number = 110; /* a claim without an acceptance contradicts itself */
    DO(lks_store_begin(s));
    assert_int_equal(lks_store_job_add(s, &job, prompt, sizeof prompt, NULL, 0), LKS_INTERNAL);
    lks_store_rollback(s);
    lks_store_close(s);
}

static void expect_refusal(const lks_store_identity *id, lks_err err, const char *line) {
    lks_store *s = NULL;
    lks_err got = lks_store_open(&s, path, id);
    if (got != err || !strstr(lks_error_message(), line) || !strstr(lks_error_message(), path) || strchr(lks_error_message(), '\n'))
        fail_msg("%s: %s", lks_err_name(got), lks_error_message());
    assert_null(s);
}

static void test_refuses(void **state) {
    (void)state;
    lks_store_identity other = who;
    lks_store *s = open_store();
    expect_refusal(&who, LKS_REFUSED, "in use by another process");
    pid_t child = fork();
    if (child == 0) _exit(lks_store_open(&(lks_store *){NULL}, path, &who) == LKS_REFUSED ? 0 : 1);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    lks_store_close(s);

    other.chain_id++;
    expect_refusal(&other, LKS_AUTH, "belongs to chain 31982, the configuration says 31983");
    other = who;
    other.oracle[0]++;
    expect_refusal(&other, LKS_AUTH, "another InferenceOracle");
    other = who;
    other.operator_address[0]++;
    expect_refusal(&other, LKS_AUTH, "another operator's key");
    run_sql("PRAGMA user_version = 3");
    expect_refusal(&who, LKS_REFUSED, "newer version");
    run_sql("PRAGMA user_version = 2; PRAGMA application_id = 7");
    expect_refusal(&who, LKS_CORRUPT, "not a Lockstep job store");

    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 5000; i++) fputc('x', f);
    fclose(f);
    char command[256];
    snprintf(command, sizeof command, "rm -f %s-wal %s-shm", path, path);
    assert_int_equal(system(command), 0);
    expect_refusal(&who, LKS_CORRUPT, "is not an SQLite file");
    snprintf(path, sizeof path, "%s/missing/jobs.db", folder);
    expect_refusal(&who, LKS_IO, "cannot be opened");
    snprintf(path, sizeof path, "%s", folder);
    expect_refusal(&who, LKS_IO, "cannot be opened");
}

/* Who is root can write everywhere: the checks of permissions are made by another user. */
static void test_unwritable(void **state) {
    (void)state;
    struct stat st;
    lks_store_close(open_store());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        lks_store *s = NULL;
        if (geteuid() == 0 && setuid(65534)) _exit(2);
        lks_err err = lks_store_open(&s, path, &who);
        if (err == LKS_IO && strstr(lks_error_message(), "cannot be written")) _exit(0);
        fprintf(stderr, "%s: %s\n", lks_err_name(err), lks_error_message());
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(status, 0);
}

/* Damage that SQLite cannot see. */
static void test_damage(void **state) {
    (void)state;
    static const char *const damage[] = {
        "UPDATE job SET request = zeroblob(608)",
        "UPDATE job SET request = zeroblob(600)",
        "UPDATE job SET state = 3",
        "UPDATE job SET state = 99",
        "UPDATE job SET accepted_block = 0",
        "UPDATE job SET requested_hash = x'00'",
        "UPDATE job SET ended_how = 77",
        "UPDATE job SET attempt = 300",
        "UPDATE job SET answer_count = -1",
        "UPDATE tx SET action = 9",
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        lks_store *s = open_store();
        lks_job job = make_job(1), back;
        add_job(s, &job);
        add_tx(s, &job, LKS_ACTION_CLAIM, 3);
        job.accepted = job.full = (lks_block_ref){105, {3}};
        DO(lks_store_answer_put(s, &job, 0, tokens, sizeof tokens));
        lks_store_close(s);
        run_sql(damage[i]);
        s = open_store();
        lks_err err = lks_store_job_get(s, job.request_id, &back);
        if (err != LKS_CORRUPT) fail_msg("%s: %s", damage[i], lks_err_name(err));
        lks_store_close(s);
        assert_int_equal(unlink(path), 0);
    }
    lks_store *s = open_store();
    lks_job job = make_job(1);
    lks_buf out = {0}, none = {0};
    add_job(s, &job);
    lks_store_tx tx = add_tx(s, &job, LKS_ACTION_ACCEPT, 3);
    job.accepted.number = 105;
    DO(lks_store_answer_put(s, &job, 0, tokens, sizeof tokens));
    lks_store_close(s);
    run_sql("UPDATE job SET answer = x'0900000008000001', prompt = x'010000000200000004000000'; UPDATE tx_version SET raw = x'00'");
    s = open_store();
    assert_int_equal(lks_store_answer_get(s, &job, &out), LKS_CORRUPT);
    assert_int_equal(lks_store_job_lists(s, &job, &out, &none), LKS_CORRUPT);
    assert_int_equal(lks_store_tx_raw(s, tx.id, &out), LKS_CORRUPT);
    lks_buf_free(&out);
    lks_buf_free(&none);
    lks_store_close(s);
}

/* ---- kill -9 ---- */

#define JOBS 6u
#define STEPS 8u

/* One step of a job's life; each is one transaction, as in the operator. */
static lks_err step(lks_store *s, uint64_t nonce, unsigned number) {
    lks_job job = make_job(nonce);
    lks_store_tx tx = {.nonce = nonce * STEPS + number, .state = LKS_TX_LIVE};
    uint8_t raw[600] = {(uint8_t)nonce, (uint8_t)number}, hash[32];
    lks_keccak256(hash, raw, sizeof raw);
    memcpy(tx.request_id, job.request_id, 32);
    lks_err err = lks_store_begin(s);
    if (!err && number > 0) err = lks_store_job_get(s, job.request_id, &job);
    if (err) return err;
    switch (number) {
    case 0: err = lks_store_job_add(s, &job, prompt, sizeof prompt, NULL, 0); break;
    case 1: case 4: case 6:
        tx.action = number == 1 ? LKS_ACTION_ACCEPT : number == 4 ? LKS_ACTION_CLAIM : LKS_ACTION_FINALIZE;
        err = lks_store_tx_add(s, &tx, hash, raw, sizeof raw);
        break;
    case 2: case 5: {
        lks_store_txs live = {0};
        err = lks_store_txs_live(s, &live);
        for (size_t i = 0; !err && i < live.count; i++) {
            if (memcmp(live.items[i].request_id, job.request_id, 32)) continue;
            live.items[i].state = LKS_TX_MINED;
            live.items[i].included.number = 100 + number;
            err = lks_store_tx_put(s, &live.items[i]);
        }
        lks_store_txs_free(&live);
        if (!err) err = lks_store_job_get(s, job.request_id, &job);
        if (number == 2) job.accepted.number = job.full.number = 102;
        else job.claimed.number = 105;
        if (!err) err = lks_store_job_put(s, &job);
        break;
    }
    case 3: err = lks_store_answer_put(s, &job, 0, tokens, sizeof tokens); break;
    default:
        job.ended.number = 107;
        job.end = LKS_END_FINAL;
        err = lks_store_job_put(s, &job);
        break;
    }
    if (!err) return lks_store_commit(s);
    lks_store_rollback(s);
    return err;
}

/* What the job's row says was done. */
static unsigned steps_done(lks_store *s, uint64_t nonce) {
    static const lks_job_state after[STEPS] = {LKS_JOB_SEEN, LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED, LKS_JOB_ANSWERED, LKS_JOB_CLAIMING, LKS_JOB_CLAIMED,
                                               LKS_JOB_FINALIZING, LKS_JOB_FINAL};
    lks_job job = make_job(nonce);
    lks_err err = lks_store_job_get(s, job.request_id, &job);
    if (err == LKS_NOTFOUND) return 0;
    if (err) fail_msg("%s", lks_error_message());
    for (unsigned i = 0; i < STEPS; i++)
        if (after[i] == job.state) return i + 1;
    fail_msg("state %s", lks_job_state_name(job.state));
    return 0;
}

/* The child goes on from what is stored, round after round, and says each committed step. */
static void work_until_killed(int out) {
    lks_store *s = NULL;
    if (lks_store_open(&s, path, &who)) {
        fprintf(stderr, "%s\n", lks_error_message());
        _exit(1);
    }
    for (unsigned round = 0;; round = (round + 1) % (JOBS * STEPS)) {
        uint64_t nonce = round % JOBS;
        unsigned done = steps_done(s, nonce);
        if (done == STEPS) {
            uint8_t report = 0xff;
            if (nonce == JOBS - 1 && write(out, &report, 1) == 1) pause();
            continue;
        }
        if (step(s, nonce, done)) {
            fprintf(stderr, "step %u: %s\n", done, lks_error_message());
            _exit(1);
        }
        uint8_t report = (uint8_t)(nonce * STEPS + done);
        if (write(out, &report, 1) != 1) _exit(1);
    }
}

static void test_kill_anywhere(void **state) {
    (void)state;
    unsigned kills = 0, complete = 0;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    for (unsigned trial = 0; trial < 40; trial++) {
        int ends[2];
        unsigned told[JOBS] = {0};
        bool all = false;
        lks_store *s = open_store();
        for (uint64_t n = 0; n < JOBS; n++) told[n] = steps_done(s, n);
        lks_store_close(s);
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            work_until_killed(ends[1]);
        }
        close(ends[1]);
        seed = seed * 1103515245u + 12345u;
        usleep(1000 + seed / 65536 % 40000);
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        kills++;
        for (uint8_t report; read(ends[0], &report, 1) == 1;) {
            if (report == 0xff) all = true;
            else told[report / STEPS] = report % STEPS + 1u;
        }
        close(ends[0]);
        s = open_store();
        unsigned ahead = 0;
        for (uint64_t n = 0; n < JOBS; n++) {
            unsigned done = steps_done(s, n);
            assert_true(done >= told[n]); /* what was said to be stored is */
            ahead += done - told[n];
        }
        assert_true(ahead <= 1); /* and what was under way is there whole or not at all */
        lks_store_close(s);
        if (all) {
            complete++;
            assert_int_equal(unlink(path), 0);
        }
    }
    printf("killed %u times, all jobs completed %u times\n", kills, complete);
    assert_true(kills == 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_everything_comes_back), TEST(test_open_jobs), TEST(test_transactions), TEST(test_moves),
        TEST(test_claims), TEST(test_upgrade), TEST(test_blocks), TEST(test_nothing_half_done),
        TEST(test_refuses), TEST(test_unwritable), TEST(test_damage), TEST(test_kill_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
