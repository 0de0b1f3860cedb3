/* LINEAR over packed weights (pack.h), as a template: an instruction set's linear.c defines the vectors below and includes this file.
 *
 *   LANES, GROUP        rows in a vector; activation rows that one pass over the weights serves (1, 2, 4 and GROUP itself are compiled)
 *   vi, vf              vectors of LANES i32 (4 LANES bytes) and of LANES f32
 *   load, set1i, addi, and_, or_, srl, sll    of vi; shifts are of 16-bit parts by a constant
 *   dot(acc, w, a)      acc + the four products a lane of unsigned bytes w <= 63 and signed bytes a; dot_byte: any w
 *   set1f, fma_, mul, to_f32, half_at, u8_at, i8_at, loadf, storef      of vf; *_at read LANES f16, u8 or i8
 *
 * Each lane does the operations of scalar/op_linear.c in their order: the sums of products are exact integers, everything after is one f32 operation for one.
 */
#include "kernels/packed/pack.h"
#include "kernels/scalar/scalar.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { PANEL = 128 }; /* records: 4,096 columns, between which y holds the sums */

typedef struct vector_values {
    vi v[8];
} vector_values;

/* The values of a record; type is a constant where this is inlined, as everywhere below. */
INLINE void unpack_values(vector_values *o, const uint8_t *p, lks_tensor_type type)
{
    const vi low = set1i(0x0f0f0f0f);
    if (type == LKS_Q8_0) {
        for (int f = 0; f < 8; f++)
            o->v[f] = load(p + 4 * LANES * f);
        return;
    }
    for (int j = 0; j < 4; j++) {
        vi x = load(p + 4 * LANES * j);
        o->v[j] = and_(x, low);
        o->v[4 + j] = and_(srl(x, 4), low);
    }
    if (type == LKS_Q5_0 || type == LKS_Q5_1 || type == LKS_Q5_K) {
        const vi bit = set1i(0x10101010);
        vi h = load(p + 16 * LANES);
        o->v[0] = or_(o->v[0], and_(sll(h, 4), bit));
        o->v[1] = or_(o->v[1], and_(sll(h, 3), bit));
        o->v[2] = or_(o->v[2], and_(sll(h, 2), bit));
        o->v[3] = or_(o->v[3], and_(sll(h, 1), bit));
        o->v[4] = or_(o->v[4], and_(h, bit));
        o->v[5] = or_(o->v[5], and_(srl(h, 1), bit));
        o->v[6] = or_(o->v[6], and_(srl(h, 2), bit));
        o->v[7] = or_(o->v[7], and_(srl(h, 3), bit));
    }
    if (type == LKS_Q6_K) {
        const vi bits = set1i(0x30303030);
        for (int k = 0; k < 2; k++) {
            vi h = load(p + 16 * LANES + 4 * LANES * k);
            o->v[4 * k] = or_(o->v[4 * k], and_(sll(h, 4), bits));
            o->v[4 * k + 1] = or_(o->v[4 * k + 1], and_(sll(h, 2), bits));
            o->v[4 * k + 2] = or_(o->v[4 * k + 2], and_(h, bits));
            o->v[4 * k + 3] = or_(o->v[4 * k + 3], and_(srl(h, 2), bits));
        }
    }
}

INLINE int32_t four(const int8_t *a)
{
    int32_t w;
    memcpy(&w, a, 4);
    return w;
}

/* What the activations contribute besides their products, a record: of biased types -bias * sum as i32 (of Q6_K for each 16), else the sum as f32. */
typedef union side {
    int32_t i;
    float f;
} side;

INLINE vi dot_half(vi acc, const vi *v, const int8_t *a, lks_tensor_type type)
{
    for (int j = 0; j < 4; j++)
        acc = type == LKS_Q8_0 ? dot_byte(acc, v[j], set1i(four(a + 4 * j))) : dot(acc, v[j], set1i(four(a + 4 * j)));
    return acc;
}

/* y[t][lanes] += the panel's records [first, last) of one group, for n activation rows. */
INLINE void run_group(float *y, size_t ld, const uint8_t *p, const lks_a8 *x, size_t t0, const side *sides, size_t side_ld, uint32_t first, uint32_t last,
                      lks_tensor_type type, const unsigned n)
{
    const bool offset = type == LKS_Q4_1 || type == LKS_Q5_1 || type == LKS_Q4_K || type == LKS_Q5_K;
    const bool super = type == LKS_Q4_K || type == LKS_Q5_K || type == LKS_Q6_K;
    const size_t values = type == LKS_Q8_0 ? 32 : type == LKS_Q6_K ? 24 : type == LKS_Q5_0 || type == LKS_Q5_1 || type == LKS_Q5_K ? 20 : 16;
    const size_t scales = type == LKS_Q4_1 || type == LKS_Q5_1 ? 4 : 2;
    vf acc[GROUP], s[GROUP], d = set1f(0.0f), e = d;
    for (unsigned t = 0; t < n; t++) {
        acc[t] = first == 0 ? set1f(0.0f) : loadf(y + t * ld);
        s[t] = set1f(0.0f);
    }
    for (uint32_t b = first; b < last; b++) {
        if (super && b % 8 == 0) {
            d = half_at(p);
            if (offset)
                e = half_at(p + 2 * LANES);
            p += (offset ? 4 : 2) * LANES;
        }
        vector_values w;
        unpack_values(&w, p, type);
        const uint8_t *q = p + values * LANES;
        vf scale, second = d;
        if (type == LKS_Q6_K) {
            scale = mul(d, i8_at(q));
            second = mul(d, i8_at(q + LANES));
        } else if (super) {
            scale = mul(d, u8_at(q));
            second = mul(e, u8_at(q + LANES));
        } else {
            scale = half_at(q);
            if (offset)
                second = half_at(q + 2 * LANES);
        }
        p = q + scales * LANES;
        const int8_t *a = x->q + t0 * x->q_ld + 32 * (size_t)b;
        for (unsigned t = 0; t < n; t++, a += x->q_ld) {
            const side *o = sides + t * side_ld + (type == LKS_Q6_K ? 2 : 1) * (b - first);
            if (type == LKS_Q6_K) {
                s[t] = fma_(to_f32(dot_half(set1i(o[0].i), w.v, a, type)), scale, s[t]);
                s[t] = fma_(to_f32(dot_half(set1i(o[1].i), w.v + 4, a + 16, type)), second, s[t]);
                continue;
            }
            vi sum = offset ? dot_half(set1i(0), w.v, a, type) : dot_half(set1i(o->i), w.v, a, type);
            if (n < 4)
                sum = addi(sum, dot_half(set1i(0), w.v + 4, a + 16, type)); /* two chains, so that one does not wait for the other */
            else
                sum = dot_half(sum, w.v + 4, a + 16, type);
            s[t] = fma_(to_f32(sum), scale, s[t]);
            /* -sum * n: n is -m in Q4_1 and Q5_1, where the signs cancel */
            if (offset)
                s[t] = fma_(set1f(super ? -o->f : o->f), second, s[t]);
        }
        if (b % 2 == 1 || 32 * (b + 1) == x->width) {
            for (unsigned t = 0; t < n; t++) {
                acc[t] = fma_(s[t], set1f(x->d[(t0 + t) * x->d_ld + b / 2]), acc[t]);
                s[t] = set1f(0.0f);
            }
        }
    }
    for (unsigned t = 0; t < n; t++)
        storef(y + t * ld, acc[t]);
}

typedef struct panel {
    const lks_a8 *x;
    size_t t0;
    const side *sides;
    size_t side_ld;
    uint32_t first, last; /* records */
} panel;

INLINE void run_rows(float *y, size_t ld, const uint8_t *p, const panel *j, unsigned n, lks_tensor_type type)
{
    switch (n) {
    case 1: run_group(y, ld, p, j->x, j->t0, j->sides, j->side_ld, j->first, j->last, type, 1); break;
    case 2: run_group(y, ld, p, j->x, j->t0, j->sides, j->side_ld, j->first, j->last, type, 2); break;
    case 4: run_group(y, ld, p, j->x, j->t0, j->sides, j->side_ld, j->first, j->last, type, 4); break;
    default: run_group(y, ld, p, j->x, j->t0, j->sides, j->side_ld, j->first, j->last, type, GROUP); break;
    }
}

#define OF_TYPE(type) \
    static void run_##type(float *y, size_t ld, const uint8_t *p, const panel *j, unsigned n) { run_rows(y, ld, p, j, n, LKS_##type); }
OF_TYPE(Q4_0)
OF_TYPE(Q4_1)
OF_TYPE(Q5_0)
OF_TYPE(Q5_1)
OF_TYPE(Q8_0)
OF_TYPE(Q4_K)
OF_TYPE(Q5_K)
OF_TYPE(Q6_K)

typedef void run_function(float *y, size_t ld, const uint8_t *p, const panel *j, unsigned n);
static run_function *const runs[] = {
    [LKS_Q4_0] = run_Q4_0, [LKS_Q4_1] = run_Q4_1, [LKS_Q5_0] = run_Q5_0, [LKS_Q5_1] = run_Q5_1,
    [LKS_Q8_0] = run_Q8_0, [LKS_Q4_K] = run_Q4_K, [LKS_Q5_K] = run_Q5_K, [LKS_Q6_K] = run_Q6_K,
};

static void make_sides(side *o, const panel *j, unsigned n, lks_tensor_type type)
{
    int32_t bias = (int32_t)lks_pack_bias(type);
    for (unsigned t = 0; t < n; t++, o += j->side_ld) {
        const int32_t *sum = j->x->sum + (j->t0 + t) * j->x->sum_ld;
        const int8_t *q = j->x->q + (j->t0 + t) * j->x->q_ld;
        for (uint32_t b = j->first; b < j->last; b++) {
            if (type == LKS_Q6_K) {
                int32_t half = 0;
                for (int i = 0; i < 16; i++)
                    half += q[32 * (size_t)b + i];
                o[2 * (b - j->first)].i = -bias * half;
                o[2 * (b - j->first) + 1].i = -bias * (sum[b] - half);
            } else if (bias) {
                o[b - j->first].i = -bias * sum[b];
            } else {
                o[b - j->first].f = (float)sum[b];
            }
        }
    }
}

/* Bytes of a group's records before record `b`, a multiple of 8. */
static size_t group_offset(lks_tensor_type type, uint32_t b) { return lks_pack_group_size(type, 32 * b, LANES); }

/* One group whose rows lie partly outside of [first, last): through a buffer. */
static void run_partial(float *y, size_t ld, uint32_t row, uint32_t first, uint32_t last, const uint8_t *p, const panel *j, unsigned n, run_function *run)
{
    float part[GROUP][LANES];
    uint32_t from = row < first ? first : row, to = row + LANES > last ? last : row + LANES;
    memset(part, 0, sizeof part);
    if (j->first)
        for (unsigned t = 0; t < n; t++)
            memcpy(&part[t][from - row], y + t * ld + from - first, (to - from) * sizeof(float));
    run(part[0], LANES, p, j, n);
    for (unsigned t = 0; t < n; t++)
        memcpy(y + t * ld + from - first, &part[t][from - row], (to - from) * sizeof(float));
}

/* The table's linear: as stored, when the matrix is not packed for these lanes. */
static void packed_linear(float *y, size_t ld, const lks_matrix *w, const float *bias, uint32_t first, uint32_t last, const lks_a8 *x, size_t rows)
{
    if (!w->packed || w->lanes != LANES || x->block != 64 || !x->sum) {
        LKS_KERNEL(linear_stored)(y, ld, w, bias, first, last, x, rows);
        return;
    }
    run_function *run = runs[w->type];
    uint32_t records = w->cols / 32;
    size_t group = lks_pack_group_size(w->type, w->cols, LANES);
    side sides[GROUP * 2 * PANEL];
    for (size_t t = 0; t < rows;) {
        unsigned n = rows - t >= GROUP ? GROUP : rows - t >= 4 ? 4 : rows - t >= 2 ? 2 : 1;
        float *out = y + t * ld;
        for (uint32_t b = 0; b < records; b += PANEL) {
            panel j = {x, t, sides, 2 * PANEL, b, b + PANEL < records ? b + PANEL : records};
            make_sides(sides, &j, n, w->type);
            for (uint32_t r = first / LANES * LANES; r < last; r += LANES) {
                const uint8_t *p = w->packed + r / LANES * group + group_offset(w->type, b);
                if (r >= first && r + LANES <= last)
                    run(out + r - first, ld, p, &j, n);
                else
                    run_partial(out, ld, r, first, last, p, &j, n, run);
            }
        }
        if (bias)
            for (unsigned k = 0; k < n; k++)
                for (uint32_t r = first; r < last; r++)
                    out[k * ld + r - first] = out[k * ld + r - first] + bias[r];
        t += n;
    }
}
