/* The first difference of a liar's trace, at every depth that it can be revealed to: for a flipped
 * bit at the first, a middle and the last leaf of every operation of every run, the place told is
 * that of the bit. */
#include "oracle/cli/difference.h"
#include "tests/dispute/liar.h"
#include "tests/proof/run_rows.h"

/* What a liar has revealed so far. */
typedef struct revealed {
    lks_known_node nodes[512];
    lks_known_leaf leaf;
    lks_shown shown;
} revealed;

static void reveal_children(revealed *r, const liar *l, uint32_t op, unsigned height,
                            uint64_t index)
{
    unsigned below;
    uint32_t count;
    assert_true(lks_stage_below(&below, &count, height));
    for (uint32_t i = 0; i < count; i++) {
        lks_known_node *n = &r->nodes[r->shown.known.node_count++];
        assert_true(r->shown.known.node_count <= 512);
        *n = (lks_known_node){.op = op, .height = below, .index = index * count + i};
        liar_node(n->hash, l, op, below, n->index);
    }
}

/* Whether the node that the difference names holds the leaf. */
static void assert_holds(const lks_difference *d, uint32_t op, uint64_t leaf)
{
    if (d->op == LKS_TOP) {
        assert_int_equal(op >> d->height, d->index);
    } else {
        assert_int_equal(d->op, op);
        assert_int_equal(leaf >> d->height, d->index);
    }
}

/* Goes down stage by stage. In: the flipped byte of the leaf. */
static void go_down(const liar *l, lks_trace *own, uint32_t op, uint64_t leaf, uint32_t byte)
{
    revealed r = {0};
    lks_difference d;
    lks_shape s;
    r.shown.known.nodes = r.nodes;
    OK(lks_difference_find(&d, own, &r.shown));
    assert_int_equal(d.kind, LKS_DIFFERENCE_CLOSED);
    r.shown.open = true;
    liar_root(r.shown.root, l);
    for (unsigned stages = 0;; stages++) {
        OK(lks_difference_find(&d, own, &r.shown));
        assert_int_equal(d.kind, LKS_DIFFERENCE_NODE);
        assert_holds(&d, op, leaf);
        if (d.op != LKS_TOP && d.height == 0) {
            break;
        }
        assert_true(stages < 20);
        reveal_children(&r, l, d.op, d.height, d.index);
    }
    r.leaf = (lks_known_leaf){
        .op = op, .leaf = leaf, .bytes = l->changes[0].bytes, .len = l->changes[0].len};
    r.shown.known.leaves = &r.leaf;
    r.shown.known.leaf_count = 1;
    OK(lks_difference_find(&d, own, &r.shown));
    assert_int_equal(d.kind, LKS_DIFFERENCE_BYTE);
    assert_int_equal(d.theirs ^ d.own, 1);
    lks_trace_shape(&s, own, op);
    assert_int_equal(d.place.op, op);
    assert_int_equal(d.place.row, leaf >> s.chunk_bits);
    assert_int_equal(d.place.byte, (leaf & ((1u << s.chunk_bits) - 1)) * LKS_CHUNK_SIZE + byte);
    /* A leaf that is not what its node was. */
    r.leaf.len--;
    assert_int_equal(lks_difference_find(&d, own, &r.shown), LKS_CORRUPT);
}

static size_t places;

static void try_leaf(liar *l, lks_trace *own, uint32_t op, uint64_t leaf)
{
    lks_shape s;
    uint32_t size;
    lks_trace_shape(&s, own, op);
    while (!lks_shape_leaf(&size, &s, leaf)) {
        leaf--;
    }
    liar_reset(l);
    liar_flip(l, op, leaf, size - 1, 0);
    go_down(l, own, op, leaf, size - 1);
    places++;
}

static void try_run(const tiny_model *m, const lks_run *run)
{
    lks_trace *own;
    liar l;
    lks_shape s;
    revealed r = {0};
    lks_difference d;
    lks_trace_options o = {.threads = 1};
    OK(lks_spill_open(&o.spill, "/tmp", UINT64_MAX));
    OK(lks_trace_make(&own, &m->model, run, &o));
    lks_spill_close(o.spill);
    r.shown.open = true;
    lks_trace_root(r.shown.root, own);
    OK(lks_difference_find(&d, own, &r.shown));
    assert_int_equal(d.kind, LKS_DIFFERENCE_NONE);
    liar_open(&l, own);
    for (uint32_t op = 0; op < m->model.program.op_count; op++) {
        lks_trace_shape(&s, own, op);
        uint64_t leaves = UINT64_C(1) << s.height;
        try_leaf(&l, own, op, 0);
        try_leaf(&l, own, op, leaves / 2);
        try_leaf(&l, own, op, leaves - 1);
    }
    liar_close(&l);
    lks_trace_free(own);
}

static void test_every_depth(void **state)
{
    (void)state;
    each_tiny_run(try_run);
    print_message("places %zu\n", places);
    assert_true(places > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
