#include "oracle/dispute/player.h"

#include "oracle/dispute/player_walk.h"
#include "oracle/proof/unit_find.h"

#include <stdlib.h>
#include <string.h>

/* Levels that one reveal goes down. */
#define STAGE 5u

bool lks_stage_below(unsigned *height, uint32_t *count, unsigned node_height)
{
    unsigned levels = node_height < STAGE ? node_height : STAGE;
    *height = node_height - levels;
    *count = UINT32_C(1) << levels;
    return levels > 0;
}

bool lks_stage_is(unsigned height, unsigned tree_height)
{
    return height == 0 || (height <= tree_height && (tree_height - height) % STAGE == 0);
}

void lks_move_free(lks_move *m)
{
    free(m->hashes);
    free(m->bytes);
    lks_witness_free(&m->witness);
    memset(m, 0, sizeof *m);
}

static void put_place(lks_move *out, const lks_place *p)
{
    out->op = p->op;
    out->height = p->height;
    out->index = p->index;
}

/* ---- challenger ---- */

typedef struct player {
    lks_trace *own;
    const lks_model_trees *trees;
    const lks_shown *shown;
    const lks_dispute *d;
    lks_walk walk;       /* from the root to the first difference */
    lks_way_known known; /* what of it is shown */
} player;

static const lks_known_leaf *find_leaf(const lks_known *known, const lks_place *p)
{
    for (size_t i = 0; lks_place_is_leaf(p) && i < known->leaf_count; i++)
        if (known->leaves[i].op == p->op && known->leaves[i].leaf == p->index)
            return &known->leaves[i];
    return NULL;
}

static lks_err put_witness(lks_move *out, player *p, lks_move_kind kind, const lks_unit *u,
                           const uint8_t *partials, size_t partials_len)
{
    bool wrong = false;
    lks_err err = lks_witness_make(&out->witness, &wrong, p->own, p->trees, &p->known.known, u,
                                   partials, partials_len);
    if (err)
        return err;
    out->kind = kind;
    out->op = u->op;
    out->index = u->leaf;
    return wrong ? LKS_OK
                 : lks_fail(LKS_NOTFOUND, "the unit that was found is not wrong when its witness "
                                          "is made: this machine is broken");
}

/* A token that is wrong over an equal trace. */
static lks_err refute_token(lks_move *out, player *p)
{
    lks_unit u;
    uint32_t index = lks_trace_first_wrong_token(p->own);
    if (index >= lks_trace_run(p->own)->answer_count)
        return LKS_OK;
    lks_err err = lks_unit_find_token(&u, p->own, index);
    return err ? err : put_witness(out, p, LKS_MOVE_STEP, &u, NULL, 0);
}

/* The revealed leaf at the walk's end. */
static lks_err refute_leaf(lks_move *out, player *p, bool is_current)
{
    lks_unit u;
    const lks_place *leaf = &p->walk.at;
    bool attention = lks_trace_model(p->own)->program.ops[leaf->op].code == LKS_OP_ATTN;
    if (attention && !is_current) /* partials can be demanded of the current leaf alone */
        return LKS_OK;
    lks_err err =
        lks_unit_find(&u, p->own, p->trees, &p->known.known, leaf->op, (uint32_t)leaf->index);
    if (err)
        return err;
    if (!attention)
        return put_witness(out, p, LKS_MOVE_STEP, &u, NULL, 0);
    put_place(out, leaf);
    out->kind = LKS_MOVE_DEMAND_PARTIALS;
    out->element = u.unit;
    return LKS_OK;
}

/* Goes down to where the walk ends; `from` is the stage of the current node. */
static lks_err put_pick(lks_move *out, const lks_walk *w, const lks_trace *own, unsigned from)
{
    out->hashes = malloc(LKS_WALK_PATH_MAX * sizeof *out->hashes);
    if (!out->hashes)
        return lks_fail(LKS_NOMEM, "out of memory");
    put_place(out, &w->at);
    memcpy(out->hash, w->hash, 32);
    lks_walk_path(out->hashes, &out->hash_count, w, own, from);
    out->kind = LKS_MOVE_PICK;
    return LKS_OK;
}

/* The hash of the current node, as the operator showed it. Returns: false when it was not shown. */
static bool shown_hash(uint8_t hash32[32], const player *p, const lks_place *at)
{
    lks_place top = lks_place_top(p->own);
    const lks_known *known = &p->shown->known;
    if (lks_place_is(at, &top)) {
        memcpy(hash32, p->shown->root, 32);
        return true;
    }
    for (size_t i = 0; i < known->node_count; i++) {
        const lks_known_node *n = &known->nodes[i];
        lks_place place = lks_place_make(p->own, n->op, n->height, n->index);
        if (lks_place_is(&place, at)) {
            memcpy(hash32, n->hash, 32);
            return true;
        }
    }
    return false;
}

static lks_err refute_partials(lks_move *out, player *p)
{
    const lks_dispute *d = p->d;
    lks_unit u;
    if (!d->partials)
        return lks_fail(LKS_BADARGS,
                        "the partials of element %u that the operator posted are missing",
                        d->element);
    lks_err err = lks_unit_find_partial(&u, p->own, &p->known.known, d->op, (uint32_t)d->index,
                                        d->element, d->partials, d->partials_len);
    if (!err)
        err = put_witness(out, p, LKS_MOVE_STEP_PARTIAL, &u, d->partials, d->partials_len);
    if (err)
        return err;
    out->element = d->element;
    out->bytes = malloc(d->partials_len);
    if (!out->bytes)
        return lks_fail(LKS_NOMEM, "out of memory");
    memcpy(out->bytes, d->partials, d->partials_len);
    out->len = d->partials_len;
    return LKS_OK;
}

/* Goes on below the current node, where that is not on the way to the tree's first difference: to
 * the first one below it. */
static lks_err pick_below(lks_move *out, player *p, const lks_place *at)
{
    uint8_t hash[32];
    bool found = shown_hash(hash, p, at) && lks_walk_down(&p->walk, p->own, p->shown, at, hash);
    return found && p->walk.depth ? put_pick(out, &p->walk, p->own, 0) : LKS_OK;
}

/* The tree differs. Its first difference is proved wherever the dispute stands, once its leaf is
 * shown; else the dispute goes down there. */
static lks_err follow_difference(lks_move *out, player *p)
{
    const lks_dispute *d = p->d;
    lks_place top = lks_place_top(p->own), at = lks_place_make(p->own, d->op, d->height, d->index);
    top = lks_place_make(p->own, top.op, top.height, top.index);
    bool found = lks_walk_down(&p->walk, p->own, p->shown, &top, p->shown->root);
    bool is_current = lks_place_is(&p->walk.at, &at);
    const lks_known_leaf *leaf = found ? find_leaf(&p->shown->known, &p->walk.at) : NULL;
    lks_walk_known(&p->known, &p->walk, leaf);
    if (d->state == LKS_DISPUTE_PARTIAL_STEP)
        return leaf && is_current ? refute_partials(out, p) : LKS_OK;
    if (leaf) {
        lks_err err = refute_leaf(out, p, d->state == LKS_DISPUTE_STEP && is_current);
        if (err || out->kind != LKS_MOVE_NONE)
            return err;
    }
    if (d->state != LKS_DISPUTE_PICK)
        return LKS_OK;
    unsigned from = found ? lks_walk_find(&p->walk, &at) : p->walk.depth;
    bool renamed =
        top.op != LKS_TOP &&
        d->op == LKS_TOP; /* a single operation's root: (65,535, 0, 0) becomes (0, height, 0) */
    if (found && (from < p->walk.depth || renamed))
        return put_pick(out, &p->walk, p->own, from);
    return pick_below(out, p, &at);
}

lks_err lks_player_challenger(lks_move *out, lks_trace *own, const lks_model_trees *trees,
                              const lks_shown *shown, const lks_dispute *d)
{
    memset(out, 0, sizeof *out);
    bool turn = d->state == LKS_DISPUTE_PICK || d->state == LKS_DISPUTE_STEP ||
                d->state == LKS_DISPUTE_PARTIAL_STEP;
    if (!turn || !shown->open)
        return LKS_OK;
    lks_place at = lks_place_make(own, d->op, d->height, d->index);
    if (!lks_place_exists(own, &at))
        return lks_fail(LKS_BADARGS,
                        "the dispute is at operation %u, height %u, index %llu, which our trace "
                        "does not have",
                        d->op, d->height, (unsigned long long)d->index);
    player *p = calloc(1, sizeof *p);
    if (!p)
        return lks_fail(LKS_NOMEM, "out of memory");
    p->own = own;
    p->trees = trees;
    p->shown = shown;
    p->d = d;
    uint8_t root[32];
    lks_trace_root(root, own);
    lks_err err = memcmp(root, shown->root, 32) ? follow_difference(out, p) : refute_token(out, p);
    free(p);
    if (err)
        lks_move_free(out);
    return err;
}

bool lks_player_should_challenge(const lks_trace *own, const lks_shown *shown)
{
    if (lks_trace_first_wrong_token(own) < lks_trace_run(own)->answer_count)
        return true;
    uint8_t root[32];
    if (!shown->open)
        return false;
    lks_trace_root(root, own);
    return memcmp(root, shown->root, 32) != 0;
}
