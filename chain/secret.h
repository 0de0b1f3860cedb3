/* Memory for a key or a password: pages of its own that are left out of core dumps and, where the
 * process may lock so much (RLIMIT_MEMLOCK), never written to a swap device. Any thread. */
#ifndef LKS_CHAIN_SECRET_H
#define LKS_CHAIN_SECRET_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns: size bytes, all zero, to be freed with lks_secret_free; NULL without memory. */
void *lks_secret_new(size_t size);
/* Wipes and frees. In: size, as it was asked for. NULL is allowed. */
void lks_secret_free(void *secret, size_t size);

#ifdef __cplusplus
}
#endif
#endif
