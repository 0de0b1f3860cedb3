/* Rows of a trace again: from their file, or by one pass that keeps those wanted. */
#include "oracle/trace/trace_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct rereader {
    lks_trace_pass pass;        /* first: the callbacks get a pointer to it */
    const lks_trace_row **rows; /* by operation, then row */
    size_t count;
} rereader;

static int by_place(const void *a, const void *b)
{
    const lks_trace_row *x = *(const lks_trace_row *const *)a,
                        *y = *(const lks_trace_row *const *)b;
    if (x->op != y->op)
        return x->op < y->op ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The first wanted row that does not lie before (op, row). */
static size_t first_from(const rereader *r, uint32_t op, uint32_t row)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const lks_trace_row *x = r->rows[middle];
        if (x->op < op || (x->op == op && x->row < row))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void reread_output(lks_trace_pass *p, uint32_t op, const lks_op_output *o,
                          uint32_t first_row)
{
    const rereader *r = (const rereader *)p;
    const lks_shape *s = &p->trace->shapes[op];
    for (uint32_t head = 0; head < (s->heads ? s->heads : 1); head++) {
        uint32_t first = (head << s->position_bits) + first_row;
        for (size_t i = first_from(r, op, first);
             i < r->count && r->rows[i]->op == op && r->rows[i]->row < first + o->rows; i++) {
            uint32_t t = r->rows[i]->row - first;
            lks_trace_store_row(r->rows[i]->bytes, &p->trace->model->program.ops[op], o,
                                s->heads ? head * o->head_rows + o->first + t : t);
            lks_fault_row(op, r->rows[i]->row, r->rows[i]->bytes, s->row_size);
        }
    }
}

static void reread_sample(lks_trace_pass *p, uint32_t row, const lks_sample_row *sample,
                          uint32_t token)
{
    const rereader *r = (const rereader *)p;
    uint32_t op = p->trace->model->program.op_count - 1;
    (void)token;
    for (size_t i = first_from(r, op, row); i < r->count && r->rows[i]->row == row; i++) {
        lks_trace_store_sample(r->rows[i]->bytes, sample);
        lks_fault_row(op, row, r->rows[i]->bytes, 8);
    }
}

static bool skip_sample(const lks_trace_pass *p, uint32_t row)
{
    const rereader *r = (const rereader *)p;
    size_t i = first_from(r, p->trace->model->program.op_count - 1, row);
    return i == r->count || r->rows[i]->row != row;
}

/* Positions up to the one that a row belongs to. */
static uint32_t positions_for(const lks_trace *t, const lks_trace_row *row)
{
    const lks_shape *s = &t->shapes[row->op];
    if (t->model->program.ops[row->op].kind == LKS_ROWS_SAMPLED)
        return (uint32_t)t->run.prompt_count + row->row;
    return (s->heads ? row->row & ((1u << s->position_bits) - 1) : row->row) + 1;
}

static lks_err compute_again(const lks_trace *t, const lks_trace_row *rows, size_t count)
{
    uint32_t sample = t->model->program.op_count - 1;
    rereader r = {.pass = {.trace = t, .output = reread_output, .skip = skip_sample},
                  .rows = malloc(count * sizeof *r.rows),
                  .count = count};
    if (!r.rows)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        uint32_t positions = positions_for(t, &rows[i]);
        r.rows[i] = &rows[i];
        r.pass.positions = positions > r.pass.positions ? positions : r.pass.positions;
        r.pass.ops = rows[i].op + 1 > r.pass.ops ? rows[i].op + 1 : r.pass.ops;
        if (rows[i].op == sample)
            r.pass.sample = reread_sample;
    }
    qsort(r.rows, count, sizeof *r.rows, by_place);
    lks_err err = lks_trace_pass_open(&r.pass);
    if (!err)
        err = lks_trace_pass_run(&r.pass);
    lks_trace_pass_close(&r.pass);
    free(r.rows);
    return err;
}

/* Whether the row has the hashes that it was committed with. */
static bool is_as_committed(const lks_trace *t, const lks_trace_row *row, uint64_t ordinal)
{
    const lks_shape *s = &t->shapes[row->op];
    const uint8_t(*leaves)[32] =
        (const uint8_t(*)[32])t->leaves + t->first_leaf[row->op] + ordinal * s->chunks;
    for (uint32_t c = 0; c < s->chunks; c++) {
        uint8_t hash[32];
        uint32_t first = c * LKS_CHUNK_SIZE, left = s->row_size - first;
        lks_tree_leaf(hash, LKS_TREE_TRACE, row->bytes + first,
                      left < LKS_CHUNK_SIZE ? left : LKS_CHUNK_SIZE);
        if (memcmp(hash, leaves[c], 32))
            return false;
    }
    return true;
}

static lks_err read_kept(const lks_trace *t, const lks_trace_row *row)
{
    const lks_shape *s = &t->shapes[row->op];
    uint64_t ordinal = lks_shape_row_ordinal(s, row->row);
    lks_err err = lks_spill_read(&t->rows, t->first_byte[row->op] + ordinal * s->row_size,
                                 row->bytes, s->row_size);
    if (!err && !is_as_committed(t, row, ordinal))
        err = lks_fail(LKS_IO, "row %u of operation %u has changed in its file", row->row, row->op);
    return err;
}

static lks_err read_all_kept(const lks_trace *t, const lks_trace_row *rows, size_t count)
{
    lks_err err = LKS_OK;
    for (size_t i = 0; !err && i < count; i++)
        err = read_kept(t, &rows[i]);
    return err;
}

lks_err lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count)
{
    if (t->tokens_only)
        return lks_fail(LKS_BADARGS, "a trace of tokens alone has no rows");
    for (size_t i = 0; i < count; i++)
        if (rows[i].op >= t->model->program.op_count ||
            !lks_shape_node(&t->shapes[rows[i].op], 0,
                            (uint64_t)rows[i].row << t->shapes[rows[i].op].chunk_bits))
            return lks_fail(LKS_BADARGS, "operation %u has no row %u", rows[i].op, rows[i].row);
    if (count == 0)
        return LKS_OK;
    if (t->rows.spill) {
        if (!read_all_kept(t, rows, count))
            return LKS_OK;
        lks_trace_drop_rows(t);
    }
    return compute_again(t, rows, count);
}
