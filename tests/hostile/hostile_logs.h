/* Lists of logs that are not what they were. */
#ifndef LKS_TESTS_HOSTILE_LOGS_H
#define LKS_TESTS_HOSTILE_LOGS_H

#include "tests/hostile/hostile.h"

/* Spoils a list of logs, the text of a JSON array, in the ways of HOSTILE_DROPS, HOSTILE_EMPTY,
 * HOSTILE_REPEATS and HOSTILE_REORDERS. Returns: whether it is another now. */
bool hostile_spoil_logs(chance *c, hostile_kind how, lks_buf *list);

#endif
