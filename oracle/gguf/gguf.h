/* Reader of GGUF version 3 files, the format of llama.cpp's models (ggml's docs/gguf.md),
 * memory-mapped and read-only.
 *
 * Every length, offset and count of the file is checked before it is used; nothing is copied that
 * need not be. A file that passes lks_gguf_open can be read with the functions below without
 * further checks: every tensor lies whole inside the file, aligned, of a known type with a whole
 * number of blocks a row; no two tensors overlap; names and keys are unique; strings and arrays lie
 * inside the file.
 *
 * Thread rule: an open file is immutable but for lks_gguf_release; any number of threads may read
 * it. Pointers into it live until lks_gguf_close. Big-endian files and versions other than 3 are
 * refused. Values are decoded as little-endian on any machine.
 */
#ifndef LKS_ORACLE_GGUF_GGUF_H
#define LKS_ORACLE_GGUF_GGUF_H

#include "chain/err.h"
#include "kernels/tensor_type.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_gguf lks_gguf;

/* Value types of metadata, as numbered in the format. */
typedef enum lks_gguf_type {
    LKS_GGUF_U8 = 0,
    LKS_GGUF_I8 = 1,
    LKS_GGUF_U16 = 2,
    LKS_GGUF_I16 = 3,
    LKS_GGUF_U32 = 4,
    LKS_GGUF_I32 = 5,
    LKS_GGUF_F32 = 6,
    LKS_GGUF_BOOL = 7,
    LKS_GGUF_STRING = 8,
    LKS_GGUF_ARRAY = 9,
    LKS_GGUF_U64 = 10,
    LKS_GGUF_I64 = 11,
    LKS_GGUF_F64 = 12
} lks_gguf_type;

/* A tensor of any other element type than those of lks_tensor_type makes the file refused. */

typedef struct lks_gguf_string {
    const char *data; /* not zero-terminated */
    size_t len;
} lks_gguf_string;

typedef struct lks_gguf_array {
    lks_gguf_type type; /* of the elements; never LKS_GGUF_ARRAY */
    uint64_t count;
    const uint8_t *data; /* the first element; strings are u64 length + bytes each */
    size_t size;         /* bytes of all elements */
} lks_gguf_array;

/* One key with its value, as stored. */
typedef struct lks_gguf_entry {
    lks_gguf_string key;
    lks_gguf_type type;
    const uint8_t *raw; /* the whole pair as stored: key length, key, type, value */
    size_t raw_size;
} lks_gguf_entry;

typedef struct lks_gguf_tensor {
    lks_gguf_string name;
    lks_tensor_type type;
    uint32_t dim_count;  /* 1 to 4 */
    uint64_t dims[4];    /* dims[0] is the length of a row; unused ones are 1 */
    const uint8_t *data; /* NULL after lks_gguf_release */
    uint64_t offset;     /* of data in the file */
    uint64_t size;       /* bytes */
    uint64_t row_size;   /* bytes of one row of dims[0] elements */
} lks_gguf_tensor;

/* Opens and checks a file. Out: *out, to be closed by the caller; NULL on failure.
 * Returns: LKS_OK, LKS_IO (cannot be opened or mapped), LKS_CORRUPT (breaks the format),
 * LKS_REFUSED (version, element type), LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_gguf_open(lks_gguf **out, const char *path);
/* The same over len bytes in memory, which must outlive the result (tests, fuzzing). */
LKS_MUST_USE
lks_err lks_gguf_open_memory(lks_gguf **out, const void *data, size_t len);
/* The same with the whole file read into memory of its own: nobody who cuts it off or writes to it
 * afterwards reaches who reads it here. Needs as much memory as the file is long. Returns also:
 * LKS_CORRUPT (it changed meanwhile). */
LKS_MUST_USE
lks_err lks_gguf_load(lks_gguf **out, const char *path);
void lks_gguf_close(lks_gguf *g); /* NULL is allowed */

/* Checks that the path of a loaded file still names the file that was read, by device, inode, size
 * and time of the last write. Returns: LKS_OK (also of one that was not loaded); LKS_CORRUPT (it
 * does not); LKS_IO. */
LKS_MUST_USE
lks_err lks_gguf_check(const lks_gguf *g);
/* Frees the memory of a tensor of a loaded file; its data is NULL from then on. No other thread may
 * read it meanwhile. Does nothing to a mapped file. */
void lks_gguf_release(lks_gguf *g, const lks_gguf_tensor *t);
/* Out: bytes [at, at + len) of the tensor, from memory, or from the file when they were released:
 * that may have changed since. Returns: LKS_OK; LKS_IO (it was cut off, or fails). */
LKS_MUST_USE
lks_err lks_gguf_read(const lks_gguf *g, const lks_gguf_tensor *t, uint64_t at, void *out,
                      size_t len);

size_t lks_gguf_entry_count(const lks_gguf *g);
const lks_gguf_entry *lks_gguf_entry_at(const lks_gguf *g, size_t i);
const lks_gguf_entry *lks_gguf_find(const lks_gguf *g, const char *key); /* NULL when absent */

/* Typed look-ups. Returns: LKS_OK; LKS_NOTFOUND (no such key; *out is untouched); LKS_CORRUPT
 * (another type, or out of the range of *out). u32 accepts every integer type of the format whose
 * value fits; f32 accepts F32 and F64 that is exactly a float. */
LKS_MUST_USE
lks_err lks_gguf_get_u32(const lks_gguf *g, const char *key, uint32_t *out);
LKS_MUST_USE
lks_err lks_gguf_get_f32(const lks_gguf *g, const char *key, float *out);
LKS_MUST_USE
lks_err lks_gguf_get_bool(const lks_gguf *g, const char *key, bool *out);
LKS_MUST_USE
lks_err lks_gguf_get_string(const lks_gguf *g, const char *key, lks_gguf_string *out);
LKS_MUST_USE
lks_err lks_gguf_get_array(const lks_gguf *g, const char *key, lks_gguf_type type,
                           lks_gguf_array *out);
/* Reads the string at *cursor (start: array->data) and moves the cursor past it. The array must be
 * of strings and have one left. */
lks_gguf_string lks_gguf_next_string(const uint8_t **cursor);

size_t lks_gguf_tensor_count(const lks_gguf *g);
const lks_gguf_tensor *lks_gguf_tensor_at(const lks_gguf *g, size_t i);
const lks_gguf_tensor *lks_gguf_tensor_find(const lks_gguf *g,
                                            const char *name); /* NULL when absent */

/* Elements and bytes of one block of a type (Q4_1: 32 and 20), 0 for an unknown type. */
uint32_t lks_tensor_type_block(lks_tensor_type type);
uint32_t lks_tensor_type_size(lks_tensor_type type);
const char *lks_tensor_type_name(lks_tensor_type type); /* "Q4_1"; "?" for an unknown type */

#ifdef __cplusplus
}
#endif
#endif
