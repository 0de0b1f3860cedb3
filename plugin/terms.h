/* Cost of a request to its operator in transactions, and the order of requests by worth. Pure. */
#ifndef LKS_PLUGIN_TERMS_H
#define LKS_PLUGIN_TERMS_H

#include "chain/contracts.h"

#include <stdbool.h>
#include <stdint.h>

/* Gas of all that an operator sends for a request that goes its straight way: the acceptance, with
 * the header of the seed's block or without, the claim of the longest answer, or commitment and
 * reveal, and the settlement with its callback. */
uint64_t lks_terms_gas(const lks_request *r, bool brings_header);

/* Out: the least fee, in wei, that pays for it at a gas price; of a request with replicas for every
 * one of them, since they share the fee. All ones when that is more than a number can say. */
void lks_terms_least_fee(lks_u256 *fee, const lks_request *r, bool brings_header,
                         const lks_u256 *gas_price);

/* Orders requests by what they pay for the time they take, the better first; then by the end of
 * the time to accept them, the nearer first. In: a_ms and b_ms, estimates of these times. Returns:
 * as a comparison for qsort. */
int lks_terms_compare(const lks_request *a, uint64_t a_ms, const lks_request *b, uint64_t b_ms);

#endif
