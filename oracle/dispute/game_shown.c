/* Nodes and leaves that several disputes have revealed, each once. */
#include "oracle/dispute/game_internal.h"

#include <stdlib.h>
#include <string.h>

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_nodes(const void *left, const void *right)
{
    const lks_known_node *a = left, *b = right;
    int by = order(a->op, b->op);
    by = by ? by : order(a->height, b->height);
    return by ? by : order(a->index, b->index);
}

bool lks_game_nodes_unite(lks_known_node *nodes, size_t *count)
{
    size_t kept = 0;
    if (*count)
        qsort(nodes, *count, sizeof *nodes, compare_nodes);
    for (size_t i = 0; i < *count; i++) {
        if (kept == 0 || compare_nodes(&nodes[kept - 1], &nodes[i]))
            nodes[kept++] = nodes[i];
        else if (memcmp(nodes[kept - 1].hash, nodes[i].hash, 32))
            return false;
    }
    *count = kept;
    return true;
}

static int compare_leaves(const void *left, const void *right)
{
    const lks_known_leaf *a = left, *b = right;
    int by = order(a->op, b->op);
    return by ? by : order(a->leaf, b->leaf);
}

bool lks_game_leaves_unite(lks_known_leaf *leaves, size_t *count)
{
    size_t kept = 0;
    if (*count)
        qsort(leaves, *count, sizeof *leaves, compare_leaves);
    for (size_t i = 0; i < *count; i++) {
        const lks_known_leaf *last = kept ? &leaves[kept - 1] : NULL;
        if (!last || compare_leaves(last, &leaves[i]))
            leaves[kept++] = leaves[i];
        else if (last->len != leaves[i].len || memcmp(last->bytes, leaves[i].bytes, last->len))
            return false;
    }
    *count = kept;
    return true;
}
