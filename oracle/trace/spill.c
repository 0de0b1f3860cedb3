#include "oracle/trace/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Space of the file system that is left free: this share of it, at most MOST_FREE. A client that
 * shares it stops when little is left. */
#define FREE_SHARE 10u
#define MOST_FREE (UINT64_C(8) << 30)

static const char name_pattern[] = "/lockstep-trace-XXXXXX";

struct lks_spill {
    char *folder;
    uint64_t max_bytes;
    pthread_mutex_t lock;
    uint64_t used;  /* by the files that are open */
    unsigned users; /* those files, and whoever opened it */
};

/* Gives back what a user had. */
static void leave(lks_spill *s, uint64_t size)
{
    pthread_mutex_lock(&s->lock);
    s->used -= size;
    bool last = --s->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s->folder);
    free(s);
}

/* ---- files ---- */

/* A file without a name: it goes when it is closed, whatever happens to the process. Returns: -1:
 * errno says why. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    /* A file system or a kernel without O_TMPFILE. */
    size_t len = strlen(folder) + sizeof name_pattern;
    char *path = malloc(len);
    if (!path)
        return -1;
    snprintf(path, len, "%s%s", folder, name_pattern);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

/* Takes the bytes from the disk. Returns: 0, or errno. */
static int allocate(int fd, uint64_t size)
{
    struct rlimit limit;
    /* A write beyond that limit would not fail: it would raise SIGXFSZ. */
    if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
        size > limit.rlim_cur)
        return EFBIG;
    int rc;
    do
        rc = size ? fallocate(fd, 0, 0, (off_t)size) : 0;
    while (rc && errno == EINTR);
    return rc && errno != EOPNOTSUPP && errno != ENOSYS ? errno : 0;
}

/* Bytes that the file system could still give. */
static uint64_t disk_room(const char *folder)
{
    struct statvfs fs;
    if (statvfs(folder, &fs))
        return 0;
    uint64_t unit = fs.f_frsize ? fs.f_frsize : fs.f_bsize;
    uint64_t stays = (uint64_t)fs.f_blocks * unit / FREE_SHARE, left = (uint64_t)fs.f_bavail * unit;
    if (stays > MOST_FREE)
        stays = MOST_FREE;
    return left > stays ? left - stays : 0;
}

lks_err lks_spill_file_open(lks_spill_file *out, lks_spill *s, uint64_t size)
{
    *out = (lks_spill_file){0};
    int fd = open_nameless(s->folder);
    if (fd < 0)
        return lks_fail(LKS_IO, "no file can be made in %s: %s", s->folder, strerror(errno));
    int failed = 0;
    pthread_mutex_lock(&s->lock);
    bool fits = size <= s->max_bytes - s->used && size <= disk_room(s->folder);
    if (fits)
        failed = allocate(fd, size);
    if (fits && !failed) {
        s->used += size;
        s->users++;
    }
    pthread_mutex_unlock(&s->lock);
    if (fits && !failed) {
        *out = (lks_spill_file){s, fd, size};
        return LKS_OK;
    }
    close(fd);
    return lks_fail(LKS_REFUSED, "%llu more bytes in %s: %s", (unsigned long long)size, s->folder,
                    fits ? strerror(failed) : "there is no room for them");
}

void lks_spill_file_close(lks_spill_file *f)
{
    lks_spill *s = f->spill;
    if (!s)
        return;
    close(f->fd);
    leave(s, f->size);
    *f = (lks_spill_file){0};
}

lks_err lks_spill_write(const lks_spill_file *f, uint64_t at, const void *bytes, size_t len)
{
    for (const uint8_t *p = bytes; len;) {
        ssize_t n = pwrite(f->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lks_fail(LKS_IO, "a write to %s failed: %s", f->spill->folder,
                            strerror(n < 0 ? errno : ENOSPC));
        p += n, at += (uint64_t)n, len -= (size_t)n;
    }
    return LKS_OK;
}

lks_err lks_spill_read(const lks_spill_file *f, uint64_t at, void *bytes, size_t len)
{
    for (uint8_t *p = bytes; len;) {
        ssize_t n = pread(f->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lks_fail(LKS_IO, "a read from %s failed: %s", f->spill->folder,
                            n < 0 ? strerror(errno) : "the file is too short");
        p += n, at += (uint64_t)n, len -= (size_t)n;
    }
    return LKS_OK;
}

/* ---- the folder ---- */

lks_err lks_spill_open(lks_spill **out, const char *folder, uint64_t max_bytes)
{
    *out = NULL;
    int fd = open_nameless(folder);
    if (fd < 0)
        return lks_fail(LKS_IO, "no file can be made in %s: %s", folder, strerror(errno));
    close(fd);
    lks_spill *s = calloc(1, sizeof *s);
    if (s)
        s->folder = strdup(folder);
    if (!s || !s->folder) {
        free(s);
        return lks_fail(LKS_NOMEM, "out of memory");
    }
    s->max_bytes = max_bytes;
    s->users = 1;
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return LKS_OK;
}

void lks_spill_close(lks_spill *s)
{
    if (s)
        leave(s, 0);
}

uint64_t lks_spill_limit(lks_spill *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t room = disk_room(s->folder), used = s->used;
    pthread_mutex_unlock(&s->lock);
    uint64_t by_disk = room < UINT64_MAX - used ? used + room : UINT64_MAX;
    return by_disk < s->max_bytes ? by_disk : s->max_bytes;
}
