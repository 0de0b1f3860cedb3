#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/trace/openings.h"
#include "oracle/trace/trace_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rows in committed form ---- */

static void put_f32(uint8_t *p, const float *x, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, x, 4 * count);
#else
    for (size_t i = 0; i < count; i++)
        lks_store_le32(p + 4 * i, lks_bits(x[i]));
#endif
}

void lks_trace_store_row(uint8_t *bytes, const lks_op *op, const lks_op_output *o, size_t t)
{
    const lks_a8 *a = &o->a8;
    if (op->form != LKS_FORM_A8) {
        put_f32(bytes, o->f32 + t * op->width, op->width);
        return;
    }
    for (uint32_t b = 0; b < a->blocks; b++, bytes += 8) {
        lks_store_le32(bytes, lks_bits(a->d[t * a->d_ld + b]));
        lks_store_le32(bytes + 4, a->idx[t * a->d_ld + b]);
    }
    memcpy(bytes, a->q + t * a->q_ld, a->width);
}

void lks_trace_store_sample(uint8_t bytes[8], const lks_sample_row *s)
{
    lks_store_le32(bytes, lks_bits(s->max));
    lks_store_le32(bytes + 4, s->index);
}

/* ---- Rows to leaves ---- */

/* Keccak takes LANES messages of one length side by side. A thread stores and hashes about
 * UNIT_BYTES of rows at once, a multiple of LANES rows. */
enum {
    UNIT_BYTES = 16384,
    LANES = 8,
    LEAST_ROWS = LANES,
    MOST_ROWS = 256
};

/* Rows of one size, of any operation, that did not fill the lanes wait for others; one of so many
 * chunks fills them alone, and waits for nothing. */
enum {
    WAITING_CHUNKS = LANES
};

typedef struct waiting {
    uint32_t row_size;
    size_t room, count;
    uint8_t *rows;  /* in committed form */
    uint64_t *leaf; /* place of the row's first leaf hash */
} waiting;

typedef struct output_job {
    uint32_t op, first_row;
    lks_op_output output;
    size_t rows, units;  /* of a head; without those that wait */
    const waiting *full; /* full_count rows that waited fill lanes by now; they lie behind those
                            that go on waiting */
    size_t full_count;
} output_job;

struct lks_trace_hasher {
    lks_trace *trace;
    lks_pool *pool;
    uint8_t *rows; /* of each thread, rows_size bytes */
    size_t rows_size;
    waiting *waiting; /* one for each size of rows */
    size_t sizes;
    output_job job;
    atomic_bool failed; /* a write to the rows' file did */
    char fault[192];    /* the first one's reason; of the thread that set failed */
};

static uint32_t rows_of_unit(uint32_t row_size)
{
    uint32_t rows = UNIT_BYTES / row_size / LANES * LANES;
    return rows < LEAST_ROWS ? LEAST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

static waiting *waiting_of(const lks_trace_hasher *h, uint32_t row_size)
{
    for (size_t i = 0; i < h->sizes; i++)
        if (h->waiting[i].row_size == row_size)
            return &h->waiting[i];
    return NULL;
}

static size_t heads_of(const lks_shape *s)
{
    return s->heads ? s->heads : 1;
}

/* Makes room for the rows of every operation: LANES - 1 that wait, and as many of each head. */
static bool make_waiting(lks_trace_hasher *h)
{
    const lks_trace *t = h->trace;
    h->waiting = calloc(t->model->program.op_count, sizeof *h->waiting);
    for (uint32_t i = 0; h->waiting && i < t->model->program.op_count; i++) {
        if (t->shapes[i].chunks >= WAITING_CHUNKS)
            continue;
        waiting *w = waiting_of(h, t->shapes[i].row_size);
        size_t room = (LANES - 1) * (1 + heads_of(&t->shapes[i]));
        if (!w)
            (w = &h->waiting[h->sizes++])->row_size = t->shapes[i].row_size;
        w->room = room > w->room ? room : w->room;
    }
    for (size_t i = 0; i < h->sizes; i++) {
        waiting *w = &h->waiting[i];
        if (!(w->rows = malloc(w->room * w->row_size)) ||
            !(w->leaf = malloc(w->room * sizeof *w->leaf)))
            return false;
    }
    return h->waiting != NULL;
}

lks_err lks_trace_hasher_open(lks_trace_hasher **out, lks_trace *t, lks_pool *pool)
{
    lks_trace_hasher *h = calloc(1, sizeof *h);
    if (!h)
        return lks_fail(LKS_NOMEM, "out of memory");
    h->trace = t;
    h->pool = pool;
    for (uint32_t i = 0; i < t->model->program.op_count; i++) {
        size_t size = (size_t)rows_of_unit(t->shapes[i].row_size) * t->shapes[i].row_size;
        h->rows_size = size > h->rows_size ? size : h->rows_size;
    }
    h->rows = malloc(lks_pool_threads(pool) * h->rows_size);
    if (!h->rows || !make_waiting(h)) {
        lks_trace_hasher_close(h);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    *out = h;
    return LKS_OK;
}

void lks_trace_hasher_close(lks_trace_hasher *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->sizes; i++) {
        free(h->waiting[i].rows);
        free(h->waiting[i].leaf);
    }
    free(h->waiting);
    free(h->rows);
    free(h);
}

/* Writes rows to their file. After a failure no more are written, and the trace goes on without. */
static void keep(lks_trace_hasher *h, uint64_t at, const uint8_t *bytes, size_t len)
{
    bool expected = false;
    if (atomic_load(&h->failed) || !lks_spill_write(&h->trace->rows, at, bytes, len))
        return;
    if (atomic_compare_exchange_strong(&h->failed, &expected, true))
        snprintf(h->fault, sizeof h->fault, "%s", lks_error_message());
}

/* `count` rows in committed form, from number `row` on (of one head), one behind the other, go to
 * their file. Returns: the first one's first leaf. */
static uint64_t keep_rows(lks_trace_hasher *h, uint32_t op, uint32_t row, const uint8_t *bytes,
                          size_t count)
{
    lks_trace *t = h->trace;
    const lks_shape *s = &t->shapes[op];
    uint64_t ordinal = lks_shape_row_ordinal(s, row);
    if (t->rows.spill)
        keep(h, t->first_byte[op] + ordinal * s->row_size, bytes, count * s->row_size);
    return t->first_leaf[op] + ordinal * s->chunks;
}

static void commit_rows(lks_trace_hasher *h, uint32_t op, uint32_t row, const uint8_t *bytes,
                        size_t count)
{
    lks_trace *t = h->trace;
    uint64_t leaf = keep_rows(h, op, row, bytes, count);
    lks_tree_leaves(t->leaves + leaf, LKS_TREE_TRACE, bytes, t->shapes[op].row_size, count);
}

/* Hashes the waiting rows [first, first + count). */
static void commit_waiting(lks_trace *t, const waiting *w, size_t first, size_t count)
{
    const size_t chunks = (w->row_size + LKS_CHUNK_SIZE - 1) / LKS_CHUNK_SIZE;
    uint8_t hashes[LANES * WAITING_CHUNKS][32];
    for (size_t n; count; first += n, count -= n) {
        n = count < LANES ? count : LANES;
        lks_tree_leaves(hashes, LKS_TREE_TRACE, w->rows + first * w->row_size, w->row_size, n);
        for (size_t i = 0; i < n; i++)
            memcpy(t->leaves[w->leaf[first + i]], hashes[i * chunks], 32 * chunks);
    }
}

/* Is the engine's own memory of f32 rows their committed form? Not where a fault changes what is
 * committed and nothing else. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(LKS_FAULTS)
enum {
    F32_AS_COMMITTED = true
};
#else
enum {
    F32_AS_COMMITTED = false
};
#endif

/* Row `row` of the operation (of a head: the place in the output and the number are those of its
 * first one). */
static size_t place_in_output(const output_job *j, const lks_shape *s, size_t head, size_t row)
{
    return s->heads ? head * j->output.head_rows + j->output.first + row : row;
}

static uint32_t number_of(const output_job *j, const lks_shape *s, size_t head, size_t row)
{
    return (uint32_t)(head << s->position_bits) + j->first_row + (uint32_t)row;
}

/* Out: rows [first, first + count) of a head, in committed form. */
static void store_rows(uint8_t *bytes, const lks_trace *t, const output_job *j, size_t head,
                       size_t first, size_t count)
{
    const lks_shape *s = &t->shapes[j->op];
    for (size_t i = first; i < first + count; i++, bytes += s->row_size) {
        lks_trace_store_row(bytes, &t->model->program.ops[j->op], &j->output,
                            place_in_output(j, s, head, i));
        lks_fault_row(j->op, number_of(j, s, head, i), bytes, s->row_size);
    }
}

static void output_unit(void *context, size_t unit, unsigned thread)
{
    lks_trace_hasher *h = context;
    const lks_trace *t = h->trace;
    const output_job *j = &h->job;
    const lks_op *op = &t->model->program.ops[j->op];
    const lks_shape *s = &t->shapes[j->op];
    if (unit == j->units * heads_of(s)) {
        commit_waiting(h->trace, j->full, j->full->count, j->full_count);
        return;
    }
    size_t at_once = rows_of_unit(s->row_size), head = unit / j->units,
           first = unit % j->units * at_once;
    size_t count = j->rows - first < at_once ? j->rows - first : at_once;
    const uint8_t *bytes = h->rows + thread * h->rows_size;
    if (op->form != LKS_FORM_A8 && F32_AS_COMMITTED)
        bytes = (const uint8_t *)(j->output.f32 + place_in_output(j, s, head, first) * op->width);
    else
        store_rows(h->rows + thread * h->rows_size, t, j, head, first, count);
    commit_rows(h, j->op, number_of(j, s, head, first), bytes, count);
}

/* The rows of each head that do not fill the lanes go to those that wait. */
static void wait_for_others(lks_trace_hasher *h, output_job *j)
{
    const lks_shape *s = &h->trace->shapes[j->op];
    waiting *w = waiting_of(h, s->row_size);
    size_t rest = j->rows % LANES;
    if (!w)
        return;
    j->rows -= rest;
    for (size_t head = 0; rest && head < heads_of(s); head++) {
        uint8_t *bytes = w->rows + w->count * s->row_size;
        store_rows(bytes, h->trace, j, head, j->rows, rest);
        uint64_t leaf = keep_rows(h, j->op, number_of(j, s, head, j->rows), bytes, rest);
        for (size_t i = 0; i < rest; i++)
            w->leaf[w->count++] = leaf + i * s->chunks;
    }
    j->full = w;
    j->full_count = w->count / LANES * LANES;
    w->count -= j->full_count;
}

void lks_trace_hasher_output(lks_trace_hasher *h, uint32_t op, const lks_op_output *o,
                             uint32_t first_row)
{
    const lks_shape *s = &h->trace->shapes[op];
    uint32_t at_once = rows_of_unit(s->row_size);
    lks_pool_flush(h->pool); /* the job before this one */
    h->job = (output_job){.op = op, .first_row = first_row, .output = *o, .rows = o->rows};
    wait_for_others(h, &h->job);
    h->job.units = (h->job.rows + at_once - 1) / at_once;
    lks_pool_add(h->pool, h->job.units * heads_of(s) + (h->job.full_count != 0), output_unit, h);
}

void lks_trace_hasher_sample(lks_trace_hasher *h, uint32_t row, const lks_sample_row *s)
{
    uint8_t bytes[8];
    uint32_t op = h->trace->model->program.op_count - 1;
    lks_trace_store_sample(bytes, s);
    lks_fault_row(op, row, bytes, sizeof bytes);
    commit_rows(h, op, row, bytes, 1);
}

static void root_unit(void *context, size_t op, unsigned thread)
{
    (void)thread;
    lks_trace *t = ((lks_trace_hasher *)context)->trace;
    lks_item_node(t->roots[op], LKS_TREE_TRACE, &t->shapes[op], t->leaves + t->first_leaf[op],
                  t->shapes[op].height, 0);
}

void lks_trace_hasher_finish(lks_trace_hasher *h)
{
    lks_pool_flush(h->pool);
    for (size_t i = 0; i < h->sizes; i++)
        commit_waiting(h->trace, &h->waiting[i], 0, h->waiting[i].count);
    lks_pool_run(h->pool, h->trace->model->program.op_count, root_unit, h);
    if (!atomic_load(&h->failed))
        return;
    lks_fail_store("%s", h->fault); /* it was another thread's */
    lks_trace_drop_rows(h->trace);
}
