/* Passwords in files: the first line of a file that nobody but its owner may read.
 *
 * Bytes are read one at a time, so that no copy stays in a stream's buffer. The caller wipes the
 * password (lks_wipe), after a failure too.
 */
#ifndef LKS_CHAIN_PASSWORD_FILE_H
#define LKS_CHAIN_PASSWORD_FILE_H

#include <stddef.h>

#include "chain/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the first line of a regular file or a pipe, without its newline or CRLF.
 * Out: password, room bytes at most, not zero-terminated; *len of them, 0 for an empty line.
 * Returns: LKS_OK; LKS_REFUSED (group or others have a right to the file); LKS_IO (it cannot be
 * opened or read); LKS_BADARGS (the line is longer than room). */
lks_err lks_password_file_read(char *password, size_t room, size_t *len,
                               const char *path) LKS_MUST_USE;

/* The same for an open descriptor of any kind, whose mode is not looked at. */
lks_err lks_password_line_read(char *password, size_t room, size_t *len, int fd) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
