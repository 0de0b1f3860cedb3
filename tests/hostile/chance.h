/* Pseudo-random numbers that a seed repeats (splitmix64). One stream for each thing that is drawn,
 * so that what one draws does not move the others. */
#ifndef LKS_TESTS_CHANCE_H
#define LKS_TESTS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct chance {
    uint64_t state;
} chance;

/* A stream of its own for each number. */
chance chance_stream(uint64_t seed, uint64_t number);
uint64_t chance_next(chance *c);
/* 0 to n - 1; 0 for n = 0. */
uint32_t chance_below(chance *c, uint32_t n);
/* least to most, both included. */
uint32_t chance_between(chance *c, uint32_t least, uint32_t most);
/* Whether something happens that does so many times in a thousand. */
bool chance_of(chance *c, uint32_t per_mille);

#endif
