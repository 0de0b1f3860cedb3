/* A model ready to run: its file, tokenizer, program and RoPE table, all checked. Immutable but for
 * the packed weights, which the first session makes; any number of threads may share it.
 */
#ifndef LKS_ORACLE_MODEL_MODEL_H
#define LKS_ORACLE_MODEL_MODEL_H

#include "oracle/gguf/gguf.h"
#include "oracle/model/packed.h"
#include "oracle/model/program.h"
#include "oracle/text/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_model {
    lks_gguf *file;
    lks_tokenizer *tokenizer;
    lks_program program;
    float *rope; /* [max_positions][rope_dim], pairs (cosine, sine) */
    lks_packed *packed;
    float **vectors; /* by tensor of the program, on a big-endian machine alone: what is F32 in the
                        file, in the machine's byte order */
} lks_model;

/* Opens the file, derives the program and makes the RoPE table. First refuses a machine that cannot
 * give the bits (no FMA, FTZ or DAZ set, another rounding mode: lks_kernels_check). Out: *out, all
 * zero on failure. Returns: LKS_OK, or what lks_gguf_open, lks_tokenizer_open, lks_program_derive
 * return. */
LKS_MUST_USE
lks_err lks_model_open(lks_model *out, const char *path);
/* The same for a program that runs for long: reads the file into memory of its own (lks_gguf_load),
 * so that nobody who writes to it or cuts it off reaches a run. */
LKS_MUST_USE
lks_err lks_model_load(lks_model *out, const char *path);
void lks_model_close(lks_model *m);

/* Keeps the weights of a loaded model only in the form that the fastest kernels of this machine
 * read, and frees the memory of the file's own form. Its trees and commitment must have been made.
 * From then on sessions run those kernels alone, no trees are made, and witnesses read weights from
 * the file and check them against the trees. threads: as of lks_pool_open. Returns: LKS_OK;
 * LKS_NOMEM, and the model can only be closed. */
LKS_MUST_USE
lks_err lks_model_settle(lks_model *m, unsigned threads);
/* Whether the file is still what it was: as lks_gguf_check. */
LKS_MUST_USE
lks_err lks_model_check_file(const lks_model *m);

/* The numbers of an F32 tensor of the program. */
const float *lks_model_vector(const lks_model *m, uint32_t tensor);

#ifdef __cplusplus
}
#endif
#endif
