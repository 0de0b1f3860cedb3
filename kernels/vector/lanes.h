/* Vectors of LANES floats or 32-bit integers, for the operations of this folder: each is one
 * source, compiled once for every level of lks_level. A function does in each lane what the scalar
 * operation of its name does, with one instruction or few; floats that are NaN may differ in
 * payload.
 *
 * vf, vi, vm: floats, integers, and a condition for each lane. parts: the first n lanes, 0 < n <=
 * LANES, of memory; others read as 0 and are not written.
 */
#ifndef LKS_KERNELS_LANES_H
#define LKS_KERNELS_LANES_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(__aarch64__)
#include "kernels/neon/lanes.h"
#else
#include <immintrin.h>
#if defined(__AVX512F__)
#include "kernels/avx512/lanes.h"
#else
#include "kernels/avx2/lanes.h"
#endif
#endif

#endif
