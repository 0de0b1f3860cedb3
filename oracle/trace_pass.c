#include "oracle/trace_internal.h"

#include <stdlib.h>

static bool stop(void *user)
{
    const lks_trace_pass *p = user;
    return p->trace->cancel && atomic_load(p->trace->cancel);
}

static void on_output(void *user, uint32_t op, const lks_op_output *o)
{
    lks_trace_pass *p = user;
    bool sampled = p->trace->model->program.ops[op].kind == LKS_ROWS_SAMPLED;
    p->output(p, op, o, sampled ? p->first_sampled : o->first);
}

lks_err lks_trace_pass_open(lks_trace_pass *p)
{
    lks_session_options o = {.threads = p->trace->threads,
                             .batch = LKS_TRACE_BATCH,
                             .max_positions = p->positions,
                             .hook = p->output ? on_output : NULL,
                             .stop = stop,
                             .user = p,
                             .ops = p->ops};
    return lks_session_open(&p->session, p->trace->model, &o);
}

void lks_trace_pass_close(lks_trace_pass *p)
{
    lks_session_close(p->session);
    p->session = NULL;
}

/* Rows of logits that are kept at once. */
enum { LOGIT_ROWS = 64 };

typedef struct sample_job {
    const lks_trace *trace;
    const lks_kernels *kernels;
    uint32_t first; /* sampled row of the first row of logits */
    const float *logits;
    lks_sample_row rows[LOGIT_ROWS];
    uint32_t tokens[LOGIT_ROWS];
} sample_job;

static void sample_unit(void *context, size_t i, unsigned thread)
{
    (void)thread;
    sample_job *j = context;
    const lks_trace *t = j->trace;
    uint32_t vocab = t->model->program.vocab_size;
    const float *logits = j->logits + i * vocab;
    j->kernels->sample_max(&j->rows[i], logits, vocab, &t->sampling);
    j->tokens[i] = j->kernels->sample_choose(&j->rows[i], logits, vocab, &t->sampling, (uint32_t)t->run.prompt_count + j->first + (uint32_t)i);
}

/* The batch's `count` sampled rows, some at a time. */
static lks_err sample(lks_trace_pass *p, uint32_t count)
{
    const lks_trace *t = p->trace;
    float *logits = aligned_alloc(64, (size_t)LOGIT_ROWS * t->model->program.vocab_size * sizeof *logits);
    if (!logits)
        return lks_fail(LKS_NOMEM, "out of memory for the logits");
    sample_job j = {.trace = t, .kernels = lks_session_kernels(p->session), .logits = logits};
    for (uint32_t done = 0, n; done < count && !stop(p); done += n) {
        j.first = p->first_sampled + done;
        n = 1;
        if (p->skip && p->skip(p, j.first))
            continue;
        while (n < LOGIT_ROWS && done + n < count && !(p->skip && p->skip(p, j.first + n)))
            n++;
        lks_session_logits_rows(p->session, done, n, logits);
        lks_pool_run(lks_session_pool(p->session), n, sample_unit, &j);
        for (uint32_t i = 0; i < n; i++)
            p->sample(p, j.first + i, &j.rows[i], j.tokens[i]);
    }
    free(logits);
    return stop(p) ? lks_fail(LKS_REFUSED, "cancelled") : LKS_OK;
}

lks_err lks_trace_pass_run(lks_trace_pass *p)
{
    uint32_t before = (uint32_t)p->trace->run.prompt_count - 1; /* positions that nothing is sampled from */
    for (uint32_t done = 0; done < p->positions;) {
        uint32_t rows = p->positions - done < LKS_TRACE_BATCH ? p->positions - done : LKS_TRACE_BATCH;
        uint32_t skip = before > done ? before - done : 0;
        uint32_t sampled = rows > skip ? rows - skip : 0;
        p->first_sampled = done + skip - before; /* means nothing where sampled is 0 */
        lks_err err = lks_session_forward(p->session, p->trace->ids + done, rows, sampled);
        if (!err && sampled && p->sample)
            err = sample(p, sampled);
        if (err)
            return err;
        done += rows;
    }
    return LKS_OK;
}
