/* What the parts of make_step_vectors share: random values of many tempers, and files of records in
 * parts.
 *
 * DIR/NAME.0.bin, DIR/NAME.1.bin, ...: records one behind the other, each part at most about 512
 * KiB, so that the EVM can hold it. All words are little-endian; floats are bits, results
 * canonical. A record is described where it is written.
 */
#ifndef LKS_TESTS_PROOF_STEP_VECTORS_H
#define LKS_TESTS_PROOF_STEP_VECTORS_H

#include "kernels/kernels.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct vector_file {
    const char *dir, *name;
    FILE *file;
    unsigned part;
    size_t size; /* bytes of this part */
} vector_file;

/* These end the program with a line on standard error where a file cannot be written. */
void vector_open(vector_file *f, const char *dir, const char *name);
void vector_close(vector_file *f);
/* A new part begins where the last one is full. Call between records. */
void vector_record(vector_file *f);
void vector_bytes(vector_file *f, const void *bytes, size_t len);
void vector_word(vector_file *f, uint32_t word);
/* Bits; a NaN stays what it is. */
void vector_float(vector_file *f, float x);
void vector_floats(vector_file *f, const float *x, size_t count);

uint64_t random_bits(void);
uint32_t random_below(uint32_t bound);
bool one_in(uint32_t n);
/* Any float: edge values, any bits, numbers of one scale, small integers and halves. */
float random_float(void);
/* A number of one scale, seldom anything else. */
float random_tame(void);
/* binary16 bits of a weight's scale: mostly finite. */
uint16_t random_half(void);

extern const uint32_t edge_values[];
extern const unsigned edge_count;

/* step_vector_scalars.c, step_vector_rows.c, step_vector_rules.c: every file, with `cases` records
 * an operation and `float_cases` an operation on floats. */
void write_scalars(const char *dir, uint32_t cases, uint32_t float_cases);
void write_rows(const char *dir, uint32_t cases);
void write_rules(const char *dir, uint32_t cases);

#endif
