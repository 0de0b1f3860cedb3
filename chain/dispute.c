/* Hashes and money of the dispute game. */
#include "chain/dispute.h"

#include <string.h>

#include "chain/dispute_internal.h"
#include "chain/eip712.h"
#include "chain/keccak.h"

/* Gas that a bond covers at least, at twice the base fee. */
#define BOND_GAS 1000000u
/* The contract keeps a prepayment in that many bits: no more is asked. */
#define PREPAID_BITS 72u
#define GWEI UINT64_C(1000000000)

/* ---- hashes ---- */

void lks_dispute_id(uint8_t id32[32], const lks_dispute_terms *dispute)
{
    uint8_t words[128], claim_id[32];
    lks_claim_id(claim_id, &dispute->claim);
    uint8_t *at = lks_store_word(words, claim_id);
    at = lks_store_address(at, dispute->challenger);
    at = lks_store_u256(at, &dispute->bond);
    lks_store_word(at, dispute->salt);
    lks_keccak256(id32, words, sizeof words);
}

void lks_trace_root_hash(uint8_t hash32[32], uint64_t chain_id, const uint8_t game20[20],
                         const uint8_t claim_id32[32], const uint8_t root32[32])
{
    lks_eip712 s;
    uint8_t domain[32], root[32];
    lks_eip712_domain(domain, "Lockstep", "1", chain_id, game20);
    lks_eip712_begin(&s, "TraceRoot(bytes32 claimId,bytes32 root)");
    lks_eip712_word(&s, claim_id32);
    lks_eip712_word(&s, root32);
    lks_eip712_end(&s, root);
    lks_eip712_digest(hash32, domain, root);
}

void lks_proof_commitment(uint8_t commitment32[32], const uint8_t sender20[20],
                          const uint8_t salt32[32], const uint8_t subject32[32])
{
    uint8_t words[96];
    uint8_t *at = lks_store_address(words, sender20);
    at = lks_store_word(at, salt32);
    lks_store_word(at, subject32);
    lks_keccak256(commitment32, words, sizeof words);
}

lks_err lks_witness_hash(uint8_t hash32[32], const lks_call_witness *w)
{
    lks_buf data = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &data, 1);
    lks_put_witness(&e, w);
    lks_err err = lks_abi_finish(&e);
    if (!err)
        lks_keccak256(hash32, data.data, data.len);
    lks_buf_free(&data);
    return err;
}

void lks_equivocation_hash(uint8_t hash32[32], const uint8_t root32[32],
                           const uint8_t other_root32[32])
{
    uint8_t words[64];
    lks_store_word(lks_store_word(words, root32), other_root32);
    lks_keccak256(hash32, words, sizeof words);
}

/* ---- money ---- */

static lks_u256 most_of(unsigned bits)
{
    return (lks_u256){{UINT64_MAX, (UINT64_C(1) << (bits - 64)) - 1, 0, 0}};
}

bool lks_amount_fits(const lks_u256 *wei, unsigned bits)
{
    lks_u256 most = most_of(bits);
    return lks_u256_cmp(wei, &most) <= 0;
}

void lks_game_prepayment(lks_u256 *wei, uint64_t gas, const lks_u256 *base_fee)
{
    lks_u256 tip = lks_u256_from_u64(GWEI);
    bool over = lks_u256_add(wei, base_fee, &tip);
    over |= lks_u256_mul_u64(wei, wei, 2);
    over |= lks_u256_mul_u64(wei, wei, gas);
    if (over || !lks_amount_fits(wei, PREPAID_BITS))
        *wei = most_of(PREPAID_BITS);
}

void lks_game_bond(lks_u256 *wei, const lks_u256 *min_bond, const lks_u256 *stake,
                   const lks_u256 *base_fee)
{
    lks_u256 part = *stake, gas;
    lks_u256_div_u64(&part, &part, 100);
    bool over = lks_u256_mul_u64(&gas, base_fee, 2 * (uint64_t)BOND_GAS);
    *wei = *min_bond;
    if (lks_u256_cmp(&part, wei) > 0)
        *wei = part;
    if (lks_u256_cmp(&gas, wei) > 0)
        *wei = gas;
    if (over || !lks_amount_fits(wei, LKS_BOND_BITS))
        *wei = most_of(LKS_BOND_BITS);
}
