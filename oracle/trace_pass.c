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

/* The batch's sampled rows. */
static lks_err sample(lks_trace_pass *p, size_t count)
{
    const lks_trace *t = p->trace;
    uint32_t vocab = t->model->program.vocab_size;
    float *logits = malloc(vocab * sizeof *logits);
    if (!logits)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (size_t r = 0; r < count && !stop(p); r++) {
        lks_sample_row row;
        uint32_t index = p->first_sampled + (uint32_t)r;
        if (p->skip && p->skip(p, index))
            continue;
        lks_session_logits(p->session, r, logits);
        lks_sample_max(&row, logits, vocab, &t->sampling);
        p->sample(p, index, &row, lks_sample_choose(&row, logits, vocab, &t->sampling, (uint32_t)t->run.prompt_count + index));
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
