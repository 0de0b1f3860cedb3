/* The engine's speed, measured as llama-bench measures its own, for bench/cpu.sh.
 *
 *     bench_speed MODEL.gguf THREADS PROMPT DECODE
 *
 * Prefill: PROMPT random tokens in one pass, up to the logits of the last. Decode: DECODE tokens
 * one by one from an empty cache, with the choice of the most probable token (which llama-bench
 * leaves out), though a random one comes next, as there. Both once to warm up, decode with one
 * token. Prints level NAME                      the kernels in use prefill, decode SECONDS load
 * SECONDS                    opening the file and the first session, which packs the weights
 *   macs_prefill, macs_decode N     multiplications of one run: projections and attention
 *   weight_bytes N                  of the matrices that every decoded token reads, as stored in
 * the file; packed ones are as large (kernels/packed/pack.h)
 */
#include "bench/bench_time.h"
#include "bench/bench_work.h"
#include "oracle/engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct bench {
    lks_model model;
    unsigned threads;
    uint32_t prompt, decode;
    uint32_t *ids;
    float *logits;
} bench;

static lks_err open_session(lks_session **s, const bench *b, uint32_t positions)
{
    lks_session_options o = {.threads = b->threads, .batch = positions, .max_positions = positions};
    return lks_session_open(s, &b->model, &o);
}

static lks_err prefill(double *seconds, const bench *b, uint32_t count)
{
    lks_session *s;
    lks_err err = open_session(&s, b, count);
    double start = bench_now();
    if (!err)
        err = lks_session_forward(s, b->ids, count, 1);
    if (!err)
        lks_session_logits(s, 0, b->logits);
    *seconds = bench_now() - start;
    lks_session_close(s);
    return err;
}

static lks_err decode(double *seconds, const bench *b, uint32_t count)
{
    static const lks_sampling greedy = {0};
    lks_session *s;
    lks_sample_row row;
    lks_err err = open_session(&s, b, count);
    double start = bench_now();
    for (uint32_t i = 0; !err && i < count; i++) {
        err = lks_session_forward(s, b->ids + i, 1, 1);
        if (err)
            break;
        lks_session_logits(s, 0, b->logits);
        lks_session_kernels(s)->sample_max(&row, b->logits, b->model.program.vocab_size, &greedy);
    }
    *seconds = bench_now() - start;
    lks_session_close(s);
    return err;
}

/* Multiplications of a pass of `rows` positions, of which the last is sampled, behind `before`
 * others. */
static uint64_t macs_of(const lks_program *p, uint64_t before, uint64_t rows)
{
    uint64_t macs = 0;
    for (uint32_t i = 0; i < p->op_count; i++) {
        const lks_op *op = &p->ops[i];
        const uint64_t n = bench_rows(p, i, rows), end = before + rows;
        if (op->code == LKS_OP_ATTN)
            macs += 2 * (uint64_t)op->heads * op->head_width *
                    (end * (end + 1) / 2 - (end - n) * (end - n + 1) / 2);
        for (int k = 0; k < 4 && op->code != LKS_OP_EMBED; k++)
            if (op->weights[k].tensor != LKS_NONE && op->weights[k].type != LKS_F32)
                macs += n * op->weights[k].rows * op->weights[k].cols;
    }
    return macs;
}

static void print_work(const bench *b)
{
    const lks_program *p = &b->model.program;
    uint64_t decode = 0, bytes = 0;
    for (uint32_t i = 0; i < b->decode; i++)
        decode += macs_of(p, i, 1);
    for (uint32_t i = 0; i < p->op_count; i++)
        for (int k = 0; k < 4 && p->ops[i].code != LKS_OP_EMBED; k++) {
            const lks_weight_ref *w = &p->ops[i].weights[k];
            if (w->tensor != LKS_NONE && w->type != LKS_F32)
                bytes += (uint64_t)w->rows * p->tensors[w->tensor]->row_size;
        }
    printf("macs_prefill %" PRIu64 "\nmacs_decode %" PRIu64 "\nweight_bytes %" PRIu64 "\n",
           macs_of(p, 0, b->prompt), decode, bytes);
}

static lks_err measure(bench *b, const char *path)
{
    double seconds, load = bench_now();
    lks_err err = lks_model_open(&b->model, path);
    if (err)
        return err;
    uint32_t vocab = b->model.program.vocab_size,
             most = b->prompt > b->decode ? b->prompt : b->decode;
    b->ids = malloc(most * sizeof *b->ids);
    b->logits = malloc(vocab * sizeof *b->logits);
    if (!b->ids || !b->logits)
        return lks_fail(LKS_NOMEM, "out of memory");
    uint32_t random = 1;
    for (uint32_t i = 0; i < most; i++)
        b->ids[i] = (random = random * 1664525u + 1013904223u) % vocab;
    lks_session *s;
    err = open_session(&s, b, 1);
    lks_session_close(s);
    load = bench_now() - load;
    if (!err)
        err = prefill(&seconds, b, b->prompt);
    if (!err)
        err = prefill(&seconds, b, b->prompt);
    if (err)
        return err;
    printf("level %s\nload %.4f\nprefill %.6f\n", lks_kernels_best()->name, load, seconds);
    err = decode(&seconds, b, 1);
    if (!err)
        err = decode(&seconds, b, b->decode);
    if (err)
        return err;
    printf("decode %.6f\n", seconds);
    print_work(b);
    return LKS_OK;
}

int main(int argc, char **argv)
{
    bench b = {0};
    if (argc != 5 || atoi(argv[2]) < 1 || atoi(argv[3]) < 1 || atoi(argv[4]) < 1) {
        fputs("usage: bench_speed MODEL.gguf THREADS PROMPT DECODE\n", stderr);
        return 2;
    }
    b.threads = (unsigned)atoi(argv[2]);
    b.prompt = (uint32_t)atoi(argv[3]);
    b.decode = (uint32_t)atoi(argv[4]);
    lks_err err = measure(&b, argv[1]);
    if (err)
        fprintf(stderr, "bench_speed: %s\n", lks_error_message());
    free(b.ids);
    free(b.logits);
    lks_model_close(&b.model);
    return err ? 1 : 0;
}
