#include "plugin/fees.h"

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
    c.max_fee = lks_fees_part(&c.max_fee, share, LKS_FEES_PRESSING);
    c.max_fee = lks_fees_smaller(&c.max_fee, &affordable);
    c.max_fee = lks_fees_larger(&c.max_fee, &configured->max_fee);
    c.max_priority_fee = lks_fees_part(&c.max_priority_fee, share, LKS_FEES_PRESSING);
    c.max_priority_fee = lks_fees_smaller(&c.max_priority_fee, &c.max_fee);
    return c;
}

lks_tx_fees lks_fees_of_cancellation(const lks_tx_fees *configured)
{
    lks_u256 most = lks_fees_part(&configured->max_fee, LKS_FEES_MOST, 1);
    return (lks_tx_fees){most, most};
}

/* The most that so many steps can still be taken from. */
static lks_u256 with_room(const lks_u256 *ceiling)
{
    lks_u256 fee = *ceiling;
    for (unsigned i = 0; i < LKS_FEES_STEPS; i++)
        fee = lks_fees_part(&fee, 8, 9);
    return fee;
}

lks_tx_fees lks_fees_first(const lks_eth_fees *suggested, const lks_tx_fees *ceilings, bool presses)
{
    lks_tx_fees f = lks_fees_hold(suggested, ceilings);
    if (presses)
        return f;
    lks_u256 most = with_room(&ceilings->max_priority_fee);
    f.max_priority_fee = lks_fees_smaller(&f.max_priority_fee, &most);
    /* Less than what one full block can make of the base fee would be no offer. */
    lks_u256 least = lks_fees_part(&suggested->base_fee, 9, 8);
    lks_u256_add(&least, &least, &f.max_priority_fee);
    most = with_room(&ceilings->max_fee);
    most = lks_fees_larger(&most, &least);
    f.max_fee = lks_fees_smaller(&f.max_fee, &most);
    f.max_priority_fee = lks_fees_smaller(&f.max_priority_fee, &f.max_fee);
    return f;
}
