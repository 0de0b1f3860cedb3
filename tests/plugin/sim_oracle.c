/* The oracle of the simulated chain: requests with one seat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/plugin/sim_internal.h"

sim_log *sim_begin_log(sim *s, const sim_block *b, bool of_game, const uint8_t topic0[32], const uint8_t id[32]) {
    assert_true(s->log_count < SIM_LOGS);
    sim_log *log = &s->logs[s->log_count++];
    memset(log, 0, sizeof *log);
    log->block = b->number;
    log->of_game = of_game;
    memcpy(log->topics[0], topic0, 32);
    memcpy(log->topics[1], id, 32);
    log->topic_count = 2;
    return log;
}

static sim_log *begin_log(sim *s, const sim_block *b, lks_event_kind kind, const uint8_t id[32]) {
    uint8_t topic[32];
    lks_event_topic(topic, kind);
    return sim_begin_log(s, b, false, topic, id);
}

void sim_log_address(sim_log *log, const uint8_t address[20]) {
    memcpy(log->topics[log->topic_count++] + 12, address, 20);
}

void sim_log_word(sim_log *log, const uint8_t word[32]) {
    memcpy(log->topics[log->topic_count++], word, 32);
}

void sim_do_request(sim *s, size_t request, const sim_block *b) {
    sim_request *q = &s->requests[request];
    uint8_t words[LKS_REQUEST_SIZE];
    lks_abi_writer e;
    q->status = LKS_REQUEST_OPEN;
    q->block = b->number;
    q->deadline = b->time + q->request.accept_period;
    q->attempt = 1;
    sim_log *log = begin_log(s, b, LKS_EVENT_REQUESTED, q->id);
    sim_log_word(log, q->request.model_id);
    sim_log_address(log, q->request.requester);
    lks_request_encode(words, &q->request);
    lks_abi_begin(&e, &log->data, LKS_REQUEST_SIZE / 32 + 2);
    for (size_t i = 0; i < LKS_REQUEST_SIZE; i += 32) lks_abi_put_word(&e, words + i);
    lks_abi_put_bytes(&e, q->prompt.data, q->prompt.len);
    lks_abi_put_bytes(&e, q->allowed.data, q->allowed.len);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
}

sim_request *sim_find(sim *s, const lks_request *r) {
    uint8_t id[32];
    lks_request_id(id, s->chain_id, s->oracle, r);
    for (size_t i = 0; i < s->request_count; i++)
        if (memcmp(s->requests[i].id, id, 32) == 0) return &s->requests[i];
    return NULL;
}

const char *sim_do_accept(sim *s, const lks_request *r, const uint8_t sender20[20], const sim_block *b, bool commit) {
    sim_request *q = sim_find(s, r);
    bool ours = memcmp(sender20, s->operator_address, 20) == 0;
    if (!q || q->status != LKS_REQUEST_OPEN) return "WrongStatus(uint8)";
    if (b->time > q->deadline) return "TooLate()";
    if (b->number < q->block + 2) return "TooEarly()";
    if (ours && q->ours_before) return "AlreadyAccepted()";
    if (ours && lks_u256_cmp(&r->stake, &s->free_bond) > 0) return "InsufficientFreeBond(address,uint256,uint256)";
    if (!commit) return NULL;
    if (!q->seed_fixed) q->seed = lks_seed_used(r->seed, s->blocks[q->block + 1].hash);
    q->seed_fixed = true;
    q->status = LKS_REQUEST_ACCEPTED;
    q->deadline = b->time + r->claim_period;
    q->ours = ours;
    memcpy(q->operator_address, sender20, 20);
    if (ours) {
        q->ours_before = true;
        s->accepts++;
    }
    lks_abi_writer e;
    sim_log *log = begin_log(s, b, LKS_EVENT_ACCEPTED, q->id);
    sim_log_address(log, sender20);
    lks_abi_begin(&e, &log->data, 4);
    lks_abi_put_u64(&e, q->attempt);
    lks_abi_put_u64(&e, 0);
    lks_abi_put_u64(&e, s->lies_about_seed ? q->seed + 1 : q->seed);
    lks_abi_put_u64(&e, q->deadline);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    return NULL;
}

static void reopen(sim *s, sim_request *q, const sim_block *b) {
    lks_abi_writer e;
    q->status = LKS_REQUEST_OPEN;
    q->attempt++;
    q->deadline = b->time + q->request.accept_period;
    sim_log *log = begin_log(s, b, LKS_EVENT_REOPENED, q->id);
    lks_abi_begin(&e, &log->data, 2);
    lks_abi_put_u64(&e, q->attempt);
    lks_abi_put_u64(&e, q->deadline);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
}

void sim_do_miss(sim *s, size_t request, const sim_block *b) {
    sim_request *q = &s->requests[request];
    lks_abi_writer e;
    sim_log *log = begin_log(s, b, LKS_EVENT_MISSED, q->id);
    sim_log_address(log, q->operator_address);
    lks_abi_begin(&e, &log->data, 1);
    lks_abi_put_u64(&e, 1);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    reopen(s, q, b);
}

static const char *do_claim(sim *s, sim_request *q, lks_abi_reader *r, const uint8_t sender20[20], const sim_block *b, bool commit) {
    uint64_t seed = 0;
    const uint8_t *tokens = NULL, *allowed = NULL;
    size_t len = 0, allowed_len = 0;
    assert_int_equal(lks_abi_read_u64(r, &seed), LKS_OK);
    assert_int_equal(lks_abi_read_bytes(r, &tokens, &len), LKS_OK);
    assert_int_equal(lks_abi_read_bytes(r, &allowed, &allowed_len), LKS_OK);
    if (q->status != LKS_REQUEST_ACCEPTED) return "WrongStatus(uint8)";
    if (b->time > q->deadline) return "TooLate()";
    if (memcmp(q->operator_address, sender20, 20)) return "NotSeated()";
    if (seed != q->seed) return "WrongSeed(uint64)";
    if (len == 0 || len > 4 * q->request.max_tokens) return "TokenCountOutOfRange()";
    if (allowed_len != q->allowed.len) return "WrongAllowedList()";
    if (!commit) return NULL;
    s->claims++;
    q->status = LKS_REQUEST_CLAIMED;
    q->deadline = b->time + q->request.window;
    lks_buf_clear(&q->tokens);
    lks_buf_put(&q->tokens, tokens, len);
    uint8_t tokens_hash[32], claim_hash[32], claim_id[32];
    lks_tokens_hash(tokens_hash, tokens, len);
    lks_claim_hash(claim_hash, s->chain_id, s->oracle, q->id, seed, sender20, (uint32_t)(len / 4), tokens_hash);
    lks_claim_id(claim_id, claim_hash, q->attempt);
    memcpy(q->claim_id, claim_id, 32);
    q->is_open = false;
    lks_abi_writer e;
    sim_log *log = begin_log(s, b, LKS_EVENT_CLAIMED, q->id);
    sim_log_word(log, claim_id);
    sim_log_address(log, sender20);
    lks_abi_begin(&e, &log->data, 3);
    lks_abi_put_word(&e, claim_hash);
    lks_abi_put_u64(&e, q->deadline);
    lks_abi_put_bytes(&e, tokens, len);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    return NULL;
}

static const char *do_finalize(sim *s, sim_request *q, const sim_block *b, bool commit) {
    if (q->status != LKS_REQUEST_CLAIMED) return "WrongStatus(uint8)";
    if (b->time <= q->deadline) return "TooEarly()";
    if (q->disputes) return "DisputeLive()";
    if (!commit) return NULL;
    s->finals++;
    q->status = LKS_REQUEST_FINAL;
    uint8_t hash[32];
    lks_tokens_hash(hash, q->tokens.data, q->tokens.len);
    lks_abi_writer e;
    sim_log *log = begin_log(s, b, LKS_EVENT_FINALIZED, q->id);
    sim_log_word(log, hash);
    lks_abi_begin(&e, &log->data, 2);
    lks_abi_put_u64(&e, q->tokens.len / 4);
    lks_abi_put_word(&e, hash);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    return NULL;
}

void sim_do_convict(sim *s, sim_request *q, const uint8_t challenger20[20], const sim_block *b) {
    lks_abi_writer e;
    s->convictions++;
    sim_log *log = begin_log(s, b, LKS_EVENT_CONVICTED, q->id);
    sim_log_word(log, q->claim_id);
    sim_log_address(log, q->operator_address);
    lks_abi_begin(&e, &log->data, 1);
    lks_abi_put_address(&e, challenger20);
    assert_int_equal(lks_abi_finish(&e), LKS_OK);
    q->disputes = 0;
    reopen(s, q, b);
}

void sim_do_dispute_event(sim *s, sim_request *q, bool opened, const sim_block *b) {
    sim_log_word(begin_log(s, b, opened ? LKS_EVENT_DISPUTE_OPENED : LKS_EVENT_DISPUTE_CLOSED, q->id), q->claim_id);
    q->disputes += opened ? 1 : (uint32_t)-1;
}

const char *sim_execute(sim *s, const uint8_t *data, size_t len, const uint8_t sender20[20], const sim_block *b, bool commit) {
    lks_request r;
    lks_buf call = {0};
    if (len == 0) return NULL; /* an empty transaction */
    if (len < 4 + LKS_REQUEST_SIZE || lks_request_decode(&r, data + 4)) return "MalformedTokens()";
    sim_request *q = sim_find(s, &r);
    lks_abi_reader reader;
    lks_abi_read(&reader, data + 4, len - 4);
    reader.at = LKS_REQUEST_SIZE;
    const char *error = "WrongStatus(uint8)";
    assert_int_equal(lks_call_accept(&call, &r), LKS_OK);
    bool accepts = memcmp(call.data, data, 4) == 0;
    lks_buf_clear(&call);
    assert_int_equal(lks_call_finalize(&call, &r, NULL, 0), LKS_OK);
    bool finalizes = memcmp(call.data, data, 4) == 0;
    lks_buf_free(&call);
    if (accepts) error = sim_do_accept(s, &r, sender20, b, commit);
    else if (q && finalizes) error = do_finalize(s, q, b, commit);
    else if (q) error = do_claim(s, q, &reader, sender20, b, commit);
    return error;
}
