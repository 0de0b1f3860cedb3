#include "tests/proof/run_tree.h"

#include "oracle/trace/openings.h"

static size_t leaf_slot(const lks_shape *s, uint32_t leaf)
{
    return (size_t)lks_shape_row_ordinal(s, leaf >> s->chunk_bits) * s->chunks +
           (leaf & ((1u << s->chunk_bits) - 1));
}

static void hash_leaf(run_tree *t, uint32_t op, uint32_t leaf)
{
    uint32_t size;
    const uint8_t *bytes = run_rows_leaf(t->rows, op, leaf, &size);
    if (bytes)
        lks_tree_leaf(t->leaves[op][leaf_slot(&t->rows->shapes[op], leaf)], LKS_TREE_TRACE, bytes,
                      size);
}

static void hash_root(run_tree *t, uint32_t op)
{
    const lks_shape *s = &t->rows->shapes[op];
    lks_item_node(t->roots[op], LKS_TREE_TRACE, s, (const uint8_t(*)[32])t->leaves[op], s->height,
                  0);
}

void run_tree_make(run_tree *t, run_rows *rows)
{
    t->rows = rows;
    t->leaves = calloc(rows->facts.op_count, sizeof *t->leaves);
    t->roots = calloc(rows->facts.op_count, sizeof *t->roots);
    assert_non_null(t->leaves);
    assert_non_null(t->roots);
    for (uint32_t op = 0; op < rows->facts.op_count; op++) {
        const lks_shape *s = &rows->shapes[op];
        t->leaves[op] =
            calloc((size_t)s->rows * (s->heads ? s->heads : 1) * s->chunks, sizeof **t->leaves);
        assert_non_null(t->leaves[op]);
        for (uint32_t leaf = 0; leaf < run_rows_places(rows, op); leaf++)
            hash_leaf(t, op, leaf);
        hash_root(t, op);
    }
}

void run_tree_free(run_tree *t)
{
    for (uint32_t op = 0; op < t->rows->facts.op_count; op++)
        free(t->leaves[op]);
    free(t->leaves);
    free(t->roots);
}

void run_tree_update(run_tree *t, uint32_t op, uint32_t leaf)
{
    hash_leaf(t, op, leaf);
    hash_root(t, op);
}

void run_tree_node(uint8_t hash32[32], const run_tree *t, uint32_t op, unsigned height,
                   uint64_t index)
{
    if (op == LKS_TOP)
        lks_top_node(hash32, LKS_TREE_TRACE, (const uint8_t(*)[32])t->roots,
                     t->rows->facts.op_count, height, index);
    else
        lks_item_node(hash32, LKS_TREE_TRACE, &t->rows->shapes[op],
                      (const uint8_t(*)[32])t->leaves[op], height, index);
}

void run_tree_root(uint8_t hash32[32], const run_tree *t)
{
    run_tree_node(hash32, t, LKS_TOP, lks_log2_ceil(t->rows->facts.op_count), 0);
}

/* ---- Reveals ---- */

static lks_known_node *add(revealed *out)
{
    out->nodes = realloc(out->nodes, (out->known.node_count + 1) * sizeof *out->nodes);
    assert_non_null(out->nodes);
    return &out->nodes[out->known.node_count++];
}

/* The children of each stage from the tree's root, of this height, down to `index` at height 0. */
static void reveal_stages(revealed *out, const run_tree *t, uint32_t op, unsigned height,
                          uint64_t index)
{
    while (height) {
        unsigned step = height < 5 ? height : 5;
        uint64_t first = index >> height << step;
        height -= step;
        for (uint64_t i = first; i < first + (1u << step); i++) {
            lks_known_node *n = add(out);
            bool root = op == LKS_TOP && height == 0 && i < t->rows->facts.op_count;
            *n = root ? (lks_known_node){.op = (uint32_t)i, .height = t->rows->shapes[i].height}
                      : (lks_known_node){.op = op, .height = height, .index = i};
            run_tree_node(n->hash, t, n->op, n->height, n->index);
        }
    }
}

void reveal_leaf(revealed *out, const run_tree *t, uint32_t op, uint32_t leaf)
{
    uint32_t size;
    memset(out, 0, sizeof *out);
    lks_known_node *root = add(out);
    *root = (lks_known_node){.op = LKS_TOP, .height = lks_log2_ceil(t->rows->facts.op_count)};
    run_tree_root(root->hash, t);
    reveal_stages(out, t, LKS_TOP, root->height, op);
    reveal_stages(out, t, op, t->rows->shapes[op].height, leaf);
    out->leaf.op = op;
    out->leaf.leaf = leaf;
    out->leaf.bytes = run_rows_leaf(t->rows, op, leaf, &size);
    out->leaf.len = size;
    out->known.nodes = out->nodes;
    out->known.leaves = &out->leaf;
    out->known.leaf_count = 1;
}

void revealed_free(revealed *r)
{
    free(r->nodes);
}

void run_tree_claim(lks_witness_claim *out, const run_tree *t)
{
    const lks_run *run = t->rows->run;
    out->facts = t->rows->facts;
    run_tree_root(out->trace_root, t);
    tiny_tokens_hash(out->prompt_hash, run->prompt, run->prompt_count);
    tiny_tokens_hash(out->tokens_hash, run->answer, run->answer_count);
    tiny_tokens_hash(out->allowed_hash, run->policy.allowed, run->policy.allowed_count);
}
