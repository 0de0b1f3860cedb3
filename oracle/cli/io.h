/* Whole files and standard input. */
#ifndef LKS_CLI_IO_H
#define LKS_CLI_IO_H

#include "chain/err.h"

#include <stddef.h>

#define LKS_MAX_INPUT ((size_t)64 << 20)

/* Reads a file to its end; "-" is standard input. Out: *data (free it), with a zero byte behind it;
 * *len without that byte. Returns: LKS_OK, LKS_IO, LKS_REFUSED (more than max bytes), LKS_NOMEM.
 * The reason does not name the file. */
LKS_MUST_USE
lks_err lks_read_all(char **data, size_t *len, const char *path, size_t max);

#endif
