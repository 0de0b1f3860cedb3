#include "tests/cli/fake_clock.h"

#include <time.h>

double fake_clock_now = 1000;
void (*fake_clock_tick)(void);

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);
double __wrap_lks_now(void);

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)left;
    fake_clock_now += (double)wanted->tv_sec + 1e-9 * (double)wanted->tv_nsec;
    if (fake_clock_tick)
        fake_clock_tick();
    return 0;
}

double __wrap_lks_now(void)
{
    return fake_clock_now;
}
