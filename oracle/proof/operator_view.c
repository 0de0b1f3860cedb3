#include "oracle/proof/operator_view.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/trace/openings.h"

#include <stdlib.h>
#include <string.h>

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

bool lks_view_lacks(const lks_view *v)
{
    return v->count > v->have;
}

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

/* ---- The reader ---- */

size_t lks_view_span(const lks_range *g, uint32_t *first, uint32_t *end)
{
    *first = g->lo / LKS_CHUNK_SIZE;
    *end = (g->hi - 1) / LKS_CHUNK_SIZE + 1;
    uint32_t to = *end == g->shape.chunks ? g->shape.row_size : *end * LKS_CHUNK_SIZE;
    return to - (size_t)*first * LKS_CHUNK_SIZE;
}

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

/* One row's part of a range: the own row, then what was revealed over it. A row that is missing
 * stays zero. */
static lks_err trace_part(lks_view *v, uint8_t *out, const lks_range *g, uint32_t row)
{
    uint32_t first, end;
    size_t size = lks_view_span(g, &first, &end);
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
    size_t size = lks_view_span(g, &first, &end);
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

/* From memory, or from the file, of which no more is believed than the trees know. */
static lks_err read_weights(lks_view *v, const uint8_t **bytes, const lks_range *g)
{
    const lks_gguf_tensor *t = v->model->program.tensors[g->item];
    uint32_t first, end;
    uint8_t *out;
    size_t size = lks_view_span(g, &first, &end);
    uint64_t at = g->row * t->row_size + (uint64_t)first * LKS_CHUNK_SIZE;
    if (t->data) {
        *bytes = t->data + at;
        return LKS_OK;
    }
    lks_err err = room(v, &out, size);
    if (!err)
        err = lks_gguf_read(v->model->file, t, at, out, size);
    if (!err && v->trees && !lks_model_trees_match(v->trees, g->item, g->row, first, end, out))
        err = lks_fail(LKS_CORRUPT, "tensor %.*s is not what it was when the model file was opened",
                       (int)t->name.len, t->name.data);
    if (!err)
        *bytes = out;
    return err;
}

static lks_err read_range(void *user, const uint8_t **bytes, const lks_range *g)
{
    lks_view *v = user;
    lks_err err = LKS_OK;
    switch (g->tree) {
    case LKS_TREE_TRACE: err = read_trace(v, bytes, g); break;
    case LKS_TREE_PROGRAM: err = read_program(v, bytes, g); break;
    case LKS_TREE_ROPE: err = read_rope(v, bytes, g); break;
    default: err = read_weights(v, bytes, g); break;
    }
    if (!err && v->record && !lks_view_lacks(v))
        err = lks_view_record_range(v, *bytes, g);
    return err;
}

static lks_err read_token(void *user, uint32_t *id, lks_token_list list, uint32_t index)
{
    lks_view *v = user;
    const lks_run *r = v->run;
    const uint32_t *ids = list == LKS_LIST_PROMPT   ? r->prompt
                          : list == LKS_LIST_ANSWER ? r->answer
                                                    : r->policy.allowed;
    size_t count = list == LKS_LIST_PROMPT   ? r->prompt_count
                   : list == LKS_LIST_ANSWER ? r->answer_count
                                             : r->policy.allowed_count;
    if (index >= count)
        return lks_fail(LKS_BADARGS, "a list of %zu tokens has no token %u", count, index);
    *id = ids[index];
    return v->record && !lks_view_lacks(v) ? lks_view_record_token(v, ids, count, index) : LKS_OK;
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
    const lks_model_commitment counts = {.op_count = p->op_count,
                                         .tensor_count = p->tensor_count,
                                         .sampler_op = p->op_count - 1,
                                         .vocab_size = p->vocab_size,
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
