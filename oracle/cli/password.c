#include "oracle/cli/password.h"

#include "chain/password_file.h"
#include "chain/signer.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/options.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void lks_password_wipe(lks_password *password)
{
    lks_wipe(password, sizeof *password);
}

static int from_file(lks_password *out, const char *file)
{
    lks_err err = lks_password_file_read(out->bytes, sizeof out->bytes, &out->len, file);
    if (err != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_AUTH, "%s", lks_error_message());
    }
    if (out->len == 0) {
        return lks_cli_fail(LKS_EXIT_AUTH,
                            "password file %s is empty; put the password on its first line", file);
    }
    return LKS_PARSED;
}

static bool ask(lks_password *out, int terminal, const char *prompt)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) != 0) {
        return false;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    /* First silence, then the prompt: what is typed before it is dropped, what is typed after it is
     * not shown. */
    if (tcsetattr(terminal, TCSAFLUSH, &silent) != 0) {
        return false;
    }
    bool ok = write(terminal, prompt, strlen(prompt)) > 0 &&
              lks_password_line_read(out->bytes, sizeof out->bytes, &out->len, terminal) == LKS_OK;
    tcsetattr(terminal, TCSAFLUSH, &before);
    return write(terminal, "\n", 1) == 1 && ok;
}

static int from_terminal(lks_password *out, const char *command, int terminal, const char *prompt,
                         bool confirm)
{
    lks_password again = {.len = 0};
    int code = LKS_PARSED;
    if (!ask(out, terminal, prompt) || (confirm && !ask(&again, terminal, "Again: "))) {
        code = lks_cli_fail(
            LKS_EXIT_AUTH,
            "%s: the password could not be read from the terminal; give --password-file", command);
    } else if (out->len == 0) {
        code = lks_cli_fail(LKS_EXIT_AUTH, "%s: the password is empty", command);
    } else if (confirm &&
               (again.len != out->len || memcmp(again.bytes, out->bytes, out->len) != 0)) {
        code = lks_cli_fail(LKS_EXIT_AUTH, "%s: the two passwords differ; try again", command);
    }
    lks_password_wipe(&again);
    return code;
}

int lks_password_read(lks_password *out, const char *command, const char *file, const char *prompt,
                      bool confirm)
{
    int code;
    *out = (lks_password){.len = 0};
    if (file != NULL) {
        code = from_file(out, file);
    } else {
        int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (terminal < 0) {
            return lks_cli_fail(LKS_EXIT_AUTH,
                                "%s: no terminal to ask for the password; give --password-file or "
                                "set LOCKSTEP_PASSWORD_FILE",
                                command);
        }
        code = from_terminal(out, command, terminal, prompt, confirm);
        close(terminal);
    }
    if (code != LKS_PARSED) {
        lks_password_wipe(out);
    }
    return code;
}
