#include "chain/password_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

lks_err lks_password_line_read(char *password, size_t room, size_t *len, int fd)
{
    *len = 0;
    for (;;) {
        char byte;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lks_fail(LKS_IO, "%s", strerror(errno));
        if (got == 0 || byte == '\n')
            break;
        if (*len == room)
            return lks_fail(LKS_BADARGS, "its first line is longer than %zu bytes", room);
        password[(*len)++] = byte;
    }
    if (*len > 0 && password[*len - 1] == '\r')
        (*len)--;
    return LKS_OK;
}

static lks_err check_mode(int fd, const char *path)
{
    struct stat st;
    if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)))
        return lks_fail(LKS_IO, "password file %s is not a file", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return lks_fail(LKS_REFUSED, "password file %s can be read by others: chmod 600 %s", path,
                        path);
    return LKS_OK;
}

lks_err lks_password_file_read(char *password, size_t room, size_t *len, const char *path)
{
    *len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lks_fail(LKS_IO, "password file %s cannot be opened: %s", path, strerror(errno));
    lks_err err = check_mode(fd, path);
    if (!err) {
        err = lks_password_line_read(password, room, len, fd);
        if (err)
            lks_fail_in(err, "password file %s", path);
    }
    close(fd);
    return err;
}
