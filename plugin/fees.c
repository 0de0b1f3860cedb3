#include "plugin/fees.h"

static lks_u256 smaller(const lks_u256 *a, const lks_u256 *b)
{
    return lks_u256_cmp(a, b) < 0 ? *a : *b;
}

static lks_u256 larger(const lks_u256 *a, const lks_u256 *b)
{
    return lks_u256_cmp(a, b) > 0 ? *a : *b;
}

/* Returns: fee times a over b; the greatest amount when that is too large. */
static lks_u256 part(const lks_u256 *fee, uint64_t a, uint64_t b)
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
    lks_u256 step = part(fee, 9, 8);
    lks_u256_add(&step, &step, &one);
    return step;
}

bool lks_fees_presses(uint64_t deadline, uint64_t now, uint64_t seconds)
{
    return deadline != UINT64_MAX && deadline >= now && deadline - now < seconds;
}

lks_tx_fees lks_fees_ceilings(const lks_tx_fees *configured, uint64_t deadline, uint64_t now,
                              const lks_u256 *worth, uint64_t gas)
{
    lks_tx_fees c = *configured;
    lks_u256 affordable;
    if (!lks_fees_presses(deadline, now, LKS_FEES_PRESSING))
        return c;
    uint64_t passed = LKS_FEES_PRESSING - (deadline - now);
    uint64_t share = LKS_FEES_PRESSING + (LKS_FEES_MOST - 1) * passed;
    lks_u256_div_u64(&affordable, worth, gas);
    c.max_fee = part(&c.max_fee, share, LKS_FEES_PRESSING);
    c.max_fee = smaller(&c.max_fee, &affordable);
    c.max_fee = larger(&c.max_fee, &configured->max_fee);
    c.max_priority_fee = part(&c.max_priority_fee, share, LKS_FEES_PRESSING);
    c.max_priority_fee = smaller(&c.max_priority_fee, &c.max_fee);
    return c;
}

lks_tx_fees lks_fees_of_cancellation(const lks_tx_fees *configured)
{
    lks_u256 most = part(&configured->max_fee, LKS_FEES_MOST, 1);
    return (lks_tx_fees){most, most};
}

/* What the node suggests, under the ceilings. */
static lks_tx_fees hold(const lks_eth_fees *suggested, const lks_tx_fees *ceilings)
{
    lks_tx_fees f;
    f.max_fee = smaller(&suggested->max_fee, &ceilings->max_fee);
    f.max_priority_fee = smaller(&suggested->max_priority_fee, &ceilings->max_priority_fee);
    f.max_priority_fee = smaller(&f.max_priority_fee, &f.max_fee);
    return f;
}

/* The most that so many steps can still be taken from. */
static lks_u256 with_room(const lks_u256 *ceiling)
{
    lks_u256 fee = *ceiling;
    for (unsigned i = 0; i < LKS_FEES_STEPS; i++)
        fee = part(&fee, 8, 9);
    return fee;
}

lks_tx_fees lks_fees_first(const lks_eth_fees *suggested, const lks_tx_fees *ceilings, bool presses)
{
    lks_tx_fees f = hold(suggested, ceilings);
    if (presses)
        return f;
    lks_u256 most = with_room(&ceilings->max_priority_fee);
    f.max_priority_fee = smaller(&f.max_priority_fee, &most);
    /* Less than what one full block can make of the base fee would be no offer. */
    lks_u256 least = part(&suggested->base_fee, 9, 8);
    lks_u256_add(&least, &least, &f.max_priority_fee);
    most = with_room(&ceilings->max_fee);
    most = larger(&most, &least);
    f.max_fee = smaller(&f.max_fee, &most);
    f.max_priority_fee = smaller(&f.max_priority_fee, &f.max_fee);
    return f;
}

bool lks_fees_raise(lks_tx_fees *fees, const lks_eth_fees *suggested, const lks_tx_fees *ceilings)
{
    lks_tx_fees least = {lks_fees_step(&fees->max_fee), lks_fees_step(&fees->max_priority_fee)};
    if (lks_u256_cmp(&least.max_fee, &ceilings->max_fee) > 0 ||
        lks_u256_cmp(&least.max_priority_fee, &ceilings->max_fee) > 0)
        return false;
    lks_tx_fees wanted = hold(suggested, ceilings);
    fees->max_fee = larger(&least.max_fee, &wanted.max_fee);
    fees->max_priority_fee = larger(&least.max_priority_fee, &wanted.max_priority_fee);
    fees->max_fee = larger(&fees->max_fee, &fees->max_priority_fee);
    return true;
}
