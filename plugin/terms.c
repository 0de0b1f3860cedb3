#include "plugin/terms.h"

#include <string.h>

/* Gas, from contracts/snapshots/gas.json, rounded up; tests/plugin/test_terms.c holds them to it.
 */
enum {
    ACCEPT_GAS = 55000,           /* accept, accept_by_agent */
    SEATS_GAS = 25000,            /* more of it where the last seat is filled: accept_last_of_2 */
    HEADER_GAS = 50000,           /* more of it with a header: accept_with_header */
    CLAIM_GAS = 65000,            /* claim_32_tokens, claim_1000_tokens: at no token */
    TOKEN_GAS = 205,              /* the same: a token */
    COMMIT_GAS = 80000,           /* commitClaim_last_of_3 */
    REVEAL_GAS = 70000,           /* revealClaim_last_of_3 */
    FINALIZE_GAS = 75000,         /* finalize */
    FINALIZE_REPLICA_GAS = 50000, /* a claim more of it: finalize_3_agree */
    CALLBACK_GAS = 50000 /* finalize_verdict_with_callback, without the callback's own gas */
};

uint64_t lks_terms_gas(const lks_request *r, bool brings_header)
{
    static const uint8_t no_callback[20];
    uint64_t gas = ACCEPT_GAS + FINALIZE_GAS + (uint64_t)TOKEN_GAS * r->max_tokens;
    if (brings_header)
        gas += HEADER_GAS;
    if (r->replicas > 1)
        gas += SEATS_GAS + COMMIT_GAS + REVEAL_GAS +
               (uint64_t)FINALIZE_REPLICA_GAS * (r->replicas - 1u);
    else
        gas += CLAIM_GAS;
    if (memcmp(r->callback, no_callback, 20))
        gas += CALLBACK_GAS + r->callback_gas;
    return gas;
}

void lks_terms_least_fee(lks_u256 *fee, const lks_request *r, bool brings_header,
                         const lks_u256 *gas_price)
{
    uint64_t gas = lks_terms_gas(r, brings_header);
    uint64_t operators = r->replicas > 1 ? r->replicas : 1;
    if (lks_u256_mul_u64(fee, gas_price, gas) || lks_u256_mul_u64(fee, fee, operators))
        memset(fee, 0xff, sizeof *fee);
}

int lks_terms_compare(const lks_request *a, uint64_t a_ms, const lks_request *b, uint64_t b_ms)
{
    lks_u256 x, y;
    lks_u256_mul_u64(&x, &a->fee, b_ms ? b_ms : 1); /* a fee has 128 bits */
    lks_u256_mul_u64(&y, &b->fee, a_ms ? a_ms : 1);
    int better = lks_u256_cmp(&y, &x);
    if (better)
        return better;
    if (a->accept_deadline != b->accept_deadline)
        return a->accept_deadline < b->accept_deadline ? -1 : 1;
    return 0;
}
