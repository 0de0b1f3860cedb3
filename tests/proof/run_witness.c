#include "tests/proof/run_witness.h"

#include "chain/keccak.h"
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/trace/openings.h"

static void *zeros(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    assert_non_null(p);
    return p;
}

/* ---- A model's trees ---- */

static void hash_item(model_hashes *h, uint8_t root32[32], uint32_t i, lks_tree tree,
                      const uint8_t *rows)
{
    const lks_shape *s = &h->shapes[i];
    h->leaves[i] = zeros((size_t)s->rows * s->chunks, 32);
    for (uint32_t r = 0; r < s->rows; r++)
        for (uint32_t c = 0; c < s->chunks; c++) {
            uint32_t size;
            assert_true(lks_shape_leaf(&size, s, ((uint64_t)r << s->chunk_bits) + c));
            lks_tree_leaf(h->leaves[i][(size_t)r * s->chunks + c], tree,
                          rows + (size_t)r * s->row_size + (size_t)c * LKS_CHUNK_SIZE, size);
        }
    lks_item_node(root32, tree, s, (const uint8_t(*)[32])h->leaves[i], s->height, 0);
}

void model_hashes_make(model_hashes *h, const lks_model *m)
{
    const lks_program *p = &m->program;
    uint32_t n = p->tensor_count;
    lks_model_commitment *c = &h->commitment;
    memset(h, 0, sizeof *h);
    h->model = m;
    h->shapes = zeros(n + 2, sizeof *h->shapes);
    h->leaves = zeros(n + 2, sizeof *h->leaves);
    h->tensor_roots = zeros(n, 32);
    h->rows = zeros(2, sizeof *h->rows);
    for (uint32_t i = 0; i < n; i++) {
        lks_shape_rows(&h->shapes[i], (uint32_t)p->tensors[i]->row_size,
                       (uint32_t)p->tensors[i]->dims[1]);
        hash_item(h, h->tensor_roots[i], i, LKS_TREE_WEIGHTS, p->tensors[i]->data);
    }
    lks_top_node(c->weights_root, LKS_TREE_WEIGHTS, (const uint8_t(*)[32])h->tensor_roots, n,
                 lks_log2_ceil(n), 0);
    h->rows[0] = zeros(p->op_count, LKS_DESCRIPTOR_SIZE);
    for (uint32_t i = 0; i < p->op_count; i++)
        lks_op_encode(h->rows[0] + LKS_DESCRIPTOR_SIZE * (size_t)i, &p->ops[i]);
    lks_shape_rows(&h->shapes[n], LKS_DESCRIPTOR_SIZE, p->op_count);
    hash_item(h, c->program_root, n, LKS_TREE_PROGRAM, h->rows[0]);
    size_t floats = (size_t)p->max_positions * p->rope_width;
    h->rows[1] = zeros(floats, 4);
    for (size_t i = 0; i < floats; i++)
        lks_store_le32(h->rows[1] + 4 * i, lks_bits(m->rope[i]));
    lks_shape_rows(&h->shapes[n + 1], 4 * p->rope_width, p->max_positions);
    hash_item(h, c->rope_root, n + 1, LKS_TREE_ROPE, h->rows[1]);
    c->arithmetic_version = LKS_ARITHMETIC_VERSION;
    c->op_count = p->op_count;
    c->tensor_count = n;
    c->sampler_op = p->op_count - 1;
    c->vocab_size = p->vocab_size;
    c->context_length = p->context_length;
    c->max_positions = p->max_positions;
}

void model_hashes_free(model_hashes *h)
{
    for (uint32_t i = 0; i < h->model->program.tensor_count + 2; i++)
        free(h->leaves[i]);
    free(h->leaves);
    free(h->shapes);
    free(h->tensor_roots);
    free(h->rows[0]);
    free(h->rows[1]);
    free(h->rows);
}

/* ---- A reader that notes down ---- */

typedef struct recorder {
    const run_tree *tree;
    const model_hashes *hashes;
    lks_witness *witness;
    const lks_range *range; /* whose path is being made */
} recorder;

static uint32_t slot(const recorder *r, const lks_range *g)
{
    uint32_t tensors = r->hashes->model->program.tensor_count;
    return g->tree == LKS_TREE_WEIGHTS   ? g->item
           : g->tree == LKS_TREE_PROGRAM ? tensors
                                         : tensors + 1;
}

static lks_err node_source(void *user, uint8_t hash32[32], bool top, unsigned height,
                           uint64_t index)
{
    const recorder *r = user;
    const lks_range *g = r->range;
    const model_hashes *h = r->hashes;
    if (g->tree == LKS_TREE_TRACE)
        run_tree_node(hash32, r->tree, top ? LKS_TOP : g->item, height, index);
    else if (top)
        lks_top_node(hash32, g->tree, (const uint8_t(*)[32])h->tensor_roots,
                     h->model->program.tensor_count, height, index);
    else
        lks_item_node(hash32, g->tree, &h->shapes[slot(r, g)],
                      (const uint8_t(*)[32])h->leaves[slot(r, g)], height, index);
    return LKS_OK;
}

static lks_opening *add_opening(lks_witness *w, const void *data, size_t len, const void *path,
                                size_t count)
{
    w->openings = realloc(w->openings, (w->count + 1) * sizeof *w->openings);
    assert_non_null(w->openings);
    lks_opening *o = &w->openings[w->count++];
    *o = (lks_opening){zeros(len, 1), len, zeros(count, 32), count};
    memcpy(o->data, data, len);
    memcpy(o->path, path, 32 * count);
    return o;
}

static lks_err read_range(void *user, const uint8_t **bytes, const lks_range *g)
{
    recorder *r = user;
    uint8_t path[LKS_PATH_MAX][32];
    size_t count, size = 0;
    uint32_t items = g->tree == LKS_TREE_TRACE     ? r->hashes->model->program.op_count
                     : g->tree == LKS_TREE_WEIGHTS ? r->hashes->model->program.tensor_count
                                                   : 0;
    uint64_t first = ((uint64_t)g->row << g->shape.chunk_bits) + g->lo / LKS_CHUNK_SIZE;
    uint64_t end = ((uint64_t)(g->row + g->count - 1) << g->shape.chunk_bits) +
                   (g->hi - 1) / LKS_CHUNK_SIZE + 1;
    for (uint64_t i = first; i < end; i++) {
        uint32_t chunk;
        assert_true(lks_shape_leaf(&chunk, &g->shape, i));
        size += chunk;
    }
    lks_reader *inner = &r->tree->rows->reader;
    lks_err err = inner->read(inner->user, bytes, g);
    r->range = g;
    if (!err)
        err = lks_opening_path(path, &count, first, end, g->shape.height, g->item, items,
                               node_source, r);
    if (!err)
        add_opening(r->witness, *bytes, size, path, count);
    return err;
}

static lks_err read_token(void *user, uint32_t *id, lks_token_list list, uint32_t index)
{
    recorder *r = user;
    const lks_run *run = r->tree->rows->run;
    const uint32_t *ids = list == LKS_LIST_PROMPT   ? run->prompt
                          : list == LKS_LIST_ANSWER ? run->answer
                                                    : run->policy.allowed;
    size_t count = list == LKS_LIST_PROMPT   ? run->prompt_count
                   : list == LKS_LIST_ANSWER ? run->answer_count
                                             : run->policy.allowed_count;
    uint8_t *packed = zeros(count, 4), path[64][32];
    size_t pieces = (4 * count + LKS_CHUNK_SIZE - 1) / LKS_CHUNK_SIZE,
           at = (size_t)index * 4 / LKS_CHUNK_SIZE * LKS_CHUNK_SIZE;
    assert_true(index < count && pieces <= LKS_COUNT(path));
    for (size_t i = 0; i < count; i++)
        lks_store_le32(packed + 4 * i, ids[i]);
    for (size_t p = 0; p < pieces; p++)
        lks_keccak256(path[p], packed + p * LKS_CHUNK_SIZE,
                      p + 1 < pieces ? LKS_CHUNK_SIZE : 4 * count - p * LKS_CHUNK_SIZE);
    add_opening(r->witness, packed + at,
                4 * count - at < LKS_CHUNK_SIZE ? 4 * count - at : LKS_CHUNK_SIZE, path, pieces);
    *id = ids[index];
    free(packed);
    return LKS_OK;
}

lks_err run_witness_make(lks_witness *out, bool *wrong, const run_tree *t, const model_hashes *h,
                         const lks_unit *u, const uint8_t *partials, size_t len)
{
    recorder r = {.tree = t, .hashes = h, .witness = out};
    lks_reader reader = {&r, read_range, read_token};
    *out = (lks_witness){.unit = *u};
    lks_err err = lks_step_check(wrong, &t->rows->facts, u, partials, len, &reader);
    if (err)
        lks_witness_free(out);
    return err;
}
