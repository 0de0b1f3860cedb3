/* Calldata of the oracle, of other sources of claims, and of calls that contracts share. */
#include "chain/contracts_internal.h"

void lks_put_words(lks_abi_writer *e, const uint8_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lks_abi_put_word(e, words + 32 * i);
}

static void put_request(lks_abi_writer *e, const lks_request *r)
{
    uint8_t words[LKS_REQUEST_SIZE];
    lks_request_encode(words, r);
    lks_put_words(e, words, LKS_REQUEST_WORDS);
}

lks_err lks_call_nothing(lks_buf *out, const char *signature)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 0);
    return lks_abi_finish(&e);
}

lks_err lks_call_word(lks_buf *out, const char *signature, const uint8_t word32[32])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 1);
    lks_abi_put_word(&e, word32);
    return lks_abi_finish(&e);
}

lks_err lks_call_address(lks_buf *out, const char *signature, const uint8_t address20[20])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 1);
    lks_abi_put_address(&e, address20);
    return lks_abi_finish(&e);
}

lks_err lks_call_addresses(lks_buf *out, const char *signature, const uint8_t first20[20],
                           const uint8_t second20[20])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 2);
    lks_abi_put_address(&e, first20);
    lks_abi_put_address(&e, second20);
    return lks_abi_finish(&e);
}

lks_err lks_call_request(lks_buf *out, const lks_request_params *p)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out,
                       "request((bytes32,bytes,uint32,uint32,uint64,bytes,uint32,uint128,uint32,"
                       "uint64,uint32,uint8,address,uint32))",
                       1);
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
    lks_abi_put_u64(&e, p->accept_deadline);
    lks_abi_put_u64(&e, p->claim_period);
    lks_abi_put_u64(&e, p->replicas);
    lks_abi_put_address(&e, p->callback);
    lks_abi_put_u64(&e, p->callback_gas);
    lks_abi_end(&e);
    return lks_abi_finish(&e);
}

/* A call whose only argument is the request. */
static lks_err call_with_request(lks_buf *out, const char *signature, const lks_request *r)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, LKS_REQUEST_WORDS);
    put_request(&e, r);
    return lks_abi_finish(&e);
}

lks_err lks_call_cancel(lks_buf *out, const lks_request *r)
{
    return call_with_request(out, "cancel(" LKS_REQUEST_TYPE ")", r);
}

lks_err lks_call_withdraw_of(lks_buf *out, const lks_request *r, const uint8_t to20[20])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "withdrawOf(" LKS_REQUEST_TYPE ",address)", LKS_REQUEST_WORDS + 1);
    put_request(&e, r);
    lks_abi_put_address(&e, to20);
    return lks_abi_finish(&e);
}

lks_err lks_call_accept(lks_buf *out, const lks_request *r, const uint8_t operator20[20],
                        const uint8_t *header, size_t header_len)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "accept(" LKS_REQUEST_TYPE ",address,bytes)",
                       LKS_REQUEST_WORDS + 2);
    put_request(&e, r);
    lks_abi_put_address(&e, operator20);
    lks_abi_put_bytes(&e, header, header_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_claim(lks_buf *out, const lks_request *r, uint64_t seed, const uint8_t *tokens,
                       size_t tokens_len, const uint8_t *allowed, size_t allowed_len)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "claim(" LKS_REQUEST_TYPE ",uint64,bytes,bytes)",
                       LKS_REQUEST_WORDS + 3);
    put_request(&e, r);
    lks_abi_put_u64(&e, seed);
    lks_abi_put_bytes(&e, tokens, tokens_len);
    lks_abi_put_bytes(&e, allowed, allowed_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_commit_claim(lks_buf *out, const lks_request *r, uint8_t seat, uint64_t seed,
                              const uint8_t commitment32[32])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "commitClaim(" LKS_REQUEST_TYPE ",uint8,uint64,bytes32)",
                       LKS_REQUEST_WORDS + 3);
    put_request(&e, r);
    lks_abi_put_u64(&e, seat);
    lks_abi_put_u64(&e, seed);
    lks_abi_put_word(&e, commitment32);
    return lks_abi_finish(&e);
}

lks_err lks_call_reveal_claim(lks_buf *out, const lks_request *r, uint8_t seat, uint64_t seed,
                              const uint8_t *tokens, size_t tokens_len, const uint8_t *allowed,
                              size_t allowed_len, const uint8_t salt32[32])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out,
                       "revealClaim(" LKS_REQUEST_TYPE ",uint8,uint64,bytes,bytes,bytes32)",
                       LKS_REQUEST_WORDS + 5);
    put_request(&e, r);
    lks_abi_put_u64(&e, seat);
    lks_abi_put_u64(&e, seed);
    lks_abi_put_bytes(&e, tokens, tokens_len);
    lks_abi_put_bytes(&e, allowed, allowed_len);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_free_seats(lks_buf *out, const lks_request *r)
{
    return call_with_request(out, "freeSeats(" LKS_REQUEST_TYPE ")", r);
}

lks_err lks_call_missed(lks_buf *out, const lks_request *r, uint8_t seat)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "missed(" LKS_REQUEST_TYPE ",uint8)", LKS_REQUEST_WORDS + 1);
    put_request(&e, r);
    lks_abi_put_u64(&e, seat);
    return lks_abi_finish(&e);
}

lks_err lks_call_expire(lks_buf *out, const lks_request *r)
{
    return call_with_request(out, "expire(" LKS_REQUEST_TYPE ")", r);
}

lks_err lks_call_finalize(lks_buf *out, const lks_request *r, const uint8_t *tokens,
                          size_t tokens_len)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "finalize(" LKS_REQUEST_TYPE ",bytes)", LKS_REQUEST_WORDS + 1);
    put_request(&e, r);
    lks_abi_put_bytes(&e, tokens, tokens_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_state_of(lks_buf *out, const uint8_t request_id32[32])
{
    return lks_call_word(out, "stateOf(bytes32)", request_id32);
}

lks_err lks_call_seat_of(lks_buf *out, const uint8_t request_id32[32], uint8_t attempt,
                         uint8_t seat)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "seatOf(bytes32,uint8,uint8)", 3);
    lks_abi_put_word(&e, request_id32);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    return lks_abi_finish(&e);
}

lks_err lks_call_result(lks_buf *out, const uint8_t request_id32[32])
{
    return lks_call_word(out, "result(bytes32)", request_id32);
}

lks_err lks_call_nonces(lks_buf *out, const uint8_t requester20[20])
{
    return lks_call_address(out, "nonces(address)", requester20);
}

lks_err lks_call_credit(lks_buf *out, const uint8_t account20[20])
{
    return lks_call_address(out, "credit(address)", account20);
}

lks_err lks_call_credit_of(lks_buf *out, const uint8_t request_id32[32])
{
    return lks_call_word(out, "creditOf(bytes32)", request_id32);
}

lks_err lks_call_parameters(lks_buf *out)
{
    return lks_call_nothing(out, "parameters()");
}

lks_err lks_call_source_claim(lks_buf *out, const uint8_t name32[32], const uint8_t *opening,
                              size_t opening_len)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "claimOf(bytes32,bytes)", 2);
    lks_abi_put_word(&e, name32);
    lks_abi_put_bytes(&e, opening, opening_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_standing(lks_buf *out, const uint8_t name32[32])
{
    return lks_call_word(out, "standing(bytes32)", name32);
}

lks_err lks_call_dispute_game(lks_buf *out)
{
    return lks_call_nothing(out, "disputeGame()");
}

lks_err lks_call_bonds(lks_buf *out)
{
    return lks_call_nothing(out, "bonds()");
}

lks_err lks_call_withdraw(lks_buf *out, const uint8_t to20[20])
{
    return lks_call_address(out, "withdraw(address)", to20);
}
