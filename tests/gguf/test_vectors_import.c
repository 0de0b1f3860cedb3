/* Section 4 of docs/SPEC.md, Import: a block of 32 floats becomes the Q8_0 block of the vectors, or
 * is refused. */
#include "tests/gguf/gguf_builder.h"
#include "tests/kernels/vectors.h"

#include "kernels/bits.h"
#include "oracle/gguf/import.h"

#include <unistd.h>

static void check(const vector_file *f, int c, const char *path)
{
    size_t count;
    uint32_t *x = vector_words(f, c, "x", &count);
    assert_int_equal(count, 32);
    gguf_builder b;
    gb_begin(&b, 1, 0);
    gb_tensor(&b, "w", LKS_F32, 2, (uint64_t[]){32, 1}, 0);
    gb_pad(&b, 32);
    for (size_t i = 0; i < 32; i++)
        gb_u32(&b, x[i]);
    lks_gguf *in, *out;
    lks_import_result result;
    OK(lks_gguf_open_memory(&in, b.data, b.size));
    lks_err err = lks_import(in, path, NULL, NULL, &result);
    if (vector_has(f, c, "refused")) {
        assert_int_equal(err, LKS_REFUSED);
    } else {
        uint8_t *want = vector_bytes(f, c, "block", NULL);
        OK(err);
        OK(lks_gguf_open(&out, path));
        const lks_gguf_tensor *t = lks_gguf_tensor_find(out, "w");
        assert_non_null(t);
        assert_int_equal(t->type, LKS_Q8_0);
        assert_int_equal(t->size, 34);
        assert_bytes(t->data, want, 34, "block");
        lks_gguf_close(out);
        free(want);
    }
    lks_gguf_close(in);
    gb_free(&b);
    free(x);
}

static void test_import_blocks(void **state)
{
    (void)state;
    char folder[] = "/tmp/lks-import-vectors-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/out.gguf", folder);
    vector_file f;
    vectors_open(&f, "blocks/import.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c))
        check(&f, c, path);
    vectors_close(&f);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_import_blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
