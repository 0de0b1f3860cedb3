/* The RoPE table, by double-precision + - * / alone (docs/SPEC.md): logarithm of the base,
 * exponential of a negative argument, sine and cosine. */
#include "kernels/kernels.h"

/* Nearest integer, half to even, for |x| < 2^51: the sum has no bits left below 1. */
static double nearest(double x)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2^52 */
    double t = x + magic;
    return t - magic;
}

/* ln(b), b finite and >= 1 */
static double logarithm(double b)
{
    int e = 0;
    while (b >= 1.4142135623730951) {
        b *= 0.5;
        e++;
    }
    double s = (b - 1.0) / (b + 1.0), z = s * s, p = 0.0;
    for (int k = 12; k >= 0; k--)
        p = p * z + 1.0 / (double)(2 * k + 1);
    return (double)e * 0x1.62e42fefa39efp-1 + 2.0 * s * p;
}

/* exp(-x), 0 <= x <= 700 */
static double exponential_of_negative(double x)
{
    double n = nearest(x * 0x1.71547652b82fep0),
           r = -((x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33), p = 1.0;
    for (int k = 16; k >= 1; k--)
        p = 1.0 + p * r / (double)k;
    for (int i = 0; i < (int)n; i++)
        p *= 0.5;
    return p;
}

/* 0 <= a < 2^22. pi/2 in three parts; the first two have 30 bits, so their products with n are
 * exact. */
static void sine_cosine(float *sine, float *cosine, double a)
{
    double n = nearest(a * 0x1.45f306dc9c883p-1);
    double r = ((a - n * 0x1.921fb544p0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
    double z = r * r, ps = 0.0, pc = 0.0;
    for (int k = 9; k >= 1; k--)
        ps = (1.0 + ps) * (-z) / (double)((2 * k) * (2 * k + 1));
    for (int k = 9; k >= 1; k--)
        pc = (1.0 + pc) * (-z) / (double)((2 * k - 1) * (2 * k));
    double s = r + r * ps, c = 1.0 + pc;
    switch ((int64_t)n & 3) {
    case 0: *sine = (float)s, *cosine = (float)c; break;
    case 1: *sine = (float)c, *cosine = (float)-s; break;
    case 2: *sine = (float)-s, *cosine = (float)-c; break;
    default: *sine = (float)-c, *cosine = (float)s; break;
    }
}

void lks_rope_frequencies(double *frequencies, float base, uint32_t width, const float *factors)
{
    double l = logarithm((double)base);
    for (uint32_t i = 0; i < width / 2; i++)
        frequencies[i] =
            exponential_of_negative(l * ((double)(2 * i) / (double)width)) / (double)factors[i];
}

void lks_rope_row(float *row, uint32_t position, const double *frequencies, uint32_t width)
{
    for (uint32_t i = 0; i < width / 2; i++)
        sine_cosine(&row[2 * i + 1], &row[2 * i], (double)position * frequencies[i]);
}
