/* Decoders of the values that the views of our contracts return. */
#include <string.h>

#include "chain/contracts_internal.h"

lks_err lks_return_begin(lks_abi_reader *r, const uint8_t *data, size_t len, size_t words)
{
    if (len != 32 * words)
        return lks_fail(LKS_CORRUPT,
                        "a contract returned %zu bytes where %zu are due; is its address right?",
                        len, 32 * words);
    lks_abi_read(r, data, len);
    return LKS_OK;
}

lks_err lks_return_state(lks_request_state *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t status = 0, attempt = 0, misses = 0, taken = 0, final_seat = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 10);
    if (!err)
        err = lks_read_up_to(&r, LKS_REQUEST_STATUS_COUNT - 1, &status);
    if (!err)
        err = lks_read_up_to(&r, LKS_MAX_ATTEMPTS + 1, &attempt);
    if (!err)
        err = lks_read_up_to(&r, UINT8_MAX, &misses);
    if (!err)
        err = lks_abi_read_bool(&r, &out->cancelled);
    if (!err)
        err = lks_read_up_to(&r, LKS_MAX_REPLICAS, &taken);
    if (!err)
        err = lks_read_up_to(&r, LKS_MAX_REPLICAS - 1, &final_seat);
    if (!err)
        err = lks_abi_read_u64(&r, &out->deadline);
    if (!err)
        err = lks_abi_read_u64(&r, &out->request_block);
    if (!err)
        err = lks_abi_read_bool(&r, &out->seed_fixed);
    if (!err)
        err = lks_abi_read_u64(&r, &out->seed);
    out->status = (lks_request_status)status;
    out->attempt = (uint8_t)attempt;
    out->misses = (uint8_t)misses;
    out->seats_taken = (uint8_t)taken;
    out->final_seat = (uint8_t)final_seat;
    return err;
}

lks_err lks_return_seat(lks_seat *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t status = 0, count = 0, first = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 6);
    if (!err)
        err = lks_abi_read_address(&r, out->operator_address);
    if (!err)
        err = lks_read_up_to(&r, LKS_SEAT_STATUS_COUNT - 1, &status);
    if (!err)
        err = lks_read_up_to(&r, UINT16_MAX, &count);
    if (!err)
        err = lks_read_up_to(&r, (1u << 24) - 1, &first);
    if (!err)
        err = lks_abi_read_bool(&r, &out->disputed);
    if (!err)
        err = lks_abi_read_word(&r, out->value);
    out->status = (lks_seat_status)status;
    out->token_count = (uint32_t)count;
    out->first_token = (uint32_t)first;
    return err;
}

lks_err lks_return_result(lks_request_result *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t status = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 4);
    if (!err)
        err = lks_read_up_to(&r, LKS_REQUEST_STATUS_COUNT - 1, &status);
    if (!err)
        err = lks_abi_read_u32(&r, &out->token_count);
    if (!err)
        err = lks_abi_read_word(&r, out->tokens_hash);
    if (!err)
        err = lks_abi_read_u32(&r, &out->first_token);
    out->status = (lks_request_status)status;
    return err;
}

lks_err lks_return_parameters(lks_oracle_parameters *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 10);
    if (!err)
        err = lks_read_amount(&r, 128, &out->min_stake);
    if (!err)
        err = lks_abi_read_u32(&r, &out->min_window);
    if (!err)
        err = lks_abi_read_u32(&r, &out->max_window);
    if (!err)
        err = lks_abi_read_u32(&r, &out->min_accept_period);
    if (!err)
        err = lks_abi_read_u32(&r, &out->max_accept_period);
    if (!err)
        err = lks_abi_read_u32(&r, &out->min_claim_period);
    if (!err)
        err = lks_abi_read_u32(&r, &out->min_replica_claim_period);
    if (!err)
        err = lks_abi_read_u32(&r, &out->max_claim_period);
    if (!err)
        err = lks_abi_read_u32(&r, &out->fill_period);
    if (!err)
        err = lks_abi_read_u32(&r, &out->reveal_period);
    return err;
}

lks_err lks_return_source_claim(lks_claim_terms *claim, lks_claim_facts *facts, const uint8_t *data,
                                size_t len)
{
    lks_abi_reader r;
    memset(claim, 0, sizeof *claim);
    memset(facts, 0, sizeof *facts);
    lks_err err = lks_return_begin(&r, data, len, (LKS_CLAIM_SIZE + LKS_FACTS_SIZE) / 32);
    if (!err)
        err = lks_claim_terms_read(claim, &r);
    if (!err)
        err = lks_claim_facts_read(facts, &r);
    if (!err)
        err = lks_claim_check_facts(claim, facts);
    return err;
}

lks_err lks_return_account(lks_bond_account *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 4);
    if (!err)
        err = lks_read_amount(&r, 128, &out->free);
    if (!err)
        err = lks_read_amount(&r, 128, &out->locked);
    if (!err)
        err = lks_read_amount(&r, 128, &out->queued);
    if (!err)
        err = lks_abi_read_u64(&r, &out->ready_at);
    return err;
}

lks_err lks_return_bool(bool *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_bool(&r, out);
}

lks_err lks_return_u8(uint8_t *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_read_u8(&r, out);
}

lks_err lks_return_u64(uint64_t *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_u64(&r, out);
}

lks_err lks_return_u256(lks_u256 *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_u256(&r, out);
}

lks_err lks_return_address(uint8_t address20[20], const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    lks_err err = lks_return_begin(&r, data, len, 1);
    return err ? err : lks_abi_read_address(&r, address20);
}
