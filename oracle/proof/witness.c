#include "oracle/proof/operator_view.h"

#include "chain/keccak.h"
#include "kernels/bytes.h"

#include <stdlib.h>
#include <string.h>

void lks_witness_free(lks_witness *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->openings[i].data);
        free(w->openings[i].path);
    }
    free(w->openings);
    w->openings = NULL;
    w->count = 0;
}

static void list_hash(uint8_t hash32[32], const uint32_t *ids, size_t count)
{
    enum {
        PIECE_IDS = LKS_CHUNK_SIZE / 4
    };
    lks_keccak all;
    memset(hash32, 0, 32);
    if (count == 0)
        return;
    lks_keccak_init(&all);
    for (size_t i = 0; i < count;) {
        uint8_t piece[LKS_CHUNK_SIZE], hash[32];
        size_t n = 0;
        for (; n < PIECE_IDS && i < count; n++, i++)
            lks_store_le32(piece + 4 * n, ids[i]);
        lks_keccak256(hash, piece, 4 * n);
        lks_keccak_update(&all, hash, 32);
    }
    lks_keccak_final(&all, hash32);
}

/* The claim as the view has it: what the witness must hold against. */
static void claim_of(lks_witness_claim *c, const lks_view *v)
{
    const lks_run *r = v->run;
    c->facts = v->facts;
    lks_view_node(c->trace_root, v, LKS_TOP, lks_log2_ceil(v->facts.op_count), 0);
    list_hash(c->prompt_hash, r->prompt, r->prompt_count);
    list_hash(c->tokens_hash, r->answer, r->answer_count);
    list_hash(c->allowed_hash, r->policy.allowed, r->policy.allowed_count);
}

/* The check, again and again while it meets rows that are not there yet. */
static lks_err run_check(bool *wrong, lks_view *v, const lks_unit *u, const uint8_t *partials,
                         size_t partials_len)
{
    for (;;) {
        lks_view_restart(v);
        lks_err err = lks_step_check(wrong, &v->facts, u, partials, partials_len, &v->reader);
        if (!lks_view_lacks(v) || err == LKS_NOMEM)
            return err;
        *wrong = false;
        if ((err = lks_view_fetch(v)))
            return err;
    }
}

lks_err lks_witness_make(lks_witness *out, bool *wrong, lks_trace *own,
                         const lks_model_trees *trees, const lks_known *known, const lks_unit *u,
                         const uint8_t *partials, size_t partials_len)
{
    lks_view v;
    *out = (lks_witness){.unit = *u};
    *wrong = false;
    lks_view_open(&v, own, known);
    v.record = out;
    v.trees = trees;
    lks_err err = run_check(wrong, &v, u, partials, partials_len);
    if (!err) {
        lks_witness_claim claim;
        bool proved;
        claim_of(&claim, &v);
        err = lks_witness_check(&proved, &claim, lks_model_trees_commitment(trees), out, partials,
                                partials_len);
        if (err)
            err = lks_fail_in(err, "what was revealed and the own trace do not fit together");
        else if (proved != *wrong)
            err = lks_fail(LKS_INTERNAL, "a witness and its making disagree");
    }
    lks_view_close(&v);
    if (err) {
        lks_witness_free(out);
        *wrong = false;
    }
    return err;
}
