/* From the final norm's rows to logits, and to the greedy choice among them. */
#include "oracle/engine/engine_internal.h"

#include <assert.h>
#include <stdlib.h>

enum {
    COLUMNS = 256
}; /* of a unit */

typedef struct logits_job {
    const lks_kernels *kernels;
    lks_matrix matrix;
    lks_a8 x;
    size_t count;
    float *logits;
    lks_sample_row *parts; /* [count][units] */
    size_t units;
} logits_job;

static logits_job job_of(const lks_session *s, size_t row, size_t count)
{
    const lks_program *p = &s->model->program;
    const lks_op *sample = &p->ops[p->op_count - 1];
    assert(sample->code == LKS_OP_SAMPLE);
    logits_job j = {.kernels = s->kernels,
                    .matrix = lks_op_matrix(s, &sample->weights[0]),
                    .x = s->slots[sample->inputs[0]].a8,
                    .count = count};
    j.x.q += row * j.x.q_ld;
    j.x.d += row * j.x.d_ld;
    j.x.sum += row * j.x.sum_ld;
    j.units = (j.matrix.rows + COLUMNS - 1) / COLUMNS;
    return j;
}

static uint32_t unit_end(const logits_job *j, size_t unit)
{
    return unit + 1 < j->units ? (uint32_t)(unit + 1) * COLUMNS : j->matrix.rows;
}

static void logits_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    const logits_job *j = context;
    uint32_t first = (uint32_t)unit * COLUMNS;
    j->kernels->linear(j->logits + first, j->matrix.rows, &j->matrix, NULL, first,
                       unit_end(j, unit), &j->x, j->count);
}

void lks_session_logits(lks_session *s, size_t row, float *logits)
{
    lks_session_logits_rows(s, row, 1, logits);
}

void lks_session_logits_rows(lks_session *s, size_t row, size_t count, float *logits)
{
    logits_job j = job_of(s, row, count);
    j.logits = logits;
    lks_pool_run(s->pool, j.units, logits_unit, &j);
}

/* ---- The greedy choice ---- */

static const lks_sampling greedy = {0};

static void greedy_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    const logits_job *j = context;
    float tile[LKS_GREEDY_ROWS * COLUMNS] __attribute__((aligned(64)));
    uint32_t first = (uint32_t)unit * COLUMNS, end = unit_end(j, unit);
    j->kernels->linear(tile, COLUMNS, &j->matrix, NULL, first, end, &j->x, j->count);
    for (size_t t = 0; t < j->count; t++) {
        lks_sample_row *part = &j->parts[t * j->units + unit];
        j->kernels->sample_max(part, tile + t * COLUMNS, end - first, &greedy);
        part->index += first;
    }
}

lks_err lks_session_greedy_rows(lks_session *s, size_t row, size_t count, lks_sample_row *rows)
{
    logits_job j = job_of(s, row, count);
    assert(count <= LKS_GREEDY_ROWS);
    float *maxima = malloc(j.units * sizeof *maxima);
    j.parts = malloc(count * j.units * sizeof *j.parts);
    if (maxima && j.parts)
        lks_pool_run(s->pool, j.units, greedy_unit, &j);
    for (size_t t = 0; maxima && j.parts && t < count; t++) {
        const lks_sample_row *parts = j.parts + t * j.units;
        for (size_t u = 0; u < j.units; u++)
            maxima[u] = parts[u].max;
        s->kernels->sample_max(&rows[t], maxima, (uint32_t)j.units, &greedy);
        rows[t].index = parts[rows[t].index].index;
    }
    lks_err err =
        maxima && j.parts ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory for the largest logits");
    free(maxima);
    free(j.parts);
    return err;
}
