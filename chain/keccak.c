#include "chain/keccak.h"

#include <string.h>

#define RATE 136

static const uint64_t ROUND_CONSTANTS[24] = {
    0x0000000000000001u, 0x0000000000008082u, 0x800000000000808au, 0x8000000080008000u, 0x000000000000808bu,
    0x0000000080000001u, 0x8000000080008081u, 0x8000000000008009u, 0x000000000000008au, 0x0000000000000088u,
    0x0000000080008009u, 0x000000008000000au, 0x000000008000808bu, 0x800000000000008bu, 0x8000000000008089u,
    0x8000000000008003u, 0x8000000000008002u, 0x8000000000000080u, 0x000000000000800au, 0x800000008000000au,
    0x8000000080008081u, 0x8000000000008080u, 0x0000000080000001u, 0x8000000080008008u,
};

static inline uint64_t rol(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

/* One round with rho and pi unrolled, so that every rotation is by a constant (a rolled loop is four times slower). */
static void permute(uint64_t s[25])
{
    for (int round = 0; round < 24; round++) {
        uint64_t c[5], d[5], b[25];
        for (int x = 0; x < 5; x++)
            c[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
        for (int x = 0; x < 5; x++)
            d[x] = c[(x + 4) % 5] ^ rol(c[(x + 1) % 5], 1);
        b[0] = s[0] ^ d[0];
        b[10] = rol(s[1] ^ d[1], 1);
        b[20] = rol(s[2] ^ d[2], 62);
        b[5] = rol(s[3] ^ d[3], 28);
        b[15] = rol(s[4] ^ d[4], 27);
        b[16] = rol(s[5] ^ d[0], 36);
        b[1] = rol(s[6] ^ d[1], 44);
        b[11] = rol(s[7] ^ d[2], 6);
        b[21] = rol(s[8] ^ d[3], 55);
        b[6] = rol(s[9] ^ d[4], 20);
        b[7] = rol(s[10] ^ d[0], 3);
        b[17] = rol(s[11] ^ d[1], 10);
        b[2] = rol(s[12] ^ d[2], 43);
        b[12] = rol(s[13] ^ d[3], 25);
        b[22] = rol(s[14] ^ d[4], 39);
        b[23] = rol(s[15] ^ d[0], 41);
        b[8] = rol(s[16] ^ d[1], 45);
        b[18] = rol(s[17] ^ d[2], 15);
        b[3] = rol(s[18] ^ d[3], 21);
        b[13] = rol(s[19] ^ d[4], 8);
        b[14] = rol(s[20] ^ d[0], 18);
        b[24] = rol(s[21] ^ d[1], 2);
        b[9] = rol(s[22] ^ d[2], 61);
        b[19] = rol(s[23] ^ d[3], 56);
        b[4] = rol(s[24] ^ d[4], 14);
        for (int y = 0; y < 25; y += 5)
            for (int x = 0; x < 5; x++)
                s[y + x] = b[y + x] ^ (~b[y + (x + 1) % 5] & b[y + (x + 2) % 5]);
        s[0] ^= ROUND_CONSTANTS[round];
    }
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

void lks_keccak_init(lks_keccak *ctx) { memset(ctx, 0, sizeof *ctx); }

void lks_keccak_update(lks_keccak *ctx, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        if (ctx->offset == 0 && len >= RATE) {
            for (int i = 0; i < RATE / 8; i++)
                ctx->state[i] ^= load_le64(p + 8 * i);
            permute(ctx->state);
            p += RATE, len -= RATE;
            continue;
        }
        xor_byte(ctx, ctx->offset, *p);
        p++, len--;
        if (++ctx->offset == RATE) {
            permute(ctx->state);
            ctx->offset = 0;
        }
    }
}

void lks_keccak_final(lks_keccak *ctx, uint8_t digest32[32])
{
    xor_byte(ctx, ctx->offset, 0x01);
    xor_byte(ctx, RATE - 1, 0x80);
    permute(ctx->state);
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
