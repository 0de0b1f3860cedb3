/* The way down the operator's tree along the first difference, as far as the operator has shown it.
 */
#ifndef LKS_ORACLE_DISPUTE_PLAYER_WALK_H
#define LKS_ORACLE_DISPUTE_PLAYER_WALK_H

#include "oracle/dispute/player.h"

#define LKS_MAX_CHILDREN 32u
/* Stages of both trees on one way down: heights are at most LKS_TREE_MAX_BITS within an operation
 * and 16 above. */
#define LKS_MAX_STAGES (LKS_TREE_MAX_BITS / 5 + 1 + 4)

/* A node. An operation's root is named (operation, its item's height, 0), never (LKS_TOP, 0,
 * operation). */
typedef struct lks_place {
    uint32_t op;
    unsigned height;
    uint64_t index;
} lks_place;

lks_place lks_place_make(const lks_trace *own, uint32_t op, unsigned height, uint64_t index);
/* The root of the whole trace. */
lks_place lks_place_top(const lks_trace *own);
/* Whether a dispute can stand there: at a stage of a tree of the trace, and not on padding. */
bool lks_place_exists(const lks_trace *own, const lks_place *p);
bool lks_place_is(const lks_place *a, const lks_place *b);
static inline bool lks_place_is_leaf(const lks_place *p)
{
    return p->op != LKS_TOP && p->height == 0;
}

/* One step of the way: a node, its revealed children, and which of them the way goes to. */
typedef struct lks_walk_stage {
    lks_place parent;
    uint32_t count, taken;
    uint8_t children[LKS_MAX_CHILDREN][32];
} lks_walk_stage;

typedef struct lks_walk {
    lks_place at; /* the deepest shown node on the way that differs from the own one */
    uint8_t hash[32];
    unsigned depth;
    lks_walk_stage stages[LKS_MAX_STAGES];
} lks_walk;

/* Goes from a node with that hash to the deepest shown node below it that differs from the own
 * trace's, always to the first child that differs. Returns: false when the node itself does not
 * differ, or its children, all shown, are the own ones. */
bool lks_walk_down(lks_walk *w, const lks_trace *own, const lks_shown *shown, const lks_place *from,
                   const uint8_t hash32[32]);

/* Out: hashes, room for LKS_WALK_PATH_MAX: those beside the way from `at` up to the parent of a
 * stage; *count. */
#define LKS_WALK_PATH_MAX (5 * LKS_MAX_STAGES)
void lks_walk_path(uint8_t (*hashes)[32], size_t *count, const lks_walk *w, const lks_trace *own,
                   unsigned from_stage);

/* Nodes that the operator has revealed on the path, and of the leaf at its end. A proof needs no
 * more: nodes left of the path equal those of our trace, and nodes right of it lie below siblings
 * of the path. So its cost does not grow with what other disputes have revealed. */
typedef struct lks_way_known {
    lks_known known;
    lks_known_node nodes[LKS_MAX_STAGES * LKS_MAX_CHILDREN];
    lks_known_leaf leaf;
} lks_way_known;
/* leaf: at the walk's end, or NULL. */
void lks_walk_known(lks_way_known *out, const lks_walk *w, const lks_known_leaf *leaf);

/* The first stage of the walk whose parent is the place; depth if there is none. */
unsigned lks_walk_find(const lks_walk *w, const lks_place *p);

#endif
