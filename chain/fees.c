#include "chain/fees.h"

lks_u256 lks_fees_smaller(const lks_u256 *a, const lks_u256 *b)
{
    return lks_u256_cmp(a, b) < 0 ? *a : *b;
}

lks_u256 lks_fees_larger(const lks_u256 *a, const lks_u256 *b)
{
    return lks_u256_cmp(a, b) > 0 ? *a : *b;
}

lks_u256 lks_fees_part(const lks_u256 *fee, uint64_t a, uint64_t b)
{
    lks_u256 r;
    if (lks_u256_mul_u64(&r, fee, a)) {
        for (size_t i = 0; i < 4; i++)
            r.w[i] = UINT64_MAX;
        return r;
    }
    lks_u256_div_u64(&r, &r, b);
    return r;
}

lks_u256 lks_fees_step(const lks_u256 *fee)
{
    const lks_u256 one = lks_u256_from_u64(1);
    lks_u256 step = lks_fees_part(fee, 9, 8);
    if (lks_u256_add(&step, &step, &one))
        lks_u256_sub(&step, &step, &one);
    return step;
}

lks_tx_fees lks_fees_hold(const lks_eth_fees *suggested, const lks_tx_fees *ceilings)
{
    lks_tx_fees f;
    f.max_fee = lks_fees_smaller(&suggested->max_fee, &ceilings->max_fee);
    f.max_priority_fee =
        lks_fees_smaller(&suggested->max_priority_fee, &ceilings->max_priority_fee);
    f.max_priority_fee = lks_fees_smaller(&f.max_priority_fee, &f.max_fee);
    return f;
}

bool lks_fees_raise(lks_tx_fees *fees, const lks_eth_fees *suggested, const lks_tx_fees *ceilings)
{
    lks_tx_fees least = {lks_fees_step(&fees->max_fee), lks_fees_step(&fees->max_priority_fee)};
    if (lks_u256_cmp(&least.max_fee, &ceilings->max_fee) > 0 ||
        lks_u256_cmp(&least.max_priority_fee, &ceilings->max_fee) > 0)
        return false;
    lks_tx_fees wanted = lks_fees_hold(suggested, ceilings);
    fees->max_fee = lks_fees_larger(&least.max_fee, &wanted.max_fee);
    fees->max_priority_fee = lks_fees_larger(&least.max_priority_fee, &wanted.max_priority_fee);
    fees->max_fee = lks_fees_larger(&fees->max_fee, &fees->max_priority_fee);
    return true;
}
