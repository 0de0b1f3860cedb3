#include "tests/plugin/process_state.h"

#include <dirent.h>
#include <fenv.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

fp_state fp_get(void)
{
    volatile double denormal = 5e-310, half = denormal * 0.5;
    return (fp_state){fegetround(), fegetexcept(), half == 0};
}

bool fp_equal(fp_state a, fp_state b)
{
    return a.rounding == b.rounding && a.traps == b.traps &&
           a.flushes_denormals == b.flushes_denormals;
}

void process_get(process_state *state)
{
    memset(state, 0, sizeof *state);
    for (int i = 1; i < 65; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            state->handlers[i] = action.sa_handler;
    }
    if (!getcwd(state->folder, sizeof state->folder))
        state->folder[0] = 0;
    state->umask = umask(0);
    umask(state->umask);
}

const char *process_difference(const process_state *a, const process_state *b)
{
    if (memcmp(a->handlers, b->handlers, sizeof a->handlers))
        return "a signal's handler";
    if (strcmp(a->folder, b->folder))
        return "the working directory";
    return a->umask != b->umask ? "the umask" : NULL;
}

static unsigned entries(const char *folder)
{
    DIR *dir = opendir(folder);
    unsigned n = 0;
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

unsigned process_threads(void)
{
    return entries("/proc/self/task");
}

unsigned process_files(void)
{
    return entries("/proc/self/fd");
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
