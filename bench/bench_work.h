/* Work of a pass of the engine, for the programs of bench/. */
#ifndef LKS_BENCH_WORK_H
#define LKS_BENCH_WORK_H

#include "oracle/model/program.h"

/* Rows that operation `op` computes in a pass of `rows` positions of which the last is sampled:
 * behind the last keys and values the engine leaves out the others (oracle/engine/engine.c). */
static inline size_t bench_rows(const lks_program *p, uint32_t op, size_t rows)
{
    for (uint32_t i = op; i < p->op_count; i++)
        if (p->ops[i].kind == LKS_ROWS_KV)
            return rows;
    return 1;
}

#endif
