/* Peak rates of this machine's cores, for bench/cpu.sh: loops that only the hardware limits.
 *
 *     bench_limits THREADS BYTES
 *
 * Prints
 *   read GIGABYTES     a second, reading BYTES of memory, each thread its share
 *   NAME GIGAMACS      a second, products of 8-bit integers added up in 32 bits, operands in
 * registers, for each instruction that the machine has: amx, vnni512, vnni256, avxvnni, maddubs256
 * (AVX2: the two instructions and the addition that stand for one dot product), sdot (NEON) The
 * best of several tries of a few milliseconds: a limit is what the machine can do, not what it does
 * on average.
 */
#include "bench/bench_time.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

enum {
    TRIES = 25,
    MOST_THREADS = 64,
    LOOPS = 100000
};

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

/* In assembly, so that no compiler moves the sums about. Twelve sums are under way: they hide the
 * latency of two units. */
enum {
    CHAINS = 12
};
#define TWELVE(step)                                                                               \
    step("4") step("5") step("6") step("7") step("8") step("9") step("10") step("11") step("12")   \
        step("13") step("14") step("15")
#define LOOP(name, text, ...)                                                                      \
    static void name(share *s)                                                                     \
    {                                                                                              \
        for (int i = 0; i < LOOPS; i++)                                                            \
            __asm__ volatile(text ::: __VA_ARGS__);                                                \
        s->sink ^= 1;                                                                              \
    }

typedef struct unit {
    const char *name;
    bool (*there)(void);
    void (*loop)(share *s);
    double macs; /* of one call */
} unit;

#define VECTOR_MACS(bytes) ((double)(bytes) * CHAINS * LOOPS)

#if defined(__x86_64__)
#define VECTORS                                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",      \
        "xmm12", "xmm13", "xmm14", "xmm15"
#define VNNI512(k) "vpdpbusd %%zmm0, %%zmm1, %%zmm" k "\n\t"
#define VNNI256(k) "vpdpbusd %%ymm0, %%ymm1, %%ymm" k "\n\t"
#define AVXVNNI(k) "%{vex%} vpdpbusd %%ymm0, %%ymm1, %%ymm" k "\n\t"
#define MADDUBS256(k)                                                                              \
    "vpmaddubsw %%ymm0, %%ymm1, %%ymm2\n\tvpmaddwd %%ymm1, %%ymm2, %%ymm2\n\tvpaddd %%ymm2, "      \
    "%%ymm" k ", %%ymm" k "\n\t"
LOOP(vnni512, TWELVE(VNNI512), VECTORS)
LOOP(vnni256, TWELVE(VNNI256), VECTORS)
LOOP(avxvnni, TWELVE(AVXVNNI), VECTORS)
LOOP(maddubs256, TWELVE(MADDUBS256), VECTORS)

static uint32_t leaf7(uint32_t subleaf, int reg)
{
    uint32_t r[4] = {0};
    __get_cpuid_count(7, subleaf, &r[0], &r[1], &r[2], &r[3]);
    return r[reg];
}

static bool has_vnni512(void)
{
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl");
}
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
static bool has_avxvnni(void)
{
    return has_avx2() && leaf7(1, 0) >> 4 & 1;
}

/* AMX-TILE and AMX-INT8, and the kernel's permission to use them (Linux, arch_prctl:
 * ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static bool has_amx(void)
{
    return (leaf7(0, 3) >> 24 & 3) == 3 && syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

enum {
    TILE_PRODUCTS = 4,
    TILE_MACS = 16 * 16 * 64
};

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
    __asm__ volatile("ldtilecfg %0\n\ttilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero "
                     "%%tmm2\n\ttilezero %%tmm3\n\t"
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
    {"amx", has_amx, amx, (double)TILE_MACS *TILE_PRODUCTS *(LOOPS / 16)},
    {"vnni512", has_vnni512, vnni512, VECTOR_MACS(64)},
    {"vnni256", has_vnni512, vnni256, VECTOR_MACS(32)},
    {"avxvnni", has_avxvnni, avxvnni, VECTOR_MACS(32)},
    {"maddubs256", has_avx2, maddubs256, VECTOR_MACS(32)},
};
#elif defined(__aarch64__)
#define SDOT(k) "sdot v" k ".4s, v0.16b, v1.16b\n\t"
LOOP(sdot, ".arch armv8.2-a+dotprod\n\t" TWELVE(SDOT), "v0", "v1", "v4", "v5", "v6", "v7", "v8",
     "v9", "v10", "v11", "v12", "v13", "v14", "v15")

static bool has_sdot(void)
{
    return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
}

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
static double best_time(void (*loop)(share *s), unsigned threads, const uint8_t *memory,
                        size_t size)
{
    pthread_barrier_t barrier;
    pthread_t ids[MOST_THREADS];
    share shares[MOST_THREADS];
    double best = 1e9;
    size_t each = size / threads / 4096 * 4096;
    pthread_barrier_init(&barrier, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        shares[i] =
            (share){.barrier = &barrier, .loop = loop, .memory = memory + i * each, .size = each};
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
        fprintf(stderr, "usage: bench_limits THREADS BYTES (1 to %d threads, a page for each)\n",
                MOST_THREADS);
        return 2;
    }
    uint8_t *memory = aligned_alloc(4096, size);
    if (!memory) {
        fputs("bench_limits: out of memory\n", stderr);
        return 1;
    }
    memset(memory, 1, size);
    printf("read %.2f\n",
           1e-9 * (double)size / best_time(read_memory, (unsigned)threads, memory, size));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].there())
            printf("%s %.1f\n", units[i].name,
                   1e-9 * threads * units[i].macs /
                       best_time(units[i].loop, (unsigned)threads, memory, size));
    free(memory);
    return 0;
}
