#include "oracle/view.h"

#include "chain/keccak.h"
#include "kernels/half.h"
#include "oracle/openings.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_IDS = LKS_CHUNK_SIZE / 4 };

/* ---- Rows ---- */

static int compare(const lks_trace_row *a, uint32_t op, uint32_t row)
{
    if (a->op != op)
        return a->op < op ? -1 : 1;
    return a->row < row ? -1 : a->row > row;
}

static int by_place(const void *a, const void *b)
{
    const lks_trace_row *y = b;
    return compare(a, y->op, y->row);
}

const uint8_t *lks_view_row(const lks_view *v, uint32_t op, uint32_t row)
{
    size_t low = 0, high = v->have;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&v->rows[middle], op, row);
        if (order == 0)
            return v->rows[middle].bytes;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

lks_err lks_view_want(lks_view *v, uint32_t op, uint32_t row)
{
    if (lks_view_row(v, op, row))
        return LKS_OK;
    if (v->count == v->capacity) {
        size_t capacity = v->capacity ? 2 * v->capacity : 16;
        lks_trace_row *rows = realloc(v->rows, capacity * sizeof *rows);
        if (!rows)
            return lks_fail(LKS_NOMEM, "out of memory");
        v->rows = rows;
        v->capacity = capacity;
    }
    v->rows[v->count++] = (lks_trace_row){op, row, NULL};
    return LKS_OK;
}

bool lks_view_lacks(const lks_view *v) { return v->count > v->have; }

/* The wanted rows, each once, with room for their bytes. */
static lks_err make_room(lks_view *v)
{
    lks_trace_row *wanted = v->rows + v->have;
    size_t count = v->count - v->have, kept = 0;
    qsort(wanted, count, sizeof *wanted, by_place);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_place(&wanted[kept - 1], &wanted[i]))
            wanted[kept++] = wanted[i];
    v->count = v->have + kept;
    for (size_t i = 0; i < kept; i++) {
        lks_shape s;
        lks_trace_shape(&s, v->own, wanted[i].op);
        if (!(wanted[i].bytes = malloc(s.row_size)))
            return lks_fail(LKS_NOMEM, "out of memory");
    }
    return LKS_OK;
}

lks_err lks_view_fetch(lks_view *v)
{
    if (!lks_view_lacks(v))
        return LKS_OK;
    lks_err err = make_room(v);
    if (!err)
        err = lks_trace_rows(v->own, v->rows + v->have, v->count - v->have);
    if (err)
        return err;
    v->have = v->count;
    qsort(v->rows, v->have, sizeof *v->rows, by_place);
    return LKS_OK;
}

/* ---- What the operator revealed ---- */

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
        return p.height >= below.height && p.height - below.height < 64 && below.index >> (p.height - below.height) == p.index;
    return p.op == LKS_TOP && below.op < v->facts.op_count && p.height < 32 && (uint64_t)below.op >> p.height == p.index;
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

typedef enum knowledge { NOTHING, BELOW, ITSELF } knowledge;

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
void lks_view_node(uint8_t hash32[32], const lks_view *v, uint32_t op, unsigned height, uint64_t index)
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
        if (done == 0 && look(hash32, v, p) != BELOW) {
            if (look(hash32, v, p) == NOTHING)
                lks_trace_node(hash32, v->own, p.op, p.height, p.index);
            depth--;
        } else if (done < 2) {
            if (done)
                memcpy(stack[depth - 1].left, hash32, 32);
            stack[depth].at = normal(v, (spot){p.op, p.height - 1, 2 * p.index + (uint64_t)done});
            stack[depth++].done = 0;
        } else {
            lks_tree_node(hash32, LKS_TREE_TRACE, p.op == LKS_TOP ? LKS_ROLE_TOP : LKS_ROLE_NODE, p.height, stack[depth - 1].left, hash32);
            depth--;
        }
    }
}

/* ---- The reader ---- */

static lks_err room(lks_view *v, uint8_t **out, size_t size)
{
    if (v->room_count == v->room_capacity) {
        size_t capacity = v->room_capacity ? 2 * v->room_capacity : 16;
        uint8_t **rooms = realloc(v->rooms, capacity * sizeof *rooms);
        if (!rooms)
            return lks_fail(LKS_NOMEM, "out of memory");
        v->rooms = rooms;
        v->room_capacity = capacity;
    }
    if (!(*out = calloc(1, size)))
        return lks_fail(LKS_NOMEM, "out of memory");
    v->rooms[v->room_count++] = *out;
    return LKS_OK;
}

/* Chunks [first, end) of a row; all of one size but the last of the row. */
static size_t span(const lks_range *g, uint32_t *first, uint32_t *end)
{
    *first = g->lo / LKS_CHUNK_SIZE;
    *end = (g->hi - 1) / LKS_CHUNK_SIZE + 1;
    uint32_t to = *end == g->shape.chunks ? g->shape.row_size : *end * LKS_CHUNK_SIZE;
    return to - (size_t)*first * LKS_CHUNK_SIZE;
}

/* One row's part of a range: the own row, then what was revealed over it. A row that is missing stays zero. */
static lks_err trace_part(lks_view *v, uint8_t *out, const lks_range *g, uint32_t row)
{
    uint32_t first, end;
    size_t size = span(g, &first, &end);
    const uint8_t *own = lks_view_row(v, g->item, row);
    if (own)
        memcpy(out, own + (size_t)first * LKS_CHUNK_SIZE, size);
    bool all = true;
    for (uint32_t c = first; c < end; c++) {
        uint32_t len;
        uint64_t place = ((uint64_t)row << g->shape.chunk_bits) + c;
        const lks_known_leaf *l = lks_known_find_leaf(v->known, g->item, place);
        if (l && lks_shape_leaf(&len, &g->shape, place) && l->len == len)
            memcpy(out + (size_t)(c - first) * LKS_CHUNK_SIZE, l->bytes, len);
        else
            all = false;
    }
    return own || all ? LKS_OK : lks_view_want(v, g->item, row);
}

static lks_err read_trace(lks_view *v, const uint8_t **bytes, const lks_range *g)
{
    uint32_t first, end;
    size_t size = span(g, &first, &end);
    uint8_t *out;
    lks_err err = room(v, &out, size * g->count);
    for (uint32_t i = 0; !err && i < g->count; i++)
        err = trace_part(v, out + i * size, g, g->row + i);
    if (!err)
        *bytes = out;
    return err;
}

static lks_err read_rope(lks_view *v, const uint8_t **bytes, const lks_range *g)
{
    uint8_t *out;
    uint32_t width = v->model->program.rope_width;
    lks_err err = room(v, &out, 4 * (size_t)width);
    if (err)
        return err;
    for (uint32_t i = 0; i < width; i++)
        lks_store_le32(out + 4 * i, lks_bits(v->model->rope[(size_t)g->row * width + i]));
    *bytes = out;
    return LKS_OK;
}

static lks_err read_program(lks_view *v, const uint8_t **bytes, const lks_range *g)
{
    uint8_t *out;
    lks_err err = room(v, &out, LKS_DESCRIPTOR_SIZE);
    if (err)
        return err;
    lks_op_encode(out, &v->model->program.ops[g->row]);
    *bytes = out;
    return LKS_OK;
}

/* ---- Openings of what is read ---- */

static lks_err add_opening(lks_view *v, const uint8_t *data, size_t len, const uint8_t (*path)[32], size_t path_count)
{
    lks_witness *w = v->record;
    lks_opening *grown = realloc(w->openings, (w->count + 1) * sizeof *grown);
    if (!grown)
        return lks_fail(LKS_NOMEM, "out of memory");
    w->openings = grown;
    lks_opening *o = &w->openings[w->count++];
    *o = (lks_opening){malloc(len ? len : 1), len, malloc(path_count ? path_count * 32 : 1), path_count};
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

static lks_err node_source(void *user, uint8_t hash32[32], bool top, unsigned height, uint64_t index)
{
    const item_of_view *x = user;
    lks_view_node(hash32, x->view, top ? LKS_TOP : x->op, height, index);
    return LKS_OK;
}

static lks_err record_range(lks_view *v, const uint8_t *bytes, const lks_range *g)
{
    uint8_t path[LKS_PATH_MAX][32];
    size_t count, size;
    uint32_t first, end;
    size = span(g, &first, &end) * g->count;
    uint64_t from = ((uint64_t)g->row << g->shape.chunk_bits) + first, to = ((uint64_t)(g->row + g->count - 1) << g->shape.chunk_bits) + end;
    lks_err err = LKS_OK;
    if (g->tree == LKS_TREE_TRACE) {
        item_of_view x = {v, g->item};
        err = lks_opening_path(path, &count, from, to, g->shape.height, g->item, v->facts.op_count, node_source, &x);
    } else {
        lks_model_trees_path(path, &count, v->trees, g->tree, g->item, from, to);
    }
    return err ? err : add_opening(v, bytes, size, path, count);
}

static lks_err read_range(void *user, const uint8_t **bytes, const lks_range *g)
{
    lks_view *v = user;
    lks_err err = LKS_OK;
    switch (g->tree) {
    case LKS_TREE_TRACE: err = read_trace(v, bytes, g); break;
    case LKS_TREE_PROGRAM: err = read_program(v, bytes, g); break;
    case LKS_TREE_ROPE: err = read_rope(v, bytes, g); break;
    default: {
        const lks_gguf_tensor *t = v->model->program.tensors[g->item];
        *bytes = t->data + g->row * t->row_size + g->lo / LKS_CHUNK_SIZE * (size_t)LKS_CHUNK_SIZE;
        break;
    }
    }
    if (!err && v->record && !lks_view_lacks(v))
        err = record_range(v, *bytes, g);
    return err;
}

static lks_err record_token(lks_view *v, const uint32_t *ids, size_t count, uint32_t index)
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

static lks_err read_token(void *user, uint32_t *id, lks_token_list list, uint32_t index)
{
    lks_view *v = user;
    const lks_run *r = v->run;
    const uint32_t *ids = list == LKS_LIST_PROMPT ? r->prompt : list == LKS_LIST_ANSWER ? r->answer : r->policy.allowed;
    size_t count = list == LKS_LIST_PROMPT ? r->prompt_count : list == LKS_LIST_ANSWER ? r->answer_count : r->policy.allowed_count;
    if (index >= count)
        return lks_fail(LKS_BADARGS, "a list of %zu tokens has no token %u", count, index);
    *id = ids[index];
    return v->record && !lks_view_lacks(v) ? record_token(v, ids, count, index) : LKS_OK;
}

/* ---- Life ---- */

void lks_view_open(lks_view *v, lks_trace *own, const lks_known *known)
{
    memset(v, 0, sizeof *v);
    v->reader = (lks_reader){v, read_range, read_token};
    v->own = own;
    v->model = lks_trace_model(own);
    v->run = lks_trace_run(own);
    v->known = known;
    const lks_program *p = &v->model->program;
    const lks_commitment counts = {.op_count = p->op_count, .tensor_count = p->tensor_count, .sampler_op = p->op_count - 1, .vocab_size = p->vocab_size,
                                   .max_positions = p->max_positions};
    lks_facts_of(&v->facts, v->run, &counts);
}

void lks_view_restart(lks_view *v)
{
    for (size_t i = 0; i < v->room_count; i++)
        free(v->rooms[i]);
    v->room_count = 0;
    if (v->record)
        lks_witness_free(v->record);
}

void lks_view_close(lks_view *v)
{
    v->record = NULL; /* belongs to the caller */
    lks_view_restart(v);
    for (size_t i = 0; i < v->count; i++)
        free(v->rows[i].bytes);
    free(v->rows);
    free(v->rooms);
}
