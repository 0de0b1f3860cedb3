/* 64-bit little-endian values at any address; the narrower ones are in kernels/half.h. */
#ifndef LKS_ORACLE_LE_H
#define LKS_ORACLE_LE_H

#include "kernels/half.h"

static inline uint64_t lks_load_le64(const uint8_t *p)
{
    return (uint64_t)lks_load_le32(p) | (uint64_t)lks_load_le32(p + 4) << 32;
}

static inline void lks_store_le64(uint8_t *p, uint64_t v)
{
    lks_store_le32(p, (uint32_t)v);
    lks_store_le32(p + 4, (uint32_t)(v >> 32));
}

#endif
