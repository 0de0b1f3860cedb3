/* Packed weights: the rows of a matrix in groups of `lanes`, side by side, so that a vector's lanes
 * are rows and every row keeps its own order of additions.
 *
 * A group is a sequence of records, one for every 32 columns; L = lanes, a vector is 4 L bytes, its
 * bytes 4 r to 4 r + 3 are four consecutive columns of row r. 4-bit types   4 vectors: columns 4 j
 * to 4 j + 3 in the low nibbles of vector j, 16 + 4 j to 16 + 4 j + 3 in the high ones 5-bit types
 * the same, then 1 vector: bit f is the fifth bit of columns 4 f to 4 f + 3 Q6_K          the same,
 * then 2 vectors: bits 2 j, 2 j + 1 are the upper bits of columns 4 j ... (first vector), 16 + 4 j
 * ... (second) Q8_0          8 vectors of whole bytes Values are unsigned: q + lks_pack_bias(type).
 * Scales follow the values of a record: Q4_0, Q5_0, Q8_0   L f16 d          Q4_1, Q5_1   L f16 d, L
 * f16 m Q4_K, Q5_K         L u8 scale, L u8 minimum; in front of every eighth record L f16 d, L f16
 * dmin Q6_K               L i8 scale of columns 0 to 15, L of 16 to 31; in front of every eighth
 * record L f16 d Rows beyond the matrix are zero. Packing keeps the size of the file's form (Q4_K,
 * Q5_K: 3 % more).
 */
#ifndef LKS_KERNELS_PACK_H
#define LKS_KERNELS_PACK_H

#include "kernels/kernels.h"

#include <string.h>

/* The bias that makes q unsigned: 8, 16, 32, 128 or 0. */
uint32_t lks_pack_bias(lks_tensor_type type);
/* Bytes of one group. */
size_t lks_pack_group_size(lks_tensor_type type, uint32_t cols, uint32_t lanes);

/* Four bytes at p. */
static inline uint32_t lks_word_at(const void *p)
{
    uint32_t w;
    memcpy(&w, p, 4);
    return w;
}

#endif
