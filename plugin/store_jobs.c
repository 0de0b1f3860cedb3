/* Table job: one row per request that was seen. `request` is abi.encode(Request), 608 bytes;
 * prompt, allowed and answer are packed lists, answer NULL while there is none. Every other column
 * is a member of lks_job, by the list below; a block that something happened in is two columns,
 * number (0: it has not) and hash. `touched` is the block at which the row was last written.
 * Table round: one row per round that is over and that we had a seat in: the members of lks_round,
 * and the block that ended it. A re-org that takes this block away makes it the job's round again.
 */
#include "plugin/store_internal.h"

#include "chain/hex.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_SCHEMA                                                                               \
    " accepted_block INTEGER NOT NULL, accepted_hash BLOB NOT NULL, attempt INTEGER NOT NULL,"     \
    " seat INTEGER NOT NULL, fill_deadline INTEGER NOT NULL, full_block INTEGER NOT NULL,"         \
    " full_hash BLOB NOT NULL, claim_deadline INTEGER NOT NULL, salt BLOB NOT NULL,"               \
    " committed_block INTEGER NOT NULL, committed_hash BLOB NOT NULL,"                             \
    " reveal_block INTEGER NOT NULL, reveal_hash BLOB NOT NULL, reveal_deadline INTEGER NOT NULL," \
    " claimed_block INTEGER NOT NULL, claimed_hash BLOB NOT NULL, claim_id BLOB NOT NULL,"         \
    " window_end INTEGER NOT NULL, missed_block INTEGER NOT NULL, missed_hash BLOB NOT NULL,"      \
    " misses INTEGER NOT NULL, unfilled INTEGER NOT NULL, failed_accept INTEGER NOT NULL,"         \
    " failed_commit INTEGER NOT NULL, failed_claim INTEGER NOT NULL,"                              \
    " failed_finalize INTEGER NOT NULL, failed_free INTEGER NOT NULL,"                             \
    " failed_miss INTEGER NOT NULL) STRICT;"

const char lks_store_jobs_schema[] =
    "CREATE TABLE job(request_id BLOB PRIMARY KEY, request BLOB NOT NULL, prompt BLOB NOT NULL,"
    " allowed BLOB NOT NULL, answer BLOB, state INTEGER NOT NULL, touched INTEGER NOT NULL,"
    " requested_block INTEGER NOT NULL, requested_hash BLOB NOT NULL, requested_time INTEGER NOT "
    "NULL,"
    " seeded_block INTEGER NOT NULL, seeded_hash BLOB NOT NULL, seed INTEGER NOT NULL,"
    " cancelled_block INTEGER NOT NULL, cancelled_hash BLOB NOT NULL,"
    " answered INTEGER NOT NULL, answer_seed INTEGER NOT NULL, answer_count INTEGER NOT NULL,"
    " answer_hash BLOB NOT NULL, ended_block INTEGER NOT NULL, ended_hash BLOB NOT NULL,"
    " ended_how INTEGER NOT NULL, dropped INTEGER NOT NULL, dropped_at INTEGER NOT "
    "NULL," ROUND_SCHEMA "CREATE INDEX job_by_state ON job(state, requested_block);"
    "CREATE TABLE round(id INTEGER PRIMARY KEY,"
    " request_id BLOB NOT NULL REFERENCES job ON DELETE CASCADE, closed_block INTEGER NOT "
    "NULL," ROUND_SCHEMA "CREATE INDEX round_by_request ON round(request_id, closed_block);";

/* The members of lks_job that are columns of their own, in the order of the SQL below. */
typedef enum kind {
    BOOL,
    U8,
    U32,
    U64,
    HASH
} kind;

typedef struct member {
    kind kind;
    size_t offset;
    uint64_t max; /* of BOOL, U8, U32: the largest valid value */
} member;

#define M(type, field, max) {type, offsetof(lks_job, field), max}

static const member members[] = {
    M(U64, requested.number, 0),
    M(HASH, requested.hash, 0),
    M(U64, requested_time, 0),
    M(U64, seeded.number, 0),
    M(HASH, seeded.hash, 0),
    M(U64, seed, 0),
    M(U64, cancelled.number, 0),
    M(HASH, cancelled.hash, 0),
    M(BOOL, answered, 1),
    M(U64, answer_seed, 0),
    M(U32, answer_count, UINT32_MAX),
    M(HASH, answer_hash, 0),
    M(U64, ended.number, 0),
    M(HASH, ended.hash, 0),
    M(U32, end, LKS_END_COUNT - 1),
    M(U32, dropped, LKS_DROP_COUNT - 1),
    M(U64, dropped_at, 0),
    /* the round's */
    M(U64, round.accepted.number, 0),
    M(HASH, round.accepted.hash, 0),
    M(U8, round.attempt, UINT8_MAX),
    M(U8, round.seat, UINT8_MAX),
    M(U64, round.fill_deadline, 0),
    M(U64, round.full.number, 0),
    M(HASH, round.full.hash, 0),
    M(U64, round.claim_deadline, 0),
    M(HASH, round.salt, 0),
    M(U64, round.committed.number, 0),
    M(HASH, round.committed.hash, 0),
    M(U64, round.reveal_opened.number, 0),
    M(HASH, round.reveal_opened.hash, 0),
    M(U64, round.reveal_deadline, 0),
    M(U64, round.claimed.number, 0),
    M(HASH, round.claimed.hash, 0),
    M(HASH, round.claim_id, 0),
    M(U64, round.window_end, 0),
    M(U64, round.missed.number, 0),
    M(HASH, round.missed.hash, 0),
    M(U32, round.misses, UINT32_MAX),
    M(U32, round.unfilled, UINT32_MAX),
    M(U8, round.failures[LKS_ACTION_ACCEPT], UINT8_MAX),
    M(U8, round.failures[LKS_ACTION_COMMIT], UINT8_MAX),
    M(U8, round.failures[LKS_ACTION_CLAIM], UINT8_MAX),
    M(U8, round.failures[LKS_ACTION_FINALIZE], UINT8_MAX),
    M(U8, round.failures[LKS_ACTION_FREE], UINT8_MAX),
    M(U8, round.failures[LKS_ACTION_MISS], UINT8_MAX),
};
#define MEMBER_COUNT (sizeof members / sizeof *members)
#define ROUND_FIRST 17u
#define ROUND_COUNT (MEMBER_COUNT - ROUND_FIRST)
_Static_assert(MEMBER_COUNT == 45, "the SQL below has 45 member columns");
_Static_assert(sizeof(lks_job_end) == 4 && sizeof(lks_drop) == 4,
               "enums are read and written as 32 bits");

#define ROUND_COLUMNS                                                                              \
    "accepted_block, accepted_hash, attempt, seat, fill_deadline, full_block, full_hash,"          \
    " claim_deadline, salt, committed_block, committed_hash, reveal_block, reveal_hash,"           \
    " reveal_deadline, claimed_block, claimed_hash, claim_id, window_end, missed_block, "          \
    "missed_hash,"                                                                                 \
    " misses, unfilled, failed_accept, failed_commit, failed_claim, failed_finalize,"              \
    " failed_free, failed_miss"
#define COLUMNS                                                                                    \
    "requested_block, requested_hash, requested_time, seeded_block, seeded_hash, seed,"            \
    " cancelled_block, cancelled_hash, answered, answer_seed, answer_count, answer_hash, "         \
    "ended_block,"                                                                                 \
    " ended_hash, ended_how, dropped, dropped_at, " ROUND_COLUMNS
#define ROUND_MARKS                                                                                \
    "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define MARKS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " ROUND_MARKS
#define SELECT_JOB "SELECT " COLUMNS ", request_id, request, state FROM job "

/* Binds the members from number `from` on. */
static void bind_members(sqlite3_stmt *st, int first, const lks_job *job, size_t from)
{
    for (size_t i = from; i < MEMBER_COUNT; i++) {
        const uint8_t *at = (const uint8_t *)job + members[i].offset;
        int column = first + (int)(i - from);
        uint32_t word = 0;
        uint64_t value = 0;
        switch (members[i].kind) {
        case BOOL: lks_store_bind_u64(st, column, *(const bool *)at); break;
        case U8: lks_store_bind_u64(st, column, *at); break;
        case U32:
            memcpy(&word, at, sizeof word);
            lks_store_bind_u64(st, column, word);
            break;
        case U64:
            memcpy(&value, at, sizeof value);
            lks_store_bind_u64(st, column, value);
            break;
        case HASH: lks_store_bind_blob(st, column, at, 32); break;
        }
    }
}

/* Reads the members from number `from` on; the first of them is column 0. */
static lks_err read_members(sqlite3_stmt *st, lks_job *job, size_t from)
{
    for (size_t i = from; i < MEMBER_COUNT; i++) {
        uint8_t *at = (uint8_t *)job + members[i].offset;
        int column = (int)(i - from);
        if (members[i].kind == HASH) {
            lks_err err = lks_store_fixed(st, column, at, 32);
            if (err)
                return err;
            continue;
        }
        uint64_t value = lks_store_column_u64(st, column);
        if (members[i].kind != U64 && value > members[i].max)
            return lks_fail(LKS_CORRUPT, "database: column %s has the impossible value %lld",
                            sqlite3_column_name(st, column), (long long)value);
        uint32_t word = (uint32_t)value;
        switch (members[i].kind) {
        case BOOL: *(bool *)at = value != 0; break;
        case U8: *at = (uint8_t)value; break;
        case U32: memcpy(at, &word, sizeof word); break;
        default: memcpy(at, &value, sizeof value); break;
        }
    }
    return LKS_OK;
}

/* Reads the facts of the row of SELECT_JOB that st stands on. */
static lks_err read_facts(lks_store *s, sqlite3_stmt *st, lks_job *job)
{
    uint8_t words[LKS_REQUEST_SIZE], id[32];
    char name[LKS_HEX_SIZE(32)];
    memset(job, 0, sizeof *job);
    lks_err err = read_members(st, job, 0);
    if (!err)
        err = lks_store_fixed(st, MEMBER_COUNT, job->request_id, 32);
    if (!err)
        err = lks_store_fixed(st, MEMBER_COUNT + 1, words, sizeof words);
    if (!err)
        err = lks_request_decode(&job->request, words);
    if (!err)
        err = lks_store_txs_sent(s, job->request_id, &job->sent);
    if (err)
        return err;
    lks_hex_encode(name, job->request_id, 32);
    lks_request_id(id, s->who.chain_id, s->who.oracle, &job->request);
    if (memcmp(id, job->request_id, 32))
        return lks_fail(LKS_CORRUPT, "database %s is damaged: the request of job %s has another id",
                        s->path, name);
    job->state = lks_job_fold(job);
    return LKS_OK;
}

/* The same, and checks the stored state. */
static lks_err read_job(lks_store *s, sqlite3_stmt *st, lks_job *job)
{
    char name[LKS_HEX_SIZE(32)];
    lks_err err = read_facts(s, st, job);
    if (err)
        return err;
    uint64_t stored = lks_store_column_u64(st, MEMBER_COUNT + 2);
    if (job->state != LKS_JOB_INVALID && (uint64_t)job->state == stored)
        return LKS_OK;
    lks_hex_encode(name, job->request_id, 32);
    return lks_fail(LKS_CORRUPT, "database %s is damaged: job %s has state %lld, its facts say %s",
                    s->path, name, (long long)stored, lks_job_state_name(job->state));
}

lks_err lks_store_job_get(lks_store *s, const uint8_t request_id32[32], lks_job *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    uint8_t id[32];
    memcpy(id, request_id32, 32); /* it may be a part of *out */
    memset(out, 0, sizeof *out);
    lks_err err = lks_store_prepare(s, &st, SELECT_JOB "WHERE request_id = ?");
    if (!err) {
        lks_store_bind_blob(st, 1, id, 32);
        err = lks_store_step(s, st, &row);
    }
    if (!err && !row)
        err = lks_fail(LKS_NOTFOUND, "no such job");
    if (!err)
        err = read_job(s, st, out);
    if (err)
        memset(out, 0, sizeof *out);
    lks_store_release(s, st);
    return err;
}

/* Sets what follows from the facts. */
static lks_err settle(lks_store *s, lks_job *job)
{
    lks_err err = lks_store_txs_sent(s, job->request_id, &job->sent);
    if (err)
        return err;
    job->state = lks_job_fold(job);
    return job->state == LKS_JOB_INVALID
               ? lks_fail(LKS_INTERNAL, "the facts of a job contradict each other")
               : LKS_OK;
}

lks_err lks_store_job_add(lks_store *s, lks_job *job, const uint8_t *prompt, size_t prompt_len,
                          const uint8_t *allowed, size_t allowed_len)
{
    uint8_t words[LKS_REQUEST_SIZE];
    sqlite3_stmt *st = NULL;
    lks_err err = settle(s, job);
    if (!err)
        err = lks_store_prepare(
            s, &st,
            "INSERT INTO job(request_id, request, prompt, allowed, state, touched, " COLUMNS
            ") VALUES(?, ?, ?, ?, ?, ifnull((SELECT max(number) FROM block), 0), " MARKS ")");
    if (err)
        return err;
    lks_request_encode(words, &job->request);
    lks_store_bind_blob(st, 1, job->request_id, 32);
    lks_store_bind_blob(st, 2, words, sizeof words);
    lks_store_bind_blob(st, 3, prompt, prompt_len);
    lks_store_bind_blob(st, 4, allowed, allowed_len);
    lks_store_bind_u64(st, 5, job->state);
    bind_members(st, 6, job, 0);
    return lks_store_run(s, st);
}

lks_err lks_store_job_put(lks_store *s, lks_job *job)
{
    sqlite3_stmt *st = NULL;
    lks_err err = settle(s, job);
    if (!err)
        err =
            lks_store_prepare(s, &st,
                              "UPDATE job SET state = ?, touched = ifnull((SELECT max(number) FROM "
                              "block), 0), (" COLUMNS ") = (" MARKS ") WHERE request_id = ?");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, job->state);
    bind_members(st, 2, job, 0);
    lks_store_bind_blob(st, 2 + (int)MEMBER_COUNT, job->request_id, 32);
    err = lks_store_run(s, st);
    if (!err && sqlite3_changes(s->db) != 1)
        err = lks_fail(LKS_INTERNAL, "a job to be stored is not there");
    return err;
}

void lks_jobs_free(lks_jobs *jobs)
{
    free(jobs->items);
    memset(jobs, 0, sizeof *jobs);
}

static lks_err push_job(lks_jobs *jobs, const lks_job *job)
{
    if (jobs->count == jobs->capacity) {
        size_t capacity = jobs->capacity ? 2 * jobs->capacity : 16;
        lks_job *items = realloc(jobs->items, capacity * sizeof *items);
        if (!items)
            return lks_fail(LKS_NOMEM, "out of memory");
        jobs->items = items;
        jobs->capacity = capacity;
    }
    jobs->items[jobs->count++] = *job;
    return LKS_OK;
}

/* Reads every row of a SELECT_JOB statement that is not damaged, and releases it. */
static lks_err read_jobs(lks_store *s, sqlite3_stmt *st, lks_jobs *jobs)
{
    bool row = false;
    lks_job job;
    lks_err err = lks_store_step(s, st, &row);
    while (!err && row) {
        err = read_job(s, st, &job);
        if (!err) {
            err = push_job(jobs, &job);
        } else if (err == LKS_CORRUPT) {
            lks_store_note_damage(&jobs->damage);
            err = LKS_OK;
        }
        if (!err)
            err = lks_store_step(s, st, &row);
    }
    lks_store_release(s, st);
    return err;
}

lks_err lks_store_jobs_open(lks_store *s, lks_jobs *jobs)
{
    char sql[2048];
    int n = snprintf(sql, sizeof sql, "%sWHERE state IN (0", SELECT_JOB);
    for (int state = 1; state < LKS_JOB_STATE_COUNT; state++)
        if (!lks_job_is_over((lks_job_state)state))
            n += snprintf(sql + n, sizeof sql - (size_t)n, ", %d", state);
    snprintf(sql + n, sizeof sql - (size_t)n,
             ") OR (state = %d AND accepted_block > 0) OR state NOT BETWEEN 0 AND %d"
             " ORDER BY requested_block, request_id",
             LKS_JOB_REFUSED, LKS_JOB_STATE_COUNT - 1);
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, sql);
    return err ? err : read_jobs(s, st, jobs);
}

lks_err lks_store_jobs_prune(lks_store *s, uint64_t height)
{
    char sql[512];
    int n = snprintf(sql, sizeof sql, "DELETE FROM job WHERE touched < ? AND state IN (-1");
    for (int state = 1; state < LKS_JOB_STATE_COUNT; state++)
        if (lks_job_is_over((lks_job_state)state))
            n += snprintf(sql + n, sizeof sql - (size_t)n, ", %d", state);
    snprintf(sql + n, sizeof sql - (size_t)n,
             ") AND NOT (state = %d AND accepted_block > 0)"
             " AND request_id NOT IN (SELECT request_id FROM claim WHERE settled = 0)",
             LKS_JOB_REFUSED);
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, sql);
    if (err)
        return err;
    lks_store_bind_u64(st, 1, height);
    return lks_store_run(s, st);
}

static lks_err put_state(lks_store *s, const lks_job *job)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st, "UPDATE job SET state = ? WHERE request_id = ?");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, job->state);
    lks_store_bind_blob(st, 2, job->request_id, 32);
    return lks_store_run(s, st);
}

lks_err lks_store_jobs_refold(lks_store *s)
{
    sqlite3_stmt *st = NULL;
    lks_jobs jobs = {0};
    lks_job job;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st, SELECT_JOB);
    if (!err)
        err = lks_store_step(s, st, &row);
    while (!err && row) {
        err = read_facts(s, st, &job);
        if (!err && job.state != LKS_JOB_INVALID &&
            (uint64_t)job.state != lks_store_column_u64(st, MEMBER_COUNT + 2))
            err = push_job(&jobs, &job);
        if (!err)
            err = lks_store_step(s, st, &row);
    }
    lks_store_release(s, st);
    for (size_t i = 0; !err && i < jobs.count; i++)
        err = put_state(s, &jobs.items[i]);
    lks_jobs_free(&jobs);
    return err;
}

/* ---- rounds ---- */

lks_err lks_store_round_close(lks_store *s, lks_job *job, const lks_block_ref *block)
{
    sqlite3_stmt *st = NULL;
    lks_err err = LKS_OK;
    if (job->round.accepted.number) {
        err = lks_store_prepare(s, &st,
                                "INSERT INTO round(request_id, closed_block, " ROUND_COLUMNS
                                ") VALUES(?, ?, " ROUND_MARKS ")");
        if (err)
            return err;
        lks_store_bind_blob(st, 1, job->request_id, 32);
        lks_store_bind_u64(st, 2, block->number);
        bind_members(st, 3, job, ROUND_FIRST);
        err = lks_store_run(s, st);
    }
    if (!err)
        lks_job_new_round(job);
    return err;
}

/* Gives a job the round back that was over in the first block above height. Out: *changed, if there
 * is one. */
static lks_err reopen_round(lks_store *s, lks_job *job, uint64_t height, bool *changed)
{
    sqlite3_stmt *st = NULL;
    *changed = false;
    lks_err err = lks_store_prepare(s, &st,
                                    "SELECT " ROUND_COLUMNS " FROM round WHERE request_id = ?"
                                    " AND closed_block > ? ORDER BY closed_block, id LIMIT 1");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, job->request_id, 32);
    lks_store_bind_u64(st, 2, height);
    err = lks_store_step(s, st, changed);
    if (!err && *changed)
        err = read_members(st, job, ROUND_FIRST);
    lks_store_release(s, st);
    if (err || !*changed)
        return err;
    err = lks_store_prepare(s, &st, "DELETE FROM round WHERE request_id = ? AND closed_block > ?");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, job->request_id, 32);
    lks_store_bind_u64(st, 2, height);
    return lks_store_run(s, st);
}

static lks_err rewind_job(lks_store *s, lks_job *job, uint64_t height, size_t *changed)
{
    bool restored = false;
    lks_err err = reopen_round(s, job, height, &restored);
    if (err)
        return err;
    if (lks_job_rewind(job, height) || restored)
        ++*changed;
    return lks_store_job_put(s, job);
}

lks_err lks_store_rewind(lks_store *s, uint64_t height, size_t *changed)
{
    lks_jobs jobs = {0};
    sqlite3_stmt *st = NULL;
    *changed = 0;
    lks_err err = lks_store_prepare(
        s, &st,
        SELECT_JOB
        "WHERE max(requested_block, seeded_block, cancelled_block, accepted_block, full_block,"
        " committed_block, reveal_block, claimed_block, missed_block, ended_block,"
        " dropped_at) > ?1 OR request_id IN (SELECT request_id FROM tx WHERE"
        " included_block > ?1 UNION SELECT request_id FROM round WHERE closed_block > ?1)");
    if (!err) {
        lks_store_bind_u64(st, 1, height);
        err = read_jobs(s, st, &jobs);
    }
    if (!err)
        err = lks_store_txs_revive(s, height);
    for (size_t i = 0; !err && i < jobs.count; i++)
        err = rewind_job(s, &jobs.items[i], height, changed);
    lks_jobs_free(&jobs);
    if (!err)
        err = lks_store_claims_rewind(s, height);
    if (!err)
        err = lks_store_prepare(s, &st, "DELETE FROM block WHERE number > ?");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, height);
    return lks_store_run(s, st);
}

lks_err lks_store_jobs_unconfirmed(lks_store *s, lks_jobs *jobs)
{
    sqlite3_stmt *st = NULL;
    lks_err err = lks_store_prepare(s, &st,
                                    SELECT_JOB "WHERE accepted_block = 0 AND ended_block = 0 AND"
                                               " request_id IN (SELECT request_id FROM tx"
                                               " WHERE action = ? AND state = ?)");
    if (err)
        return err;
    lks_store_bind_u64(st, 1, LKS_ACTION_ACCEPT);
    lks_store_bind_u64(st, 2, LKS_TX_MINED);
    return read_jobs(s, st, jobs);
}

/* ---- lists ---- */

static lks_err read_list(lks_store *s, const uint8_t id[32], const char *sql, lks_buf *out)
{
    sqlite3_stmt *st = NULL;
    bool row = false;
    lks_err err = lks_store_prepare(s, &st, sql);
    if (!err) {
        lks_store_bind_blob(st, 1, id, 32);
        err = lks_store_step(s, st, &row);
    }
    if (!err && (!row || sqlite3_column_type(st, 0) != SQLITE_BLOB))
        err = lks_fail(LKS_NOTFOUND, "no such list is stored");
    if (!err) {
        const void *data = sqlite3_column_blob(st, 0);
        lks_buf_put(out, data, (size_t)sqlite3_column_bytes(st, 0));
        err = lks_buf_error(out);
    }
    lks_store_release(s, st);
    return err;
}

/* A list must be as long and have the token hash that is stored with the job. */
static lks_err check_list(lks_store *s, const lks_buf *list, size_t from, uint32_t count,
                          const uint8_t hash32[32])
{
    uint8_t hash[32];
    size_t len = list->len - from;
    lks_tokens_hash(hash, list->data ? list->data + from : NULL, len);
    if (len == 4 * (uint64_t)count && memcmp(hash, hash32, 32) == 0)
        return LKS_OK;
    return lks_fail(LKS_CORRUPT,
                    "database %s is damaged: a stored token list does not have its hash", s->path);
}

lks_err lks_store_job_lists(lks_store *s, const lks_job *job, lks_buf *prompt, lks_buf *allowed)
{
    size_t prompt_at = prompt->len, allowed_at = allowed->len;
    lks_err err =
        read_list(s, job->request_id, "SELECT prompt FROM job WHERE request_id = ?", prompt);
    if (!err)
        err =
            read_list(s, job->request_id, "SELECT allowed FROM job WHERE request_id = ?", allowed);
    if (!err)
        err = check_list(s, prompt, prompt_at, job->request.prompt_count, job->request.prompt_hash);
    if (!err)
        err = check_list(s, allowed, allowed_at, job->request.allowed_count,
                         job->request.allowed_hash);
    return err;
}

lks_err lks_store_answer_put(lks_store *s, lks_job *job, uint64_t seed, const uint8_t *tokens,
                             size_t len)
{
    sqlite3_stmt *st = NULL;
    if (len == 0 || len % 4 || len / 4 > UINT32_MAX)
        return lks_fail(LKS_BADARGS, "an answer of %zu bytes", len);
    job->answered = true;
    job->answer_seed = seed;
    job->answer_count = (uint32_t)(len / 4);
    lks_tokens_hash(job->answer_hash, tokens, len);
    lks_err err = lks_store_prepare(s, &st, "UPDATE job SET answer = ? WHERE request_id = ?");
    if (err)
        return err;
    lks_store_bind_blob(st, 1, tokens, len);
    lks_store_bind_blob(st, 2, job->request_id, 32);
    err = lks_store_run(s, st);
    return err ? err : lks_store_job_put(s, job);
}

lks_err lks_store_answer_get(lks_store *s, const lks_job *job, lks_buf *tokens)
{
    size_t at = tokens->len;
    lks_err err =
        read_list(s, job->request_id, "SELECT answer FROM job WHERE request_id = ?", tokens);
    return err ? err : check_list(s, tokens, at, job->answer_count, job->answer_hash);
}
