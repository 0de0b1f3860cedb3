/* Every row of a run in committed form, in memory, made from the engine's outputs, and a reader
 * over them for units of proof. What a test changes in the rows is what a liar committed to. */
#ifndef LKS_TESTS_PROOF_RUN_ROWS_H
#define LKS_TESTS_PROOF_RUN_ROWS_H

#include "oracle/proof/step.h"
#include "tests/model/tiny_models.h"

typedef struct run_rows {
    const lks_model *model;
    const lks_run *run;
    lks_facts facts;
    lks_shape *shapes; /* by operation, as the next */
    uint8_t **rows;    /* rows in range, without gaps (lks_shape_row_ordinal) */
    uint8_t *program;  /* descriptors */
    uint8_t *rope;     /* the table's rows up to the last position */
    lks_reader reader;
    uint64_t reads; /* made through the reader */
} run_rows;

void run_rows_make(run_rows *r, const lks_model *m, const lks_run *run);
/* The same with rows of zeros, for models that the engine does not run. */
void run_rows_open(run_rows *r, const lks_model *m, const lks_run *run);
void run_rows_free(run_rows *r);

/* The bytes of a leaf in range. */
uint8_t *run_rows_leaf(run_rows *r, uint32_t op, uint32_t leaf, uint32_t *size);
/* Leaves of an operation: places, of which some may be out of range. */
uint32_t run_rows_places(const run_rows *r, uint32_t op);

/* Out: the partials of an attention element, lks_partials_size(row) bytes, computed from the rows
 * as they are now. */
void run_rows_partials(const run_rows *r, uint8_t *out, uint32_t op, uint32_t row,
                       uint32_t element);

/* A case of tests/vectors/runs/, to be freed. */
typedef struct vector_run {
    lks_run run;
    uint32_t *prompt, *answer, *allowed;
} vector_run;
void vector_run_read(vector_run *v, const vector_file *f, int node);
void vector_run_free(vector_run *v);
/* Calls fn with every run of every tiny model. */
void each_tiny_run(void (*fn)(const tiny_model *m, const lks_run *run));

/* A run of the model's own: a prompt of prompt_count tokens and the answer that the policy gives,
 * answer_count tokens at most. */
void vector_run_make(vector_run *v, const lks_model *m, size_t prompt_count, size_t answer_count,
                     const lks_policy *policy);

#endif
