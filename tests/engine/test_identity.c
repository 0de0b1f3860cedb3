/* One answer, computed again and again in random ways while another process loads the machine: the
 * bits must be the same each time.
 *
 *     test_identity MODEL.gguf RUNS [PROMPT ANSWER]     tokens of the prompt and of the answer at
 * most (8 and 1)
 *
 * A run takes a random instruction set of those that the machine has, one to four threads and a
 * random split of the positions into passes. Every run's logits and tokens must have the hash of
 * the first; every second run makes the trace of the answer too, whose root must be that of
 * lks_trace_make. Prints "count identity_runs RUNS".
 */
#include "chain/hex.h"
#include "chain/keccak.h"
#include "oracle/engine/generate.h"
#include "oracle/trace/trace_internal.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MOST_LEVELS = 8,
    MOST_THREADS = 4,
    MOST_POSITIONS = 512,
    SCALAR_ONE_IN = 10
};

static uint64_t random_state = 1;

static uint32_t below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

/* ---- Load ---- */

/* Uses a core and the caches in bursts, so that the runs' threads lose their cores at any moment.
 */
static void *load_main(void *argument)
{
    enum {
        SIZE = 1 << 22
    };
    unsigned seed = (unsigned)(uintptr_t)argument;
    volatile uint8_t *memory = malloc(SIZE);
    for (;;) {
        for (int i = rand_r(&seed) % 400000; memory && i > 0; i--)
            memory[(uint32_t)i * 2654435761u % SIZE]++;
        usleep((useconds_t)(rand_r(&seed) % 3000));
    }
    return NULL;
}

/* A process that keeps as many threads busy as there are cores; it ends with this one. Returns: its
 * id, -1 on failure. */
static pid_t start_load(void)
{
    pid_t parent = getpid(), child = fork();
    if (child)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    for (long i = 0; i < cores; i++) {
        pthread_t id;
        if (pthread_create(&id, NULL, load_main, (void *)(uintptr_t)(i + 1)))
            _exit(1);
    }
    for (;;)
        pause();
}

/* ---- Runs ---- */

typedef struct level {
    const lks_kernels *kernels;
    lks_model model; /* its own: a model's weights are packed for one level */
    uint32_t runs;
} level;

typedef struct check {
    level levels[MOST_LEVELS];
    uint32_t level_count;
    lks_tokens prompt;
    lks_run run;
    uint32_t answer[MOST_POSITIONS], ids[MOST_POSITIONS];
    uint32_t positions;
    lks_trace *trace;
    float *logits;
    uint8_t root[32], answer_hash[32];
} check;

typedef struct attempt {
    check *c;
    level *level;
    unsigned threads;
    bool traced;
    uint32_t first_sampled; /* sampled row of the pass's first */
    lks_session *session;
    lks_trace_hasher *hasher; /* NULL: not traced */
    lks_keccak hash;          /* of logits and tokens */
    char passes[512];         /* for the message of a failure */
} attempt;

static void on_output(void *user, uint32_t op, const lks_op_output *o)
{
    attempt *a = user;
    bool sampled = a->c->levels[0].model.program.ops[op].kind == LKS_ROWS_SAMPLED;
    lks_trace_hasher_output(a->hasher, op, o, sampled ? a->first_sampled : o->first);
}

static lks_err sample(attempt *a, uint32_t rows)
{
    const lks_trace *t = a->c->trace;
    uint32_t vocab = a->c->levels[0].model.program.vocab_size;
    for (uint32_t i = 0; i < rows; i++) {
        lks_sample_row row;
        uint32_t index = a->first_sampled + i;
        lks_session_logits(a->session, i, a->c->logits);
        a->level->kernels->sample_max(&row, a->c->logits, vocab, &t->sampling);
        uint32_t token = a->level->kernels->sample_choose(&row, a->c->logits, vocab, &t->sampling,
                                                          (uint32_t)t->run.prompt_count + index);
        if (a->hasher)
            lks_trace_hasher_sample(a->hasher, index, &row);
        lks_keccak_update(&a->hash, a->c->logits, vocab * sizeof *a->c->logits);
        lks_keccak_update(&a->hash, &token, sizeof token);
        if (token != t->run.answer[index])
            return lks_fail(LKS_CORRUPT, "token %u of the answer is %u and not %u", index, token,
                            t->run.answer[index]);
    }
    return LKS_OK;
}

/* All positions in passes of random sizes. */
static lks_err forward(attempt *a)
{
    const check *c = a->c;
    uint32_t before = (uint32_t)c->run.prompt_count - 1,
             most = 1 + below(c->positions); /* before: positions that nothing is sampled from */
    size_t len = 0;
    for (uint32_t done = 0, rows; done < c->positions; done += rows) {
        rows = 1 + below(most);
        if (rows > c->positions - done)
            rows = c->positions - done;
        if (len < sizeof a->passes)
            len += (size_t)snprintf(a->passes + len, sizeof a->passes - len, " %u", rows);
        uint32_t skip = before > done ? before - done : 0, sampled = rows > skip ? rows - skip : 0;
        a->first_sampled = done + skip - before; /* means nothing where sampled is 0 */
        lks_err err = lks_session_forward(a->session, c->ids + done, rows, sampled);
        if (!err)
            err = sample(a, sampled);
        if (err)
            return err;
    }
    return LKS_OK;
}

static lks_err compare(attempt *a, bool first)
{
    uint8_t hash[32], root[32];
    lks_keccak_final(&a->hash, hash);
    if (first)
        memcpy(a->c->answer_hash, hash, 32);
    else if (memcmp(hash, a->c->answer_hash, 32) != 0)
        return lks_fail(LKS_CORRUPT, "the logits differ from the first run's");
    if (!a->hasher)
        return LKS_OK;
    lks_trace_hasher_finish(a->hasher);
    lks_trace_root(root, a->c->trace);
    if (memcmp(root, a->c->root, 32) != 0)
        return lks_fail(LKS_CORRUPT, "the trace's root differs");
    return LKS_OK;
}

static lks_err run_once(check *c, bool first)
{
    bool scalar = c->level_count == 1 || below(SCALAR_ONE_IN) == 0;
    attempt a = {.c = c, .threads = 1 + below(MOST_THREADS), .traced = below(2) == 0};
    a.level = &c->levels[scalar ? 0 : 1 + below(c->level_count - 1)];
    lks_session_options o = {.threads = a.threads,
                             .batch = c->positions,
                             .max_positions = c->positions,
                             .kernels = a.level->kernels,
                             .hook = a.traced ? on_output : NULL,
                             .user = &a};
    lks_keccak_init(&a.hash);
    lks_err err = lks_session_open(&a.session, &a.level->model, &o);
    if (!err && a.traced) { /* nothing of the run before is left in the trace */
        memset(c->trace->leaves, 0, 32 * (size_t)lks_trace_leaf_count(c->trace));
        memset(c->trace->roots, 0, 32 * (size_t)c->levels[0].model.program.op_count);
        err = lks_trace_hasher_open(&a.hasher, c->trace, lks_session_pool(a.session));
    }
    if (!err)
        err = forward(&a);
    if (!err)
        err = compare(&a, first);
    if (err)
        fprintf(stderr, "differs: %s, %u threads, passes of%s%s\n", a.level->kernels->name,
                a.threads, a.passes, a.traced ? ", traced" : "");
    lks_trace_hasher_close(a.hasher);
    lks_session_close(a.session);
    a.level->runs++;
    return err;
}

/* ---- The whole ---- */

static lks_err open_levels(check *c, const char *path)
{
    lks_err err = LKS_OK;
    while (!err && c->level_count < MOST_LEVELS && lks_kernels_at(c->level_count)) {
        level *l = &c->levels[c->level_count++];
        l->kernels = lks_kernels_at(c->level_count - 1);
        err = lks_model_open(&l->model, path);
    }
    return err;
}

static lks_err prepare(check *c, const char *path, uint32_t prompt, uint32_t answer)
{
    static const char text[] = "The sky looks blue because sunlight is scattered by the air, and "
                               "the shorter waves of it are scattered more than the longer ones.";
    static const lks_policy policy = {
        .temperature = 0x3f4ccccd /* 0.8 */, .min_p = 0x3d4ccccd /* 0.05 */, .seed = 7};
    uint32_t count = 0;
    lks_err err = open_levels(c, path);
    if (!err)
        err = lks_tokenizer_encode(c->levels[0].model.tokenizer, text, sizeof text - 1, false, true,
                                   &c->prompt);
    if (!err && (c->prompt.count < prompt || prompt + answer > MOST_POSITIONS))
        err = lks_fail(LKS_BADARGS,
                       "a prompt of %u tokens or an answer of %u is too long for this test", prompt,
                       answer);
    c->logits = err ? NULL : malloc(c->levels[0].model.program.vocab_size * sizeof *c->logits);
    if (!err && !c->logits)
        err = lks_fail(LKS_NOMEM, "out of memory");
    const lks_model *fastest = &c->levels[c->level_count - 1].model;
    if (!err)
        err =
            lks_generate(fastest, c->prompt.ids, prompt, &policy, answer, NULL, c->answer, &count);
    if (err)
        return err;
    c->run = (lks_run){c->prompt.ids, prompt, c->answer, count, policy};
    c->positions = prompt + count - 1;
    memcpy(c->ids, c->prompt.ids, prompt * sizeof *c->ids);
    memcpy(c->ids + prompt, c->answer, (count - 1) * sizeof *c->ids);
    err = lks_trace_make(&c->trace, fastest, &c->run, NULL);
    if (!err)
        lks_trace_root(c->root, c->trace);
    return err;
}

static lks_err run_all(check *c, char **argv, int argc, uint32_t runs)
{
    char root[LKS_HEX_SIZE(32)];
    lks_err err = prepare(c, argv[1], argc == 5 ? (uint32_t)atoi(argv[3]) : 8,
                          argc == 5 ? (uint32_t)atoi(argv[4]) : 1);
    for (uint32_t i = 0; !err && i < runs; i++)
        err = run_once(c, i == 0);
    if (err)
        return err;
    lks_hex_encode(root, c->root, 32);
    printf("prompt of %zu tokens, answer of %zu, trace root %s\n", c->run.prompt_count,
           c->run.answer_count, root);
    for (uint32_t i = 0; i < c->level_count; i++)
        printf("count identity_runs_%s %u\n", c->levels[i].kernels->name, c->levels[i].runs);
    printf("count identity_runs %u\n", runs);
    return LKS_OK;
}

int main(int argc, char **argv)
{
    static check c;
    int runs = argc == 3 || argc == 5 ? atoi(argv[2]) : 0;
    if (runs < 1 || (argc == 5 && (atoi(argv[3]) < 1 || atoi(argv[4]) < 1))) {
        fputs("usage: test_identity MODEL.gguf RUNS [PROMPT ANSWER]\n", stderr);
        return 2;
    }
    pid_t load = start_load();
    lks_err err = load > 0 ? run_all(&c, argv, argc, (uint32_t)runs)
                           : lks_fail(LKS_IO, "cannot start a process");
    if (!err && waitpid(load, NULL, WNOHANG) != 0)
        err = lks_fail(LKS_INTERNAL, "the process that loads the machine has ended");
    if (load > 0 && kill(load, SIGKILL) == 0)
        waitpid(load, NULL, 0);
    if (err)
        fprintf(stderr, "test_identity: %s\n", lks_error_message());
    lks_trace_free(c.trace);
    for (uint32_t i = 0; i < c.level_count; i++)
        lks_model_close(&c.levels[i].model);
    free(c.prompt.ids);
    free(c.logits);
    return err ? 1 : 0;
}
