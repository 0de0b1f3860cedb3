#include "oracle/engine/policy.h"

#include "kernels/bits.h"

enum {
    TEMPERATURE_LEAST = 0x3a800000 /* 2^-10 */,
    INFINITE = 0x7f800000,
    ONE = 0x3f800000
};

lks_err lks_policy_decode(lks_sampling *out, const lks_policy *policy, uint32_t vocab_size)
{
    static const lks_policy greedy = {0};
    const lks_policy *p = policy ? policy : &greedy;
    if (p->temperature != 0 && (p->temperature < TEMPERATURE_LEAST || p->temperature >= INFINITE))
        return lks_fail(LKS_BADARGS,
                        "the temperature must be 0 (greedy) or a finite number of at least 2^-10");
    if (p->min_p > ONE)
        return lks_fail(LKS_BADARGS, "min-p must lie in 0 to 1");
    if ((p->allowed != NULL) != (p->allowed_count != 0))
        return lks_fail(LKS_BADARGS, "a list of allowed tokens must not be empty");
    for (size_t i = 0; i < p->allowed_count; i++) {
        if (p->allowed[i] >= vocab_size)
            return lks_fail(LKS_BADARGS, "allowed token %u is outside the vocabulary of %u",
                            p->allowed[i], vocab_size);
        if (i && p->allowed[i] <= p->allowed[i - 1])
            return lks_fail(LKS_BADARGS, "the allowed tokens are not strictly increasing");
    }
    *out = (lks_sampling){lks_float(p->temperature), lks_float(p->min_p), p->seed, p->allowed,
                          p->allowed_count};
    return LKS_OK;
}
