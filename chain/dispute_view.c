/* Views of the dispute game, and what they return. */
#include <string.h>

#include "chain/dispute_internal.h"

#define MAX_U40 ((UINT64_C(1) << 40) - 1)

lks_err lks_call_dispute_of(lks_buf *out, const uint8_t dispute_id32[32])
{
    return lks_call_word(out, LKS_DISPUTE_OF, dispute_id32);
}

lks_err lks_call_claim_of(lks_buf *out, const uint8_t claim_id32[32])
{
    return lks_call_word(out, "claimOf(bytes32)", claim_id32);
}

lks_err lks_call_bond_for(lks_buf *out, const lks_u256 *stake)
{
    uint8_t word[32];
    lks_u256_to_be(word, stake);
    return lks_call_word(out, "bondFor(uint128)", word);
}

lks_err lks_call_question_gas(lks_buf *out, uint8_t state, uint32_t position)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "questionGas(uint8,uint32)", 2);
    lks_abi_put_u64(&e, state);
    lks_abi_put_u64(&e, position);
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

lks_err lks_call_game_oracle(lks_buf *out)
{
    return lks_call_nothing(out, "oracle()");
}

lks_err lks_call_game_verifier(lks_buf *out)
{
    return lks_call_nothing(out, "verifier()");
}

lks_err lks_return_dispute(lks_dispute_view *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t state = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 12);
    if (!err)
        err = lks_read_up_to(&r, LKS_DISPUTE_STATE_MAX, &state);
    if (!err)
        err = lks_read_u16(&r, &out->op);
    if (!err)
        err = lks_read_u8(&r, &out->height);
    if (!err)
        err = lks_abi_read_u32(&r, &out->index);
    if (!err)
        err = lks_abi_read_word(&r, out->node);
    if (!err)
        err = lks_abi_read_u32(&r, &out->element);
    if (!err)
        err = lks_abi_read_u256(&r, &out->prepaid);
    if (!err)
        err = lks_abi_read_u64(&r, &out->turn_start);
    if (!err)
        err = lks_abi_read_u64(&r, &out->deadline);
    if (!err)
        err = lks_abi_read_u32(&r, &out->operator_left);
    if (!err)
        err = lks_abi_read_u32(&r, &out->challenger_left);
    if (!err)
        err = lks_abi_read_bool(&r, &out->alone);
    out->state = (uint8_t)state;
    return err;
}

lks_err lks_return_claim(lks_disputed_claim *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    uint64_t status = 0;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 8);
    if (!err)
        err = lks_read_up_to(&r, LKS_CLAIM_STATUS_COUNT - 1, &status);
    if (!err)
        err = lks_abi_read_u32(&r, &out->live);
    if (!err)
        err = lks_read_u16(&r, &out->prompt_count);
    if (!err)
        err = lks_read_u16(&r, &out->token_count);
    if (!err)
        err = lks_read_u16(&r, &out->op_count);
    if (!err)
        err = lks_read_up_to(&r, MAX_U40, &out->opened_at);
    if (!err)
        err = lks_read_up_to(&r, MAX_U40, &out->joined_block);
    if (!err)
        err = lks_abi_read_word(&r, out->root);
    out->status = (lks_claim_status)status;
    return err;
}

lks_err lks_return_game_parameters(lks_game_parameters *out, const uint8_t *data, size_t len)
{
    lks_abi_reader r;
    memset(out, 0, sizeof *out);
    lks_err err = lks_return_begin(&r, data, len, 3);
    if (!err)
        err = lks_abi_read_u32(&r, &out->budget);
    if (!err)
        err = lks_abi_read_u32(&r, &out->floor);
    if (!err)
        err = lks_read_amount(&r, 128, &out->min_bond);
    return err;
}
