/* Openings of what is read, added to a witness. */
#include "oracle/proof/operator_view.h"

#include "chain/keccak.h"
#include "kernels/bytes.h"
#include "oracle/trace/openings.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECE_IDS = LKS_CHUNK_SIZE / 4
};

static lks_err add_opening(lks_view *v, const uint8_t *data, size_t len, const uint8_t (*path)[32],
                           size_t path_count)
{
    lks_witness *w = v->record;
    lks_opening *grown = realloc(w->openings, (w->count + 1) * sizeof *grown);
    if (!grown)
        return lks_fail(LKS_NOMEM, "out of memory");
    w->openings = grown;
    lks_opening *o = &w->openings[w->count++];
    *o = (lks_opening){malloc(len ? len : 1), len, malloc(path_count ? path_count * 32 : 1),
                       path_count};
    if (!o->data || !o->path)
        return lks_fail(LKS_NOMEM, "out of memory");
    memcpy(o->data, data, len);
    if (path_count)
        memcpy(o->path, path, path_count * 32);
    return LKS_OK;
}

typedef struct item_of_view {
    const lks_view *view;
    uint32_t op;
} item_of_view;

static lks_err node_source(void *user, uint8_t hash32[32], bool top, unsigned height,
                           uint64_t index)
{
    const item_of_view *x = user;
    lks_view_node(hash32, x->view, top ? LKS_TOP : x->op, height, index);
    return LKS_OK;
}

lks_err lks_view_record_range(lks_view *v, const uint8_t *bytes, const lks_range *g)
{
    uint8_t path[LKS_PATH_MAX][32];
    size_t count, size;
    uint32_t first, end;
    size = lks_view_span(g, &first, &end) * g->count;
    uint64_t from = ((uint64_t)g->row << g->shape.chunk_bits) + first,
             to = ((uint64_t)(g->row + g->count - 1) << g->shape.chunk_bits) + end;
    lks_err err = LKS_OK;
    if (g->tree == LKS_TREE_TRACE) {
        item_of_view x = {v, g->item};
        err = lks_opening_path(path, &count, from, to, g->shape.height, g->item, v->facts.op_count,
                               node_source, &x);
    } else {
        lks_model_trees_path(path, &count, v->trees, g->tree, g->item, from, to);
    }
    return err ? err : add_opening(v, bytes, size, path, count);
}

lks_err lks_view_record_token(lks_view *v, const uint32_t *ids, size_t count, uint32_t index)
{
    size_t pieces = (count + PIECE_IDS - 1) / PIECE_IDS, mine = index / PIECE_IDS, mine_len = 0;
    uint8_t(*path)[32] = malloc(pieces * sizeof *path), bytes[LKS_CHUNK_SIZE], data[LKS_CHUNK_SIZE];
    if (!path)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (size_t p = 0; p < pieces; p++) {
        size_t first = p * PIECE_IDS, n = count - first < PIECE_IDS ? count - first : PIECE_IDS;
        for (size_t i = 0; i < n; i++)
            lks_store_le32(bytes + 4 * i, ids[first + i]);
        lks_keccak256(path[p], bytes, 4 * n);
        if (p == mine)
            memcpy(data, bytes, mine_len = 4 * n);
    }
    lks_err err = add_opening(v, data, mine_len, path, pieces);
    free(path);
    return err;
}
