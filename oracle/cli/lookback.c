#include "oracle/cli/lookback.h"

#include "oracle/cli/follow.h"

/* Out: the first block whose time is at least `time`; the newest when there is none. */
static lks_err block_at(uint64_t *block, lks_link *s, uint64_t time, uint64_t low)
{
    uint64_t high;
    lks_err err = lks_eth_block_number(&s->node, &high);
    low = low < high ? low : high;
    while (err == LKS_OK && low < high) {
        lks_eth_header h;
        uint64_t middle = low + (high - low) / 2;
        err = lks_eth_header_by_number(&s->node, middle, &h);
        if (err == LKS_OK && h.timestamp >= time)
            high = middle;
        else
            low = middle + 1;
    }
    *block = low;
    return err;
}

lks_err lks_lookback_block(uint64_t *block, lks_link *s)
{
    lks_buf call = {0}, result = {0};
    lks_oracle_parameters p;
    lks_game_parameters game = {0};
    lks_eth_header newest;
    lks_err err = lks_call_parameters(&call);
    err = lks_link_view(s, s->contracts.oracle, &call, err, &result);
    if (err == LKS_OK)
        err = lks_return_parameters(&p, result.data, result.len);
    lks_buf_free(&result);
    if (err == LKS_OK)
        err = lks_game_parameters_get(&game, s);
    if (err == LKS_OK)
        err = lks_eth_header_at(&s->node, LKS_ETH_LATEST, &newest);
    if (err != LKS_OK)
        return err;
    /* The longest window, the longest dispute (docs/DISPUTES.md: 2 budgets and 24 floors at most),
     * and the time that replicas have to reveal. */
    uint64_t back = (uint64_t)p.max_window + p.reveal_period + 2 * (uint64_t)game.budget +
                    24 * (uint64_t)game.floor;
    return block_at(block, s, newest.timestamp > back ? newest.timestamp - back : 0,
                    s->contracts.block);
}
