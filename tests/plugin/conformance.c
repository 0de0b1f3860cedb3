/* Checks whether a shared object keeps to plugin/lockstep_plugin.h:  conformance [--patience
 * SECONDS] PLUGIN.so CONFIG.json
 *
 * CONFIG.json is one that the plugin starts with, on a chain of id 31982 whose contracts answer
 * nothing. Every address that it names also emits logs, of random content. A line per check, then
 * "N passed, N failed"; exit status 1 when one failed, 2 when it could not be run. SECONDS (60)
 * bound every check. */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/plugin/conformance.h"
#include "tests/plugin/exports.h"

static int out_fd;                /* the real standard output: the plugin's is a file */
static const char *running = "?"; /* the check, for the watchdog */
static unsigned patience = 60;

void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vdprintf(out_fd, format, args);
    va_end(args);
}

void report(test *t, bool good, const char *format, ...)
{
    char why[600];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (good) {
        t->passed++;
        print("ok %s\n", running);
    } else {
        t->failed++;
        print("not ok %s: %s\n", running, why);
    }
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
    static const char text[] = "it did not end in time\n1 failed, the rest not run\n";
    ssize_t ignored = write(out_fd, "not ok ", 7) + write(out_fd, running, strlen(running)) +
                      write(out_fd, ": ", 2) + write(out_fd, text, sizeof text - 1);
    (void)ignored;
    _exit(1);
}

static void on_exit_early(void)
{
    if (running) {
        print("not ok %s: the plugin ended the process\n", running);
        _exit(1);
    }
}

/* Every 0x and 40 hex digits in the configuration is an address. */
static void find_addresses(test *t)
{
    for (const char *c = t->config; (c = strstr(c, "0x")) && t->address_count < MAX_ADDRESSES;
         c += 2) {
        char digits[41] = "";
        if (strspn(c + 2, "0123456789abcdefABCDEF") != 40)
            continue;
        memcpy(digits, c + 2, 40);
        for (int i = 0; i < 20; i++) {
            unsigned byte = 0;
            sscanf(digits + 2 * i, "%2x", &byte);
            t->addresses[t->address_count][i] = (uint8_t)byte;
        }
        t->address_count++;
    }
}

static bool read_config(test *t, const char *path)
{
    FILE *f = fopen(path, "rb");
    t->config = calloc(1, 1 << 20);
    bool good = f && t->config && fread(t->config, 1, (1 << 20) - 1, f) > 0;
    if (f)
        fclose(f);
    return good;
}

static bool load(test *t)
{
    char why[400] = "";
    running = "exports nothing but " LOCKSTEP_PLUGIN_SYMBOL;
    report(t, exports_only(t->path, LOCKSTEP_PLUGIN_SYMBOL, why, sizeof why), "%s", why);
    running = "loads";
    void *library;
    CALL(t, "loading", library = dlopen(t->path, RTLD_NOW | RTLD_LOCAL));
    t->create = library ? (lockstep_plugin_create_fn)dlsym(library, LOCKSTEP_PLUGIN_SYMBOL) : NULL;
    report(t, t->create != NULL, "%s", t->create ? "" : dlerror());
    return t->create != NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: conformance [--patience SECONDS] PLUGIN.so CONFIG.json\n");
    return 2;
}

int main(int argc, char **argv)
{
    test t = {.random = (uint64_t)getpid() * 1000003u};
    process_state before, after;
    struct stat printed = {0};
    if (argc == 5 && !strcmp(argv[1], "--patience")) {
        patience = (unsigned)atoi(argv[2]);
        argv += 2, argc -= 2;
    }
    if (argc != 3 || patience == 0)
        return usage();
    char *path = realpath(argv[1], NULL);
    if (!path || !read_config(&t, argv[2])) {
        fprintf(stderr, "conformance: %s cannot be read\n", path ? argv[2] : argv[1]);
        return 2;
    }
    t.path = path;
    find_addresses(&t);
    FILE *catch = tmpfile();
    out_fd = fcntl(1, F_DUPFD_CLOEXEC, 10);
    if (!catch || out_fd < 0 || dup2(fileno(catch), 1) < 0 || dup2(fileno(catch), 2) < 0)
        return 2;
    print("# seed %" PRIu64 ", %zu addresses\n", t.random, t.address_count);
    signal(SIGALRM, on_alarm);
    atexit(on_exit_early);
    process_get(&before);
    alarm(patience);
    bool loaded = load(&t);
    for (const check *c = checks; loaded && c->name; c++) {
        running = c->name;
        alarm(patience);
        unsigned failed = t.failed;
        c->run(&t);
        loaded = !c->needed || t.failed == failed;
    }
    alarm(0);
    if (loaded) {
        running = "keeps the floating-point environment";
        report(&t, !t.fp_breach, "%s leaves another", t.fp_breach);
        running = "leaves signals, working directory and umask alone";
        process_get(&after);
        const char *difference = process_difference(&before, &after);
        report(&t, !difference, "it changes %s", difference);
        running = "prints nothing";
        report(&t, fflush(NULL) == 0 && fstat(fileno(catch), &printed) == 0 && printed.st_size == 0,
               "%jd bytes", (intmax_t)printed.st_size);
    }
    print("%u passed, %u failed\n", t.passed, t.failed);
    running = NULL;
    free(path);
    free(t.config);
    fclose(catch);
    return t.failed != 0;
}
