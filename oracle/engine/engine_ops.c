/* One operation over a batch: cut into units that the pool's threads take, each a tile of rows
 * times a block of columns. Fused operations keep the f32 between their steps in the tile, on the
 * stack.
 */
#include "oracle/engine/engine_internal.h"

#include <assert.h>

/* Rows of a tile: of a projection at most TILE_ROWS, for which the packed kernels expand weights
 * once (kernels/packed/tile.inc), at least LEAST_ROWS, and a multiple of what most of them multiply
 * at once; of other operations FEW_ROWS. */
enum {
    TILE_ROWS = 144,
    LEAST_ROWS = 24,
    ROWS_AT_ONCE = 12,
    FEW_ROWS = 16,
    COLUMNS = 64,
    WIDE_COLUMNS = 192,
    MAX_TILE_WIDTH = LKS_MAX_HEAD_WIDTH
};

typedef struct job {
    const pass *p;
    const lks_op *op;
    const slot *out;
    const slot *in[4];
    lks_matrix matrix, second; /* second: the up projection of LINEAR_SILU_MUL_Q */
    const float *bias, *second_bias;
    size_t first; /* row that is computed first */
    size_t rows;  /* that are computed */
    size_t skip;  /* rows of an input of kind ALL before row 0 of this operation */
    size_t tile_rows, tiles;
    uint32_t columns; /* of a unit of a projection: a multiple of COLUMNS, or whole heads */
} job;

lks_matrix lks_op_matrix(const lks_session *s, const lks_weight_ref *w)
{
    const lks_gguf_tensor *t = s->model->program.tensors[w->tensor];
    lks_matrix m = {.type = t->type,
                    .rows = w->rows,
                    .cols = w->cols,
                    .data = t->data,
                    .row_size = t->row_size};
    if (s->kernels->lanes)
        lks_packed_find(&m, s->model->packed, w->tensor);
    return m;
}

static const float *vector(const lks_model *m, const lks_weight_ref *w)
{
    return w->tensor == LKS_NONE ? NULL : lks_model_vector(m, w->tensor);
}

static void set_tiles(job *j, size_t tile_rows)
{
    j->tile_rows = tile_rows;
    j->tiles = (j->rows + tile_rows - 1) / tile_rows;
}

static size_t tile_first(const job *j, size_t tile)
{
    return j->first + tile * j->tile_rows;
}
static size_t tile_rows(const job *j, size_t tile)
{
    size_t left = j->rows - tile * j->tile_rows;
    return left < j->tile_rows ? left : j->tile_rows;
}

/* The view of rows `first` onward. */
static lks_a8 from_row(const lks_a8 *a, size_t first)
{
    lks_a8 v = *a;
    v.q += first * a->q_ld;
    v.d += first * a->d_ld;
    v.sum = a->sum ? a->sum + first * a->sum_ld : NULL;
    v.idx = a->idx ? a->idx + first * a->d_ld : NULL;
    return v;
}

/* The view of columns [first, first + width), which begin a block. */
static lks_a8 columns(const lks_a8 *a, uint32_t first, uint32_t width)
{
    lks_a8 v = *a;
    v.q += first;
    v.d += first / a->block;
    v.sum = a->sum ? a->sum + first / 32 : NULL;
    v.idx = a->idx ? a->idx + first / a->block : NULL;
    v.width = width;
    v.blocks = (width + a->block - 1) / a->block;
    return v;
}

/* ---- Row-wise operations: a unit is a tile of rows ---- */

static void embed_unit(void *context, size_t tile, unsigned thread)
{
    (void)thread;
    const job *j = context;
    size_t first = tile_first(j, tile);
    j->p->s->kernels->embed(j->out->f32 + first * j->op->width, &j->matrix, j->p->ids + first,
                            tile_rows(j, tile));
}

static void rms_unit(void *context, size_t tile, unsigned thread)
{
    (void)thread;
    const job *j = context;
    size_t first = tile_first(j, tile);
    uint32_t width = j->p->s->model->program.ops[j->op->inputs[0]].width;
    j->p->s->kernels->rms(j->out->f32 + first * j->op->width,
                          j->in[0]->f32 + (j->skip + first) * width, width, j->op->scalar,
                          tile_rows(j, tile));
}

static void norm_unit(void *context, size_t tile, unsigned thread)
{
    (void)thread;
    const job *j = context;
    size_t first = tile_first(j, tile),
           sums_ld = j->p->s->model->program.ops[j->op->inputs[1]].width;
    lks_a8 y = from_row(&j->out->a8, first);
    j->p->s->kernels->norm_q(&y, j->in[0]->f32 + (j->skip + first) * j->op->width,
                             j->in[1]->f32 + first * sums_ld, sums_ld,
                             vector(j->p->s->model, &j->op->weights[0]), tile_rows(j, tile));
}

static void quant_unit(void *context, size_t tile, unsigned thread)
{
    (void)thread;
    const job *j = context;
    size_t first = tile_first(j, tile);
    lks_a8 y = from_row(&j->out->a8, first);
    j->p->s->kernels->quant(&y, j->in[0]->f32 + first * j->op->width, j->op->width,
                            tile_rows(j, tile));
}

/* ---- Projections: a unit is a tile of rows times a block of output columns ---- */

static void linear_add_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    const job *j = context;
    float tile[TILE_ROWS * WIDE_COLUMNS] __attribute__((aligned(64)));
    uint32_t c = (uint32_t)(unit / j->tiles) * j->columns,
             end = c + j->columns < j->op->width ? c + j->columns : j->op->width;
    size_t first = tile_first(j, unit % j->tiles), rows = tile_rows(j, unit % j->tiles);
    lks_a8 x = from_row(&j->in[0]->a8, first);
    j->p->s->kernels->linear(tile, j->columns, &j->matrix, j->bias, c, end, &x, rows);
    size_t at = first * j->op->width + c;
    j->p->s->kernels->add(j->out->f32 + at, j->op->width, j->in[1]->f32 + at, j->op->width, tile,
                          j->columns, end - c, rows);
}

static void linear_silu_mul_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    const job *j = context;
    const lks_kernels *k = j->p->s->kernels;
    float gate[TILE_ROWS * WIDE_COLUMNS] __attribute__((aligned(64))),
        up[TILE_ROWS * WIDE_COLUMNS] __attribute__((aligned(64)));
    uint32_t c = (uint32_t)(unit / j->tiles) * j->columns,
             end = c + j->columns < j->op->width ? c + j->columns : j->op->width, width = end - c;
    size_t first = tile_first(j, unit % j->tiles), rows = tile_rows(j, unit % j->tiles);
    lks_a8 x = from_row(&j->in[0]->a8, first), y = from_row(&j->out->a8, first);
    k->linear(gate, width, &j->matrix, j->bias, c, end, &x, rows);
    k->linear(up, width, &j->second, j->second_bias, c, end, &x, rows);
    k->silu_mul(gate, up, rows * width);
    y = columns(&y, c, width);
    k->quant(&y, gate, width, rows);
}

/* Where the rows of a head go. */
static lks_a8 head_rows(const job *j, uint32_t head, size_t first)
{
    const lks_op *op = j->op;
    if (op->kind == LKS_ROWS_KV)
        return from_row(&j->out->a8, head * j->out->head_rows + j->p->first + first);
    lks_a8 y = from_row(&j->out->a8, first);
    uint32_t blocks = (op->head_width + op->block - 1) / op->block;
    y.q += head * op->head_width;
    y.d += head * blocks;
    y.idx = y.idx ? y.idx + head * blocks : NULL;
    y.width = op->head_width;
    y.blocks = blocks;
    return y;
}

/* Q, K and V: a unit is a tile of rows times some heads. */
static void linear_heads_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    const job *j = context;
    const lks_kernels *k = j->p->s->kernels;
    const lks_op *op = j->op;
    float tile[TILE_ROWS * MAX_TILE_WIDTH] __attribute__((aligned(64)));
    uint32_t width = op->head_width, c = (uint32_t)(unit / j->tiles) * j->columns,
             end = c + j->columns < j->matrix.rows ? c + j->columns : j->matrix.rows;
    size_t first = tile_first(j, unit % j->tiles), rows = tile_rows(j, unit % j->tiles);
    lks_a8 x = from_row(&j->in[0]->a8, first);
    k->linear(tile, end - c, &j->matrix, j->bias, c, end, &x, rows);
    if (op->pairing != LKS_PAIR_NONE)
        k->rope(tile, end - c, (end - c) / width, width, op->rope_width,
                op->pairing == LKS_PAIR_HALVES,
                j->p->s->model->rope + (j->p->first + first) * op->rope_width, rows);
    for (uint32_t at = c; at < end; at += width) {
        lks_a8 y = head_rows(j, at / width, first);
        k->quant(&y, tile + at - c, end - c, rows);
    }
}

/* ---- Attention: a unit is a head times a few positions ---- */

static void attn_unit(void *context, size_t unit, unsigned thread)
{
    const job *j = context;
    const lks_op *op = j->op;
    const lks_session *s = j->p->s;
    uint32_t head = (uint32_t)(unit % op->heads), kv = head / (op->heads / op->kv_heads),
             width = op->head_width;
    size_t kv_row = kv * j->in[1]->head_rows;
    /* Late positions cost most: they go first, so that no thread ends with a long one. */
    size_t groups = (j->rows + LKS_ATTN_ROWS - 1) / LKS_ATTN_ROWS,
           before = (groups - 1 - unit / op->heads) * LKS_ATTN_ROWS, first = j->first + before;
    uint32_t rows = (uint32_t)(j->rows - before < LKS_ATTN_ROWS ? j->rows - before : LKS_ATTN_ROWS);
    lks_a8 q = from_row(&j->in[0]->a8, first), k = from_row(&j->in[1]->a8, kv_row),
           v = from_row(&j->in[2]->a8, kv_row);
    q.q += head * width;
    q.d += head * k.blocks;
    q.width = width;
    q.blocks = k.blocks;
    s->kernels->attn(j->out->f32 + first * op->width + head * width, op->width, &q, &k, &v,
                     j->p->first + (uint32_t)first, rows, op->scalar, s->scratch[thread]);
}

/* ---- Dispatch ---- */

/* Equal tiles, few, since each expands the weights anew, but so many that with `blocks` of columns
 * every thread has two units. */
static void cut_rows(job *j, size_t blocks)
{
    size_t threads = lks_pool_threads(j->p->s->pool), tiles = (j->rows + TILE_ROWS - 1) / TILE_ROWS,
           wanted = threads > 1 ? (2 * threads + blocks - 1) / blocks : 1;
    if (tiles < wanted)
        tiles = wanted;
    size_t rows = ((j->rows + tiles - 1) / tiles + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
    set_tiles(j, rows < LEAST_ROWS ? LEAST_ROWS : rows);
}

/* Wide blocks of columns, for which the kernels prepare a tile of rows less often, where there are
 * units enough for every thread; else blocks of `columns`. Returns: units. */
static size_t cut(job *j, uint32_t columns)
{
    size_t threads = lks_pool_threads(j->p->s->pool);
    const uint32_t width = j->matrix.rows,
                   wide = columns < WIDE_COLUMNS ? WIDE_COLUMNS / columns * columns : columns;
    cut_rows(j, (width + columns - 1) / columns);
    j->columns =
        j->rows > 1 && (threads == 1 || j->tiles * ((width + wide - 1) / wide) >= 8 * threads)
            ? wide
            : columns;
    return j->tiles * ((width + j->columns - 1) / j->columns);
}

static void run_projection(job *j)
{
    const lks_model *m = j->p->s->model;
    const lks_op *op = j->op;
    lks_pool *pool = j->p->s->pool;
    j->matrix = lks_op_matrix(j->p->s, &op->weights[0]);
    j->bias = vector(m, &op->weights[1]);
    switch (op->code) {
    case LKS_OP_LINEAR_ADD: lks_pool_run(pool, cut(j, COLUMNS), linear_add_unit, j); break;
    case LKS_OP_LINEAR_SILU_MUL_Q:
        assert(op->block == COLUMNS);
        j->second = lks_op_matrix(j->p->s, &op->weights[2]);
        j->second_bias = vector(m, &op->weights[3]);
        lks_pool_run(pool, cut(j, COLUMNS), linear_silu_mul_unit, j);
        break;
    default: lks_pool_run(pool, cut(j, op->head_width), linear_heads_unit, j); break;
    }
}

void lks_run_op(const pass *p, uint32_t index)
{
    lks_session *s = p->s;
    const lks_op *op = &s->model->program.ops[index];
    const slot *out = &s->slots[index];
    const size_t before = p->rows - p->sampled; /* the first sampled row */
    job j = {.p = p,
             .op = op,
             .out = out,
             .rows = out->sampled || op->kind == LKS_ROWS_SAMPLED ? p->sampled : p->rows};
    if (op->kind == LKS_ROWS_SAMPLED)
        j.skip = before;
    else if (out->sampled)
        j.first = before;
    for (int i = 0; i < 4; i++)
        j.in[i] = op->inputs[i] == LKS_NONE ? NULL : &s->slots[op->inputs[i]];
    set_tiles(&j, FEW_ROWS);
    switch (op->code) {
    case LKS_OP_EMBED:
        j.matrix = lks_op_matrix(s, &op->weights[0]);
        lks_pool_run(s->pool, j.tiles, embed_unit, &j);
        break;
    case LKS_OP_RMS: lks_pool_run(s->pool, j.tiles, rms_unit, &j); break;
    case LKS_OP_NORM_Q: lks_pool_run(s->pool, j.tiles, norm_unit, &j); break;
    case LKS_OP_QUANT: lks_pool_run(s->pool, j.tiles, quant_unit, &j); break;
    case LKS_OP_ATTN:
        lks_pool_run(s->pool, (j.rows + LKS_ATTN_ROWS - 1) / LKS_ATTN_ROWS * op->heads, attn_unit,
                     &j);
        break;
    case LKS_OP_LINEAR_Q:
    case LKS_OP_LINEAR_ROPE_Q:
    case LKS_OP_LINEAR_SILU_MUL_Q:
    case LKS_OP_LINEAR_ADD: run_projection(&j); break;
    default: assert(!"an operation that the program's derivation does not make"); break;
    }
}
