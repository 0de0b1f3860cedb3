/* Properties of every table, on random inputs: a row does not see its neighbours, a matrix may be
 * cut anywhere, rows may lie apart, a NaN's bits do not show. */
#include "tests/kernels/vectors.h"

#include "kernels/bits.h"

enum {
    ROWS = 5,
    WIDTH = 288,
    SEED = 12345
};

/* xorshift64; the seed is fixed, so a failure repeats. */
static uint64_t random_state;

static uint32_t random32(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

/* Mostly about 1; some huge, subnormal, infinite and NaN. */
static float random_float(void)
{
    uint32_t u = random32();
    switch (random32() % 64) {
    case 0: return lks_float(u);
    case 1: return lks_float(u & 0x807fffffu);
    case 2: return lks_float((u & 0x80000000u) | 0x7f000000u | (u & 0x7fffffu));
    default: return lks_float((u & 0x807fffffu) | (120 + random32() % 12) << 23);
    }
}

static void fill(float *x, size_t count, bool tame)
{
    for (size_t i = 0; i < count; i++)
        do
            x[i] = random_float();
        while (tame && !(x[i] < 1e4f && x[i] > -1e4f));
}

static float *floats(size_t count, bool tame)
{
    float *x = guard_new(count * sizeof *x);
    fill(x, count, tame);
    return x;
}

/* An A8 view of rows from `row` on. */
static lks_a8 from_row(const lks_a8 *a, size_t row)
{
    lks_a8 v = *a;
    v.q += row * a->q_ld;
    v.d += row * a->d_ld;
    v.idx = a->idx ? a->idx + row * a->d_ld : NULL;
    v.sum = a->sum ? a->sum + row * a->sum_ld : NULL;
    return v;
}

static void same_a8(const lks_a8 *a, const lks_a8 *b, size_t rows, const char *what)
{
    for (size_t t = 0; t < rows; t++) {
        assert_bytes(a->q + t * a->q_ld, b->q + t * b->q_ld, a->width, what);
        assert_bytes(a->d + t * a->d_ld, b->d + t * b->d_ld, 4 * a->blocks, what);
        if (a->idx && b->idx)
            assert_bytes(a->idx + t * a->d_ld, b->idx + t * b->d_ld, 4 * a->blocks, what);
        if (a->sum && b->sum)
            assert_bytes(a->sum + t * a->sum_ld, b->sum + t * b->sum_ld, 4 * (a->width / 32), what);
    }
}

/* quant and norm_q: all rows at once, one by one, without idx and sums, and into rows that lie
 * apart. */
static void rows_of_a8(const lks_kernels *k, bool norm)
{
    float *x = floats(ROWS * WIDTH, false), *gain = floats(WIDTH, true),
          *sums = floats(ROWS * 3, true);
    lks_a8 all = a8_new(ROWS, WIDTH, 64), single = a8_new(ROWS, WIDTH, 64),
           bare = a8_new(ROWS, WIDTH, 64), apart = a8_new(ROWS, WIDTH + 64, 64);
    lks_a8 bare_view = bare, apart_view = apart;
    bare_view.idx = NULL, bare_view.sum = NULL;
    apart_view.width = WIDTH, apart_view.blocks = all.blocks;
    for (size_t t = 0; t <= ROWS; t++) {
        lks_a8 row = from_row(&single, t % ROWS);
        const lks_a8 *y = t == ROWS ? &all : &row;
        size_t rows = t == ROWS ? ROWS : 1, first = t % ROWS;
        if (norm)
            k->norm_q(y, x + first * WIDTH, sums + 3 * first, 3, gain, rows);
        else
            k->quant(y, x + first * WIDTH, WIDTH, rows);
    }
    same_a8(&all, &single, ROWS, "row by row");
    if (norm) {
        k->norm_q(&bare_view, x, sums, 3, gain, ROWS);
        k->norm_q(&apart_view, x, sums, 3, gain, ROWS);
    } else {
        k->quant(&bare_view, x, WIDTH, ROWS);
        k->quant(&apart_view, x, WIDTH, ROWS);
    }
    same_a8(&all, &bare_view, ROWS, "without idx and sums");
    same_a8(&all, &apart_view, ROWS, "rows apart");
    for (size_t t = 0; t < ROWS; t++)
        for (uint32_t i = WIDTH; i < WIDTH + 64; i++)
            assert_int_equal((uint8_t)apart.q[t * apart.q_ld + i], 0xa5);
    a8_free(&all);
    a8_free(&single);
    a8_free(&bare);
    a8_free(&apart);
    guard_free(x);
    guard_free(gain);
    guard_free(sums);
}

static void rows_of_f32(const lks_kernels *k)
{
    float *x = floats(ROWS * WIDTH, false), *all = guard_new(ROWS * 3 * 4), one[3];
    k->rms(all, x, WIDTH, 1e-5f, ROWS);
    for (size_t t = 0; t < ROWS; t++) {
        k->rms(one, x + t * WIDTH, WIDTH, 1e-5f, 1);
        assert_bytes(one, all + 3 * t, sizeof one, "rms row by row");
    }
    /* ROPE: 3 heads of 96, rows 300 apart; the gap is not touched. */
    float *wide = floats(ROWS * 300, false), *copy = guard_new(ROWS * 300 * 4),
          *table = floats(ROWS * 64, true);
    memcpy(copy, wide, ROWS * 300 * 4);
    k->rope(wide, 300, 3, 96, 64, true, table, ROWS);
    for (size_t t = 0; t < ROWS; t++) {
        float row[300];
        memcpy(row, copy + 300 * t, sizeof row);
        k->rope(row, 300, 3, 96, 64, true, table + 64 * t, 1);
        assert_floats(wide + 300 * t, row, 300, false, "rope row by row");
        assert_bytes(wide + 300 * t + 288, copy + 300 * t + 288, 12 * 4, "rope gap");
    }
    float *y = guard_new(ROWS * 300 * 4);
    k->add(y, 300, x, WIDTH, wide, 300, 280, ROWS);
    for (size_t t = 0; t < ROWS; t++) {
        float row[280];
        k->add(row, 280, x + t * WIDTH, 280, wide + 300 * t, 280, 280, 1);
        assert_bytes(y + 300 * t, row, sizeof row, "add row by row");
        for (size_t i = 280; i < 300; i++)
            assert_int_equal(lks_bits(y[300 * t + i]), 0xa5a5a5a5u);
    }
    guard_free(x);
    guard_free(all);
    guard_free(wide);
    guard_free(copy);
    guard_free(table);
    guard_free(y);
}

static const struct {
    lks_tensor_type type;
    uint32_t block, bytes;
} types[] = {{LKS_Q4_0, 32, 18}, {LKS_Q4_1, 32, 20},   {LKS_Q5_0, 32, 22},   {LKS_Q5_1, 32, 24},
             {LKS_Q8_0, 32, 34}, {LKS_Q4_K, 256, 144}, {LKS_Q5_K, 256, 176}, {LKS_Q6_K, 256, 210}};

/* Random rows of a type whose scales are ordinary numbers. */
static lks_matrix random_matrix(size_t i, uint32_t rows, uint32_t cols)
{
    lks_matrix m = {.type = types[i].type,
                    .rows = rows,
                    .cols = cols,
                    .row_size = cols / types[i].block * types[i].bytes};
    uint8_t *data = malloc(rows * m.row_size);
    assert_non_null(data);
    for (size_t b = 0; b < rows * m.row_size; b++)
        data[b] = (uint8_t)random32();
    for (size_t b = 0; b < rows * m.row_size; b += types[i].bytes) {
        size_t at = types[i].type == LKS_Q6_K ? 208 : 0;
        data[b + at + 1] = (uint8_t)(0x20 | (data[b + at + 1] & 0x87)); /* exponents around 2^-7 */
        data[b + 3] =
            (uint8_t)(0x20 | (data[b + 3] & 0x87)); /* the offset's, where the type has one */
    }
    m.data = data;
    return m;
}

/* Any cut of the rows of the matrix, of the rows of x, and any distance of the rows of y. */
static void cuts_of_linear(const lks_kernels *k, size_t type)
{
    enum {
        R = 23,
        LD = 30
    };
    uint32_t cols = types[type].block == 256 ? 512 : WIDTH;
    lks_matrix m = random_matrix(type, R, cols);
    float *x = floats(ROWS * cols, true), *bias = floats(R, true), *whole = guard_new(ROWS * R * 4),
          *cut = guard_new(ROWS * LD * 4);
    lks_a8 a = a8_new(ROWS, cols, 64);
    k->quant(&a, x, cols, ROWS);
    k->linear(whole, R, &m, bias, 0, R, &a, ROWS);
    for (uint32_t first = 0, last; first < R; first = last) {
        last = first + 1 + random32() % 9;
        last = last < R ? last : R;
        for (size_t t = 0, rows; t < ROWS; t += rows) {
            rows = 1 + random32() % (ROWS - t);
            lks_a8 part = from_row(&a, t);
            k->linear(cut + t * LD + first, LD, &m, bias, first, last, &part, rows);
        }
    }
    for (size_t t = 0; t < ROWS; t++) {
        assert_bytes(cut + t * LD, whole + t * R, R * 4, "linear cut");
        for (size_t i = R; i < LD; i++)
            assert_int_equal(lks_bits(cut[t * LD + i]), 0xa5a5a5a5u);
    }
    a8_free(&a);
    guard_free(x);
    guard_free(bias);
    guard_free(whole);
    guard_free(cut);
    free((void *)m.data);
}

static void rows_of_embed(const lks_kernels *k, size_t type)
{
    lks_matrix m = random_matrix(type, 4, 512);
    const uint32_t ids[] = {3, 0, 4, 1, UINT32_MAX, 3};
    float *all = guard_new(6 * 512 * 4), *one = guard_new(512 * 4);
    k->embed(all, &m, ids, 6);
    for (size_t i = 0; i < 6; i++) {
        k->embed(one, &m, &ids[i], 1);
        assert_bytes(one, all + 512 * i, 512 * 4, "embed row by row");
    }
    for (size_t i = 0; i < 512; i++) {
        assert_int_equal(lks_bits(all[512 * 2 + i]), 0);
        assert_int_equal(lks_bits(all[512 * 4 + i]), 0);
    }
    guard_free(all);
    guard_free(one);
    free((void *)m.data);
}

/* NaNs that x86, ARM and a file may hold; the first one is canonical. */
static const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345, 0x7fffffff};

/* Puts NaN number n at one place in sixty of an array that is otherwise the same each time. */
static void poison(float *x, size_t count, size_t n)
{
    random_state = SEED;
    fill(x, count, true);
    for (size_t i = 7; i < count; i += 60)
        x[i] = lks_float(nans[n]);
}

/* Every output that reaches a trace, for each NaN: r[0] has the first's, r[1] the current one's. */
typedef struct results {
    lks_a8 quant, norm;
    float rms[2], add[96], attn[64];
} results;

static void run_poisoned(results *r, const lks_kernels *k, size_t n)
{
    float x[96], z[96], sums[2], dk[40], dv[40], scores[66 + 64];
    int8_t q[64], kv[40 * 64];
    poison(x, 96, n);
    poison(z, 96, n);
    k->quant(&r->quant, x, 96, 1);
    k->rms(r->rms, x, 96, 1e-5f, 1);
    sums[0] = 1.0f, sums[1] = lks_float(nans[n]);
    k->norm_q(&r->norm, z, sums, 2, x, 1);
    k->add(r->add, 96, x, 96, z, 96, 96, 1);
    poison(dk, 40, n);
    poison(dv, 40, n);
    for (int i = 0; i < 64; i++)
        q[i] = (int8_t)(random32() % 255 - 127);
    for (int i = 0; i < 40 * 64; i++)
        kv[i] = (int8_t)(random32() % 255 - 127);
    lks_a8 keys = {.q = kv, .d = dk, .width = 64, .block = 64, .blocks = 1, .q_ld = 64, .d_ld = 1},
           values = keys, query = keys;
    values.d = dv, query.q = q, query.d = dk + 1;
    k->attn(r->attn, 64, &query, &keys, &values, 39, 1, 0.125f, scores);
}

static void nan_bits(const lks_kernels *k)
{
    results r[2];
    for (int i = 0; i < 2; i++)
        r[i].quant = a8_new(1, 96, 64), r[i].norm = a8_new(1, 96, 64);
    for (size_t n = 0; n < LKS_COUNT(nans); n++) {
        run_poisoned(&r[n > 0], k, n);
        if (!n)
            continue;
        same_a8(&r[0].quant, &r[1].quant, 1, "quant of NaN");
        same_a8(&r[0].norm, &r[1].norm, 1, "norm_q of NaN");
        assert_bytes(r[0].rms, r[1].rms, sizeof r[0].rms, "rms of NaN");
        assert_bytes(r[0].add, r[1].add, sizeof r[0].add, "add of NaN");
        assert_bytes(r[0].attn, r[1].attn, sizeof r[0].attn, "attn of NaN");
    }
    assert_int_equal(lks_bits(r[0].add[7]), LKS_NAN_BITS);
    assert_int_equal(lks_bits(r[0].rms[1]), LKS_NAN_BITS);
    assert_int_equal(lks_bits(r[0].quant.d[0]), LKS_NAN_BITS);
    for (int i = 0; i < 2; i++) {
        a8_free(&r[i].quant);
        a8_free(&r[i].norm);
    }
}

static void test_tables(void **state)
{
    (void)state;
    size_t count;
    const lks_kernels *const *tables = lks_test_tables(&count);
    random_state = SEED;
    for (size_t i = 0; i < count; i++) {
        for (int again = 0; again < 20; again++) {
            rows_of_a8(tables[i], false);
            rows_of_a8(tables[i], true);
            rows_of_f32(tables[i]);
        }
        for (size_t type = 0; type < LKS_COUNT(types); type++) {
            cuts_of_linear(tables[i], type);
            rows_of_embed(tables[i], type);
        }
        nan_bits(tables[i]);
    }
}

/* Tables against the scalar one, on inputs that no vector has. */
static void test_against_scalar(void **state)
{
    (void)state;
    size_t count;
    const lks_kernels *const *tables = lks_test_tables(&count);
    random_state = SEED + 1;
    for (size_t i = 1; i < count; i++)
        for (int again = 0; again < 200; again++) {
            size_t type = random32() % LKS_COUNT(types),
                   cols =
                       types[type].block * (1 + random32() % (types[type].block == 256 ? 4 : 20));
            lks_matrix m = random_matrix(type, 9, (uint32_t)cols);
            float *x = floats(ROWS * cols, again & 1), y[2][ROWS * 9];
            lks_a8 a[2] = {a8_new(ROWS, (uint32_t)cols, 64), a8_new(ROWS, (uint32_t)cols, 64)};
            for (int j = 0; j < 2; j++) {
                const lks_kernels *k = j ? tables[i] : tables[0];
                k->quant(&a[j], x, cols, ROWS);
                k->linear(y[j], 9, &m, NULL, 0, 9, &a[j], ROWS);
                for (size_t e = 0; e < ROWS * 9; e++)
                    y[j][e] = lks_canonical(y[j][e]);
            }
            same_a8(&a[0], &a[1], ROWS, tables[i]->name);
            assert_bytes(y[0], y[1], sizeof y[0], tables[i]->name);
            a8_free(&a[0]);
            a8_free(&a[1]);
            guard_free(x);
            free((void *)m.data);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables),
                                       cmocka_unit_test(test_against_scalar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
