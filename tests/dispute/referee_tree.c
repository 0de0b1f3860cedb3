/* The rules of the dispute game about nodes: shapes, padding, paths. */
#include "tests/dispute/referee_internal.h"

typedef struct tree {
    bool top;
    lks_shape shape;
    uint32_t ops;
    unsigned height;
} tree;

lks_shape referee_shape(const referee *r, uint32_t op)
{
    lks_shape s;
    uint32_t positions = (uint32_t)(r->run->prompt_count + r->run->answer_count) - 1;
    lks_shape_output(&s, &r->model->program.ops[op], positions, (uint32_t)r->run->answer_count);
    return s;
}

unsigned referee_top_height(const referee *r)
{
    return lks_log2_ceil(r->model->program.op_count);
}

static tree tree_of(const referee *r, uint32_t op)
{
    tree t = {
        .top = op == LKS_TOP, .ops = r->model->program.op_count, .height = referee_top_height(r)};
    if (!t.top) {
        t.shape = referee_shape(r, op);
        t.height = t.shape.height;
    }
    return t;
}

static bool is_present(const tree *t, unsigned height, uint64_t index)
{
    if (height > t->height || index >> (t->height - height))
        return false;
    return t->top ? index << height < t->ops : lks_shape_node(&t->shape, height, index);
}

static void padding(uint8_t hash[32], const tree *t, unsigned height)
{
    lks_tree_pad(hash, LKS_TREE_TRACE, t->top ? LKS_ROLE_TOP_PAD : LKS_ROLE_PAD, height);
}

static void join(uint8_t hash[32], const tree *t, unsigned height, const uint8_t left[32],
                 const uint8_t right[32])
{
    lks_tree_node(hash, LKS_TREE_TRACE, t->top ? LKS_ROLE_TOP : LKS_ROLE_NODE, height, left, right);
}

bool referee_folds(const referee *r, uint32_t op, unsigned height, uint64_t index,
                   const lks_move *m, const uint8_t node[32])
{
    uint8_t level[32][32];
    const tree whole = tree_of(r, op), *t = &whole;
    size_t count = m->hash_count;
    unsigned levels = height < 5 ? height : 5;
    if (count != (size_t)1 << levels || levels == 0)
        return false;
    unsigned h = height - levels;
    memcpy(level, m->hashes, 32 * count);
    for (uint64_t first = index << levels;; first /= 2, h++) {
        for (size_t i = 0; i < count; i++) {
            uint8_t pad[32];
            padding(pad, t, h);
            if (is_present(t, h, first + i))
                continue;
            if (h == height - levels && memcmp(level[i], pad, 32))
                return false;
            memcpy(level[i], pad, 32);
        }
        if (count == 1)
            return memcmp(level[0], node, 32) == 0;
        count /= 2;
        for (size_t i = 0; i < count; i++)
            join(level[i], t, h + 1, level[2 * i], level[2 * i + 1]);
    }
}

static void climb(uint8_t hash[32], const tree *t, unsigned height, uint64_t index,
                  const uint8_t (*path)[32], size_t count)
{
    for (size_t i = 0; i < count; i++, index /= 2)
        join(hash, t, height + (unsigned)i + 1, index & 1 ? path[i] : hash,
             index & 1 ? hash : path[i]);
}

bool referee_pick_is_right(const referee *r, const referee_dispute *d, const lks_move *m)
{
    uint8_t hash[32];
    const uint8_t(*path)[32] = (const uint8_t(*)[32])m->hashes;
    bool crosses = m->op != d->at.op;
    if (crosses && (d->at.op != LKS_TOP || m->op >= r->model->program.op_count ||
                    m->op >> d->at.height != d->at.index || !r->recorded[m->op]))
        return false;
    tree t = tree_of(r, m->op), top = tree_of(r, LKS_TOP);
    if (!lks_stage_is(m->height, t.height) || !is_present(&t, m->height, m->index))
        return false;
    memcpy(hash, m->hash, 32);
    if (!crosses) {
        if (m->height >= d->at.height || m->index >> (d->at.height - m->height) != d->at.index ||
            (m->op == LKS_TOP && m->height == 0) || m->hash_count != d->at.height - m->height)
            return false;
        climb(hash, &t, m->height, m->index, path, m->hash_count);
    } else {
        size_t inside = t.height - m->height;
        if (m->hash_count != inside + d->at.height)
            return false;
        climb(hash, &t, m->height, m->index, path, inside);
        climb(hash, &top, 0, m->op, path + inside, d->at.height);
    }
    return memcmp(hash, d->node, 32) == 0;
}
