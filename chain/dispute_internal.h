/* Parts that the files of the dispute game's bindings share. */
#ifndef LKS_CHAIN_DISPUTE_INTERNAL_H
#define LKS_CHAIN_DISPUTE_INTERNAL_H

#include "chain/dispute.h"

/* The witness as a dynamic tuple of the sequence that e writes. */
void lks_put_witness(lks_abi_writer *e, const lks_call_witness *w);

#endif
