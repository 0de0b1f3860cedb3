/* Key files in a directory. */
#include "chain/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "chain/hex.h"
#include "chain/keystore_internal.h"
#include "chain/signer.h"

static lks_err fail_errno(const char *what, const char *path)
{
    int code = errno;
    return lks_fail(code == ENOENT ? LKS_NOTFOUND : LKS_IO, "%s %s: %s", what, path,
                    strerror(code));
}

lks_err lks_keystore_read_file(lks_buf *out, const char *path)
{
    lks_err err = LKS_OK;
    uint8_t block[4096];
    ssize_t n;
    size_t total = 0;
    /* O_NONBLOCK: a FIFO that lies in the directory must not hang the caller. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno("cannot open", path);
    while (!err && (n = read(fd, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = fail_errno("cannot read", path);
        else if ((total += (size_t)n) > LKS_KEYSTORE_MAX_FILE)
            err = lks_fail(LKS_CORRUPT, "%s is no key file: it is over %d bytes", path,
                           LKS_KEYSTORE_MAX_FILE);
        else
            lks_buf_put(out, block, (size_t)n);
    }
    close(fd);
    return err ? err : lks_buf_error(out);
}

lks_err lks_keystore_load(uint8_t key32[32], const char *path, const void *password,
                          size_t password_len)
{
    lks_buf json = {0};
    memset(key32, 0, 32);
    lks_err err = lks_keystore_read_file(&json, path);
    if (!err &&
        (err = lks_keystore_decrypt(key32, lks_buf_text(&json), json.len, password, password_len)))
        err = lks_fail_in(err, "%s", path);
    lks_buf_free(&json);
    return err;
}

/* Writes a new file of mode 0600 and its bytes to the disk. */
static lks_err write_new_file(const char *path, const lks_buf *bytes)
{
    size_t done = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_errno("cannot create", path);
    while (done < bytes->len) {
        ssize_t n = write(fd, bytes->data + done, bytes->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        done += (size_t)n;
    }
    lks_err err = done < bytes->len || fsync(fd) ? fail_errno("cannot write", path) : LKS_OK;
    if (close(fd) && !err)
        err = fail_errno("cannot write", path);
    return err;
}

/* Writes the file under a temporary name beside path first, so that path is whole or not there. */
static lks_err write_atomically(const char *directory, const char *path, const lks_buf *bytes)
{
    lks_buf temporary = {0};
    uint8_t random[8];
    char suffix[LKS_HEX_SIZE(8)];
    lks_err err = lks_random(random, sizeof random);
    if (err)
        return err;
    lks_hex_encode(suffix, random, sizeof random);
    lks_buf_printf(&temporary, "%s/.new-%s", directory, suffix + 2);
    if ((err = lks_buf_error(&temporary)))
        goto out;
    const char *name = lks_buf_text(&temporary);
    err = write_new_file(name, bytes);
    if (!err && rename(name, path))
        err = fail_errno("cannot create", path);
    if (err) {
        unlink(name);
        goto out;
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        err = fail_errno("cannot write", directory);
    if (fd >= 0)
        close(fd);
out:
    lks_buf_free(&temporary);
    return err;
}

static void put_path(lks_buf *path, const char *directory, const uint8_t address[20])
{
    struct timespec now;
    struct tm utc;
    char hex[LKS_HEX_SIZE(20)];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    lks_hex_encode(hex, address, 20);
    lks_buf_printf(path, "%s/UTC--%04d-%02d-%02dT%02d-%02d-%02d.%09ldZ--%s", directory,
                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                   utc.tm_sec, now.tv_nsec, hex + 2);
}

lks_err lks_keystore_create(lks_buf *path, const char *directory, const uint8_t key32[32],
                            const void *password, size_t password_len, lks_keystore_cost cost)
{
    lks_buf json = {0}, name = {0}, existing = {0};
    lks_signer *signer = NULL;
    lks_err err = lks_signer_new(&signer, key32);
    if (err)
        return err;
    if (mkdir(directory, 0700) && errno != EEXIST) {
        err = lks_fail(LKS_IO, "cannot make the directory %s: %s", directory, strerror(errno));
        goto out;
    }
    err = lks_keystore_find(&existing, directory, lks_signer_address(signer));
    if (err != LKS_NOTFOUND) {
        if (!err)
            err = lks_fail(LKS_REFUSED, "the key exists already: %s", lks_buf_text(&existing));
        goto out;
    }
    put_path(&name, directory, lks_signer_address(signer));
    if ((err = lks_buf_error(&name)) ||
        (err = lks_keystore_encrypt(&json, key32, password, password_len, cost)) ||
        (err = write_atomically(directory, lks_buf_text(&name), &json)))
        goto out;
    if (path) {
        lks_buf_put(path, name.data, name.len);
        err = lks_buf_error(path);
    }
out:
    lks_signer_free(signer);
    lks_buf_free(&json);
    lks_buf_free(&name);
    lks_buf_free(&existing);
    return err;
}

/* Returns: LKS_OK with the address when path is a key file; LKS_NOMEM; any other value when it is
 * none. */
static lks_err identify(const char *path, uint8_t address20[20])
{
    lks_buf json = {0};
    lks_json doc = {0};
    uint64_t version;
    struct stat info;
    lks_err err = stat(path, &info) || !S_ISREG(info.st_mode) ? LKS_NOTFOUND
                                                              : lks_keystore_read_file(&json, path);
    if (!err && !(err = lks_json_parse(&doc, lks_buf_text(&json), json.len, 1000)) &&
        !(err = lks_json_u64(&doc, lks_json_member(&doc, 0, "version"), &version)))
        err = version == 3 ? lks_keystore_address(&doc, address20) : LKS_REFUSED;
    lks_json_free(&doc);
    lks_buf_free(&json);
    return err;
}

static int skip_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

lks_err lks_keystore_list(lks_keystore_entry **entries, size_t *count, const char *directory)
{
    lks_err err = LKS_OK;
    struct dirent **names = NULL;
    *entries = NULL;
    *count = 0;
    int found = scandir(directory, &names, skip_hidden, alphasort);
    if (found < 0)
        return fail_errno("cannot read the directory", directory);
    *entries = calloc((size_t)found + 1, sizeof **entries);
    if (!*entries)
        err = lks_fail(LKS_NOMEM, "out of memory for a list of keys");
    for (int i = 0; i < found; i++) {
        lks_buf path = {0};
        lks_buf_printf(&path, "%s/%s", directory, names[i]->d_name);
        free(names[i]);
        if (!err)
            err = lks_buf_error(&path);
        if (!err) {
            lks_err what = identify(lks_buf_text(&path), (*entries)[*count].address);
            if (!what) {
                (*entries)[(*count)++].path = (char *)path.data;
                path = (lks_buf){0};
            } else if (what == LKS_NOMEM)
                err = what;
        }
        lks_buf_free(&path);
    }
    free(names);
    if (err) {
        lks_keystore_list_free(*entries, *count);
        *entries = NULL;
        *count = 0;
    }
    return err;
}

void lks_keystore_list_free(lks_keystore_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entries[i].path);
    free(entries);
}

lks_err lks_keystore_find(lks_buf *path, const char *directory, const uint8_t address20[20])
{
    lks_keystore_entry *entries;
    size_t count;
    char text[LKS_ADDRESS_SIZE];
    lks_err err = lks_keystore_list(&entries, &count, directory);
    if (err)
        return err;
    size_t i = 0;
    while (i < count && memcmp(entries[i].address, address20, 20))
        i++;
    if (i < count) {
        lks_buf_put_text(path, entries[i].path);
        err = lks_buf_error(path);
    } else {
        lks_address_format(text, address20);
        err = lks_fail(LKS_NOTFOUND, "no key file for %s in %s", text, directory);
    }
    lks_keystore_list_free(entries, count);
    return err;
}
