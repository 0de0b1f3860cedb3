/* Every value type is read back; every rule of oracle/gguf/gguf.c is broken once and named in the
 * message; every truncation of a file and every changed byte of its head is survived. */
#include "tests/gguf/gguf_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka.h needs the headers above
#include <cmocka.h>

static const uint64_t one_row[1] = {32};

/* A file with each value type and three tensors; size of the head (what lies before the tensor
 * data) in *head. */
static gguf_builder good_file(size_t *head)
{
    gguf_builder b;
    gb_begin(&b, 3, 16);
    gb_key(&b, "u8", LKS_GGUF_U8), gb_u8(&b, 200);
    gb_key(&b, "i8", LKS_GGUF_I8), gb_u8(&b, 0xff);
    gb_key(&b, "u16", LKS_GGUF_U16), gb_bytes(&b, "\x39\x30", 2);
    gb_key(&b, "i16", LKS_GGUF_I16), gb_bytes(&b, "\x39\x30", 2);
    gb_pair_u32(&b, "u32", 4000000000u);
    gb_key(&b, "i32", LKS_GGUF_I32), gb_u32(&b, 7);
    gb_key(&b, "f32", LKS_GGUF_F32), gb_f32(&b, -1.5f);
    gb_pair_bool(&b, "yes", true);
    gb_pair_text(&b, "text", "hello");
    gb_key(&b, "u64", LKS_GGUF_U64), gb_u64(&b, 1ull << 32);
    gb_key(&b, "i64", LKS_GGUF_I64), gb_u64(&b, 99);
    gb_key(&b, "f64", LKS_GGUF_F64), gb_u64(&b, 0x3fb0000000000000);         /* 0.0625 */
    gb_key(&b, "f64 inexact", LKS_GGUF_F64), gb_u64(&b, 0x3fb999999999999a); /* 0.1 */
    gb_array(&b, "strings", LKS_GGUF_STRING, 3), gb_text(&b, "a"), gb_text(&b, ""),
        gb_text(&b, "ccc");
    gb_array(&b, "ints", LKS_GGUF_I32, 2), gb_u32(&b, 1), gb_u32(&b, 2);
    gb_pair_u32(&b, "general.alignment", 64);
    gb_tensor(&b, "second", LKS_F32, 2, (uint64_t[]){8, 2}, 64);
    gb_tensor(&b, "first", LKS_Q8_0, 1, one_row, 0);
    gb_tensor(&b, "third", LKS_Q6_K, 3, (uint64_t[]){512, 1, 1}, 128);
    gb_pad(&b, 64);
    *head = b.size;
    for (int i = 0; i < 128 + 420; i++)
        gb_u8(&b, (uint8_t)i);
    return b;
}

static void test_reads_everything(void **state)
{
    (void)state;
    size_t head;
    gguf_builder b = good_file(&head);
    lks_gguf *g;
    assert_int_equal(lks_gguf_open_memory(&g, b.data, b.size), LKS_OK);
    assert_int_equal(lks_gguf_entry_count(g), 16);
    assert_memory_equal(lks_gguf_entry_at(g, 2)->key.data, "u16", 3);

    uint32_t u = 1;
    const struct {
        const char *key;
        uint32_t value;
    } numbers[] = {{"u8", 200},          {"u16", 12345}, {"i16", 12345},
                   {"u32", 4000000000u}, {"i32", 7},     {"i64", 99}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(lks_gguf_get_u32(g, numbers[i].key, &u), LKS_OK);
        assert_int_equal(u, numbers[i].value);
    }
    u = 5;
    assert_int_equal(lks_gguf_get_u32(g, "i8", &u), LKS_CORRUPT);
    assert_int_equal(lks_gguf_get_u32(g, "u64", &u), LKS_CORRUPT);
    assert_int_equal(lks_gguf_get_u32(g, "text", &u), LKS_CORRUPT);
    assert_int_equal(lks_gguf_get_u32(g, "none", &u), LKS_NOTFOUND);
    assert_int_equal(u, 5);

    float f = 0;
    assert_int_equal(lks_gguf_get_f32(g, "f32", &f), LKS_OK);
    assert_true(f == -1.5f);
    assert_int_equal(lks_gguf_get_f32(g, "f64", &f), LKS_OK);
    assert_true(f == 0.0625f);
    assert_int_equal(lks_gguf_get_f32(g, "f64 inexact", &f), LKS_CORRUPT);
    assert_int_equal(lks_gguf_get_f32(g, "u32", &f), LKS_CORRUPT);

    bool yes = false;
    assert_int_equal(lks_gguf_get_bool(g, "yes", &yes), LKS_OK);
    assert_true(yes);
    assert_int_equal(lks_gguf_get_bool(g, "u8", &yes), LKS_CORRUPT);

    lks_gguf_string s;
    assert_int_equal(lks_gguf_get_string(g, "text", &s), LKS_OK);
    assert_int_equal(s.len, 5);
    assert_memory_equal(s.data, "hello", 5);

    lks_gguf_array a;
    assert_int_equal(lks_gguf_get_array(g, "strings", LKS_GGUF_STRING, &a), LKS_OK);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.size, 3 * 8 + 4);
    const uint8_t *cursor = a.data;
    assert_int_equal(lks_gguf_next_string(&cursor).len, 1);
    assert_int_equal(lks_gguf_next_string(&cursor).len, 0);
    s = lks_gguf_next_string(&cursor);
    assert_memory_equal(s.data, "ccc", 3);
    assert_ptr_equal(cursor, a.data + a.size);
    assert_int_equal(lks_gguf_get_array(g, "ints", LKS_GGUF_U32, &a), LKS_CORRUPT);
    assert_int_equal(lks_gguf_get_array(g, "ints", LKS_GGUF_I32, &a), LKS_OK);
    assert_int_equal(a.size, 8);

    assert_int_equal(lks_gguf_tensor_count(g), 3);
    const lks_gguf_tensor *t = lks_gguf_tensor_find(g, "second");
    assert_ptr_equal(t, lks_gguf_tensor_at(g, 0));
    assert_ptr_equal(t->data, b.data + head + 64);
    assert_int_equal(t->size, 64);
    assert_int_equal(t->row_size, 32);
    assert_int_equal(t->dims[3], 1);
    t = lks_gguf_tensor_find(g, "third");
    assert_int_equal(t->size, 420);
    assert_int_equal(t->row_size, 420);
    assert_null(lks_gguf_tensor_find(g, "fourth"));
    lks_gguf_close(g);
    gb_free(&b);
}

/* Opens b, which must fail with err and say what. */
static void refuse(gguf_builder *b, lks_err err, const char *what)
{
    lks_gguf *g;
    lks_err got = lks_gguf_open_memory(&g, b->data, b->size);
    if (got != err || !strstr(lks_error_message(), what))
        fail_msg("expected %s with '%s', got %s with '%s'", lks_err_name(err), what,
                 lks_err_name(got), lks_error_message());
    assert_null(g);
    gb_free(b);
}

static void test_refuses_headers(void **state)
{
    (void)state;
    gguf_builder b;
    gb_begin(&b, 0, 0), b.data[3] = 'X', refuse(&b, LKS_CORRUPT, "not a GGUF file");
    gb_begin(&b, 0, 0), b.size = 23, refuse(&b, LKS_CORRUPT, "not a GGUF file");
    gb_begin(&b, 0, 0), b.data[4] = 2, refuse(&b, LKS_REFUSED, "version 2");
    gb_begin(&b, 0, 0), b.data[4] = 0, b.data[7] = 3, refuse(&b, LKS_REFUSED, "big-endian");
    gb_begin(&b, 1, 0), refuse(&b, LKS_CORRUPT, "1 tensors, more than the file can hold");
    gb_begin(&b, UINT64_MAX, 0), refuse(&b, LKS_CORRUPT, "more than");
    gb_begin(&b, 0, UINT64_MAX), refuse(&b, LKS_CORRUPT, "metadata pairs, more than");
    gb_begin(&b, 65537, 0);
    for (int i = 0; i < 65537 * 33; i++)
        gb_u8(&b, 0);
    refuse(&b, LKS_CORRUPT, "more than 65,536");
}

static void test_refuses_pairs(void **state)
{
    (void)state;
    gguf_builder b;
#define PAIR(body, what) (gb_begin(&b, 0, 1), body, gb_pad(&b, 64), refuse(&b, LKS_CORRUPT, what))
    PAIR((gb_u64(&b, UINT64_MAX)), "the file ends in its key");
    PAIR((gb_key(&b, "", 0)), "its key is empty");
    PAIR((gb_key(&b, "a\nb", 0)), "not printable");
    PAIR((gb_key(&b, "k", 13)), "value type 13");
    PAIR((gb_key(&b, "k", LKS_GGUF_STRING), gb_u64(&b, 1000)), "key k: string 0");
    PAIR((gb_key(&b, "k", LKS_GGUF_BOOL), gb_u8(&b, 2)), "a boolean is 2");
    PAIR((gb_array(&b, "k", LKS_GGUF_ARRAY, 1)), "array of arrays");
    PAIR((gb_array(&b, "k", 99, 1)), "value type 99");
    PAIR((gb_array(&b, "k", LKS_GGUF_U64, UINT64_MAX / 8 + 2)), "ends beyond the file");
    PAIR((gb_array(&b, "k", LKS_GGUF_STRING, 1ull << 61)), "longer than the file");
    PAIR((gb_array(&b, "k", LKS_GGUF_STRING, 2), gb_text(&b, "a"), gb_u64(&b, UINT64_MAX - 7)),
         "string 1 of its array");
    PAIR((gb_array(&b, "k", LKS_GGUF_BOOL, 2), gb_u8(&b, 1), gb_u8(&b, 7)), "a boolean is 7");
    PAIR((gb_pair_u32(&b, "general.alignment", 48)), "general.alignment");
    PAIR((gb_pair_u32(&b, "general.alignment", 0)), "general.alignment");
    PAIR((gb_pair_u32(&b, "general.alignment", 1u << 17)), "general.alignment");
    PAIR((gb_pair_text(&b, "general.alignment", "32")), "general.alignment");
#undef PAIR
    gb_begin(&b, 0, 2), gb_pair_u32(&b, "twin", 1), gb_pair_bool(&b, "twin", true),
        refuse(&b, LKS_CORRUPT, "key twin stands twice");
}

static void test_refuses_tensors(void **state)
{
    (void)state;
    gguf_builder b;
    const uint64_t huge[4] = {1ull << 32, 1ull << 32, 1, 1}, zero[2] = {32, 0}, odd[1] = {33},
                   long_rows[2] = {1ull << 62, 2};
#define TENSOR(err, what, ...)                                                                     \
    (gb_begin(&b, 1, 0), gb_tensor(&b, __VA_ARGS__), gb_pad(&b, 32),                               \
     gb_bytes(&b, (uint8_t[200]){0}, 200), refuse(&b, err, what))
    TENSOR(LKS_CORRUPT, "tensor 0: its name is empty", "", LKS_F32, 1, one_row, 0);
    TENSOR(LKS_CORRUPT, "tensor t: 0 dimensions", "t", LKS_F32, 0, one_row, 0);
    TENSOR(LKS_CORRUPT, "tensor t: 5 dimensions", "t", LKS_F32, 5, (uint64_t[5]){1, 1, 1, 1, 1}, 0);
    TENSOR(LKS_CORRUPT, "tensor t: dimension 1 is 0", "t", LKS_F32, 2, zero, 0);
    TENSOR(LKS_CORRUPT, "no multiple of Q4_1's 32", "t", LKS_Q4_1, 1, odd, 0);
    TENSOR(LKS_CORRUPT, "overflows", "t", LKS_F32, 2, huge, 0);
    TENSOR(LKS_CORRUPT, "overflows", "t", LKS_F32, 2, long_rows, 0);
    TENSOR(LKS_REFUSED, "tensor t: element type 10 is not supported", "t", 10, 1, one_row,
           0); /* Q2_K */
    TENSOR(LKS_REFUSED, "element type 31", "t", 31, 1, one_row, 0);
    TENSOR(LKS_CORRUPT, "element type 4294967295", "t", UINT32_MAX, 1, one_row, 0);
    TENSOR(LKS_CORRUPT, "tensor t: its offset 4 is no multiple of 32", "t", LKS_F32, 1, one_row, 4);
    TENSOR(LKS_CORRUPT, "tensor t lies outside the file", "t", LKS_F32, 1, one_row, 96);
    TENSOR(LKS_CORRUPT, "tensor t lies outside the file", "t", LKS_F32, 1, one_row,
           UINT64_MAX - 31);
#undef TENSOR
    gb_begin(&b, 2, 0), gb_tensor(&b, "x", LKS_F32, 1, one_row, 0),
        gb_tensor(&b, "x", LKS_F32, 1, one_row, 128);
    gb_pad(&b, 32), gb_bytes(&b, (uint8_t[256]){0}, 256),
        refuse(&b, LKS_CORRUPT, "tensor x stands twice");
    gb_begin(&b, 2, 0), gb_tensor(&b, "x", LKS_F32, 1, one_row, 96),
        gb_tensor(&b, "y", LKS_F32, 1, one_row, 0);
    gb_pad(&b, 32), gb_bytes(&b, (uint8_t[256]){0}, 256),
        refuse(&b, LKS_CORRUPT, "tensors y and x overlap");
    gb_begin(&b, 2, 0), gb_tensor(&b, "x", LKS_F32, 1, one_row, 32),
        gb_tensor(&b, "y", LKS_F32, 1, one_row, 32);
    gb_pad(&b, 32), gb_bytes(&b, (uint8_t[256]){0}, 256), refuse(&b, LKS_CORRUPT, "overlap");
}

/* Each prefix is refused (the last tensor ends with the file); read from its own allocation, so
 * that ASan sees a byte too many. */
static void test_truncation(void **state)
{
    (void)state;
    size_t head;
    gguf_builder b = good_file(&head);
    for (size_t len = 0; len < b.size; len++) {
        uint8_t *part = malloc(len ? len : 1);
        assert_non_null(part);
        memcpy(part, b.data, len);
        lks_gguf *g;
        assert_int_not_equal(lks_gguf_open_memory(&g, part, len), LKS_OK);
        assert_null(g);
        free(part);
    }
    gb_free(&b);
}

static void test_changed_bytes(void **state)
{
    (void)state;
    size_t head;
    gguf_builder b = good_file(&head);
    const uint8_t masks[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < head; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            lks_gguf *g;
            b.data[i] ^= masks[k];
            if (lks_gguf_open_memory(&g, b.data, b.size) == LKS_OK)
                for (size_t j = 0; j < lks_gguf_tensor_count(g); j++) {
                    const lks_gguf_tensor *t = lks_gguf_tensor_at(g, j);
                    assert_true(t->data >= b.data &&
                                t->size <= (size_t)(b.data + b.size - t->data));
                }
            lks_gguf_close(g);
            b.data[i] ^= masks[k];
        }
    gb_free(&b);
}

static void test_files(void **state)
{
    (void)state;
    lks_gguf *g;
    size_t head;
    gguf_builder b = good_file(&head);
    char path[] = "/tmp/lks-test-gguf-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.data, b.size), (ssize_t)b.size);
    assert_int_equal(lks_gguf_open(&g, path), LKS_OK);
    assert_memory_equal(lks_gguf_tensor_find(g, "third")->data, b.data + head + 128, 420);
    lks_gguf_close(g);
    assert_int_equal(ftruncate(fd, (off_t)b.size - 1), 0);
    assert_int_equal(lks_gguf_open(&g, path), LKS_CORRUPT);
    assert_non_null(strstr(lks_error_message(), path));
    assert_non_null(strstr(lks_error_message(), "third lies outside the file"));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lks_gguf_open(&g, path), LKS_CORRUPT);
    close(fd);
    unlink(path);
    assert_int_equal(lks_gguf_open(&g, path), LKS_IO);
    assert_null(g);
    assert_int_equal(lks_gguf_open(&g, "/tmp"), LKS_IO);
    gb_free(&b);
}

static void test_vocabulary_only(void **state)
{
    (void)state;
    gguf_builder b;
    lks_gguf *g;
    gb_begin(&b, 0, 1);
    gb_pair_text(&b, "tokenizer.ggml.model", "gpt2");
    assert_int_equal(lks_gguf_open_memory(&g, b.data, b.size), LKS_OK);
    assert_int_equal(lks_gguf_tensor_count(g), 0);
    lks_gguf_close(g);
    gb_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_everything),
        cmocka_unit_test(test_refuses_headers),
        cmocka_unit_test(test_refuses_pairs),
        cmocka_unit_test(test_refuses_tensors),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_vocabulary_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
