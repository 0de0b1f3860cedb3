/* Calldata of our contracts' functions, and what their views return. */
#include "chain/contracts_internal.h"
#include "chain/keccak.h"

#include <string.h>

void lks_put_request(lks_abi_writer *e, const lks_request *r) {
    uint8_t words[LKS_REQUEST_SIZE];
    lks_request_encode(words, r);
    for (size_t i = 0; i < LKS_REQUEST_WORDS; i++) lks_abi_put_word(e, words + 32 * i);
}

lks_err lks_call_request(lks_buf *out, const lks_request_params *p) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "request((bytes32,bytes,uint32,uint32,uint64,bytes,uint32,uint128,uint32,uint32,uint32,uint8,address,uint32))", 1);
    lks_abi_begin_tuple(&e, 14);
    lks_abi_put_word(&e, p->model_id);
    lks_abi_put_bytes(&e, p->prompt, p->prompt_len);
    lks_abi_put_u64(&e, p->temperature);
    lks_abi_put_u64(&e, p->min_p);
    lks_abi_put_u64(&e, p->seed);
    lks_abi_put_bytes(&e, p->allowed, p->allowed_len);
    lks_abi_put_u64(&e, p->max_tokens);
    lks_abi_put_u256(&e, &p->stake);
    lks_abi_put_u64(&e, p->window);
    lks_abi_put_u64(&e, p->accept_period);
    lks_abi_put_u64(&e, p->claim_period);
    lks_abi_put_u64(&e, p->replicas);
    lks_abi_put_address(&e, p->callback);
    lks_abi_put_u64(&e, p->callback_gas);
    lks_abi_end(&e);
    return lks_abi_finish(&e);
}

/* A call whose only argument is the request. */
static lks_err call_with_request(lks_buf *out, const char *signature, const lks_request *r) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, LKS_REQUEST_WORDS);
    lks_put_request(&e, r);
    return lks_abi_finish(&e);
}

lks_err lks_call_expire(lks_buf *out, const lks_request *r) {
    return call_with_request(out, "expire(" LKS_REQUEST_TYPE ")", r);
}

lks_err lks_call_accept(lks_buf *out, const lks_request *r) {
    return call_with_request(out, "accept(" LKS_REQUEST_TYPE ")", r);
}

lks_err lks_call_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t *tokens, size_t tokens_len, const uint8_t *allowed,
                       size_t allowed_len) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "claim(" LKS_REQUEST_TYPE ",uint64,bytes,bytes)", LKS_REQUEST_WORDS + 3);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, seed);
    lks_abi_put_bytes(&e, tokens, tokens_len);
    lks_abi_put_bytes(&e, allowed, allowed_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_commit_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t commitment32[32]) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "commitClaim(" LKS_REQUEST_TYPE ",uint64,bytes32)", LKS_REQUEST_WORDS + 2);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, seed);
    lks_abi_put_word(&e, commitment32);
    return lks_abi_finish(&e);
}

lks_err lks_call_reveal_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t *tokens, size_t tokens_len,
                              const uint8_t *allowed, size_t allowed_len, const uint8_t salt32[32]) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "revealClaim(" LKS_REQUEST_TYPE ",uint64,bytes,bytes,bytes32)", LKS_REQUEST_WORDS + 4);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, seed);
    lks_abi_put_bytes(&e, tokens, tokens_len);
    lks_abi_put_bytes(&e, allowed, allowed_len);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_missed(lks_buf *out, const lks_request *r, uint8_t seat) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "missed(" LKS_REQUEST_TYPE ",uint8)", LKS_REQUEST_WORDS + 1);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, seat);
    return lks_abi_finish(&e);
}

lks_err lks_call_finalize(lks_buf *out, const lks_request *r, const uint8_t *tokens, size_t tokens_len) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "finalize(" LKS_REQUEST_TYPE ",bytes)", LKS_REQUEST_WORDS + 1);
    lks_put_request(&e, r);
    lks_abi_put_bytes(&e, tokens, tokens_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_word(lks_buf *out, const char *signature, const uint8_t word32[32]) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 1);
    lks_abi_put_word(&e, word32);
    return lks_abi_finish(&e);
}

static lks_err call_with_address(lks_buf *out, const char *signature, const uint8_t address20[20]) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 1);
    lks_abi_put_address(&e, address20);
    return lks_abi_finish(&e);
}

lks_err lks_call_state_of(lks_buf *out, const uint8_t request_id32[32]) {
    return lks_call_word(out, "stateOf(bytes32)", request_id32);
}

static lks_err call_with_seat(lks_buf *out, const char *signature, const uint8_t request_id32[32], uint8_t attempt, uint8_t seat) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 3);
    lks_abi_put_word(&e, request_id32);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    return lks_abi_finish(&e);
}

lks_err lks_call_seat_of(lks_buf *out, const uint8_t request_id32[32], uint8_t attempt, uint8_t seat) {
    return call_with_seat(out, "seatOf(bytes32,uint8,uint8)", request_id32, attempt, seat);
}

lks_err lks_call_standing(lks_buf *out, const uint8_t request_id32[32], uint8_t attempt, uint8_t seat) {
    return call_with_seat(out, "standing(bytes32,uint8,uint8)", request_id32, attempt, seat);
}

lks_err lks_call_result(lks_buf *out, const uint8_t request_id32[32]) {
    return lks_call_word(out, "result(bytes32)", request_id32);
}

lks_err lks_call_nonces(lks_buf *out, const uint8_t requester20[20]) {
    return call_with_address(out, "nonces(address)", requester20);
}

lks_err lks_call_credit(lks_buf *out, const uint8_t account20[20]) {
    return call_with_address(out, "credit(address)", account20);
}

lks_err lks_call_parameters(lks_buf *out) {
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "parameters()", 0);
    return lks_abi_finish(&e);
}

void lks_put_model(lks_abi_writer *e, const lks_model_commitment *c) {
    lks_abi_begin_tuple(e, 12);
    lks_abi_put_u64(e, c->arithmetic_version);
    lks_abi_put_word(e, c->weights_root);
    lks_abi_put_word(e, c->program_root);
    lks_abi_put_word(e, c->tokenizer_hash);
    lks_abi_put_word(e, c->rope_root);
    lks_abi_put_u64(e, c->op_count);
    lks_abi_put_u64(e, c->tensor_count);
    lks_abi_put_u64(e, c->sampler_op);
    lks_abi_put_u64(e, c->vocab_size);
    lks_abi_put_u64(e, c->context_length);
    lks_abi_put_u64(e, c->max_positions);
    lks_abi_begin_array(e, c->eos_count, 1);
    for (uint32_t i = 0; i < c->eos_count; i++) lks_abi_put_u64(e, c->eos_ids[i]);
    lks_abi_end(e);
    lks_abi_end(e);
}

lks_err lks_check_model(const lks_model_commitment *c) {
    if (c->eos_count <= LKS_CONTRACT_MAX_EOS) return LKS_OK;
    return lks_fail(LKS_BADARGS, "a model has %u end-of-sequence ids; at most %u can be registered", c->eos_count, LKS_CONTRACT_MAX_EOS);
}

lks_err lks_model_id(uint8_t id32[32], const lks_model_commitment *c) {
    lks_err err = lks_check_model(c);
    if (err) return err;
    lks_buf data = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &data, 1);
    lks_put_model(&e, c);
    err = lks_abi_finish(&e);
    if (err == LKS_OK) lks_keccak256(id32, data.data, data.len);
    lks_buf_free(&data);
    return err;
}

lks_err lks_call_register(lks_buf *out, const lks_model_commitment *c, const uint8_t file_sha256[32], const char *uri) {
    lks_err err = lks_check_model(c);
    if (err) return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "register(" LKS_MODEL_TYPE ",bytes32,string)", 3);
    lks_put_model(&e, c);
    lks_abi_put_word(&e, file_sha256);
    lks_abi_put_bytes(&e, uri, strlen(uri));
    return lks_abi_finish(&e);
}

lks_err lks_call_is_registered(lks_buf *out, const uint8_t model_id32[32]) {
    return lks_call_word(out, "isRegistered(bytes32)", model_id32);
}

lks_err lks_call_deposit(lks_buf *out, const uint8_t operator20[20]) {
    return call_with_address(out, "deposit(address)", operator20);
}

lks_err lks_call_queue_withdrawal(lks_buf *out, const lks_u256 *wei) {
    uint8_t word[32];
    lks_u256_to_be(word, wei);
    return lks_call_word(out, "queueWithdrawal(uint256)", word);
}

lks_err lks_call_account(lks_buf *out, const uint8_t operator20[20]) {
    return call_with_address(out, "account(address)", operator20);
}

lks_err lks_call_free_bond(lks_buf *out, const uint8_t operator20[20]) {
    return call_with_address(out, "freeBond(address)", operator20);
}

lks_err lks_call_withdraw(lks_buf *out, const uint8_t to20[20]) {
    return call_with_address(out, "withdraw(address)", to20);
}

/* ---- return values ---- */

lks_err lks_return_begin(lks_abi_reader *r, const uint8_t *data, size_t len, size_t words) {
    if (len != 32 * words) return lks_fail(LKS_CORRUPT, "a contract returned %zu bytes where %zu are due; is its address right?", len, 32 * words);
    lks_abi_read(r, data, len);
    return LKS_OK;
}

lks_err lks_return_up_to(lks_abi_reader *r, uint64_t max, uint64_t *out) {
    lks_err err = lks_abi_read_u64(r, out);
    if (err == LKS_OK && *out > max) err = lks_fail(LKS_CORRUPT, "a contract returned %llu where at most %llu can be", (unsigned long long)*out,
                                                    (unsigned long long)max);
    return err;
}

lks_err lks_return_u128(lks_abi_reader *r, lks_u256 *out) {
    lks_err err = lks_abi_read_u256(r, out);
    if (err == LKS_OK && (out->w[2] || out->w[3])) err = lks_fail(LKS_CORRUPT, "a contract returned an amount of more than 128 bits");
    return err;
}

lks_err lks_return_state(lks_request_state *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    uint64_t status = 0, attempt = 0, replicas = 0, taken = 0, final_seat = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 10);
    if (!err) err = lks_return_up_to(&r, LKS_REQUEST_STATUS_COUNT - 1, &status);
    if (!err) err = lks_return_up_to(&r, UINT8_MAX, &attempt);
    if (!err) err = lks_return_up_to(&r, LKS_MAX_REPLICAS, &replicas);
    if (!err) err = lks_return_up_to(&r, LKS_MAX_REPLICAS, &taken);
    if (!err) err = lks_return_up_to(&r, UINT8_MAX, &final_seat);
    if (!err) err = lks_abi_read_bool(&r, &out->seed_fixed);
    if (!err) err = lks_abi_read_u64(&r, &out->seed);
    if (!err) err = lks_return_up_to(&r, (UINT64_C(1) << 40) - 1, &out->request_block);
    if (!err) err = lks_abi_read_u32(&r, &out->window);
    if (!err) err = lks_abi_read_u64(&r, &out->deadline);
    out->status = (lks_request_status)status;
    out->attempt = (uint8_t)attempt;
    out->replicas = (uint8_t)replicas;
    out->seats_taken = (uint8_t)taken;
    out->final_seat = (uint8_t)final_seat;
    return err;
}

lks_err lks_return_seat(lks_seat *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    uint64_t status = 0, count = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 6);
    if (!err) err = lks_abi_read_address(&r, out->operator_address);
    if (!err) err = lks_return_up_to(&r, LKS_SEAT_STATUS_COUNT - 1, &status);
    if (!err) err = lks_return_up_to(&r, (1u << 24) - 1, &count);
    if (!err) err = lks_abi_read_u32(&r, &out->first_token);
    if (!err) err = lks_abi_read_u32(&r, &out->disputes);
    if (!err) err = lks_abi_read_word(&r, out->value);
    out->status = (lks_seat_status)status;
    out->token_count = (uint32_t)count;
    return err;
}

lks_err lks_return_result(lks_request_result *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    uint64_t status = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 4);
    if (!err) err = lks_return_up_to(&r, LKS_REQUEST_STATUS_COUNT - 1, &status);
    if (!err) err = lks_abi_read_u32(&r, &out->token_count);
    if (!err) err = lks_abi_read_word(&r, out->tokens_hash);
    if (!err) err = lks_abi_read_u32(&r, &out->first_token);
    out->status = (lks_request_status)status;
    return err;
}

lks_err lks_return_parameters(lks_oracle_parameters *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 8);
    if (!err) err = lks_return_u128(&r, &out->min_stake);
    if (!err) err = lks_abi_read_u32(&r, &out->min_window);
    if (!err) err = lks_abi_read_u32(&r, &out->max_window);
    if (!err) err = lks_abi_read_u32(&r, &out->min_accept_period);
    if (!err) err = lks_abi_read_u32(&r, &out->max_accept_period);
    if (!err) err = lks_abi_read_u32(&r, &out->min_claim_period);
    if (!err) err = lks_abi_read_u32(&r, &out->max_claim_period);
    if (!err) err = lks_abi_read_u32(&r, &out->reveal_period);
    return err;
}

lks_err lks_return_account(lks_bond_account *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 4);
    if (!err) err = lks_return_u128(&r, &out->free);
    if (!err) err = lks_return_u128(&r, &out->locked);
    if (!err) err = lks_return_u128(&r, &out->queued);
    if (!err) err = lks_abi_read_u64(&r, &out->ready_at);
    return err;
}

lks_err lks_return_bool(bool *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_bool(&r, out);
}

lks_err lks_return_u64(uint64_t *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_u64(&r, out);
}

lks_err lks_return_u256(lks_u256 *out, const uint8_t *data, size_t len) {
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_u256(&r, out);
}
