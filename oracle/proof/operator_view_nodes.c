/* Nodes of the operator's tree: those that it revealed, what follows from them, and the own trace's
 * for the rest. */
#include "oracle/proof/operator_view.h"

#include <string.h>

const lks_known_leaf *lks_known_find_leaf(const lks_known *known, uint32_t op, uint64_t leaf)
{
    for (size_t i = 0; known && i < known->leaf_count; i++)
        if (known->leaves[i].op == op && known->leaves[i].leaf == leaf)
            return &known->leaves[i];
    return NULL;
}

/* A place in the trace's trees: an operation's root is named as a node of the operation. */
typedef struct spot {
    uint32_t op;
    unsigned height;
    uint64_t index;
} spot;

static unsigned op_height(const lks_view *v, uint32_t op)
{
    lks_shape s;
    lks_trace_shape(&s, v->own, op);
    return s.height;
}

static spot normal(const lks_view *v, spot p)
{
    if (p.op != LKS_TOP || p.height != 0 || p.index >= v->facts.op_count)
        return p;
    return (spot){(uint32_t)p.index, op_height(v, (uint32_t)p.index), 0};
}

/* Whether `p` is `below` or lies above it. */
static bool covers(const lks_view *v, spot p, spot below)
{
    if (p.op == below.op)
        return p.height >= below.height && p.height - below.height < 64 &&
               below.index >> (p.height - below.height) == p.index;
    return p.op == LKS_TOP && below.op < v->facts.op_count && p.height < 32 &&
           (uint64_t)below.op >> p.height == p.index;
}

/* Padding has its value by position: it is not the node over the padding below it. */
static bool is_padding(const lks_view *v, spot p)
{
    lks_shape s;
    if (p.op == LKS_TOP)
        return p.height >= 32 || p.index << p.height >= v->facts.op_count;
    lks_trace_shape(&s, v->own, p.op);
    return !lks_shape_node(&s, p.height, p.index);
}

typedef enum knowledge {
    NOTHING,
    BELOW,
    ITSELF
} knowledge;

static knowledge look(uint8_t hash32[32], const lks_view *v, spot p)
{
    knowledge k = NOTHING;
    if (!v->known || is_padding(v, p))
        return k;
    for (size_t i = 0; i < v->known->node_count; i++) {
        const lks_known_node *n = &v->known->nodes[i];
        spot at = normal(v, (spot){n->op, n->height, n->index});
        if (!covers(v, p, at))
            continue;
        if (p.op == at.op && p.height == at.height) {
            memcpy(hash32, n->hash, 32);
            return ITSELF;
        }
        k = BELOW;
    }
    for (size_t i = 0; i < v->known->leaf_count; i++) {
        const lks_known_leaf *l = &v->known->leaves[i];
        if (!covers(v, p, (spot){l->op, 0, l->leaf}))
            continue;
        if (p.op != LKS_TOP && p.height == 0) {
            lks_tree_leaf(hash32, LKS_TREE_TRACE, l->bytes, l->len);
            return ITSELF;
        }
        k = BELOW;
    }
    return k;
}

/* Goes down only where something is known below: at most the tree's height times what is known. */
void lks_view_node(uint8_t hash32[32], const lks_view *v, uint32_t op, unsigned height,
                   uint64_t index)
{
    struct {
        spot at;
        uint8_t left[32];
        int done; /* children computed */
    } stack[2 * LKS_TREE_MAX_BITS];
    size_t depth = 1;
    stack[0].at = normal(v, (spot){op, height, index});
    stack[0].done = 0;
    while (depth) {
        spot p = stack[depth - 1].at;
        int done = stack[depth - 1].done++;
        knowledge k = done ? BELOW : look(hash32, v, p);
        if (k != BELOW) {
            if (k == NOTHING)
                lks_trace_node(hash32, v->own, p.op, p.height, p.index);
            depth--;
        } else if (done < 2) {
            if (done)
                memcpy(stack[depth - 1].left, hash32, 32);
            stack[depth].at = normal(v, (spot){p.op, p.height - 1, 2 * p.index + (uint64_t)done});
            stack[depth++].done = 0;
        } else {
            lks_tree_node(hash32, LKS_TREE_TRACE, p.op == LKS_TOP ? LKS_ROLE_TOP : LKS_ROLE_NODE,
                          p.height, stack[depth - 1].left, hash32);
            depth--;
        }
    }
}
