/* Sections 3, 4, 6 and 7 of docs/SPEC.md against the vectors: the A8 block, weight rows, the RoPE
 * table, sampling. */
#include "tests/kernels/vectors.h"

#include "kernels/bits.h"

static void test_a8(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "blocks/a8.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        size_t count;
        float *x = vector_floats(&f, c, "x", &count), *want_d = vector_floats(&f, c, "d", NULL), d;
        uint8_t *want_q = vector_bytes(&f, c, "q", NULL);
        int8_t *q = guard_new(count);
        uint32_t idx;
        lks_quantize_block(q, &d, &idx, x, (uint32_t)count);
        assert_bytes(q, want_q, count, "q");
        assert_floats(&d, want_d, 1, false, "d");
        assert_int_equal(idx, vector_u64(&f, c, "idx"));
        memset(q, 99, count);
        lks_quantize_block(q, &d, NULL, x, (uint32_t)count);
        assert_bytes(q, want_q, count, "q without idx");
        guard_free(q);
        free(x);
        free(want_d);
        free(want_q);
    }
    vectors_close(&f);
}

static void check_weights(const vector_file *f, int c)
{
    size_t size, w_count, n_count;
    uint32_t columns = (uint32_t)vector_u64(f, c, "columns");
    uint8_t *row = vector_bytes(f, c, "row", &size), *want_q = vector_bytes(f, c, "q", NULL);
    float *want_w = vector_floats(f, c, "w", &w_count),
          *want_n = vector_floats(f, c, "n", &n_count),
          *values = vector_floats(f, c, "values", NULL);
    lks_matrix m = {.type = (lks_tensor_type)vector_u64(f, c, "type"),
                    .rows = 1,
                    .cols = columns,
                    .data = row,
                    .row_size = size};
    assert_int_equal(columns / lks_sub_block(m.type), w_count);
    assert_int_equal(lks_has_offset(m.type), n_count > 0);
    int8_t *q = guard_new(columns);
    float *w = guard_new(4 * w_count), *n = guard_new(4 * w_count), *y = guard_new(4 * columns);
    lks_unpack(q, w, n, &m, 0, 0, columns);
    assert_bytes(q, want_q, columns, "q");
    assert_floats(w, want_w, w_count, false, "w");
    assert_floats(n, want_n, n_count, false, "n");
    size_t count;
    const lks_kernels *const *tables = lks_test_tables(&count);
    for (size_t i = 0; i < count; i++) {
        tables[i]->embed(y, &m, &(uint32_t){0}, 1);
        assert_floats(y, values, columns, false, tables[i]->name);
    }
    guard_free(q);
    guard_free(w);
    guard_free(n);
    guard_free(y);
    free(row);
    free(want_q);
    free(want_w);
    free(want_n);
    free(values);
}

static void test_weights(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "blocks/weights.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c))
        check_weights(&f, c);
    vectors_close(&f);
}

static void test_rope_rows(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "rope/rows.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        size_t count;
        uint32_t rot = (uint32_t)vector_u64(&f, c, "rot"),
                 *positions = vector_words(&f, c, "positions", &count);
        float *base = vector_floats(&f, c, "base", NULL),
              *factors = vector_floats(&f, c, "factors", NULL),
              *want = vector_floats(&f, c, "rows", NULL);
        double *frequencies = guard_new(rot / 2 * sizeof *frequencies + 4);
        frequencies =
            (double *)((char *)frequencies + 4); /* doubles need 8 bytes; guard_new gives 4 */
        float *row = guard_new(4 * rot);
        lks_rope_frequencies(frequencies, *base, rot, factors);
        for (size_t i = 0; i < count; i++) {
            lks_rope_row(row, positions[i], frequencies, rot);
            assert_floats(row, want + i * rot, rot, false, "row");
        }
        guard_free((char *)frequencies - 4);
        guard_free(row);
        free(positions);
        free(base);
        free(factors);
        free(want);
    }
    vectors_close(&f);
}

static void check_sample(const vector_file *f, int c)
{
    size_t vocab;
    float *logits = vector_floats(f, c, "logits", &vocab),
          *temperature = vector_floats(f, c, "temperature", NULL);
    float *min_p = vector_floats(f, c, "min_p", NULL), *max = vector_floats(f, c, "max", NULL);
    lks_sampling policy = {
        .temperature = *temperature, .min_p = *min_p, .seed = vector_u64(f, c, "seed")};
    uint32_t *allowed =
        vector_has(f, c, "allowed") ? vector_words(f, c, "allowed", &policy.allowed_count) : NULL;
    policy.allowed = allowed;
    /* The engine's logits may hold any NaN. */
    const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff};
    for (size_t k = 0; k < LKS_COUNT(nans); k++) {
        lks_sample_row row = {0};
        for (size_t i = 0; i < vocab; i++)
            if (logits[i] != logits[i])
                logits[i] = lks_float(nans[k]);
        lks_kernels_scalar.sample_max(&row, logits, (uint32_t)vocab, &policy);
        assert_floats(&row.max, max, 1, false, "max");
        assert_int_equal(row.index, vector_u64(f, c, "index"));
        assert_int_equal(lks_kernels_scalar.sample_choose(&row, logits, (uint32_t)vocab, &policy,
                                                          (uint32_t)vector_u64(f, c, "position")),
                         vector_u64(f, c, "token"));
    }
    free(logits);
    free(temperature);
    free(min_p);
    free(max);
    free(allowed);
}

static void test_sampling(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "sampling/sample.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c))
        check_sample(&f, c);
    vectors_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a8), cmocka_unit_test(test_weights),
                                       cmocka_unit_test(test_rope_rows),
                                       cmocka_unit_test(test_sampling)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
