#include "tests/plugin/engine_time.h"

#include "oracle/trace/trace_internal.h"
#include "plugin/clock.h"
#include "plugin/planner.h"

#include <pthread.h>
#include <unistd.h>

int __real_lks_ticket_turn(void *ticket);
int __wrap_lks_ticket_turn(void *ticket);
uint64_t __real_lks_now_us(void);
uint64_t __wrap_lks_now_us(void);
lks_err __real_lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                              const lks_trace_options *options);
lks_err __wrap_lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                              const lks_trace_options *options);
lks_err __real_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);
lks_err __wrap_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint pass_seconds, passes, passes_each = 1;
static atomic_ullong chain_now, chain_before; /* of the newest block and the one before it */
static unsigned asking, in_pass;              /* threads; under the lock */
static unsigned long long pass_end;           /* of the one in its pass */

void engine_time_set(unsigned each, unsigned seconds)
{
    atomic_store(&passes, 0);
    atomic_store(&passes_each, each);
    atomic_store(&pass_seconds, seconds);
}

void engine_time_at(unsigned long long now)
{
    atomic_store(&chain_before, atomic_load(&chain_now));
    atomic_store(&chain_now, now);
}

unsigned engine_time_passes(void)
{
    return atomic_load(&passes);
}

bool engine_time_waits(unsigned busy)
{
    pthread_mutex_lock(&lock);
    bool waits = in_pass == 1 && asking + in_pass == busy && atomic_load(&chain_now) < pass_end;
    pthread_mutex_unlock(&lock);
    return waits;
}

static void count(unsigned *threads, int change)
{
    pthread_mutex_lock(&lock);
    *threads += (unsigned)change;
    pthread_mutex_unlock(&lock);
}

/* A pass that follows another begins when that ended, between two blocks too. */
static void begin_pass(void)
{
    pthread_mutex_lock(&lock);
    asking--;
    in_pass++;
    bool follows = pass_end > atomic_load(&chain_before) && pass_end < atomic_load(&chain_now);
    pass_end = (follows ? pass_end : atomic_load(&chain_now)) + atomic_load(&pass_seconds);
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&passes, 1);
}

int __wrap_lks_ticket_turn(void *ticket)
{
    lks_ticket *t = ticket;
    count(&asking, 1);
    if (__real_lks_ticket_turn(ticket)) {
        count(&asking, -1);
        return 1;
    }
    begin_pass();
    while (atomic_load(&pass_seconds) && atomic_load(&chain_now) < pass_end &&
           !atomic_load(t->cancel))
        usleep(100);
    count(&in_pass, -1);
    return atomic_load(t->cancel);
}

uint64_t __wrap_lks_now_us(void)
{
    return atomic_load(&pass_seconds) ? atomic_load(&chain_now) * 1000000u : __real_lks_now_us();
}

/* The passes ahead of the one that the engine asks for itself: a tiny claim is a single batch. */
static bool run_others(int (*before_pass)(void *user), void *user)
{
    bool cancelled = false;
    for (unsigned i = 1; before_pass && !cancelled && i < atomic_load(&passes_each); i++)
        cancelled = before_pass(user);
    return !cancelled;
}

lks_err __wrap_lks_trace_make(lks_trace **out, const lks_model *m, const lks_run *run,
                              const lks_trace_options *options)
{
    *out = NULL;
    if (!run_others(options->before_pass, options->user))
        return lks_fail(LKS_REFUSED, "cancelled");
    return __real_lks_trace_make(out, m, run, options);
}

lks_err __wrap_lks_trace_rows(lks_trace *t, lks_trace_row *rows, size_t count)
{
    if (!lks_trace_keeps_rows(t) && !run_others(t->before_pass, t->user))
        return lks_fail(LKS_REFUSED, "cancelled");
    return __real_lks_trace_rows(t, rows, count);
}
