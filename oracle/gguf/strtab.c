#include "oracle/gguf/strtab.h"

#include "kernels/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash with one round a word and three at the end (Aumasson and Bernstein, 2012). */
static uint64_t hash(const lks_strtab *t, const char *text, size_t len)
{
    uint64_t v[4] = {t->key[0] ^ 0x736f6d6570736575, t->key[1] ^ 0x646f72616e646f6d,
                     t->key[0] ^ 0x6c7967656e657261, t->key[1] ^ 0x7465646279746573};
    const uint8_t *p = (const uint8_t *)text;
    size_t left = len;
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t word = lks_load_le64(p);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

lks_err lks_strtab_init(lks_strtab *t, size_t capacity)
{
    memset(t, 0, sizeof *t);
    size_t slots = 16;
    while (slots / 2 < capacity) {
        if (slots > SIZE_MAX / 2 / sizeof *t->slots)
            return lks_fail(LKS_NOMEM, "out of memory for a table of %zu strings", capacity);
        slots *= 2;
    }
    if (getrandom(t->key, sizeof t->key, 0) != (ssize_t)sizeof t->key)
        return lks_fail(LKS_IO, "the system gives no random bytes: %s", strerror(errno));
    t->slots = calloc(slots, sizeof *t->slots);
    if (!t->slots)
        return lks_fail(LKS_NOMEM, "out of memory for a table of %zu strings", capacity);
    t->mask = slots - 1;
    return LKS_OK;
}

void lks_strtab_free(lks_strtab *t)
{
    free(t->slots);
    memset(t, 0, sizeof *t);
}

static lks_strtab_slot *slot_of(const lks_strtab *t, const char *text, size_t len)
{
    size_t i = (size_t)hash(t, text, len) & t->mask;
    while (t->slots[i].text && (t->slots[i].len != len || memcmp(t->slots[i].text, text, len) != 0))
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

uint32_t lks_strtab_put(lks_strtab *t, const char *text, size_t len, uint32_t value)
{
    lks_strtab_slot *s = slot_of(t, text, len);
    if (s->text)
        return s->value;
    *s = (lks_strtab_slot){.text = text, .len = len, .value = value};
    return LKS_STRTAB_NONE;
}

uint32_t lks_strtab_get(const lks_strtab *t, const char *text, size_t len)
{
    const lks_strtab_slot *s = slot_of(t, text, len);
    return s->text ? s->value : LKS_STRTAB_NONE;
}
