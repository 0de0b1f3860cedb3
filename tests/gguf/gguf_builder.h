/* Writes GGUF files, right and wrong ones, for the tests. Out of memory ends the test program. */
#ifndef LKS_TESTS_GGUF_GGUF_BUILDER_H
#define LKS_TESTS_GGUF_GGUF_BUILDER_H

#include "oracle/gguf/gguf.h"

typedef struct gguf_builder {
    uint8_t *data; /* free with gb_free */
    size_t size, capacity;
} gguf_builder;

void gb_begin(gguf_builder *b, uint64_t tensor_count,
              uint64_t pair_count); /* magic, version 3, counts */
void gb_free(gguf_builder *b);

void gb_bytes(gguf_builder *b, const void *p, size_t len);
void gb_u8(gguf_builder *b, uint8_t v);
void gb_u32(gguf_builder *b, uint32_t v);
void gb_u64(gguf_builder *b, uint64_t v);
void gb_f32(gguf_builder *b, float v);
void gb_text(gguf_builder *b, const char *s); /* length and bytes */

/* A pair up to its value, which the caller appends. */
void gb_key(gguf_builder *b, const char *key, uint32_t type);
/* The same of an array, up to its first element. */
void gb_array(gguf_builder *b, const char *key, uint32_t type, uint64_t count);

void gb_pair_u32(gguf_builder *b, const char *key, uint32_t v);
void gb_pair_bool(gguf_builder *b, const char *key, bool v);
void gb_pair_text(gguf_builder *b, const char *key, const char *s);

/* A tensor's description with dim_count dimensions. */
void gb_tensor(gguf_builder *b, const char *name, uint32_t type, uint32_t dim_count,
               const uint64_t *dims, uint64_t offset);
void gb_pad(gguf_builder *b, size_t alignment); /* zeros up to a multiple */

#endif
