/* SHA-256 of a file: the name under which a registered model's file is known. */
#ifndef LKS_CLI_FILE_HASH_H
#define LKS_CLI_FILE_HASH_H

#include "chain/err.h"

#include <stdint.h>

/* done and total in bytes. */
typedef void (*lks_hash_progress)(void *user, uint64_t done, uint64_t total);

/* Out: hash32; *size in bytes. progress may be NULL. Returns: LKS_OK, LKS_IO, LKS_NOMEM. The reason
 * does not name the file. */
LKS_MUST_USE
lks_err lks_file_sha256(uint8_t hash32[32], uint64_t *size, const char *path,
                        lks_hash_progress progress, void *user);

#endif
