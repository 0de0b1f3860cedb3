/* ROPE, in vectors: scalar/op_rope.c. Of interleaved pairs a vector holds LANES / 2; of halves, the
 * first elements of LANES. */
#include "kernels/scalar/scalar.h"
#include "kernels/vector/math.h"

/* x: pairs (a, b); angles: pairs (c, s). b * s and a * s lie in swapped lanes, and the alternating
 * fma gives them their signs. */
static inline vf rotate_pairs(vf x, vf angles)
{
    return v_fma_alternating(x, v_firsts(angles), v_mul(v_swap_pairs(x), v_seconds(angles)));
}

/* width: elements, even */
static void rope_interleaved(float *x, const float *angles, uint32_t width)
{
    uint32_t i = 0;
    for (; i + LANES <= width; i += LANES)
        v_store(x + i, rotate_pairs(v_load(x + i), v_load(angles + i)));
    if (i < width)
        v_store_part(x + i,
                     rotate_pairs(v_load_part(x + i, width - i),
                                  v_load_part(angles + i, width - i)),
                     width - i);
}

static void rope_halves(float *x, const float *angles, uint32_t pairs)
{
    uint32_t i = 0;
    for (; i + LANES <= pairs; i += LANES) {
        vf a = v_load(x + i), b = v_load(x + pairs + i), low = v_load(angles + 2 * i),
           high = v_load(angles + 2 * i + LANES);
        vf c = v_evens(low, high), s = v_odds(low, high);
        v_store(x + i, v_fma(a, c, v_negate(v_mul(b, s))));
        v_store(x + pairs + i, v_fma(b, c, v_mul(a, s)));
    }
    for (; i < pairs; i++) {
        float a = x[i], b = x[pairs + i], c = angles[2 * i], s = angles[2 * i + 1];
        x[i] = lks_fma(a, c, -(b * s));
        x[pairs + i] = lks_fma(b, c, a * s);
    }
}

void LKS_KERNEL(rope)(float *x, size_t ld, uint32_t heads, uint32_t head_width, uint32_t rope_width,
                      bool halves, const float *table, size_t rows)
{
    for (size_t t = 0; t < rows; t++)
        for (uint32_t h = 0; h < heads; h++) {
            float *head = x + t * ld + (size_t)h * head_width;
            if (halves)
                rope_halves(head, table + t * rope_width, rope_width / 2);
            else
                rope_interleaved(head, table + t * rope_width, rope_width);
        }
}
