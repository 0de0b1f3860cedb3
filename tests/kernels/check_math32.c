/* exp32 and log32 in vectors against those of kernels/math32.h, by memcmp, on every level that this
 * machine runs. Every 4,099th input, and those within 2,048 of the bounds that the programs branch
 * at; `check_math32 --all`: all 2^32, five minutes of one core.
 */
#include "kernels/kernels.h"
#include "kernels/math32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void function(float *y, const float *x, size_t count);

#define DECLARE(level) function lks_##level##_exp32, lks_##level##_log32;
#define LEVEL(level) {#level, lks_##level##_exp32, lks_##level##_log32}
#if defined(__x86_64__)
DECLARE(avx2)
DECLARE(avx512)
#elif defined(__aarch64__)
DECLARE(neon)
DECLARE(neondot)
#endif

static const struct level {
    const char *name;
    function *exp32, *log32;
} levels[] = {
#if defined(__x86_64__)
    LEVEL(avx2),
    LEVEL(avx512),
#elif defined(__aarch64__)
    LEVEL(neon),
    LEVEL(neondot),
#endif
    {NULL, NULL, NULL}};

enum {
    BATCH = 4096
};

static bool runs(const char *name)
{
    for (size_t i = 0; lks_kernels_at(i); i++)
        if (strcmp(lks_kernels_at(i)->name, name) == 0)
            return true;
    return false;
}

static void scalar_exp32(float *y, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = lks_exp32(x[i]);
}

static void scalar_log32(float *y, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = lks_log32(x[i]);
}

/* BATCH inputs from `first` on, `step` apart. Returns: how many results differ. */
static uint64_t compare(const char *level, const char *name, function *want, function *got,
                        uint32_t first, uint32_t step)
{
    float x[BATCH], a[BATCH], b[BATCH];
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < BATCH; i++)
        x[i] = lks_float(first + i * step);
    want(a, x, BATCH);
    got(b, x, BATCH);
    if (memcmp(a, b, sizeof a) == 0)
        return 0;
    for (uint32_t i = 0; i < BATCH; i++)
        if (lks_bits(a[i]) != lks_bits(b[i]) && wrong++ == 0)
            printf("%s: %s(%08x) is %08x, not %08x\n", level, name, lks_bits(x[i]), lks_bits(b[i]),
                   lks_bits(a[i]));
    return wrong;
}

static uint64_t check(const struct level *l, uint64_t *inputs, bool all)
{
    /* zeros, subnormals, 1, bounds of exp32 (89, 105, ln 2 * 126), mantissa of log32, infinities
     * and NaN; and their negatives */
    static const uint32_t edges[] = {0,          0x00000001, 0x00800000, 0x0c800000,
                                     0x3f2aaaab, 0x3f800000, 0x3fb8aa3b, 0x42aeac50,
                                     0x42b17218, 0x42b20000, 0x42cff1b5, 0x42d20000,
                                     0x7f000000, 0x7f7fffff, 0x7f800000, 0x7fc00000};
    uint64_t wrong = 0;
    uint32_t step = all ? 1 : 4099;
    for (uint64_t u = 0; u < UINT64_C(1) << 32 && wrong < 100;
         u += (uint64_t)BATCH * step, *inputs += BATCH) {
        wrong += compare(l->name, "exp32", scalar_exp32, l->exp32, (uint32_t)u, step);
        wrong += compare(l->name, "log32", scalar_log32, l->log32, (uint32_t)u, step);
    }
    for (size_t i = 0; i < 2 * sizeof edges / sizeof *edges; i++, *inputs += BATCH) {
        uint32_t first = (edges[i / 2] | (uint32_t)(i & 1) << 31) - BATCH / 2;
        wrong += compare(l->name, "exp32", scalar_exp32, l->exp32, first, 1);
        wrong += compare(l->name, "log32", scalar_log32, l->log32, first, 1);
    }
    return wrong;
}

int main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
    uint64_t wrong = 0;
    for (const struct level *l = levels; l->name; l++) {
        uint64_t inputs = 0;
        if (!runs(l->name))
            continue;
        wrong += check(l, &inputs, all);
        printf("count check_math32_%s %llu\n", l->name, (unsigned long long)inputs);
    }
    return wrong != 0;
}
