#include "tests/gguf/gguf_builder.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *grow(gguf_builder *b, size_t n)
{
    if (b->size + n > b->capacity) {
        b->capacity = (b->size + n) * 2;
        b->data = realloc(b->data, b->capacity);
        if (!b->data) {
            fputs("out of memory\n", stderr);
            abort();
        }
    }
    b->size += n;
    return b->data + b->size - n;
}

void gb_bytes(gguf_builder *b, const void *p, size_t len)
{
    if (len)
        memcpy(grow(b, len), p, len);
}

void gb_u8(gguf_builder *b, uint8_t v)
{
    *grow(b, 1) = v;
}
void gb_u32(gguf_builder *b, uint32_t v)
{
    lks_store_le32(grow(b, 4), v);
}
void gb_u64(gguf_builder *b, uint64_t v)
{
    lks_store_le64(grow(b, 8), v);
}
void gb_f32(gguf_builder *b, float v)
{
    gb_u32(b, lks_bits(v));
}

void gb_text(gguf_builder *b, const char *s)
{
    gb_u64(b, strlen(s));
    gb_bytes(b, s, strlen(s));
}

void gb_begin(gguf_builder *b, uint64_t tensor_count, uint64_t pair_count)
{
    memset(b, 0, sizeof *b);
    gb_bytes(b, "GGUF", 4);
    gb_u32(b, 3);
    gb_u64(b, tensor_count);
    gb_u64(b, pair_count);
}

void gb_free(gguf_builder *b)
{
    free(b->data);
    memset(b, 0, sizeof *b);
}

void gb_key(gguf_builder *b, const char *key, uint32_t type)
{
    gb_text(b, key);
    gb_u32(b, type);
}

void gb_array(gguf_builder *b, const char *key, uint32_t type, uint64_t count)
{
    gb_key(b, key, LKS_GGUF_ARRAY);
    gb_u32(b, type);
    gb_u64(b, count);
}

void gb_pair_u32(gguf_builder *b, const char *key, uint32_t v)
{
    gb_key(b, key, LKS_GGUF_U32);
    gb_u32(b, v);
}

void gb_pair_bool(gguf_builder *b, const char *key, bool v)
{
    gb_key(b, key, LKS_GGUF_BOOL);
    gb_u8(b, v);
}

void gb_pair_text(gguf_builder *b, const char *key, const char *s)
{
    gb_key(b, key, LKS_GGUF_STRING);
    gb_text(b, s);
}

void gb_tensor(gguf_builder *b, const char *name, uint32_t type, uint32_t dim_count,
               const uint64_t *dims, uint64_t offset)
{
    gb_text(b, name);
    gb_u32(b, dim_count);
    for (uint32_t i = 0; i < dim_count; i++)
        gb_u64(b, dims[i]);
    gb_u32(b, type);
    gb_u64(b, offset);
}

void gb_pad(gguf_builder *b, size_t alignment)
{
    while (b->size % alignment != 0)
        gb_u8(b, 0);
}
