/* The weights of a model in the form that this machine's kernels read fastest, beside the file's
 * own, which stays what is committed. Made once, by the first session that wants them; any thread.
 */
#ifndef LKS_ORACLE_MODEL_PACKED_H
#define LKS_ORACLE_MODEL_PACKED_H

#include "kernels/kernels.h"
#include "oracle/model/pool.h"
#include "oracle/model/program.h"

typedef struct lks_packed lks_packed;

LKS_MUST_USE
lks_err lks_packed_new(lks_packed **out, const lks_program *p);
void lks_packed_free(lks_packed *packed); /* NULL is allowed */

/* Packs every matrix that a projection reads, on the pool's threads, unless that was done. Memory:
 * about that of these matrices in the file. Returns: LKS_OK; LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_packed_make(lks_packed *packed, const lks_program *p, uint32_t lanes, lks_pool *pool);

/* The same, and gives back what the file's memory holds of the matrices as it packs them: those
 * that nothing else reads. The file must have been loaded. lanes: not 0. */
LKS_MUST_USE
lks_err lks_packed_replace(lks_packed *packed, const lks_program *p, uint32_t lanes, lks_pool *pool,
                           lks_gguf *file);
/* Whether sessions of kernels with so many lanes find all weights that they read. */
bool lks_packed_serves(const lks_packed *packed, uint32_t lanes);

/* Puts the packed form beside the stored one, where there is one. Only after lks_packed_make
 * returned. */
void lks_packed_find(lks_matrix *w, const lks_packed *packed, uint32_t tensor);

#endif
