/* Parts that the bindings of several contracts share. */
#ifndef LKS_CHAIN_CONTRACTS_INTERNAL_H
#define LKS_CHAIN_CONTRACTS_INTERNAL_H

#include "chain/contracts.h"

#define LKS_REQUEST_TYPE \
    "(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128,uint128,uint32,uint32,uint32,uint8," \
    "address,uint32)"
#define LKS_REQUEST_WORDS (LKS_REQUEST_SIZE / 32)
#define LKS_MODEL_TYPE "(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,uint32,uint32,uint32,uint32[])"

/* Puts the Request's words into the head of the call. */
void lks_put_request(lks_abi_writer *e, const lks_request *r);
/* The commitment as a dynamic tuple of the sequence that e writes; check it first. */
void lks_put_model(lks_abi_writer *e, const lks_model_commitment *c);
lks_err lks_check_model(const lks_model_commitment *c) LKS_MUST_USE;

/* Starts reading exactly words words. */
lks_err lks_return_begin(lks_abi_reader *r, const uint8_t *data, size_t len, size_t words) LKS_MUST_USE;
/* Reads a word that is at most max. */
lks_err lks_return_up_to(lks_abi_reader *r, uint64_t max, uint64_t *out) LKS_MUST_USE;
lks_err lks_return_u128(lks_abi_reader *r, lks_u256 *out) LKS_MUST_USE;

/* A call of one word. */
lks_err lks_call_word(lks_buf *out, const char *signature, const uint8_t word32[32]) LKS_MUST_USE;

#endif
