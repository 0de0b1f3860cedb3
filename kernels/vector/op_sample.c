/* SAMPLE, in vectors: scalar/op_sample.c. Lanes are candidates in order; a lane without one is
 * passed over. */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/math.h"

/* LANES candidates from the i-th on: their tokens, and canonical logits. Returns: how many there
 * are; the lanes behind them hold anything. */
INLINE uint32_t load_candidates(vi *tokens, vf *values, const float *logits,
                                const lks_sampling *policy, size_t i, size_t count)
{
    uint32_t n = count - i < LANES ? (uint32_t)(count - i) : LANES;
    if (policy->allowed) {
        *tokens = n < LANES ? v_loadi_part(policy->allowed + i, n) : v_loadi(policy->allowed + i);
        *values =
            v_canonical(v_gather(logits,
                                 *tokens)); /* token 0 where there is none: any vocabulary has it */
    } else {
        *tokens = v_addi(v_seti((int32_t)i), v_count());
        *values = v_canonical(n < LANES ? v_load_part(logits + i, n) : v_load(logits + i));
    }
    return n;
}

/* The best lanes so far: the greatest key of each, and the first token that had it. Keys of
 * canonical floats are above INT32_MIN. */
typedef struct best {
    vi key, token;
} best;

INLINE void best_start(best *b)
{
    b->key = b->token = v_seti(INT32_MIN);
}

INLINE void best_take(best *b, vi key, vi token)
{
    vm better = v_greater(key, b->key);
    b->key = v_max(key, b->key);
    b->token = v_selecti(better, token, b->token);
}

/* Returns: the greatest key; Out: the smallest token that has it. */
static int32_t best_of(uint32_t *token, const best *b)
{
    int32_t key = v_greatest(b->key);
    /* The greatest complement is that of the smallest token. */
    vi candidates =
        v_selecti(v_equal(b->key, v_seti(key)), v_xor(b->token, v_seti(-1)), v_seti(INT32_MIN));
    *token = (uint32_t)~v_greatest(candidates);
    return key;
}

static inline size_t candidate_count(const lks_sampling *policy, uint32_t vocab)
{
    return policy->allowed ? policy->allowed_count : vocab;
}

/* The keys of the first n lanes; INT32_MIN elsewhere. */
INLINE vi keys_of(vf values, uint32_t n)
{
    vi key = v_order_key(values);
    return n < LANES ? v_selecti(lanes_below(n), key, v_seti(INT32_MIN)) : key;
}

void LKS_KERNEL(sample_max)(lks_sample_row *row, const float *logits, uint32_t vocab,
                            const lks_sampling *policy)
{
    size_t count = candidate_count(policy, vocab);
    best b;
    vi tokens;
    vf values;
    if (count == 0)
        return;
    best_start(&b);
    for (size_t i = 0; i < count; i += LANES) {
        uint32_t n = load_candidates(&tokens, &values, logits, policy, i, count);
        best_take(&b, keys_of(values, n), tokens);
    }
    row->max = v_from_order_key(best_of(&row->index, &b));
}

/* -log32(-log32(u)), u from word (token & 3) of Philox's block (token >> 2, position). */
static vf gumbel(vi token, uint32_t position, uint64_t seed)
{
    vi c0 = v_srl(token, 2), c1 = v_seti((int32_t)position), c2 = v_seti(0), c3 = c2;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    const vi m0 = v_seti((int32_t)0xd2511f53u), m1 = v_seti((int32_t)0xcd9e8d57u);
    for (int round = 0; round < 10; round++) {
        vi a_high, a_low, b_high, b_low;
        v_mul_wide(&a_high, &a_low, m0, c0);
        v_mul_wide(&b_high, &b_low, m1, c2);
        c0 = v_xor(v_xor(b_high, c1), v_seti((int32_t)k0));
        c1 = b_low;
        c2 = v_xor(v_xor(a_high, c3), v_seti((int32_t)k1));
        c3 = a_low;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    vi which = v_and(token, v_seti(3));
    vi word = v_selecti(v_equal(which, v_seti(0)), c0,
                        v_selecti(v_equal(which, v_seti(1)), c1,
                                  v_selecti(v_equal(which, v_seti(2)), c2, c3)));
    vf u = v_mul(v_from_int(v_or(v_srl(word, 8), v_seti(1))), v_set(0x1p-24f));
    return v_negate(v_log32(v_negate(v_log32(u))));
}

uint32_t LKS_KERNEL(sample_choose)(const lks_sample_row *row, const float *logits, uint32_t vocab,
                                   const lks_sampling *policy, uint32_t position)
{
    if (policy->temperature == 0.0f)
        return row->index;
    const vf inverse = v_set(1.0f / policy->temperature), max = v_set(row->max);
    const vi below = v_seti(lks_order_key(lks_log32(policy->min_p)) -
                            1); /* a key of a canonical float is not the least integer */
    size_t count = candidate_count(policy, vocab);
    uint32_t token;
    best b;
    best_start(&b);
    for (size_t i = 0; i < count; i += LANES) {
        vi tokens;
        vf values;
        uint32_t n = load_candidates(&tokens, &values, logits, policy, i, count);
        vm likely = v_greater(v_order_key(v_canonical(v_mul(v_sub(values, max), inverse))), below);
        if (!v_mask(likely))
            continue;
        vf score =
            v_canonical(v_add(v_mul(values, inverse), gumbel(tokens, position, policy->seed)));
        best_take(&b, v_selecti(likely, keys_of(score, n), v_seti(INT32_MIN)), tokens);
    }
    return best_of(&token, &b) == INT32_MIN ? row->index : token;
}
