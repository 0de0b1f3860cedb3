/* Section 5 of docs/SPEC.md: every operation of every table against the vectors, with guarded
 * outputs. */
#include "tests/kernels/vectors.h"

#include "kernels/bits.h"

typedef void (*check_fn)(const lks_kernels *k, const vector_file *f, int c);

/* Runs check on every case of the file with every table. */
static void each(const char *file, check_fn check)
{
    size_t count;
    const lks_kernels *const *tables = lks_test_tables(&count);
    vector_file f;
    vectors_open(&f, file);
    for (size_t i = 0; i < count; i++)
        for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c))
            check(tables[i], &f, c);
    vectors_close(&f);
}

static lks_matrix matrix_of(const vector_file *f, int c)
{
    size_t size;
    lks_matrix m = {.type = (lks_tensor_type)vector_u64(f, c, "type"),
                    .rows = (uint32_t)vector_u64(f, c, "rows"),
                    .cols = (uint32_t)vector_u64(f, c, "columns")};
    m.data = vector_bytes(f, c, "matrix", &size);
    m.row_size = size / m.rows;
    return m;
}

static void check_embed(const lks_kernels *k, const vector_file *f, int c)
{
    lks_matrix m = matrix_of(f, c);
    size_t count;
    uint32_t *ids = vector_words(f, c, "ids", &count);
    float *want = vector_floats(f, c, "output", NULL), *y = guard_new(count * m.cols * sizeof *y);
    k->embed(y, &m, ids, count);
    assert_floats(y, want, count * m.cols, false, k->name);
    guard_free(y);
    free(want);
    free(ids);
    free((void *)m.data);
}

static void check_linear(const lks_kernels *k, const vector_file *f, int c)
{
    lks_matrix m = matrix_of(f, c);
    uint8_t *q = vector_bytes(f, c, "q", NULL);
    float *d = vector_floats(f, c, "d", NULL), *want = vector_floats(f, c, "output", NULL),
          *y = guard_new(m.rows * sizeof *y);
    float *bias = vector_has(f, c, "bias") ? vector_floats(f, c, "bias", NULL) : NULL;
    lks_a8 x = a8_from(1, m.cols, 64, q, d);
    k->linear(y, m.rows, &m, bias, 0, m.rows, &x, 1);
    assert_floats(y, want, m.rows, true, k->name);
    a8_free(&x);
    guard_free(y);
    free(bias);
    free(want);
    free(d);
    free(q);
    free((void *)m.data);
}

static void check_rms(const lks_kernels *k, const vector_file *f, int c)
{
    size_t width, count;
    float *x = vector_floats(f, c, "x", &width), *epsilon = vector_floats(f, c, "epsilon", NULL),
          *want = vector_floats(f, c, "output", &count);
    float *y = guard_new(count * sizeof *y);
    assert_int_equal(count, (width + 255) / 256 + 1);
    k->rms(y, x, (uint32_t)width, *epsilon, 1);
    assert_floats(y, want, count, false, k->name);
    guard_free(y);
    free(want);
    free(epsilon);
    free(x);
}

static void check_norm_q(const lks_kernels *k, const vector_file *f, int c)
{
    size_t width;
    float *x = vector_floats(f, c, "x", &width), *r = vector_floats(f, c, "r", NULL),
          *gain = vector_floats(f, c, "gain", NULL);
    lks_a8 y = a8_new(1, (uint32_t)width, 64);
    float sums[2] = {0, *r};
    k->norm_q(&y, x, sums, 2, gain, 1);
    assert_a8(&y, 1, f, c, k->name);
    a8_free(&y);
    free(gain);
    free(r);
    free(x);
}

static void check_quant(const lks_kernels *k, const vector_file *f, int c)
{
    size_t width;
    float *x = vector_floats(f, c, "x", &width);
    lks_a8 y = a8_new(1, (uint32_t)width, (uint32_t)vector_u64(f, c, "block"));
    k->quant(&y, x, width, 1);
    assert_a8(&y, 1, f, c, k->name);
    a8_free(&y);
    free(x);
}

static void check_rope(const lks_kernels *k, const vector_file *f, int c)
{
    size_t count;
    float *x = vector_floats(f, c, "x", &count), *table = vector_floats(f, c, "table", NULL),
          *want = vector_floats(f, c, "output", NULL);
    float *y = guard_new(count * sizeof *y);
    memcpy(y, x, count * sizeof *y);
    k->rope(y, count, (uint32_t)vector_u64(f, c, "heads"), (uint32_t)vector_u64(f, c, "width"),
            (uint32_t)vector_u64(f, c, "rot"), vector_u64(f, c, "pairing") == 2, table, 1);
    assert_floats(y, want, count, true, k->name);
    guard_free(y);
    free(want);
    free(table);
    free(x);
}

static void check_silu_mul(const lks_kernels *k, const vector_file *f, int c)
{
    size_t count;
    float *gate = vector_floats(f, c, "gate", &count), *up = vector_floats(f, c, "up", NULL),
          *want = vector_floats(f, c, "output", NULL);
    float *y = guard_new(count * sizeof *y);
    /* Every length, so that the last elements of a vector are met. */
    for (size_t n = 0; n <= count; n += n < 40 ? 1 : count - n ? count - n : 1) {
        memcpy(y, gate, count * sizeof *y);
        k->silu_mul(y, up, n);
        assert_floats(y, want, n, true, k->name);
        assert_floats(y + n, gate + n, count - n, false, "elements behind count");
    }
    guard_free(y);
    free(want);
    free(up);
    free(gate);
}

static void check_add(const lks_kernels *k, const vector_file *f, int c)
{
    size_t count;
    float *x = vector_floats(f, c, "x", &count), *z = vector_floats(f, c, "y", NULL),
          *want = vector_floats(f, c, "output", NULL);
    float *y = guard_new(count * sizeof *y);
    k->add(y, count, x, count, z, count, (uint32_t)count, 1);
    assert_floats(y, want, count, false, k->name);
    guard_free(y);
    free(want);
    free(z);
    free(x);
}

static lks_a8 head(uint8_t *q, float *d, uint32_t width, uint32_t blocks)
{
    return (lks_a8){.q = (int8_t *)q,
                    .d = d,
                    .width = width,
                    .block = width / blocks,
                    .blocks = blocks,
                    .q_ld = width,
                    .d_ld = blocks};
}

static void check_attn(const lks_kernels *k, const vector_file *f, int c)
{
    uint32_t position = (uint32_t)vector_u64(f, c, "position"),
             width = (uint32_t)vector_u64(f, c, "width"),
             blocks = width / (uint32_t)vector_u64(f, c, "block");
    uint8_t *q = vector_bytes(f, c, "q", NULL), *keys = vector_bytes(f, c, "k", NULL),
            *values = vector_bytes(f, c, "v", NULL);
    float *dq = vector_floats(f, c, "dq", NULL), *dk = vector_floats(f, c, "dk", NULL),
          *dv = vector_floats(f, c, "dv", NULL);
    float *scale = vector_floats(f, c, "scale", NULL), *want = vector_floats(f, c, "output", NULL);
    float *o = guard_new(width * sizeof *o),
          *scores = guard_new(lks_attn_scratch(position) * sizeof *scores);
    lks_a8 qa = head(q, dq, width, blocks), ka = head(keys, dk, width, blocks),
           va = head(values, dv, width, blocks);
    k->attn(o, width, &qa, &ka, &va, position, 1, *scale, scores);
    assert_floats(o, want, width, false, k->name);
    guard_free(o);
    guard_free(scores);
    free(want);
    free(scale);
    free(dv);
    free(dk);
    free(dq);
    free(values);
    free(keys);
    free(q);
}

#define CASE(op)                                                                                   \
    static void test_##op(void **state)                                                            \
    {                                                                                              \
        (void)state;                                                                               \
        each("ops/" #op ".json", check_##op);                                                      \
    }
CASE(embed)
CASE(linear)
CASE(rms)
CASE(norm_q)
CASE(quant)
CASE(rope)
CASE(silu_mul)
CASE(add)
CASE(attn)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embed),    cmocka_unit_test(test_linear), cmocka_unit_test(test_rms),
        cmocka_unit_test(test_norm_q),   cmocka_unit_test(test_quant),  cmocka_unit_test(test_rope),
        cmocka_unit_test(test_silu_mul), cmocka_unit_test(test_add),    cmocka_unit_test(test_attn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
