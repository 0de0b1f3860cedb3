#include "oracle/cli/interrupt.h"

#include <signal.h>
#include <string.h>

static const int signals[] = {SIGINT, SIGTERM};
static atomic_bool interrupted;

static void note(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

static void set(void (*handler)(int), int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

void lks_interrupt_catch(void)
{
    set(note, (int)SA_RESETHAND);
}

void lks_interrupt_release(void)
{
    set(SIG_DFL, 0);
}

bool lks_interrupted(void)
{
    return atomic_load(&interrupted);
}

const atomic_bool *lks_interrupt_flag(void)
{
    return &interrupted;
}
