#include "oracle/tree.h"

#include "chain/keccak.h"

#include <string.h>

unsigned lks_log2_ceil(uint64_t n)
{
    unsigned bits = 0;
    while (bits < 63 && ((uint64_t)1 << bits) < n)
        bits++;
    return bits;
}

static uint8_t tag(lks_tree tree, lks_tree_role role) { return (uint8_t)(8 * (unsigned)tree + (unsigned)role); }

void lks_tree_leaf(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len)
{
    lks_keccak ctx;
    uint8_t t = tag(tree, LKS_ROLE_LEAF);
    lks_keccak_init(&ctx);
    lks_keccak_update(&ctx, &t, 1);
    lks_keccak_update(&ctx, bytes, len);
    lks_keccak_final(&ctx, hash32);
}

void lks_tree_node(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height, const uint8_t left32[32], const uint8_t right32[32])
{
    uint8_t bytes[66] = {tag(tree, role), (uint8_t)height};
    memcpy(bytes + 2, left32, 32);
    memcpy(bytes + 34, right32, 32);
    lks_keccak256(hash32, bytes, sizeof bytes);
}

void lks_tree_pad(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height)
{
    uint8_t bytes[2] = {tag(tree, role), (uint8_t)height};
    lks_keccak256(hash32, bytes, sizeof bytes);
}

/* ---- Many at once: messages of one length side by side ---- */

enum { AT_ONCE = 8 };

/* The leaf hashes of `count` chunks of len bytes: `across` a row, rows row_size apart; those of a row go to `across` places of `chunks`. */
static void leaves_of(uint8_t (*hashes)[32], lks_tree tree, const uint8_t *rows, size_t row_size, size_t chunks, size_t across, size_t len, size_t count)
{
    uint8_t messages[AT_ONCE][1 + LKS_CHUNK_SIZE], digests[AT_ONCE][32];
    const uint8_t *in[AT_ONCE];
    size_t places[AT_ONCE], row = 0, chunk = 0;
    for (size_t done = 0; done < count;) {
        size_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            messages[i][0] = tag(tree, LKS_ROLE_LEAF);
            memcpy(messages[i] + 1, rows + row * row_size + chunk * LKS_CHUNK_SIZE, len);
            in[i] = messages[i];
            places[i] = row * chunks + chunk;
            if (++chunk == across)
                chunk = 0, row++;
        }
        lks_keccak256_many(digests, in, 1 + len, n);
        for (size_t i = 0; i < n; i++)
            memcpy(hashes[places[i]], digests[i], 32);
        done += n;
    }
}

void lks_tree_leaves(uint8_t (*hashes)[32], lks_tree tree, const void *rows, size_t row_size, size_t count)
{
    size_t whole = row_size / LKS_CHUNK_SIZE, rest = row_size % LKS_CHUNK_SIZE, chunks = whole + (rest != 0);
    const uint8_t *p = rows;
    if (whole)
        leaves_of(hashes, tree, p, row_size, chunks, whole, LKS_CHUNK_SIZE, whole * count);
    if (rest)
        leaves_of(hashes + whole, tree, p + whole * LKS_CHUNK_SIZE, row_size, chunks, 1, rest, count);
}

void lks_tree_parents(uint8_t (*hashes)[32], lks_tree tree, lks_tree_role role, unsigned height, const uint8_t (*children)[32], size_t count)
{
    uint8_t messages[AT_ONCE][66];
    const uint8_t *in[AT_ONCE];
    for (size_t done = 0; done < count;) {
        size_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            messages[i][0] = tag(tree, role);
            messages[i][1] = (uint8_t)height;
            memcpy(messages[i] + 2, children[2 * (done + i)], 64);
            in[i] = messages[i];
        }
        lks_keccak256_many(hashes + done, in, 66, n);
        done += n;
    }
}
