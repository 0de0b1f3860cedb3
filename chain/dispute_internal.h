/* Parts that the files of the dispute game's bindings share. */
#ifndef LKS_CHAIN_DISPUTE_INTERNAL_H
#define LKS_CHAIN_DISPUTE_INTERNAL_H

#include "chain/contracts_internal.h"
#include "chain/dispute.h"

#define LKS_DISPUTE_TYPE "(" LKS_CLAIM_TYPE ",address,uint88,bytes32)"
/* Bytes and words of abi.encode(Dispute). */
#define LKS_DISPUTE_SIZE 288u
#define LKS_DISPUTE_WORDS (LKS_DISPUTE_SIZE / 32)
#define LKS_BOND_BITS 88u

/* Returns: whether an amount has at most that many bits, 64 to 127. */
bool lks_amount_fits(const lks_u256 *wei, unsigned bits);

/* The witness as a dynamic tuple of the sequence that e writes. */
void lks_put_witness(lks_abi_writer *e, const lks_call_witness *w);

#endif
