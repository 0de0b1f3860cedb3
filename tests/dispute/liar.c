#include "tests/dispute/liar.h"

#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/proof/unit_find.h"

/* splitmix64 */
uint64_t liar_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t op_count(const liar *l)
{
    return lks_trace_model(l->honest)->program.op_count;
}

void liar_open(liar *l, lks_trace *honest)
{
    *l = (liar){.honest = honest, .withhold = -1};
    l->shapes = calloc(op_count(l), sizeof *l->shapes);
    assert_non_null(l->shapes);
    for (uint32_t i = 0; i < op_count(l); i++)
        lks_trace_shape(&l->shapes[i], honest, i);
}

void liar_reset(liar *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->changes[i].bytes);
    l->count = 0;
    l->answers = 0;
    l->withhold = -1;
    l->partials = 0;
}

void liar_close(liar *l)
{
    liar_reset(l);
    free(l->shapes);
}

/* ---- the tree ---- */

static bool changed_below(const liar *l, uint32_t op, unsigned height, uint64_t index)
{
    for (size_t i = 0; i < l->count; i++) {
        const liar_change *c = &l->changes[i];
        if (op == LKS_TOP && c->op != LKS_TOP && c->op >> height == index)
            return true;
        if (c->op == op && c->height < height && c->index >> (height - c->height) == index)
            return true;
    }
    return false;
}

void liar_node(uint8_t hash32[32], const liar *l, uint32_t op, unsigned height, uint64_t index)
{
    if (op == LKS_TOP && height == 0 && index < op_count(l)) {
        op = (uint32_t)index;
        height = l->shapes[op].height;
        index = 0;
    }
    for (size_t i = 0; i < l->count; i++) {
        const liar_change *c = &l->changes[i];
        if (c->op == op && c->height == height && c->index == index) {
            memcpy(hash32, c->hash, 32);
            return;
        }
    }
    if (height == 0 || !changed_below(l, op, height, index)) {
        lks_trace_node(hash32, l->honest, op, height, index);
        return;
    }
    uint8_t left[32], right[32];
    liar_node(left, l, op, height - 1, 2 * index);
    liar_node(right, l, op, height - 1, 2 * index + 1);
    lks_tree_node(hash32, LKS_TREE_TRACE, op == LKS_TOP ? LKS_ROLE_TOP : LKS_ROLE_NODE, height,
                  left, right);
}

void liar_root(uint8_t hash32[32], const liar *l)
{
    liar_node(hash32, l, LKS_TOP, lks_log2_ceil(op_count(l)), 0);
}

/* ---- changes ---- */

static liar_change *next_change(liar *l)
{
    assert_true(l->count < LIAR_CHANGES);
    liar_change *c = &l->changes[l->count];
    *c = (liar_change){0};
    return c;
}

/* A later change of the same place replaces none: the first one counts. */
static bool taken(const liar *l, const liar_change *c)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->changes[i].op == c->op && l->changes[i].height == c->height &&
            l->changes[i].index == c->index)
            return true;
    return false;
}

static void honest_leaf(liar_change *c, const liar *l, uint32_t op, uint64_t leaf)
{
    const lks_shape *s = &l->shapes[op];
    uint32_t size;
    assert_true(lks_shape_leaf(&size, s, leaf));
    lks_trace_row row = {op, (uint32_t)(leaf >> s->chunk_bits), malloc(s->row_size)};
    c->bytes = malloc(size + 1);
    assert_true(row.bytes && c->bytes);
    OK(lks_trace_rows(l->honest, &row, 1));
    memcpy(c->bytes, row.bytes + LKS_CHUNK_SIZE * (leaf & ((UINT64_C(1) << s->chunk_bits) - 1)),
           size);
    c->len = size;
    c->op = op;
    c->height = 0;
    c->index = leaf;
    free(row.bytes);
}

static void keep(liar *l, const liar_change *c)
{
    if (taken(l, c))
        free(c->bytes);
    else
        l->count++;
}

void liar_flip(liar *l, uint32_t op, uint64_t leaf, uint32_t byte, unsigned bit)
{
    liar_change *c = next_change(l);
    honest_leaf(c, l, op, leaf);
    assert_true(byte < c->len);
    c->bytes[byte] ^= (uint8_t)(1u << bit);
    lks_tree_leaf(c->hash, LKS_TREE_TRACE, c->bytes, c->len);
    keep(l, c);
}

static uint64_t random_leaf(const liar *l, uint32_t op, uint64_t *random, bool in_range)
{
    uint64_t places = UINT64_C(1) << l->shapes[op].height, at = liar_below(random, places);
    for (uint64_t i = 0; i < places; i++, at = (at + 1) % places) {
        uint32_t size;
        if (lks_shape_leaf(&size, &l->shapes[op], at) == in_range)
            return at;
    }
    return UINT64_MAX;
}

static void wild_hash(uint8_t hash[32], uint64_t *random)
{
    for (int i = 0; i < 32; i++)
        hash[i] = (uint8_t)liar_random(random);
}

static void change_leaf(liar *l, liar_kind kind, uint32_t op, uint64_t *random)
{
    liar_change *c = next_change(l);
    honest_leaf(c, l, op, random_leaf(l, op, random, true));
    if (kind == LIAR_LONGER)
        c->bytes[c->len++] = 0;
    else if (kind == LIAR_SHORTER)
        c->len--;
    lks_tree_leaf(c->hash, LKS_TREE_TRACE, c->bytes, c->len);
    if (kind == LIAR_PADDING_LOOKALIKE) {
        free(c->bytes);
        c->bytes = NULL;
        lks_tree_pad(c->hash, LKS_TREE_TRACE, LKS_ROLE_PAD, 0);
    }
    keep(l, c);
}

void liar_add(liar *l, liar_kind kind, uint64_t *random)
{
    uint32_t op = (uint32_t)liar_below(random, op_count(l));
    const lks_shape *s = &l->shapes[op];
    liar_change *c = next_change(l);
    uint64_t leaf;
    switch (kind) {
    case LIAR_FLIP:
        honest_leaf(c, l, op, random_leaf(l, op, random, true));
        c->bytes[liar_below(random, c->len)] ^= (uint8_t)(1u << liar_below(random, 8));
        lks_tree_leaf(c->hash, LKS_TREE_TRACE, c->bytes, c->len);
        keep(l, c);
        break;
    case LIAR_ALIEN:
        c->op = op;
        c->height = (unsigned)liar_below(random, s->height + 1);
        c->index = liar_below(random, UINT64_C(1) << (s->height - c->height));
        wild_hash(c->hash, random);
        keep(l, c);
        break;
    case LIAR_ALIEN_TOP:
        c->op = LKS_TOP;
        c->height = 1 + (unsigned)liar_below(random, lks_log2_ceil(op_count(l)));
        c->index = liar_below(random, UINT64_C(1) << (lks_log2_ceil(op_count(l)) - c->height));
        wild_hash(c->hash, random);
        keep(l, c);
        break;
    case LIAR_PADDING_GARBAGE:
        for (uint32_t i = 0; i < op_count(l); i++, op = (op + 1) % op_count(l))
            if ((leaf = random_leaf(l, op, random, false)) != UINT64_MAX) {
                *c = (liar_change){.op = op, .index = leaf};
                wild_hash(c->hash, random);
                keep(l, c);
                break;
            }
        break;
    default: change_leaf(l, kind, op, random); break;
    }
}

/* ---- its play ---- */

static void put_children(lks_move *m, const liar *l, uint32_t op, unsigned height, uint64_t index)
{
    unsigned below;
    uint32_t count;
    if (!lks_stage_below(&below, &count, height))
        return;
    m->hashes = malloc(count * sizeof *m->hashes);
    assert_non_null(m->hashes);
    m->hash_count = count;
    for (uint32_t i = 0; i < count; i++)
        liar_node(m->hashes[i], l, op, below, index * count + i);
}

static void put_leaf(lks_move *m, const liar *l, uint32_t op, uint64_t leaf)
{
    for (size_t i = 0; i < l->count; i++) {
        const liar_change *c = &l->changes[i];
        if (c->op != op || c->height != 0 || c->index != leaf)
            continue;
        if (!c->bytes) {
            m->kind = LKS_MOVE_NONE;
            return;
        }
        m->len = c->len;
        m->bytes = malloc(c->len + 1);
        assert_non_null(m->bytes);
        memcpy(m->bytes, c->bytes, c->len);
        return;
    }
    liar_change c = {0};
    honest_leaf(&c, l, op, leaf);
    m->bytes = c.bytes;
    m->len = c.len;
}

/* The committed element, as the liar's leaf has it. */
static float committed(const liar *l, const lks_dispute *d)
{
    lks_move m = {.kind = LKS_MOVE_REVEAL_LEAF};
    put_leaf(&m, l, d->op, d->index);
    float x = lks_float(lks_load_le32(m.bytes + 4 * (d->element % 256)));
    lks_move_free(&m);
    return x;
}

static void put_partials(lks_move *m, liar *l, const lks_dispute *d)
{
    uint32_t row = (uint32_t)(d->index >> l->shapes[d->op].chunk_bits);
    OK(lks_partials_make(&m->bytes, &m->len, l->honest, d->op, row, d->element));
    uint8_t *o = m->bytes + m->len - 4, *z = m->bytes + m->len - 8;
    if (l->partials == 1) {
        uint64_t random = d->index * 31 + d->element;
        size_t at = liar_below(&random, m->len);
        m->bytes[at] ^= 1;
        if (!lks_partials_are_valid(row, m->bytes, m->len))
            m->bytes[at] ^= 1;
    } else if (l->partials == 2) {
        m->bytes[m->len - 3] ^= 0x40;
        if (!lks_partials_are_valid(row, m->bytes, m->len))
            m->bytes[m->len - 3] ^= 0x40;
    } else if (l->partials == 3) { /* o / 1 = the committed element */
        lks_store_le32(z, lks_bits(1.0f));
        lks_store_le32(o, lks_bits(committed(l, d)));
        if (!lks_partials_are_valid(row, m->bytes, m->len))
            lks_store_le32(o, 0);
    }
}

void liar_answer(lks_move *m, liar *l, const lks_dispute *d)
{
    memset(m, 0, sizeof *m);
    if (!referee_is_operators(d->state) || l->answers++ == l->withhold)
        return;
    switch (d->state) {
    case LKS_DISPUTE_ROOT:
        m->kind = LKS_MOVE_OPEN_TRACE;
        liar_root(m->hash, l);
        put_children(m, l, LKS_TOP, lks_log2_ceil(op_count(l)), 0);
        break;
    case LKS_DISPUTE_NODE:
        m->kind = LKS_MOVE_REVEAL;
        put_children(m, l, d->op, d->height, d->index);
        break;
    case LKS_DISPUTE_LEAF:
        m->kind = LKS_MOVE_REVEAL_LEAF;
        put_leaf(m, l, d->op, d->index);
        break;
    default:
        m->kind = LKS_MOVE_OPEN_PARTIALS;
        put_partials(m, l, d);
        break;
    }
}

void liar_pick(lks_move *m, const liar *l, const lks_dispute *from, uint32_t op, unsigned height,
               uint64_t index)
{
    memset(m, 0, sizeof *m);
    m->kind = LKS_MOVE_PICK;
    m->op = op;
    m->height = height;
    m->index = index;
    m->hashes = malloc(64 * sizeof *m->hashes);
    assert_non_null(m->hashes);
    liar_node(m->hash, l, op, height, index);
    unsigned end = op == from->op ? from->height : op == LKS_TOP ? 0 : l->shapes[op].height;
    for (; height < end; height++, index /= 2)
        liar_node(m->hashes[m->hash_count++], l, op, height, index ^ 1);
    if (op == from->op)
        return;
    index = op;
    for (unsigned h = 0; h < from->height; h++, index /= 2)
        liar_node(m->hashes[m->hash_count++], l, LKS_TOP, h, index ^ 1);
}
