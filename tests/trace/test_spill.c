/* Rows of a trace on disk, and what happens when the disk fails: the trace goes on without. The
 * linker sends pwrite, pread, statvfs and fallocate here. */
#include "tests/model/tiny_models.h"
#include "tests/proof/draw.h"

#include "oracle/trace/trace.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

ssize_t __real_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __real_pread(int fd, void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at);

int __real_statvfs(const char *path, struct statvfs *fs);
int __real_fallocate(int fd, int mode, off_t at, off_t len);
int __wrap_statvfs(const char *path, struct statvfs *fs);
int __wrap_fallocate(int fd, int mode, off_t at, off_t len);

/* Calls that work before one fails; and what then fails all of them. */
static atomic_int writes_left, reads_left;
static int write_errno, read_errno;
static bool change_byte; /* of what is read, in place of a failure */
static atomic_uint reads, writes;

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    atomic_fetch_add(&writes, 1);
    if (atomic_fetch_sub(&writes_left, 1) <= 0) {
        errno = write_errno;
        return write_errno ? -1 : 0;
    }
    return __real_pwrite(fd, bytes, len > 1 ? len - len / 3 : len, at); /* a part of it */
}

ssize_t __wrap_pread(int fd, void *bytes, size_t len, off_t at)
{
    atomic_fetch_add(&reads, 1);
    if (atomic_fetch_sub(&reads_left, 1) > 0)
        return __real_pread(fd, bytes, len > 1 ? len - len / 3 : len, at);
    ssize_t n = change_byte ? __real_pread(fd, bytes, len, at) : -1;
    if (change_byte)
        ((uint8_t *)bytes)[len - 1] ^= 1;
    errno = read_errno;
    return n;
}

static uint64_t disk_size, disk_free; /* of the file system, in blocks of 4,096; 0: as it is */
static int allocate_errno;
static uint64_t allocated; /* bytes that were asked for */

int __wrap_statvfs(const char *path, struct statvfs *fs)
{
    int rc = __real_statvfs(path, fs);
    if (disk_size) {
        fs->f_frsize = 4096;
        fs->f_blocks = disk_size;
        fs->f_bavail = disk_free;
    }
    return rc;
}

int __wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
    allocated += (uint64_t)len;
    errno = allocate_errno;
    return allocate_errno ? -1 : __real_fallocate(fd, mode, at, len);
}

static void all_works(void)
{
    disk_size = disk_free = 0;
    allocate_errno = 0;
    atomic_store(&writes_left, INT32_MAX);
    atomic_store(&reads_left, INT32_MAX);
    write_errno = read_errno = 0;
    change_byte = false;
}

static tiny_model model;
static uint32_t ids[64];
static const lks_run answer = {ids, 45, ids + 45, 12, {0}};

static lks_trace *make_trace(lks_spill *spill)
{
    lks_trace *t;
    lks_trace_options o = {.threads = 2, .spill = spill};
    OK(lks_trace_make(&t, &model.model, &answer, &o));
    return t;
}

static lks_spill *open_spill(uint64_t max_bytes)
{
    lks_spill *s;
    OK(lks_spill_open(&s, "/tmp", max_bytes));
    return s;
}

enum {
    ROWS = 24
};

/* Rows of all operations, at random. */
static void draw_rows(lks_trace_row rows[ROWS], const lks_trace *t, uint64_t seed)
{
    rng random = {seed};
    for (size_t i = 0; i < ROWS; i++) {
        lks_shape s;
        uint32_t op = below(&random, model.model.program.op_count);
        lks_trace_shape(&s, t, op);
        uint32_t head = s.heads ? below(&random, s.heads) : 0;
        rows[i] = (lks_trace_row){op, head << s.position_bits | below(&random, s.rows),
                                  malloc(s.row_size)};
    }
}

/* The trace is that of an own pass, and so are its rows. */
static void check_trace(lks_trace *t, uint64_t seed)
{
    lks_trace *again = make_trace(NULL);
    uint8_t root[32], want[32];
    lks_trace_row rows[ROWS], same[ROWS];
    lks_trace_root(root, t);
    lks_trace_root(want, again);
    assert_memory_equal(root, want, 32);
    draw_rows(rows, t, seed);
    draw_rows(same, again, seed);
    OK(lks_trace_rows(t, rows, ROWS));
    OK(lks_trace_rows(again, same, ROWS));
    for (size_t i = 0; i < ROWS; i++) {
        lks_shape s;
        lks_trace_shape(&s, t, rows[i].op);
        assert_memory_equal(rows[i].bytes, same[i].bytes, s.row_size);
        free(rows[i].bytes);
        free(same[i].bytes);
    }
    lks_trace_free(again);
}

static void check_without(lks_trace *t, const char *why)
{
    assert_false(lks_trace_keeps_rows(t));
    assert_non_null(lks_trace_rows_fault(t));
    if (!strstr(lks_trace_rows_fault(t), why))
        fail_msg("\"%s\" does not say \"%s\"", lks_trace_rows_fault(t), why);
}

/* ---- the bound ---- */

static void test_bound(void **state)
{
    (void)state;
    lks_spill *s;
    all_works();
    assert_int_equal(lks_spill_open(&s, "/nowhere", UINT64_MAX), LKS_IO);
    assert_null(s);
    lks_trace *plain = make_trace(NULL);
    uint64_t size = lks_trace_size(plain);
    assert_true(!lks_trace_keeps_rows(plain) && !lks_trace_rows_fault(plain));
    lks_trace_free(plain);

    s = open_spill(size - 1);
    assert_int_equal(lks_spill_limit(s), size - 1);
    lks_trace *t = make_trace(s);
    check_without(t, "there is no room");
    check_trace(t, 1);
    lks_trace_free(t);
    lks_spill_close(s);

    /* Two fit, a third does not, until one is gone. */
    s = open_spill(2 * size + size / 2);
    lks_trace *three[3];
    for (int i = 0; i < 3; i++)
        three[i] = make_trace(s);
    assert_true(lks_trace_keeps_rows(three[0]) && lks_trace_keeps_rows(three[1]));
    check_without(three[2], "there is no room");
    assert_int_equal(lks_spill_limit(s), 2 * size + size / 2);
    lks_trace_free(three[0]);
    t = make_trace(s);
    assert_true(lks_trace_keeps_rows(t));
    lks_spill_close(s); /* files keep it */
    check_trace(t, 2);
    check_trace(three[1], 3);
    lks_trace_free(t);
    lks_trace_free(three[1]);
    lks_trace_free(three[2]);
}

/* The process's limit is asked about: a write beyond it would raise SIGXFSZ. */
static void test_process_limit(void **state)
{
    (void)state;
    struct rlimit old, low;
    lks_spill *s = open_spill(UINT64_MAX);
    all_works();
    assert_true(lks_spill_limit(s) < UINT64_MAX); /* the disk's */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = old;
    low.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    lks_trace *t = make_trace(s);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    check_without(t, strerror(EFBIG));
    check_trace(t, 4);
    lks_trace_free(t);
    lks_spill_close(s);
}

static void refuse_file(lks_spill *s, uint64_t size, const char *why)
{
    lks_spill_file f;
    assert_int_equal(lks_spill_file_open(&f, s, size), LKS_REFUSED);
    assert_non_null(strstr(lks_error_message(), why));
}

/* A tenth of the disk stays free, and 8 GiB of a large one. */
static void test_disk(void **state)
{
    (void)state;
    enum {
        BLOCK = 4096
    };
    lks_spill *s = open_spill(UINT64_MAX);
    lks_spill_file f;
    all_works();
    disk_size = 1000;
    disk_free = 150;
    assert_int_equal(lks_spill_limit(s), 50 * BLOCK);
    refuse_file(s, 50 * BLOCK + 1, "no room");
    OK(lks_spill_file_open(&f, s, 50 * BLOCK));
    lks_spill_file_close(&f);
    disk_free = 100;
    assert_int_equal(lks_spill_limit(s), 0);
    refuse_file(s, 1, "no room");
    disk_size = UINT64_C(1) << 40;
    disk_free = (UINT64_C(8) << 30) / BLOCK + 3;
    assert_int_equal(lks_spill_limit(s), 3 * BLOCK);
    lks_spill_close(s);
}

/* The bytes of a file are the disk's to give before anything is written to it. */
static void test_allocated(void **state)
{
    (void)state;
    lks_spill *s = open_spill(UINT64_MAX);
    lks_spill_file f;
    all_works();
    allocated = 0;
    OK(lks_spill_file_open(&f, s, 12345));
    assert_int_equal(allocated, 12345);
    lks_spill_file_close(&f);
    allocate_errno = ENOSPC;
    refuse_file(s, 12345, strerror(ENOSPC));
    allocate_errno = EOPNOTSUPP; /* a file system that cannot: writes will tell */
    OK(lks_spill_file_open(&f, s, 12345));
    lks_spill_file_close(&f);
    all_works();
    lks_spill_close(s);
}

/* ---- failures ---- */

static void test_failed_write(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EIO, EDQUOT, 0};
    lks_spill *s = open_spill(UINT64_MAX);
    all_works();
    atomic_store(&writes, 0);
    lks_trace *t = make_trace(s);
    int all = (int)atomic_load(&writes);
    lks_trace_free(t);
    assert_true(all > 20);
    for (int i = 0; i < 12; i++) {
        all_works();
        atomic_store(&writes_left, i < 4 ? i : i * all / 12);
        write_errno = errors[i % 4];
        t = make_trace(s);
        check_without(t, strerror(write_errno ? write_errno : ENOSPC));
        atomic_store(&reads, 0);
        check_trace(t, 5);
        assert_int_equal(atomic_load(&reads), 0);
        lks_trace_free(t);
    }
    lks_spill_close(s);
}

static void test_failed_read(void **state)
{
    (void)state;
    lks_spill *s = open_spill(UINT64_MAX);
    for (int i = 0; i < 10; i++) {
        all_works();
        lks_trace *t = make_trace(s);
        check_trace(t, 6);
        assert_true(lks_trace_keeps_rows(t));
        atomic_store(&reads_left, i < 4 ? i : 7 * i);
        change_byte = i % 2;
        read_errno = change_byte ? 0 : EIO;
        check_trace(t, 6);
        check_without(t, change_byte ? "has changed in its file" : strerror(EIO));
        atomic_store(&reads, 0);
        check_trace(t, 7);
        assert_int_equal(atomic_load(&reads), 0);
        lks_trace_free(t);
    }
    lks_spill_close(s);
}

int main(void)
{
    tiny_open(&model, "mixed");
    const uint32_t vocab = model.model.program.vocab_size;
    for (uint32_t i = 0; i < LKS_COUNT(ids); i++)
        ids[i] = i * 37 % vocab;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk),         cmocka_unit_test(test_allocated),
        cmocka_unit_test(test_bound),        cmocka_unit_test(test_process_limit),
        cmocka_unit_test(test_failed_write), cmocka_unit_test(test_failed_read)};
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    lks_model_close(&model.model);
    return failures;
}
