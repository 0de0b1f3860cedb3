/* Opening of GGUF files.
 *
 *   offset  bytes  what (every number little-endian)
 *        0      4  "GGUF"
 *        4      4  version, 3
 *        8      8  T, the number of tensors
 *       16      8  K, the number of metadata pairs
 *       24         K times: key length u64, key, type u32, value
 *                  T times: name length u64, name, dimensions n u32, n times u64, type u32, offset
 * u64 zeros up to a multiple of general.alignment (32 when absent); offsets count from here
 *
 * A value is a number of its type's size, a string (length u64, bytes) or an array (type u32, count
 * u64, the elements). Accepted is a file for which (1) each length and count fits the bytes that
 * are left, and the counts the limits below; (2) keys are unique, 1 to 65,535 bytes; names are
 * unique, 1 to 64 bytes; neither has control characters; (3) booleans are 0 or 1, arrays hold no
 * arrays; (4) general.alignment is a u32, a power of two from 8 to 65,536; (5) a tensor has 1 to 4
 * dimensions, none 0, and whole blocks a row; its bytes do not overflow; (6) a tensor's offset is a
 * multiple of the alignment, it ends inside the file and overlaps no other.
 */
#include "kernels/bytes.h"
#include "oracle/gguf/gguf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_SIZE 24
#define PAIR_MIN 14   /* one-byte key, one-byte value */
#define TENSOR_MIN 33 /* one-byte name, one dimension */
#define ENTRY_LIMIT 65536
#define TENSOR_LIMIT 65536
#define KEY_LIMIT 65535
#define NAME_LIMIT 64

/* The rest of the file; every read checks first that it is long enough. */
typedef struct reader {
    const uint8_t *p;
    size_t left;
} reader;

static const uint8_t *take(reader *r, uint64_t n)
{
    if (n > r->left)
        return NULL;
    const uint8_t *p = r->p;
    r->p += n;
    r->left -= (size_t)n;
    return p;
}

static bool take_u32(reader *r, uint32_t *out)
{
    const uint8_t *p = take(r, 4);
    if (p)
        *out = lks_load_le32(p);
    return p != NULL;
}

static bool take_u64(reader *r, uint64_t *out)
{
    const uint8_t *p = take(r, 8);
    if (p)
        *out = lks_load_le64(p);
    return p != NULL;
}

static bool take_string(reader *r, lks_gguf_string *out)
{
    uint64_t len;
    if (!take_u64(r, &len))
        return false;
    const uint8_t *p = take(r, len);
    if (p)
        *out = (lks_gguf_string){.data = (const char *)p, .len = (size_t)len};
    return p != NULL;
}

static bool is_printable(lks_gguf_string s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7f)
            return false;
    return true;
}

/* For "%.*s": messages show at most 128 bytes of a key. */
static int shown(lks_gguf_string s)
{
    return s.len > 128 ? 128 : (int)s.len;
}

static lks_err check_elements(reader *r, lks_gguf_string key, uint32_t type, uint64_t count)
{
    if (type == LKS_GGUF_STRING) {
        if (count > r->left / 8)
            return lks_fail(LKS_CORRUPT, "key %.*s: its array is longer than the file", shown(key),
                            key.data);
        lks_gguf_string s;
        for (uint64_t i = 0; i < count; i++)
            if (!take_string(r, &s))
                return lks_fail(LKS_CORRUPT,
                                "key %.*s: string %" PRIu64 " of its array ends beyond the file",
                                shown(key), key.data, i);
        return LKS_OK;
    }
    if (type == LKS_GGUF_ARRAY)
        return lks_fail(LKS_CORRUPT, "key %.*s: an array of arrays, which is not accepted",
                        shown(key), key.data);
    size_t size = lks_gguf_type_size(type);
    if (size == 0)
        return lks_fail(LKS_CORRUPT, "key %.*s: value type %" PRIu32 " does not exist", shown(key),
                        key.data, type);
    if (count > r->left / size)
        return lks_fail(LKS_CORRUPT, "key %.*s: its value ends beyond the file", shown(key),
                        key.data);
    const uint8_t *p = take(r, count * size);
    if (type == LKS_GGUF_BOOL)
        for (uint64_t i = 0; i < count; i++)
            if (p[i] > 1)
                return lks_fail(LKS_CORRUPT, "key %.*s: a boolean is %u, not 0 or 1", shown(key),
                                key.data, p[i]);
    return LKS_OK;
}

static lks_err read_entry(lks_gguf *g, reader *r, uint64_t index)
{
    lks_gguf_entry *e = &g->entries[index];
    lks_gguf_string key;
    uint32_t type;
    e->raw = r->p;
    if (!take_string(r, &key))
        return lks_fail(LKS_CORRUPT, "metadata pair %" PRIu64 ": the file ends in its key", index);
    if (key.len == 0 || key.len > KEY_LIMIT || !is_printable(key))
        return lks_fail(LKS_CORRUPT,
                        "metadata pair %" PRIu64
                        ": its key is empty, longer than %d bytes or not printable",
                        index, KEY_LIMIT);
    if (!take_u32(r, &type))
        return lks_fail(LKS_CORRUPT, "key %.*s: the file ends before its value", shown(key),
                        key.data);
    uint32_t element = type;
    uint64_t count = 1;
    if (type == LKS_GGUF_ARRAY && (!take_u32(r, &element) || !take_u64(r, &count)))
        return lks_fail(LKS_CORRUPT, "key %.*s: the file ends before its value", shown(key),
                        key.data);
    lks_err err = check_elements(r, key, element, count);
    if (err)
        return err;
    e->key = key;
    e->type = (lks_gguf_type)type;
    e->raw_size = (size_t)(r->p - e->raw);
    if (lks_strtab_put(&g->keys, key.data, key.len, (uint32_t)index) != LKS_STRTAB_NONE)
        return lks_fail(LKS_CORRUPT, "key %.*s stands twice in the metadata", shown(key), key.data);
    return LKS_OK;
}

static lks_err read_entries(lks_gguf *g, reader *r, uint64_t count)
{
    if (count > r->left / PAIR_MIN || count > ENTRY_LIMIT)
        return lks_fail(LKS_CORRUPT, "the header states %" PRIu64 " metadata pairs, more than %s",
                        count, count > ENTRY_LIMIT ? "65,536" : "the file can hold");
    lks_err err = lks_strtab_init(&g->keys, (size_t)count);
    if (err)
        return err;
    g->entries = calloc(count ? (size_t)count : 1, sizeof *g->entries);
    if (!g->entries)
        return lks_fail(LKS_NOMEM, "out of memory for %" PRIu64 " metadata pairs", count);
    for (uint64_t i = 0; i < count && !err; i++) {
        err = read_entry(g, r, i);
        g->entry_count += !err;
    }
    return err;
}

static lks_err find_alignment(const lks_gguf *g, uint32_t *alignment)
{
    *alignment = 32;
    const lks_gguf_entry *e = lks_gguf_find(g, "general.alignment");
    if (!e)
        return LKS_OK;
    if (e->type == LKS_GGUF_U32)
        *alignment = lks_load_le32(lks_gguf_value(e));
    if (e->type != LKS_GGUF_U32 || *alignment < 8 || *alignment > 65536 ||
        (*alignment & (*alignment - 1)) != 0)
        return lks_fail(LKS_CORRUPT,
                        "general.alignment is not a u32 that is a power of two from 8 to 65,536");
    return LKS_OK;
}

/* Fills size and row_size from type and dims. */
static lks_err measure(lks_gguf_tensor *t)
{
    int len = shown(t->name);
    uint32_t block = lks_tensor_type_block(t->type);
    if (block == 0)
        return lks_fail(LKS_REFUSED, "tensor %.*s: element type %d is not supported", len,
                        t->name.data, (int)t->type);
    for (uint32_t i = 0; i < t->dim_count; i++)
        if (t->dims[i] == 0)
            return lks_fail(LKS_CORRUPT, "tensor %.*s: dimension %" PRIu32 " is 0", len,
                            t->name.data, i);
    if (t->dims[0] % block != 0)
        return lks_fail(LKS_CORRUPT,
                        "tensor %.*s: a row of %" PRIu64
                        " elements is no multiple of %s's %" PRIu32,
                        len, t->name.data, t->dims[0], lks_tensor_type_name(t->type), block);
    bool overflow = __builtin_mul_overflow(t->dims[0] / block,
                                           (uint64_t)lks_tensor_type_size(t->type), &t->row_size);
    t->size = t->row_size;
    for (uint32_t i = 1; i < 4; i++)
        overflow |= __builtin_mul_overflow(t->size, t->dims[i], &t->size);
    if (overflow)
        return lks_fail(LKS_CORRUPT, "tensor %.*s: its size overflows 64 bits", len, t->name.data);
    return LKS_OK;
}

/* Leaves the offset in offsets[index]: where the data begins is known after the last description
 * only. */
static lks_err read_tensor(lks_gguf *g, reader *r, uint64_t index, uint64_t *offset)
{
    lks_gguf_tensor *t = &g->tensors[index];
    if (!take_string(r, &t->name))
        return lks_fail(LKS_CORRUPT, "tensor %" PRIu64 ": the file ends in its name", index);
    if (t->name.len == 0 || t->name.len > NAME_LIMIT || !is_printable(t->name))
        return lks_fail(LKS_CORRUPT,
                        "tensor %" PRIu64
                        ": its name is empty, longer than %d bytes or not printable",
                        index, NAME_LIMIT);
    int len = shown(t->name);
    if (!take_u32(r, &t->dim_count))
        return lks_fail(LKS_CORRUPT, "tensor %.*s: the file ends in its description", len,
                        t->name.data);
    if (t->dim_count == 0 || t->dim_count > 4)
        return lks_fail(LKS_CORRUPT, "tensor %.*s: %" PRIu32 " dimensions, not 1 to 4", len,
                        t->name.data, t->dim_count);
    uint32_t type;
    for (uint32_t i = 0; i < 4; i++) {
        t->dims[i] = 1;
        if (i < t->dim_count && !take_u64(r, &t->dims[i]))
            return lks_fail(LKS_CORRUPT, "tensor %.*s: the file ends in its description", len,
                            t->name.data);
    }
    if (!take_u32(r, &type) || !take_u64(r, offset))
        return lks_fail(LKS_CORRUPT, "tensor %.*s: the file ends in its description", len,
                        t->name.data);
    if (type > INT32_MAX)
        return lks_fail(LKS_CORRUPT, "tensor %.*s: element type %" PRIu32 " does not exist", len,
                        t->name.data, type);
    t->type = (lks_tensor_type)type;
    if (lks_strtab_put(&g->names, t->name.data, t->name.len, (uint32_t)index) != LKS_STRTAB_NONE)
        return lks_fail(LKS_CORRUPT, "tensor %.*s stands twice in the file", len, t->name.data);
    return measure(t);
}

static lks_err place(const lks_gguf *g, lks_gguf_tensor *t, uint64_t offset, size_t start,
                     uint32_t alignment)
{
    int len = shown(t->name);
    if (offset % alignment != 0)
        return lks_fail(LKS_CORRUPT,
                        "tensor %.*s: its offset %" PRIu64 " is no multiple of %" PRIu32, len,
                        t->name.data, offset, alignment);
    uint64_t room = start <= g->size ? g->size - start : 0;
    if (offset > room || t->size > room - offset)
        return lks_fail(LKS_CORRUPT,
                        "tensor %.*s lies outside the file: %" PRIu64 " bytes at %" PRIu64
                        " of %" PRIu64 ", is the file cut off?",
                        len, t->name.data, t->size, offset, room);
    t->offset = start + offset;
    t->data = g->data + t->offset;
    return LKS_OK;
}

static int by_place(const void *a, const void *b)
{
    const lks_gguf_tensor *x = *(const lks_gguf_tensor *const *)a,
                          *y = *(const lks_gguf_tensor *const *)b;
    return (x->data > y->data) - (x->data < y->data);
}

static lks_err check_overlap(const lks_gguf *g)
{
    const lks_gguf_tensor **sorted = calloc(g->tensor_count ? g->tensor_count : 1, sizeof *sorted);
    if (!sorted)
        return lks_fail(LKS_NOMEM, "out of memory for %zu tensors", g->tensor_count);
    for (size_t i = 0; i < g->tensor_count; i++)
        sorted[i] = &g->tensors[i];
    qsort(sorted, g->tensor_count, sizeof *sorted, by_place);
    lks_err err = LKS_OK;
    for (size_t i = 1; i < g->tensor_count && !err; i++) {
        const lks_gguf_tensor *a = sorted[i - 1], *b = sorted[i];
        if ((uint64_t)(b->data - a->data) < a->size)
            err = lks_fail(LKS_CORRUPT, "tensors %.*s and %.*s overlap", shown(a->name),
                           a->name.data, shown(b->name), b->name.data);
    }
    free(sorted);
    return err;
}

static lks_err read_tensors(lks_gguf *g, reader *r, uint64_t count)
{
    if (count > r->left / TENSOR_MIN || count > TENSOR_LIMIT)
        return lks_fail(LKS_CORRUPT, "the header states %" PRIu64 " tensors, more than %s", count,
                        count > TENSOR_LIMIT ? "65,536" : "the file can hold");
    uint64_t *offsets = NULL;
    uint32_t alignment;
    lks_err err = find_alignment(g, &alignment);
    if (!err)
        err = lks_strtab_init(&g->names, (size_t)count);
    if (err)
        return err;
    g->tensors = calloc(count ? (size_t)count : 1, sizeof *g->tensors);
    offsets = calloc(count ? (size_t)count : 1, sizeof *offsets);
    if (!g->tensors || !offsets)
        err = lks_fail(LKS_NOMEM, "out of memory for %" PRIu64 " tensors", count);
    for (uint64_t i = 0; i < count && !err; i++)
        err = read_tensor(g, r, i, &offsets[i]);
    size_t start = g->size - r->left;
    start += (alignment - start % alignment) % alignment;
    for (uint64_t i = 0; i < count && !err; i++) {
        err = place(g, &g->tensors[i], offsets[i], start, alignment);
        g->tensor_count += !err;
    }
    free(offsets);
    return err ? err : check_overlap(g);
}

static lks_err read_file(lks_gguf *g)
{
    reader r = {.p = g->data, .left = g->size};
    const uint8_t *header = take(&r, HEADER_SIZE);
    if (!header || memcmp(header, "GGUF", 4) != 0)
        return lks_fail(LKS_CORRUPT, "this is not a GGUF file");
    uint32_t version = lks_load_le32(header + 4);
    if (version == 0x03000000)
        return lks_fail(LKS_REFUSED, "the file is big-endian; only little-endian GGUF is accepted");
    if (version != 3)
        return lks_fail(LKS_REFUSED,
                        "the file is GGUF version %" PRIu32 "; only version 3 is accepted",
                        version);
    lks_err err = read_entries(g, &r, lks_load_le64(header + 16));
    return err ? err : read_tensors(g, &r, lks_load_le64(header + 8));
}

lks_err lks_gguf_open_memory(lks_gguf **out, const void *data, size_t len)
{
    *out = NULL;
    lks_gguf *g = calloc(1, sizeof *g);
    if (!g)
        return lks_fail(LKS_NOMEM, "out of memory for a GGUF file");
    g->data = data;
    g->size = len;
    g->fd = -1;
    lks_err err = read_file(g);
    if (err)
        lks_gguf_close(g);
    else
        *out = g;
    return err;
}

lks_err lks_gguf_open_file(int *fd, struct stat *st, const char *path)
{
    lks_err err = LKS_OK;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, st) != 0)
        err = lks_fail(LKS_IO, "%s cannot be opened: %s", path, strerror(errno));
    else if (!S_ISREG(st->st_mode))
        err = lks_fail(LKS_IO, "%s is not a regular file", path);
    else if (st->st_size < HEADER_SIZE)
        err = lks_fail(LKS_CORRUPT, "%s: this is not a GGUF file", path);
    if (err && *fd >= 0)
        close(*fd);
    return err;
}

lks_err lks_gguf_open(lks_gguf **out, const char *path)
{
    *out = NULL;
    struct stat st;
    int fd;
    lks_err err = lks_gguf_open_file(&fd, &st, path);
    if (err)
        return err;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        err = lks_fail(LKS_IO, "%s cannot be mapped: %s", path, strerror(errno));
    close(fd);
    if (err)
        return err;
    err = lks_gguf_open_memory(out, map, (size_t)st.st_size);
    if (!err) {
        (*out)->mapped = true;
        return LKS_OK;
    }
    munmap(map, (size_t)st.st_size);
    return lks_fail_in(err, "%s", path);
}

void lks_gguf_close(lks_gguf *g)
{
    if (!g)
        return;
    if (g->mapped)
        munmap((void *)(uintptr_t)g->data, g->size);
    if (g->fd >= 0)
        close(g->fd);
    free(g->path);
    lks_strtab_free(&g->keys);
    lks_strtab_free(&g->names);
    free(g->entries);
    free(g->tensors);
    free(g);
}
