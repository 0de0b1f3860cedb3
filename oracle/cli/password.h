/* Passwords: from a file, or typed on the terminal without echo; never from the command line or the
 * environment. */
#ifndef LKS_CLI_PASSWORD_H
#define LKS_CLI_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define LKS_PASSWORD_MAX 1024

typedef struct lks_password {
    char bytes[LKS_PASSWORD_MAX];
    size_t len;
} lks_password;

/* Reads the first line of file; or, when file is NULL, what is typed on the terminal after prompt,
 * twice when confirm is set. Returns: LKS_PARSED, then the caller wipes *out; or the exit code
 * after telling. */
int lks_password_read(lks_password *out, const char *command, const char *file, const char *prompt,
                      bool confirm);
void lks_password_wipe(lks_password *password);

#endif
