/* A fixed set of threads that share one loop at a time. Work is handed out unit by unit, so which
 * thread does a unit is chance: units must not depend on each other. Thread rule: one thread at a
 * time calls lks_pool_run.
 */
#ifndef LKS_ORACLE_MODEL_POOL_H
#define LKS_ORACLE_MODEL_POOL_H

#include "chain/err.h"

#include <stddef.h>

typedef struct lks_pool lks_pool;

/* threads: 0 is one for every core of the machine; 1 runs everything on the caller. */
LKS_MUST_USE
lks_err lks_pool_open(lks_pool **out, unsigned threads);
/* Threads of a pool that is opened so. */
unsigned lks_pool_size(unsigned threads);
void lks_pool_close(lks_pool *pool);
unsigned lks_pool_threads(const lks_pool *pool);

typedef void (*lks_pool_work)(void *context, size_t unit, unsigned thread);

/* Calls work(context, unit, thread) for every unit below `units`, on the pool's threads and the
 * caller; returns when all are done, those of an added loop too. thread is below lks_pool_threads
 * and no two calls under way have the same. */
void lks_pool_run(lks_pool *pool, size_t units, lks_pool_work work, void *context);

/* Adds a loop that the next lks_pool_run or lks_pool_flush does too, its units after the others, so
 * that no thread waits between the two. There is one at a time: a second one is added when the
 * first is done. What has not been done when the pool is closed is not done. */
void lks_pool_add(lks_pool *pool, size_t units, lks_pool_work work, void *context);
void lks_pool_flush(lks_pool *pool);

#endif
