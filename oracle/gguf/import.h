/* Makes the file whose bytes are committed: F32, F16 and BF16 matrices become Q8_0 by llama.cpp's
 * reference rule (docs/SPEC.md), F16 and BF16 vectors F32; everything else, all metadata included,
 * is copied byte for byte in the same order.
 */
#ifndef LKS_ORACLE_GGUF_IMPORT_H
#define LKS_ORACLE_GGUF_IMPORT_H

#include "oracle/gguf/gguf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* done and total in bytes of output; called from the importing thread. */
typedef void (*lks_import_progress)(void *user, uint64_t done, uint64_t total);

typedef struct lks_import_result {
    uint32_t converted; /* tensors of another type than before */
    uint32_t kept;
} lks_import_result;

/* Writes out_path anew (to a temporary beside it, synced, then renamed: a failure leaves out_path
 * as it was). Returns: LKS_OK; LKS_REFUSED (in a matrix to convert: NaN or infinity, a block's
 * scale d with 1 / d or its float16 infinite, a row width that is no multiple of 32; names the
 * tensor); LKS_IO; LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_import(const lks_gguf *in, const char *out_path, lks_import_progress progress,
                   void *user, lks_import_result *result);

#ifdef __cplusplus
}
#endif
#endif
