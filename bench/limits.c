/* What this machine's cores can do at best, for bench/cpu.sh: loops that nothing but the hardware limits.
 *
 *     bench_limits THREADS BYTES
 *
 * Prints
 *   read GIGABYTES     a second, reading BYTES of memory, each thread its share
 *   NAME GIGAMACS      a second, products of 8-bit integers added up in 32 bits, operands in registers, for each instruction that the machine has:
 *                      amx, vnni512, vnni256, avxvnni, maddubs256 (AVX2: the two instructions and the addition that stand for one dot product), sdot (NEON)
 * The best of several tries of a few milliseconds: a limit is what the machine can do, not what it does on average.
 */
#include "bench/bench_time.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#endif

enum { TRIES = 25, MOST_THREADS = 64, LOOPS = 100000 };

typedef struct share {
    pthread_barrier_t *barrier;
    void (*loop)(struct share *s);
    const uint8_t *memory;
    size_t size;
    double start, end;
    uint64_t sink; /* keeps the compiler from leaving the loop out */
} share;

static void read_memory(share *s)
{
    typedef uint64_t vector __attribute__((vector_size(32), aligned(32)));
    const vector *v = (const vector *)s->memory;
    vector sum[8] = {{0}};
    for (size_t i = 0; i + 8 <= s->size / sizeof *v; i += 8)
        for (int k = 0; k < 8; k++)
            sum[k] ^= v[i + k];
    for (int k = 0; k < 8; k++)
        for (int j = 0; j < 4; j++)
            s->sink ^= sum[k][j];
}

/* ---- Arithmetic ---- */

enum { CHAINS = 12 }; /* sums under way: they hide the latency of two units */

/* The empty asm makes sums and operands unknown, so that the compiler folds nothing. */
#define LOOP(name, flags, constraint, type, zero, step, part) \
    __attribute__((target(flags))) static void name(share *s) \
    { \
        type x = zero, y = zero, a[CHAINS]; \
        for (int k = 0; k < CHAINS; k++) { \
            a[k] = zero; \
            __asm__ volatile("" : "+" constraint(a[k])); \
        } \
        for (int i = 0; i < LOOPS; i++) { \
            __asm__ volatile("" : "+" constraint(x), "+" constraint(y)); \
            _Pragma("GCC unroll 12") for (int k = 0; k < CHAINS; k++) a[k] = step; \
        } \
        for (int k = 0; k < CHAINS; k++) \
            s->sink ^= (uint64_t)part; \
    }

typedef struct unit {
    const char *name;
    bool (*there)(void);
    void (*loop)(share *s);
    double macs; /* of one call */
} unit;

#define VECTOR_MACS(bytes) ((double)(bytes)*CHAINS * LOOPS)

#if defined(__x86_64__)
LOOP(vnni512, "avx512f,avx512vnni", "v", __m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(a[k], x, y), _mm512_reduce_add_epi32(a[k]))
LOOP(vnni256, "avx512vl,avx512vnni", "v", __m256i, _mm256_setzero_si256(), _mm256_dpbusd_epi32(a[k], x, y), _mm256_extract_epi32(a[k], 0))
LOOP(avxvnni, "avxvnni", "x", __m256i, _mm256_setzero_si256(), _mm256_dpbusd_avx_epi32(a[k], x, y), _mm256_extract_epi32(a[k], 0))
LOOP(maddubs256, "avx2", "x", __m256i, _mm256_setzero_si256(), _mm256_add_epi32(a[k], _mm256_madd_epi16(_mm256_maddubs_epi16(x, y), y)),
     _mm256_extract_epi32(a[k], 0))

static uint32_t leaf7(uint32_t subleaf, int reg)
{
    uint32_t r[4] = {0};
    __get_cpuid_count(7, subleaf, &r[0], &r[1], &r[2], &r[3]);
    return r[reg];
}

static bool has_vnni512(void) { return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl"); }
static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
static bool has_avxvnni(void) { return has_avx2() && leaf7(1, 0) >> 4 & 1; }

/* AMX-TILE and AMX-INT8, and the kernel's permission to use them (Linux, arch_prctl: ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static bool has_amx(void) { return (leaf7(0, 3) >> 24 & 3) == 3 && syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

enum { TILE_PRODUCTS = 4, TILE_MACS = 16 * 16 * 64 };

/* Four sums of 16 x 16 from two tiles by two tiles of 16 rows of 64 bytes. */
static void amx(share *s)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int k = 0; k < 8; k++) {
        config.row_bytes[k] = 64;
        config.rows[k] = 16;
    }
    __asm__ volatile("ldtilecfg %0\n\ttilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\ttilezero %%tmm3\n\t"
                     "tilezero %%tmm4\n\ttilezero %%tmm5\n\ttilezero %%tmm6\n\ttilezero %%tmm7"
                     :
                     : "m"(config));
    for (int i = 0; i < LOOPS / 16; i++)
        __asm__ volatile("tdpbusd %%tmm6, %%tmm4, %%tmm0\n\ttdpbusd %%tmm7, %%tmm4, %%tmm1\n\t"
                         "tdpbusd %%tmm6, %%tmm5, %%tmm2\n\ttdpbusd %%tmm7, %%tmm5, %%tmm3" ::);
    __asm__ volatile("tilerelease" ::);
    s->sink ^= 1;
}

static const unit units[] = {
    {"amx", has_amx, amx, (double)TILE_MACS * TILE_PRODUCTS * (LOOPS / 16)},
    {"vnni512", has_vnni512, vnni512, VECTOR_MACS(64)},
    {"vnni256", has_vnni512, vnni256, VECTOR_MACS(32)},
    {"avxvnni", has_avxvnni, avxvnni, VECTOR_MACS(32)},
    {"maddubs256", has_avx2, maddubs256, VECTOR_MACS(32)},
};
#elif defined(__aarch64__)
LOOP(sdot, "arch=armv8.2-a+dotprod", "w", int32x4_t, vdupq_n_s32(0), vdotq_s32(a[k], vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(y)),
     vaddvq_s32(a[k]))

static bool has_sdot(void) { return getauxval(AT_HWCAP) & HWCAP_ASIMDDP; }

static const unit units[] = {{"sdot", has_sdot, sdot, VECTOR_MACS(16)}};
#else
#error "bench_limits knows x86-64 and AArch64"
#endif

/* ---- Threads ---- */

static void *share_main(void *argument)
{
    share *s = argument;
    for (int i = 0; i < TRIES; i++) {
        pthread_barrier_wait(s->barrier);
        s->start = bench_now();
        s->loop(s);
        s->end = bench_now();
        pthread_barrier_wait(s->barrier);
    }
    return NULL;
}

/* Seconds of the fastest try, all threads together. */
static double best_time(void (*loop)(share *s), unsigned threads, const uint8_t *memory, size_t size)
{
    pthread_barrier_t barrier;
    pthread_t ids[MOST_THREADS];
    share shares[MOST_THREADS];
    double best = 1e9;
    size_t each = size / threads / 4096 * 4096;
    pthread_barrier_init(&barrier, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        shares[i] = (share){.barrier = &barrier, .loop = loop, .memory = memory + i * each, .size = each};
        if (pthread_create(&ids[i], NULL, share_main, &shares[i])) {
            fputs("bench_limits: cannot start a thread\n", stderr);
            exit(1);
        }
    }
    for (int i = 0; i < TRIES; i++) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        double start = shares[0].start, end = shares[0].end;
        for (unsigned k = 1; k < threads; k++) {
            start = shares[k].start < start ? shares[k].start : start;
            end = shares[k].end > end ? shares[k].end : end;
        }
        best = end - start < best ? end - start : best;
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    pthread_barrier_destroy(&barrier);
    return best;
}

int main(int argc, char **argv)
{
    int threads = argc == 3 ? atoi(argv[1]) : 0;
    size_t size = argc == 3 ? strtoull(argv[2], NULL, 10) / 4096 * 4096 : 0;
    if (threads < 1 || threads > MOST_THREADS || size < 4096u * (unsigned)threads) {
        fprintf(stderr, "usage: bench_limits THREADS BYTES (1 to %d threads, a page for each)\n", MOST_THREADS);
        return 2;
    }
    uint8_t *memory = aligned_alloc(4096, size);
    if (!memory) {
        fputs("bench_limits: out of memory\n", stderr);
        return 1;
    }
    memset(memory, 1, size);
    printf("read %.2f\n", 1e-9 * (double)size / best_time(read_memory, (unsigned)threads, memory, size));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].there())
            printf("%s %.1f\n", units[i].name, 1e-9 * threads * units[i].macs / best_time(units[i].loop, (unsigned)threads, memory, size));
    free(memory);
    return 0;
}
