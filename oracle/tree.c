#include "oracle/tree.h"

#include "chain/keccak.h"

#include <assert.h>
#include <string.h>

unsigned lks_log2_ceil(uint64_t n)
{
    unsigned bits = 0;
    while (bits < 63 && ((uint64_t)1 << bits) < n)
        bits++;
    return bits;
}

static uint8_t tag(lks_tree tree, lks_tree_role role) { return (uint8_t)(8 * (unsigned)tree + (unsigned)role); }

void lks_tree_leaf(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len)
{
    lks_keccak ctx;
    uint8_t t = tag(tree, LKS_ROLE_LEAF);
    lks_keccak_init(&ctx);
    lks_keccak_update(&ctx, &t, 1);
    lks_keccak_update(&ctx, bytes, len);
    lks_keccak_final(&ctx, hash32);
}

void lks_tree_leaves(uint8_t (*hashes)[32], lks_tree tree, const void *rows, size_t row_size, size_t count)
{
    const uint8_t *p = rows;
    for (size_t r = 0; r < count; r++, p += row_size)
        for (size_t i = 0; i < row_size; i += LKS_CHUNK_SIZE)
            lks_tree_leaf(*hashes++, tree, p + i, row_size - i < LKS_CHUNK_SIZE ? row_size - i : LKS_CHUNK_SIZE);
}

void lks_tree_node(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height, const uint8_t left32[32], const uint8_t right32[32])
{
    uint8_t bytes[66] = {tag(tree, role), (uint8_t)height};
    memcpy(bytes + 2, left32, 32);
    memcpy(bytes + 34, right32, 32);
    lks_keccak256(hash32, bytes, sizeof bytes);
}

void lks_tree_pad(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height)
{
    uint8_t bytes[2] = {tag(tree, role), (uint8_t)height};
    lks_keccak256(hash32, bytes, sizeof bytes);
}

void lks_joiner_init(lks_joiner *j, lks_tree tree, lks_tree_role role, unsigned base)
{
    memset(j, 0, sizeof *j);
    j->tree = tree;
    j->role = role;
    j->base = base;
}

void lks_joiner_push(lks_joiner *j, const uint8_t hash32[32])
{
    uint8_t node[32];
    unsigned level = 0;
    memcpy(node, hash32, 32);
    for (; j->count >> level & 1; level++)
        lks_tree_node(node, j->tree, j->role, j->base + level + 1, j->pending[level], node);
    assert(level <= LKS_TREE_MAX_BITS);
    memcpy(j->pending[level], node, 32);
    j->count++;
}

void lks_joiner_finish(lks_joiner *j, unsigned bits, uint8_t root32[32])
{
    assert(j->count >= 1 && bits <= LKS_TREE_MAX_BITS && j->count <= (uint64_t)1 << bits);
    lks_tree_role pad_role = j->role == LKS_ROLE_TOP ? LKS_ROLE_TOP_PAD : LKS_ROLE_PAD;
    if (j->count == (uint64_t)1 << bits) {
        memcpy(root32, j->pending[bits], 32);
        return;
    }
    /* From the lowest waiting node upwards: `node` is the part of the tree that is not full. */
    uint8_t node[32], pad[32];
    unsigned level = 0;
    while (!(j->count >> level & 1))
        level++;
    memcpy(node, j->pending[level], 32);
    lks_tree_pad(pad, j->tree, pad_role, j->base + level);
    lks_tree_node(node, j->tree, j->role, j->base + level + 1, node, pad);
    for (level++; level < bits; level++) {
        if (j->count >> level & 1) {
            lks_tree_node(node, j->tree, j->role, j->base + level + 1, j->pending[level], node);
        } else {
            lks_tree_pad(pad, j->tree, pad_role, j->base + level);
            lks_tree_node(node, j->tree, j->role, j->base + level + 1, node, pad);
        }
    }
    memcpy(root32, node, 32);
}

unsigned lks_tree_row_height(size_t len) { return lks_log2_ceil((len + LKS_CHUNK_SIZE - 1) / LKS_CHUNK_SIZE); }

void lks_tree_row(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len)
{
    assert(len);
    lks_joiner j;
    const uint8_t *p = bytes;
    lks_joiner_init(&j, tree, LKS_ROLE_NODE, 0);
    for (size_t i = 0; i < len; i += LKS_CHUNK_SIZE) {
        lks_tree_leaf(hash32, tree, p + i, len - i < LKS_CHUNK_SIZE ? len - i : LKS_CHUNK_SIZE);
        lks_joiner_push(&j, hash32);
    }
    lks_joiner_finish(&j, lks_tree_row_height(len), hash32);
}

void lks_tree_item(uint8_t root32[32], lks_tree tree, const void *bytes, size_t row_size, uint64_t rows)
{
    lks_joiner j;
    const uint8_t *p = bytes;
    lks_joiner_init(&j, tree, LKS_ROLE_NODE, lks_tree_row_height(row_size));
    for (uint64_t r = 0; r < rows; r++, p += row_size) {
        uint8_t row[32];
        lks_tree_row(row, tree, p, row_size);
        lks_joiner_push(&j, row);
    }
    lks_joiner_finish(&j, lks_log2_ceil(rows), root32);
}
