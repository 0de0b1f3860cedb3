#include "tests/dispute/player_table.h"

unsigned times_more = 1;
uint64_t seed = 20240607;

void sit_down(table *t, const tiny_model *m, const lks_run *run)
{
    memset(t, 0, sizeof *t);
    t->m = m;
    t->run = run;
    OK(lks_model_trees_make(&t->trees, &m->model));
    t->commitment = *lks_model_trees_commitment(t->trees);
    lks_trace_options o = {.threads = 1};
    OK(lks_spill_open(&o.spill, "/tmp", UINT64_MAX));
    OK(lks_trace_make(&t->own, &m->model, run, &o));
    lks_spill_close(o.spill);
    liar_open(&t->liar, t->own);
}

void get_up(table *t)
{
    liar_close(&t->liar);
    lks_trace_free(t->own);
    lks_model_trees_free(t->trees);
}

void begin(table *t)
{
    referee_open(&t->r, &t->m->model, &t->commitment, t->run);
    OK(lks_game_new(&t->g, &t->r.deployment, t->r.name, t->r.claim_id));
    t->fed = 0;
    referee_feed(&t->r, t->g, &t->fed);
}

void finish(table *t)
{
    lks_game_free(t->g);
    referee_close(&t->r);
}

/* The calls that the move becomes: they must be such that the contract can take them. */
void check_calls(const table *t, const lks_game_dispute *d, const lks_move *m, bool shape_due,
                 const uint8_t *salt)
{
    lks_game_calls calls;
    OK(lks_game_call(&calls, t->g, d, m, &t->m->model, salt));
    assert_int_equal(calls.count, shape_due ? 2 : 1);
    for (size_t i = 0; i < calls.count; i++)
        assert_true(calls.items[i].gas > 21000 && calls.items[i].gas <= 1u << 24 &&
                    calls.items[i].data.len > 4 && lks_u256_is_zero(&calls.items[i].value));
    bool asks = m->kind == LKS_MOVE_PICK || m->kind == LKS_MOVE_DEMAND_PARTIALS;
    assert_int_equal(calls.items[calls.count - 1].asks != LKS_DISPUTE_NONE, asks);
    lks_game_calls_free(&calls);
}

bool need_shape(const table *t, const lks_move *m)
{
    return m->kind == LKS_MOVE_PICK && m->op != LKS_TOP && !lks_game_shape_known(t->g, m->op);
}

/* What the challenger's player does, and the salt where it must have committed to it before. */
unsigned long long committed;

static const uint8_t *commit(table *t, const lks_game_dispute *d, size_t dispute, const lks_move *m,
                             uint8_t salt32[32])
{
    lks_game_calls calls;
    if (!lks_game_must_commit(d, m))
        return NULL;
    assert_int_equal(lks_game_call(&calls, t->g, d, m, NULL, NULL), LKS_BADARGS);
    assert_false(referee_move(&t->r, dispute, m,
                              NULL)); /* copied out of the pool it proves nothing */
    memset(salt32, 0x21, 32);
    OK(lks_game_call_commit_proof(&calls, &m->witness, d->terms.challenger, salt32));
    referee_commit(&t->r, calls.items[0].data.data + 4);
    lks_game_calls_free(&calls);
    assert_false(referee_move(&t->r, dispute, m, salt32)); /* too early */
    referee_mine(&t->r, 1);
    committed++;
    return salt32;
}

/* One move of the challenger's player. Returns: false when it has none. */
bool challenger_moves(table *t, size_t dispute)
{
    lks_move m;
    uint8_t salt[32];
    const lks_game_dispute *d = lks_game_dispute_find(t->g, t->r.disputes[dispute].id);
    lks_err err = lks_player_challenger(&m, t->own, t->trees, lks_game_shown(t->g), &d->now);
    if (err)
        fail_msg("%s, seed %llu: the challenger finds nothing: %s", t->m->name,
                 (unsigned long long)seed, lks_error_message());
    bool moved = m.kind != LKS_MOVE_NONE;
    if (moved) {
        const uint8_t *commit_salt = commit(t, d, dispute, &m, salt);
        check_calls(t, d, &m, need_shape(t, &m), commit_salt);
        if (need_shape(t, &m))
            assert_true(referee_record_shape(&t->r, m.op));
        if (!referee_move(&t->r, dispute, &m, commit_salt))
            fail_msg("%s, seed %llu: move %d at operation %u, height %u, index %llu is refused",
                     t->m->name, (unsigned long long)seed, (int)m.kind, m.op, m.height,
                     (unsigned long long)m.index);
    }
    lks_move_free(&m);
    return moved;
}

/* Plays one dispute of the liar against the player to its end. Returns: the number of moves. */
unsigned play_liar(table *t, size_t dispute)
{
    unsigned moves = 0;
    for (; !t->r.over; moves++) {
        lks_move m;
        lks_dispute at = referee_at(&t->r, dispute);
        assert_true(moves < 40);
        if (at.state == LKS_DISPUTE_CLOSED)
            break;
        referee_feed(&t->r, t->g, &t->fed);
        referee_compare(&t->r, t->g);
        if (!referee_is_operators(at.state)) {
            if (!challenger_moves(t, dispute))
                referee_timeout(&t->r, dispute);
            continue;
        }
        liar_answer(&m, &t->liar, &at);
        if (m.kind == LKS_MOVE_NONE || !referee_move(&t->r, dispute, &m, NULL))
            referee_timeout(&t->r, dispute);
        lks_move_free(&m);
    }
    referee_feed(&t->r, t->g, &t->fed);
    referee_compare(&t->r, t->g);
    return moves;
}

bool is_first_run(const tiny_model *m)
{
    static char name[64];
    bool first = strcmp(name, m->name) != 0;
    snprintf(name, sizeof name, "%s", m->name);
    return first;
}
