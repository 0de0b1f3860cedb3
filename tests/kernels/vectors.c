#include "tests/kernels/vectors.h"

#include "chain/hex.h"
#include "kernels/bits.h"
#include "kernels/bytes.h"

enum {
    GUARD = 64,
    HEAD = 16
};

const lks_kernels *const *lks_test_tables(size_t *count)
{
    static const lks_kernels *tables[2];
    tables[0] = &lks_kernels_scalar;
    tables[1] = lks_kernels_best();
    *count = tables[1] == tables[0] ? 1 : 2;
    return tables;
}

uint8_t *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    uint8_t *bytes = malloc((size_t)size);
    assert_non_null(bytes);
    *len = fread(bytes, 1, (size_t)size, file);
    assert_int_equal(*len, size);
    fclose(file);
    return bytes;
}

void vectors_open(vector_file *f, const char *name)
{
    char path[512];
    size_t len;
    snprintf(path, sizeof path, "%s/vectors/%s", LKS_TEST_DIR, name);
    f->name = name;
    f->text = read_file(path, &len);
    OK(lks_json_parse(&f->doc, (const char *)f->text, len, LKS_JSON_MAX_VALUES));
    f->cases = lks_json_member(&f->doc, 0, "cases");
    assert_true(lks_json_size(&f->doc, f->cases) > 0);
}

void vectors_close(vector_file *f)
{
    lks_json_free(&f->doc);
    free(f->text);
}

int vectors_first(const vector_file *f)
{
    return lks_json_first(&f->doc, f->cases);
}

bool vector_has(const vector_file *f, int node, const char *member)
{
    return lks_json_member(&f->doc, node, member) != LKS_JSON_NONE;
}

uint64_t vector_u64(const vector_file *f, int node, const char *member)
{
    uint64_t value = 0;
    int n = lks_json_member(&f->doc, node, member);
    if (lks_json_typeof(&f->doc, n) == LKS_JSON_NUMBER) {
        OK(lks_json_u64(&f->doc, n, &value));
        return value;
    }
    lks_buf bytes = {0};
    OK(lks_json_data(&f->doc, n, &bytes));
    assert_in_range(bytes.len, 1, 8);
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.data[i];
    lks_buf_free(&bytes);
    return value;
}

/* A copy of exactly the size, so that a sanitizer sees what reads beyond. */
static void *exact_copy(const void *data, size_t len)
{
    void *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, data, len);
    return copy;
}

uint8_t *vector_bytes(const vector_file *f, int node, const char *member, size_t *count)
{
    lks_buf bytes = {0};
    lks_err err = lks_json_data(&f->doc, lks_json_member(&f->doc, node, member), &bytes);
    if (err)
        fail_msg("%s: member %s: %s", f->name, member, lks_error_message());
    uint8_t *out = exact_copy(bytes.data, bytes.len);
    if (count)
        *count = bytes.len;
    lks_buf_free(&bytes);
    return out;
}

uint32_t *vector_words(const vector_file *f, int node, const char *member, size_t *count)
{
    size_t len;
    uint8_t *bytes = vector_bytes(f, node, member, &len);
    assert_int_equal(len % 4, 0);
    uint32_t *words = malloc(len ? len : 1);
    assert_non_null(words);
    for (size_t i = 0; i < len / 4; i++)
        words[i] = lks_load_le32(bytes + 4 * i);
    free(bytes);
    if (count)
        *count = len / 4;
    return words;
}

float *vector_floats(const vector_file *f, int node, const char *member, size_t *count)
{
    size_t n;
    uint32_t *words = vector_words(f, node, member, &n);
    float *floats = exact_copy(words, 4 * n);
    free(words);
    if (count)
        *count = n;
    return floats;
}

uint32_t *vector_list(const vector_file *f, int node, const char *member, size_t *count)
{
    int list = lks_json_member(&f->doc, node, member);
    assert_int_equal(lks_json_typeof(&f->doc, list), LKS_JSON_ARRAY);
    *count = lks_json_size(&f->doc, list);
    uint32_t *out = malloc(*count ? *count * sizeof *out : 1), *p = out;
    assert_non_null(out);
    for (int n = lks_json_first(&f->doc, list); n != LKS_JSON_NONE; n = lks_json_next(&f->doc, n)) {
        uint64_t value;
        OK(lks_json_u64(&f->doc, n, &value));
        *p++ = (uint32_t)value;
    }
    return out;
}

void vector_hash(const vector_file *f, int node, const char *member, uint8_t hash32[32])
{
    OK(lks_json_data_fixed(&f->doc, lks_json_member(&f->doc, node, member), hash32, 32));
}

void *guard_new(size_t bytes)
{
    uint8_t *block = malloc(HEAD + 2 * GUARD + 4 + bytes);
    assert_non_null(block);
    memcpy(block, &bytes, sizeof bytes);
    memset(block + HEAD, 0xa5, 2 * GUARD + 4 + bytes);
    return block + HEAD + GUARD + 4;
}

void guard_free(void *p)
{
    if (!p)
        return;
    uint8_t *start = (uint8_t *)p - GUARD - 4 - HEAD;
    size_t bytes;
    memcpy(&bytes, start, sizeof bytes);
    for (size_t i = 0; i < GUARD + 4; i++)
        if (start[HEAD + i] != 0xa5)
            fail_msg("byte %zu before an output of %zu bytes was written", (size_t)GUARD + 4 - i,
                     bytes);
    for (size_t i = 0; i < GUARD; i++)
        if (((uint8_t *)p)[bytes + i] != 0xa5)
            fail_msg("byte %zu behind an output of %zu bytes was written", i, bytes);
    free(start);
}

void assert_floats(const float *got, const float *want, size_t count, bool canonical,
                   const char *what)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t g = lks_bits(got[i]), w = lks_bits(want[i]);
        if (canonical)
            g = lks_bits(lks_canonical(got[i]));
        if (memcmp(&g, &w, 4))
            fail_msg("%s: element %zu of %zu is %08x instead of %08x", what, i, count, g, w);
    }
}

void assert_bytes(const void *got, const void *want, size_t count, const char *what)
{
    if (!count || !memcmp(got, want, count))
        return;
    size_t i = 0;
    while (((const uint8_t *)got)[i] == ((const uint8_t *)want)[i])
        i++;
    fail_msg("%s: byte %zu of %zu is %02x instead of %02x", what, i, count,
             ((const uint8_t *)got)[i], ((const uint8_t *)want)[i]);
}

lks_a8 a8_new(size_t rows, uint32_t width, uint32_t block)
{
    uint32_t blocks = (width + block - 1) / block;
    lks_a8 a = {.width = width,
                .block = block,
                .blocks = blocks,
                .q_ld = width,
                .d_ld = blocks,
                .sum_ld = width / 32};
    a.q = guard_new(rows * width);
    a.d = guard_new(rows * blocks * sizeof *a.d);
    a.idx = guard_new(rows * blocks * sizeof *a.idx);
    a.sum = width % 32 ? NULL : guard_new(rows * a.sum_ld * sizeof *a.sum);
    return a;
}

lks_a8 a8_from(size_t rows, uint32_t width, uint32_t block, const uint8_t *q, const float *d)
{
    lks_a8 a = a8_new(rows, width, block);
    memcpy(a.q, q, rows * width);
    memcpy(a.d, d, rows * a.blocks * sizeof *d);
    for (size_t i = 0; a.sum && i < rows * width / 32; i++) {
        a.sum[i] = 0;
        for (int k = 0; k < 32; k++)
            a.sum[i] += a.q[32 * i + k];
    }
    return a;
}

void a8_free(lks_a8 *a)
{
    guard_free(a->q);
    guard_free(a->d);
    guard_free(a->idx);
    guard_free(a->sum);
}

void assert_a8(const lks_a8 *got, size_t rows, const vector_file *f, int node, const char *what)
{
    size_t q_count, d_count, idx_count;
    uint8_t *q = vector_bytes(f, node, "q", &q_count);
    float *d = vector_floats(f, node, "d", &d_count);
    uint32_t *idx = vector_words(f, node, "idx", &idx_count);
    assert_int_equal(q_count, rows * got->width);
    assert_int_equal(d_count, rows * got->blocks);
    assert_int_equal(idx_count, d_count);
    assert_bytes(got->q, q, q_count, what);
    assert_floats(got->d, d, d_count, false, what);
    assert_bytes(got->idx, idx, 4 * idx_count, what);
    lks_a8 want = a8_from(rows, got->width, got->block, q, d);
    if (got->sum)
        assert_bytes(got->sum, want.sum, 4 * rows * got->sum_ld, what);
    a8_free(&want);
    free(q);
    free(d);
    free(idx);
}
