/* The job store: what is read back, and what re-orgs take away. */
#include "chain/keccak.h"
#include "tests/plugin/store_fixture.h"

static void test_everything_comes_back(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1), back;
    add_job(s, &job);
    assert_int_equal(job.state, LKS_JOB_SEEN);
    job.round.accepted = (lks_block_ref){102, {7}};
    job.round.full = job.round.accepted;
    job.round.attempt = 2;
    job.round.seat = 1;
    job.seed = UINT64_MAX - 3;
    job.round.claim_deadline = 6000;
    job.seeded = (lks_block_ref){101, {8}};
    job.cancelled = (lks_block_ref){103, {9}};
    job.round.fill_deadline = 5500;
    job.round.misses = 1;
    job.round.unfilled = 2;
    job.round.failures[LKS_ACTION_CLAIM] = 2;
    job.round.failures[LKS_ACTION_MISS] = 1;
    memset(job.round.salt, 0x5a, 32);
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
    lks_store_close(s);
}

static void test_measured(void **state)
{
    (void)state;
    static const uint8_t model[32] = {1};
    lks_store *s = open_store();
    lks_measured m = {.runs = 0}, read;
    DO(lks_store_measured_get(s, model, LKS_RUN_TRACE, &read));
    assert_memory_equal(&read, &m, sizeof m);
    for (uint64_t n = 5; n < 2000; n *= 3)
        lks_cost_note(&m, 0, n, 1000 * n + n * n);
    DO(lks_store_measured_put(s, model, LKS_RUN_TRACE, &m));
    lks_cost_note(&m, 0, 100, 7);
    DO(lks_store_measured_put(s, model, LKS_RUN_TRACE, &m));
    lks_store_close(s);
    s = open_store();
    DO(lks_store_measured_get(s, model, LKS_RUN_TRACE, &read));
    assert_memory_equal(&read, &m, sizeof m);
    DO(lks_store_measured_get(s, model, LKS_RUN_CHECK, &read));
    assert_true(read.runs == 0);
    lks_store_close(s);
}

static void test_open_jobs(void **state)
{
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
    for (size_t i = 1; i < jobs.count; i++)
        assert_true(jobs.items[i - 1].requested.number <= jobs.items[i].requested.number);
    lks_jobs_free(&jobs);
    /* Jobs that are over are forgotten in time, the others never. */
    lks_store_block far = {{LKS_STORE_KEEP_BLOCKS + 50, {1}}, 1},
                    farther = {{2 * LKS_STORE_KEEP_BLOCKS, {2}}, 2};
    DO(lks_store_block_put(s, &far));
    DO(lks_store_block_put(s, &farther));
    lks_job job = make_job(4), back;
    assert_int_equal(lks_store_job_get(s, job.request_id, &back), LKS_NOTFOUND);
    DO(lks_store_jobs_open(s, &jobs));
    assert_int_equal(jobs.count, 30);
    lks_jobs_free(&jobs);
    lks_store_close(s);
}

static void test_transactions(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    lks_store_txs live = {0};
    lks_buf buf = {0};
    uint64_t next = 1;
    uint8_t raw2[5] = {5, 4, 3, 2, 1}, hash2[32];
    lks_keccak256(hash2, raw2, sizeof raw2);
    add_job(s, &job);
    DO(lks_store_next_nonce(s, who.account, &next));
    assert_true(next == 0);
    lks_store_tx tx = add_tx(s, &job, LKS_ACTION_ACCEPT, 17);
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_int_equal(job.state, LKS_JOB_ACCEPTING);
    lks_store_tx second = tx;
    assert_int_equal(lks_store_tx_add(s, &second, hash2, raw2, sizeof raw2),
                     LKS_REFUSED); /* one at a time */
    DO(lks_store_next_nonce(s, who.account, &next));
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
    DO(lks_store_txs_live(s, who.account, &live));
    assert_true(live.count == 1 && live.items[0].nonce == 17 && live.items[0].sent_block == 11 &&
                live.items[0].action == LKS_ACTION_ACCEPT);
    lks_store_txs_free(&live);

    /* Included, and taken back by a re-org: live again, and so is the state. */
    tx.state = LKS_TX_MINED;
    tx.included = (lks_block_ref){105, {3}};
    DO(lks_store_tx_put(s, &tx));
    DO(lks_store_job_get(s, job.request_id, &job));
    job.round.accepted = job.round.full = (lks_block_ref){105, {3}};
    DO(lks_store_job_put(s, &job));
    assert_int_equal(job.state, LKS_JOB_ACCEPTED);
    DO(lks_store_next_nonce(s, who.account, &next));
    assert_true(next == 0);
    size_t changed = 0;
    DO(lks_store_rewind(s, 105, &changed));
    assert_int_equal(changed, 0);
    DO(lks_store_rewind(s, 104, &changed));
    assert_int_equal(changed, 1);
    DO(lks_store_job_get(s, job.request_id, &job));
    assert_int_equal(job.state, LKS_JOB_ACCEPTING);
    DO(lks_store_txs_live(s, who.account, &live));
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

/* Two transactions of one nonce that both had a receipt, one of them from a fork: a re-org makes
 * the newer one live again, and the older one over. */
static void test_two_of_one_nonce(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_store_txs live = {0};
    size_t changed = 0;
    lks_job jobs[2] = {make_job(1), make_job(2)};
    lks_store_tx txs[2];
    for (size_t i = 0; i < 2; i++) {
        add_job(s, &jobs[i]);
        txs[i] = add_tx(s, &jobs[i], LKS_ACTION_ACCEPT, 17);
        txs[i].state = LKS_TX_MINED;
        txs[i].included = (lks_block_ref){105 + i, {3}};
        DO(lks_store_tx_put(s, &txs[i]));
    }
    lks_store_close(s);
    s = open_store();
    DO(lks_store_rewind(s, 104, &changed));
    DO(lks_store_txs_live(s, who.account, &live));
    assert_true(live.count == 1 && live.items[0].id == txs[1].id);
    lks_store_txs_free(&live);
    DO(lks_store_job_get(s, jobs[0].request_id, &jobs[0]));
    DO(lks_store_job_get(s, jobs[1].request_id, &jobs[1]));
    assert_int_equal(jobs[0].state, LKS_JOB_SEEN);
    assert_int_equal(jobs[1].state, LKS_JOB_ACCEPTING);
    txs[1].included = (lks_block_ref){106, {4}};
    DO(lks_store_tx_put(s, &txs[1]));
    DO(lks_store_rewind(s, 104, &changed)); /* once more: the older one stays over */
    DO(lks_store_txs_live(s, who.account, &live));
    assert_true(live.count == 1 && live.items[0].id == txs[1].id);
    lks_store_txs_free(&live);
    lks_store_close(s);
}

/* Two accounts have nonces of their own. */
static void test_two_accounts(void **state)
{
    (void)state;
    lks_store *s = open_store();
    static const uint8_t second[20] = {9};
    lks_store_txs live = {0};
    uint64_t next = 0;
    size_t changed = 0;
    uint8_t raw[1] = {1}, hash[32];
    lks_job job = make_job(1);
    lks_store_tx tx = {
        .action = LKS_ACTION_MOVE, .account = {9}, .nonce = 17, .state = LKS_TX_LIVE};
    lks_keccak256(hash, raw, sizeof raw);
    memcpy(tx.request_id, job.request_id, 32);
    tx.worth = lks_u256_from_u64(77);
    add_job(s, &job);
    lks_store_tx first = add_tx(s, &job, LKS_ACTION_ACCEPT, 17);
    DO(lks_store_tx_add(s, &tx, hash, raw, sizeof raw));
    DO(lks_store_txs_live(s, second, &live));
    assert_true(live.count == 1 && live.items[0].id == tx.id && live.items[0].worth.w[0] == 77);
    lks_store_txs_free(&live);
    first.state = tx.state = LKS_TX_MINED;
    first.included.number = tx.included.number = 105;
    DO(lks_store_tx_put(s, &first));
    DO(lks_store_tx_put(s, &tx));
    DO(lks_store_next_nonce(s, second, &next));
    assert_true(next == 0);
    DO(lks_store_rewind(s, 104, &changed)); /* both live again */
    DO(lks_store_next_nonce(s, second, &next));
    assert_true(next == 18);
    DO(lks_store_txs_live(s, who.account, &live));
    assert_true(live.count == 1 && live.items[0].id == first.id);
    lks_store_txs_free(&live);
    lks_store_close(s);
}

/* Moves of one job have keys: several live ones, each once. */
static void test_moves(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    add_job(s, &job);
    uint8_t raw[1] = {1}, hash[32];
    lks_keccak256(hash, raw, sizeof raw);
    lks_store_tx a = {.action = LKS_ACTION_MOVE,
                      .key = {1},
                      .account = {4, 5, 6},
                      .nonce = 1,
                      .state = LKS_TX_LIVE,
                      .deadline = 9};
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
    DO(lks_store_txs_live(s, who.account, &txs));
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

static lks_claim make_claim(const lks_job *job, uint8_t id, uint64_t block)
{
    lks_claim claim = {.claim_id = {id},
                       .name = {id, 8},
                       .operator_address = {7},
                       .co_seat = true,
                       .claimed = {block, {3}},
                       .window_end = 99,
                       .token_count = 5};
    memcpy(claim.request_id, job->request_id, 32);
    return claim;
}

static size_t open_claims(lks_store *s)
{
    lks_claims claims = {0};
    DO(lks_store_claims_open(s, &claims));
    size_t count = claims.count;
    lks_claims_free(&claims);
    return count;
}

static void test_claims(void **state)
{
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
    assert_true(got.operator_address[0] == 7 && got.co_seat && got.name[1] == 8 &&
                got.claimed.number == 10 && got.claimed.hash[0] == 3 && got.window_end == 99);
    assert_true(got.token_count == 5 && got.disputed.number == 13 && got.disputed.hash[0] == 4 &&
                got.check == LKS_CHECK_WRONG && got.first_wrong == 3);
    DO(lks_store_claim_named(s, b.name, &got));
    assert_memory_equal(got.claim_id, b.claim_id, 32);
    assert_int_equal(lks_store_claim_named(s, b.claim_id, &got), LKS_NOTFOUND);
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

/* A round that is over is kept until no re-org can bring it back. */
static void test_rounds(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1), before, back;
    size_t changed = 0;
    add_job(s, &job);
    DO(lks_store_answer_put(s, &job, 0, tokens, sizeof tokens));
    job.round.accepted = job.round.full = job.seeded = (lks_block_ref){102, {1}};
    job.round.claim_deadline = 6000;
    job.round.salt[3] = 9;
    DO(lks_store_job_put(s, &job));
    before = job;
    job.round.missed = (lks_block_ref){110, {2}};
    DO(lks_store_round_close(s, &job, &(lks_block_ref){110, {2}}));
    DO(lks_store_job_put(s, &job));
    assert_int_equal(job.state, LKS_JOB_SEEN);
    assert_int_equal(job.round.misses, 1);
    job.round.accepted = job.round.full = (lks_block_ref){112, {3}};
    DO(lks_store_job_put(s, &job));
    DO(lks_store_round_close(s, &job, &(lks_block_ref){120, {4}}));
    DO(lks_store_job_put(s, &job));
    DO(lks_store_rewind(s, 119, &changed)); /* the second round goes on */
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_true(changed == 1 && back.round.accepted.number == 112 && back.round.misses == 1);
    assert_int_equal(back.state, LKS_JOB_ANSWERED);
    DO(lks_store_rewind(s, 111, &changed)); /* it has not begun for us */
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_int_equal(back.state, LKS_JOB_SEEN);
    DO(lks_store_rewind(s, 109, &changed)); /* the first one goes on, as if nothing had been */
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_memory_equal(&back.round, &before.round, sizeof before.round);
    assert_int_equal(back.state, LKS_JOB_ANSWERED);
    DO(lks_store_rewind(s, 109, &changed));
    assert_int_equal(changed, 0);
    lks_store_close(s);
}

/* When a move was included is known as long as its transaction is. */
static void test_move_included(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1);
    uint8_t raw[1] = {1}, hash[32];
    uint64_t block = 1;
    size_t changed = 0;
    add_job(s, &job);
    lks_keccak256(hash, raw, sizeof raw);
    lks_store_tx tx = {.action = LKS_ACTION_MOVE,
                       .key = {1},
                       .account = {4, 5, 6},
                       .nonce = 1,
                       .state = LKS_TX_LIVE};
    memcpy(tx.request_id, job.request_id, 32);
    DO(lks_store_tx_add(s, &tx, hash, raw, sizeof raw));
    DO(lks_store_move_included(s, job.request_id, tx.key, &block));
    assert_true(block == 0);
    tx.state = LKS_TX_MINED;
    tx.included.number = 77;
    DO(lks_store_tx_put(s, &tx));
    DO(lks_store_move_included(s, job.request_id, tx.key, &block));
    assert_true(block == 77);
    DO(lks_store_rewind(s, 76, &changed));
    DO(lks_store_move_included(s, job.request_id, tx.key, &block));
    assert_true(block == 0);
    lks_store_close(s);
}

static void test_blocks(void **state)
{
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
    assert_int_equal(lks_store_block_below(s, b.ref.number - LKS_STORE_BLOCKS, &back),
                     LKS_NOTFOUND); /* forgotten */
    size_t changed = 0;
    DO(lks_store_rewind(s, b.ref.number - 3, &changed));
    DO(lks_store_head(s, &back));
    assert_true(back.ref.number == b.ref.number - 4);
    DO(lks_store_block_oldest(s, &back));
    assert_true(back.ref.number == b.ref.number - LKS_STORE_BLOCKS + 2);
    lks_store_close(s);
}

static void test_final_height(void **state)
{
    (void)state;
    uint64_t height = 1;
    lks_store *s = open_store();
    DO(lks_store_final_get(s, &height));
    assert_int_equal(height, 0);
    DO(lks_store_final_put(s, 7));
    DO(lks_store_final_put(s, 5));
    lks_store_close(s);
    s = open_store();
    DO(lks_store_final_get(s, &height));
    assert_int_equal(height, 7);
    lks_store_close(s);
}

/* All events of a job are applied again: no salt is lost, which no event brings back. */
static void test_salts_recalled(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1), back;
    lks_salts salts;
    const lks_block_ref closed = {.number = 120};
    uint8_t first[32], second[32];
    memset(first, 1, 32);
    memset(second, 2, 32);
    add_job(s, &job);
    DO(lks_store_begin(s));
    job.round.accepted.number = 110;
    memcpy(job.round.salt, first, 32);
    DO(lks_store_round_close(s, &job, &closed));
    job.round.accepted.number = 130;
    memcpy(job.round.salt, second, 32);
    DO(lks_store_job_put(s, &job));
    DO(lks_store_job_forget(s, job.request_id, &salts));
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_int_equal(back.state, LKS_JOB_REORGED);
    assert_int_equal(salts.count, 2);
    back.requested.number = 100;
    back.round.accepted.number = 110;
    DO(lks_store_round_close(s, &back, &closed));
    back.round.accepted.number = 130;
    DO(lks_store_job_put(s, &back));
    DO(lks_store_job_recall(s, job.request_id, &salts));
    DO(lks_store_commit(s));
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_memory_equal(back.round.salt, second, 32);
    size_t changed = 0;
    DO(lks_store_begin(s));
    DO(lks_store_rewind(s, 119, &changed)); /* the first round is the job's again */
    DO(lks_store_commit(s));
    DO(lks_store_job_get(s, job.request_id, &back));
    assert_memory_equal(back.round.salt, first, 32);
    lks_store_close(s);
}

static void test_nothing_half_done(void **state)
{
    (void)state;
    lks_store *s = open_store();
    lks_job job = make_job(1), back;
    DO(lks_store_begin(s));
    DO(lks_store_job_add(s, &job, prompt, sizeof prompt, NULL, 0));
    lks_store_rollback(s);
    lks_store_rollback(s);
    assert_int_equal(lks_store_job_get(s, job.request_id, &back), LKS_NOTFOUND);
    job.round.claimed.number = 110; /* a claim without an acceptance contradicts itself */
    DO(lks_store_begin(s));
    assert_int_equal(lks_store_job_add(s, &job, prompt, sizeof prompt, NULL, 0), LKS_INTERNAL);
    lks_store_rollback(s);
    lks_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_everything_comes_back),
        TEST(test_measured),
        TEST(test_open_jobs),
        TEST(test_transactions),
        TEST(test_two_of_one_nonce),
        TEST(test_two_accounts),
        TEST(test_moves),
        TEST(test_claims),
        TEST(test_rounds),
        TEST(test_move_included),
        TEST(test_blocks),
        TEST(test_final_height),
        TEST(test_salts_recalled),
        TEST(test_nothing_half_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
