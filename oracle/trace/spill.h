/* Rows of traces on disk: unlinked files in one folder, which together stay within a bound.
 *
 * A file's size is known when it is made, and is taken from the bound and, where the file system
 * can do so, from the disk at once. A spill may be used by any thread, a file by one at a time but
 * for writes, which several may make side by side. */
#ifndef LKS_ORACLE_TRACE_SPILL_H
#define LKS_ORACLE_TRACE_SPILL_H

#include "chain/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lks_spill lks_spill;

/* In: max_bytes, of all files together. Out: *out, to be closed; files that are open by then keep
 * it until they are closed. Returns: LKS_OK; LKS_IO (no file can be made in the folder); LKS_NOMEM.
 */
LKS_MUST_USE
lks_err lks_spill_open(lks_spill **out, const char *folder, uint64_t max_bytes);
void lks_spill_close(lks_spill *s); /* NULL is allowed */

/* Bytes that all files together could have now: the bound, but never so many that less than a tenth
 * of the file system, or than 8 GiB of a large one, would stay free. */
uint64_t lks_spill_limit(lks_spill *s);

typedef struct lks_spill_file {
    lks_spill *spill; /* NULL: closed */
    int fd;
    uint64_t size;
} lks_spill_file;

/* Returns: LKS_OK; LKS_REFUSED (more than the bound, the disk or the process's RLIMIT_FSIZE
 * allows); LKS_IO. */
LKS_MUST_USE
lks_err lks_spill_file_open(lks_spill_file *out, lks_spill *s, uint64_t size);
void lks_spill_file_close(lks_spill_file *f); /* harmless on a closed one */
/* Return: LKS_OK; LKS_IO. */
LKS_MUST_USE
lks_err lks_spill_write(const lks_spill_file *f, uint64_t at, const void *bytes, size_t len);
LKS_MUST_USE
lks_err lks_spill_read(const lks_spill_file *f, uint64_t at, void *bytes, size_t len);

#endif
