#include "plugin/cost.h"

/* A batch reads each weight once for many positions, which attention cannot do with its keys and
 * values: its products take so many times as long as those of the weights. Measured with SmolLM2,
 * 2.7 at 2,001 and 7,001 positions; 0.7 with one token at a time, where it is taken as 1. */
#define BATCH_PENALTY 3.0

lks_growth lks_cost_growth(const lks_program *p)
{
    double weights = 0, attention = 0;
    for (uint32_t i = 0; p && i < p->op_count; i++) {
        const lks_op *op = &p->ops[i];
        if (op->code == LKS_OP_ATTN)
            attention += 2.0 * op->heads * op->head_width;
        for (int k = 0; k < 4 && op->code != LKS_OP_EMBED; k++)
            if (op->weights[k].tensor != LKS_NONE)
                weights += (double)op->weights[k].rows * op->weights[k].cols;
    }
    double token = weights > 0 ? attention / weights : 0;
    return (lks_growth){BATCH_PENALTY * token, token};
}

/* The run's length, in positions with none before them. */
static double length(double growth, uint64_t before, uint64_t count)
{
    double n = (double)count;
    return n + growth * (n * (double)before + n * n / 2);
}

static uint64_t round_up(double us)
{
    if (us >= 1e15)
        return UINT64_C(1000000000000000);
    return us < 1 ? 1 : (uint64_t)us + 1;
}

uint64_t lks_cost_us(uint64_t base_us, double growth, uint64_t before, uint64_t count)
{
    return round_up((double)base_us * length(growth, before, count));
}

uint64_t lks_cost_base(uint64_t us, double growth, uint64_t before, uint64_t count)
{
    double n = length(growth, before, count);
    return n > 0 ? round_up((double)us / n) : 1;
}

uint64_t lks_cost_blend(uint64_t old_us, uint64_t measured_us)
{
    if (measured_us == 0)
        return old_us;
    return old_us == 0 ? measured_us : (3 * old_us + measured_us + 3) / 4;
}
