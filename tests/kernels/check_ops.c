/* Every operation of every table that this machine runs, against the scalar reference, by memcmp:
 * shapes around block lengths, fills from zero to NaN, buffers at odd addresses with guard bytes,
 * work split among threads. `check_ops --bench` times the same operations; `check_ops --few` tries
 * fewer cases.
 */
#include "kernels/bits.h"
#include "kernels/kernels.h"
#include "tests/kernels/extra_tables.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    GUARD = 64,
    MAX_THREADS = 4
};

static uint64_t cases, failures;
/* About a sixth of the cases, for emulated machines and sanitizers. */
#ifdef LKS_FEWER_CASES
static bool few = true;
#else
static bool few;
#endif

/* ---- Random numbers and fills ---- */

static uint64_t state = 0x9e3779b97f4a7c15u;
static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
static uint32_t below(uint32_t n)
{
    return (uint32_t)(next() >> 32) % n;
}

typedef enum fill {
    ZERO,
    EXTREME,
    ALTERNATING,
    RANDOM,
    SUBNORMAL,
    NEAR,
    WILD,
    FILLS
} fill;
static const char *const fill_names[] = {"zero",      "extreme", "alternating", "random",
                                         "subnormal", "near",    "wild"};

static float value(fill f, size_t i)
{
    static const uint32_t odd[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345,
                                   0x7f7fffff, 0xff7fffff, 1,          0x80000001,
                                   0x80000000, 0x00800000, 0x3f800000};
    switch (f) {
    case ZERO: return i & 1 ? -0.0f : 0.0f;
    case EXTREME: return i & 1 ? 3.4e38f : -3.4e38f;
    case ALTERNATING: return i & 1 ? 1.0f : -1.0f;
    case SUBNORMAL: return lks_float(below(0x00800000u) | (i & 1) << 31);
    case NEAR:
        return lks_float((below(2) ? 0x3ffe0000u : 0x0d800000u) - 2 + below(5) +
                         (below(2) << 31)); /* neighbours: of one scale, at its least */
    case WILD:
        return below(3) ? lks_float((uint32_t)next())
                        : lks_float(odd[below(sizeof odd / sizeof *odd)]);
    default: return ((float)below(1u << 24) * 0x1p-23f - 1.0f) * lks_float((127u + below(8)) << 23);
    }
}

static int8_t byte(fill f, size_t i)
{
    switch (f) {
    case ZERO: return 0;
    case EXTREME: return i & 1 ? -127 : 127;
    case ALTERNATING: return i & 1 ? 1 : -1;
    default: return (int8_t)((int)below(255) - 127);
    }
}

/* ---- Guarded buffers ---- */

typedef struct guarded {
    uint8_t *memory, *data;
    size_t size;
} guarded;

static guarded make(size_t size)
{
    guarded g = {.size = size};
    g.memory = malloc(size + 2 * GUARD + 4);
    g.data = g.memory + GUARD + 4; /* on a multiple of 4, of no more */
    memset(g.memory, 0xa5, size + 2 * GUARD + 4);
    return g;
}

static bool intact(const guarded *g)
{
    for (size_t i = 0; i < GUARD; i++)
        if (g->data[-1 - (ptrdiff_t)i] != 0xa5 || (i < GUARD && g->data[g->size + i] != 0xa5))
            return false;
    return true;
}

static void report(const char *table, const char *op, const char *what, bool good)
{
    cases++;
    if (!good && failures++ < 20)
        printf("FAILED %s %s: %s\n", table, op, what);
}

/* The same bits; a NaN of an operation that need not make it canonical is any NaN. */
static bool same_floats(const float *a, const float *b, size_t count, bool canonical)
{
    for (size_t i = 0; i < count; i++) {
        float x = canonical ? a[i] : lks_canonical(a[i]),
              y = canonical ? b[i] : lks_canonical(b[i]);
        if (memcmp(&x, &y, 4))
            return false;
    }
    return true;
}

/* ---- A8 rows ---- */

typedef struct rows_a8 {
    lks_a8 a;
    guarded q, d, sum, idx;
} rows_a8;

static rows_a8 make_a8(uint32_t width, uint32_t block, size_t rows)
{
    rows_a8 r;
    uint32_t blocks = (width + block - 1) / block;
    r.q = make(rows * width);
    r.d = make(rows * blocks * 4);
    r.sum = make(rows * ((width + 31) / 32) * 4);
    r.idx = make(rows * blocks * 4);
    r.a = (lks_a8){.q = (int8_t *)r.q.data,
                   .d = (float *)(void *)r.d.data,
                   .sum = (int32_t *)(void *)r.sum.data,
                   .idx = (uint32_t *)(void *)r.idx.data,
                   .width = width,
                   .block = block,
                   .blocks = blocks,
                   .q_ld = width,
                   .d_ld = blocks,
                   .sum_ld = (width + 31) / 32};
    return r;
}

static void free_a8(rows_a8 *r)
{
    free(r->q.memory), free(r->d.memory), free(r->sum.memory), free(r->idx.memory);
}

static bool same_a8(const rows_a8 *x, const rows_a8 *y)
{
    return intact(&y->q) && intact(&y->d) && intact(&y->sum) && intact(&y->idx) &&
           !memcmp(x->q.data, y->q.data, x->q.size) && !memcmp(x->d.data, y->d.data, x->d.size) &&
           !memcmp(x->sum.data, y->sum.data, x->sum.size) &&
           !memcmp(x->idx.data, y->idx.data, x->idx.size);
}

static void fill_a8(rows_a8 *r, fill f, size_t rows)
{
    for (size_t i = 0; i < r->q.size; i++)
        r->a.q[i] = byte(f, i);
    for (size_t i = 0; i < r->d.size / 4; i++)
        r->a.d[i] = value(f, i);
    for (size_t t = 0; t < rows; t++)
        for (uint32_t b = 0; b < r->a.sum_ld; b++) {
            int32_t s = 0;
            for (uint32_t i = 32 * b; i < 32 * b + 32 && i < r->a.width; i++)
                s += r->a.q[t * r->a.width + i];
            r->a.sum[t * r->a.sum_ld + b] = s;
        }
}

/* ---- LINEAR ---- */

static const struct {
    lks_tensor_type type;
    const char *name;
    uint32_t elements, bytes;
} types[] = {
    {LKS_Q4_0, "Q4_0", 32, 18},   {LKS_Q4_1, "Q4_1", 32, 20},   {LKS_Q5_0, "Q5_0", 32, 22},
    {LKS_Q5_1, "Q5_1", 32, 24},   {LKS_Q8_0, "Q8_0", 32, 34},   {LKS_Q4_K, "Q4_K", 256, 144},
    {LKS_Q5_K, "Q5_K", 256, 176}, {LKS_Q6_K, "Q6_K", 256, 210},
};
enum {
    TYPES = sizeof types / sizeof *types
};

/* Random bytes are all a weight needs; the fill decides whether scales are tame halves. */
static void fill_weights(uint8_t *data, size_t size, int type, fill f)
{
    for (size_t i = 0; i < size; i++)
        data[i] = f == ZERO ? 0 : f == EXTREME ? (uint8_t)(i & 1 ? 0xff : 0x7f) : (uint8_t)next();
    if (f == WILD || f == EXTREME || f == ZERO)
        return;
    for (size_t block = 0; block < size; block += types[type].bytes) {
        uint8_t *scales = data + block + (types[type].type == LKS_Q6_K ? 208 : 0);
        scales[1] = (uint8_t)(0x20 | (scales[1] & 0x83)); /* halves of a middling size */
        if (types[type].type == LKS_Q4_1 || types[type].type == LKS_Q5_1 ||
            types[type].type == LKS_Q4_K || types[type].type == LKS_Q5_K)
            scales[3] = (uint8_t)(0x20 | (scales[3] & 0x83));
    }
}

typedef struct linear_job {
    const lks_kernels *k;
    float *y;
    size_t ld;
    const lks_matrix *w;
    const float *bias;
    uint32_t first, last;
    const lks_a8 *x;
    size_t rows;
} linear_job;

static void *linear_thread(void *arg)
{
    linear_job *j = arg;
    j->k->linear(j->y, j->ld, j->w, j->bias, j->first, j->last, j->x, j->rows);
    return NULL;
}

/* Columns [first, last) in one call, or split among threads. */
static void linear_split(const linear_job *whole, unsigned threads)
{
    pthread_t ids[MAX_THREADS];
    linear_job jobs[MAX_THREADS];
    uint32_t count = whole->last - whole->first;
    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = *whole;
        jobs[i].first = whole->first + count * i / threads;
        jobs[i].last = whole->first + count * (i + 1) / threads;
        jobs[i].y = whole->y + (jobs[i].first - whole->first);
        if (pthread_create(&ids[i], NULL, linear_thread, &jobs[i]))
            abort();
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
}

static void check_linear(const lks_kernels *k, int type, uint32_t rows_w, uint32_t cols,
                         size_t rows, fill f, bool bias, unsigned threads)
{
    lks_matrix w = {types[type].type,
                    rows_w,
                    cols,
                    NULL,
                    (size_t)cols / types[type].elements * types[type].bytes,
                    NULL,
                    0};
    guarded data = make(w.row_size * rows_w);
    fill_weights(data.data, data.size, type, f);
    w.data = data.data;
    rows_a8 x = make_a8(cols, 64, rows);
    fill_a8(&x, f == WILD && below(2) ? RANDOM : f, rows);
    uint32_t first = below(rows_w), last = first + 1 + below(rows_w - first);
    float *b = malloc(rows_w * sizeof *b);
    for (uint32_t i = 0; i < rows_w; i++)
        b[i] = value(f, i);
    size_t ld = last - first + below(3);
    guarded want = make(rows * ld * 4), got = make(rows * ld * 4);
    lks_kernels_scalar.linear((float *)(void *)want.data, ld, &w, bias ? b : NULL, first, last,
                              &x.a, rows);
    guarded packed = {0};
    if (k->lanes) {
        packed = make(lks_packed_size(&w, k->lanes));
        uint32_t middle = rows_w / 2 / k->lanes * k->lanes;
        lks_pack(packed.data, &w, k->lanes, middle, rows_w);
        lks_pack(packed.data, &w, k->lanes, 0, middle);
        w.packed = packed.data;
        w.lanes = k->lanes;
    }
    linear_job j = {k, (float *)(void *)got.data, ld, &w, bias ? b : NULL, first, last, &x.a, rows};
    linear_split(&j, threads);
    bool good = intact(&got) && intact(&want) && (!k->lanes || intact(&packed));
    for (size_t t = 0; good && t < rows; t++)
        good = same_floats((float *)(void *)want.data + t * ld, (float *)(void *)got.data + t * ld,
                           last - first, false);
    char what[160];
    snprintf(what, sizeof what, "%s %u x %u, columns %u to %u, %zu rows, %s%s, %u threads",
             types[type].name, rows_w, cols, first, last, rows, fill_names[f], bias ? ", bias" : "",
             threads);
    report(k->name, "linear", what, good);
    free(want.memory), free(got.memory), free(data.memory), free(b), free(packed.memory);
    free_a8(&x);
}

static void check_linears(const lks_kernels *k)
{
    static const uint32_t widths[] = {1, 7, 8, 15, 16, 17, 31, 33, 80},
                          cols[] = {32, 64, 96, 256, 512, 576, 768, 1536, 4352};
    enum {
        MORE_THAN_A_TILE = 97
    };
    static const size_t counts[] = {1, 2, 3, 5, 6, 7, 8, 9, 33, MORE_THAN_A_TILE};
    for (int type = 0; type < TYPES; type++)
        for (size_t c = 0; c < sizeof cols / sizeof *cols; c++) {
            if (cols[c] % types[type].elements)
                continue;
            for (size_t r = 0; r < sizeof widths / sizeof *widths; r++)
                for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
                    if ((!few || below(6) == 0) &&
                        (counts[n] < MORE_THAN_A_TILE || cols[c] == 96 || cols[c] == 1536))
                        check_linear(k, type, widths[r], cols[c], counts[n], (fill)below(FILLS),
                                     below(2),
                                     cols[c] == 256 && n == 0 ? 1 + below(MAX_THREADS) : 1);
        }
}

/* ---- The other operations ---- */

static float *floats(fill f, size_t count)
{
    float *x = malloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = value(f, i);
    return x;
}

static void check_rows(const lks_kernels *k, uint32_t width, size_t rows, fill f)
{
    char what[96];
    snprintf(what, sizeof what, "width %u, %zu rows, %s", width, rows, fill_names[f]);
    float *x = floats(f, rows * width), *gain = floats(f == WILD ? RANDOM : f, width),
          *z = floats(f, rows * width);
    uint32_t sums = (width + 255) / 256 + 1;
    guarded want = make(rows * sums * 4), got = make(rows * sums * 4);
    lks_kernels_scalar.rms((float *)(void *)want.data, x, width, 1e-5f, rows);
    k->rms((float *)(void *)got.data, x, width, 1e-5f, rows);
    report(k->name, "rms", what, intact(&got) && !memcmp(want.data, got.data, want.size));

    rows_a8 a = make_a8(width, 64, rows), b = make_a8(width, 64, rows);
    lks_kernels_scalar.norm_q(&a.a, x, (float *)(void *)want.data, sums, gain, rows);
    k->norm_q(&b.a, x, (float *)(void *)want.data, sums, gain, rows);
    report(k->name, "norm_q", what, same_a8(&a, &b));
    free_a8(&a), free_a8(&b);

    uint32_t block = below(2) ? 64 : 128;
    a = make_a8(width, block, rows), b = make_a8(width, block, rows);
    lks_kernels_scalar.quant(&a.a, x, width, rows);
    k->quant(&b.a, x, width, rows);
    report(k->name, "quant", what, same_a8(&a, &b));
    free_a8(&a), free_a8(&b);

    guarded y1 = make(rows * width * 4), y2 = make(rows * width * 4);
    lks_kernels_scalar.add((float *)(void *)y1.data, width, x, width, z, width, width, rows);
    k->add((float *)(void *)y2.data, width, x, width, z, width, width, rows);
    report(k->name, "add", what, intact(&y2) && !memcmp(y1.data, y2.data, y1.size));

    memcpy(y1.data, x, y1.size), memcpy(y2.data, x, y2.size);
    lks_kernels_scalar.silu_mul((float *)(void *)y1.data, z, rows * width);
    k->silu_mul((float *)(void *)y2.data, z, rows * width);
    report(k->name, "silu_mul", what,
           intact(&y2) && same_floats((float *)(void *)y1.data, (float *)(void *)y2.data,
                                      rows * width, false));

    if (width % 2 == 0 && width <= 256) {
        uint32_t rot = below(2) ? width : 2 + 2 * below(width / 2);
        float *table = floats(ALTERNATING, rows * rot);
        for (size_t i = 0; i < rows * rot; i++)
            table[i] = (float)below(2001) * 0.001f - 1.0f;
        bool halves = below(2);
        uint32_t heads = width % 4 == 0 && rot <= width / 2 ? 2 : 1;
        memcpy(y1.data, x, y1.size), memcpy(y2.data, x, y2.size);
        lks_kernels_scalar.rope((float *)(void *)y1.data, width, heads, width / heads, rot, halves,
                                table, rows);
        k->rope((float *)(void *)y2.data, width, heads, width / heads, rot, halves, table, rows);
        report(k->name, "rope", what,
               intact(&y2) && same_floats((float *)(void *)y1.data, (float *)(void *)y2.data,
                                          rows * width, false));
        free(table);
    }
    free(y1.memory), free(y2.memory), free(want.memory), free(got.memory), free(x), free(z),
        free(gain);
}

/* Positions [first, first + rows). */
static void check_attn(const lks_kernels *k, uint32_t width, uint32_t first, uint32_t rows, fill f)
{
    uint32_t blocks = width > 128 ? width / 128 : 1, last = first + rows - 1;
    size_t keys = last + 1, ld = width + below(3);
    guarded kq = make(keys * width), vq = make(keys * width), q = make(rows * width),
            want = make(rows * ld * 4), got = make(rows * ld * 4);
    for (size_t i = 0; i < keys * width; i++)
        kq.data[i] = (uint8_t)byte(f, i), vq.data[i] = (uint8_t)byte(f == ZERO ? RANDOM : f, i + 1);
    for (size_t i = 0; i < rows * width; i++)
        q.data[i] = (uint8_t)byte(f, i);
    float *dk = floats(f, keys * blocks),
          *dv = floats(f == WILD && below(2) ? RANDOM : f, keys * blocks),
          *dq = floats(RANDOM, rows * blocks);
    if (below(2)) /* scales as quantisation makes them: of no sign */
        for (size_t i = 0; i < keys * blocks; i++)
            dk[i] = lks_float(lks_bits(dk[i]) & 0x7fffffffu),
            dv[i] = lks_float(lks_bits(dv[i]) & 0x7fffffffu);
    lks_a8 qa = {.q = (int8_t *)q.data,
                 .d = dq,
                 .width = width,
                 .block = width / blocks,
                 .blocks = blocks,
                 .q_ld = width,
                 .d_ld = blocks},
           ka = qa, va = qa;
    ka.q = (int8_t *)kq.data, ka.d = dk, va.q = (int8_t *)vq.data, va.d = dv;
    float *scratch = malloc(rows * lks_attn_scratch(last) * sizeof *scratch),
          *y = (float *)(void *)got.data;
    lks_kernels_scalar.attn((float *)(void *)want.data, ld, &qa, &ka, &va, first, rows, 0.125f,
                            scratch);
    k->attn(y, ld, &qa, &ka, &va, first, rows, 0.125f, scratch);
    char what[128];
    snprintf(what, sizeof what, "head width %u, %u positions from %u, %s", width, rows, first,
             fill_names[f]);
    report(k->name, "attn", what, intact(&got) && !memcmp(want.data, got.data, want.size));
    free(kq.memory), free(vq.memory), free(q.memory), free(want.memory), free(got.memory), free(dk),
        free(dv), free(dq), free(scratch);
}

static void check_embed(const lks_kernels *k, int type, uint32_t cols)
{
    lks_matrix w = {types[type].type,
                    5,
                    cols,
                    NULL,
                    (size_t)cols / types[type].elements * types[type].bytes,
                    NULL,
                    0};
    guarded data = make(w.row_size * w.rows);
    uint32_t ids[3] = {below(5), below(7), 4};
    fill_weights(data.data, data.size, type, (fill)below(FILLS));
    w.data = data.data;
    guarded want = make(3 * cols * 4), got = make(3 * cols * 4);
    lks_kernels_scalar.embed((float *)(void *)want.data, &w, ids, 3);
    k->embed((float *)(void *)got.data, &w, ids, 3);
    report(k->name, "embed", types[type].name,
           intact(&got) && !memcmp(want.data, got.data, want.size));
    free(data.memory), free(want.memory), free(got.memory);
}

/* A strictly increasing list of some tokens below vocab, not empty. Returns: their number. */
static size_t some_tokens(uint32_t *allowed, uint32_t vocab)
{
    size_t count = 0;
    uint32_t among = 1 + below(4);
    for (uint32_t i = 0; i < vocab; i++)
        if (below(among) == 0)
            allowed[count++] = i;
    if (count == 0)
        allowed[count++] = below(vocab);
    return count;
}

static void check_sample(const lks_kernels *k, uint32_t vocab, fill f)
{
    static const float temperatures[] = {0.0f, 0x1p-10f, 0.8f, 1.0f, 1e30f},
                       least[] = {0.0f, 1e-38f, 0.05f, 1.0f};
    guarded g = make(vocab * 4);
    float *logits = (float *)(void *)g.data;
    uint32_t *allowed = malloc(vocab * sizeof *allowed);
    for (uint32_t i = 0; i < vocab; i++)
        logits[i] = value(f, i);
    lks_sampling policy = {
        .temperature = temperatures[below(5)], .min_p = least[below(4)], .seed = next()};
    if (below(2)) {
        policy.allowed = allowed;
        policy.allowed_count = some_tokens(allowed, vocab);
    }
    char what[128];
    snprintf(what, sizeof what, "vocabulary %u, %s, temperature %g, min-p %g, %zu allowed", vocab,
             fill_names[f], (double)policy.temperature, (double)policy.min_p, policy.allowed_count);
    lks_sample_row want, got;
    lks_kernels_scalar.sample_max(&want, logits, vocab, &policy);
    k->sample_max(&got, logits, vocab, &policy);
    report(k->name, "sample_max", what,
           lks_bits(want.max) == lks_bits(got.max) && want.index == got.index);
    uint32_t position = (uint32_t)next();
    report(k->name, "sample_choose", what,
           lks_kernels_scalar.sample_choose(&want, logits, vocab, &policy, position) ==
               k->sample_choose(&want, logits, vocab, &policy, position));
    free(g.memory), free(allowed);
}

static void check_samples(const lks_kernels *k)
{
    static const uint32_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000, 4096, 50001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int round = 0; round < (sizes[i] < 1000 ? 50 : 10); round++)
            for (fill f = ZERO; f < FILLS; f++)
                check_sample(k, sizes[i], f);
}

static void check(const lks_kernels *k)
{
    static const uint32_t widths[] = {1,   2,   31,  32,  33,  63,  64,  65,  80,
                                      127, 128, 129, 255, 256, 257, 576, 2048},
                          heads[] = {2, 16, 31, 32, 64, 80, 96, 128, 256};
    static const uint32_t positions[] = {0, 1, 30, 31, 32, 33, 63, 64, 100, 319};
    check_linears(k);
    for (int round = 0; round < (few ? 1 : 3); round++)
        for (fill f = ZERO; f < FILLS; f++) {
            for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
                check_rows(k, widths[i], 1 + below(5), f);
            for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
                for (size_t j = 0; j < sizeof positions / sizeof *positions; j++)
                    if (!few || below(2) == 0) {
                        check_attn(k, heads[i], positions[j], 1, f);
                        check_attn(k, heads[i], positions[j], 2 + below(LKS_ATTN_ROWS - 1), f);
                    }
        }
    for (int type = 0; type < TYPES; type++)
        for (uint32_t cols = 256; cols <= 1024; cols += 256)
            check_embed(k, type, cols);
    check_samples(k);
}

/* ---- Times ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void bench_linear(const lks_kernels *k, int type, uint32_t rows_w, uint32_t cols,
                         size_t rows)
{
    lks_matrix w = {types[type].type,
                    rows_w,
                    cols,
                    NULL,
                    (size_t)cols / types[type].elements * types[type].bytes,
                    NULL,
                    0};
    uint8_t *data = malloc(w.row_size * rows_w), *packed = NULL;
    fill_weights(data, w.row_size * rows_w, type, RANDOM);
    w.data = data;
    if (k->lanes) {
        w.packed = packed = malloc(lks_packed_size(&w, k->lanes));
        w.lanes = k->lanes;
        lks_pack(packed, &w, k->lanes, 0, rows_w);
    }
    rows_a8 x = make_a8(cols, 64, rows);
    fill_a8(&x, RANDOM, rows);
    float *y = malloc(rows * rows_w * sizeof *y);
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
        double start = seconds();
        for (size_t t = 0; t < rows; t += 96) {
            lks_a8 part = x.a;
            part.q += t * part.q_ld, part.d += t * part.d_ld, part.sum += t * part.sum_ld;
            for (uint32_t c = 0; c < rows_w; c += 64)
                k->linear(y + t * rows_w + c, rows_w, &w, NULL, c,
                          c + 64 < rows_w ? c + 64 : rows_w, &part, rows - t < 96 ? rows - t : 96);
        }
        double time = seconds() - start;
        best = time < best ? time : best;
    }
    printf("%-8s linear %s %5u x %5u, %3zu rows: %7.2f GMAC/s, %6.2f GB/s of weights\n", k->name,
           types[type].name, rows_w, cols, rows, (double)rows_w * cols * (double)rows / best / 1e9,
           (double)w.row_size * rows_w / best / 1e9);
    free(data), free(packed), free(y);
    free_a8(&x);
}

static void bench(const lks_kernels *k)
{
    for (int type = 0; type < TYPES; type++) {
        bench_linear(k, type, 1536, types[type].elements == 32 ? 576 : 768, 256);
        bench_linear(k, type, 16384, 2048, 1);
    }
    uint32_t width = 1536;
    size_t rows = 64;
    float *x = floats(RANDOM, rows * width), *z = floats(RANDOM, rows * width);
    rows_a8 a = make_a8(width, 64, rows);
    a.a.idx = NULL;
    double best[3] = {1e9, 1e9, 1e9};
    for (int round = 0; round < 20; round++) {
        double t0 = seconds();
        k->silu_mul(x, z, rows * width);
        double t1 = seconds();
        k->quant(&a.a, z, width, rows);
        double t2 = seconds();
        float sums[64 * 7];
        k->rms(sums, z, width, 1e-5f, rows);
        double t3 = seconds(), times[3] = {t1 - t0, t2 - t1, t3 - t2};
        for (int i = 0; i < 3; i++)
            best[i] = times[i] < best[i] ? times[i] : best[i];
    }
    printf("%-8s silu_mul %.2f, quant %.2f, rms %.2f Gelements/s\n", k->name,
           (double)(rows * width) / best[0] / 1e9, (double)(rows * width) / best[1] / 1e9,
           (double)(rows * width) / best[2] / 1e9);
    free(x), free(z);
    free_a8(&a);
    uint32_t position = 511;
    int8_t *keys = malloc(512 * 64), q[64];
    float d[512], o[64], *scratch = malloc(lks_attn_scratch(position) * sizeof *scratch),
                         dq = 0.01f;
    for (int i = 0; i < 512 * 64; i++)
        keys[i] = byte(RANDOM, (size_t)i);
    memcpy(q, keys, 64);
    for (int i = 0; i < 512; i++)
        d[i] = 0.01f;
    double least = 1e9;
    const lks_a8
        qa = {.q = q, .d = &dq, .width = 64, .block = 64, .blocks = 1, .q_ld = 64, .d_ld = 1},
        ka = {.q = keys, .d = d, .width = 64, .block = 64, .blocks = 1, .q_ld = 64, .d_ld = 1};
    for (int round = 0; round < 200; round++) {
        double t0 = seconds();
        k->attn(o, 64, &qa, &ka, &ka, position, 1, 0.125f, scratch);
        double time = seconds() - t0;
        least = time < least ? time : least;
    }
    printf("%-8s attn, head of 64 at position 511: %.2f us\n", k->name, least * 1e6);
    free(keys), free(scratch);
}

int main(int argc, char **argv)
{
    bool timed = argc > 1 && strcmp(argv[1], "--bench") == 0;
    few = few || (argc > 1 && strcmp(argv[1], "--few") == 0);
    for (size_t i = 0; lks_kernels_at(i); i++) {
        const lks_kernels *k = lks_kernels_at(i);
        uint64_t before = cases;
        if (timed) {
            bench(k);
            continue;
        }
        check(k);
        printf("count check_ops_%s %llu\n", k->name, (unsigned long long)(cases - before));
    }
    lks_kernels extra;
    for (size_t i = 0; !timed && extra_table(&extra, i); i++) {
        uint64_t before = cases;
        check_linears(&extra);
        printf("count check_ops_%s %llu\n", extra.name, (unsigned long long)(cases - before));
    }
    if (failures)
        printf("%llu of %llu cases failed\n", (unsigned long long)failures,
               (unsigned long long)cases);
    return failures != 0;
}
