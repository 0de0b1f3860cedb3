/* What import refuses, and that a refusal leaves no file behind; the values are checked by
 * check_import.py. */
#include "oracle/gguf/import.h"
#include "tests/gguf/gguf_builder.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka.h needs the headers above
#include <cmocka.h>

static char folder[] = "/tmp/lks-test-import-XXXXXX";
static char target[64], occupied[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return 1;
    snprintf(target, sizeof target, "%s/out.gguf", folder);
    snprintf(occupied, sizeof occupied, "%s/dir", folder);
    return mkdir(occupied, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(target);
    return rmdir(occupied) || rmdir(folder);
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

/* Two rows of 32 with value at the end of the second. */
static gguf_builder matrix(uint32_t type, uint32_t value)
{
    gguf_builder b;
    gb_begin(&b, 1, 0);
    gb_tensor(&b, "w", type, 2, (uint64_t[]){32, 2}, 0);
    gb_pad(&b, 32);
    for (int i = 0; i < 63; i++) {
        if (type == LKS_F32)
            gb_u32(&b, 0);
        else
            gb_bytes(&b, "\0\0", 2);
    }
    gb_bytes(&b,
             (uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                         (uint8_t)(value >> 24)},
             type == LKS_F32 ? 4 : 2);
    return b;
}

/* Imports b to path, which must end with err and, if that is a failure, say what. */
static void import(gguf_builder b, const char *path, lks_err err, const char *what)
{
    lks_gguf *g;
    lks_import_result result;
    assert_int_equal(lks_gguf_open_memory(&g, b.data, b.size), LKS_OK);
    lks_err got = lks_import(g, path, NULL, NULL, &result);
    if (got != err || (err && !strstr(lks_error_message(), what)))
        fail_msg("expected %s with '%s', got %s with '%s'", lks_err_name(err), what,
                 lks_err_name(got), lks_error_message());
    lks_gguf_close(g);
    gb_free(&b);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const nan_text = "tensor w: row 1 has a NaN or an infinity";
    FILE *f = fopen(target, "wb");
    assert_non_null(f);
    assert_int_equal(fputs("precious", f) >= 0, 1);
    fclose(f);
    import(matrix(LKS_F32, 0x7fc00000), target, LKS_REFUSED, nan_text);
    import(matrix(LKS_F32, 0xff800000), target, LKS_REFUSED, nan_text);
    import(matrix(LKS_F16, 0x7c00), target, LKS_REFUSED, nan_text);
    import(matrix(LKS_BF16, 0xffff), target, LKS_REFUSED, nan_text);
    import(matrix(LKS_F32, 0x4afe0000), target, LKS_REFUSED,
           "too large for a float16 scale"); /* 65536 * 127 */
    import(matrix(LKS_F32, 0x00001000), target, LKS_REFUSED, "so small that 1 / scale overflows");
    gguf_builder b;
    gb_begin(&b, 1, 0), gb_tensor(&b, "odd", LKS_F16, 2, (uint64_t[]){33, 1}, 0), gb_pad(&b, 32),
        gb_bytes(&b, (uint8_t[66]){0}, 66);
    import(b, target, LKS_REFUSED, "tensor odd: a row of 33 elements");

    char text[16] = "";
    f = fopen(target, "rb");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, sizeof text, f), 8);
    fclose(f);
    assert_string_equal(text, "precious");
    import(matrix(LKS_F32, 0), "/nonexistent/out.gguf", LKS_IO,
           "/nonexistent/out.gguf cannot be written");
    import(matrix(LKS_F32, 0), occupied, LKS_IO, "cannot be written");
    assert_int_equal(files_in_folder(),
                     2); /* the target and the folder in the way: no temporary file */
}

typedef struct seen {
    uint64_t done, total;
    int calls;
} seen;

static void watch(void *user, uint64_t done, uint64_t total)
{
    seen *s = user;
    assert_true(done >= s->done && done <= total);
    *s = (seen){.done = done, .total = total, .calls = s->calls + 1};
}

/* More than one buffer: 4 MiB of tensor that is copied, and one that is converted. */
static void test_large(void **state)
{
    (void)state;
    enum {
        ROWS = 4096
    };
    gguf_builder b;
    seen s = {0};
    lks_gguf *g, *out;
    lks_import_result result;
    struct stat st;
    gb_begin(&b, 2, 1);
    gb_pair_text(&b, "general.name", "large");
    gb_tensor(&b, "kept", LKS_Q8_0, 2, (uint64_t[]){1024, ROWS}, 0);
    gb_tensor(&b, "converted", LKS_F32, 2, (uint64_t[]){32, ROWS}, (uint64_t)ROWS * 1088);
    gb_pad(&b, 32);
    size_t start = b.size;
    for (uint32_t i = 0; i < ROWS * 1088 / 4; i++)
        gb_u32(&b, i * 2654435761u);
    for (uint32_t i = 0; i < 32 * ROWS; i++)
        gb_f32(&b, (float)(i % 32) + 96);
    assert_int_equal(lks_gguf_open_memory(&g, b.data, b.size), LKS_OK);
    assert_int_equal(lks_import(g, target, watch, &s, &result), LKS_OK);
    assert_int_equal(result.converted, 1);
    assert_int_equal(result.kept, 1);
    assert_int_equal(stat(target, &st), 0);
    assert_true(s.calls > 3 && s.done == s.total && s.total == (uint64_t)st.st_size);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(lks_gguf_open(&out, target), LKS_OK);
    assert_memory_equal(lks_gguf_tensor_find(out, "kept")->data, b.data + start,
                        (size_t)ROWS * 1088);
    const lks_gguf_tensor *t = lks_gguf_tensor_find(out, "converted");
    assert_int_equal(t->type, LKS_Q8_0);
    for (size_t row = 0; row < ROWS; row++) {
        assert_memory_equal(t->data + row * 34, "\x00\x3c", 2); /* 127 / 127 = 1 */
        for (size_t i = 0; i < 32; i++)
            assert_int_equal(t->data[row * 34 + 2 + i], 96 + i);
    }
    lks_gguf_close(out);
    lks_gguf_close(g);
    gb_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_large)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
