/* The tile instructions that amx/linear.c uses, by number of a tile register: 8 registers of up to
 * 16 rows of 64 bytes. */
#ifndef LKS_KERNELS_AMX_TILES_H
#define LKS_KERNELS_AMX_TILES_H

#include <immintrin.h>
#include <stdint.h>

/* Operand of LDTILECFG (Intel SDM, Intel AMX): palette 1, and the shape of every register. */
typedef struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

#ifdef LKS_TILES_EMULATED
#include LKS_TILES_EMULATED
#else
/* gcc 12's intrinsics do not say all of the memory that they read. */
#define tile_barrier() __asm__ volatile("" ::: "memory")
#define tile_configure(shapes)                                                                     \
    do {                                                                                           \
        tile_barrier();                                                                            \
        _tile_loadconfig(shapes);                                                                  \
    } while (0)
#define tile_release() _tile_release()
#define tile_zero(c) _tile_zero(c)
#define tile_load(n, p, distance)                                                                  \
    do {                                                                                           \
        tile_barrier();                                                                            \
        _tile_loadd(n, p, distance);                                                               \
    } while (0)
#define tile_store(n, p, distance)                                                                 \
    do {                                                                                           \
        _tile_stored(n, p, distance);                                                              \
        tile_barrier();                                                                            \
    } while (0)
/* c[m][n] += the products of 4 signed bytes a[m][4 k ...] and b[k][4 n ...], over k */
#define tile_dot(c, a, b) _tile_dpbssd(c, a, b)
#endif

#endif
