#include "oracle/trace/trace_internal.h"

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

/* Sampled rows at once, and those of which all logits are kept, for a policy that needs more than
 * the largest. */
enum {
    MOST_ROWS = LKS_GREEDY_ROWS,
    LOGIT_ROWS = 64
};

uint64_t lks_trace_pass_bytes(const lks_model *m, uint32_t positions, unsigned threads)
{
    lks_session_options o = {.threads = threads,
                             .batch = LKS_TRACE_BATCH,
                             .max_positions = positions,
                             .hook = on_output};
    uint64_t session = lks_session_bytes(m, &o);
    uint64_t logits = (uint64_t)LOGIT_ROWS * sizeof(float) * m->program.vocab_size;
    return session == UINT64_MAX ? session : session + logits;
}

typedef struct sample_job {
    const lks_trace *trace;
    const lks_kernels *kernels;
    uint32_t first; /* sampled row of rows[0] */
    float *logits;  /* [LOGIT_ROWS][vocabulary]; NULL: greedy, of all tokens */
    lks_sample_row rows[MOST_ROWS];
    uint32_t tokens[MOST_ROWS];
} sample_job;

static void sample_unit(void *context, size_t i, unsigned thread)
{
    (void)thread;
    sample_job *j = context;
    const lks_trace *t = j->trace;
    uint32_t vocab = t->model->program.vocab_size;
    const float *logits = j->logits + i * vocab;
    j->kernels->sample_max(&j->rows[i], logits, vocab, &t->sampling);
    j->tokens[i] =
        j->kernels->sample_choose(&j->rows[i], logits, vocab, &t->sampling,
                                  (uint32_t)t->run.prompt_count + j->first + (uint32_t)i);
}

/* The batch's sampled rows [row, row + count). */
static lks_err sample_rows(lks_session *s, sample_job *j, uint32_t row, uint32_t count)
{
    if (j->logits) {
        lks_session_logits_rows(s, row, count, j->logits);
        lks_pool_run(lks_session_pool(s), count, sample_unit, j);
        return LKS_OK;
    }
    lks_err err = lks_session_greedy_rows(s, row, count, j->rows);
    for (uint32_t i = 0; !err && i < count; i++)
        j->tokens[i] = j->rows[i].index;
    return err;
}

/* The batch's `count` sampled rows, some at a time. */
static lks_err sample(lks_trace_pass *p, uint32_t count)
{
    const lks_trace *t = p->trace;
    const bool greedy = t->sampling.temperature == 0.0f && !t->sampling.allowed;
    sample_job j = {.trace = t, .kernels = lks_session_kernels(p->session)};
    /* Whole cache lines, which the kernels write at once. */
    if (!greedy &&
        !(j.logits = aligned_alloc(64, LOGIT_ROWS * sizeof(float) * t->model->program.vocab_size)))
        return lks_fail(LKS_NOMEM, "out of memory for the logits");
    const uint32_t most = greedy ? MOST_ROWS : LOGIT_ROWS;
    lks_err err = LKS_OK;
    for (uint32_t done = 0, n; !err && done < count && !stop(p); done += n) {
        j.first = p->first_sampled + done;
        n = 1;
        if (p->skip && p->skip(p, j.first))
            continue;
        while (n < most && done + n < count && !(p->skip && p->skip(p, j.first + n)))
            n++;
        err = sample_rows(p->session, &j, done, n);
        for (uint32_t i = 0; !err && i < n; i++)
            p->sample(p, j.first + i, &j.rows[i], j.tokens[i]);
    }
    free(j.logits);
    return err ? err : stop(p) ? lks_fail(LKS_REFUSED, "cancelled") : LKS_OK;
}

static lks_err run_batch(lks_trace_pass *p, uint32_t first, uint32_t rows, uint32_t sampled)
{
    const lks_trace *t = p->trace;
    if (t->before_pass && t->before_pass(t->user))
        return lks_fail(LKS_REFUSED, "cancelled");
    lks_err err = lks_session_forward(p->session, t->ids + first, rows, sampled);
    return !err && sampled && p->sample ? sample(p, sampled) : err;
}

lks_err lks_trace_pass_run(lks_trace_pass *p)
{
    uint32_t before =
        (uint32_t)p->trace->run.prompt_count - 1; /* positions that nothing is sampled from */
    for (uint32_t done = 0; done < p->positions;) {
        uint32_t rows =
            p->positions - done < LKS_TRACE_BATCH ? p->positions - done : LKS_TRACE_BATCH;
        uint32_t skip = before > done ? before - done : 0;
        uint32_t sampled = rows > skip ? rows - skip : 0;
        p->first_sampled = done + skip - before; /* means nothing where sampled is 0 */
        lks_err err = run_batch(p, done, rows, sampled);
        if (err)
            return err;
        done += rows;
    }
    return LKS_OK;
}
