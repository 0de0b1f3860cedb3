/* Openings: any range of places of any tree climbs to its root with the path that was made for it,
 * and with no other. */
#include "kernels/bits.h"
#include "oracle/trace/commit.h"
#include "oracle/trace/model_trees.h"
#include "tests/model/tiny_models.h"

#include "chain/keccak.h"
#include "kernels/bytes.h"
#include "oracle/trace/openings.h"

static uint64_t state = 1;

static uint64_t random_below(uint64_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
}

typedef struct places {
    lks_shape shape;
    lks_tree tree;
    const uint8_t (*leaves)[32], (*roots)[32];
    uint32_t items;
    unsigned fail_at; /* the call that fails, from 1; 0: none */
} places;

static lks_err node_of(void *user, uint8_t hash32[32], bool top, unsigned height, uint64_t index)
{
    places *p = user;
    if (p->fail_at && --p->fail_at == 0)
        return lks_fail(LKS_IO, "asked to fail");
    if (top)
        lks_top_node(hash32, p->tree, p->roots, p->items, height, index);
    else
        lks_item_node(hash32, p->tree, &p->shape, p->leaves, height, index);
    return LKS_OK;
}

/* The leaves of a range whose places are all in range. */
static void copy_leaves(uint8_t (*out)[32], const places *p, uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i++)
        lks_item_node(out[i - first], p->tree, &p->shape, p->leaves, 0, i);
}

static void check_range(places *p, uint32_t item, uint64_t first, uint64_t end,
                        const uint8_t want[32])
{
    uint8_t path[LKS_PATH_MAX + 1][32], root[32],
        (*hashes)[32] = malloc((end - first) * sizeof *hashes);
    unsigned height = p->shape.height;
    size_t count;
    assert_non_null(hashes);
    OK(lks_opening_path(path, &count, first, end, height, item, p->items, node_of, p));
    assert_int_equal(count, lks_opening_path_count(first, end, height, p->items));
    copy_leaves(hashes, p, first, end);
    assert_true(lks_opening_root(root, p->tree, hashes, first, end, height, item, p->items, path,
                                 count));
    assert_memory_equal(root, want, 32);
    /* One bit of the path or of a leaf, or another place, gives another root. */
    if (count) {
        size_t i = random_below(count);
        path[i][random_below(32)] ^= (uint8_t)(1 << random_below(8));
        copy_leaves(hashes, p, first, end);
        assert_true(lks_opening_root(root, p->tree, hashes, first, end, height, item, p->items,
                                     path, count));
        assert_memory_not_equal(root, want, 32);
        p->fail_at = 1 + (unsigned)random_below(count);
        assert_int_equal(lks_opening_path(path, &count, first, end, height, item, p->items, node_of,
                                          p),
                         LKS_IO);
        OK(lks_opening_path(path, &count, first, end, height, item, p->items, node_of, p));
    }
    copy_leaves(hashes, p, first, end);
    hashes[random_below(end - first)][0] ^= 1;
    assert_true(lks_opening_root(root, p->tree, hashes, first, end, height, item, p->items, path,
                                 count));
    assert_memory_not_equal(root, want, 32);
    assert_false(lks_opening_root(root, p->tree, hashes, first, end, height, item, p->items, path,
                                  count + 1));
    assert_true(count == 0 || !lks_opening_root(root, p->tree, hashes, first, end, height, item,
                                                p->items, path, count - 1));
    assert_false(lks_opening_root(root, p->tree, hashes, first, first, height, item, p->items, path,
                                  count));
    assert_false(lks_opening_root(root, p->tree, hashes, first, ((uint64_t)1 << height) + 1, height,
                                  item, p->items, path, count));
    free(hashes);
}

/* Every range of every row's chunks, and rows together where a row is one chunk. */
static void check_item(places *p, uint32_t item, const uint8_t want[32])
{
    const lks_shape *s = &p->shape;
    uint64_t all = (uint64_t)1 << s->height;
    for (uint64_t first = 0; first < all; first++)
        for (uint64_t end = first + 1;
             end <= all && lks_shape_node(s, 0, end - 1) && (end - first < 40); end++)
            if (lks_shape_node(s, 0, first) && random_below(4) == 0)
                check_range(p, item, first, end, want);
}

static void test_ranges(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t row_size, rows, heads, items;
    } cases[] = {{100, 1, 0, 1}, {100, 1, 0, 5}, {100, 7, 0, 3},  {3000, 5, 0, 1},  {5000, 3, 0, 9},
                 {72, 5, 3, 4},  {72, 40, 2, 1}, {2100, 6, 5, 2}, {1024, 33, 0, 33}};
    for (size_t c = 0; c < LKS_COUNT(cases); c++) {
        places p = {.tree = LKS_TREE_TRACE, .items = cases[c].items};
        lks_op kv = {.kind = LKS_ROWS_KV,
                     .form = LKS_FORM_F32,
                     .width = cases[c].row_size / 4,
                     .kv_heads = cases[c].heads};
        lks_shape_rows(&p.shape, cases[c].row_size, cases[c].rows);
        if (cases[c].heads)
            lks_shape_output(&p.shape, &kv, cases[c].rows, 0);
        size_t leaves =
            (size_t)cases[c].rows * (cases[c].heads ? cases[c].heads : 1) * p.shape.chunks;
        uint8_t(*hashes)[32] = malloc(leaves * sizeof *hashes),
        (*roots)[32] = malloc(cases[c].items * sizeof *roots), want[32];
        assert_non_null(hashes);
        assert_non_null(roots);
        for (size_t i = 0; i < leaves; i++)
            lks_keccak256(hashes[i], &i, sizeof i);
        for (uint32_t i = 0; i < p.items; i++)
            lks_keccak256(roots[i], &i, sizeof i);
        uint32_t item = (uint32_t)random_below(p.items);
        p.leaves = hashes, p.roots = roots;
        lks_item_node(roots[item], p.tree, &p.shape, p.leaves, p.shape.height, 0);
        lks_top_node(want, p.tree, p.roots, p.items, lks_log2_ceil(p.items), 0);
        check_item(&p, item, want);
        /* A tree without a top ends at the item. */
        p.items = 0;
        check_item(&p, 0, roots[item]);
        free(hashes);
        free(roots);
    }
}

/* ---- A model's trees ---- */

static void check_opening(const lks_model_trees *t, lks_tree tree, uint32_t item, uint32_t items,
                          const uint8_t *bytes, uint32_t row, const uint8_t want[32])
{
    lks_shape s;
    uint8_t path[LKS_PATH_MAX][32], root[32];
    size_t count;
    lks_model_trees_shape(&s, t, tree, item);
    uint64_t first = ((uint64_t)row << s.chunk_bits) + random_below(s.chunks),
             end = first + 1 + random_below(s.chunks - (first & ((1u << s.chunk_bits) - 1)));
    uint8_t(*hashes)[32] = malloc((end - first) * sizeof *hashes);
    assert_non_null(hashes);
    for (uint64_t i = first; i < end; i++) {
        uint32_t len;
        assert_true(lks_shape_leaf(&len, &s, i));
        lks_tree_leaf(hashes[i - first], tree, bytes + 1024 * (i & ((1u << s.chunk_bits) - 1)),
                      len);
    }
    lks_model_trees_path(path, &count, t, tree, item, first, end);
    assert_true(lks_opening_root(root, tree, hashes, first, end, s.height, item, items, path,
                                 count));
    assert_memory_equal(root, want, 32);
    free(hashes);
}

static void check_model(const tiny_model *m)
{
    const lks_program *p = &m->model.program;
    lks_model_trees *t;
    lks_model_commitment c;
    OK(lks_model_trees_make(&t, &m->model));
    OK(lks_commitment_make(&c, &m->model, NULL, NULL));
    assert_memory_equal(lks_model_trees_commitment(t), &c, sizeof c);
    for (uint32_t i = 0; i < p->tensor_count; i++)
        for (int k = 0; k < 5; k++) {
            uint32_t row = k == 0 ? (uint32_t)p->tensors[i]->dims[1] - 1
                                  : (uint32_t)random_below(p->tensors[i]->dims[1]);
            check_opening(t, LKS_TREE_WEIGHTS, i, p->tensor_count,
                          p->tensors[i]->data + row * p->tensors[i]->row_size, row, c.weights_root);
        }
    for (uint32_t i = 0; i < p->op_count; i++) {
        uint8_t descriptor[LKS_DESCRIPTOR_SIZE];
        lks_op_encode(descriptor, &p->ops[i]);
        check_opening(t, LKS_TREE_PROGRAM, 0, 0, descriptor, i, c.program_root);
    }
    for (int k = 0; k < 8; k++) {
        uint32_t row = k == 0 ? p->max_positions - 1 : (uint32_t)random_below(p->max_positions);
        uint8_t bytes[4 * LKS_MAX_HEAD_WIDTH];
        for (uint32_t i = 0; i < p->rope_width; i++)
            lks_store_le32(bytes + 4 * i, lks_bits(m->model.rope[(size_t)row * p->rope_width + i]));
        check_opening(t, LKS_TREE_ROPE, 0, 0, bytes, row, c.rope_root);
    }
    lks_model_trees_free(t);
}

static void test_models(void **unused)
{
    (void)unused;
    each_tiny_model(check_model);
}

typedef struct meter {
    uint64_t last, total;
    unsigned calls;
} meter;

static void progress(void *user, uint64_t done, uint64_t total)
{
    meter *m = user;
    assert_true(done > m->last && done <= total && (m->calls == 0 || m->total == total));
    *m = (meter){done, total, m->calls + 1};
}

static void test_progress(void **unused)
{
    (void)unused;
    tiny_model m;
    meter seen = {0};
    lks_model_commitment c;
    tiny_open(&m, "odd");
    OK(lks_commitment_make(&c, &m.model, progress, &seen));
    assert_true(seen.calls > 10 && seen.calls <= 102 && seen.last == seen.total);
    lks_model_close(&m.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges), cmocka_unit_test(test_models),
                                       cmocka_unit_test(test_progress)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
