/* Calldata of the dispute game. */
#include "chain/contracts_internal.h"
#include "chain/dispute.h"
#include "chain/dispute_internal.h"

#define OPENING_TYPE "(bytes,bytes32[])"
#define WITNESS_TYPE "(uint8,uint32,uint32,uint32,uint32," OPENING_TYPE "[])"

static void put_words(lks_abi_writer *e, const uint8_t (*words)[32], size_t count)
{
    lks_abi_begin_array(e, count, 1);
    for (size_t i = 0; i < count; i++)
        lks_abi_put_word(e, words[i]);
    lks_abi_end(e);
}

static void put_opening(lks_abi_writer *e, const lks_call_opening *o)
{
    lks_abi_begin_tuple(e, 2);
    lks_abi_put_bytes(e, o->data, o->data_len);
    put_words(e, o->path, o->path_count);
    lks_abi_end(e);
}

static void put_openings(lks_abi_writer *e, const lks_call_opening *openings, size_t count)
{
    lks_abi_begin_array(e, count, 1);
    for (size_t i = 0; i < count; i++)
        put_opening(e, &openings[i]);
    lks_abi_end(e);
}

void lks_put_witness(lks_abi_writer *e, const lks_call_witness *w)
{
    lks_abi_begin_tuple(e, 6);
    lks_abi_put_u64(e, w->kind);
    lks_abi_put_u64(e, w->op);
    lks_abi_put_u64(e, w->leaf);
    lks_abi_put_u64(e, w->unit);
    lks_abi_put_u64(e, w->place);
    put_openings(e, w->openings, w->opening_count);
    lks_abi_end(e);
}

lks_err lks_call_challenge(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const lks_model_commitment *model, const uint8_t salt32[32])
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "challenge(" LKS_REQUEST_TYPE ",uint8,uint8," LKS_MODEL_TYPE ",bytes32)", LKS_REQUEST_WORDS + 4);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    lks_put_model(&e, model);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_pick(lks_buf *out, const uint8_t dispute_id32[32], uint16_t op, uint8_t height, uint32_t index, const uint8_t node32[32],
                      const uint8_t (*path)[32], size_t path_count)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "pick(bytes32,uint16,uint8,uint32,bytes32,bytes32[])", 6);
    lks_abi_put_word(&e, dispute_id32);
    lks_abi_put_u64(&e, op);
    lks_abi_put_u64(&e, height);
    lks_abi_put_u64(&e, index);
    lks_abi_put_word(&e, node32);
    put_words(&e, path, path_count);
    return lks_abi_finish(&e);
}

lks_err lks_call_step(lks_buf *out, const uint8_t dispute_id32[32], const lks_request *r, const lks_model_commitment *model, const lks_call_witness *w)
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "step(bytes32," LKS_REQUEST_TYPE "," LKS_MODEL_TYPE "," WITNESS_TYPE ")", LKS_REQUEST_WORDS + 3);
    lks_abi_put_word(&e, dispute_id32);
    lks_put_request(&e, r);
    lks_put_model(&e, model);
    lks_put_witness(&e, w);
    return lks_abi_finish(&e);
}

lks_err lks_call_demand_partials(lks_buf *out, const uint8_t dispute_id32[32], uint32_t element)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "demandPartials(bytes32,uint32)", 2);
    lks_abi_put_word(&e, dispute_id32);
    lks_abi_put_u64(&e, element);
    return lks_abi_finish(&e);
}

lks_err lks_call_step_partial(lks_buf *out, const uint8_t dispute_id32[32], const lks_request *r, const lks_model_commitment *model,
                              const lks_call_witness *w, const uint8_t *partials, size_t partials_len)
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "stepPartial(bytes32," LKS_REQUEST_TYPE "," LKS_MODEL_TYPE "," WITNESS_TYPE ",bytes)", LKS_REQUEST_WORDS + 4);
    lks_abi_put_word(&e, dispute_id32);
    lks_put_request(&e, r);
    lks_put_model(&e, model);
    lks_put_witness(&e, w);
    lks_abi_put_bytes(&e, partials, partials_len);
    return lks_abi_finish(&e);
}

lks_err lks_call_commit_proof(lks_buf *out, const uint8_t commitment32[32])
{
    return lks_call_word(out, "commitProof(bytes32)", commitment32);
}

lks_err lks_call_prove(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const uint8_t root32[32], const uint8_t *signature,
                       size_t signature_len, const lks_model_commitment *model, const lks_call_witness *w, const uint8_t salt32[32])
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "prove(" LKS_REQUEST_TYPE ",uint8,uint8,bytes32,bytes," LKS_MODEL_TYPE "," WITNESS_TYPE ",bytes32)", LKS_REQUEST_WORDS + 7);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    lks_abi_put_word(&e, root32);
    lks_abi_put_bytes(&e, signature, signature_len);
    lks_put_model(&e, model);
    lks_put_witness(&e, w);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_prove_equivocation(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const uint8_t root32[32], const uint8_t *signature,
                                    size_t signature_len, const uint8_t other_root32[32], const uint8_t *other_signature, size_t other_signature_len,
                                    const uint8_t salt32[32])
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "proveEquivocation(" LKS_REQUEST_TYPE ",uint8,uint8,bytes32,bytes,bytes32,bytes,bytes32)", LKS_REQUEST_WORDS + 7);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    lks_abi_put_word(&e, root32);
    lks_abi_put_bytes(&e, signature, signature_len);
    lks_abi_put_word(&e, other_root32);
    lks_abi_put_bytes(&e, other_signature, other_signature_len);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_open_trace(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t root32[32], const uint8_t (*children)[32], size_t child_count)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "openTrace(bytes32,bytes32,bytes32[])", 3);
    lks_abi_put_word(&e, dispute_id32);
    lks_abi_put_word(&e, root32);
    put_words(&e, children, child_count);
    return lks_abi_finish(&e);
}

/* A call of a dispute's id and bytes. */
static lks_err call_with_bytes(lks_buf *out, const char *signature, const uint8_t dispute_id32[32], const uint8_t *data, size_t len)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 2);
    lks_abi_put_word(&e, dispute_id32);
    lks_abi_put_bytes(&e, data, len);
    return lks_abi_finish(&e);
}

lks_err lks_call_open_partials(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t *partials, size_t partials_len)
{
    return call_with_bytes(out, "openPartials(bytes32,bytes)", dispute_id32, partials, partials_len);
}

lks_err lks_call_reveal(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t (*children)[32], size_t child_count)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "reveal(bytes32,bytes32[])", 2);
    lks_abi_put_word(&e, dispute_id32);
    put_words(&e, children, child_count);
    return lks_abi_finish(&e);
}

lks_err lks_call_reveal_leaf(lks_buf *out, const uint8_t dispute_id32[32], const uint8_t *data, size_t len)
{
    return call_with_bytes(out, "revealLeaf(bytes32,bytes)", dispute_id32, data, len);
}

lks_err lks_call_timeout(lks_buf *out, const uint8_t dispute_id32[32], const lks_request *r)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "timeout(bytes32," LKS_REQUEST_TYPE ")", 1 + LKS_REQUEST_WORDS);
    lks_abi_put_word(&e, dispute_id32);
    lks_put_request(&e, r);
    return lks_abi_finish(&e);
}

lks_err lks_call_record_shape(lks_buf *out, const lks_model_commitment *model, uint16_t op, const lks_call_opening *descriptor)
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "recordShape(" LKS_MODEL_TYPE ",uint16," OPENING_TYPE ")", 3);
    lks_put_model(&e, model);
    lks_abi_put_u64(&e, op);
    put_opening(&e, descriptor);
    return lks_abi_finish(&e);
}

lks_err lks_call_void_claim(lks_buf *out, const lks_request *r, uint8_t attempt, uint8_t seat, const lks_model_commitment *model, uint32_t op,
                            const lks_call_opening *descriptors, size_t descriptor_count)
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "voidClaim(" LKS_REQUEST_TYPE ",uint8,uint8," LKS_MODEL_TYPE ",uint32," OPENING_TYPE "[])", LKS_REQUEST_WORDS + 5);
    lks_put_request(&e, r);
    lks_abi_put_u64(&e, attempt);
    lks_abi_put_u64(&e, seat);
    lks_put_model(&e, model);
    lks_abi_put_u64(&e, op);
    put_openings(&e, descriptors, descriptor_count);
    return lks_abi_finish(&e);
}

lks_err lks_call_reclaim(lks_buf *out, const uint8_t dispute_id32[32]) { return lks_call_word(out, "reclaim(bytes32)", dispute_id32); }

lks_err lks_call_multicall(lks_buf *out, const lks_buf *calls, size_t call_count)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, "multicall(bytes[])", 1);
    lks_abi_begin_array(&e, call_count, 1);
    for (size_t i = 0; i < call_count; i++)
        lks_abi_put_bytes(&e, calls[i].data, calls[i].len);
    lks_abi_end(&e);
    return lks_abi_finish(&e);
}
