/* Writes what the kernels compute as files that the contracts' tests compare with:
 * make_step_vectors DIR CASES FLOAT-CASES */
#include "step_vectors.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"

#include <stdlib.h>

enum {
    PART = 512 * 1024
};

static uint64_t state = 0x4c6f636b73746570u;

uint64_t random_bits(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t random_below(uint32_t bound)
{
    return (uint32_t)(random_bits() % bound);
}
bool one_in(uint32_t n)
{
    return random_below(n) == 0;
}

/* Positive ones; each is taken with both signs. Zero, the ends and the middle of the subnormals and
 * of the normal numbers, infinity, NaNs with and without the quiet bit, integers around where
 * rounding begins, ties, 127, 1 / 3, the limits of exp32 and of the A8 block. */
const uint32_t edge_values[] = {
    0x00000000, 0x00000001, 0x00000002, 0x00000003, 0x00400000, 0x007fffff, 0x00800000,
    0x00800001, 0x00ffffff, 0x01000000, 0x0d7fffff, 0x0d800000, 0x33800000, 0x34000000,
    0x3effffff, 0x3f000000, 0x3f000001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000,
    0x40000000, 0x3eaaaaab, 0x42fe0000, 0x42b17218, 0x42b20000, 0x42d20000, 0x4b000000,
    0x4b7fffff, 0x4b800000, 0x4b800001, 0x4f000000, 0x5f800000, 0x7e800000, 0x7f000000,
    0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fffffff};
const unsigned edge_count = sizeof edge_values / sizeof *edge_values;

static float random_edge(void)
{
    return lks_float(edge_values[random_below(edge_count)] | (uint32_t)one_in(2) << 31);
}

float random_tame(void)
{
    uint32_t exponent = 127 - 8 + random_below(14);
    if (one_in(200))
        return random_edge();
    return lks_float((uint32_t)one_in(2) << 31 | exponent << 23 |
                     (uint32_t)(random_bits() & (one_in(4) ? 0x7f0000u : 0x7fffffu)));
}

float random_float(void)
{
    switch (random_below(6)) {
    case 0: return random_edge();
    case 1: return lks_float((uint32_t)random_bits());
    case 2: return lks_float((uint32_t)random_bits() & 0x80ffffffu); /* subnormal, or close */
    case 3: return ((float)random_below(600) - 300.0f) * 0.5f;
    default: return random_tame();
    }
}

uint16_t random_half(void)
{
    if (one_in(100))
        return (uint16_t)random_bits();
    if (one_in(4)) /* one bit: products that tie */
        return (uint16_t)((uint32_t)one_in(2) << 15 | random_below(31) << 10);
    return (uint16_t)((random_bits() & 0x83ffu) | random_below(31) << 10);
}

static void fail(const vector_file *f)
{
    fprintf(stderr, "make_step_vectors: cannot write %s/%s.%u.bin\n", f->dir, f->name, f->part);
    exit(1);
}

static void open_part(vector_file *f)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s.%u.bin", f->dir, f->name, f->part) >= (int)sizeof path ||
        !(f->file = fopen(path, "wb")))
        fail(f);
    f->size = 0;
}

void vector_open(vector_file *f, const char *dir, const char *name)
{
    *f = (vector_file){.dir = dir, .name = name};
    open_part(f);
}

void vector_close(vector_file *f)
{
    if (fclose(f->file))
        fail(f);
}

void vector_record(vector_file *f)
{
    if (f->size < PART)
        return;
    vector_close(f);
    f->part++;
    open_part(f);
}

void vector_bytes(vector_file *f, const void *bytes, size_t len)
{
    if (fwrite(bytes, 1, len, f->file) != len)
        fail(f);
    f->size += len;
}

void vector_word(vector_file *f, uint32_t word)
{
    uint8_t bytes[4];
    lks_store_le32(bytes, word);
    vector_bytes(f, bytes, 4);
}

void vector_float(vector_file *f, float x)
{
    vector_word(f, lks_bits(x));
}

void vector_floats(vector_file *f, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        vector_float(f, x[i]);
}

int main(int argc, char **argv)
{
    char *end;
    unsigned long cases = argc == 4 ? strtoul(argv[2], &end, 10) : 0, float_cases = 0;
    if (cases && !*end)
        float_cases = strtoul(argv[3], &end, 10);
    if (!float_cases || *end || cases > 1000000 || float_cases > 100000000) {
        fprintf(stderr, "usage: make_step_vectors DIR CASES FLOAT-CASES\n");
        return 2;
    }
    const char *fault = lks_kernels_check();
    if (fault) {
        fprintf(stderr, "make_step_vectors: %s\n", fault);
        return 1;
    }
    write_scalars(argv[1], (uint32_t)cases, (uint32_t)float_cases);
    write_rows(argv[1], (uint32_t)cases);
    write_rules(argv[1], (uint32_t)cases);
    return 0;
}
