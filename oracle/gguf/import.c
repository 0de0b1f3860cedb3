/* The output has the input's metadata byte for byte, general.file_type included, and its tensors in
 * the same order, each at the next multiple of the alignment:
 *
 *   F32, F16, BF16 with two dimensions   Q8_0
 *   F16, BF16 with one dimension         F32, exactly
 *   all others                           as they are
 */
#include "oracle/gguf/import.h"
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "kernels/half.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (1u << 20)
#define BLOCK 32
#define BLOCK_SIZE 34 /* f16 scale, 32 i8 */

typedef struct writer {
    int fd;
    const char *path;
    uint8_t *buffer;
    size_t used;
    uint64_t done, total;
    lks_import_progress progress;
    void *user;
} writer;

static lks_err flush(writer *w)
{
    for (size_t at = 0; at < w->used;) {
        ssize_t n = write(w->fd, w->buffer + at, w->used - at);
        if (n < 0 && errno != EINTR)
            return lks_fail(LKS_IO, "%s cannot be written: %s", w->path, strerror(errno));
        at += n > 0 ? (size_t)n : 0;
    }
    w->done += w->used;
    w->used = 0;
    if (w->progress)
        w->progress(w->user, w->done, w->total);
    return LKS_OK;
}

/* Out: *p, room for len bytes, len at most BUFFER_SIZE. */
static lks_err reserve(writer *w, size_t len, uint8_t **p)
{
    lks_err err = w->used + len > BUFFER_SIZE ? flush(w) : LKS_OK;
    *p = w->buffer + w->used;
    w->used += err ? 0 : len;
    return err;
}

static lks_err put(writer *w, const void *data, size_t len)
{
    lks_err err = LKS_OK;
    uint8_t *p;
    for (size_t at = 0, n; at < len && !err; at += n) {
        n = len - at < BUFFER_SIZE ? len - at : BUFFER_SIZE;
        err = reserve(w, n, &p);
        if (!err)
            memcpy(p, (const uint8_t *)data + at, n);
    }
    return err;
}

static lks_err put_u32(writer *w, uint32_t v)
{
    uint8_t b[4];
    lks_store_le32(b, v);
    return put(w, b, 4);
}

static lks_err put_u64(writer *w, uint64_t v)
{
    uint8_t b[8];
    lks_store_le64(b, v);
    return put(w, b, 8);
}

static lks_err put_zeros(writer *w, uint64_t count)
{
    lks_err err = LKS_OK;
    for (uint8_t zero = 0; count > 0 && !err; count--)
        err = put(w, &zero, 1);
    return err;
}

static bool is_float(lks_tensor_type type)
{
    return type == LKS_F32 || type == LKS_F16 || type == LKS_BF16;
}

static lks_tensor_type new_type(const lks_gguf_tensor *t)
{
    if (is_float(t->type) && t->dim_count == 2)
        return LKS_Q8_0;
    if (is_float(t->type) && t->dim_count == 1)
        return LKS_F32;
    return t->type;
}

static uint64_t element_count(const lks_gguf_tensor *t)
{
    return t->size / lks_tensor_type_size(t->type) * lks_tensor_type_block(t->type);
}

static uint64_t new_size(const lks_gguf_tensor *t)
{
    lks_tensor_type type = new_type(t);
    return element_count(t) / lks_tensor_type_block(type) * lks_tensor_type_size(type);
}

static uint64_t align(uint64_t n, uint32_t alignment)
{
    return (n + alignment - 1) / alignment * alignment;
}

/* Element i of a float tensor. */
static float element(const lks_gguf_tensor *t, uint64_t i)
{
    switch (t->type) {
    case LKS_F16: return lks_f16_to_f32(lks_load_le16(t->data + 2 * i));
    case LKS_BF16: return lks_bf16_to_f32(lks_load_le16(t->data + 2 * i));
    default: return lks_float(lks_load_le32(t->data + 4 * i));
    }
}

static float absolute(float x)
{
    return lks_float(lks_bits(x) & 0x7fffffffu);
}

static bool is_finite(float x)
{
    return (lks_bits(x) & 0x7f800000u) != 0x7f800000u;
}

/* To the nearest integer, halves away from zero; |x| below 2^23. */
static int round_away(float x)
{
    float a = absolute(x);
    int n = (int)a;
    n += a - (float)n >= 0.5f; /* the difference is exact */
    return lks_bits(x) >> 31 ? -n : n;
}

/* llama.cpp's reference rule: d = amax / 127, q = round(x * (1 / d)), d stored as f16. Returns:
 * what is wrong, NULL when all is well. */
static const char *quantize(const float x[BLOCK], uint8_t out[BLOCK_SIZE])
{
    float amax = 0;
    for (int i = 0; i < BLOCK; i++) {
        if (!is_finite(x[i]))
            return "a NaN or an infinity";
        amax = absolute(x[i]) > amax ? absolute(x[i]) : amax;
    }
    float d = amax / 127, id = d != 0 ? 1 / d : 0;
    uint16_t half = lks_f32_to_f16(d);
    if (!is_finite(id))
        return "values so small that 1 / scale overflows";
    if ((half & 0x7c00) == 0x7c00)
        return "values too large for a float16 scale";
    out[0] = (uint8_t)half;
    out[1] = (uint8_t)(half >> 8);
    for (int i = 0; i < BLOCK; i++)
        out[2 + i] = (uint8_t)round_away(x[i] * id);
    return NULL;
}

static lks_err put_q8_0(writer *w, const lks_gguf_tensor *t)
{
    lks_err err = LKS_OK;
    uint64_t count = element_count(t);
    for (uint64_t i = 0; i < count && !err; i += BLOCK) {
        float x[BLOCK];
        uint8_t *p;
        for (uint64_t j = 0; j < BLOCK; j++)
            x[j] = element(t, i + j);
        err = reserve(w, BLOCK_SIZE, &p);
        const char *wrong = err ? NULL : quantize(x, p);
        if (wrong)
            err = lks_fail(LKS_REFUSED, "tensor %.*s: row %" PRIu64 " has %s", (int)t->name.len,
                           t->name.data, i / t->dims[0], wrong);
    }
    return err;
}

static lks_err put_f32(writer *w, const lks_gguf_tensor *t)
{
    lks_err err = LKS_OK;
    uint64_t count = element_count(t);
    for (uint64_t i = 0; i < count && !err; i++)
        err = put_u32(w, lks_bits(element(t, i)));
    return err;
}

static lks_err put_tensor(writer *w, const lks_gguf_tensor *t)
{
    lks_tensor_type type = new_type(t);
    if (type == t->type)
        return put(w, t->data, t->size);
    return type == LKS_Q8_0 ? put_q8_0(w, t) : put_f32(w, t);
}

/* Everything before the tensor data. */
static lks_err put_head(writer *w, const lks_gguf *in, uint32_t alignment)
{
    size_t tensor_count = lks_gguf_tensor_count(in), entry_count = lks_gguf_entry_count(in);
    lks_err err = put(w, "GGUF\3\0\0\0", 8);
    if (!err)
        err = put_u64(w, tensor_count);
    if (!err)
        err = put_u64(w, entry_count);
    for (size_t i = 0; i < entry_count && !err; i++) {
        const lks_gguf_entry *e = lks_gguf_entry_at(in, i);
        err = put(w, e->raw, e->raw_size);
    }
    uint64_t offset = 0;
    for (size_t i = 0; i < tensor_count && !err; i++) {
        const lks_gguf_tensor *t = lks_gguf_tensor_at(in, i);
        err = put_u64(w, t->name.len);
        if (!err)
            err = put(w, t->name.data, t->name.len);
        if (!err)
            err = put_u32(w, t->dim_count);
        for (uint32_t d = 0; d < t->dim_count && !err; d++)
            err = put_u64(w, t->dims[d]);
        if (!err)
            err = put_u32(w, (uint32_t)new_type(t));
        if (!err)
            err = put_u64(w, offset);
        offset += align(new_size(t), alignment);
    }
    uint64_t position = w->done + w->used;
    return err ? err : put_zeros(w, align(position, alignment) - position);
}

static lks_err put_file(writer *w, const lks_gguf *in, uint32_t alignment,
                        lks_import_result *result)
{
    lks_err err = put_head(w, in, alignment);
    for (size_t i = 0; i < lks_gguf_tensor_count(in) && !err; i++) {
        const lks_gguf_tensor *t = lks_gguf_tensor_at(in, i);
        err = put_tensor(w, t);
        if (!err)
            err = put_zeros(w, align(new_size(t), alignment) - new_size(t));
        result->converted += new_type(t) != t->type;
        result->kept += new_type(t) == t->type;
    }
    if (!err)
        err = flush(w);
    if (!err && (fchmod(w->fd, 0644) != 0 || fsync(w->fd) != 0))
        err = lks_fail(LKS_IO, "%s cannot be written: %s", w->path, strerror(errno));
    return err;
}

/* Refuses, before a byte is written, all that can be refused. Out: *total, bytes of the output. */
static lks_err check(const lks_gguf *in, uint32_t alignment, uint64_t *total)
{
    *total = 24;
    for (size_t i = 0; i < lks_gguf_entry_count(in); i++)
        *total += lks_gguf_entry_at(in, i)->raw_size;
    uint64_t data = 0;
    for (size_t i = 0; i < lks_gguf_tensor_count(in); i++) {
        const lks_gguf_tensor *t = lks_gguf_tensor_at(in, i);
        if (new_type(t) == LKS_Q8_0 && t->dims[0] % BLOCK != 0)
            return lks_fail(LKS_REFUSED,
                            "tensor %.*s: a row of %" PRIu64 " elements is no multiple of 32",
                            (int)t->name.len, t->name.data, t->dims[0]);
        *total += 8 + t->name.len + 4 + 8 * (uint64_t)t->dim_count + 4 + 8;
        data += align(new_size(t), alignment);
    }
    *total = align(*total, alignment) + data;
    return LKS_OK;
}

/* The rename lasts only once the folder is synced, too. */
static lks_err finish(const char *temporary, const char *path)
{
    if (rename(temporary, path) != 0)
        return lks_fail(LKS_IO, "%s cannot be written: %s", path, strerror(errno));
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    FILE *f = folder ? fopen(folder, "re") : NULL;
    if (f) {
        fsync(fileno(f)); /* not every file system can; the file itself is safe */
        fclose(f);
    }
    free(folder);
    return LKS_OK;
}

lks_err lks_import(const lks_gguf *in, const char *out_path, lks_import_progress progress,
                   void *user, lks_import_result *result)
{
    static const char suffix[] = ".XXXXXX";
    *result = (lks_import_result){0};
    uint32_t alignment = 32;
    char *temporary = NULL;
    writer w = {.fd = -1, .path = out_path, .progress = progress, .user = user};
    lks_err err = LKS_OK;
    if (lks_gguf_find(in, "general.alignment"))
        err = lks_gguf_get_u32(in, "general.alignment", &alignment);
    if (!err)
        err = check(in, alignment, &w.total);
    if (err)
        return err;
    w.buffer = malloc(BUFFER_SIZE);
    temporary = malloc(strlen(out_path) + sizeof suffix);
    if (!w.buffer || !temporary) {
        err = lks_fail(LKS_NOMEM, "out of memory for the import's buffer");
        goto out;
    }
    strcpy(stpcpy(temporary, out_path), suffix);
    w.fd = mkstemp(temporary);
    if (w.fd < 0) {
        err = lks_fail(LKS_IO, "%s cannot be written: %s", out_path, strerror(errno));
        goto out;
    }
    err = put_file(&w, in, alignment, result);
    if (close(w.fd) != 0 && !err)
        err = lks_fail(LKS_IO, "%s cannot be written: %s", out_path, strerror(errno));
    if (!err)
        err = finish(temporary, out_path);
    if (err)
        unlink(temporary);
out:
    free(w.buffer);
    free(temporary);
    return err;
}
