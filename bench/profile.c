/* Where the engine's time goes, by operation, for bench/cpu.sh --profile.
 *
 *     bench_profile MODEL.gguf THREADS PROMPT DECODE
 *
 * Prefill of PROMPT random tokens in one pass, then DECODE more one by one, each with its logits.
 * Prints for both phases a line for each kind of operation, the slowest first: microseconds a
 * token, share of the phase, and for those with weights how many thousand million multiplications a
 * second they make and bytes of stored weights they read. The time of an operation is that between
 * two questions whether to stop, which the engine asks before each; with one thread by that
 * thread's own clock.
 */
#include "bench/bench_time.h"
#include "bench/bench_work.h"
#include "oracle/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CODES = LKS_OP_SAMPLE + 1
};

typedef struct line {
    lks_opcode code;
    double seconds, macs, bytes;
} line;

typedef struct profile {
    const lks_program *program;
    line lines[CODES];
    uint32_t op; /* that began at `start`; LKS_NONE: none */
    size_t rows; /* of the pass */
    double start;
    double (*clock)(void);
} profile;

static void end_op(profile *p)
{
    if (p->op == LKS_NONE)
        return;
    const lks_op *op = &p->program->ops[p->op];
    line *l = &p->lines[op->code];
    l->seconds += p->clock() - p->start;
    for (int k = 0; k < 4 && op->code != LKS_OP_EMBED; k++) {
        const lks_weight_ref *w = &op->weights[k];
        if (w->tensor == LKS_NONE || w->type == LKS_F32)
            continue;
        l->macs += (double)bench_rows(p->program, p->op, p->rows) * w->rows * w->cols;
        l->bytes += (double)w->rows * (double)p->program->tensors[w->tensor]->row_size;
    }
    p->op = LKS_NONE;
}

static void begin_op(profile *p, uint32_t op)
{
    p->op = op;
    p->start = p->clock();
}

static bool before_op(void *user)
{
    profile *p = user;
    uint32_t op = p->op == LKS_NONE ? 0 : p->op + 1;
    end_op(p);
    begin_op(p, op);
    return false;
}

static lks_err forward(profile *p, lks_session *s, const uint32_t *ids, size_t rows, float *logits)
{
    p->rows = rows;
    lks_err err = lks_session_forward(s, ids, rows, 1);
    end_op(p);
    if (err)
        return err;
    p->rows = 1;
    begin_op(p, p->program->op_count - 1);
    lks_session_logits(s, 0, logits);
    end_op(p);
    return LKS_OK;
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const line *)a)->seconds, y = ((const line *)b)->seconds;
    return (x < y) - (x > y);
}

static void print(profile *p, const char *phase, uint32_t tokens)
{
    double total = 0;
    for (int i = 0; i < CODES; i++) {
        p->lines[i].code = (lks_opcode)i;
        total += p->lines[i].seconds;
    }
    qsort(p->lines, CODES, sizeof *p->lines, by_seconds);
    printf("%s: %.1f microseconds a token\n", phase, 1e6 * total / tokens);
    for (int i = 0; i < CODES && p->lines[i].seconds > 0; i++) {
        const line *l = &p->lines[i];
        printf("  %-20s %10.1f %5.1f %%", lks_op_name(l->code), 1e6 * l->seconds / tokens,
               100 * l->seconds / total);
        if (l->macs > 0)
            printf(" %8.1f GMAC/s %7.2f GB/s", 1e-9 * l->macs / l->seconds,
                   1e-9 * l->bytes / l->seconds);
        putchar('\n');
    }
    memset(p->lines, 0, sizeof p->lines);
}

static lks_err run(const lks_model *m, unsigned threads, uint32_t prompt, uint32_t decode)
{
    profile p = {
        .program = &m->program, .op = LKS_NONE, .clock = threads == 1 ? bench_cpu : bench_now};
    uint32_t vocab = m->program.vocab_size, random = 1, total = prompt + decode;
    uint32_t *ids = malloc(total * sizeof *ids);
    float *logits = malloc(vocab * sizeof *logits);
    lks_session *s = NULL;
    lks_session_options o = {
        .threads = threads, .batch = prompt, .max_positions = total, .stop = before_op, .user = &p};
    lks_err err = ids && logits ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
    for (uint32_t i = 0; !err && i < total; i++)
        ids[i] = (random = random * 1664525u + 1013904223u) % vocab;
    for (int warm = 0; !err && warm < 2; warm++) { /* the first pass only warms up */
        memset(p.lines, 0, sizeof p.lines);
        lks_session_close(s);
        err = lks_session_open(&s, m, &o);
        if (!err)
            err = forward(&p, s, ids, prompt, logits);
    }
    if (!err)
        print(&p, "prefill", prompt);
    for (uint32_t i = 0; !err && i < decode; i++)
        err = forward(&p, s, ids + prompt + i, 1, logits);
    if (!err)
        print(&p, "decode", decode);
    lks_session_close(s);
    free(ids);
    free(logits);
    return err;
}

int main(int argc, char **argv)
{
    lks_model model;
    if (argc != 5 || atoi(argv[2]) < 1 || atoi(argv[3]) < 1 || atoi(argv[4]) < 1) {
        fputs("usage: bench_profile MODEL.gguf THREADS PROMPT DECODE\n", stderr);
        return 2;
    }
    lks_err err = lks_model_open(&model, argv[1]);
    if (!err) {
        err =
            run(&model, (unsigned)atoi(argv[2]), (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
        lks_model_close(&model);
    }
    if (err)
        fprintf(stderr, "bench_profile: %s\n", lks_error_message());
    return err ? 1 : 0;
}
