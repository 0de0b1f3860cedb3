/* Names, facts and hashes of claims. */
#include <string.h>

#include "chain/contracts_internal.h"
#include "chain/keccak.h"

/* Seats that the name of a claim leaves room for in each attempt. */
#define SEATS 8u

void lks_claim_name(uint8_t name32[32], const uint8_t request_id32[32], uint8_t attempt,
                    uint8_t seat)
{
    memcpy(name32, request_id32, 32);
    name32[31] = (uint8_t)(SEATS * attempt + seat);
}

lks_err lks_claim_name_split(uint8_t request_id32[32], uint8_t *attempt, uint8_t *seat,
                             const uint8_t name32[32])
{
    memcpy(request_id32, name32, 32);
    request_id32[31] = 0;
    *attempt = name32[31] / SEATS;
    *seat = name32[31] % SEATS;
    if (*attempt < 1 || *attempt > LKS_MAX_ATTEMPTS || *seat >= LKS_MAX_REPLICAS)
        return lks_fail(LKS_CORRUPT, "a claim's name ends with 0x%02x: no attempt and seat",
                        name32[31]);
    return LKS_OK;
}

void lks_claim_facts_of(lks_claim_facts *out, const lks_request *r, uint64_t seed,
                        uint32_t token_count, const uint8_t tokens_hash32[32])
{
    memset(out, 0, sizeof *out);
    out->prompt_count = r->prompt_count;
    memcpy(out->prompt_hash, r->prompt_hash, 32);
    out->token_count = token_count;
    memcpy(out->tokens_hash, tokens_hash32, 32);
    out->temperature = r->temperature;
    out->min_p = r->min_p;
    out->seed = seed;
    out->allowed_count = r->allowed_count;
    memcpy(out->allowed_hash, r->allowed_hash, 32);
}

void lks_claim_terms_of(lks_claim_terms *out, const uint8_t oracle20[20], const uint8_t name32[32],
                        const uint8_t operator20[20], const lks_request *r,
                        const lks_claim_facts *facts)
{
    memset(out, 0, sizeof *out);
    memcpy(out->source, oracle20, 20);
    memcpy(out->name, name32, 32);
    memcpy(out->operator_address, operator20, 20);
    out->stake = r->stake;
    memcpy(out->model_id, r->model_id, 32);
    lks_claim_facts_hash(out->facts_hash, facts);
}

void lks_claim_facts_encode(uint8_t out[LKS_FACTS_SIZE], const lks_claim_facts *facts)
{
    uint8_t *at = out;
    at = lks_store_u64(at, facts->prompt_count);
    at = lks_store_word(at, facts->prompt_hash);
    at = lks_store_u64(at, facts->token_count);
    at = lks_store_word(at, facts->tokens_hash);
    at = lks_store_u64(at, facts->temperature);
    at = lks_store_u64(at, facts->min_p);
    at = lks_store_u64(at, facts->seed);
    at = lks_store_u64(at, facts->allowed_count);
    lks_store_word(at, facts->allowed_hash);
}

void lks_claim_terms_encode(uint8_t out[LKS_CLAIM_SIZE], const lks_claim_terms *claim)
{
    uint8_t *at = out;
    at = lks_store_address(at, claim->source);
    at = lks_store_word(at, claim->name);
    at = lks_store_address(at, claim->operator_address);
    at = lks_store_u256(at, &claim->stake);
    at = lks_store_word(at, claim->model_id);
    lks_store_word(at, claim->facts_hash);
}

lks_err lks_claim_facts_read(lks_claim_facts *out, lks_abi_reader *r)
{
    lks_err err = lks_abi_read_u32(r, &out->prompt_count);
    if (!err)
        err = lks_abi_read_word(r, out->prompt_hash);
    if (!err)
        err = lks_abi_read_u32(r, &out->token_count);
    if (!err)
        err = lks_abi_read_word(r, out->tokens_hash);
    if (!err)
        err = lks_abi_read_u32(r, &out->temperature);
    if (!err)
        err = lks_abi_read_u32(r, &out->min_p);
    if (!err)
        err = lks_abi_read_u64(r, &out->seed);
    if (!err)
        err = lks_abi_read_u32(r, &out->allowed_count);
    if (!err)
        err = lks_abi_read_word(r, out->allowed_hash);
    return err;
}

lks_err lks_claim_terms_read(lks_claim_terms *out, lks_abi_reader *r)
{
    lks_err err = lks_abi_read_address(r, out->source);
    if (!err)
        err = lks_abi_read_word(r, out->name);
    if (!err)
        err = lks_abi_read_address(r, out->operator_address);
    if (!err)
        err = lks_read_amount(r, 128, &out->stake);
    if (!err)
        err = lks_abi_read_word(r, out->model_id);
    if (!err)
        err = lks_abi_read_word(r, out->facts_hash);
    return err;
}

lks_err lks_claim_check_facts(const lks_claim_terms *claim, const lks_claim_facts *facts)
{
    uint8_t hash[32];
    lks_claim_facts_hash(hash, facts);
    if (memcmp(hash, claim->facts_hash, 32))
        return lks_fail(LKS_CORRUPT, "the facts do not have the hash that the claim states");
    return LKS_OK;
}

void lks_claim_facts_hash(uint8_t hash32[32], const lks_claim_facts *facts)
{
    uint8_t words[LKS_FACTS_SIZE];
    lks_claim_facts_encode(words, facts);
    lks_keccak256(hash32, words, sizeof words);
}

void lks_claim_id(uint8_t id32[32], const lks_claim_terms *claim)
{
    uint8_t words[LKS_CLAIM_SIZE];
    lks_claim_terms_encode(words, claim);
    lks_keccak256(id32, words, sizeof words);
}

void lks_claim_commitment(uint8_t commitment32[32], const uint8_t name32[32],
                          const uint8_t operator20[20], uint64_t seed,
                          const uint8_t tokens_hash32[32], const uint8_t salt32[32])
{
    uint8_t words[160];
    uint8_t *at = lks_store_word(words, name32);
    at = lks_store_address(at, operator20);
    at = lks_store_u64(at, seed);
    at = lks_store_word(at, tokens_hash32);
    lks_store_word(at, salt32);
    lks_keccak256(commitment32, words, sizeof words);
}
