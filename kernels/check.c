/* The start-up check of the machine and of the calling thread's floating-point environment. */
#include "kernels/bits.h"
#include "kernels/kernels.h"

#include <float.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(float) == 4 && FLT_MANT_DIG == 24 && FLT_MAX_EXP == 128,
               "float is IEEE 754 binary32");
_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53, "double is IEEE 754 binary64");
_Static_assert(FLT_EVAL_METHOD == 0, "no excess precision");
_Static_assert(CHAR_BIT == 8 && (-1 >> 1) == -1 && (int8_t)0xff == -1,
               "two's complement, arithmetic shift");
#ifdef __FAST_MATH__
#error "built with -ffast-math: it changes results"
#endif

#if defined(__x86_64__)
#define LEVELS "scalar, avx2, avxvnni, avx512 or amx"
#elif defined(__aarch64__)
#define LEVELS "scalar, neon or neondot"

/* Conversions of halves follow a control bit (FPCR.AHP): ARM's own format has numbers where IEEE
 * 754 has infinities and NaNs. */
static bool has_ieee_halves(void)
{
    volatile uint16_t infinity = 0x7c00;
    uint16_t bits = infinity;
    __fp16 half;
    memcpy(&half, &bits, 2);
    return lks_bits((float)half) == 0x7f800000u;
}
#else
#define LEVELS "scalar"
#endif

/* Behaviour is tested instead of control registers, so that one check serves every architecture.
 * Volatile: at run time, on this thread. */
const char *lks_kernels_check(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("fma"))
        return "this processor has no FMA3 instructions, which the arithmetic needs";
    if (!__builtin_cpu_supports("sse4.1"))
        return "this processor has no SSE4.1 instructions, which the arithmetic needs";
#endif
    const char *wanted = getenv("LOCKSTEP_CPU");
    if (wanted && strcmp(lks_kernels_best()->name, wanted) != 0)
        return "LOCKSTEP_CPU names no instruction set that this machine runs: use " LEVELS
               ", or unset it";
    /* A subnormal operand with a normal result, and the reverse, so that each setting is seen by
     * itself. */
    volatile float smallest = lks_float(1), large = 0x1p100f, half = 0.5f, least_normal = FLT_MIN;
    volatile float kept = smallest * large, made = least_normal * half;
    if (kept != 0x1p-49f)
        return "the thread treats subnormal numbers as zero (DAZ is set): start it without "
               "-ffast-math libraries";
    if (lks_bits(made) != 0x00400000u)
        return "the thread flushes subnormal results to zero (FTZ is set): start it without "
               "-ffast-math libraries";
    volatile float one = 1.0f, quarter_ulp = FLT_EPSILON / 4, minus = -1.0f;
    if (one + quarter_ulp != one || minus - quarter_ulp != minus || one - quarter_ulp / 2 != one)
        return "the thread's rounding mode is not round-to-nearest-even";
#if defined(__aarch64__)
    if (!has_ieee_halves())
        return "the thread reads half-precision numbers in ARM's alternative format (FPCR.AHP is "
               "set)";
#endif
    return NULL;
}
