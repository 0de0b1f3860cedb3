/* The trees of a model's weights, program and RoPE table, with the hashes of their leaves. */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/trace/commit_internal.h"
#include "oracle/trace/openings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct item {
    lks_shape shape;
    uint8_t (*leaves)[32]; /* NULL: not kept */
} item;

struct lks_model_trees {
    lks_model_commitment commitment;
    uint32_t tensor_count;
    item *tensors;
    uint8_t (*tensor_roots)[32];
    item program, rope;
};

typedef struct hasher {
    const lks_model *model;
    bool keep;
    uint8_t (*leaves)[32]; /* of the item at hand, where they are not kept */
    lks_commit_progress progress;
    void *user;
    uint64_t done, total, shown;
} hasher;

/* Rows [first, first + count) of an item, one behind the other: where they lie, or `room` filled
 * with them. */
typedef const uint8_t *(*row_source)(uint8_t *room, const lks_model *m, uint32_t index,
                                     uint32_t first, uint32_t count);

static const uint8_t *tensor_rows(uint8_t *room, const lks_model *m, uint32_t index, uint32_t first,
                                  uint32_t count)
{
    (void)room;
    (void)count;
    const lks_gguf_tensor *t = m->program.tensors[index];
    return t->data + first * t->row_size;
}

static const uint8_t *descriptors(uint8_t *room, const lks_model *m, uint32_t index, uint32_t first,
                                  uint32_t count)
{
    (void)index;
    for (uint32_t i = 0; i < count; i++)
        lks_op_encode(room + i * LKS_DESCRIPTOR_SIZE, &m->program.ops[first + i]);
    return room;
}

static const uint8_t *rope_rows(uint8_t *room, const lks_model *m, uint32_t index, uint32_t first,
                                uint32_t count)
{
    (void)index;
    size_t width = m->program.rope_width;
    for (size_t i = 0; i < count * width; i++)
        lks_store_le32(room + 4 * i, lks_bits(m->rope[first * width + i]));
    return room;
}

static void advance(hasher *h, uint64_t bytes)
{
    h->done += bytes;
    if (h->progress && (h->done - h->shown > h->total / 100 || h->done == h->total)) {
        h->shown = h->done;
        h->progress(h->user, h->done, h->total);
    }
}

static uint64_t leaf_count(const lks_shape *s)
{
    return (uint64_t)s->rows * s->chunks;
}

/* Hashes an item's rows, some at a time. Out: its root, and its leaves where they are kept. */
static lks_err hash_item(hasher *h, uint8_t root32[32], item *it, lks_tree tree, uint32_t index,
                         row_source source)
{
    enum {
        AT_ONCE = 64
    };
    const lks_shape *s = &it->shape;
    uint8_t *room = source == tensor_rows ? NULL : malloc((size_t)AT_ONCE * s->row_size);
    uint8_t(*leaves)[32] = h->leaves;
    if (h->keep)
        leaves = it->leaves = malloc(leaf_count(s) * sizeof *leaves);
    if (!leaves || (!room && source != tensor_rows)) {
        free(room);
        return lks_fail(LKS_NOMEM, "out of memory for the hashes of the model");
    }
    for (uint32_t r = 0; r < s->rows; r += AT_ONCE) {
        uint32_t count = s->rows - r < AT_ONCE ? s->rows - r : AT_ONCE;
        lks_tree_leaves(leaves + (uint64_t)r * s->chunks, tree,
                        source(room, h->model, index, r, count), s->row_size, count);
        advance(h, (uint64_t)count * s->row_size);
    }
    lks_item_node(root32, tree, s, leaves, s->height, 0);
    free(room);
    return LKS_OK;
}

static lks_err hash_model(lks_model_trees *t, hasher *h)
{
    const lks_program *p = &h->model->program;
    lks_model_commitment *c = &t->commitment;
    lks_err err = LKS_OK;
    for (uint32_t i = 0; !err && i < p->tensor_count; i++)
        err = hash_item(h, t->tensor_roots[i], &t->tensors[i], LKS_TREE_WEIGHTS, i, tensor_rows);
    if (!err)
        err = hash_item(h, c->program_root, &t->program, LKS_TREE_PROGRAM, 0, descriptors);
    if (!err)
        err = hash_item(h, c->rope_root, &t->rope, LKS_TREE_ROPE, 0, rope_rows);
    if (err)
        return err;
    lks_top_node(c->weights_root, LKS_TREE_WEIGHTS, t->tensor_roots, p->tensor_count,
                 lks_log2_ceil(p->tensor_count), 0);
    return lks_commitment_seal(c, h->model);
}

/* The shapes, and with them what there is to hash. Returns: the number of leaves of the item that
 * has most. */
static uint64_t measure(lks_model_trees *t, hasher *h)
{
    const lks_program *p = &h->model->program;
    lks_shape_rows(&t->program.shape, LKS_DESCRIPTOR_SIZE, p->op_count);
    lks_shape_rows(&t->rope.shape, 4 * p->rope_width, p->max_positions);
    uint64_t most = leaf_count(&t->program.shape) > leaf_count(&t->rope.shape)
                        ? leaf_count(&t->program.shape)
                        : leaf_count(&t->rope.shape);
    h->total = (uint64_t)LKS_DESCRIPTOR_SIZE * p->op_count +
               (uint64_t)4 * p->rope_width * p->max_positions;
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        lks_shape *s = &t->tensors[i].shape;
        lks_shape_rows(s, (uint32_t)p->tensors[i]->row_size, (uint32_t)p->tensors[i]->dims[1]);
        h->total += (uint64_t)s->row_size * s->rows;
        most = leaf_count(s) > most ? leaf_count(s) : most;
    }
    return most;
}

lks_err lks_model_trees_build(lks_model_trees **out, const lks_model *m, bool keep,
                              lks_commit_progress progress, void *user)
{
    hasher h = {.model = m, .keep = keep, .progress = progress, .user = user};
    lks_model_trees *t = calloc(1, sizeof *t);
    lks_err err = LKS_OK;
    *out = NULL;
    if (t) {
        t->tensor_count = m->program.tensor_count;
        t->tensors = calloc(t->tensor_count, sizeof *t->tensors);
        t->tensor_roots = calloc(t->tensor_count, sizeof *t->tensor_roots);
    }
    if (!t || !t->tensors || !t->tensor_roots)
        err = lks_fail(LKS_NOMEM, "out of memory");
    for (uint32_t i = 0; !err && i < m->program.tensor_count; i++)
        if (!m->program.tensors[i]->data)
            err = lks_fail(LKS_BADARGS, "the trees of a settled model cannot be made");
    uint64_t most = err ? 0 : measure(t, &h);
    if (!err && !keep && !(h.leaves = malloc(most * sizeof *h.leaves)))
        err = lks_fail(LKS_NOMEM, "out of memory for the hashes of the model");
    if (!err)
        err = hash_model(t, &h);
    free(h.leaves);
    if (err)
        lks_model_trees_free(t);
    else
        *out = t;
    return err;
}

lks_err lks_model_trees_make(lks_model_trees **out, const lks_model *m)
{
    return lks_model_trees_build(out, m, true, NULL, NULL);
}

void lks_model_trees_free(lks_model_trees *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; t->tensors && i < t->tensor_count; i++)
        free(t->tensors[i].leaves);
    free(t->tensors);
    free(t->tensor_roots);
    free(t->program.leaves);
    free(t->rope.leaves);
    free(t);
}

const lks_model_commitment *lks_model_trees_commitment(const lks_model_trees *t)
{
    return &t->commitment;
}

/* ---- Openings ---- */

static const item *item_of(const lks_model_trees *t, lks_tree tree, uint32_t index)
{
    switch (tree) {
    case LKS_TREE_PROGRAM: return &t->program;
    case LKS_TREE_ROPE: return &t->rope;
    default: assert(tree == LKS_TREE_WEIGHTS && index < t->tensor_count); return &t->tensors[index];
    }
}

void lks_model_trees_shape(lks_shape *s, const lks_model_trees *t, lks_tree tree, uint32_t index)
{
    *s = item_of(t, tree, index)->shape;
}

bool lks_model_trees_match(const lks_model_trees *t, uint32_t tensor, uint32_t row, uint32_t first,
                           uint32_t end, const uint8_t *bytes)
{
    const item *it = item_of(t, LKS_TREE_WEIGHTS, tensor);
    for (uint32_t c = first; c < end; c++, bytes += LKS_CHUNK_SIZE) {
        uint8_t hash[32];
        uint32_t size;
        if (!lks_shape_leaf(&size, &it->shape, ((uint64_t)row << it->shape.chunk_bits) + c))
            return false;
        lks_tree_leaf(hash, LKS_TREE_WEIGHTS, bytes, size);
        if (memcmp(hash, it->leaves[(uint64_t)row * it->shape.chunks + c], 32))
            return false;
    }
    return true;
}

typedef struct place {
    const lks_model_trees *trees;
    lks_tree tree;
    const item *item;
} place;

static lks_err node_of(void *user, uint8_t hash32[32], bool top, unsigned height, uint64_t index)
{
    const place *p = user;
    if (top)
        lks_top_node(hash32, p->tree, p->trees->tensor_roots, p->trees->tensor_count, height,
                     index);
    else
        lks_item_node(hash32, p->tree, &p->item->shape, p->item->leaves, height, index);
    return LKS_OK;
}

void lks_model_trees_path(uint8_t (*path)[32], size_t *count, const lks_model_trees *t,
                          lks_tree tree, uint32_t index, uint64_t first, uint64_t end)
{
    place p = {t, tree, item_of(t, tree, index)};
    assert(p.item->leaves && first < end && end <= (uint64_t)1 << p.item->shape.height);
    lks_err err = lks_opening_path(path, count, first, end, p.item->shape.height, index,
                                   tree == LKS_TREE_WEIGHTS ? t->tensor_count : 0, node_of, &p);
    assert(!err);
    (void)err;
}
