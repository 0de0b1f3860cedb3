#include "oracle/trace/commit.h"

#include "chain/keccak.h"
#include "oracle/trace/commit_internal.h"
#include "oracle/trace/openings.h"

#include <stdlib.h>
#include <string.h>

/* One row: every metadata pair whose key begins with "tokenizer.", as stored in the file, in the
 * file's order. */
static lks_err tokenizer_root(uint8_t root32[32], const lks_gguf *g)
{
    static const char prefix[] = "tokenizer.";
    size_t size = 0;
    uint8_t *bytes = NULL;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (size_t i = 0; i < lks_gguf_entry_count(g); i++) {
            const lks_gguf_entry *e = lks_gguf_entry_at(g, i);
            if (e->key.len < sizeof prefix - 1 || memcmp(e->key.data, prefix, sizeof prefix - 1))
                continue;
            if (bytes)
                memcpy(bytes + at, e->raw, e->raw_size);
            at += e->raw_size;
        }
        size = at;
        if (size > UINT32_MAX)
            return lks_fail(LKS_REFUSED,
                            "the tokenizer has %zu bytes; at most 4 GiB can be committed", size);
        if (pass == 0 && !(bytes = malloc(size)))
            return lks_fail(LKS_NOMEM, "out of memory");
    }
    lks_shape row;
    lks_shape_rows(&row, (uint32_t)size, 1);
    uint8_t(*leaves)[32] = malloc(row.chunks * sizeof *leaves);
    if (!leaves) {
        free(bytes);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    lks_tree_leaves(leaves, LKS_TREE_TOKENIZER, bytes, size, 1);
    lks_item_node(root32, LKS_TREE_TOKENIZER, &row, leaves, row.height, 0);
    free(bytes);
    free(leaves);
    return LKS_OK;
}

lks_err lks_commitment_seal(lks_model_commitment *c, const lks_model *m)
{
    const lks_program *p = &m->program;
    lks_err err = tokenizer_root(c->tokenizer_hash, m->file);
    if (err)
        return err;
    c->arithmetic_version = LKS_ARITHMETIC_VERSION;
    c->op_count = p->op_count;
    c->tensor_count = p->tensor_count;
    c->sampler_op = p->op_count - 1;
    c->vocab_size = p->vocab_size;
    c->context_length = p->context_length;
    c->max_positions = p->max_positions;
    c->eos_count = (uint32_t)lks_tokenizer_eos(m->tokenizer, c->eos_ids);
    return lks_model_id(c->model_id, c);
}

lks_err lks_commitment_make(lks_model_commitment *out, const lks_model *m,
                            lks_commit_progress progress, void *user)
{
    lks_model_trees *trees;
    memset(out, 0, sizeof *out);
    lks_err err = lks_model_trees_build(&trees, m, false, progress, user);
    if (err)
        return err;
    *out = *lks_model_trees_commitment(trees);
    lks_model_trees_free(trees);
    return LKS_OK;
}
