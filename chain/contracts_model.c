/* The commitment to a model, and calldata of ModelRegistry. */
#include <string.h>

#include "chain/contracts_internal.h"
#include "chain/keccak.h"

void lks_put_model(lks_abi_writer *e, const lks_model_commitment *c)
{
    lks_abi_begin_tuple(e, 12);
    lks_abi_put_u64(e, c->arithmetic_version);
    lks_abi_put_word(e, c->weights_root);
    lks_abi_put_word(e, c->program_root);
    lks_abi_put_word(e, c->tokenizer_hash);
    lks_abi_put_word(e, c->rope_root);
    lks_abi_put_u64(e, c->op_count);
    lks_abi_put_u64(e, c->tensor_count);
    lks_abi_put_u64(e, c->sampler_op);
    lks_abi_put_u64(e, c->vocab_size);
    lks_abi_put_u64(e, c->context_length);
    lks_abi_put_u64(e, c->max_positions);
    lks_abi_begin_array(e, c->eos_count, 1);
    for (uint32_t i = 0; i < c->eos_count; i++)
        lks_abi_put_u64(e, c->eos_ids[i]);
    lks_abi_end(e);
    lks_abi_end(e);
}

lks_err lks_check_model(const lks_model_commitment *c)
{
    if (c->eos_count <= LKS_MAX_EOS)
        return LKS_OK;
    return lks_fail(LKS_BADARGS, "a model has %u end-of-sequence ids; at most %u can be registered",
                    c->eos_count, LKS_MAX_EOS);
}

lks_err lks_model_id(uint8_t id32[32], const lks_model_commitment *c)
{
    lks_err err = lks_check_model(c);
    if (err)
        return err;
    lks_buf data = {0};
    lks_abi_writer e;
    lks_abi_begin(&e, &data, 1);
    lks_put_model(&e, c);
    err = lks_abi_finish(&e);
    if (!err)
        lks_keccak256(id32, data.data, data.len);
    lks_buf_free(&data);
    return err;
}

lks_err lks_call_register(lks_buf *out, const lks_model_commitment *c,
                          const uint8_t file_sha256[32], const char *uri)
{
    lks_err err = lks_check_model(c);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "register(" LKS_MODEL_TYPE ",bytes32,string)", 3);
    lks_put_model(&e, c);
    lks_abi_put_word(&e, file_sha256);
    lks_abi_put_bytes(&e, uri, strlen(uri));
    return lks_abi_finish(&e);
}

lks_err lks_call_is_registered(lks_buf *out, const uint8_t model_id32[32])
{
    return lks_call_word(out, "isRegistered(bytes32)", model_id32);
}
