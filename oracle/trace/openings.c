#include "oracle/trace/openings.h"

#include <assert.h>
#include <string.h>

/* Subtrees of this height are hashed level by level in one array; above them, node by node. */
enum {
    BLOCK_HEIGHT = 10,
    BLOCK = 1 << BLOCK_HEIGHT,
    MAX_HEIGHT = 64
};

typedef struct source {
    lks_tree tree;
    lks_tree_role role; /* LKS_ROLE_NODE or LKS_ROLE_TOP */
    const lks_shape *shape;
    const uint8_t (*leaves)[32];
} source;

static void pad(uint8_t hash32[32], const source *s, unsigned height)
{
    lks_tree_pad(hash32, s->tree, s->role == LKS_ROLE_TOP ? LKS_ROLE_TOP_PAD : LKS_ROLE_PAD,
                 height);
}

/* The leaves of `rows` rows in range from the first-th on, and the padding after each. present:
 * which of these places are in range. */
static void put_rows(uint8_t (*nodes)[32], bool *present, const source *s, uint64_t first,
                     size_t rows)
{
    size_t chunks = s->shape->chunks, places = (size_t)1 << s->shape->chunk_bits;
    if (chunks == places) {
        memcpy(nodes, s->leaves[first * chunks], rows * chunks * 32);
        memset(present, true, rows * chunks);
        return;
    }
    for (size_t r = 0; r < rows; r++, nodes += places, present += places) {
        memcpy(nodes, s->leaves[(first + r) * chunks], chunks * 32);
        memset(present, true, chunks);
        for (size_t c = chunks; c < places; c++)
            pad(nodes[c], s, 0);
    }
}

/* The leaves of places [first, first + count), part of a row or whole rows, of which the first is
 * in range. present: which are; false before. Returns: places up to the last that is; behind it
 * nothing was put. */
static size_t put_leaves(uint8_t (*nodes)[32], bool *present, const source *s, uint64_t first,
                         size_t count)
{
    const lks_shape *shape = s->shape;
    uint64_t row = first >> shape->chunk_bits,
             chunk = first & (((uint64_t)1 << shape->chunk_bits) - 1);
    size_t rows = count >> shape->chunk_bits, used = 0;
    if (rows == 0) {
        used = shape->chunks - chunk < count ? shape->chunks - chunk : count;
        memcpy(nodes,
               s->leaves[lks_shape_row_ordinal(shape, (uint32_t)row) * shape->chunks + chunk],
               used * 32);
        memset(present, true, used);
    }
    for (size_t r = 0; r < rows;) {
        uint64_t position =
            shape->heads ? (row + r) & (((uint64_t)1 << shape->position_bits) - 1) : row + r;
        if (!lks_shape_node(shape, 0, (row + r) << shape->chunk_bits)) { /* between two heads, or
                                                                            behind everything */
            pad(nodes[r << shape->chunk_bits], s, 0);
            for (size_t c = 1; c < (size_t)1 << shape->chunk_bits; c++)
                memcpy(nodes[(r << shape->chunk_bits) + c], nodes[r << shape->chunk_bits], 32);
            r++;
            continue;
        }
        size_t run = shape->rows - position < rows - r ? shape->rows - position : rows - r;
        put_rows(nodes + (r << shape->chunk_bits), present + (r << shape->chunk_bits), s,
                 lks_shape_row_ordinal(shape, (uint32_t)(row + r)), run);
        r += run;
        used = r << shape->chunk_bits;
    }
    return used;
}

/* A node of at most BLOCK_HEIGHT. */
static void block(uint8_t hash32[32], const source *s, unsigned height, uint64_t index)
{
    uint8_t nodes[BLOCK][32];
    bool present[BLOCK] = {false};
    if (!lks_shape_node(s->shape, height, index)) {
        pad(hash32, s, height);
        return;
    }
    size_t used = put_leaves(nodes, present, s, index << height, (size_t)1 << height);
    for (unsigned h = 1; h <= height; h++) {
        if (used & 1)
            pad(nodes[used], s, h - 1);
        used = (used + 1) / 2;
        lks_tree_parents(nodes, s->tree, s->role, h, nodes, used);
        for (size_t i = 0; i < used; i++)
            if (!(present[i] = present[2 * i])) /* a node's first leaf is its left child's */
                pad(nodes[i], s, h);
    }
    memcpy(hash32, nodes[0], 32);
}

/* From left to right: `waiting` holds the left sibling of each level that has no right one yet. */
static void node(uint8_t hash32[32], const source *s, unsigned height, uint64_t index)
{
    uint8_t waiting[MAX_HEIGHT][32];
    assert(height < MAX_HEIGHT);
    if (height <= BLOCK_HEIGHT) {
        block(hash32, s, height, index);
        return;
    }
    if (!lks_shape_node(s->shape, height, index)) {
        pad(hash32, s, height);
        return;
    }
    uint64_t blocks = (uint64_t)1 << (height - BLOCK_HEIGHT),
             first = index << (height - BLOCK_HEIGHT);
    for (uint64_t i = 0; i < blocks; i++) {
        unsigned level = 0;
        block(hash32, s, BLOCK_HEIGHT, first + i);
        for (; i >> level & 1; level++) {
            unsigned h = BLOCK_HEIGHT + level + 1;
            if (lks_shape_node(s->shape, h, (first + i) >> (level + 1)))
                lks_tree_node(hash32, s->tree, s->role, h, waiting[level], hash32);
            else
                pad(hash32, s, h);
        }
        memcpy(waiting[level], hash32, 32);
    }
}

void lks_item_node(uint8_t hash32[32], lks_tree tree, const lks_shape *s,
                   const uint8_t (*leaves)[32], unsigned height, uint64_t index)
{
    source from = {.tree = tree, .role = LKS_ROLE_NODE, .shape = s, .leaves = leaves};
    node(hash32, &from, height, index);
}

void lks_top_node(uint8_t hash32[32], lks_tree tree, const uint8_t (*roots)[32], uint32_t count,
                  unsigned height, uint64_t index)
{
    lks_shape places;
    lks_shape_rows(&places, 1, count);
    source from = {.tree = tree, .role = LKS_ROLE_TOP, .shape = &places, .leaves = roots};
    node(hash32, &from, height, index);
}

lks_err lks_opening_path(uint8_t (*path)[32], size_t *count, uint64_t first, uint64_t end,
                         unsigned height, uint32_t item, uint32_t items, lks_node_source from,
                         void *user)
{
    lks_err err = LKS_OK;
    unsigned top = items ? lks_log2_ceil(items) : 0;
    *count = 0;
    for (unsigned h = 0; !err && h < height; h++) {
        if (first & 1)
            err = from(user, path[(*count)++], false, h, first - 1);
        if (!err && (end & 1))
            err = from(user, path[(*count)++], false, h, end);
        first /= 2;
        end = (end + 1) / 2;
    }
    for (unsigned h = 0; !err && h < top; h++)
        err = from(user, path[(*count)++], true, h, (item >> h) ^ 1);
    return err;
}

size_t lks_opening_path_count(uint64_t first, uint64_t end, unsigned height, uint32_t items)
{
    size_t count = items ? lks_log2_ceil(items) : 0;
    for (unsigned h = 0; h < height; h++) {
        count += (first & 1) + (end & 1);
        first /= 2;
        end = (end + 1) / 2;
    }
    return count;
}

bool lks_opening_root(uint8_t root32[32], lks_tree tree, uint8_t (*hashes)[32], uint64_t first,
                      uint64_t end, unsigned height, uint32_t item, uint32_t items,
                      const uint8_t (*path)[32], size_t count)
{
    if (height > 63 || first >= end || end > (uint64_t)1 << height ||
        count != lks_opening_path_count(first, end, height, items))
        return false;
    for (unsigned h = 0; h < height; h++) {
        /* out <= in, so that a level may be written over the one below */
        size_t in = 0, out = 0, have = (size_t)(end - first);
        if (first & 1) {
            lks_tree_node(hashes[out++], tree, LKS_ROLE_NODE, h + 1, *path, hashes[in]);
            path++, in++;
        }
        for (; in + 1 < have; in += 2)
            lks_tree_node(hashes[out++], tree, LKS_ROLE_NODE, h + 1, hashes[in], hashes[in + 1]);
        if (in < have) {
            lks_tree_node(hashes[out++], tree, LKS_ROLE_NODE, h + 1, hashes[in], *path);
            path++;
        }
        first /= 2;
        end = (end + 1) / 2;
        assert(out == end - first);
    }
    memcpy(root32, hashes[0], 32);
    for (unsigned h = 0; items && h < lks_log2_ceil(items); h++, path++)
        if (item >> h & 1)
            lks_tree_node(root32, tree, LKS_ROLE_TOP, h + 1, *path, root32);
        else
            lks_tree_node(root32, tree, LKS_ROLE_TOP, h + 1, root32, *path);
    return true;
}
