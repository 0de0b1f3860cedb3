/* The tile instructions of kernels/amx/tiles.h in plain C, after the operations' description in
 * Intel's manual, for machines without AMX. Where the processor would refuse (#UD), the test ends.
 */
#ifndef LKS_TESTS_TILES_EMULATED_H
#define LKS_TESTS_TILES_EMULATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct {
    bool configured;
    tile_shapes shapes;
    uint8_t data[8][16][64];
} tiles;

static inline void tile_need(bool good)
{
    if (!good)
        abort();
}

static inline void tile_zero(int n)
{
    tile_need(tiles.configured && tiles.shapes.rows[n]);
    memset(tiles.data[n], 0, sizeof tiles.data[n]);
}

static inline void tile_configure(const tile_shapes *shapes)
{
    tile_need(sizeof *shapes == 64 && shapes->palette == 1 && shapes->start_row == 0);
    for (int i = 0; i < 8; i++)
        tile_need(shapes->rows[i] <= 16 && shapes->row_bytes[i] <= 64 &&
                  !shapes->rows[i] == !shapes->row_bytes[i]);
    tiles.shapes = *shapes;
    tiles.configured = true;
    memset(tiles.data, 0, sizeof tiles.data);
}

static inline void tile_release(void)
{
    tiles.configured = false;
}

static inline void tile_load(int n, const void *p, size_t distance)
{
    tile_zero(n);
    for (int r = 0; r < tiles.shapes.rows[n]; r++)
        memcpy(tiles.data[n][r], (const uint8_t *)p + (size_t)r * distance,
               tiles.shapes.row_bytes[n]);
}

static inline void tile_store(int n, void *p, size_t distance)
{
    tile_need(tiles.configured && tiles.shapes.rows[n]);
    for (int r = 0; r < tiles.shapes.rows[n]; r++)
        memcpy((uint8_t *)p + (size_t)r * distance, tiles.data[n][r], tiles.shapes.row_bytes[n]);
}

/* TDPBSSD */
static inline void tile_dot(int c, int a, int b)
{
    const tile_shapes *s = &tiles.shapes;
    tile_need(tiles.configured && c != a && c != b && a != b);
    tile_need(s->rows[c] == s->rows[a] && s->row_bytes[c] == s->row_bytes[b] &&
              s->rows[b] * 4 == s->row_bytes[a] && s->row_bytes[b] % 4 == 0);
    for (int m = 0; m < s->rows[a]; m++)
        for (int k = 0; k < s->row_bytes[a] / 4; k++)
            for (int n = 0; n < s->row_bytes[b] / 4; n++) {
                int32_t sum;
                memcpy(&sum, &tiles.data[c][m][4 * n], 4);
                for (int i = 0; i < 4; i++)
                    sum +=
                        (int8_t)tiles.data[a][m][4 * k + i] * (int8_t)tiles.data[b][k][4 * n + i];
                memcpy(&tiles.data[c][m][4 * n], &sum, 4);
            }
}

#endif
