#include "oracle/cli/difference.h"

#include "oracle/cli/output.h"
#include "oracle/dispute/player_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const lks_known_leaf *known_leaf(const lks_shown *shown, uint32_t op, uint64_t leaf)
{
    for (size_t i = 0; i < shown->known.leaf_count; i++) {
        if (shown->known.leaves[i].op == op && shown->known.leaves[i].leaf == leaf) {
            return &shown->known.leaves[i];
        }
    }
    return NULL;
}

/* Compares the revealed bytes of the leaf that the way down ended at. */
static lks_err compare_leaf(lks_difference *d, lks_trace *own, const lks_shown *shown)
{
    lks_shape s;
    uint32_t size;
    const lks_run *run = lks_trace_run(own);
    const lks_place_run where = {&lks_trace_model(own)->program, (uint32_t)run->prompt_count,
                                 (uint32_t)run->answer_count};
    const lks_known_leaf *leaf =
        d->op != LKS_TOP && d->height == 0 ? known_leaf(shown, d->op, d->index) : NULL;
    if (leaf == NULL) {
        return LKS_OK;
    }
    lks_trace_shape(&s, own, d->op);
    if (!lks_shape_leaf(&size, &s, d->index) || size != leaf->len) {
        return lks_fail(LKS_CORRUPT,
                        "the revealed leaf %" PRIu64 " of operation %" PRIu32
                        " has another length than its place",
                        d->index, d->op);
    }
    lks_trace_row row = {
        .op = d->op, .row = (uint32_t)(d->index >> s.chunk_bits), .bytes = malloc(s.row_size)};
    lks_err err =
        row.bytes != NULL ? lks_trace_rows(own, &row, 1) : lks_fail(LKS_NOMEM, "out of memory");
    const size_t chunk = (size_t)(d->index & ((UINT64_C(1) << s.chunk_bits) - 1)) * LKS_CHUNK_SIZE;
    for (uint32_t i = 0; err == LKS_OK && i < size; i++) {
        if (leaf->bytes[i] != row.bytes[chunk + i]) {
            d->kind = LKS_DIFFERENCE_BYTE;
            d->theirs = leaf->bytes[i];
            d->own = row.bytes[chunk + i];
            lks_place_of(&d->place, &where, d->op, d->index, i);
            break;
        }
    }
    if (err == LKS_OK && d->kind != LKS_DIFFERENCE_BYTE) {
        err = lks_fail(LKS_CORRUPT,
                       "the revealed leaf %" PRIu64 " of operation %" PRIu32
                       " does not have its node's hash",
                       d->index, d->op);
    }
    free(row.bytes);
    return err;
}

lks_err lks_difference_find(lks_difference *out, lks_trace *own, const lks_shown *shown)
{
    lks_walk walk;
    const lks_place top =
        lks_place_make(own, LKS_TOP, lks_log2_ceil(lks_trace_model(own)->program.op_count), 0);
    *out = (lks_difference){0};
    lks_trace_root(out->own_root, own);
    if (!shown->open) {
        return LKS_OK;
    }
    if (memcmp(shown->root, out->own_root, 32) == 0) {
        out->kind = LKS_DIFFERENCE_NONE;
        return LKS_OK;
    }
    if (!lks_walk_down(&walk, own, shown, &top, shown->root)) {
        return lks_fail(LKS_CORRUPT, "the revealed nodes do not have the hash of the opened root");
    }
    out->kind = LKS_DIFFERENCE_NODE;
    out->op = walk.at.op;
    out->height = walk.at.height;
    out->index = walk.at.index;
    return compare_leaf(out, own, shown);
}

void lks_difference_text(char text[2 * LKS_PLACE_SIZE], const lks_difference *d,
                         const lks_place_run *run)
{
    char place[LKS_PLACE_SIZE];
    switch (d->kind) {
    case LKS_DIFFERENCE_CLOSED: snprintf(text, 2 * LKS_PLACE_SIZE, "not open"); break;
    case LKS_DIFFERENCE_NONE:
        snprintf(text, 2 * LKS_PLACE_SIZE, "open; its root matches ours");
        break;
    case LKS_DIFFERENCE_NODE:
        lks_place_node(place, run, d->op, d->height, d->index);
        snprintf(text, 2 * LKS_PLACE_SIZE,
                 "open; its root differs from ours; as far as it is revealed, the first difference "
                 "lies in %s",
                 place);
        break;
    case LKS_DIFFERENCE_BYTE:
        lks_place_text(place, run, &d->place);
        snprintf(text, 2 * LKS_PLACE_SIZE,
                 "open; its root differs from ours; the first difference: %s, shown %02x, right is "
                 "%02x",
                 place, d->theirs, d->own);
        break;
    }
}

void lks_difference_json(lks_json_writer *w, const lks_difference *d, const lks_place_run *run)
{
    char place[LKS_PLACE_SIZE];
    lks_json_put_name(w, "open");
    lks_json_put_bool(w, d->kind != LKS_DIFFERENCE_CLOSED);
    if (d->kind == LKS_DIFFERENCE_CLOSED) {
        return;
    }
    lks_json_put_name(w, "same");
    lks_json_put_bool(w, d->kind == LKS_DIFFERENCE_NONE);
    lks_json_member_data(w, "ownRoot", d->own_root, 32);
    if (d->kind == LKS_DIFFERENCE_NODE) {
        lks_place_node(place, run, d->op, d->height, d->index);
        lks_json_member_text(w, "within", place);
    }
    if (d->kind == LKS_DIFFERENCE_BYTE) {
        lks_json_put_name(w, "firstDifference");
        lks_json_begin_object(w);
        lks_place_json(w, run, &d->place);
        lks_json_member_u64(w, "shown", d->theirs);
        lks_json_member_u64(w, "right", d->own);
        lks_json_end_object(w);
    }
}
