/* Section 2 of docs/SPEC.md: exp32, log32, f16, the order, Philox, and that this build's f32
 * operations are those of IEEE 754. */
#include "kernels/bytes.h"
#include "kernels/half.h"
#include "kernels/math32.h"
#include "tests/kernels/vectors.h"

static uint64_t fnv(uint64_t h, uint32_t word)
{
    return (h ^ word) * UINT64_C(0x100000001b3);
}

enum {
    DENSE_STRIDE = 257
};

/* dense: FNV-64 of fn over 0, 257, 514, ... below 2^32, from a build that math32_exhaustive passed:
 * too many inputs for the Python that makes the file. */
static void check_function(const char *file, float (*fn)(float), uint64_t dense)
{
    vector_file f;
    vectors_open(&f, file);
    int c = vectors_first(&f);
    size_t count, outputs;
    float *in = vector_floats(&f, c, "input", &count),
          *want = vector_floats(&f, c, "output", &outputs);
    assert_int_equal(count, outputs);
    for (size_t i = 0; i < count; i++) {
        float got = fn(in[i]);
        if (memcmp(&got, &want[i], 4))
            fail_msg("%s: of %08x: %08x instead of %08x", file, lks_bits(in[i]), lks_bits(got),
                     lks_bits(want[i]));
    }
    uint64_t h = UINT64_C(0xcbf29ce484222325), stride = vector_u64(&f, c, "stride");
    assert_true(stride > 0);
    for (uint64_t u = 0; u < UINT64_C(1) << 32; u += stride)
        h = fnv(h, lks_bits(fn(lks_float((uint32_t)u))));
    assert_true(h == vector_u64(&f, c, "sampled_fnv"));
    h = UINT64_C(0xcbf29ce484222325);
    for (uint64_t u = 0; u < UINT64_C(1) << 32; u += DENSE_STRIDE)
        h = fnv(h, lks_bits(fn(lks_float((uint32_t)u))));
    if (h != dense)
        fail_msg("%s: the hash with stride %d is %016llx", file, DENSE_STRIDE,
                 (unsigned long long)h);
    free(in);
    free(want);
    vectors_close(&f);
}

static void test_exp32(void **state)
{
    (void)state;
    check_function("scalars/exp32.json", lks_exp32, UINT64_C(0x1b282a4504e11f59));
}

static void test_log32(void **state)
{
    (void)state;
    check_function("scalars/log32.json", lks_log32, UINT64_C(0x5317a761429cce67));
}

static float apply(const char *op, float a, float b, float c)
{
    /* Volatile, so that the machine computes and not the compiler. */
    volatile float x = a, y = b;
    switch (op[0]) {
    case 'a': return x + y;
    case 'm': return x * y;
    case 'd': return x / y;
    case 'f': return lks_fma(x, y, c);
    default: return op[1] == 'u' ? x - y : lks_sqrt(x);
    }
}

static void test_arithmetic(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "scalars/arithmetic.json");
    size_t operations = 0;
    for (int k = vectors_first(&f); k != LKS_JSON_NONE; k = lks_json_next(&f.doc, k)) {
        lks_buf op = {0};
        OK(lks_json_string(&f.doc, lks_json_member(&f.doc, k, "op"), &op));
        size_t count;
        float *want = vector_floats(&f, k, "output", &count), *a = vector_floats(&f, k, "a", NULL);
        float *b = vector_has(&f, k, "b") ? vector_floats(&f, k, "b", NULL) : NULL,
              *c = vector_has(&f, k, "c") ? vector_floats(&f, k, "c", NULL) : NULL;
        for (size_t i = 0; i < count; i++) {
            float got = lks_canonical(apply(lks_buf_text(&op), a[i], b ? b[i] : 0, c ? c[i] : 0));
            if (memcmp(&got, &want[i], 4))
                fail_msg("%s of %08x %08x %08x: %08x instead of %08x", lks_buf_text(&op),
                         lks_bits(a[i]), b ? lks_bits(b[i]) : 0, c ? lks_bits(c[i]) : 0,
                         lks_bits(got), lks_bits(want[i]));
        }
        operations++;
        free(want);
        free(a);
        free(b);
        free(c);
        lks_buf_free(&op);
    }
    assert_int_equal(operations, 6);
    vectors_close(&f);
}

static void test_order(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "scalars/order.json");
    size_t count;
    float *x = vector_floats(&f, vectors_first(&f), "ascending", &count);
    for (size_t i = 1; i < count; i++)
        assert_true(lks_order_key(x[i - 1]) < lks_order_key(x[i]));
    free(x);
    vectors_close(&f);
}

static void test_rint(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "scalars/rint.json");
    size_t count;
    float *x = vector_floats(&f, vectors_first(&f), "input", &count);
    uint32_t *want = vector_words(&f, vectors_first(&f), "output", NULL);
    for (size_t i = 0; i < count; i++)
        assert_int_equal((int32_t)lks_rint(x[i]), (int32_t)want[i]);
    free(x);
    free(want);
    vectors_close(&f);
}

static void test_f16(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "scalars/f16.json");
    int c = vectors_first(&f);
    size_t len;
    uint8_t *in = vector_bytes(&f, c, "input", &len);
    float *want = vector_floats(&f, c, "output", NULL);
    for (size_t i = 0; i < len / 2; i++) {
        float got = lks_f16_to_f32(lks_load_le16(in + 2 * i));
        assert_floats(&got, want + i, 1, true, "f16");
    }
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (uint32_t u = 0; u < 1u << 16; u++)
        h = fnv(h, lks_bits(lks_canonical(lks_f16_to_f32((uint16_t)u))));
    assert_true(h == vector_u64(&f, c, "all_fnv"));
    /* Back: exact for every value. */
    for (uint32_t u = 0; u < 1u << 16; u++)
        if ((u & 0x7fff) <= 0x7c00)
            assert_int_equal(lks_f32_to_f16(lks_f16_to_f32((uint16_t)u)), u);
    free(in);
    free(want);
    vectors_close(&f);
}

static void test_philox(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "scalars/philox.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        uint32_t out[4], *counter = vector_words(&f, c, "counter", NULL),
                         *key = vector_words(&f, c, "key", NULL);
        uint32_t *want = vector_words(&f, c, "output", NULL);
        lks_philox(out, counter, key);
        assert_memory_equal(out, want, sizeof out);
        free(counter);
        free(key);
        free(want);
    }
    vectors_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp32),      cmocka_unit_test(test_log32),
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_order),
        cmocka_unit_test(test_rint),       cmocka_unit_test(test_f16),
        cmocka_unit_test(test_philox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
