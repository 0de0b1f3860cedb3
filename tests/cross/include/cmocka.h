/* What the tests use of cmocka (https://cmocka.org), for machines that have no package of it: the
 * same names, meaning and lines of output. */
#ifndef LKS_TESTS_CROSS_CMOCKA_H
#define LKS_TESTS_CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(function) {#function, function}

/* Weak: one for a program of many files. */
__attribute__((weak)) jmp_buf lks_test_failed;

__attribute__((unused, noreturn, format(printf, 3, 4))) static void lks_test_fail(
    const char *file, int line, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "[  ERROR   ] %s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    longjmp(lks_test_failed, 1);
}

#define fail_msg(...) lks_test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail() fail_msg("fail()")
#define lks_test_that(holds, text) ((holds) ? (void)0 : fail_msg("%s", text))

#define assert_true(x) lks_test_that(x, #x)
#define assert_false(x) lks_test_that(!(x), "not: " #x)
#define assert_null(p) lks_test_that((p) == NULL, #p " is not null")
#define assert_non_null(p) lks_test_that((p) != NULL, #p " is null")
#define assert_ptr_equal(a, b)                                                                     \
    lks_test_that((const void *)(a) == (const void *)(b), #a " is not " #b)
#define assert_memory_equal(a, b, size)                                                            \
    lks_test_that(memcmp(a, b, size) == 0, "memory differs: " #a ", " #b)
#define assert_memory_not_equal(a, b, size)                                                        \
    lks_test_that(memcmp(a, b, size) != 0, "memory does not differ: " #a ", " #b)

#define assert_int_equal(a, b)                                                                     \
    lks_test_numbers((uintmax_t)(a), (uintmax_t)(b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    lks_test_numbers((uintmax_t)(a), (uintmax_t)(b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_string_equal(a, b) lks_test_strings(a, b, __FILE__, __LINE__)
#define assert_in_range(x, least, most)                                                            \
    lks_test_that((uintmax_t)(x) >= (uintmax_t)(least) && (uintmax_t)(x) <= (uintmax_t)(most),     \
                  #x " is out of range")
#define print_message(...) printf(__VA_ARGS__)

__attribute__((unused)) static void lks_test_numbers(uintmax_t a, uintmax_t b, int equal,
                                                     const char *text, const char *file, int line)
{
    if ((a == b) != equal)
        lks_test_fail(file, line, "%s: %#jx, %#jx", text, a, b);
}

__attribute__((unused)) static void lks_test_strings(const char *a, const char *b, const char *file,
                                                     int line)
{
    if (strcmp(a, b))
        lks_test_fail(file, line, "\"%s\" != \"%s\"", a, b);
}

/* set_up and tear_down serve all tests together and may be NULL. */
__attribute__((unused)) static int cmocka_run(const struct CMUnitTest *tests, size_t count,
                                              int (*set_up)(void **), int (*tear_down)(void **))
{
    void *state = NULL;
    volatile int failures = 0;
    if (setjmp(lks_test_failed) || (set_up && set_up(&state))) {
        printf("[  FAILED  ] %zu test(s): the set-up failed.\n", count);
        return 1;
    }
    for (volatile size_t i = 0; i < count; i++) {
        void *own = state;
        bool passed = setjmp(lks_test_failed) == 0;
        if (passed)
            tests[i].run(&own);
        failures = failures + !passed;
        printf("[%s] %s\n", passed ? "       OK " : "  FAILED  ", tests[i].name);
        fflush(stdout);
    }
    if (tear_down && tear_down(&state))
        failures = failures + 1;
    printf("[  PASSED  ] %d test(s).\n", (int)count - failures);
    if (failures)
        printf("[  FAILED  ] %d test(s).\n", failures);
    return failures != 0;
}

#define cmocka_run_group_tests(tests, set_up, tear_down)                                           \
    cmocka_run(tests, sizeof(tests) / sizeof *(tests), set_up, tear_down)

#endif
