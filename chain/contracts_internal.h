/* Parts that the bindings of several contracts share. */
#ifndef LKS_CHAIN_CONTRACTS_INTERNAL_H
#define LKS_CHAIN_CONTRACTS_INTERNAL_H

#include "chain/contracts.h"

#define LKS_REQUEST_TYPE                                                                           \
    "(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128,"   \
    "uint128,uint32,uint64,uint32,uint8,address,uint32)"
#define LKS_REQUEST_WORDS (LKS_REQUEST_SIZE / 32)
#define LKS_MODEL_TYPE                                                                             \
    "(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,uint32,uint32,uint32,uint32[])"
#define LKS_FACTS_TYPE "(uint32,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32)"
#define LKS_CLAIM_TYPE "(address,bytes32,address,uint128,bytes32,bytes32)"
/* Bytes of abi.encode(ClaimFacts) and abi.encode(Claim). */
#define LKS_FACTS_SIZE 288u
#define LKS_CLAIM_SIZE 192u

/* Words of a fixed layout. Each returns where the next word goes. */
uint8_t *lks_store_u64(uint8_t *at, uint64_t value);
uint8_t *lks_store_word(uint8_t *at, const uint8_t word32[32]);
uint8_t *lks_store_address(uint8_t *at, const uint8_t address20[20]);
uint8_t *lks_store_u256(uint8_t *at, const lks_u256 *value);

/* Reads the next word, which must fit its type. */
lks_err lks_read_u8(lks_abi_reader *r, uint8_t *out) LKS_MUST_USE;
lks_err lks_read_u16(lks_abi_reader *r, uint16_t *out) LKS_MUST_USE;
lks_err lks_read_up_to(lks_abi_reader *r, uint64_t max, uint64_t *out) LKS_MUST_USE;
/* bits: 64 to 128. */
lks_err lks_read_amount(lks_abi_reader *r, unsigned bits, lks_u256 *out) LKS_MUST_USE;

void lks_claim_facts_encode(uint8_t out[LKS_FACTS_SIZE], const lks_claim_facts *facts);
void lks_claim_terms_encode(uint8_t out[LKS_CLAIM_SIZE], const lks_claim_terms *claim);
lks_err lks_claim_facts_read(lks_claim_facts *out, lks_abi_reader *r) LKS_MUST_USE;
lks_err lks_claim_terms_read(lks_claim_terms *out, lks_abi_reader *r) LKS_MUST_USE;
/* Returns: LKS_OK; LKS_CORRUPT (the facts are not the claim's). */
lks_err lks_claim_check_facts(const lks_claim_terms *claim,
                              const lks_claim_facts *facts) LKS_MUST_USE;

/* Puts count words, which lie one after the other, into the head of the call. */
void lks_put_words(lks_abi_writer *e, const uint8_t *words, size_t count);
/* The commitment as a dynamic tuple of the sequence that e writes; check it first. */
void lks_put_model(lks_abi_writer *e, const lks_model_commitment *c);
lks_err lks_check_model(const lks_model_commitment *c) LKS_MUST_USE;

/* Starts reading exactly words words. */
lks_err lks_return_begin(lks_abi_reader *r, const uint8_t *data, size_t len,
                         size_t words) LKS_MUST_USE;

/* Calls without an argument, of one word, of one and of two addresses. */
lks_err lks_call_nothing(lks_buf *out, const char *signature) LKS_MUST_USE;
lks_err lks_call_word(lks_buf *out, const char *signature, const uint8_t word32[32]) LKS_MUST_USE;
lks_err lks_call_address(lks_buf *out, const char *signature,
                         const uint8_t address20[20]) LKS_MUST_USE;
lks_err lks_call_addresses(lks_buf *out, const char *signature, const uint8_t first20[20],
                           const uint8_t second20[20]) LKS_MUST_USE;

#endif
