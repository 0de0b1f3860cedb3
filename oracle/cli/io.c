#include "oracle/cli/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lks_err read_stream(char **data, size_t *len, FILE *file, size_t max)
{
    size_t capacity = 1 << 16, used = 0;
    char *buffer = malloc(capacity + 1);
    while (buffer != NULL) {
        used += fread(buffer + used, 1, capacity - used, file);
        if (ferror(file)) {
            free(buffer);
            return lks_fail(LKS_IO, "cannot be read: %s", strerror(errno));
        }
        if (used > max) {
            free(buffer);
            return lks_fail(LKS_REFUSED, "is longer than %zu bytes", max);
        }
        if (feof(file)) {
            buffer[used] = '\0';
            *data = buffer;
            *len = used;
            return LKS_OK;
        }
        if (used == capacity) {
            char *larger = realloc(buffer, 2 * capacity + 1);
            if (larger == NULL) {
                free(buffer);
            }
            buffer = larger;
            capacity *= 2;
        }
    }
    return lks_fail(LKS_NOMEM, "out of memory");
}

lks_err lks_read_all(char **data, size_t *len, const char *path, size_t max)
{
    *data = NULL;
    *len = 0;
    if (strcmp(path, "-") == 0) {
        return read_stream(data, len, stdin, max);
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return lks_fail(LKS_IO, "cannot be opened: %s", strerror(errno));
    }
    lks_err err = read_stream(data, len, file, max);
    fclose(file);
    return err;
}
