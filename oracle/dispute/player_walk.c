#include "oracle/dispute/player_walk.h"

#include <string.h>

lks_place lks_place_make(const lks_trace *own, uint32_t op, unsigned height, uint64_t index)
{
    if (op != LKS_TOP || height != 0 || index >= lks_trace_model(own)->program.op_count)
        return (lks_place){op, height, index};
    lks_shape s;
    lks_trace_shape(&s, own, (uint32_t)index);
    return (lks_place){(uint32_t)index, s.height, 0};
}

lks_place lks_place_top(const lks_trace *own)
{
    return (lks_place){LKS_TOP, lks_log2_ceil(lks_trace_model(own)->program.op_count), 0};
}

bool lks_place_exists(const lks_trace *own, const lks_place *p)
{
    lks_shape s;
    uint32_t ops = lks_trace_model(own)->program.op_count;
    if (p->op == LKS_TOP)
        lks_shape_rows(&s, 1, ops);
    else if (p->op < ops)
        lks_trace_shape(&s, own, p->op);
    else
        return false;
    return lks_stage_is(p->height, s.height) && lks_shape_node(&s, p->height, p->index);
}

bool lks_place_is(const lks_place *a, const lks_place *b)
{
    return a->op == b->op && a->height == b->height && a->index == b->index;
}

/* Out: the shown children of a node. Returns: whether it has children and all of them are shown. */
static bool shown_children(lks_walk_stage *stage, const lks_known *known, const lks_place *parent)
{
    unsigned height;
    uint32_t seen = 0, count;
    if (!lks_stage_below(&height, &count, parent->height))
        return false;
    uint64_t first = parent->index * count;
    for (size_t i = 0; i < known->node_count; i++) {
        const lks_known_node *n = &known->nodes[i];
        if (n->op != parent->op || n->height != height || n->index < first ||
            n->index - first >= count)
            continue;
        memcpy(stage->children[n->index - first], n->hash, 32);
        seen |= UINT32_C(1) << (n->index - first);
    }
    stage->parent = *parent;
    stage->count = count;
    return seen == (count == 32 ? UINT32_MAX : (UINT32_C(1) << count) - 1);
}

/* The number of the first child that differs from the own one; count when all are equal. */
static uint32_t first_difference(const lks_walk_stage *stage, const lks_trace *own)
{
    unsigned height;
    uint32_t count;
    if (!lks_stage_below(&height, &count, stage->parent.height))
        return stage->count;
    for (uint32_t i = 0; i < stage->count; i++) {
        uint8_t mine[32];
        lks_trace_node(mine, own, stage->parent.op, height, stage->parent.index * count + i);
        if (memcmp(mine, stage->children[i], 32))
            return i;
    }
    return stage->count;
}

bool lks_walk_down(lks_walk *w, const lks_trace *own, const lks_shown *shown, const lks_place *from,
                   const uint8_t hash32[32])
{
    uint8_t mine[32];
    w->at = *from;
    w->depth = 0;
    memcpy(w->hash, hash32, 32);
    lks_trace_node(mine, own, from->op, from->height, from->index);
    if (memcmp(mine, hash32, 32) == 0)
        return false;
    while (w->depth < LKS_MAX_STAGES) {
        lks_walk_stage *stage = &w->stages[w->depth];
        if (!shown_children(stage, &shown->known, &w->at))
            return true;
        stage->taken = first_difference(stage, own);
        if (stage->taken == stage->count)
            return false;
        unsigned height;
        uint32_t count;
        lks_stage_below(&height, &count, w->at.height);
        memcpy(w->hash, stage->children[stage->taken], 32);
        w->at = lks_place_make(own, w->at.op, height, w->at.index * count + stage->taken);
        w->depth++;
    }
    return true;
}

unsigned lks_walk_find(const lks_walk *w, const lks_place *p)
{
    unsigned i = 0;
    while (i < w->depth && !lks_place_is(&w->stages[i].parent, p))
        i++;
    return i;
}

void lks_walk_known(lks_way_known *out, const lks_walk *w, const lks_known_leaf *leaf)
{
    out->known = (lks_known){.nodes = out->nodes, .leaves = &out->leaf, .leaf_count = leaf != NULL};
    if (leaf)
        out->leaf = *leaf;
    for (unsigned i = 0; i < w->depth; i++) {
        const lks_walk_stage *stage = &w->stages[i];
        unsigned height;
        uint32_t count;
        lks_stage_below(&height, &count, stage->parent.height);
        for (uint32_t k = 0; k < stage->count; k++) {
            lks_known_node *n = &out->nodes[out->known.node_count++];
            *n = (lks_known_node){
                .op = stage->parent.op, .height = height, .index = stage->parent.index * count + k};
            memcpy(n->hash, stage->children[k], 32);
        }
    }
}

/* The parent of two nodes of a tree, or padding where its first leaf or operation is out of range.
 */
static void join(uint8_t hash32[32], const lks_trace *own, uint32_t op, unsigned height,
                 uint64_t index, const uint8_t left[32], const uint8_t right[32])
{
    bool top = op == LKS_TOP, in_range;
    if (top) {
        in_range = index << height < lks_trace_model(own)->program.op_count;
    } else {
        lks_shape s;
        lks_trace_shape(&s, own, op);
        in_range = lks_shape_node(&s, height, index);
    }
    if (in_range)
        lks_tree_node(hash32, LKS_TREE_TRACE, top ? LKS_ROLE_TOP : LKS_ROLE_NODE, height, left,
                      right);
    else
        lks_tree_pad(hash32, LKS_TREE_TRACE, top ? LKS_ROLE_TOP_PAD : LKS_ROLE_PAD, height);
}

/* The hashes beside the way from the taken child up to the stage's parent. */
static size_t stage_path(uint8_t (*hashes)[32], const lks_walk_stage *stage, const lks_trace *own)
{
    uint8_t level[LKS_MAX_CHILDREN][32];
    uint32_t at = stage->taken, width = stage->count;
    size_t count = 0;
    unsigned height;
    uint32_t all;
    if (!lks_stage_below(&height, &all, stage->parent.height))
        return 0;
    uint64_t first = stage->parent.index * all;
    memcpy(level, stage->children, 32 * (size_t)width);
    while (width > 1) {
        memcpy(hashes[count++], level[at ^ 1], 32);
        height++;
        width /= 2;
        at /= 2;
        first /= 2;
        for (uint32_t i = 0; i < width; i++)
            join(level[i], own, stage->parent.op, height, first + i, level[2 * i],
                 level[2 * i + 1]);
    }
    return count;
}

void lks_walk_path(uint8_t (*hashes)[32], size_t *count, const lks_walk *w, const lks_trace *own,
                   unsigned from_stage)
{
    *count = 0;
    for (unsigned i = w->depth; i > from_stage; i--)
        *count += stage_path(hashes + *count, &w->stages[i - 1], own);
}
