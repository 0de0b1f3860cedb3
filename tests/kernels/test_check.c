/* lks_kernels_check refuses every floating-point environment that would change a bit, and says
 * which it is. */
#include "kernels/kernels.h"

#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka.h needs the headers above
#include <stdlib.h>

#include <cmocka.h>
#if defined(__x86_64__)
#include <pthread.h>
#include <xmmintrin.h>
#endif

static void test_default(void **state)
{
    (void)state;
    assert_null(lks_kernels_check());
}

static void test_rounding_modes(void **state)
{
    (void)state;
    const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(fesetround(modes[i]), 0);
        const char *why = lks_kernels_check();
        assert_int_equal(fesetround(FE_TONEAREST), 0);
        assert_non_null(why);
        assert_non_null(strstr(why, "round"));
    }
    assert_null(lks_kernels_check());
}

#if defined(__x86_64__)
static const char *check_with(unsigned set)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | set);
    const char *why = lks_kernels_check();
    _mm_setcsr(before);
    return why;
}

static void test_mxcsr(void **state)
{
    (void)state;
    const unsigned ftz = 0x8000, daz = 0x0040;
    const char *why = check_with(ftz);
    assert_non_null(why);
    assert_non_null(strstr(why, "FTZ"));
    why = check_with(daz);
    assert_non_null(why);
    assert_non_null(strstr(why, "DAZ"));
    assert_non_null(check_with(ftz | daz));
    for (unsigned rounding = 0x2000; rounding <= 0x6000; rounding += 0x2000)
        assert_non_null(check_with(rounding));
    assert_null(check_with(0));
}

static void *check_on_thread(void *why)
{
    *(const char **)why = lks_kernels_check();
    return NULL;
}

/* The check is of the calling thread, and a thread begins with what its creator had. */
static void test_thread(void **state)
{
    (void)state;
    pthread_t thread;
    const char *why = NULL;
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    int rc = pthread_create(&thread, NULL, check_on_thread, &why);
    _mm_setcsr(before);
    assert_int_equal(rc, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(why);
    assert_null(lks_kernels_check());
}
#endif

#if defined(__aarch64__)
static const char *check_with(uint64_t set)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | set) : "memory");
    const char *why = lks_kernels_check();
    __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
    return why;
}

static void test_fpcr(void **state)
{
    (void)state;
    const uint64_t mode = 1u << 22, flush = 1u << 24, default_nan = 1u << 25, own_halves = 1u << 26;
    const char *why = check_with(flush);
    assert_non_null(why);
    assert_non_null(strstr(why, "subnormal"));
    why = check_with(own_halves);
    assert_non_null(why);
    assert_non_null(strstr(why, "AHP"));
    for (uint64_t rounding = 1; rounding <= 3; rounding++)
        assert_non_null(check_with(rounding * mode));
    assert_null(
        check_with(default_nan)); /* which NaN an operation makes shows in no committed byte */
    assert_null(check_with(0));
}
#endif

/* A forced instruction set that is not run would let a test of it pass on another. */
static void test_forced_level(void **state)
{
    (void)state;
    setenv("LOCKSTEP_CPU", "scalar", 1);
    assert_null(lks_kernels_check());
    assert_string_equal(lks_kernels_best()->name, "scalar");
    setenv("LOCKSTEP_CPU", "mips", 1);
    assert_non_null(lks_kernels_check());
    unsetenv("LOCKSTEP_CPU");
    assert_null(lks_kernels_check());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),        cmocka_unit_test(test_forced_level),
        cmocka_unit_test(test_rounding_modes),
#if defined(__x86_64__)
        cmocka_unit_test(test_mxcsr),          cmocka_unit_test(test_thread),
#endif
#if defined(__aarch64__)
        cmocka_unit_test(test_fpcr),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
