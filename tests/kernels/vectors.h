/* Reads tests/vectors/ (formats: tests/vectors/README.md) in C tests, and gives outputs guarded on
 * both sides. A missing or malformed value fails the test that asks for it. */
#ifndef LKS_TESTS_VECTORS_H
#define LKS_TESTS_VECTORS_H

#include "chain/json.h"
#include "kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

#define LKS_COUNT(array) (sizeof(array) / sizeof *(array))

/* The call must succeed; else its reason is shown. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        lks_err ok_err = (call);                                                                   \
        if (ok_err)                                                                                \
            fail_msg("%s: %s: %s", #call, lks_err_name(ok_err), lks_error_message());              \
    } while (0)

/* Every table that must give the bits of the vectors on this machine. */
const lks_kernels *const *lks_test_tables(size_t *count);

typedef struct vector_file {
    const char *name;
    uint8_t *text;
    lks_json doc;
    int cases; /* node of the array */
} vector_file;

/* name: below tests/vectors/. */
void vectors_open(vector_file *f, const char *name);
void vectors_close(vector_file *f);
/* for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) */
int vectors_first(const vector_file *f);

bool vector_has(const vector_file *f, int node, const char *member);
/* Numbers, and text "0x..." of at most eight bytes, as the number that the digits write. */
uint64_t vector_u64(const vector_file *f, int node, const char *member);
/* Hex text as bytes, numbers of 4 bytes, floats: in memory of exactly that size, to be freed.
 * *count may be NULL. */
uint8_t *vector_bytes(const vector_file *f, int node, const char *member, size_t *count);
uint32_t *vector_words(const vector_file *f, int node, const char *member, size_t *count);
float *vector_floats(const vector_file *f, int node, const char *member, size_t *count);
/* A JSON array of numbers. */
uint32_t *vector_list(const vector_file *f, int node, const char *member, size_t *count);
void vector_hash(const vector_file *f, int node, const char *member, uint8_t hash32[32]);

/* Memory for an output, filled and surrounded with 0xa5; guard_free checks the surroundings and
 * fails the test when they were written to. The start is only 4-byte aligned. */
void *guard_new(size_t bytes);
void guard_free(void *p);

/* The floats' bits must be those of `want`. canonical: NaNs of `got` first become the canonical
 * one. what: for the message. */
void assert_floats(const float *got, const float *want, size_t count, bool canonical,
                   const char *what);
void assert_bytes(const void *got, const void *want, size_t count, const char *what);

/* The bytes of a file, to be freed. */
uint8_t *read_file(const char *path, size_t *len);

/* A8 rows in guarded memory, with sums where width is a multiple of 32. */
lks_a8 a8_new(size_t rows, uint32_t width, uint32_t block);
/* The same, holding the given values; d: rows * blocks. */
lks_a8 a8_from(size_t rows, uint32_t width, uint32_t block, const uint8_t *q, const float *d);
void a8_free(lks_a8 *a);
/* q, d, idx and sums of `rows` rows against a case's members q, d and idx. */
void assert_a8(const lks_a8 *got, size_t rows, const vector_file *f, int node, const char *what);

#endif
