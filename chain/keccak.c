#include "chain/keccak.h"
#include "chain/keccak_internal.h"

#include <string.h>

#define V uint64_t
#define XOR(a, b) ((a) ^ (b))
#define XOR3(a, b, c) ((a) ^ ((b) ^ (c)))
#define CHI(a, b, c) ((a) ^ (~(b) & (c)))
#define ROL(a, n) rol(a, n)
#define SPLAT(x) (x)

static inline uint64_t rol(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

#include "chain/keccak_permute.inc"

/* One copy of the rounds, for all callers below. */
static __attribute__((noinline)) void permute_state(uint64_t state[25])
{
    permute(state);
}

/* The state's bytes are its words in little-endian order, on any machine. */
static void xor_byte(lks_keccak *ctx, size_t i, uint8_t byte)
{
    ctx->state[i / 8] ^= (uint64_t)byte << (8 * (i % 8));
}

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t w = 0;
    for (int i = 7; i >= 0; i--)
        w = w << 8 | p[i];
    return w;
}

void lks_keccak_init(lks_keccak *ctx)
{
    memset(ctx, 0, sizeof *ctx);
}

void lks_keccak_update(lks_keccak *ctx, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        if (ctx->offset == 0 && len >= RATE) {
            for (int i = 0; i < RATE / 8; i++)
                ctx->state[i] ^= load_le64(p + 8 * i);
            permute_state(ctx->state);
            p += RATE, len -= RATE;
            continue;
        }
        size_t took = ctx->offset % 8 == 0 && len >= 8 ? 8 : 1;
        if (took == 8)
            ctx->state[ctx->offset / 8] ^= load_le64(p);
        else
            xor_byte(ctx, ctx->offset, *p);
        p += took, len -= took;
        ctx->offset += took;
        if (ctx->offset == RATE) {
            permute_state(ctx->state);
            ctx->offset = 0;
        }
    }
}

void lks_keccak_final(lks_keccak *ctx, uint8_t digest32[32])
{
    xor_byte(ctx, ctx->offset, 0x01);
    xor_byte(ctx, RATE - 1, 0x80);
    permute_state(ctx->state);
    for (int i = 0; i < 32; i++)
        digest32[i] = (uint8_t)(ctx->state[i / 8] >> (8 * (i % 8)));
}

void lks_keccak256(uint8_t digest32[32], const void *data, size_t len)
{
    lks_keccak ctx;
    lks_keccak_init(&ctx);
    lks_keccak_update(&ctx, data, len);
    lks_keccak_final(&ctx, digest32);
}
