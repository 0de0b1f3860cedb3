/* Tables for the tests only: sources of levels that this machine may not run, compiled so that it
 * does (with AVX-512). */
#ifndef LKS_TESTS_EXTRA_TABLES_H
#define LKS_TESTS_EXTRA_TABLES_H

#include "kernels/kernels.h"

/* LINEAR of `table` is the level's; the rest is of a level that this machine runs. Returns: false
 * from the first index that has none. */
bool extra_table(lks_kernels *table, size_t index);

#endif
