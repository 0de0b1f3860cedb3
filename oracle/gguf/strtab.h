/* A table from byte strings to numbers, which the strings' author cannot slow down: the hash
 * (SipHash-1-3) has a random key. The strings are not copied and must outlive the table.
 */
#ifndef LKS_ORACLE_GGUF_STRTAB_H
#define LKS_ORACLE_GGUF_STRTAB_H

#include "chain/err.h"

#include <stddef.h>
#include <stdint.h>

#define LKS_STRTAB_NONE UINT32_MAX

typedef struct lks_strtab_slot {
    const char *text; /* NULL: free */
    size_t len;
    uint32_t value;
} lks_strtab_slot;

typedef struct lks_strtab {
    lks_strtab_slot *slots;
    size_t mask; /* slots - 1; the number of slots is a power of two, at least twice the capacity */
    uint64_t key[2];
} lks_strtab;

/* Makes a table for up to capacity strings. */
LKS_MUST_USE
lks_err lks_strtab_init(lks_strtab *t, size_t capacity);
void lks_strtab_free(lks_strtab *t); /* all zero is allowed */

/* Puts a string in. Returns: LKS_STRTAB_NONE, or the value of the equal string that is already
 * there (nothing is changed then). */
uint32_t lks_strtab_put(lks_strtab *t, const char *text, size_t len, uint32_t value);

/* Returns: the string's value; LKS_STRTAB_NONE when it is not there. */
uint32_t lks_strtab_get(const lks_strtab *t, const char *text, size_t len);

#endif
