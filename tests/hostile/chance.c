#include "tests/hostile/chance.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

chance chance_stream(uint64_t seed, uint64_t number)
{
    return (chance){mix(seed) ^ mix(number * UINT64_C(0xd1342543de82ef95) + 1)};
}

uint64_t chance_next(chance *c)
{
    c->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(c->state);
}

uint32_t chance_below(chance *c, uint32_t n)
{
    return n ? (uint32_t)((chance_next(c) >> 32) * n >> 32) : 0;
}

uint32_t chance_between(chance *c, uint32_t least, uint32_t most)
{
    return least + chance_below(c, most - least + 1);
}

bool chance_of(chance *c, uint32_t per_mille)
{
    return chance_below(c, 1000) < per_mille;
}
