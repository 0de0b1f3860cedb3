/* Vectors of what works on single floats. */
#include "step_vectors.h"

#include "kernels/half.h"
#include "kernels/math32.h"

static uint32_t bits_of(float x)
{
    return lks_bits(lks_canonical(x));
}
static float signed_edge(unsigned i)
{
    return lks_float(edge_values[i / 2] | (uint32_t)(i & 1) << 31);
}

typedef enum float_op {
    ADD,
    MUL,
    DIV,
    FMA
} float_op;

/* a, b, (c of fma,) result */
static void put(vector_file *f, float_op op, float a, float b, float c)
{
    /* volatile: the compiler computes nothing of this itself */
    volatile float x = a, y = b, z = c;
    vector_record(f);
    vector_float(f, a);
    vector_float(f, b);
    if (op == FMA)
        vector_float(f, c);
    vector_word(f, bits_of(op == ADD   ? x + y
                           : op == MUL ? x * y
                           : op == DIV ? x / y
                                       : lks_fma(x, y, z)));
}

/* A second operand that makes a sum cancel, or round in the last places of the first. */
static float near(float a)
{
    uint32_t u = lks_bits(a);
    switch (random_below(4)) {
    case 0: return lks_float((u ^ 0x80000000u) + random_below(5) - 2);
    case 1: return lks_float(u ^ (uint32_t)(random_bits() & 0x807fffffu));
    case 2: return lks_float((u + (random_below(60) << 23)) ^ (uint32_t)one_in(2) << 31);
    default: return random_float();
    }
}

/* The cross product of the edge values with both signs first; of fma every `stride`-th of it. */
static void write_float_op(const char *dir, const char *name, float_op op, uint32_t cases)
{
    vector_file f;
    unsigned edges = 2 * edge_count;
    vector_open(&f, dir, name);
    for (unsigned i = 0; i < edges; i++)
        for (unsigned j = 0; j < edges; j++) {
            if (op != FMA)
                put(&f, op, signed_edge(i), signed_edge(j), 0.0f);
            for (unsigned k = 0; op == FMA && k < edges; k++)
                if (cases >= edges * edges * edges || random_below(edges) == 0)
                    put(&f, op, signed_edge(i), signed_edge(j), signed_edge(k));
        }
    for (uint32_t i = 0; i < cases; i++) {
        float a = random_float(), b = one_in(2) ? near(a) : random_float();
        put(&f, op, a, b, op == FMA ? (one_in(2) ? near(a * b) : random_float()) : 0.0f);
    }
    vector_close(&f);
}

typedef enum unary {
    SQRT,
    EXP,
    LOG
} unary;

/* x, result */
static void put_unary(vector_file *f, unary op, float a)
{
    volatile float x = a;
    vector_record(f);
    vector_float(f, a);
    vector_word(f, bits_of(op == SQRT ? lks_sqrt(x) : op == EXP ? lks_exp32(x) : lks_log32(x)));
}

static void write_unary(const char *dir, const char *name, unary op, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, name);
    for (unsigned i = 0; i < 2 * edge_count; i++)
        put_unary(&f, op, signed_edge(i));
    for (uint32_t i = 0; i < cases; i++) {
        float x = one_in(3) ? lks_float((uint32_t)random_bits()) : random_float();
        if (op == EXP && one_in(2))
            x = ((float)random_below(1u << 24) * 0x1p-24f - 0.53f) *
                210.0f; /* where it is neither 0 nor infinite */
        put_unary(&f, op, x);
    }
    vector_close(&f);
}

/* x; the integer that it rounds to, as the float of that integer with +0; x below 2^24 */
static void write_rint(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "rint");
    for (uint32_t i = 0; i < cases; i++) {
        float x = one_in(2) ? ((float)random_below(1024) - 512.0f) * 0.25f : random_float();
        if (!(x > -0x1p24f && x < 0x1p24f))
            continue;
        vector_record(&f);
        vector_float(&f, x);
        vector_float(&f, lks_rint(x) + 0.0f);
    }
    vector_close(&f);
}

/* The floats of all binary16 numbers, canonical */
static void write_halves(const char *dir)
{
    vector_file f;
    vector_open(&f, dir, "half");
    for (uint32_t h = 0; h < 65536; h++)
        vector_word(&f, bits_of(lks_f16_to_f32((uint16_t)h)));
    vector_close(&f);
}

/* a, b, whether a > b in the order of the specification */
static void write_order(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "order");
    for (uint32_t i = 0; i < cases; i++) {
        float a = lks_canonical(random_float()), b = lks_canonical(one_in(4) ? a : random_float());
        vector_record(&f);
        vector_float(&f, a);
        vector_float(&f, b);
        vector_word(&f, lks_order_key(a) > lks_order_key(b));
    }
    vector_close(&f);
}

/* gate, up, result */
static void write_silu_mul(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "silu_mul");
    for (uint32_t i = 0; i < cases; i++) {
        float gate = one_in(3) ? random_tame() * 8.0f : random_float(), up = random_float();
        vector_record(&f);
        vector_float(&f, gate);
        vector_float(&f, up);
        lks_kernels_scalar.silu_mul(&gate, &up, 1);
        vector_word(&f, bits_of(gate));
    }
    vector_close(&f);
}

/* counter words 0 and 1, key words 0 and 1, the four words of the block */
static void write_philox(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "philox");
    for (uint32_t i = 0; i < cases; i++) {
        uint32_t counter[4] = {(uint32_t)random_bits(), (uint32_t)random_bits(), 0, 0},
                 key[2] = {(uint32_t)random_bits(), (uint32_t)random_bits()}, out[4];
        lks_philox(out, counter, key);
        vector_record(&f);
        for (int k = 0; k < 8; k++)
            vector_word(&f, k < 2 ? counter[k] : k < 4 ? key[k - 2] : out[k - 4]);
    }
    vector_close(&f);
}

enum {
    LOGITS = 8
};

/* 8 logits, temperature, min-p, seed (low, high), position, SAMPLE's maximum and index, the token
 * chosen */
static void write_sample(const char *dir, uint32_t cases)
{
    vector_file f;
    vector_open(&f, dir, "sample");
    for (uint32_t i = 0; i < cases; i++) {
        float logits[LOGITS], scale = one_in(4) ? 0.001f : 1.0f;
        for (int k = 0; k < LOGITS; k++)
            logits[k] = k && one_in(6) ? logits[k - 1]
                        : one_in(6)    ? random_float()
                                       : random_tame() * scale;
        lks_sampling policy = {.temperature =
                                   one_in(20) ? 0x1p-10f : (float)(1 + random_below(200)) / 64.0f,
                               .min_p = one_in(3)   ? 0.0f
                                        : one_in(8) ? 1.0f
                                                    : (float)(1 + random_below(1000)) / 1024.0f,
                               .seed = random_bits()};
        uint32_t position = random_below(32768);
        lks_sample_row row;
        lks_kernels_scalar.sample_max(&row, logits, LOGITS, &policy);
        vector_record(&f);
        vector_floats(&f, logits, LOGITS);
        vector_float(&f, policy.temperature);
        vector_float(&f, policy.min_p);
        vector_word(&f, (uint32_t)policy.seed);
        vector_word(&f, (uint32_t)(policy.seed >> 32));
        vector_word(&f, position);
        vector_float(&f, row.max);
        vector_word(&f, row.index);
        vector_word(&f, lks_kernels_scalar.sample_choose(&row, logits, LOGITS, &policy, position));
    }
    vector_close(&f);
}

void write_scalars(const char *dir, uint32_t cases, uint32_t float_cases)
{
    write_float_op(dir, "f32_add", ADD, float_cases);
    write_float_op(dir, "f32_mul", MUL, float_cases);
    write_float_op(dir, "f32_div", DIV, float_cases);
    write_float_op(dir, "f32_fma", FMA, float_cases);
    write_unary(dir, "f32_sqrt", SQRT, float_cases);
    write_unary(dir, "exp32", EXP, 10 * cases);
    write_unary(dir, "log32", LOG, 10 * cases);
    write_rint(dir, 2 * cases);
    write_halves(dir);
    write_order(dir, cases);
    write_silu_mul(dir, cases);
    write_philox(dir, cases);
    write_sample(dir, cases);
}
