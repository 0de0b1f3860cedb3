/* A GGUF file in memory of its own: what happens to the file afterwards does not reach whoever
 * reads it. A mapped file that is cut off raises SIGBUS in the process that reads it. */
#include "oracle/gguf/gguf_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The time of the last change of the inode is left out: links and permissions change it too, which
 * backups do, and what runs is in memory anyway. */
static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Bytes [at, at + len) of the file. */
static lks_err read_at(int fd, uint64_t at, void *out, size_t len)
{
    for (uint8_t *p = out; len;) {
        ssize_t n = pread(fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lks_fail(LKS_IO, "the model file cannot be read: %s",
                            n < 0 ? strerror(errno) : "it was cut off");
        p += n, at += (uint64_t)n, len -= (size_t)n;
    }
    return LKS_OK;
}

/* Out: *memory, as long as the file, to be unmapped. */
static lks_err copy_file(void **memory, int fd, const struct stat *st)
{
    struct stat after;
    size_t size = (size_t)st->st_size;
    *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (*memory == MAP_FAILED)
        return lks_fail(LKS_NOMEM, "out of memory for the %zu bytes of the model file", size);
    lks_err err = read_at(fd, 0, *memory, size);
    if (!err && (fstat(fd, &after) || !same_file(st, &after)))
        err = lks_fail(LKS_CORRUPT,
                       "the model file changed while it was read; start again when it is whole");
    if (err)
        munmap(*memory, size);
    else
        mprotect(*memory, size, PROT_READ);
    return err;
}

lks_err lks_gguf_load(lks_gguf **out, const char *path)
{
    struct stat st;
    void *memory = NULL;
    int fd = -1;
    *out = NULL;
    lks_err err = lks_gguf_open_file(&fd, &st, path);
    if (err)
        return err;
    err = copy_file(&memory, fd, &st);
    if (!err) {
        err = lks_gguf_open_memory(out, memory, (size_t)st.st_size);
        if (err)
            munmap(memory, (size_t)st.st_size);
    }
    if (err) {
        close(fd);
        return lks_fail_in(err, "%s", path);
    }
    lks_gguf *g = *out;
    g->mapped = true;
    g->fd = fd;
    g->as_read = st;
    g->path = strdup(path);
    if (g->path)
        return LKS_OK;
    lks_gguf_close(g);
    *out = NULL;
    return lks_fail(LKS_NOMEM, "out of memory");
}

lks_err lks_gguf_check(const lks_gguf *g)
{
    struct stat now;
    if (g->fd < 0)
        return LKS_OK;
    if (stat(g->path, &now))
        return lks_fail(LKS_IO, "%s: %s", g->path, strerror(errno));
    if (same_file(&g->as_read, &now))
        return LKS_OK;
    return lks_fail(LKS_CORRUPT, "%s has changed since it was opened", g->path);
}

void lks_gguf_release(lks_gguf *g, const lks_gguf_tensor *tensor)
{
    lks_gguf_tensor *t = &g->tensors[tensor - g->tensors];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (g->fd < 0 || !t->data)
        return;
    size_t from = ((size_t)(t->data - g->data) + page - 1) / page * page;
    size_t to = (size_t)(t->data - g->data + t->size) / page * page;
    if (to > from)
        madvise((void *)(uintptr_t)(g->data + from), to - from, MADV_DONTNEED);
    t->data = NULL;
}

lks_err lks_gguf_read(const lks_gguf *g, const lks_gguf_tensor *t, uint64_t at, void *out,
                      size_t len)
{
    if (!t->data)
        return read_at(g->fd, t->offset + at, out, len);
    memcpy(out, t->data + at, len);
    return LKS_OK;
}
