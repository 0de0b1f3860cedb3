/* Random lives of an honest operator and an honest challenger; see life.h.
 *
 *   test_lives [--lives N] [--seed S] [--jobs N] [--only WORDS] [--kinds KINDS] [--tell]
 *
 * Lives N seeds from S on (500 from 1), so many at a time (2); prints what became of them, and the
 * seed of every life in which somebody honest lost. WORDS: what a life is to have, of
 * liars,accusers,odd,reorgs,restarts,fees,clock; all of it without --only. KINDS: what nodes do
 * wrong, of the names in hostile.c, or none; all of it without --kinds. In one life of ten they are
 * wrong for longer than can be bridged: such a life may be lost, and is counted apart. */
#include "tests/hostile/life.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LKS_FEWER_CASES
enum {
    LIVES = 20
};
#else
enum {
    LIVES = 500
};
#endif

/* Lives at the same time. */
#define JOBS 2u
#define MOST_JOBS 64u

static const struct {
    const char *name;
    size_t offset;
} features[] = {
    {"liars", offsetof(life_options, liars)},       {"accusers", offsetof(life_options, accusers)},
    {"odd", offsetof(life_options, odd)},           {"reorgs", offsetof(life_options, reorgs)},
    {"restarts", offsetof(life_options, restarts)}, {"fees", offsetof(life_options, fees)},
    {"clock", offsetof(life_options, clock)},
};

static void choose(life_options *o, const char *words)
{
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        bool *flag = (bool *)((char *)o + features[i].offset);
        *flag = !words || strstr(words, features[i].name);
    }
}

/* fcntl of a database that nobody else has open: its locks are given without being asked for, which
 * takes a tenth of the time. */
static int give_lock(int fd, int what, ...)
{
    va_list rest;
    va_start(rest, what);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (what == F_SETLK)
        return 0;
    return fcntl(fd, what, argument);
}

static void quicken_database(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_vfs *files = sqlite3_vfs_find(NULL);
    if (files->iVersion >= 3)
        files->xSetSystemCall(files, "fcntl", (sqlite3_syscall_ptr)give_lock);
}

/* A life in a process of its own, so that one that fails an assertion is one life less. */
typedef struct child {
    pid_t pid; /* 0: none */
    int pipe;  /* of its result */
    uint64_t seed;
} child;

static void fail_os(const char *what)
{
    perror(what);
    exit(2);
}

static child begin(const life_options *o, const char *folder)
{
    int pipes[2];
    life_result result = {0};
    char own[96];
    fflush(stdout);
    snprintf(own, sizeof own, "%s/%llu", folder, (unsigned long long)o->seed);
    if (pipe(pipes) || mkdir(own, 0700))
        fail_os(own);
    pid_t pid = fork();
    if (pid < 0)
        fail_os("fork");
    if (pid == 0) {
        close(pipes[0]);
        life_run(o, own, &result);
        fflush(stdout);
        ssize_t written = write(pipes[1], &result, sizeof result); /* it has room for that */
        _exit(rmdir(own) == 0 && written == (ssize_t)sizeof result ? 0 : 1);
    }
    close(pipes[1]);
    return (child){pid, pipes[0], o->seed};
}

/* Waits for any of them, and takes it out. Out: *result. Returns: its seed. */
static uint64_t end(child *children, unsigned count, life_result *result)
{
    int status = 0;
    pid_t pid = wait(&status);
    child *c = children;
    while (c < children + count && c->pid != pid)
        c++;
    if (pid < 0 || c == children + count)
        fail_os("wait");
    ssize_t got = read(c->pipe, result, sizeof *result);
    close(c->pipe);
    c->pid = 0;
    if (got == (ssize_t)sizeof *result && status == 0)
        return c->seed;
    memset(result, 0, sizeof *result);
    result->honest_losses = 1;
    snprintf(result->reason, sizeof result->reason, "the life ended with status %d", status);
    return c->seed;
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

/* Of all lives, of which some are counted apart. */
typedef struct sums {
    life_result within, beyond;
    size_t failed;
} sums;

static void note(sums *s, uint64_t seed, const life_result *one)
{
    add(one->too_wrong ? &s->beyond : &s->within, one);
    if (!one->reason[0])
        return;
    s->failed += !one->too_wrong;
    printf("seed %llu: %s%s\n", (unsigned long long)seed, one->reason,
           one->too_wrong ? " (its node was wrong for too long)" : "");
}

static void live_all(life_options *o, size_t lives, unsigned jobs, const char *folder, sums *s)
{
    child children[MOST_JOBS] = {0};
    life_result one;
    size_t begun = 0;
    for (size_t done = 0; done < lives; done++) {
        for (unsigned i = 0; i < jobs && begun < lives; i++)
            if (!children[i].pid) {
                children[i] = begin(o, folder);
                o->seed++;
                begun++;
            }
        uint64_t seed = end(children, jobs, &one);
        note(s, seed, &one);
    }
}

static void tell(const sums *s)
{
    const life_result *a = &s->within, *b = &s->beyond;
    for (unsigned i = 0; i < HOSTILE_KINDS; i++)
        printf("count spoilt_%s %llu\n", hostile_name((hostile_kind)i),
               (unsigned long long)(a->spoilt[i] + b->spoilt[i]));
    printf("count lives %zu\ncount blocks %llu\ncount honest_losses %zu\ncount liars %zu\n"
           "count liars_convicted %zu\ncount requests_final_percent %zu\n"
           "count lives_wrong_too_long %zu\ncount honest_losses_then %zu\n",
           a->lives, (unsigned long long)a->blocks, a->honest_losses, a->liars, a->liars_convicted,
           a->requests ? 100 * a->final / a->requests : 100, b->lives, b->honest_losses);
}

static int usage(void)
{
    fprintf(stderr, "usage: test_lives [--lives N] [--seed S] [--jobs N] [--only WORDS] "
                    "[--kinds KINDS] [--bridged BLOCKS] [--floor SECONDS] [--tell]\n");
    return 2;
}

int main(int argc, char **argv)
{
    life_options o = {.seed = 1,
                      .kinds = HOSTILE_ALL,
                      .bridged = LIFE_BRIDGED,
                      .floor = LIFE_FLOOR,
                      .budget = LIFE_BUDGET};
    sums sum = {0};
    size_t lives = LIVES;
    unsigned jobs = JOBS;
    char folder[64];
    choose(&o, NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tell") == 0)
            o.tell = true;
        else if (i + 1 < argc && strcmp(argv[i], "--lives") == 0)
            lives = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            o.seed = strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0)
            jobs = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--bridged") == 0)
            o.bridged = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--floor") == 0)
            o.floor = o.budget = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--only") == 0)
            choose(&o, argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--kinds") == 0)
            o.kinds = hostile_kinds_of(argv[++i]);
        else
            return usage();
    }
    if (jobs == 0 || jobs > MOST_JOBS)
        return usage();
    snprintf(folder, sizeof folder, "%s/lockstep-lives-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder))
        fail_os(folder);
    quicken_database();
    life_open_model();
    live_all(&o, lives, jobs, folder, &sum);
    life_close_model();
    rmdir(folder);
    tell(&sum);
    return sum.failed || sum.within.final * 10 < sum.within.requests * 9;
}
