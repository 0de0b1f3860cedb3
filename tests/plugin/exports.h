/* What a shared object exports, read from its ELF file. */
#ifndef LKS_TESTS_EXPORTS_H
#define LKS_TESTS_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>

/* Out: why, one line, when the result is false.
 * Returns: whether the file defines and exports the one symbol `only`, and nothing else. */
bool exports_only(const char *path, const char *only, char *why, size_t why_len);

#endif
