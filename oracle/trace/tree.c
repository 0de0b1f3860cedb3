#include "oracle/trace/tree.h"

#include "chain/keccak.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

unsigned lks_log2_ceil(uint64_t n)
{
    unsigned bits = 0;
    while (bits < 63 && ((uint64_t)1 << bits) < n)
        bits++;
    return bits;
}

static uint8_t tag(lks_tree tree, lks_tree_role role)
{
    return (uint8_t)(8 * (unsigned)tree + (unsigned)role);
}

void lks_tree_leaf(uint8_t hash32[32], lks_tree tree, const void *bytes, size_t len)
{
    lks_keccak ctx;
    uint8_t t = tag(tree, LKS_ROLE_LEAF);
    lks_keccak_init(&ctx);
    lks_keccak_update(&ctx, &t, 1);
    lks_keccak_update(&ctx, bytes, len);
    lks_keccak_final(&ctx, hash32);
}

void lks_tree_node(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height,
                   const uint8_t left32[32], const uint8_t right32[32])
{
    uint8_t bytes[66] = {tag(tree, role), (uint8_t)height};
    memcpy(bytes + 2, left32, 32);
    memcpy(bytes + 34, right32, 32);
    lks_keccak256(hash32, bytes, sizeof bytes);
}

/* Every padding there is: a tree of few rows needs one for each height, which would cost it as much
 * as its nodes. */
enum {
    TREES = LKS_TREE_ROPE + 1,
    MAX_HEIGHT = 64
};
static uint8_t pads[TREES][2][MAX_HEIGHT][32];
static pthread_once_t pads_once = PTHREAD_ONCE_INIT;

static void make_pads(void)
{
    for (int tree = LKS_TREE_TRACE; tree < TREES; tree++)
        for (int top = 0; top < 2; top++)
            for (unsigned height = 0; height < MAX_HEIGHT; height++) {
                uint8_t bytes[2] = {tag((lks_tree)tree, top ? LKS_ROLE_TOP_PAD : LKS_ROLE_PAD),
                                    (uint8_t)height};
                lks_keccak256(pads[tree][top][height], bytes, sizeof bytes);
            }
}

void lks_tree_pad(uint8_t hash32[32], lks_tree tree, lks_tree_role role, unsigned height)
{
    assert((unsigned)tree < TREES && height < MAX_HEIGHT);
    pthread_once(&pads_once, make_pads);
    memcpy(hash32, pads[tree][role == LKS_ROLE_TOP_PAD][height], 32);
}

/* ---- Many at once: messages of one length side by side ---- */

enum {
    AT_ONCE = 16
};

/* The leaf hashes of `count` chunks of len bytes: `across` a row, rows row_size apart; those of a
 * row go to `across` places of `chunks`. */
static void leaves_of(uint8_t (*hashes)[32], lks_tree tree, const uint8_t *rows, size_t row_size,
                      size_t chunks, size_t across, size_t len, size_t count)
{
    uint8_t digests[AT_ONCE][32], prefix = tag(tree, LKS_ROLE_LEAF);
    const uint8_t *in[AT_ONCE];
    size_t places[AT_ONCE], row = 0, chunk = 0;
    for (size_t done = 0; done < count;) {
        size_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            in[i] = rows + row * row_size + chunk * LKS_CHUNK_SIZE;
            places[i] = row * chunks + chunk;
            if (++chunk == across)
                chunk = 0, row++;
        }
        lks_keccak256_many(digests, &prefix, 1, in, len, n);
        for (size_t i = 0; i < n; i++)
            memcpy(hashes[places[i]], digests[i], 32);
        done += n;
    }
}

void lks_tree_leaves(uint8_t (*hashes)[32], lks_tree tree, const void *rows, size_t row_size,
                     size_t count)
{
    size_t whole = row_size / LKS_CHUNK_SIZE, rest = row_size % LKS_CHUNK_SIZE,
           chunks = whole + (rest != 0);
    const uint8_t *p = rows;
    if (whole)
        leaves_of(hashes, tree, p, row_size, chunks, whole, LKS_CHUNK_SIZE, whole * count);
    if (rest)
        leaves_of(hashes + whole, tree, p + whole * LKS_CHUNK_SIZE, row_size, chunks, 1, rest,
                  count);
}

void lks_tree_parents(uint8_t (*hashes)[32], lks_tree tree, lks_tree_role role, unsigned height,
                      const uint8_t (*children)[32], size_t count)
{
    uint8_t digests[AT_ONCE][32], prefix[2] = {tag(tree, role), (uint8_t)height};
    const uint8_t *in[AT_ONCE];
    for (size_t done = 0; done < count;) {
        size_t n = count - done < AT_ONCE ? count - done : AT_ONCE;
        for (size_t i = 0; i < n; i++)
            in[i] = children[2 * (done + i)];
        lks_keccak256_many(digests, prefix, sizeof prefix, in, 64, n);
        memcpy(hashes[done], digests, 32 * n);
        done += n;
    }
}
