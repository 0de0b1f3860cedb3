/* The engine's logits for bench/fidelity.sh.
 *
 *     bench_logits MODEL.gguf TOKENS > LOGITS
 *
 * TOKENS: 32-bit little-endian ids in windows of 512. Output: for each window, f32[vocabulary] for
 * the positions 256 to 510, which are the ones whose next token llama.cpp's perplexity tool scores.
 */
#include "oracle/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 512,
    USED = WINDOW - 1,
    SCORED = WINDOW / 2 - 1
};

static lks_err write_window(const lks_model *m, const uint32_t *ids, float *logits)
{
    lks_session *s = NULL;
    lks_session_options options = {.max_positions = WINDOW, .batch = WINDOW};
    lks_err err = lks_session_open(&s, m, &options);
    if (err)
        return err;
    err = lks_session_forward(s, ids, USED, SCORED);
    for (size_t row = 0; row < SCORED && !err; row++) {
        lks_session_logits(s, row, logits);
        if (fwrite(logits, sizeof *logits, m->program.vocab_size, stdout) != m->program.vocab_size)
            err = lks_fail(LKS_IO, "standard output: %s", strerror(errno));
    }
    lks_session_close(s);
    return err;
}

static lks_err write_all(const lks_model *m, FILE *tokens)
{
    uint32_t ids[WINDOW];
    lks_err err = LKS_OK;
    float *logits = malloc(m->program.vocab_size * sizeof *logits);
    if (!logits)
        return lks_fail(LKS_NOMEM, "out of memory");
    for (unsigned window = 1; !err && fread(ids, sizeof ids, 1, tokens) == 1; window++) {
        for (size_t i = 0; i < WINDOW && !err; i++)
            if (ids[i] >= m->program.vocab_size)
                err = lks_fail(LKS_CORRUPT, "window %u: token %u is outside the vocabulary", window,
                               ids[i]);
        if (!err)
            err = write_window(m, ids, logits);
        fprintf(stderr, "\rlockstep: window %u ", window);
    }
    fputc('\n', stderr);
    free(logits);
    return err;
}

int main(int argc, char **argv)
{
    lks_model model;
    if (argc != 3) {
        fputs("usage: bench_logits MODEL.gguf TOKENS > LOGITS\n", stderr);
        return 2;
    }
    FILE *tokens = fopen(argv[2], "rb");
    lks_err err = tokens ? lks_model_open(&model, argv[1])
                         : lks_fail(LKS_IO, "%s: %s", argv[2], strerror(errno));
    if (!err) {
        err = write_all(&model, tokens);
        lks_model_close(&model);
    }
    if (tokens)
        fclose(tokens);
    if (err)
        fprintf(stderr, "bench_logits: %s\n", lks_error_message());
    return err ? 1 : 0;
}
