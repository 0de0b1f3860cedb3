/* Byte-pair merging, the loop that both kinds of tokenizer share: of all neighbours that may merge,
 * the pair of lowest rank does, of equal ranks the leftmost, until none is left. O(n log n) for n
 * symbols.
 */
#ifndef LKS_ORACLE_TEXT_MERGE_H
#define LKS_ORACLE_TEXT_MERGE_H

#include "chain/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lks_symbol {
    uint32_t start,
        len;     /* bytes of the text; len is 0 once it has become part of the symbol to its left */
    uint32_t id; /* LKS_TOKEN_NONE: bytes that are no token */
    uint32_t next, prev; /* neighbours; UINT32_MAX: none */
} lks_symbol;

typedef struct lks_candidate {
    uint32_t rank, left, len, id;
} lks_candidate;

/* Reused from word to word; all zero at first. */
typedef struct lks_merger {
    lks_symbol *symbols;
    lks_candidate *heap;
    size_t count, capacity, heap_count;

    /* May left and right become one? Out: the rank and id of the merge. */
    bool (*find)(void *context, const lks_symbol *left, const lks_symbol *right, uint32_t *rank,
                 uint32_t *id);
    void *context;
} lks_merger;

void lks_merger_free(lks_merger *m);

void lks_merger_clear(lks_merger *m);
LKS_MUST_USE
lks_err lks_merger_add(lks_merger *m, uint32_t start, uint32_t len, uint32_t id);

/* Afterwards symbols[0] and what its next leads to is the result. */
void lks_merger_run(lks_merger *m);

#endif
