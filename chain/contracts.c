#include "chain/contracts.h"

#include <string.h>

#include "chain/contracts_internal.h"
#include "chain/keccak.h"

/* Most bytes of one piece of a token list. */
#define PIECE 1024u

void lks_tokens_pack(lks_buf *out, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t b[4] = {(uint8_t)ids[i], (uint8_t)(ids[i] >> 8), (uint8_t)(ids[i] >> 16),
                        (uint8_t)(ids[i] >> 24)};
        lks_buf_put(out, b, sizeof b);
    }
}

lks_err lks_tokens_unpack(uint32_t *ids, const uint8_t *packed, size_t len)
{
    if (len % 4)
        return lks_fail(LKS_CORRUPT, "a token list of %zu bytes is no whole number of ids", len);
    for (size_t i = 0; i < len / 4; i++) {
        const uint8_t *b = packed + 4 * i;
        ids[i] = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    }
    return LKS_OK;
}

void lks_tokens_hash(uint8_t hash32[32], const uint8_t *packed, size_t len)
{
    memset(hash32, 0, 32);
    if (len == 0)
        return;
    lks_keccak outer;
    lks_keccak_init(&outer);
    for (size_t at = 0; at < len; at += PIECE) {
        uint8_t piece[32];
        lks_keccak256(piece, packed + at, len - at < PIECE ? len - at : PIECE);
        lks_keccak_update(&outer, piece, sizeof piece);
    }
    lks_keccak_final(&outer, hash32);
}

uint8_t *lks_store_u64(uint8_t *at, uint64_t value)
{
    memset(at, 0, 32);
    for (int i = 0; i < 8; i++)
        at[31 - i] = (uint8_t)(value >> (8 * i));
    return at + 32;
}

uint8_t *lks_store_word(uint8_t *at, const uint8_t word32[32])
{
    memcpy(at, word32, 32);
    return at + 32;
}

uint8_t *lks_store_address(uint8_t *at, const uint8_t address20[20])
{
    memset(at, 0, 12);
    memcpy(at + 12, address20, 20);
    return at + 32;
}

uint8_t *lks_store_u256(uint8_t *at, const lks_u256 *value)
{
    lks_u256_to_be(at, value);
    return at + 32;
}

void lks_request_encode(uint8_t out[LKS_REQUEST_SIZE], const lks_request *r)
{
    uint8_t *at = out;
    at = lks_store_address(at, r->requester);
    at = lks_store_u64(at, r->nonce);
    at = lks_store_word(at, r->model_id);
    at = lks_store_u64(at, r->prompt_count);
    at = lks_store_word(at, r->prompt_hash);
    at = lks_store_u64(at, r->temperature);
    at = lks_store_u64(at, r->min_p);
    at = lks_store_u64(at, r->seed);
    at = lks_store_u64(at, r->allowed_count);
    at = lks_store_word(at, r->allowed_hash);
    at = lks_store_u64(at, r->max_tokens);
    at = lks_store_u256(at, &r->stake);
    at = lks_store_u256(at, &r->fee);
    at = lks_store_u64(at, r->window);
    at = lks_store_u64(at, r->accept_deadline);
    at = lks_store_u64(at, r->claim_period);
    at = lks_store_u64(at, r->replicas);
    at = lks_store_address(at, r->callback);
    lks_store_u64(at, r->callback_gas);
}

lks_err lks_read_u8(lks_abi_reader *r, uint8_t *out)
{
    uint64_t value = 0;
    lks_err err = lks_read_up_to(r, UINT8_MAX, &value);
    *out = (uint8_t)value;
    return err;
}

lks_err lks_read_u16(lks_abi_reader *r, uint16_t *out)
{
    uint64_t value = 0;
    lks_err err = lks_read_up_to(r, UINT16_MAX, &value);
    *out = (uint16_t)value;
    return err;
}

lks_err lks_read_up_to(lks_abi_reader *r, uint64_t max, uint64_t *out)
{
    lks_err err = lks_abi_read_u64(r, out);
    if (!err && *out > max)
        err = lks_fail(LKS_CORRUPT, "%llu where at most %llu can be", (unsigned long long)*out,
                       (unsigned long long)max);
    return err;
}

lks_err lks_read_amount(lks_abi_reader *r, unsigned bits, lks_u256 *out)
{
    lks_u256 value;
    lks_err err = lks_abi_read_u256(r, &value);
    if (err)
        return err;
    uint64_t above = bits < 128 ? value.w[1] >> (bits - 64) : 0;
    if (above || value.w[2] || value.w[3])
        return lks_fail(LKS_CORRUPT, "an amount has more than %u bits", bits);
    *out = value;
    return LKS_OK;
}

lks_err lks_request_decode(lks_request *out, const uint8_t in[LKS_REQUEST_SIZE])
{
    lks_abi_reader r;
    lks_abi_read(&r, in, LKS_REQUEST_SIZE);
    memset(out, 0, sizeof *out);
    lks_err err = lks_abi_read_address(&r, out->requester);
    if (!err)
        err = lks_abi_read_u64(&r, &out->nonce);
    if (!err)
        err = lks_abi_read_word(&r, out->model_id);
    if (!err)
        err = lks_abi_read_u32(&r, &out->prompt_count);
    if (!err)
        err = lks_abi_read_word(&r, out->prompt_hash);
    if (!err)
        err = lks_abi_read_u32(&r, &out->temperature);
    if (!err)
        err = lks_abi_read_u32(&r, &out->min_p);
    if (!err)
        err = lks_abi_read_u64(&r, &out->seed);
    if (!err)
        err = lks_abi_read_u32(&r, &out->allowed_count);
    if (!err)
        err = lks_abi_read_word(&r, out->allowed_hash);
    if (!err)
        err = lks_abi_read_u32(&r, &out->max_tokens);
    if (!err)
        err = lks_read_amount(&r, 128, &out->stake);
    if (!err)
        err = lks_read_amount(&r, 128, &out->fee);
    if (!err)
        err = lks_abi_read_u32(&r, &out->window);
    if (!err)
        err = lks_abi_read_u64(&r, &out->accept_deadline);
    if (!err)
        err = lks_abi_read_u32(&r, &out->claim_period);
    if (!err)
        err = lks_read_u8(&r, &out->replicas);
    if (!err)
        err = lks_abi_read_address(&r, out->callback);
    if (!err)
        err = lks_abi_read_u32(&r, &out->callback_gas);
    return err;
}

void lks_request_id(uint8_t id32[32], uint64_t chain_id, const uint8_t oracle20[20],
                    const lks_request *r)
{
    uint8_t words[64 + LKS_REQUEST_SIZE];
    uint8_t *at = lks_store_u64(words, chain_id);
    at = lks_store_address(at, oracle20);
    lks_request_encode(at, r);
    lks_keccak256(id32, words, sizeof words);
    id32[31] = 0;
}

bool lks_request_shows_allowed(const lks_request *r)
{
    return r->allowed_count && r->allowed_count <= LKS_ALLOWED_ON_CHAIN &&
           r->max_tokens <= LKS_ALLOWED_ON_CHAIN;
}

uint64_t lks_seed_used(uint64_t request_seed, const uint8_t prev_randao32[32])
{
    uint8_t words[64], hash[32];
    lks_store_word(lks_store_u64(words, request_seed), prev_randao32);
    lks_keccak256(hash, words, sizeof words);
    uint64_t seed = 0;
    for (int i = 24; i < 32; i++)
        seed = seed << 8 | hash[i];
    return seed;
}
