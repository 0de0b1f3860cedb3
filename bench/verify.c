/* Cost of verification, for bench/verify.sh.
 *
 *     bench_verify MODEL.gguf TEXT PROMPT ANSWER ROUNDS MOST_TRACE CHEAPER
 *
 * The prompt is the first PROMPT tokens of the file TEXT; the model answers it greedily with ANSWER
 * tokens at most. Prints count trace_bytes_position_layer   bytes of the layers' rows in the trace
 * of that answer, by position and layer; must equal the formula ratio hash_rate Keccak permutations
 * a second inside the trace, over those of lks_keccak256_many alone; one thread ratio check time of
 * lks_trace_make over that of a re-run and of the hashing; all threads ratio trace_over_rerun time
 * of lks_trace_make over that of a re-run, which is lks_trace_make for the tokens only; all
 * threads; at most MOST_TRACE ratio check_over_generation        CPU time of generating the answer
 * over that of checking its tokens as `lockstep check` does; one thread; CHEAPER 1: held to
 * least_cheaper, 0: only reported and what they are made of. A round takes each measurement once;
 * figures are medians of ROUNDS. Exit status 1 when a bound is missed.
 */
#include "bench/bench_time.h"
#include "chain/keccak.h"
#include "oracle/engine/generate.h"
#include "oracle/trace/trace_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ROUNDS = 101
};
#define LEAST_HASH_RATE 0.80
#define MOST_CHECK 1.10

/* How many times cheaper checking must be than generating, by the name of the kernels (why no more
 * with amx: docs/PERFORMANCE.md, section 4); what is not listed is only reported. */
static const struct {
    const char *kernels;
    double times;
} least_cheaper[] = {{"avx512", 5}, {"amx", 4}};

typedef struct bench {
    lks_model model;
    lks_run run;
    lks_tokens prompt;
    uint32_t *answer;
    lks_trace *trace; /* its leaves are made anew in every round */
} bench;

/* ---- Bytes ---- */

static uint32_t blocks(uint32_t n, uint32_t block)
{
    return (n + block - 1) / block;
}

/* Bytes of the layer whose first operation is `op`, at one position: two norms, Q, K, V, attention
 * and its quantised form, two LINEAR_ADD, the gate. */
static uint64_t formula(const lks_op *op)
{
    const lks_op *q = op + 2, *gate = op + 10;
    uint32_t d = op[1].width, f = gate->width, hd = q->head_width, heads = q->heads,
             kv = q->kv_heads;
    uint64_t head = hd + 8 * blocks(hd, hd < 128 ? hd : 128), attention = (uint64_t)heads * hd;
    return 2 * (4 * blocks(d, 256) + 4) + 2 * (d + 8 * blocks(d, 64)) + (heads + 2 * kv) * head +
           4 * attention + (attention + 8 * blocks((uint32_t)attention, 64)) + 2 * 4 * (uint64_t)d +
           f + 8 * blocks(f, 64);
}

enum {
    LAYER_OPS = 12
};

/* Returns: bytes by position and layer, 0 when the trace is not what the formula says. */
static uint64_t layer_bytes(const lks_trace *t)
{
    const lks_program *p = &lks_trace_model(t)->program;
    uint32_t layers = (p->op_count - 4) / LAYER_OPS;
    uint64_t bytes = 0, positions = t->positions;
    for (uint32_t i = 1; i <= layers * LAYER_OPS; i++) {
        lks_shape s;
        lks_trace_shape(&s, t, i);
        bytes += (uint64_t)s.row_size * s.rows * (s.heads ? s.heads : 1);
    }
    return bytes == formula(&p->ops[1]) * layers * positions ? bytes / layers / positions : 0;
}

/* ---- Times ---- */

/* Checking a claim: its tokens only, or with its trace. */
static lks_err trace_time(double *seconds, const bench *b, bool tokens_only)
{
    lks_trace *t;
    lks_trace_options o = {.tokens_only = tokens_only};
    double start = bench_now();
    lks_err err = lks_trace_make(&t, &b->model, &b->run, &o);
    *seconds = bench_now() - start;
    if (!err)
        lks_trace_free(t);
    return err;
}

typedef struct hashing {
    lks_trace_pass pass; /* first */
    lks_trace_hasher *hasher;
    double (*clock)(void);
    double seconds;
} hashing;

static void hash_output(lks_trace_pass *p, uint32_t op, const lks_op_output *o, uint32_t first_row)
{
    hashing *h = (hashing *)p;
    double start = h->clock();
    lks_trace_hasher_output(h->hasher, op, o, first_row);
    lks_pool_flush(lks_session_pool(h->pass.session));
    h->seconds += h->clock() - start;
}

/* CPU time of generating the answer, and of one pass that finds whether its tokens are right. */
static lks_err cheaper_times(double *generation, double *check, const bench *b)
{
    lks_generate_options one = {.threads = 1};
    lks_trace_options tokens_only = {.threads = 1, .tokens_only = true};
    lks_trace *t;
    uint32_t count;
    double start = bench_process_cpu();
    lks_err err = lks_generate(&b->model, b->run.prompt, b->run.prompt_count, NULL,
                               (uint32_t)b->run.answer_count, &one, b->answer, &count);
    double end = bench_process_cpu();
    if (!err)
        err = lks_trace_make(&t, &b->model, &b->run, &tokens_only);
    *generation = end - start;
    *check = bench_process_cpu() - end;
    if (!err && lks_trace_first_wrong_token(t) != count)
        err = lks_fail(LKS_INTERNAL, "the check does not find the answer right");
    if (!err)
        lks_trace_free(t);
    return err;
}

/* Time that the trace takes beside a pass: rows to their committed form, leaves, roots. Wall-clock
 * time, or CPU time of one thread. */
static lks_err hash_time(double *seconds, bench *b, unsigned threads)
{
    lks_trace *t = b->trace;
    t->threads = threads;
    hashing h = {.pass = {.trace = t, .output = hash_output, .positions = t->positions},
                 .clock = threads == 1 ? bench_cpu : bench_now};
    lks_err err = lks_trace_pass_open(&h.pass);
    if (!err)
        err = lks_trace_hasher_open(&h.hasher, t, lks_session_pool(h.pass.session));
    if (!err)
        err = lks_trace_pass_run(&h.pass);
    double start = h.clock();
    if (!err)
        lks_trace_hasher_finish(h.hasher);
    *seconds = h.seconds + (h.clock() - start);
    lks_trace_hasher_close(h.hasher);
    lks_trace_pass_close(&h.pass);
    return err;
}

/* Permutations that the trace's leaves and inner nodes take. */
static uint64_t permutations(const lks_trace *t)
{
    uint64_t count = 0;
    for (uint32_t op = 0; op + 1 < lks_trace_model(t)->program.op_count;
         op++) { /* not SAMPLE's: hash_time does not make them */
        lks_shape s;
        lks_trace_shape(&s, t, op);
        for (unsigned h = 0; h <= s.height; h++)
            for (uint64_t i = 0; i < (uint64_t)1 << (s.height - h); i++) {
                uint32_t size = 65; /* an inner node's message has 66 bytes */
                if (h == 0 ? lks_shape_leaf(&size, &s, i) : lks_shape_node(&s, h, i))
                    count += (1 + size) / 136 + 1;
            }
    }
    return count;
}

/* The routine's own rate: permutations a second over 4 MB of chunks, one behind the other, of which
 * no core's own cache holds all, as it holds no layer's rows. */
static double routine_rate(void)
{
    enum {
        AT_ONCE = 16,
        LEN = 1024,
        CHUNKS = 4096,
        PASSES = 6
    };
    static uint8_t chunks[CHUNKS][LEN], out[AT_ONCE][32], tag = 8;
    memset(chunks, 1, sizeof chunks);
    double start = bench_cpu();
    for (int i = 0; i < PASSES * CHUNKS; i += AT_ONCE) {
        const uint8_t *in[AT_ONCE];
        for (int k = 0; k < AT_ONCE; k++)
            in[k] = chunks[(i + k) % CHUNKS];
        lks_keccak256_many(out, &tag, 1, in, LEN, AT_ONCE);
        tag ^= out[0][0] & 1; /* each call waits for the one before */
    }
    return (double)PASSES * CHUNKS * ((1 + LEN) / 136 + 1) / (bench_cpu() - start);
}

/* ---- The whole ---- */

static lks_err read_prompt(bench *b, const char *path, uint32_t count)
{
    enum {
        ROOM = 1 << 16
    };
    FILE *f = fopen(path, "rb");
    char *text = malloc(ROOM);
    lks_err err = f && text ? LKS_OK : lks_fail(LKS_IO, "%s: %s", path, strerror(errno));
    size_t len = err ? 0 : fread(text, 1, ROOM, f);
    if (!err)
        err = lks_tokenizer_encode(b->model.tokenizer, text, len, false, true, &b->prompt);
    if (!err && b->prompt.count < count)
        err = lks_fail(LKS_BADARGS, "%s has only %zu tokens", path, b->prompt.count);
    if (f)
        fclose(f);
    free(text);
    return err;
}

static lks_err prepare(bench *b, const char *path, uint32_t prompt, uint32_t answer)
{
    uint32_t count = 0;
    lks_err err = read_prompt(b, path, prompt);
    b->answer = calloc(answer, sizeof *b->answer);
    if (!err && !b->answer)
        err = lks_fail(LKS_NOMEM, "out of memory");
    if (!err)
        err = lks_generate(&b->model, b->prompt.ids, prompt, NULL, answer, NULL, b->answer, &count);
    if (err)
        return err;
    b->run = (lks_run){b->prompt.ids, prompt, b->answer, count, {0}};
    err = lks_trace_make(&b->trace, &b->model, &b->run, NULL);
    if (!err && lks_trace_first_wrong_token(b->trace) != count)
        err = lks_fail(LKS_INTERNAL, "the trace does not give the answer's tokens");
    return err;
}

typedef struct times {
    double rerun[MOST_ROUNDS], hash[MOST_ROUNDS], whole[MOST_ROUNDS], check[MOST_ROUNDS],
        rate[MOST_ROUNDS], trace[MOST_ROUNDS];
    double generation[MOST_ROUNDS], tokens[MOST_ROUNDS], cheaper[MOST_ROUNDS];
} times;

static lks_err measure_round(times *t, size_t i, bench *b, double count)
{
    double alone, one = 0;
    lks_err err = trace_time(&t->rerun[i], b, true);
    if (!err)
        err = hash_time(&t->hash[i], b, 0);
    if (!err)
        err = trace_time(&t->whole[i], b, false);
    if (!err)
        err = cheaper_times(&t->generation[i], &t->tokens[i], b);
    alone = routine_rate();
    if (!err)
        err = hash_time(&one, b, 1);
    alone = (alone + routine_rate()) / 2;
    t->check[i] = t->whole[i] / (t->rerun[i] + t->hash[i]);
    t->rate[i] = count / one / alone;
    t->trace[i] = t->whole[i] / t->rerun[i];
    t->cheaper[i] = t->generation[i] / t->tokens[i];
    return err;
}

static double least_times_cheaper(void)
{
    for (size_t i = 0; i < sizeof least_cheaper / sizeof *least_cheaper; i++)
        if (strcmp(least_cheaper[i].kernels, lks_kernels_best()->name) == 0)
            return least_cheaper[i].times;
    return 0;
}

static lks_err measure(bench *b, size_t rounds, double most_trace, double least_times, bool *good)
{
    static times t;
    double count = (double)permutations(b->trace);
    lks_err err = LKS_OK;
    for (size_t i = 0; !err && i < rounds; i++)
        err = measure_round(&t, i, b, count);
    if (err)
        return err;
    double rerun = bench_median(t.rerun, rounds), hash = bench_median(t.hash, rounds),
           trace = bench_median(t.trace, rounds);
    double cheaper = bench_median(t.cheaper, rounds);
    double check = bench_median(t.check, rounds), rate = bench_median(t.rate, rounds);
    printf("count rerun_milliseconds %.1f\ncount hashing_milliseconds %.1f\nratio "
           "hashing_over_rerun %.3f\nratio hash_rate %.3f\nratio check %.3f\n",
           1e3 * rerun, 1e3 * hash, hash / rerun, rate, check);
    printf("ratio trace_over_rerun %.3f\ncount generation_cpu_milliseconds %.1f\ncount "
           "check_cpu_milliseconds %.1f\nratio check_over_generation %.3f\n",
           trace, 1e3 * bench_median(t.generation, rounds), 1e3 * bench_median(t.tokens, rounds),
           cheaper);
    *good = *good && rate >= LEAST_HASH_RATE && check <= MOST_CHECK && trace <= most_trace &&
            cheaper >= least_times;
    return LKS_OK;
}

static lks_err run(bench *b, char **argv, bool *good)
{
    int rounds = atoi(argv[5]);
    if (atoi(argv[3]) < 1 || atoi(argv[4]) < 1 || rounds < 1 || rounds > MOST_ROUNDS)
        return lks_fail(LKS_BADARGS, "PROMPT, ANSWER and ROUNDS are at least 1, ROUNDS at most %d",
                        MOST_ROUNDS);
    lks_err err = prepare(b, argv[2], (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
    if (err)
        return err;
    uint64_t bytes = layer_bytes(b->trace);
    *good = bytes != 0;
    printf("count positions %u\ncount trace_bytes_position_layer %llu\ncount trace_bytes "
           "%llu\ncount trace_kept_bytes %llu\n",
           b->trace->positions, (unsigned long long)bytes,
           (unsigned long long)lks_trace_size(b->trace),
           32 * (unsigned long long)lks_trace_leaf_count(b->trace));
    return measure(b, (size_t)rounds, atof(argv[6]), atoi(argv[7]) ? least_times_cheaper() : 0,
                   good);
}

int main(int argc, char **argv)
{
    bench b = {0};
    bool good = false;
    if (argc != 8) {
        fputs("usage: bench_verify MODEL.gguf TEXT PROMPT ANSWER ROUNDS MOST_TRACE CHEAPER\n",
              stderr);
        return 2;
    }
    lks_err err = lks_model_open(&b.model, argv[1]);
    if (!err)
        err = run(&b, argv, &good);
    if (err)
        fprintf(stderr, "bench_verify: %s\n", lks_error_message());
    lks_trace_free(b.trace);
    free(b.prompt.ids);
    free(b.answer);
    lks_model_close(&b.model);
    return err || !good ? 1 : 0;
}
