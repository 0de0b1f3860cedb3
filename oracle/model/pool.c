#include "oracle/model/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MAX_THREADS = 256,
    SPINS = 2000
};

typedef struct loop {
    size_t units;
    lks_pool_work work;
    void *context;
} loop;

struct lks_pool {
    unsigned threads;
    pthread_t ids[MAX_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Written by the caller before `round` changes. */
    loop now, added; /* what is done now; and after it */
    bool stop;
    atomic_uint round;   /* changes when a loop begins */
    atomic_size_t next;  /* the next unit to take */
    atomic_uint working; /* helpers that have not left the loop */
};

typedef struct helper {
    lks_pool *pool;
    unsigned thread;
} helper;

static size_t all_units(const lks_pool *p)
{
    return p->now.units + p->added.units;
}

static void do_unit(const lks_pool *p, size_t unit, unsigned thread)
{
    const loop *l = unit < p->now.units ? &p->now : &p->added;
    l->work(l->context, unit < p->now.units ? unit : unit - p->now.units, thread);
}

static void take_units(lks_pool *p, unsigned thread)
{
    size_t unit;
    while ((unit = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed)) < all_units(p))
        do_unit(p, unit, thread);
}

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Loops follow each other within microseconds while a model runs: spin a little, then sleep. */
static unsigned wait_for_round(lks_pool *p, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned round = atomic_load_explicit(&p->round, memory_order_acquire);
        if (round != seen)
            return round;
        pause_briefly();
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load_explicit(&p->round, memory_order_acquire) == seen)
        pthread_cond_wait(&p->wake, &p->lock);
    pthread_mutex_unlock(&p->lock);
    return atomic_load_explicit(&p->round, memory_order_acquire);
}

static void *helper_main(void *argument)
{
    helper h = *(helper *)argument;
    free(argument);
    for (unsigned seen = 0;;) {
        seen = wait_for_round(h.pool, seen);
        if (h.pool->stop)
            return NULL;
        take_units(h.pool, h.thread);
        atomic_fetch_sub_explicit(&h.pool->working, 1, memory_order_release);
    }
}

static void begin_round(lks_pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add_explicit(&p->round, 1, memory_order_release);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static lks_err start_helper(lks_pool *p)
{
    helper *h = malloc(sizeof *h);
    if (!h)
        return lks_fail(LKS_NOMEM, "out of memory");
    *h = (helper){p, p->threads};
    if (pthread_create(&p->ids[p->threads], NULL, helper_main, h)) {
        free(h);
        return lks_fail(LKS_IO, "cannot start a thread");
    }
    p->threads++;
    return LKS_OK;
}

unsigned lks_pool_size(unsigned threads)
{
    if (threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores > 0 ? (unsigned)cores : 1;
    }
    return threads < MAX_THREADS ? threads : MAX_THREADS;
}

lks_err lks_pool_open(lks_pool **out, unsigned threads)
{
    *out = NULL;
    threads = lks_pool_size(threads);
    lks_pool *p = calloc(1, sizeof *p);
    if (!p)
        return lks_fail(LKS_NOMEM, "out of memory");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->threads = 1; /* the caller */
    while (p->threads < threads) {
        lks_err err = start_helper(p);
        if (err) {
            lks_pool_close(p);
            return err;
        }
    }
    *out = p;
    return LKS_OK;
}

void lks_pool_close(lks_pool *p)
{
    if (!p)
        return;
    p->stop = true;
    begin_round(p);
    for (unsigned i = 1; i < p->threads; i++)
        pthread_join(p->ids[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

unsigned lks_pool_threads(const lks_pool *p)
{
    return p->threads;
}

static void share_units(lks_pool *p)
{
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    atomic_store_explicit(&p->working, p->threads - 1, memory_order_relaxed);
    begin_round(p);
    take_units(p, 0);
    for (unsigned spins = 0; atomic_load_explicit(&p->working, memory_order_acquire); spins++) {
        pause_briefly();
        if (spins > SPINS) /* a helper lost its core: give it ours */
            usleep(20);
    }
}

void lks_pool_run(lks_pool *p, size_t units, lks_pool_work work, void *context)
{
    p->now = (loop){units, work, context};
    if (p->threads == 1 || all_units(p) <= 1)
        for (size_t i = 0; i < all_units(p); i++)
            do_unit(p, i, 0);
    else
        share_units(p);
    p->added.units = 0;
}

void lks_pool_add(lks_pool *p, size_t units, lks_pool_work work, void *context)
{
    lks_pool_flush(p);
    p->added = (loop){units, work, context};
}

void lks_pool_flush(lks_pool *p)
{
    if (p->added.units)
        lks_pool_run(p, 0, NULL, NULL);
}
