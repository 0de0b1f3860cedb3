#include "oracle/cli/cut_off.h"

#include "oracle/cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The whole line: a signal handler can format nothing. */
static char line[4400];
static size_t line_length;

static void end(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code != BUS_ADRERR) { /* no file of ours: the access is repeated, and kills */
        signal(number, SIG_DFL);
        return;
    }
    for (size_t at = 0; at < line_length;) {
        ssize_t n = write(STDERR_FILENO, line + at, line_length - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    _exit(LKS_EXIT_INPUT);
}

void lks_cut_off_name(const char *path)
{
    int n = snprintf(line, sizeof line,
                     "%slockstep: %.4096s: the file was cut off, or its disk failed, while it was "
                     "read; put the whole file back and start again\n",
                     isatty(STDERR_FILENO) == 1 ? "\n" : "", path);
    line_length = n > 0 ? (size_t)n : 0;
}

void lks_cut_off_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = end;
    action.sa_flags = SA_SIGINFO;
    lks_cut_off_name("a model file");
    sigaction(SIGBUS, &action, NULL);
}
