#include "oracle/commit.h"

#include "chain/keccak.h"
#include "kernels/half.h"
#include "oracle/tree.h"

#include <stdlib.h>
#include <string.h>

typedef struct meter {
    lks_commit_progress progress;
    void *user;
    uint64_t done, total, shown;
} meter;

static void advance(meter *m, uint64_t bytes)
{
    m->done += bytes;
    if (m->progress && (m->done - m->shown > m->total / 100 || m->done == m->total)) {
        m->shown = m->done;
        m->progress(m->user, m->done, m->total);
    }
}

static void weights_root(uint8_t root32[32], const lks_program *p, meter *m)
{
    lks_joiner top;
    lks_joiner_init(&top, LKS_TREE_WEIGHTS, LKS_ROLE_TOP, 0);
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        const lks_gguf_tensor *t = p->tensors[i];
        lks_joiner rows;
        uint8_t hash[32];
        lks_joiner_init(&rows, LKS_TREE_WEIGHTS, LKS_ROLE_NODE, lks_tree_row_height(t->row_size));
        for (uint64_t r = 0; r < t->dims[1]; r++) {
            lks_tree_row(hash, LKS_TREE_WEIGHTS, t->data + r * t->row_size, t->row_size);
            lks_joiner_push(&rows, hash);
            advance(m, t->row_size);
        }
        lks_joiner_finish(&rows, lks_log2_ceil(t->dims[1]), hash);
        lks_joiner_push(&top, hash);
    }
    lks_joiner_finish(&top, lks_log2_ceil(p->tensor_count), root32);
}

/* A tree of one item has that item's root as its root. */
static void program_root(uint8_t root32[32], const lks_program *p)
{
    lks_joiner rows;
    lks_joiner_init(&rows, LKS_TREE_PROGRAM, LKS_ROLE_NODE, lks_tree_row_height(LKS_DESCRIPTOR_SIZE));
    for (uint32_t i = 0; i < p->op_count; i++) {
        uint8_t descriptor[LKS_DESCRIPTOR_SIZE], hash[32];
        lks_op_encode(descriptor, &p->ops[i]);
        lks_tree_row(hash, LKS_TREE_PROGRAM, descriptor, sizeof descriptor);
        lks_joiner_push(&rows, hash);
    }
    lks_joiner_finish(&rows, lks_log2_ceil(p->op_count), root32);
}

/* One row: every metadata pair whose key begins with "tokenizer.", as stored in the file, in the file's order. */
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
        if (pass == 0 && !(bytes = malloc(size)))
            return lks_fail(LKS_NOMEM, "out of memory");
    }
    lks_tree_row(root32, LKS_TREE_TOKENIZER, bytes, size);
    free(bytes);
    return LKS_OK;
}

static lks_err rope_root(uint8_t root32[32], const lks_model *m)
{
    uint32_t width = m->program.rope_width;
    uint8_t *row = malloc(4 * (size_t)width);
    if (!row)
        return lks_fail(LKS_NOMEM, "out of memory");
    lks_joiner rows;
    lks_joiner_init(&rows, LKS_TREE_ROPE, LKS_ROLE_NODE, lks_tree_row_height(4 * (size_t)width));
    for (uint32_t r = 0; r < m->program.max_positions; r++) {
        uint8_t hash[32];
        for (uint32_t i = 0; i < width; i++)
            lks_store_le32(row + 4 * i, lks_bits(m->rope[(size_t)r * width + i]));
        lks_tree_row(hash, LKS_TREE_ROPE, row, 4 * (size_t)width);
        lks_joiner_push(&rows, hash);
    }
    lks_joiner_finish(&rows, lks_log2_ceil(m->program.max_positions), root32);
    free(row);
    return LKS_OK;
}

/* ---- abi.encode(ModelCommitment) ---- */

static void put_word(uint8_t **p, uint32_t value)
{
    memset(*p, 0, 28);
    for (int i = 0; i < 4; i++)
        (*p)[28 + i] = (uint8_t)(value >> (24 - 8 * i));
    *p += 32;
}

static void put_hash(uint8_t **p, const uint8_t hash32[32])
{
    memcpy(*p, hash32, 32);
    *p += 32;
}

/* The one argument is a struct with a dynamic member: an offset to it, its head (whose last word is the list's offset), the list. */
static void model_id(lks_commitment *c)
{
    enum { HEAD = 12 };
    uint8_t bytes[32 * (1 + HEAD + 1 + LKS_MAX_EOS)], *p = bytes;
    put_word(&p, 32);
    put_word(&p, c->arithmetic_version);
    put_hash(&p, c->weights_root);
    put_hash(&p, c->program_root);
    put_hash(&p, c->tokenizer_hash);
    put_hash(&p, c->rope_root);
    put_word(&p, c->op_count);
    put_word(&p, c->tensor_count);
    put_word(&p, c->sampler_op);
    put_word(&p, c->vocab_size);
    put_word(&p, c->context_length);
    put_word(&p, c->max_positions);
    put_word(&p, 32 * HEAD);
    put_word(&p, c->eos_count);
    for (uint32_t i = 0; i < c->eos_count; i++)
        put_word(&p, c->eos_ids[i]);
    lks_keccak256(c->model_id, bytes, (size_t)(p - bytes));
}

lks_err lks_commitment_make(lks_commitment *out, const lks_model *m, lks_commit_progress progress, void *user)
{
    const lks_program *p = &m->program;
    memset(out, 0, sizeof *out);
    meter bytes = {.progress = progress, .user = user};
    for (uint32_t i = 0; i < p->tensor_count; i++)
        bytes.total += p->tensors[i]->row_size * p->tensors[i]->dims[1];
    lks_err err = tokenizer_root(out->tokenizer_hash, m->file);
    if (!err)
        err = rope_root(out->rope_root, m);
    if (err)
        return err;
    program_root(out->program_root, p);
    weights_root(out->weights_root, p, &bytes);
    out->arithmetic_version = LKS_ARITHMETIC_VERSION;
    out->op_count = p->op_count;
    out->tensor_count = p->tensor_count;
    out->sampler_op = p->op_count - 1;
    out->vocab_size = p->vocab_size;
    out->context_length = p->context_length;
    out->max_positions = p->max_positions;
    out->eos_count = (uint32_t)lks_tokenizer_eos(m->tokenizer, out->eos_ids);
    model_id(out);
    return LKS_OK;
}
