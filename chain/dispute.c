/* Hashes, money and views of the dispute game. */
#include "chain/dispute.h"

#include "chain/contracts_internal.h"
#include "chain/dispute_internal.h"
#include "chain/eip712.h"
#include "chain/keccak.h"

#include <string.h>

#define GWEI UINT64_C(1000000000)
/* Gas that a bond covers at least, at twice the base fee. */
#define BOND_GAS 1000000u

/* ---- hashes ---- */

void lks_dispute_id(uint8_t id32[32], const uint8_t claim_id32[32], const uint8_t challenger20[20], const uint8_t salt32[32])
{
    uint8_t words[96] = {0};
    memcpy(words, claim_id32, 32);
    memcpy(words + 44, challenger20, 20);
    memcpy(words + 64, salt32, 32);
    lks_keccak256(id32, words, sizeof words);
}

void lks_trace_root_hash(uint8_t hash32[32], uint64_t chain_id, const uint8_t game20[20], const uint8_t claim_id32[32], const uint8_t root32[32])
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

void lks_proof_commitment(uint8_t commitment32[32], const uint8_t sender20[20], const uint8_t salt32[32], const uint8_t subject32[32])
{
    uint8_t words[96] = {0};
    memcpy(words + 12, sender20, 20);
    memcpy(words + 32, salt32, 32);
    memcpy(words + 64, subject32, 32);
    lks_keccak256(commitment32, words, sizeof words);
}

lks_err lks_witness_hash(uint8_t hash32[32], const lks_call_witness *w)
{
    lks_buf data = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &data, 1);
    lks_put_witness(&e, w);
    lks_err err = lks_abi_finish(&e);
    if (err == LKS_OK)
        lks_keccak256(hash32, data.data, data.len);
    lks_buf_free(&data);
    return err;
}

void lks_equivocation_hash(uint8_t hash32[32], const uint8_t root32[32], const uint8_t other_root32[32])
{
    uint8_t words[64];
    memcpy(words, root32, 32);
    memcpy(words + 32, other_root32, 32);
    lks_keccak256(hash32, words, sizeof words);
}

/* ---- money ---- */

/* The contract keeps a prepayment in 72 bits, a bond in 88: no more is asked. */
static void at_most(lks_u256 *wei, unsigned bits)
{
    lks_u256 most = {{UINT64_MAX, (UINT64_C(1) << (bits - 64)) - 1, 0, 0}};
    if (lks_u256_cmp(wei, &most) > 0)
        *wei = most;
}

void lks_game_prepayment(lks_u256 *wei, uint64_t gas, const lks_u256 *base_fee)
{
    lks_u256 two_gwei = lks_u256_from_u64(2 * GWEI);
    lks_u256_mul_u64(wei, base_fee, 2);
    lks_u256_add(wei, wei, &two_gwei);
    lks_u256_mul_u64(wei, wei, gas);
    at_most(wei, 72);
}

void lks_game_bond(lks_u256 *wei, const lks_u256 *min_bond, const lks_u256 *stake, const lks_u256 *base_fee)
{
    lks_u256 part = *stake, gas;
    lks_u256_div_u64(&part, &part, 100);
    lks_u256_mul_u64(&gas, base_fee, 2 * (uint64_t)BOND_GAS);
    *wei = *min_bond;
    if (lks_u256_cmp(&part, wei) > 0)
        *wei = part;
    if (lks_u256_cmp(&gas, wei) > 0)
        *wei = gas;
    at_most(wei, 88);
}

/* ---- views ---- */

static lks_err call_nothing(lks_buf *out, const char *signature)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 0);
    return lks_abi_finish(&e);
}

lks_err lks_call_dispute_of(lks_buf *out, const uint8_t dispute_id32[32]) { return lks_call_word(out, "disputeOf(bytes32)", dispute_id32); }

lks_err lks_call_claim_of(lks_buf *out, const uint8_t claim_id32[32]) { return lks_call_word(out, "claimOf(bytes32)", claim_id32); }

lks_err lks_call_filled_at(lks_buf *out, const uint8_t claim_id32[32], uint16_t op, uint8_t height, uint32_t index)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "filledAt(bytes32,uint16,uint8,uint32)", 4);
    lks_abi_put_word(&e, claim_id32);
    lks_abi_put_u64(&e, op);
    lks_abi_put_u64(&e, height);
    lks_abi_put_u64(&e, index);
    return lks_abi_finish(&e);
}

lks_err lks_call_partials_filled_at(lks_buf *out, const uint8_t claim_id32[32], uint16_t op, uint32_t row, uint32_t element)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "partialsFilledAt(bytes32,uint16,uint32,uint32)", 4);
    lks_abi_put_word(&e, claim_id32);
    lks_abi_put_u64(&e, op);
    lks_abi_put_u64(&e, row);
    lks_abi_put_u64(&e, element);
    return lks_abi_finish(&e);
}

lks_err lks_call_bond_for(lks_buf *out, const lks_u256 *stake)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "bondFor(uint128)", 1);
    lks_abi_put_u256(&e, stake);
    return lks_abi_finish(&e);
}

lks_err lks_call_prepayment(lks_buf *out, uint64_t gas)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "prepayment(uint256)", 1);
    lks_abi_put_u64(&e, gas);
    return lks_abi_finish(&e);
}

lks_err lks_call_shape_recorded(lks_buf *out, const uint8_t model_id32[32], uint16_t op)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "shapeRecorded(bytes32,uint16)", 2);
    lks_abi_put_word(&e, model_id32);
    lks_abi_put_u64(&e, op);
    return lks_abi_finish(&e);
}

lks_err lks_call_game_oracle(lks_buf *out) { return call_nothing(out, "oracle()"); }

lks_err lks_call_game_verifier(lks_buf *out) { return call_nothing(out, "verifier()"); }

lks_err lks_return_dispute(lks_dispute_view *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t state = 0, op = 0, height = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 14);
    if (!err) err = lks_return_up_to(&r, LKS_DISPUTE_STATE_MAX, &state);
    if (!err) err = lks_abi_read_word(&r, out->claim_id);
    if (!err) err = lks_abi_read_address(&r, out->challenger);
    if (!err) err = lks_return_up_to(&r, UINT16_MAX, &op);
    if (!err) err = lks_return_up_to(&r, UINT8_MAX, &height);
    if (!err) err = lks_abi_read_u32(&r, &out->index);
    if (!err) err = lks_abi_read_word(&r, out->node);
    if (!err) err = lks_abi_read_u32(&r, &out->element);
    if (!err) err = lks_abi_read_u256(&r, &out->bond);
    if (!err) err = lks_abi_read_u256(&r, &out->prepaid);
    if (!err) err = lks_abi_read_u64(&r, &out->turn_start);
    if (!err) err = lks_abi_read_u64(&r, &out->deadline);
    if (!err) err = lks_abi_read_u32(&r, &out->operator_left);
    if (!err) err = lks_abi_read_u32(&r, &out->challenger_left);
    out->state = (uint8_t)state;
    out->op = (uint16_t)op;
    out->height = (uint8_t)height;
    return err;
}

lks_err lks_return_claim(lks_disputed_claim *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t attempt = 0, seat = 0, status = 0, prompts = 0, tokens = 0, ops = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 10);
    if (!err) err = lks_abi_read_word(&r, out->request_id);
    if (!err) err = lks_abi_read_word(&r, out->model_id);
    if (!err) err = lks_abi_read_word(&r, out->root);
    if (!err) err = lks_abi_read_address(&r, out->operator_address);
    if (!err) err = lks_return_up_to(&r, UINT8_MAX, &attempt);
    if (!err) err = lks_return_up_to(&r, UINT8_MAX, &seat);
    if (!err) err = lks_return_up_to(&r, LKS_CLAIM_STATUS_COUNT - 1, &status);
    if (!err) err = lks_return_up_to(&r, (1u << 24) - 1, &prompts);
    if (!err) err = lks_return_up_to(&r, (1u << 24) - 1, &tokens);
    if (!err) err = lks_return_up_to(&r, UINT16_MAX, &ops);
    out->attempt = (uint8_t)attempt;
    out->seat = (uint8_t)seat;
    out->status = (lks_claim_status)status;
    out->prompt_count = (uint32_t)prompts;
    out->token_count = (uint32_t)tokens;
    out->op_count = (uint16_t)ops;
    return err;
}

lks_err lks_return_game_parameters(lks_game_parameters *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 3);
    if (!err) err = lks_abi_read_u32(&r, &out->budget);
    if (!err) err = lks_abi_read_u32(&r, &out->floor);
    if (!err) err = lks_return_u128(&r, &out->min_bond);
    return err;
}

lks_err lks_return_address(uint8_t address20[20], const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_address(&r, address20);
}
