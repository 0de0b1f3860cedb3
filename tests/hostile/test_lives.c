/* Random lives of an honest operator and an honest challenger; see life.h.
 *
 *   test_lives [--lives N] [--seed S] [--only WORDS] [--kinds KINDS] [--tell]
 *
 * Lives N seeds from S on (60 from 1); prints what became of them, and the seed of every life in
 * which somebody honest lost. WORDS: what a life is to have, of
 * liars,accusers,odd,reorgs,restarts,fees. KINDS: what nodes do wrong, of the names in hostile.c;
 * all, none; else KINDS below. In one life of ten they are wrong for longer than can be bridged:
 * such a life may be lost, and is counted apart. */
#include "tests/hostile/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LKS_FEWER_CASES
enum { LIVES = 20 };
#else
enum { LIVES = 60 };
#endif

/* What nodes do wrong unless --kinds says otherwise. */
#define KINDS \
    "repeats,reorders,stale,alternates,forked,receipts,errors,sends,forgets,limits,busy,hangs,cuts"

static const struct {
    const char *name;
    size_t offset;
} features[] = {
    {"liars", offsetof(life_options, liars)},       {"accusers", offsetof(life_options, accusers)},
    {"odd", offsetof(life_options, odd)},           {"reorgs", offsetof(life_options, reorgs)},
    {"restarts", offsetof(life_options, restarts)}, {"fees", offsetof(life_options, fees)},
};

static void choose(life_options *o, const char *words)
{
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        bool *flag = (bool *)((char *)o + features[i].offset);
        *flag = !words || strstr(words, features[i].name);
    }
}

/* Lives in a process of its own, so that one that fails an assertion is one life less. */
static void live(const life_options *o, const char *folder, life_result *result)
{
    int pipes[2], status = 0;
    memset(result, 0, sizeof *result);
    fflush(stdout);
    if (pipe(pipes)) {
        perror("pipe");
        exit(2);
    }
    pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        life_run(o, folder, result);
        fflush(stdout);
        ssize_t written = write(pipes[1], result, sizeof *result);
        _exit(written == (ssize_t)sizeof *result ? 0 : 1);
    }
    close(pipes[1]);
    ssize_t got = read(pipes[0], result, sizeof *result);
    close(pipes[0]);
    waitpid(child, &status, 0);
    if (got == (ssize_t)sizeof *result && status == 0)
        return;
    memset(result, 0, sizeof *result);
    result->honest_losses = 1;
    snprintf(result->reason, sizeof result->reason, "the life ended with status %d", status);
}

static void add(life_result *sum, const life_result *one)
{
    sum->requests += one->requests;
    sum->final += one->final;
    sum->liars += one->liars;
    sum->liars_convicted += one->liars_convicted;
    sum->honest_losses += one->honest_losses;
    sum->blocks += one->blocks;
    sum->lives++;
    for (size_t i = 0; i < HOSTILE_KINDS; i++)
        sum->spoilt[i] += one->spoilt[i];
}

static int usage(void)
{
    fprintf(stderr, "usage: test_lives [--lives N] [--seed S] [--only WORDS] [--kinds KINDS] "
                    "[--tell]\n");
    return 2;
}

int main(int argc, char **argv)
{
    life_options o = {.seed = 1, .kinds = hostile_kinds_of(KINDS)};
    life_result sum = {0}, too_wrong = {0}, one;
    size_t lives = LIVES, failed = 0;
    char folder[64];
    choose(&o, NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tell") == 0)
            o.tell = true;
        else if (i + 1 < argc && strcmp(argv[i], "--lives") == 0)
            lives = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            o.seed = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--only") == 0)
            choose(&o, argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--kinds") == 0)
            o.kinds = hostile_kinds_of(argv[++i]);
        else
            return usage();
    }
    snprintf(folder, sizeof folder, "%s/lockstep-lives-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return 2;
    }
    life_open_model();
    for (size_t i = 0; i < lives; i++, o.seed++) {
        live(&o, folder, &one);
        add(one.too_wrong ? &too_wrong : &sum, &one);
        if (one.reason[0]) {
            failed += !one.too_wrong;
            printf("seed %llu: %s%s\n", (unsigned long long)o.seed, one.reason,
                   one.too_wrong ? " (its node was wrong for too long)" : "");
        }
    }
    life_close_model();
    rmdir(folder);
    for (unsigned i = 0; i < HOSTILE_KINDS; i++)
        printf("count spoilt_%s %llu\n", hostile_name((hostile_kind)i),
               (unsigned long long)(sum.spoilt[i] + too_wrong.spoilt[i]));
    printf("count lives %zu\ncount blocks %llu\ncount honest_losses %zu\ncount liars %zu\n"
           "count liars_convicted %zu\ncount requests_final_percent %zu\n"
           "count lives_wrong_too_long %zu\ncount honest_losses_then %zu\n",
           sum.lives, (unsigned long long)sum.blocks, sum.honest_losses, sum.liars,
           sum.liars_convicted, sum.requests ? 100 * sum.final / sum.requests : 100,
           too_wrong.lives, too_wrong.honest_losses);
    return failed || sum.final * 10 < sum.requests * 9;
}
