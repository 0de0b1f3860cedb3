/* Shared by gguf.c (opening) and gguf_get.c (look-ups). */
#ifndef LKS_ORACLE_GGUF_GGUF_INTERNAL_H
#define LKS_ORACLE_GGUF_GGUF_INTERNAL_H

#include "oracle/gguf/gguf.h"
#include "oracle/gguf/strtab.h"

#include <sys/stat.h>

struct lks_gguf {
    const uint8_t *data;
    size_t size;
    bool mapped; /* data is ours to unmap */
    int fd;      /* of a file that was loaded; else -1, and no path */
    char *path;
    struct stat as_read;
    lks_gguf_entry *entries;
    size_t entry_count;
    lks_strtab keys;
    lks_gguf_tensor *tensors;
    size_t tensor_count;
    lks_strtab names;
};

/* Opens a regular file that is long enough for a header. Out: *fd, to be closed; *st. */
LKS_MUST_USE
lks_err lks_gguf_open_file(int *fd, struct stat *st, const char *path);

/* Bytes of one value of a type; 0 for strings, arrays and unknown types. */
size_t lks_gguf_type_size(uint32_t type);

/* The value of a pair that lks_gguf_open has checked. */
const uint8_t *lks_gguf_value(const lks_gguf_entry *e);

#endif
