/* Nodes and openings of any tree of docs/SPEC.md from the hashes of its leaves: the trace's and a
 * model's trees are opened by one code.
 *
 * Leaf hashes lie without gaps: row by row in range (lks_shape_row_ordinal), a row's chunks in
 * order; padding is not stored.
 */
#ifndef LKS_ORACLE_TRACE_OPENINGS_H
#define LKS_ORACLE_TRACE_OPENINGS_H

#include "chain/err.h"
#include "oracle/trace/shape.h"
#include "oracle/trace/tree.h"

/* Out: the node (height, index) of an item: computed from the leaves below it, or padding. Costs a
 * hash a node below. */
void lks_item_node(uint8_t hash32[32], lks_tree tree, const lks_shape *s,
                   const uint8_t (*leaves)[32], unsigned height, uint64_t index);
/* Out: the node (height, index) of the tree above `count` items' roots, which have height 0. */
void lks_top_node(uint8_t hash32[32], lks_tree tree, const uint8_t (*roots)[32], uint32_t count,
                  unsigned height, uint64_t index);

/* Where a path's hashes come from: node (height, index) of the item, or (top) of the tree above
 * items. An error ends the path. */
typedef lks_err (*lks_node_source)(void *user, uint8_t hash32[32], bool top, unsigned height,
                                   uint64_t index);

#define LKS_PATH_MAX (2 * LKS_TREE_MAX_BITS + 32)

/* The hashes beside the way of places [first, end) up to the root (docs/SPEC.md, section 13).
 * height: of the item. items: number of items of the tree, 0 where there is no tree above them.
 * Out: path, room for LKS_PATH_MAX; *count. Returns: LKS_OK; what the source returns. */
LKS_MUST_USE
lks_err lks_opening_path(uint8_t (*path)[32], size_t *count, uint64_t first, uint64_t end,
                         unsigned height, uint32_t item, uint32_t items, lks_node_source source,
                         void *user);

/* Number of hashes in that path. */
size_t lks_opening_path_count(uint64_t first, uint64_t end, unsigned height, uint32_t items);

/* The way up: hashes of the leaves [first, end), which are overwritten, and a path to the root.
 * Returns: false when the path is too long or too short, or the range is empty or leaves the item.
 */
bool lks_opening_root(uint8_t root32[32], lks_tree tree, uint8_t (*hashes)[32], uint64_t first,
                      uint64_t end, unsigned height, uint32_t item, uint32_t items,
                      const uint8_t (*path)[32], size_t count);

#endif
