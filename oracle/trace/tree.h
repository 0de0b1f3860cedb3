/* The Merkle trees of docs/SPEC.md: weights, program, tokenizer, RoPE table and trace are all of
 * one shape.
 *
 * A tree has items (a tensor, an operation's output); an item has rows; a row is cut into chunks of
 * 1,024 bytes, the last may be shorter. L2(n) = 0 for n <= 1, else the number of bits of n - 1 leaf
 * keccak256(tag leaf || the chunk's bytes) node   keccak256(tag node || height || left || right)
 * inside an item; a leaf has height 0 top    keccak256(tag top || height || left || right) above
 * items; an item's root has height 0 pad    keccak256(tag pad || height), keccak256(tag top pad ||
 * height): a node whose first leaf or item, by position, is out of range A row has 1 << L2(chunks)
 * leaf places, an item 1 << L2(rows) row places, the tree 1 << L2(items) item places. Tag bytes are
 * 8 * tree + role. shape.h says where an item's rows lie, openings.h makes nodes from leaves.
 */
#ifndef LKS_ORACLE_TRACE_TREE_H
#define LKS_ORACLE_TRACE_TREE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_CHUNK_SIZE 1024
#define LKS_TREE_MAX_BITS 40

typedef enum lks_tree {
    LKS_TREE_TRACE = 1,
    LKS_TREE_WEIGHTS = 2,
    LKS_TREE_PROGRAM = 3,
    LKS_TREE_TOKENIZER = 4,
    LKS_TREE_ROPE = 5
} lks_tree;

typedef enum lks_tree_role {
    LKS_ROLE_LEAF = 0,
    LKS_ROLE_NODE = 1,
    LKS_ROLE_TOP = 2,
    LKS_ROLE_PAD = 3,
    LKS_ROLE_TOP_PAD = 4
} lks_tree_role;

unsigned lks_log2_ceil(uint64_t n);

void lks_tree_leaf(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len);
/* Out: the leaf hashes of `count` rows that lie one behind the other, row by row, a row's chunks in
 * order. */
void lks_tree_leaves(uint8_t (*hashes)[32], lks_tree tree, const void *rows, size_t row_size,
                     size_t count);
/* role: LKS_ROLE_NODE or LKS_ROLE_TOP. hash32 may be left or right. */
void lks_tree_node(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height,
                   const uint8_t left32[32], const uint8_t right32[32]);
/* hashes[i] = the node of children 2 i and 2 i + 1, for i < count, 2 * count children; hashes may
 * be children. */
void lks_tree_parents(uint8_t (*hashes)[32], lks_tree tree, lks_tree_role role, unsigned height,
                      const uint8_t (*children)[32], size_t count);
/* role: LKS_ROLE_PAD or LKS_ROLE_TOP_PAD; height below 64. */
void lks_tree_pad(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height);

#ifdef __cplusplus
}
#endif
#endif
