/* The job store's file: what is refused, damage, and kill -9 in the middle of everything. */
#include "chain/keccak.h"
#include "plugin/store_internal.h"
#include "tests/plugin/store_fixture.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A database of the contracts before these: the message says what to do, and the file is left
 * alone. */
static void test_older(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    lks_store_close(s);
    for (int version = 1; version <= 2; version++) {
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
        run_sql(sql);
        s = NULL;
        assert_int_equal(lks_store_open(&s, path, &who), LKS_REFUSED);
        assert_null(s);
        assert_non_null(strstr(lks_error_message(), "an earlier version of the contracts"));
        assert_non_null(strstr(lks_error_message(), "use another database"));
    }
    run_sql("PRAGMA user_version = 5");
    s = open_store();
    DO(lks_store_job_get(s, job.request_id, &job));
    lks_store_close(s);
}

static void expect_refusal(const lks_store_identity *id, lks_err err, const char *line)
{
    lks_store *s = NULL;
    lks_err got = lks_store_open(&s, path, id);
    if (got != err || !strstr(lks_error_message(), line) || !strstr(lks_error_message(), path) ||
        strchr(lks_error_message(), '\n'))
        fail_msg("%s: %s", lks_err_name(got), lks_error_message());
    assert_null(s);
}

/* Makes schema 4 of a database that has nothing measured. */
static void make_schema_4(void)
{
    run_sql("DROP TABLE measured; CREATE TABLE speed(model_id BLOB PRIMARY KEY,"
            " prefill_us INTEGER NOT NULL, decode_us INTEGER NOT NULL) STRICT;"
            "INSERT INTO speed VALUES(x'01', 2, 3); PRAGMA user_version = 4;");
}

/* A database of schema 4 goes on, and measures anew. */
static void test_schema_4(void **state)
{
    (void)state;
    static const uint8_t model[32] = {1};
    lks_measured m;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    lks_store_close(s);
    make_schema_4();
    for (int i = 0; i < 2; i++) {
        s = open_store();
        DO(lks_store_job_get(s, job.request_id, &job));
        DO(lks_store_measured_get(s, model, LKS_RUN_PROMPT, &m));
        assert_true(m.runs == 0);
        lks_store_close(s);
    }
}

/* A database of schema 3 goes on: its transactions are the account's, and what lost races of
 * another action had ended is alive again. */
static void test_schema_3(void **state)
{
    (void)state;
    static const char *const tables[] = {"job", "round"};
    static const char *const columns[] = {"accept", "commit", "claim", "finalize", "free", "miss"};
    char sql[128];
    lks_store *s = open_store();
    lks_job job = make_job(1), back;
    lks_store_txs live = {0};
    size_t changed = 0;
    uint64_t next = 0;
    add_job(s, &job);
    lks_store_tx tx = add_tx(s, &job, LKS_ACTION_MOVE, 3);
    job.round.accepted = job.round.full = (lks_block_ref){105, {3}};
    DO(lks_store_round_close(s, &job, &(lks_block_ref){107, {4}}));
    job.round.accepted = job.round.full = (lks_block_ref){108, {5}};
    DO(lks_store_answer_put(s, &job, 0, tokens, sizeof tokens));
    lks_store_close(s);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
            snprintf(sql, sizeof sql, "ALTER TABLE %s DROP COLUMN failed_%s", tables[i],
                     columns[k]);
            run_sql(sql);
        }
        snprintf(sql, sizeof sql, "ALTER TABLE %s ADD COLUMN failures INTEGER NOT NULL DEFAULT 3",
                 tables[i]);
        run_sql(sql);
    }
    make_schema_4();
    run_sql("DROP TABLE finality; DROP INDEX tx_one_nonce; ALTER TABLE tx DROP COLUMN account;"
            "ALTER TABLE tx DROP COLUMN worth;"
            "CREATE UNIQUE INDEX tx_one_nonce ON tx(nonce) WHERE state = 1;");
    snprintf(sql, sizeof sql, "UPDATE job SET state = %d; PRAGMA user_version = 3",
             LKS_JOB_REFUSED);
    run_sql(sql);

    lks_store_identity other = who;
    other.account[0]++;
    expect_refusal(&other, LKS_AUTH, "another account's key"); /* and nothing is changed */
    for (int i = 0; i < 2; i++) {
        s = open_store();
        DO(lks_store_job_get(s, job.request_id, &back));
        assert_int_equal(back.state, LKS_JOB_ANSWERED);
        DO(lks_store_txs_live(s, who.account, &live));
        assert_true(live.count == 1 && live.items[0].id == tx.id && live.items[0].nonce == 3);
        assert_memory_equal(live.items[0].account, who.account, 20);
        assert_true(lks_u256_is_zero(&live.items[0].worth));
        lks_store_txs_free(&live);
        DO(lks_store_next_nonce(s, who.account, &next));
        assert_true(next == 4);
        lks_store_close(s);
    }
    s = open_store();
    DO(lks_store_rewind(s, 106, &changed));
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_true(changed == 1 && back.round.accepted.number == 105);
    lks_store_close(s);
}

static void test_refuses(void **state)
{
    (void)state;
    lks_store_identity other = who;
    lks_store *s = open_store();
    expect_refusal(&who, LKS_REFUSED, "in use by another process");
    pid_t child = fork();
    if (child == 0)
        _exit(lks_store_open(&(lks_store *){NULL}, path, &who) == LKS_REFUSED ? 0 : 1);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char real[sizeof path];
    memcpy(real, path, sizeof path);
    snprintf(path, sizeof path, "%s/link.db", folder);
    assert_int_equal(symlink(real, path), 0);
    expect_refusal(&who, LKS_REFUSED, "in use by another process");
    memcpy(path, real, sizeof path);
    lks_store_close(s);

    other.chain_id++;
    expect_refusal(&other, LKS_AUTH, "belongs to chain 31982, the configuration says 31983");
    other = who;
    other.oracle[0]++;
    expect_refusal(&other, LKS_AUTH, "another InferenceOracle");
    other = who;
    other.operator_address[0]++;
    expect_refusal(&other, LKS_AUTH, "another operator");
    other = who;
    other.account[0]++;
    expect_refusal(&other, LKS_AUTH, "another account's key");
    run_sql("PRAGMA user_version = 6");
    expect_refusal(&who, LKS_REFUSED, "newer version");
    run_sql("PRAGMA user_version = 5; PRAGMA application_id = 7");
    expect_refusal(&who, LKS_CORRUPT, "not a Lockstep job store");

    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 5000; i++)
        fputc('x', f);
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

static int64_t count_of(const char *file, const char *table)
{
    char sql[64];
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return count;
}

/* While the plugin works, others read its database, and copy it: the copy has what was committed
 * before it was complete, whatever is written meanwhile, and can be opened in its place. */
static void test_backup(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    char copy[128];
    sqlite3 *from = NULL, *to = NULL;
    for (uint64_t nonce = 1; nonce < 60; nonce++) {
        job = make_job(nonce);
        add_job(s, &job);
    }
    assert_int_equal(count_of(path, "job"), 59);
    snprintf(copy, sizeof copy, "%s/copy.db", folder);
    assert_int_equal(sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_open(copy, &to), SQLITE_OK);
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(backup);
    for (uint64_t nonce = 60; nonce < 65; nonce++) { /* each write makes it begin again */
        assert_int_equal(sqlite3_backup_step(backup, 8), SQLITE_OK);
        job = make_job(nonce);
        add_job(s, &job);
    }
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    job = make_job(65);
    add_job(s, &job);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    sqlite3_close(from);
    sqlite3_close(to);
    assert_int_equal(count_of(path, "job"), 65);
    lks_store_close(s);
    memcpy(path, copy, sizeof path);
    s = open_store();
    job = make_job(64);
    DO(lks_store_job_get(s, job.request_id, &job));
    lks_store_close(s);
    assert_int_equal(count_of(path, "job"), 64);
}

/* A file that somebody has put a trigger into does what we write, and no more. */
static void test_tampered(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    lks_store_close(s);
    run_sql("CREATE TRIGGER steal AFTER UPDATE ON job BEGIN DELETE FROM secret; END");
    s = open_store();
    DO(lks_store_job_put(s, &job));
    lks_store_close(s);
    assert_int_equal(count_of(path, "secret"), 1);
}

/* Who is root can write everywhere: the checks of permissions are made by another user. */
static void test_unwritable(void **state)
{
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
        if (geteuid() == 0 && setuid(65534))
            _exit(2);
        lks_err err = lks_store_open(&s, path, &who);
        if (err == LKS_IO && strstr(lks_error_message(), "cannot be written"))
            _exit(0);
        fprintf(stderr, "%s: %s\n", lks_err_name(err), lks_error_message());
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(status, 0);
}

/* Damage that SQLite cannot see. */
static void test_damage(void **state)
{
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
        "UPDATE tx SET action = 10",
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        lks_store *s = open_store();
        lks_job job = make_job(1), back;
        add_job(s, &job);
        add_tx(s, &job, LKS_ACTION_CLAIM, 3);
        job.round.accepted = job.round.full = (lks_block_ref){105, {3}};
        DO(lks_store_answer_put(s, &job, 0, tokens, sizeof tokens));
        lks_store_close(s);
        run_sql(damage[i]);
        s = open_store();
        lks_err err = lks_store_job_get(s, job.request_id, &back);
        if (err != LKS_CORRUPT)
            fail_msg("%s: %s", damage[i], lks_err_name(err));
        lks_store_close(s);
        assert_int_equal(unlink(path), 0);
    }
    lks_store *s = open_store();
    lks_job job = make_job(1);
    lks_buf out = {0}, none = {0};
    add_job(s, &job);
    lks_store_tx tx = add_tx(s, &job, LKS_ACTION_ACCEPT, 3);
    job.round.accepted.number = 105;
    DO(lks_store_answer_put(s, &job, 0, tokens, sizeof tokens));
    lks_store_close(s);
    run_sql("UPDATE job SET answer = x'0900000008000001', prompt = x'010000000200000004000000'; "
            "UPDATE tx_version SET raw = x'00'");
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
static lks_err step(lks_store *s, uint64_t nonce, unsigned number)
{
    lks_job job = make_job(nonce);
    lks_store_tx tx = {.nonce = nonce * STEPS + number, .state = LKS_TX_LIVE};
    uint8_t raw[600] = {(uint8_t)nonce, (uint8_t)number}, hash[32];
    lks_keccak256(hash, raw, sizeof raw);
    memcpy(tx.request_id, job.request_id, 32);
    lks_err err = lks_store_begin(s);
    if (!err && number > 0)
        err = lks_store_job_get(s, job.request_id, &job);
    if (err)
        return err;
    switch (number) {
    case 0: err = lks_store_job_add(s, &job, prompt, sizeof prompt, NULL, 0); break;
    case 1:
    case 4:
    case 6:
        tx.action = number == 1   ? LKS_ACTION_ACCEPT
                    : number == 4 ? LKS_ACTION_CLAIM
                                  : LKS_ACTION_FINALIZE;
        err = lks_store_tx_add(s, &tx, hash, raw, sizeof raw);
        break;
    case 2:
    case 5: {
        lks_store_txs live = {0};
        err = lks_store_txs_live(s, who.account, &live);
        for (size_t i = 0; !err && i < live.count; i++) {
            if (memcmp(live.items[i].request_id, job.request_id, 32))
                continue;
            live.items[i].state = LKS_TX_MINED;
            live.items[i].included.number = 100 + number;
            err = lks_store_tx_put(s, &live.items[i]);
        }
        lks_store_txs_free(&live);
        if (!err)
            err = lks_store_job_get(s, job.request_id, &job);
        if (number == 2)
            job.round.accepted.number = job.round.full.number = 102;
        else
            job.round.claimed.number = 105;
        if (!err)
            err = lks_store_job_put(s, &job);
        break;
    }
    case 3: err = lks_store_answer_put(s, &job, 0, tokens, sizeof tokens); break;
    default:
        job.ended.number = 107;
        job.end = LKS_END_FINAL;
        err = lks_store_job_put(s, &job);
        break;
    }
    if (!err)
        return lks_store_commit(s);
    lks_store_rollback(s);
    return err;
}

/* What the job's row says was done. */
static unsigned steps_done(lks_store *s, uint64_t nonce)
{
    static const lks_job_state after[STEPS] = {
        LKS_JOB_SEEN,     LKS_JOB_ACCEPTING, LKS_JOB_ACCEPTED,   LKS_JOB_ANSWERED,
        LKS_JOB_CLAIMING, LKS_JOB_CLAIMED,   LKS_JOB_FINALIZING, LKS_JOB_FINAL};
    lks_job job = make_job(nonce);
    lks_err err = lks_store_job_get(s, job.request_id, &job);
    if (err == LKS_NOTFOUND)
        return 0;
    if (err)
        fail_msg("%s", lks_error_message());
    for (unsigned i = 0; i < STEPS; i++)
        if (after[i] == job.state)
            return i + 1;
    fail_msg("state %s", lks_job_state_name(job.state));
    return 0;
}

/* The child goes on from what is stored, round after round, and says each committed step. */
static void work_until_killed(int out)
{
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
            if (nonce == JOBS - 1 && write(out, &report, 1) == 1)
                pause();
            continue;
        }
        if (step(s, nonce, done)) {
            fprintf(stderr, "step %u: %s\n", done, lks_error_message());
            _exit(1);
        }
        uint8_t report = (uint8_t)(nonce * STEPS + done);
        if (write(out, &report, 1) != 1)
            _exit(1);
    }
}

static void test_kill_anywhere(void **state)
{
    (void)state;
    unsigned kills = 0, complete = 0;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    for (unsigned trial = 0; trial < 40; trial++) {
        int ends[2];
        unsigned told[JOBS] = {0};
        bool all = false;
        lks_store *s = open_store();
        for (uint64_t n = 0; n < JOBS; n++)
            told[n] = steps_done(s, n);
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
            if (report == 0xff)
                all = true;
            else
                told[report / STEPS] = report % STEPS + 1u;
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

/* A statement is parsed once, however often it is used and whatever is bound. */
static void test_parsed_once(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    for (int i = 0; i < 3; i++) {
        lks_jobs jobs = {0};
        DO(lks_store_jobs_unconfirmed(s, &jobs));
        lks_jobs_free(&jobs);
        DO(lks_store_jobs_open(s, &jobs));
        lks_jobs_free(&jobs);
    }
    assert_true(s->kept_count > 1);
    for (size_t i = 0; i < s->kept_count; i++)
        assert_int_equal(sqlite3_stmt_status(s->kept[i].statement, SQLITE_STMTSTATUS_REPREPARE, 0),
                         0);
    lks_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_older),       TEST(test_schema_3),      TEST(test_schema_4),
        TEST(test_refuses),     TEST(test_unwritable),    TEST(test_damage),
        TEST(test_backup),      TEST(test_kill_anywhere), TEST(test_tampered),
        TEST(test_parsed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
