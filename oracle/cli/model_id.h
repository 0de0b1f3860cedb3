/* The commitment of a model file, and model ids. */
#ifndef LKS_CLI_MODEL_ID_H
#define LKS_CLI_MODEL_ID_H

#include "oracle/cli/link.h"
#include "oracle/trace/commit.h"

/* Hashes the model with progress. Returns: LKS_PARSED, or the exit code after telling. */
int lks_model_commit(lks_model_commitment *out, const lks_model *m, const char *path,
                     lks_progress *progress);

/* Out: whether the registry knows the model. */
LKS_MUST_USE
lks_err lks_model_is_registered(bool *out, lks_link *s, const uint8_t model_id32[32]);

/* Reads 0x and 64 digits. Returns: LKS_PARSED, or the exit code after telling. */
int lks_model_parse_id(uint8_t id32[32], const char *command, const char *text);

#endif
