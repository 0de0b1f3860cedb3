/* What the two parts of the conformance program share. */
#ifndef LKS_TESTS_CONFORMANCE_H
#define LKS_TESTS_CONFORMANCE_H

#include <fenv.h>
#include <stdbool.h>

#include "tests/plugin/fake_host.h"
#include "tests/plugin/process_state.h"

#define MAX_ADDRESSES 16

typedef struct test {
    const char *path;
    char *config;
    lockstep_plugin_create_fn create;
    uint8_t addresses[MAX_ADDRESSES][20];
    size_t address_count;
    uint64_t random;
    const char *fp_breach; /* the function that left the floating-point environment changed */
    unsigned passed, failed;
} test;

/* Prints to the program's own standard output: while the plugin is loaded, file descriptor 1 is a
 * file. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Notes the outcome of the running check, and why it failed. */
void report(test *t, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Runs a call of the plugin in an unusual floating-point environment, which must be there
 * afterwards. */
#define CALL(t, name, statement)                                                                   \
    do {                                                                                           \
        fenv_t ours_;                                                                              \
        fegetenv(&ours_);                                                                          \
        fesetround(FE_DOWNWARD);                                                                   \
        fp_state before_ = fp_get();                                                               \
        statement;                                                                                 \
        if (!fp_equal(before_, fp_get()) && !(t)->fp_breach)                                       \
            (t)->fp_breach = name;                                                                 \
        fesetenv(&ours_);                                                                          \
    } while (0)

typedef struct check {
    const char *name;
    void (*run)(test *t);
    bool needed; /* nothing after it can be checked when it fails */
} check;

/* Ends with one whose name is NULL. */
extern const check checks[];

#endif
