/* Calldata of the dispute game's moves. */
#include "chain/dispute_internal.h"

#define OPENING_TYPE "(bytes,bytes32[])"
#define WITNESS_TYPE "(uint8,uint32,uint32,uint32,uint32," OPENING_TYPE "[])"

static void put_list(lks_abi_writer *e, const uint8_t (*words)[32], size_t count)
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
    put_list(e, o->path, o->path_count);
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

static lks_err check_bond(const lks_u256 *bond)
{
    if (lks_amount_fits(bond, LKS_BOND_BITS))
        return LKS_OK;
    return lks_fail(LKS_BADARGS, "the bond of a dispute is over 2^%u wei", LKS_BOND_BITS);
}

static void put_dispute(lks_abi_writer *e, const lks_dispute_terms *d)
{
    uint8_t words[LKS_DISPUTE_SIZE];
    lks_claim_terms_encode(words, &d->claim);
    uint8_t *at = words + LKS_CLAIM_SIZE;
    at = lks_store_address(at, d->challenger);
    at = lks_store_u256(at, &d->bond);
    lks_store_word(at, d->salt);
    lks_put_words(e, words, LKS_DISPUTE_WORDS);
}

static void put_facts(lks_abi_writer *e, const lks_claim_facts *facts)
{
    uint8_t words[LKS_FACTS_SIZE];
    lks_claim_facts_encode(words, facts);
    lks_put_words(e, words, LKS_FACTS_SIZE / 32);
}

/* Starts a call whose first member is the dispute; more head words follow. */
static lks_err begin_move(lks_abi_writer *e, lks_buf *out, const char *signature,
                          const lks_dispute_terms *d, size_t more)
{
    lks_err err = check_bond(&d->bond);
    if (err)
        return err;
    lks_abi_begin_call(e, out, signature, LKS_DISPUTE_WORDS + more);
    put_dispute(e, d);
    return LKS_OK;
}

/* Starts a call whose first three members name a claim; more head words follow. */
static void begin_claim_call(lks_abi_writer *e, lks_buf *out, const char *signature,
                             const lks_claim_ref *claim, size_t more)
{
    lks_abi_begin_call(e, out, signature, 3 + more);
    lks_abi_put_address(e, claim->source);
    lks_abi_put_word(e, claim->name);
    lks_abi_put_bytes(e, claim->opening, claim->opening_len);
}

lks_err lks_call_challenge(lks_buf *out, const lks_claim_ref *claim,
                           const lks_model_commitment *model, const lks_u256 *bond,
                           const uint8_t salt32[32])
{
    lks_abi_writer e;
    lks_err err = lks_check_model(model);
    if (!err)
        err = check_bond(bond);
    if (err)
        return err;
    begin_claim_call(&e, out, "challenge(address,bytes32,bytes," LKS_MODEL_TYPE ",uint88,bytes32)",
                     claim, 3);
    lks_put_model(&e, model);
    lks_abi_put_u256(&e, bond);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_pick(lks_buf *out, const lks_dispute_terms *d, uint16_t op, uint8_t height,
                      uint32_t index, const uint8_t node32[32], const uint8_t (*path)[32],
                      size_t path_count)
{
    lks_abi_writer e;
    lks_err err =
        begin_move(&e, out, "pick(" LKS_DISPUTE_TYPE ",uint16,uint8,uint32,bytes32,bytes32[])", d,
                   5);
    if (err)
        return err;
    lks_abi_put_u64(&e, op);
    lks_abi_put_u64(&e, height);
    lks_abi_put_u64(&e, index);
    lks_abi_put_word(&e, node32);
    put_list(&e, path, path_count);
    return lks_abi_finish(&e);
}

lks_err lks_call_step(lks_buf *out, const lks_dispute_terms *d, const lks_claim_facts *facts,
                      const lks_model_commitment *model, const lks_call_witness *w,
                      const uint8_t commit_salt32[32])
{
    lks_abi_writer e;
    lks_err err = lks_check_model(model);
    if (!err)
        err = begin_move(&e, out,
                         "step(" LKS_DISPUTE_TYPE "," LKS_FACTS_TYPE "," LKS_MODEL_TYPE
                         "," WITNESS_TYPE ",bytes32)",
                         d, LKS_FACTS_SIZE / 32 + 3);
    if (err)
        return err;
    put_facts(&e, facts);
    lks_put_model(&e, model);
    lks_put_witness(&e, w);
    lks_abi_put_word(&e, commit_salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_demand_partials(lks_buf *out, const lks_dispute_terms *d, uint32_t element)
{
    lks_abi_writer e;
    lks_err err = begin_move(&e, out, "demandPartials(" LKS_DISPUTE_TYPE ",uint32)", d, 1);
    if (err)
        return err;
    lks_abi_put_u64(&e, element);
    return lks_abi_finish(&e);
}

lks_err lks_call_step_partial(lks_buf *out, const lks_dispute_terms *d,
                              const lks_claim_facts *facts, const lks_model_commitment *model,
                              const lks_call_witness *w, const uint8_t *partials,
                              size_t partials_len, const uint8_t commit_salt32[32])
{
    lks_abi_writer e;
    lks_err err = lks_check_model(model);
    if (!err)
        err = begin_move(&e, out,
                         "stepPartial(" LKS_DISPUTE_TYPE "," LKS_FACTS_TYPE "," LKS_MODEL_TYPE
                         "," WITNESS_TYPE ",bytes,bytes32)",
                         d, LKS_FACTS_SIZE / 32 + 4);
    if (err)
        return err;
    put_facts(&e, facts);
    lks_put_model(&e, model);
    lks_put_witness(&e, w);
    lks_abi_put_bytes(&e, partials, partials_len);
    lks_abi_put_word(&e, commit_salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_commit_proof(lks_buf *out, const uint8_t commitment32[32])
{
    return lks_call_word(out, "commitProof(bytes32)", commitment32);
}

lks_err lks_call_prove(lks_buf *out, const lks_claim_ref *claim, const uint8_t root32[32],
                       const uint8_t *signature, size_t signature_len,
                       const lks_model_commitment *model, const lks_call_witness *w,
                       const uint8_t salt32[32])
{
    lks_abi_writer e;
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    begin_claim_call(&e, out,
                     "prove(address,bytes32,bytes,bytes32,bytes," LKS_MODEL_TYPE "," WITNESS_TYPE
                     ",bytes32)",
                     claim, 5);
    lks_abi_put_word(&e, root32);
    lks_abi_put_bytes(&e, signature, signature_len);
    lks_put_model(&e, model);
    lks_put_witness(&e, w);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_prove_equivocation(lks_buf *out, const lks_claim_ref *claim,
                                    const uint8_t root32[32], const uint8_t *signature,
                                    size_t signature_len, const uint8_t other_root32[32],
                                    const uint8_t *other_signature, size_t other_signature_len,
                                    const uint8_t salt32[32])
{
    lks_abi_writer e;
    begin_claim_call(&e, out,
                     "proveEquivocation(address,bytes32,bytes,bytes32,bytes,bytes32,bytes,bytes32)",
                     claim, 5);
    lks_abi_put_word(&e, root32);
    lks_abi_put_bytes(&e, signature, signature_len);
    lks_abi_put_word(&e, other_root32);
    lks_abi_put_bytes(&e, other_signature, other_signature_len);
    lks_abi_put_word(&e, salt32);
    return lks_abi_finish(&e);
}

lks_err lks_call_open_trace(lks_buf *out, const lks_dispute_terms *d, const uint8_t root32[32],
                            const uint8_t (*children)[32], size_t child_count)
{
    lks_abi_writer e;
    lks_err err = begin_move(&e, out, "openTrace(" LKS_DISPUTE_TYPE ",bytes32,bytes32[])", d, 2);
    if (err)
        return err;
    lks_abi_put_word(&e, root32);
    put_list(&e, children, child_count);
    return lks_abi_finish(&e);
}

/* A call of a dispute and bytes. */
static lks_err call_with_bytes(lks_buf *out, const char *signature, const lks_dispute_terms *d,
                               const uint8_t *data, size_t len)
{
    lks_abi_writer e;
    lks_err err = begin_move(&e, out, signature, d, 1);
    if (err)
        return err;
    lks_abi_put_bytes(&e, data, len);
    return lks_abi_finish(&e);
}

lks_err lks_call_open_partials(lks_buf *out, const lks_dispute_terms *d, const uint8_t *partials,
                               size_t partials_len)
{
    return call_with_bytes(out, "openPartials(" LKS_DISPUTE_TYPE ",bytes)", d, partials,
                           partials_len);
}

lks_err lks_call_reveal(lks_buf *out, const lks_dispute_terms *d, const uint8_t (*children)[32],
                        size_t child_count)
{
    lks_abi_writer e;
    lks_err err = begin_move(&e, out, "reveal(" LKS_DISPUTE_TYPE ",bytes32[])", d, 1);
    if (err)
        return err;
    put_list(&e, children, child_count);
    return lks_abi_finish(&e);
}

lks_err lks_call_reveal_leaf(lks_buf *out, const lks_dispute_terms *d, const uint8_t *data,
                             size_t len)
{
    return call_with_bytes(out, "revealLeaf(" LKS_DISPUTE_TYPE ",bytes)", d, data, len);
}

/* A call of a dispute alone. */
static lks_err call_with_dispute(lks_buf *out, const char *signature, const lks_dispute_terms *d)
{
    lks_abi_writer e;
    lks_err err = begin_move(&e, out, signature, d, 0);
    return err ? err : lks_abi_finish(&e);
}

lks_err lks_call_timeout(lks_buf *out, const lks_dispute_terms *d)
{
    return call_with_dispute(out, "timeout(" LKS_DISPUTE_TYPE ")", d);
}

lks_err lks_call_record_shape(lks_buf *out, const lks_model_commitment *model, uint16_t op,
                              const lks_call_opening *descriptor)
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

lks_err lks_call_void_claim(lks_buf *out, const lks_claim_ref *claim,
                            const lks_model_commitment *model, uint32_t op,
                            const lks_call_opening *descriptors, size_t descriptor_count)
{
    lks_err err = lks_check_model(model);
    if (err)
        return err;
    lks_abi_writer e;
    begin_claim_call(&e, out,
                     "voidClaim(address,bytes32,bytes," LKS_MODEL_TYPE ",uint32," OPENING_TYPE
                     "[])",
                     claim, 3);
    lks_put_model(&e, model);
    lks_abi_put_u64(&e, op);
    put_openings(&e, descriptors, descriptor_count);
    return lks_abi_finish(&e);
}

lks_err lks_call_reclaim(lks_buf *out, const lks_dispute_terms *d)
{
    return call_with_dispute(out, "reclaim(" LKS_DISPUTE_TYPE ")", d);
}

static lks_err call_with_calls(lks_buf *out, const char *signature, const lks_buf *calls,
                               size_t call_count)
{
    lks_abi_writer e;
    lks_abi_begin_call(&e, out, signature, 1);
    lks_abi_begin_array(&e, call_count, 1);
    for (size_t i = 0; i < call_count; i++)
        lks_abi_put_bytes(&e, calls[i].data, calls[i].len);
    lks_abi_end(&e);
    return lks_abi_finish(&e);
}

lks_err lks_call_multicall(lks_buf *out, const lks_buf *calls, size_t call_count)
{
    return call_with_calls(out, "multicall(bytes[])", calls, call_count);
}

lks_err lks_call_try_multicall(lks_buf *out, const lks_buf *calls, size_t call_count)
{
    return call_with_calls(out, "tryMulticall(bytes[])", calls, call_count);
}
