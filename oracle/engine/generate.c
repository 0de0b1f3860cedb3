#include "oracle/engine/generate.h"

#include "oracle/engine/engine.h"
#include "oracle/engine/policy.h"

#include <stdlib.h>

enum {
    DEFAULT_BATCH = 512
};

static bool is_end(const uint32_t *eos, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (eos[i] == id)
            return true;
    return false;
}

static lks_err check_prompt(const lks_model *m, const uint32_t *prompt, size_t count,
                            uint32_t max_tokens)
{
    if (count == 0 || max_tokens == 0)
        return lks_fail(LKS_BADARGS,
                        "the prompt has %zu tokens and %u are asked for; both must be at least 1",
                        count, max_tokens);
    if ((uint64_t)count + max_tokens - 1 > m->program.max_positions)
        return lks_fail(
            LKS_BADARGS,
            "a prompt of %zu tokens and an answer of %u do not fit the model's %u positions", count,
            max_tokens, m->program.max_positions);
    for (size_t i = 0; i < count; i++)
        if (prompt[i] >= m->program.vocab_size)
            return lks_fail(LKS_BADARGS, "prompt token %zu is %u; the vocabulary has %u", i,
                            prompt[i], m->program.vocab_size);
    return LKS_OK;
}

/* One pass, unless it is not to be. */
static lks_err forward(lks_session *s, const uint32_t *ids, size_t rows, bool logits,
                       const lks_generate_options *o)
{
    if (o->before_pass && o->before_pass(o->user))
        return lks_fail(LKS_REFUSED, "stopped");
    if (o->cancel && atomic_load(o->cancel))
        return lks_fail(LKS_REFUSED, "cancelled");
    return lks_session_forward(s, ids, rows, logits);
}

/* Prefill, a batch at a time, so that a cancellation is seen. Only the last position's row is kept.
 */
static lks_err prefill(lks_session *s, const uint32_t *prompt, size_t count,
                       const lks_generate_options *o, unsigned batch)
{
    for (size_t done = 0; done < count; done += batch) {
        size_t rows = count - done < batch ? count - done : batch;
        lks_err err = forward(s, prompt + done, rows, done + rows == count, o);
        if (err)
            return err;
    }
    return LKS_OK;
}

static lks_err decode(lks_session *s, const lks_model *m, size_t prompt_count,
                      const lks_sampling *policy, uint32_t max_tokens,
                      const lks_generate_options *o, float *logits, uint32_t *tokens,
                      uint32_t *count)
{
    const lks_kernels *k = lks_session_kernels(s);
    uint32_t eos[LKS_MAX_EOS];
    size_t eos_count = lks_tokenizer_eos(m->tokenizer, eos);
    for (;;) {
        lks_sample_row row;
        lks_session_logits(s, 0, logits);
        k->sample_max(&row, logits, m->program.vocab_size, policy);
        uint32_t token = k->sample_choose(&row, logits, m->program.vocab_size, policy,
                                          (uint32_t)prompt_count + *count);
        tokens[(*count)++] = token;
        if (o->on_token && o->on_token(o->user, token))
            return lks_fail(LKS_REFUSED, "stopped");
        if (*count == max_tokens || is_end(eos, eos_count, token))
            return LKS_OK;
        lks_err err = forward(s, &token, 1, true, o);
        if (err)
            return err;
    }
}

lks_err lks_generate(const lks_model *m, const uint32_t *prompt, size_t prompt_count,
                     const lks_policy *policy, uint32_t max_tokens,
                     const lks_generate_options *options, uint32_t *tokens, uint32_t *count)
{
    static const lks_generate_options defaults = {0};
    const lks_generate_options *o = options ? options : &defaults;
    unsigned batch = o->batch ? o->batch : DEFAULT_BATCH;
    lks_sampling sampling;
    lks_session *s = NULL;
    float *logits = NULL;
    *count = 0;
    lks_err err = check_prompt(m, prompt, prompt_count, max_tokens);
    if (!err)
        err = lks_policy_decode(&sampling, policy, m->program.vocab_size);
    if (err)
        return err;
    lks_session_options so = {.threads = o->threads,
                              .batch = batch,
                              .max_positions = (uint32_t)prompt_count + max_tokens - 1};
    err = lks_session_open(&s, m, &so);
    if (!err && !(logits = malloc(m->program.vocab_size * sizeof *logits)))
        err = lks_fail(LKS_NOMEM, "out of memory");
    if (!err)
        err = prefill(s, prompt, prompt_count, o, batch);
    if (!err)
        err = decode(s, m, prompt_count, &sampling, max_tokens, o, logits, tokens, count);
    free(logits);
    lks_session_close(s);
    return err;
}

uint64_t lks_generate_bytes(const lks_model *m, size_t prompt_count, uint32_t max_tokens,
                            unsigned threads)
{
    lks_session_options so = {.threads = threads,
                              .batch = DEFAULT_BATCH,
                              .max_positions = (uint32_t)prompt_count + max_tokens - 1};
    uint64_t session = lks_session_bytes(m, &so);
    return session == UINT64_MAX ? session : session + m->program.vocab_size * sizeof(float);
}
