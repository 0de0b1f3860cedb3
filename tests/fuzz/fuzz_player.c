/* Both players in games that a hostile chain makes up about a claim of a tiny model. The first 4
 * bytes choose the claim (right, or with a wrong token) and its operator (honest, or one that lies
 * consistently); 8 bytes each are an event, of what a player would do there, of that with a bit
 * flipped, or of anything. Events that contradict those before them are taken back, as a re-org
 * would. Whatever the chain says,
 *   the operator's player shows what is in its own trace, and nothing else,
 *   the challenger's player leaves a right claim whose opened trace is its own alone, and while the
 *   chain shows nothing that the contract would not have taken, each of its proofs holds. */
#include "oracle/dispute/player_walk.h"
#include "tests/dispute/liar.h"
#include "tests/dispute/referee_internal.h"
#include "tests/proof/run_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEAD = 4,
    RECORD = 8,
    MAX_EVENTS = 60,
    DISPUTES = 4,
    MAX_CHILDREN = 32
};

static struct {
    tiny_model m;
    vector_run run;
    lks_model_trees *trees;
    uint32_t *wrong_answer; /* with another token at its end */
    lks_run claimed[2];     /* the right answer, the wrong one */
    lks_trace *own[2];
    liar liars[2];
} s;

typedef struct game {
    referee r; /* writes the events, right or wrong: its own rules are not asked */
    lks_game *g;
    bool wrong, lies;
    bool broken; /* something was shown that does not hash to what it is shown for */
    referee_dispute disputes[DISPUTES];
} game;

#define CHECK(good)                                                                                \
    do {                                                                                           \
        if (!(good)) {                                                                             \
            fprintf(stderr, "line %d: %s\n", __LINE__, #good);                                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void open_scene(void)
{
    vector_file f;
    tiny_open(&s.m, "q4-0");
    tiny_vectors(&f, &s.m, "runs");
    vector_run_read(&s.run, &f, vectors_first(&f));
    vectors_close(&f);
    OK(lks_model_trees_make(&s.trees, &s.m.model));
    const lks_run *right = &s.run.run;
    size_t bytes = right->answer_count * sizeof *s.wrong_answer;
    s.wrong_answer = malloc(bytes);
    CHECK(s.wrong_answer != NULL);
    memcpy(s.wrong_answer, right->answer, bytes);
    s.wrong_answer[right->answer_count - 1] ^= 1;
    s.claimed[0] = s.claimed[1] = *right;
    s.claimed[1].answer = s.wrong_answer;
    for (int i = 0; i < 2; i++) {
        lks_trace_options o = {.threads = 1};
        OK(lks_spill_open(&o.spill, "/tmp", UINT64_MAX));
        OK(lks_trace_make(&s.own[i], &s.m.model, &s.claimed[i], &o));
        lks_spill_close(o.spill);
        liar_open(&s.liars[i], s.own[i]);
    }
}

static lks_trace *own_of(const game *t)
{
    return s.own[t->wrong];
}

/* ---- the players ---- */

/* An answer is true to the trace. */
static void check_answer(const game *t, const lks_dispute *at, const lks_move *m)
{
    uint8_t node[32], hash[32];
    const lks_trace *own = own_of(t);
    lks_place place = lks_place_make(own, at->op, at->height, at->index);
    if (m->kind == LKS_MOVE_NONE || m->kind == LKS_MOVE_OPEN_PARTIALS)
        return;
    if (m->kind == LKS_MOVE_OPEN_TRACE) {
        lks_trace_root(node, own);
        CHECK(memcmp(node, m->hash, 32) == 0);
        CHECK(referee_folds(&t->r, LKS_TOP, referee_top_height(&t->r), 0, m, node));
        return;
    }
    CHECK(lks_place_exists(own, &place));
    lks_trace_node(node, own, place.op, place.height, place.index);
    if (m->kind == LKS_MOVE_REVEAL) {
        CHECK(referee_folds(&t->r, place.op, place.height, place.index, m, node));
        return;
    }
    CHECK(m->kind == LKS_MOVE_REVEAL_LEAF);
    lks_tree_leaf(hash, LKS_TREE_TRACE, m->bytes, m->len);
    CHECK(memcmp(hash, node, 32) == 0);
}

/* A proof holds, and a right claim with a true trace is left alone. */
static void check_attack(const game *t, const lks_move *m)
{
    uint8_t root[32];
    bool wrong = false;
    lks_witness_claim claim;
    const lks_shown *shown = lks_game_shown(t->g);
    lks_trace_root(root, own_of(t));
    CHECK(m->kind == LKS_MOVE_NONE || t->wrong || memcmp(root, shown->root, 32));
    if (t->broken || (m->kind != LKS_MOVE_STEP && m->kind != LKS_MOVE_STEP_PARTIAL))
        return;
    CHECK(lks_game_facts(&claim, t->g));
    CHECK(lks_witness_check(&wrong, &claim, &t->r.commitment, &m->witness, m->bytes, m->len) ==
          LKS_OK);
    CHECK(wrong);
}

/* The move as transactions. */
static void check_calls(const game *t, const lks_game_dispute *d, const lks_move *m)
{
    lks_game_calls calls;
    uint8_t salt[32] = {1};
    lks_err err = lks_game_call(&calls, t->g, d, m, &s.m.model, salt);
    CHECK(err == LKS_OK || err == LKS_BADARGS);
    lks_game_calls_free(&calls);
}

static void look_at_attack(const game *t, const lks_game_dispute *d)
{
    lks_move m;
    const lks_shown *shown = lks_game_shown(t->g);
    if (lks_player_challenger(&m, own_of(t), s.trees, shown, &d->now))
        return;
    check_attack(t, &m);
    check_calls(t, d, &m);
    lks_move_free(&m);
}

/* What both would do now, in every dispute. */
static void look(const game *t)
{
    lks_dispute places[DISPUTES];
    lks_move moves[DISPUTES];
    const lks_game_dispute *whose[DISPUTES];
    size_t count = 0;
    for (size_t i = 0; i < lks_game_dispute_count(t->g); i++) {
        const lks_game_dispute *d = lks_game_dispute_at(t->g, i);
        if (d->end != LKS_GAME_LIVE)
            continue;
        if (!referee_is_operators(d->now.state)) {
            look_at_attack(t, d);
            continue;
        }
        whose[count] = d;
        places[count++] = d->now;
    }
    if (!count || lks_player_operator_all(moves, own_of(t), lks_game_shown(t->g), places, count))
        return;
    for (size_t i = 0; i < count; i++) {
        check_answer(t, &places[i], &moves[i]);
        check_calls(t, whose[i], &moves[i]);
        lks_move_free(&moves[i]);
    }
}

/* ---- the chain ---- */

/* Forgets the events from `from` on. */
static void take_back(game *t, size_t from)
{
    while (t->r.log_count > from)
        free(t->r.logs[--t->r.log_count].data);
    lks_game_clear(t->g);
    for (size_t i = 0; i < from; i++)
        OK(lks_game_add(t->g, &t->r.logs[i], t->r.times[i]));
    OK(lks_game_update(t->g));
}

static void feed(game *t, size_t from)
{
    lks_err err = LKS_OK;
    for (size_t i = from; !err && i < t->r.log_count; i++)
        err = lks_game_add(t->g, &t->r.logs[i], t->r.times[i]);
    if (!err)
        err = lks_game_update(t->g);
    CHECK(err == LKS_OK || err == LKS_CORRUPT);
    if (err)
        take_back(t, from);
}

/* A bit of what the move shows is another, where flip says so. */
static void spoil(game *t, lks_move *m, uint8_t flip, uint8_t where)
{
    if (!(flip & 0x80))
        return;
    t->broken = true;
    if (flip & 0x40)
        m->hash[where % 32] ^= 1;
    else if (m->hash_count)
        m->hashes[where % m->hash_count][flip % 32] ^= 1;
    else if (m->len)
        m->bytes[where % m->len] ^= (uint8_t)(1u << (flip % 8));
    if (m->len && flip & 0x20)
        m->len -= where % m->len;
}

/* The event of a move. In: d, the dispute before it. */
static void log_move(game *t, referee_dispute *d, const lks_move *m)
{
    if (m->kind == LKS_MOVE_OPEN_TRACE) {
        referee_log_trace(&t->r, d, m, t->r.time + 100);
        return;
    }
    if (m->kind == LKS_MOVE_PICK) {
        d->at.op = m->op;
        d->at.height = m->height;
        d->at.index = m->index;
    } else if (m->kind == LKS_MOVE_DEMAND_PARTIALS) {
        d->at.element = m->element;
    }
    bool has_shape = d->at.op < t->r.model->program.op_count;
    if (m->kind == LKS_MOVE_PICK || m->kind == LKS_MOVE_REVEAL || m->kind == LKS_MOVE_REVEAL_LEAF ||
        (has_shape && (m->kind == LKS_MOVE_DEMAND_PARTIALS || m->kind == LKS_MOVE_OPEN_PARTIALS)))
        referee_log_move(&t->r, d, m, t->r.time + 100);
}

/* What the side to move would do, perhaps with a bit flipped. */
static void play(game *t, referee_dispute *d, const uint8_t *r)
{
    lks_move m = {0};
    const lks_shown *shown = lks_game_shown(t->g);
    lks_err err = referee_is_operators(d->at.state)
                      ? lks_player_operator(&m, own_of(t), shown, &d->at)
                      : lks_player_challenger(&m, own_of(t), s.trees, shown, &d->at);
    if (!err && m.kind != LKS_MOVE_NONE && t->lies && referee_is_operators(d->at.state)) {
        lks_move_free(&m);
        liar_answer(&m, &s.liars[t->wrong], &d->at);
    }
    if (err)
        return;
    spoil(t, &m, r[6], r[7]);
    log_move(t, d, &m);
    lks_move_free(&m);
}

/* A pick of a node below the current one, or of any. */
static void pick(game *t, referee_dispute *d, const uint8_t *r)
{
    unsigned below;
    uint32_t count;
    uint64_t index = (uint64_t)r[4] | (uint64_t)r[5] << 8 | (uint64_t)(r[6] & 0x7f) << 33;
    lks_move m = {
        .kind = LKS_MOVE_PICK, .op = r[2] == 255 ? LKS_TOP : r[2], .height = r[3], .index = index};
    if (r[6] & 0x80 && lks_stage_below(&below, &count, d->at.height)) {
        m.op = d->at.op;
        m.height = below;
        m.index = d->at.index * count + r[4] % count;
        if (m.op == LKS_TOP && below == 0) { /* an operation, whose tree goes on */
            m.op = (uint32_t)m.index % t->r.model->program.op_count;
            m.height = referee_shape(&t->r, m.op).height;
            m.index = 0;
        }
    }
    lks_place place = lks_place_make(own_of(t), m.op, m.height, m.index);
    memset(m.hash, r[7], 32);
    if (lks_place_exists(own_of(t), &place) && r[7] & 1)
        lks_trace_node(m.hash, own_of(t), place.op, place.height, place.index);
    log_move(t, d, &m);
}

/* Anything as an answer. */
static void make_up(game *t, referee_dispute *d, const uint8_t *r)
{
    uint8_t hashes[MAX_CHILDREN][32], bytes[256];
    lks_move m = {
        .kind = (lks_move_kind)(LKS_MOVE_OPEN_TRACE + r[2] % 4), .hashes = hashes, .bytes = bytes};
    memset(m.hash, r[7], 32);
    memset(hashes, r[7], sizeof hashes);
    memset(bytes, r[7], sizeof bytes);
    m.hash_count = r[3] % (MAX_CHILDREN + 1);
    m.len = r[4];
    t->broken = true;
    log_move(t, d, &m);
}

static void happen(game *t, const uint8_t *r)
{
    referee_dispute *d = &t->disputes[r[1] % DISPUTES];
    const lks_game_dispute *known = lks_game_dispute_find(t->g, d->id);
    const lks_unit unit = {.op = r[2], .leaf = r[4], .unit = r[5]};
    lks_move demand = {.kind = LKS_MOVE_DEMAND_PARTIALS,
                       .element = (uint32_t)r[4] | (uint32_t)r[5] << 16};
    t->r.block++;
    t->r.time += r[7];
    if (known)
        d->at = known->now;
    else
        d->at = (lks_dispute){.state =
                                  lks_game_shown(t->g)->open ? LKS_DISPUTE_PICK : LKS_DISPUTE_ROOT};
    if (!known || r[0] % 16 == 15) {
        referee_log_challenged(&t->r, d, t->r.time + 100);
        return;
    }
    switch (r[0] % 16) {
    case 0: pick(t, d, r); break;
    case 1: pick(t, d, r); break;
    case 2: make_up(t, d, r); break;
    case 3: log_move(t, d, &demand); break;
    case 4:
        referee_log_conviction(&t->r, d, (lks_conviction)(r[3] % LKS_CONVICTION_COUNT), &unit);
        break;
    case 5: referee_log_lost(&t->r, d); break;
    case 6: referee_log_shape(&t->r, r[2]); break;
    default: play(t, d, r); break;
    }
}

static void open_game(game *t, const uint8_t head[HEAD])
{
    uint64_t random = (uint64_t)head[2] | (uint64_t)head[3] << 8;
    memset(t, 0, sizeof *t);
    t->wrong = head[0] & 1;
    t->lies = head[0] & 2;
    liar_reset(&s.liars[t->wrong]);
    s.liars[t->wrong].partials = head[0] / 4 % 3;
    if (t->lies)
        liar_add(&s.liars[t->wrong], (liar_kind)(head[1] % LIAR_KINDS), &random);
    referee_open(&t->r, &s.m.model, lks_model_trees_commitment(s.trees), &s.claimed[t->wrong]);
    OK(lks_game_new(&t->g, &t->r.deployment, t->r.name, t->r.claim_id));
    feed(t, 0);
    for (uint8_t i = 0; i < DISPUTES; i++) {
        referee_dispute *d = &t->disputes[i];
        d->terms =
            (lks_dispute_terms){.claim = t->r.terms, .bond = lks_u256_from_u64(50), .salt = {i}};
        d->prepaid = 100;
        lks_dispute_id(d->id, &d->terms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static game t;
    if (!s.trees)
        open_scene();
    if (size < HEAD)
        return 0;
    open_game(&t, data);
    for (size_t i = 0; HEAD + (i + 1) * RECORD <= size && i < MAX_EVENTS; i++) {
        size_t from = t.r.log_count;
        happen(&t, data + HEAD + i * RECORD);
        feed(&t, from);
        look(&t);
    }
    lks_game_free(t.g);
    referee_close(&t.r);
    return 0;
}
