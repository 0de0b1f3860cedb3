#include "tests/hostile/sim_time.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

sim_time sim_clock;

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
time_t __wrap_time(time_t *out);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);

void sim_time_work(uint64_t us)
{
    sim_clock.work_us += us;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
        return __real_clock_gettime(clock, out);
    uint64_t us = sim_clock.now_ms * 1000 + sim_clock.work_us;
    if (clock == CLOCK_REALTIME)
        us += sim_clock.unix_seconds * 1000000;
    *out =
        (struct timespec){.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    return 0;
}

time_t __wrap_time(time_t *out)
{
    time_t now = (time_t)(sim_clock.unix_seconds + sim_clock.now_ms / 1000);
    if (out)
        *out = now;
    return now;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    (void)condition; /* nobody else runs who could signal it */
    uint64_t until_ms = (uint64_t)until->tv_sec * 1000 + (uint64_t)until->tv_nsec / 1000000;
    pthread_mutex_unlock(mutex);
    if (sim_clock.wait)
        sim_clock.wait(sim_clock.user, until_ms);
    else if (sim_clock.now_ms < until_ms)
        sim_clock.now_ms = until_ms;
    pthread_mutex_lock(mutex);
    return sim_clock.now_ms < until_ms ? 0 : ETIMEDOUT;
}
