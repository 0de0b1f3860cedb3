/* The Merkle trees of docs/SPEC.md: weights, program, tokenizer, RoPE table and trace are all of one shape.
 *
 * A tree has items (a tensor, an operation's output); an item has rows; a row is cut into chunks of 1,024 bytes, the last may be shorter.
 *   L2(n) = 0 for n <= 1, else the number of bits of n - 1
 *   leaf   keccak256(tag leaf || the chunk's bytes)
 *   node   keccak256(tag node || height || left || right)    inside an item; a leaf has height 0
 *   top    keccak256(tag top || height || left || right)     above items; an item's root has height 0
 *   pad    keccak256(tag pad || height), keccak256(tag top pad || height): a node whose first leaf or item, by position, is out of range
 * A row has 1 << L2(chunks) leaf places, an item 1 << L2(rows) row places, the tree 1 << L2(items) item places.
 * Tag bytes are 8 * tree + role.
 */
#ifndef LKS_ORACLE_TREE_H
#define LKS_ORACLE_TREE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LKS_CHUNK_SIZE 1024
#define LKS_TREE_MAX_BITS 40

typedef enum lks_tree { LKS_TREE_TRACE = 1, LKS_TREE_WEIGHTS = 2, LKS_TREE_PROGRAM = 3, LKS_TREE_TOKENIZER = 4, LKS_TREE_ROPE = 5 } lks_tree;

typedef enum lks_tree_role { LKS_ROLE_LEAF = 0, LKS_ROLE_NODE = 1, LKS_ROLE_TOP = 2, LKS_ROLE_PAD = 3, LKS_ROLE_TOP_PAD = 4 } lks_tree_role;

unsigned lks_log2_ceil(uint64_t n);

void lks_tree_leaf(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len);
/* Out: the leaf hashes of `count` rows that lie one behind the other, row by row, a row's chunks in order. */
void lks_tree_leaves(uint8_t (*hashes)[32], lks_tree tree, const void *rows, size_t row_size, size_t count);
/* role: LKS_ROLE_NODE or LKS_ROLE_TOP. hash32 may be left or right. */
void lks_tree_node(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height, const uint8_t left32[32], const uint8_t right32[32]);
/* role: LKS_ROLE_PAD or LKS_ROLE_TOP_PAD. */
void lks_tree_pad(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height);

/* Joins equal subtrees from left to right into one tree, with padding behind the last. */
typedef struct lks_joiner {
    lks_tree tree;
    lks_tree_role role; /* LKS_ROLE_NODE or LKS_ROLE_TOP */
    unsigned base;      /* height of what is pushed */
    uint64_t count;
    uint8_t pending[LKS_TREE_MAX_BITS + 1][32]; /* the left sibling that waits at each level */
} lks_joiner;

void lks_joiner_init(lks_joiner *j, lks_tree tree, lks_tree_role role, unsigned base);
void lks_joiner_push(lks_joiner *j, const uint8_t hash32[32]);
/* Out: the root over 1 << bits places; at least one was pushed and at most 1 << bits. */
void lks_joiner_finish(lks_joiner *j, unsigned bits, uint8_t root32[32]);

/* The root of one row's chunks, of height L2(chunks). len >= 1. */
void lks_tree_row(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len);
unsigned lks_tree_row_height(size_t len);

/* The root of an item whose `rows` rows of row_size bytes lie one behind the other. */
void lks_tree_item(uint8_t root32[32], lks_tree tree, const void *bytes, size_t row_size, uint64_t rows);

#ifdef __cplusplus
}
#endif
#endif
