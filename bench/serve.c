/* Cost of serving a model beside its arithmetic, for bench/verify.sh.
 *
 *     bench_serve MODEL.gguf ROUNDS
 *
 * Prints
 *   ratio memory_allowed_over_used   1.2 (file + KV cache) over the process's anonymous memory
 * while it generates; pages of the mapped file do not count count load_seconds opening the model
 * and the first session, which packs the weights; the file is in the page cache ratio
 * plugin_over_run            time of an answer through the plugin's worker, from handing over the
 * work to holding the answer, over that of lks_generate and what they are made of. An answer: 16
 * tokens of prompt, 64 of answer, greedy. Figures are medians of ROUNDS, the last two times taken
 * in turns. Exit status 1 when a bound is missed.
 */
#include "bench/bench_time.h"
#include "oracle/engine/engine.h"
#include "plugin/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PROMPT = 16,
    ANSWER = 64,
    MOST_ROUNDS = 101
};
#define MOST_LOAD_SECONDS 0.5
#define MOST_PLUGIN 1.01

static const uint32_t prompt[PROMPT] = {504,  5592, 3763, 4461, 975, 5128, 314, 260,
                                        1204, 282,  9,    17,   504, 28,   338, 253};

/* ---- Memory ---- */

static lks_err anonymous_memory(double *bytes)
{
    char line[256];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && !kib && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %lu", &kib) != 1)
            kib = 0;
    if (f)
        fclose(f);
    *bytes = 1024.0 * (double)kib;
    return kib ? LKS_OK : lks_fail(LKS_IO, "/proc/self/status has no RssAnon");
}

static double kv_cache(const lks_program *p, uint32_t positions)
{
    double bytes = 0;
    for (uint32_t i = 0; i < p->op_count; i++)
        if (p->ops[i].kind == LKS_ROWS_KV)
            bytes += (double)positions * p->ops[i].kv_heads *
                     (p->ops[i].width + 4.0 * lks_op_block_count(&p->ops[i]));
    return bytes;
}

static int at_last_token(void *user, uint32_t id)
{
    (void)id;
    return anonymous_memory(user) != LKS_OK;
}

/* In a process that has done nothing else yet. */
static lks_err memory(const char *path, bool *good)
{
    lks_model model;
    uint32_t tokens[ANSWER], count;
    double used;
    struct stat st;
    lks_generate_options o = {.on_token = at_last_token, .user = &used};
    if (stat(path, &st))
        return lks_fail(LKS_IO, "%s: %s", path, strerror(errno));
    lks_err err = lks_model_open(&model, path);
    if (err)
        return err;
    err = lks_generate(&model, prompt, PROMPT, NULL, ANSWER, &o, tokens, &count);
    double kv = kv_cache(&model.program, PROMPT + ANSWER - 1),
           allowed = 1.2 * ((double)st.st_size + kv);
    lks_model_close(&model);
    if (err)
        return err;
    printf("count file_megabytes %.1f\ncount kv_cache_megabytes %.1f\ncount anonymous_megabytes "
           "%.1f\nratio memory_allowed_over_used %.3f\n",
           1e-6 * (double)st.st_size, 1e-6 * kv, 1e-6 * used, allowed / used);
    *good = *good && used <= allowed;
    return LKS_OK;
}

/* ---- Loading ---- */

static lks_err load_once(double *seconds, const char *path)
{
    lks_model model;
    lks_session *s = NULL;
    double start = bench_now();
    lks_err err = lks_model_open(&model, path);
    lks_session_options o = {.max_positions = PROMPT + ANSWER};
    if (!err) {
        err = lks_session_open(&s, &model, &o);
        *seconds = bench_now() - start;
        lks_session_close(s);
        lks_model_close(&model);
    }
    return err;
}

static lks_err load(const char *path, size_t rounds, bool *good)
{
    double seconds[MOST_ROUNDS];
    lks_err err = LKS_OK;
    for (size_t i = 0; !err && i < rounds; i++)
        err = load_once(&seconds[i], path);
    if (err)
        return err;
    double median = bench_median(seconds, rounds);
    printf("count load_seconds %.3f\n", median);
    *good = *good && median < MOST_LOAD_SECONDS;
    return LKS_OK;
}

/* ---- The plugin ---- */

static lks_err directly(double *seconds, const lks_model *m, uint32_t *tokens, uint32_t *count)
{
    double start = bench_now();
    lks_err err = lks_generate(m, prompt, PROMPT, NULL, ANSWER, NULL, tokens, count);
    *seconds = bench_now() - start;
    return err;
}

static lks_err through_plugin(double *seconds, lks_worker *worker, lks_inbox *inbox,
                              const lks_served *served, const uint32_t *tokens, uint32_t count)
{
    lks_answer answer;
    lks_work work = {.served = served,
                     .prompt = malloc(sizeof prompt),
                     .prompt_count = PROMPT,
                     .max_tokens = ANSWER};
    if (!work.prompt)
        return lks_fail(LKS_NOMEM, "out of memory");
    memcpy(work.prompt, prompt, sizeof prompt);
    double start = bench_now();
    if (!lks_worker_give(worker, &work))
        return lks_fail(LKS_INTERNAL, "the worker is not idle");
    while (!lks_worker_take(worker, &answer)) {
        lks_inbox_item *item = NULL;
        lks_inbox_take(inbox, 1000, &item);
        free(item);
    }
    *seconds = bench_now() - start;
    lks_err err = answer.err ? lks_fail(answer.err, "%s", answer.reason) : LKS_OK;
    if (!err &&
        (answer.count != count || memcmp(answer.tokens, tokens, count * sizeof *tokens) != 0))
        err = lks_fail(LKS_INTERNAL, "the plugin's answer differs");
    free(answer.tokens);
    return err;
}

static lks_err plugin(const char *path, size_t rounds, bool *good)
{
    double run[MOST_ROUNDS], through[MOST_ROUNDS], over[MOST_ROUNDS];
    uint32_t tokens[ANSWER], count;
    lks_models models;
    lks_inbox *inbox = NULL;
    lks_worker *worker = NULL;
    lks_err err = lks_models_open(&models, &(char *){(char *)path}, 1, false);
    if (!err)
        err = lks_inbox_new(&inbox, LKS_INBOX_ITEMS, LKS_INBOX_BYTES);
    if (!err)
        err = lks_worker_new(&worker, &models, 0, 0, inbox);
    if (!err)
        err = directly(&run[0], models.items[0].model, tokens, &count); /* packs the weights */
    for (size_t i = 0; !err && i < rounds; i++) {
        err = directly(&run[i], models.items[0].model, tokens, &count);
        if (!err)
            err = through_plugin(&through[i], worker, inbox, &models.items[0], tokens, count);
        over[i] = through[i] / run[i];
    }
    lks_worker_free(worker);
    lks_inbox_free(inbox);
    lks_models_close(&models);
    if (err)
        return err;
    double ratio = bench_median(over, rounds);
    printf(
        "count run_milliseconds %.1f\ncount plugin_milliseconds %.1f\nratio plugin_over_run %.4f\n",
        1e3 * bench_median(run, rounds), 1e3 * bench_median(through, rounds), ratio);
    *good = *good && ratio <= MOST_PLUGIN;
    return LKS_OK;
}

int main(int argc, char **argv)
{
    bool good = true;
    int rounds = argc == 3 ? atoi(argv[2]) : 0;
    if (rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_serve MODEL.gguf ROUNDS (1 to %d)\n", MOST_ROUNDS);
        return 2;
    }
    lks_err err = memory(argv[1], &good);
    if (!err)
        err = load(argv[1], (size_t)rounds, &good);
    if (!err)
        err = plugin(argv[1], (size_t)rounds, &good);
    if (err)
        fprintf(stderr, "bench_serve: %s\n", lks_error_message());
    return err || !good ? 1 : 0;
}
