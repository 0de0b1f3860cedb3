/* The reader that trusts roots alone: each read takes the next opening of the witness and verifies
 * it. */
#include "oracle/trace/openings.h"

#include "chain/keccak.h"
#include "kernels/bytes.h"
#include "oracle/proof/witness.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECE_IDS = LKS_CHUNK_SIZE / 4
};

typedef struct verifier {
    const lks_witness_claim *claim;
    const lks_model_commitment *model;
    const lks_witness *witness;
    size_t next;
} verifier;

static lks_err take(verifier *v, const lks_opening **o)
{
    if (v->next == v->witness->count)
        return lks_fail(LKS_CORRUPT, "the witness has %zu openings; the unit reads more", v->next);
    *o = &v->witness->openings[v->next++];
    return LKS_OK;
}

static lks_err bad_length(const verifier *v)
{
    return lks_fail(LKS_CORRUPT,
                    "opening %zu of the witness has another length than its place demands",
                    v->next - 1);
}
static lks_err bad_root(const verifier *v)
{
    return lks_fail(LKS_CORRUPT, "opening %zu of the witness does not lead to its root",
                    v->next - 1);
}

/* Hashes the chunks of places [first, end) that data holds. */
static bool hash_leaves(uint8_t (*hashes)[32], const lks_range *g, uint64_t first, uint64_t end,
                        const lks_opening *o)
{
    size_t at = 0;
    for (uint64_t i = first; i < end; i++) {
        uint32_t size;
        if (!lks_shape_leaf(&size, &g->shape, i) || size > o->data_len - at)
            return false;
        lks_tree_leaf(hashes[i - first], g->tree, o->data + at, size);
        at += size;
    }
    return at == o->data_len;
}

static lks_err read_range(void *user, const uint8_t **bytes, const lks_range *g)
{
    verifier *v = user;
    const uint8_t *root = v->model->program_root;
    const lks_opening *o;
    uint32_t items = 0;
    uint64_t first = ((uint64_t)g->row << g->shape.chunk_bits) + g->lo / LKS_CHUNK_SIZE;
    uint64_t end = ((uint64_t)(g->row + g->count - 1) << g->shape.chunk_bits) +
                   (g->hi - 1) / LKS_CHUNK_SIZE + 1;
    uint8_t(*hashes)[32] = NULL, found[32];
    lks_err err = take(v, &o);
    if (err)
        return err;
    if (g->tree == LKS_TREE_TRACE) {
        root = v->claim->trace_root;
        items = v->model->op_count;
    } else if (g->tree == LKS_TREE_WEIGHTS) {
        root = v->model->weights_root;
        items = v->model->tensor_count;
    } else if (g->tree == LKS_TREE_ROPE) {
        root = v->model->rope_root;
    }
    if (!(hashes = malloc((size_t)(end - first) * sizeof *hashes)))
        return lks_fail(LKS_NOMEM, "out of memory");
    if (!hash_leaves(hashes, g, first, end, o))
        err = bad_length(v);
    else if (!lks_opening_root(found, g->tree, hashes, first, end, g->shape.height, g->item, items,
                               (const uint8_t(*)[32])o->path, o->path_count) ||
             memcmp(found, root, 32))
        err = bad_root(v);
    free(hashes);
    *bytes = o->data;
    return err;
}

static lks_err read_token(void *user, uint32_t *id, lks_token_list list, uint32_t index)
{
    verifier *v = user;
    const lks_witness_claim *c = v->claim;
    const uint8_t *want = list == LKS_LIST_PROMPT   ? c->prompt_hash
                          : list == LKS_LIST_ANSWER ? c->tokens_hash
                                                    : c->allowed_hash;
    uint32_t count = list == LKS_LIST_PROMPT   ? c->facts.prompt_count
                     : list == LKS_LIST_ANSWER ? c->facts.answer_count
                                               : c->facts.allowed_count;
    const lks_opening *o;
    uint8_t hash[32];
    if (index >= count)
        return lks_fail(LKS_BADARGS, "a list of %u tokens has no token %u", count, index);
    lks_err err = take(v, &o);
    if (err)
        return err;
    uint32_t pieces = count / PIECE_IDS + (count % PIECE_IDS != 0), piece = index / PIECE_IDS,
             left = count - piece * PIECE_IDS;
    if (o->path_count != pieces || o->data_len != 4 * (size_t)(left < PIECE_IDS ? left : PIECE_IDS))
        return bad_length(v);
    lks_keccak256(hash, o->path, 32 * o->path_count);
    if (memcmp(hash, want, 32))
        return bad_root(v);
    lks_keccak256(hash, o->data, o->data_len);
    if (memcmp(hash, o->path[piece], 32))
        return bad_root(v);
    *id = lks_load_le32(o->data + 4 * (size_t)(index % PIECE_IDS));
    return LKS_OK;
}

lks_err lks_witness_check(bool *wrong, const lks_witness_claim *c,
                          const lks_model_commitment *model, const lks_witness *w,
                          const uint8_t *partials, size_t partials_len)
{
    verifier v = {c, model, w, 0};
    lks_reader reader = {&v, read_range, read_token};
    lks_facts f = c->facts;
    f.op_count = model->op_count;
    f.tensor_count = model->tensor_count;
    f.sampler_op = model->sampler_op;
    f.vocab_size = model->vocab_size;
    f.max_positions = model->max_positions;
    lks_err err = lks_step_check(wrong, &f, &w->unit, partials, partials_len, &reader);
    if (!err && v.next != w->count)
        err = lks_fail(LKS_CORRUPT, "the witness has %zu openings; the unit reads %zu", w->count,
                       v.next);
    if (err)
        *wrong = false;
    return err;
}
