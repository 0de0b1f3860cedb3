/* Every wrong byte is convicted on a chain: against the contracts on anvil, a random bit of each
 * byte of a run's committed rows is flipped, one byte at a time, and DisputeGame.step (of attention
 * stepPartial) called with the witness of a unit that shows it.
 *
 *   step_on_chain URL CONTRACTS all|PLACES [SEED]
 *
 * PLACES: that many random bytes of each run instead of all. CONTRACTS: the file that devnet/lib.sh
 * writes. The claim, its dispute and the opening of its honest trace are transactions. Each flip is
 * then one eth_call, for which the root of the liar's trace, and of attention the partials too, are
 * put into the game's storage; it returns only if the claim was convicted. One flip more of each
 * run is a transaction. For every 16 flips or so an honest unit of the same leaf must show nothing
 * wrong, and the liar's witness must not fit the honest root.
 */
#include "oracle/engine/generate.h"
#include "oracle/proof/partials.h"
#include "oracle/proof/unit_search.h"
#include "tests/proof/draw.h"
#include "tests/proof/hand_model.h"
#include "tests/proof/opened_claim.h"
#include "tests/proof/run_witness.h"

enum {
    MAX_PARTIALS = 256,
    CONTROLS = 16 /* flips for each */
};

typedef struct counts {
    uint64_t flips, honest, foreign, transactions;
} counts;

/* A run under test. */
typedef struct scene {
    const char *name;
    run_rows rows;
    run_tree tree;
    const model_hashes *hashes;
    opened_claim claim;
    counts done;
    uint64_t bytes_left, places_left;
} scene;

/* A unit as a call, and the storage that it is judged by. */
typedef struct trial {
    lks_buf data;
    anvil_word words[CLAIM_WORDS];
    size_t word_count;
    char what[160];
} trial;

static anvil chain;
static rng chance;
static uint64_t places; /* of a run, at most */
static counts all;
static const char *url, *contracts;

/* ---- Trials ---- */

/* The unit against the rows as they are now. */
static void trial_make(trial *t, const scene *s, const lks_unit *u, const uint8_t *partials,
                       size_t len, uint32_t at)
{
    lks_witness w;
    bool wrong;
    uint8_t root[32];
    OK(run_witness_make(&w, &wrong, &s->tree, s->hashes, u, partials, len));
    claim_step(&t->data, &s->claim, &w, partials, len);
    lks_witness_free(&w);
    run_tree_root(root, &s->tree);
    t->word_count = partials ? claim_partial_words(t->words, &s->claim, root,
                                                   &s->rows.shapes[u->op], u, partials, len)
                             : claim_words(t->words, &s->claim, root);
    snprintf(t->what, sizeof t->what,
             "%s, prompt of %u: %s, operation %u, leaf %u, bit %u; unit %u, place %u, kind %d",
             s->name, s->rows.facts.prompt_count,
             lks_op_name(s->rows.model->program.ops[u->op].code), u->op, u->leaf, at, u->unit,
             u->place, (int)u->kind);
}

static void trial_call(const scene *s, const trial *t, const char *error)
{
    anvil_message m = claim_message(&s->claim, &t->data, t->words, t->word_count);
    anvil_call(&chain, &m, error, t->what);
}

/* What an operator posts that has nothing but its own rows. */
static const uint8_t *partials_of(const scene *s, uint8_t partials[MAX_PARTIALS], size_t *len,
                                  const lks_unit *u)
{
    uint32_t row = u->leaf >> s->rows.shapes[u->op].chunk_bits;
    *len = 0;
    if (s->rows.model->program.ops[u->op].code != LKS_OP_ATTN)
        return NULL;
    *len = lks_partials_size(row);
    assert_true(*len <= MAX_PARTIALS);
    run_rows_partials(&s->rows, partials, u->op, row, u->unit);
    return partials;
}

static void try_honest(scene *s, uint32_t op, uint32_t leaf)
{
    trial t;
    uint8_t buffer[MAX_PARTIALS];
    size_t len;
    lks_unit u = draw_unit(&chance, &s->rows, op, leaf);
    const uint8_t *partials = partials_of(s, buffer, &len, &u);
    trial_make(&t, s, &u, partials, len, 0);
    trial_call(s, &t, "NothingWrong()");
    s->done.honest++;
    lks_buf_free(&t.data);
}

/* ---- Flips ---- */

/* The unit that shows the leaf as it is now wrong. */
static lks_unit find(scene *s, uint32_t op, uint32_t leaf, const uint8_t *own, const uint8_t *shown)
{
    lks_unit u;
    const lks_op *o = &s->rows.model->program.ops[op];
    lks_suspect suspect = {
        &s->rows.facts, o, &s->rows.shapes[op], op, leaf, s->rows.run->policy.allowed};
    OK(lks_unit_search(&u, &suspect, own, shown, &s->rows.reader));
    if (o->code == LKS_OP_ATTN) {
        uint8_t buffer[MAX_PARTIALS];
        size_t len;
        const uint8_t *partials = partials_of(s, buffer, &len, &u);
        OK(lks_unit_search_partial(&u, &suspect, leaf >> s->rows.shapes[op].chunk_bits, u.unit,
                                   partials, partials, &s->rows.reader));
    }
    return u;
}

/* Flips the bit. Out: *t, to be freed. Whoever calls puts `own` back. */
static void flip(trial *t, scene *s, uint8_t own[LKS_CHUNK_SIZE], uint32_t op, uint32_t leaf,
                 uint32_t at)
{
    uint32_t size;
    uint8_t buffer[MAX_PARTIALS], *bytes = run_rows_leaf(&s->rows, op, leaf, &size);
    size_t len;
    memcpy(own, bytes, size);
    bytes[at / 8] ^= (uint8_t)(1u << at % 8);
    run_tree_update(&s->tree, op, leaf);
    lks_unit u = find(s, op, leaf, own, bytes);
    const uint8_t *partials = partials_of(s, buffer, &len, &u);
    trial_make(t, s, &u, partials, len, at);
}

static void put_back(scene *s, const uint8_t own[LKS_CHUNK_SIZE], uint32_t op, uint32_t leaf)
{
    uint32_t size;
    uint8_t *bytes = run_rows_leaf(&s->rows, op, leaf, &size);
    memcpy(bytes, own, size);
    run_tree_update(&s->tree, op, leaf);
}

static void try_flip(scene *s, uint32_t op, uint32_t leaf, uint32_t at)
{
    trial t;
    uint8_t own[LKS_CHUNK_SIZE];
    flip(&t, s, own, op, leaf, at);
    trial_call(s, &t, NULL);
    s->done.flips++;
    if (below(&chance, CONTROLS) == 0) {
        memcpy(t.words[0].value, s->claim.root.value, 32);
        trial_call(s, &t, "WrongRoot()");
        s->done.foreign++;
    }
    lks_buf_free(&t.data);
    put_back(s, own, op, leaf);
}

/* Not of attention, whose dispute no transaction has brought to an element. */
static void convict_by_transaction(scene *s)
{
    trial t;
    uint8_t own[LKS_CHUNK_SIZE];
    uint32_t op, leaf, size;
    do
        op = below(&chance, s->rows.facts.op_count);
    while (s->rows.model->program.ops[op].code == LKS_OP_ATTN);
    leaf = draw_leaf(&chance, &s->rows, op);
    assert_non_null(run_rows_leaf(&s->rows, op, leaf, &size));
    flip(&t, s, own, op, leaf, below(&chance, 8 * size));
    claim_convict(&s->claim, &t.data, t.words, t.word_count);
    s->done.transactions++;
    put_back(s, own, op, leaf);
}

/* Each byte, or of all that are left as many as are wanted. */
static bool is_chosen(scene *s)
{
    bool chosen = next(&chance) % s->bytes_left-- < s->places_left;
    s->places_left -= chosen;
    return chosen;
}

static void flip_rows(scene *s)
{
    uint32_t size, op_count = s->rows.facts.op_count;
    for (uint32_t op = 0; op < op_count; op++)
        for (uint32_t leaf = 0; leaf < run_rows_places(&s->rows, op); leaf++)
            if (run_rows_leaf(&s->rows, op, leaf, &size))
                s->bytes_left += size;
    s->places_left = places < s->bytes_left ? places : s->bytes_left;
    for (uint32_t op = 0; op < op_count; op++)
        for (uint32_t leaf = 0; leaf < run_rows_places(&s->rows, op); leaf++) {
            if (!run_rows_leaf(&s->rows, op, leaf, &size))
                continue;
            for (uint32_t byte = 0; byte < size; byte++) {
                if (!is_chosen(s))
                    continue;
                if (below(&chance, CONTROLS) == 0)
                    try_honest(s, op, leaf);
                try_flip(s, op, leaf, 8 * byte + below(&chance, 8));
            }
        }
    anvil_wait(&chain);
}

/* ---- Runs ---- */

/* The rows are a run's, and are freed. */
static void flip_scene(scene *s)
{
    run_tree_make(&s->tree, &s->rows);
    claim_open(&s->claim, &s->tree);
    flip_rows(s);
    convict_by_transaction(s);
    printf("%s, prompt of %u: %llu bytes flipped\n", s->name, s->rows.facts.prompt_count,
           (unsigned long long)s->done.flips);
    fflush(stdout);
    all.flips += s->done.flips;
    all.honest += s->done.honest;
    all.foreign += s->done.foreign;
    all.transactions += s->done.transactions;
    run_tree_free(&s->tree);
    run_rows_free(&s->rows);
}

/* The answer is the one to the chain's seed. */
static void flip_run(const tiny_model *m, const lks_run *asked)
{
    uint32_t answer[64], count;
    lks_model_commitment commitment;
    lks_run run = *asked;
    model_hashes hashes;
    scene s = {.name = m->name, .hashes = &hashes};
    const lks_generate_options options = {.threads = 1};
    if (run.prompt_count > 10)
        return;
    assert_true(run.answer_count <= LKS_COUNT(answer));
    OK(lks_commitment_make(&commitment, &m->model, NULL, NULL));
    run.policy.seed = claim_accept(&s.claim, &chain, &commitment, &run);
    OK(lks_generate(&m->model, run.prompt, run.prompt_count, &run.policy,
                    (uint32_t)run.answer_count, &options, answer, &count));
    run.answer = answer;
    run.answer_count = count;
    model_hashes_make(&hashes, &m->model);
    run_rows_make(&s.rows, &m->model, &run);
    flip_scene(&s);
    model_hashes_free(&hashes);
}

static void flip_hand_model(const char *name, bool wild)
{
    hand_model h;
    vector_run v;
    model_hashes hashes;
    scene s = {.name = name, .hashes = &hashes};
    hand_model_make(&h, wild);
    model_hashes_make(&hashes, &h.model);
    hand_run_make(&v, &s.rows, &h, 2, 2);
    v.run.policy.seed = claim_accept(&s.claim, &chain, &hashes.commitment, &v.run);
    s.rows.facts.seed = v.run.policy.seed;
    flip_scene(&s);
    model_hashes_free(&hashes);
    vector_run_free(&v);
    hand_model_free(&h);
}

static void test_bytes(void **state)
{
    (void)state;
    printf("seed %llu\n", (unsigned long long)chance.state);
    anvil_open(&chain, url, contracts);
    claim_accounts(&chain);
    each_tiny_run(flip_run);
    flip_hand_model("the hand-made model", false);
    flip_hand_model("the hand-made model with infinities", true);
    printf("count chain_flips %llu\ncount chain_honest_units %llu\ncount chain_foreign_roots "
           "%llu\ncount chain_transactions %llu\n",
           (unsigned long long)all.flips, (unsigned long long)all.honest,
           (unsigned long long)all.foreign, (unsigned long long)all.transactions);
    assert_int_equal(chain.confirmed, all.flips + all.honest + all.foreign);
    anvil_close(&chain);
}

int main(int argc, char **argv)
{
    if (argc >= 4)
        places = strcmp(argv[3], "all") ? strtoull(argv[3], NULL, 10) : UINT64_MAX;
    if (argc < 4 || argc > 5 || !places) {
        fprintf(stderr, "usage: step_on_chain URL CONTRACTS all|PLACES [SEED]\n");
        return 2;
    }
    url = argv[1];
    contracts = argv[2];
    chance.state = argc == 5 ? strtoull(argv[4], NULL, 10) : 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
