/* The tables of kernels, and which one this machine runs. */
#include "kernels/scalar/scalar.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* LINEAR of one instruction set and the other operations of `level`, the same or one below it whose
 * code would be the same. */
#define TABLE(set, width, level)                                                                   \
    {                                                                                              \
        .name = #set,                                                                              \
        .lanes = width,                                                                            \
        .embed = lks_##level##_embed,                                                              \
        .linear = lks_##set##_linear,                                                              \
        .rms = lks_##level##_rms,                                                                  \
        .norm_q = lks_##level##_norm_q,                                                            \
        .quant = lks_##level##_quant,                                                              \
        .rope = lks_##level##_rope,                                                                \
        .silu_mul = lks_##level##_silu_mul,                                                        \
        .add = lks_##level##_add,                                                                  \
        .attn = lks_##level##_attn,                                                                \
        .sample_max = lks_##level##_sample_max,                                                    \
        .sample_choose = lks_##level##_sample_choose,                                              \
    }

const lks_kernels lks_kernels_scalar = TABLE(scalar, 0, scalar);

void lks_scalar_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first,
                       uint32_t last, const lks_a8 *x, size_t rows)
{
    lks_scalar_linear_stored(y, ld, w, bias, first, last, x, rows);
}

#if defined(__x86_64__)
static const lks_kernels avx2 = TABLE(avx2, 8, avx2), avxvnni = TABLE(avxvnni, 8, avx2),
                         avx512 = TABLE(avx512, 16, avx512), amx = TABLE(amx, 16, avx512);

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* Leaf 7.1, EAX bit 4 (Intel SDM, CPUID); compilers' own names for it came later. */
static bool has_avxvnni(void)
{
    unsigned a, b, c, d;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

/* Leaf 7, EDX bits 24 (AMX-TILE) and 25 (AMX-INT8). The tiles' state is large: Linux wants it asked
 * for, once a process, before the first use. */
static bool has_amx(void)
{
#if defined(__linux__)
    enum {
        ARCH_REQ_XCOMP_PERM_ = 0x1023,
        XFEATURE_XTILEDATA = 18
    };
    unsigned a, b, c, d;
    return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 3) == 3 &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM_, XFEATURE_XTILEDATA) == 0;
#else
    return false;
#endif
}
#endif

#if defined(__aarch64__)
static const lks_kernels neon = TABLE(neon, 4, neon), neondot = TABLE(neondot, 4, neondot);

static bool has_dot_product(void)
{
    return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
}
#endif

/* Slowest first. */
static const struct level {
    const lks_kernels *table;
    bool (*runs)(void);
} levels[] = {
    {&lks_kernels_scalar, NULL},
#if defined(__x86_64__)
    {&avx2, has_avx2},
    {&avxvnni, has_avxvnni},
    {&avx512, has_avx512},
    {&amx, has_amx},
#endif
#if defined(__aarch64__)
    {&neon, NULL},
    {&neondot, has_dot_product},
#endif
};

const lks_kernels *lks_kernels_at(size_t index)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if ((!levels[i].runs || levels[i].runs()) && index-- == 0)
            return levels[i].table;
    return NULL;
}

const lks_kernels *lks_kernels_best(void)
{
    const char *wanted = getenv("LOCKSTEP_CPU");
    const lks_kernels *best = &lks_kernels_scalar;
    for (size_t i = 0; lks_kernels_at(i); i++) {
        best = lks_kernels_at(i);
        if (wanted && strcmp(wanted, best->name) == 0)
            break;
    }
    return best;
}
