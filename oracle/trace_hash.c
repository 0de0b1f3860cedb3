#include "kernels/half.h"
#include "oracle/openings.h"
#include "oracle/trace_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* A thread stores and hashes about so many bytes of rows at once, and so many rows: a multiple of the lanes of Keccak, which needs messages of one length. */
enum { UNIT_BYTES = 16384, LANES = 8, LEAST_ROWS = LANES, MOST_ROWS = 256 };

typedef struct output_job {
    uint32_t op, first_row;
    lks_op_output output;
    size_t units; /* of a head */
} output_job;

struct lks_trace_hasher {
    lks_trace *trace;
    lks_pool *pool;
    uint8_t *rows; /* of each thread, rows_size bytes */
    size_t rows_size;
    output_job job;
    atomic_int failed; /* errno of a write to the spill file */
};

static uint32_t rows_of_unit(uint32_t row_size)
{
    uint32_t rows = UNIT_BYTES / row_size / LANES * LANES;
    return rows < LEAST_ROWS ? LEAST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
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
    if (!h->rows) {
        free(h);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    *out = h;
    return LKS_OK;
}

void lks_trace_hasher_close(lks_trace_hasher *h)
{
    if (!h)
        return;
    free(h->rows);
    free(h);
}

static void spill(lks_trace_hasher *h, uint64_t at, const uint8_t *bytes, size_t len)
{
    while (len && !atomic_load(&h->failed)) {
        ssize_t n = pwrite(h->trace->spill, bytes, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            atomic_store(&h->failed, n < 0 ? errno : ENOSPC);
            return;
        }
        bytes += n, at += (uint64_t)n, len -= (size_t)n;
    }
}

/* `count` rows in committed form, from number `row` on (of one head), one behind the other. */
static void commit_rows(lks_trace_hasher *h, uint32_t op, uint32_t row, const uint8_t *bytes, size_t count)
{
    lks_trace *t = h->trace;
    const lks_shape *s = &t->shapes[op];
    uint64_t ordinal = lks_shape_row_ordinal(s, row);
    if (t->spill >= 0)
        spill(h, t->first_byte[op] + ordinal * s->row_size, bytes, count * s->row_size);
    lks_tree_leaves(t->leaves + t->first_leaf[op] + ordinal * s->chunks, LKS_TREE_TRACE, bytes, s->row_size, count);
}

/* Is the engine's own memory of f32 rows their committed form? Not where a fault changes what is committed and nothing else. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(LKS_FAULTS)
enum { F32_AS_COMMITTED = true };
#else
enum { F32_AS_COMMITTED = false };
#endif

static void output_unit(void *context, size_t unit, unsigned thread)
{
    lks_trace_hasher *h = context;
    const output_job *j = &h->job;
    const lks_op *op = &h->trace->model->program.ops[j->op];
    const lks_shape *s = &h->trace->shapes[j->op];
    const lks_op_output *o = &j->output;
    uint8_t *bytes = h->rows + thread * h->rows_size;
    size_t at_once = rows_of_unit(s->row_size), head = unit / j->units, first = unit % j->units * at_once;
    size_t count = o->rows - first < at_once ? o->rows - first : at_once;
    size_t t = s->heads ? head * o->head_rows + o->first + first : first;
    uint32_t row = (uint32_t)(head << s->position_bits) + j->first_row + (uint32_t)first;
    if (op->form != LKS_FORM_A8 && F32_AS_COMMITTED) {
        commit_rows(h, j->op, row, (const uint8_t *)(o->f32 + t * op->width), count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        lks_trace_store_row(bytes + i * s->row_size, op, o, t + i);
        lks_fault_row(j->op, row + (uint32_t)i, bytes + i * s->row_size, s->row_size);
    }
    commit_rows(h, j->op, row, bytes, count);
}

void lks_trace_hasher_output(lks_trace_hasher *h, uint32_t op, const lks_op_output *o, uint32_t first_row)
{
    const lks_shape *s = &h->trace->shapes[op];
    uint32_t at_once = rows_of_unit(s->row_size);
    lks_pool_flush(h->pool); /* the job before this one */
    h->job = (output_job){op, first_row, *o, (o->rows + at_once - 1) / at_once};
    lks_pool_add(h->pool, h->job.units * (s->heads ? s->heads : 1), output_unit, h);
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
    lks_item_node(t->roots[op], LKS_TREE_TRACE, &t->shapes[op], t->leaves + t->first_leaf[op], t->shapes[op].height, 0);
}

lks_err lks_trace_hasher_finish(lks_trace_hasher *h)
{
    lks_pool_flush(h->pool);
    int failed = atomic_load(&h->failed);
    if (failed)
        return lks_fail(LKS_IO, "the file for the trace's rows cannot be written: %s", strerror(failed));
    lks_pool_run(h->pool, h->trace->model->program.op_count, root_unit, h);
    return LKS_OK;
}
