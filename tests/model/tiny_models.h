/* The tiny models of tests/spec/tiny_gguf.py, which the build writes to LKS_TINY_DIR, and their
 * vectors. */
#ifndef LKS_TESTS_MODEL_TINY_MODELS_H
#define LKS_TESTS_MODEL_TINY_MODELS_H

#include "oracle/model/model.h"
#include "tests/kernels/vectors.h"

typedef struct tiny_model {
    char name[64];
    char path[512];
    lks_model model;
} tiny_model;

/* Calls fn with each model that tests/vectors/models/ names, opened. */
void each_tiny_model(void (*fn)(const tiny_model *m));
void tiny_open(tiny_model *m, const char *name);

/* The vectors of a model: folder is "models" or "runs". */
void tiny_vectors(vector_file *f, const tiny_model *m, const char *folder);

/* The token hash of a list of ids, as the contracts' bindings make it. */
void tiny_tokens_hash(uint8_t hash32[32], const uint32_t *ids, size_t count);

#endif
