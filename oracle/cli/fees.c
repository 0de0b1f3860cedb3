#include "oracle/cli/fees.h"

#include "oracle/cli/cli.h"
#include "oracle/cli/options.h"
#include "oracle/cli/values.h"

#include <stdio.h>

#define GWEI UINT64_C(1000000000)

lks_tx_fees lks_fee_limits_default(void)
{
    return (lks_tx_fees){.max_fee = lks_u256_from_u64(500 * GWEI),
                         .max_priority_fee = lks_u256_from_u64(10 * GWEI)};
}

static int parse(lks_u256 *out, const char *text, const char *option, const char *command)
{
    if (text == NULL)
        return LKS_PARSED;
    if (lks_parse_amount(out, text) != LKS_OK)
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s: %s", command, option, lks_error_message());
    if (lks_u256_is_zero(out))
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s: a fee of zero buys no place in a block",
                            command, option);
    return LKS_PARSED;
}

int lks_fee_limits_parse(lks_tx_fees *out, const char *max_fee, const char *max_priority_fee,
                         const char *command)
{
    *out = lks_fee_limits_default();
    int code = parse(&out->max_fee, max_fee, "--max-fee", command);
    if (code == LKS_PARSED)
        code = parse(&out->max_priority_fee, max_priority_fee, "--max-priority-fee", command);
    return code;
}

void lks_gwei_text(char text[LKS_GWEI_SIZE], const lks_u256 *wei)
{
    char ether[LKS_ETHER_SIZE];
    lks_u256 scaled;
    bool overflow = lks_u256_mul_u64(&scaled, wei, GWEI);
    lks_wei_format(ether, overflow ? wei : &scaled);
    snprintf(text, LKS_GWEI_SIZE, "%s %s", ether, overflow ? "ether" : "gwei");
}

lks_err lks_fees_choose(lks_tx_fees *out, const lks_eth_fees *suggested, const lks_tx_fees *limits)
{
    lks_u256 room;
    char base[LKS_GWEI_SIZE], limit[LKS_GWEI_SIZE];
    if (lks_u256_cmp(&suggested->base_fee, &limits->max_fee) >= 0) {
        lks_gwei_text(base, &suggested->base_fee);
        lks_gwei_text(limit, &limits->max_fee);
        return lks_fail(LKS_REFUSED,
                        "the base fee is %s per gas and the ceiling %s; wait until it falls, or "
                        "raise --max-fee",
                        base, limit);
    }
    lks_u256_sub(&room, &limits->max_fee, &suggested->base_fee);
    out->max_priority_fee =
        lks_fees_smaller(&suggested->max_priority_fee, &limits->max_priority_fee);
    out->max_priority_fee = lks_fees_smaller(&out->max_priority_fee, &room);
    /* Twice the base fee: good for six full blocks in a row. */
    bool overflow = lks_u256_mul_u64(&out->max_fee, &suggested->base_fee, 2);
    overflow = lks_u256_add(&out->max_fee, &out->max_fee, &out->max_priority_fee) || overflow;
    out->max_fee = overflow ? limits->max_fee : lks_fees_smaller(&out->max_fee, &limits->max_fee);
    return LKS_OK;
}
