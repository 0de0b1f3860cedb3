/* Writes witnesses that the step verifier of the contracts must judge as this one does.
 *
 *   make_witnesses DIR COUNT [SEED]
 *
 * DIR/MODEL.bin for every tiny model, and for the two of hand_model.h: about COUNT records, each a
 * u32 big-endian length, abi.encode(ClaimFacts, bytes32 traceRoot, ModelCommitment, Witness,
 * bytes partials) of that length, and one byte: 0 not wrong, 1 wrong, 2 must revert.
 */
#include "chain/contracts_internal.h"
#include "chain/dispute_internal.h"
#include "kernels/bits.h"
#include "oracle/dispute/game.h"
#include "oracle/proof/partials.h"
#include "oracle/proof/unit_search.h"
#include "tests/proof/draw.h"
#include "tests/proof/hand_model.h"
#include "tests/proof/run_witness.h"

enum {
    NOT_WRONG = 0,
    WRONG = 1,
    REVERTS = 2
};

static const char *folder;
static unsigned records;
static rng chance;

typedef struct scene {
    run_rows rows;
    run_tree tree;
    const model_hashes *hashes;
    lks_model_commitment model;
    FILE *file;
    uint64_t written[3];
} scene;

/* ---- Encoding ---- */

static void put_u32_word(lks_abi_writer *e, uint32_t v)
{
    lks_abi_put_u64(e, v);
}

static void put_facts(lks_abi_writer *e, const lks_witness_claim *c)
{
    put_u32_word(e, c->facts.prompt_count);
    lks_abi_put_word(e, c->prompt_hash);
    put_u32_word(e, c->facts.answer_count);
    lks_abi_put_word(e, c->tokens_hash);
    put_u32_word(e, lks_bits(c->facts.temperature));
    put_u32_word(e, lks_bits(c->facts.min_p));
    lks_abi_put_u64(e, c->facts.seed);
    put_u32_word(e, c->facts.allowed_count);
    lks_abi_put_word(e, c->allowed_hash);
}

static void put_commitment(lks_abi_writer *e, const lks_model_commitment *c)
{
    lks_put_model(e, c);
}

static void put_unit(lks_abi_writer *e, const lks_witness *w)
{
    lks_call_witness c;
    lks_call_opening *openings;
    OK(lks_game_witness(&c, &openings, w));
    lks_put_witness(e, &c);
    free(openings);
}

/* The verdict is this implementation's: a witness that must revert is refused here too. */
static void write_record(scene *s, const lks_witness *w, const uint8_t *partials, size_t len,
                         uint8_t expected)
{
    lks_witness_claim claim;
    lks_buf out = {0};
    lks_abi_writer e;
    bool wrong;
    run_tree_claim(&claim, &s->tree);
    lks_err err = lks_witness_check(&wrong, &claim, &s->model, w, partials, len);
    if (expected == REVERTS ? !err : err || wrong != (expected == WRONG))
        fail_msg("%s, kind %d, operation %u, leaf %u, unit %u, place %u: expected %u: %s",
                 lks_op_name(s->rows.model->program.ops[w->unit.op].code), (int)w->unit.kind,
                 w->unit.op, w->unit.leaf, w->unit.unit, w->unit.place, expected,
                 err     ? lks_error_message()
                 : wrong ? "wrong"
                         : "not wrong");
    lks_abi_begin(&e, &out, 13);
    put_facts(&e, &claim);
    lks_abi_put_word(&e, claim.trace_root);
    put_commitment(&e, &s->model);
    put_unit(&e, w);
    lks_abi_put_bytes(&e, partials, len);
    OK(lks_abi_finish(&e));
    const uint8_t length[4] = {(uint8_t)(out.len >> 24), (uint8_t)(out.len >> 16),
                               (uint8_t)(out.len >> 8), (uint8_t)out.len};
    assert_true(fwrite(length, 4, 1, s->file) == 1 && fwrite(out.data, out.len, 1, s->file) == 1 &&
                fwrite(&expected, 1, 1, s->file) == 1);
    s->written[expected]++;
    lks_buf_free(&out);
}

/* ---- Spoilt openings ---- */

/* A bit of an opening's data or path; its last byte or hash left out; an opening missing, repeated,
 * or in another's place. */
static void write_broken(scene *s, lks_witness *w, const uint8_t *partials, size_t len)
{
    lks_opening *o = &w->openings[below(&chance, (uint32_t)w->count)];
    switch (below(&chance, 6)) {
    case 0: w->count--, write_record(s, w, partials, len, REVERTS), w->count++; return;
    case 1:
        o->data_len--;
        write_record(s, w, partials, len, REVERTS);
        o->data_len++;
        return;
    case 2:
        if (o->path_count) {
            o->path_count--;
            write_record(s, w, partials, len, REVERTS);
            o->path_count++;
        }
        return;
    case 3: {
        lks_opening *more = calloc(w->count + 1, sizeof *more);
        assert_non_null(more);
        memcpy(more, w->openings, w->count * sizeof *more);
        more[w->count] = *o;
        lks_witness longer = {w->unit, more, w->count + 1};
        write_record(s, &longer, partials, len, REVERTS);
        free(more);
        return;
    }
    default: {
        uint32_t at = below(&chance, (uint32_t)(o->data_len + 32 * o->path_count));
        uint8_t *byte = at < o->data_len ? &o->data[at] : (uint8_t *)o->path + (at - o->data_len),
                bit = (uint8_t)(1u << below(&chance, 8));
        *byte ^= bit;
        write_record(s, w, partials, len, REVERTS);
        *byte ^= bit;
    }
    }
}

/* ---- Units ---- */

static void write_unit(scene *s, const lks_unit *u, const uint8_t *partials, size_t len,
                       uint8_t expected, bool broken)
{
    lks_witness w;
    bool wrong;
    OK(run_witness_make(&w, &wrong, &s->tree, s->hashes, u, partials, len));
    assert_int_equal(wrong, expected == WRONG);
    if (broken && w.count)
        write_broken(s, &w, partials, len);
    else
        write_record(s, &w, partials, len, expected);
    lks_witness_free(&w);
}

static uint8_t *partials_of(const scene *s, const lks_unit *u, size_t *len)
{
    uint32_t row = u->leaf >> s->rows.shapes[u->op].chunk_bits;
    *len = 0;
    if (s->rows.model->program.ops[u->op].code != LKS_OP_ATTN)
        return NULL;
    *len = lks_partials_size(row);
    uint8_t *partials = malloc(*len);
    assert_non_null(partials);
    run_rows_partials(&s->rows, partials, u->op, row, u->unit);
    return partials;
}

static void write_honest(scene *s, uint32_t op, bool broken)
{
    size_t len;
    lks_unit u = draw_unit(&chance, &s->rows, op, draw_leaf(&chance, &s->rows, op));
    uint8_t *partials = partials_of(s, &u, &len);
    write_unit(s, &u, partials, len, NOT_WRONG, broken);
    free(partials);
}

static lks_suspect suspect_of(const scene *s, uint32_t op, uint32_t leaf)
{
    return (lks_suspect){&s->rows.facts, &s->rows.model->program.ops[op], &s->rows.shapes[op], op,
                         leaf,           s->rows.run->policy.allowed};
}

/* A number of the partials changed, if they stay valid; the element in the leaf was changed
 * already. */
static void write_wrong_partials(scene *s, lks_unit u, bool broken)
{
    size_t len;
    uint32_t row = u.leaf >> s->rows.shapes[u.op].chunk_bits, element = u.unit;
    lks_suspect suspect = suspect_of(s, u.op, u.leaf);
    uint8_t *own = partials_of(s, &u, &len), *shown = partials_of(s, &u, &len);
    if (below(&chance, 4)) {
        shown[below(&chance, (uint32_t)len)] ^= (uint8_t)(1u << below(&chance, 8));
        if (!lks_partials_are_valid(row, shown, len))
            memcpy(shown, own, len);
    }
    OK(lks_unit_search_partial(&u, &suspect, row, element, own, shown, &s->rows.reader));
    write_unit(s, &u, shown, len, WRONG, broken);
    free(own);
    free(shown);
}

static void write_liar(scene *s, uint32_t op, bool broken)
{
    uint32_t leaf = draw_leaf(&chance, &s->rows, op), size;
    uint8_t own[LKS_CHUNK_SIZE], *bytes = run_rows_leaf(&s->rows, op, leaf, &size);
    memcpy(own, bytes, size);
    uint32_t bit = below(&chance, 8 * size);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    run_tree_update(&s->tree, op, leaf);
    lks_suspect suspect = suspect_of(s, op, leaf);
    lks_unit u;
    OK(lks_unit_search(&u, &suspect, own, bytes, &s->rows.reader));
    if (suspect.op->code == LKS_OP_ATTN)
        write_wrong_partials(s, u, broken);
    else
        write_unit(s, &u, NULL, 0, WRONG, broken);
    memcpy(bytes, own, size);
    run_tree_update(&s->tree, op, leaf);
}

/* The witness of a token outside the allowed list; then its openings for other places, and for the
 * other tokens of the answer, which are in the list: no place shows one of them wrong. */
static void write_unlisted(scene *s, const lks_unit *u)
{
    lks_witness w;
    bool wrong;
    OK(run_witness_make(&w, &wrong, &s->tree, s->hashes, u, NULL, 0));
    write_record(s, &w, NULL, 0, WRONG);
    write_broken(s, &w, NULL, 0);
    for (int delta = -2; delta <= 2; delta++) {
        w.unit.place = u->place + (uint32_t)delta;
        if (delta)
            write_record(s, &w, NULL, 0, REVERTS);
    }
    for (w.unit.leaf = 0; w.unit.leaf <= s->rows.facts.answer_count; w.unit.leaf++)
        for (w.unit.place = 0; w.unit.leaf != u->leaf && w.unit.place < 3; w.unit.place++)
            write_record(s, &w, NULL, 0, REVERTS);
    lks_witness_free(&w);
}

/* The tokens of the run: right ones, and the row of one that was claimed in place of `right`. */
static void write_tokens(scene *s, uint32_t wrong_at, uint32_t right)
{
    const lks_run *run = s->rows.run;
    uint32_t op = s->rows.facts.sampler_op;
    for (uint32_t j = 0; j < run->answer_count && j <= wrong_at; j++) {
        lks_unit u = {LKS_UNIT_TOKEN, op, j, run->policy.temperature ? run->answer[j] : 0, 0};
        if (j == wrong_at) {
            lks_suspect suspect = suspect_of(s, op, j);
            OK(lks_unit_search_token(&u, &suspect, run->answer[j], right, &s->rows.reader));
        }
        if (u.kind == LKS_UNIT_UNLISTED)
            write_unlisted(s, &u);
        write_unit(s, &u, NULL, 0, j == wrong_at ? WRONG : NOT_WRONG, below(&chance, 8) == 0);
    }
}

/* About the rows of the scene, which are freed. */
static void write_scene(scene *s, unsigned count, uint32_t wrong_at, uint32_t right)
{
    run_tree_make(&s->tree, &s->rows);
    for (unsigned i = 0; i < count; i++) {
        uint32_t op = below(&chance, s->rows.facts.op_count);
        bool broken = i % 5 == 4;
        if (i % 2)
            write_liar(s, op, broken);
        else
            write_honest(s, op, broken);
    }
    write_tokens(s, wrong_at, right);
    run_tree_free(&s->tree);
    run_rows_free(&s->rows);
}

/* ---- Models ---- */

static void write_policy(scene *s, const lks_model *m, const lks_policy *policy,
                         size_t prompt_count, unsigned count)
{
    vector_run v;
    vector_run_make(&v, m, prompt_count, 3, policy);
    uint32_t j = below(&chance, (uint32_t)v.run.answer_count), right = v.answer[j], other;
    bool listed = policy->allowed && below(&chance, 2);
    do
        other = listed ? policy->allowed[below(&chance, (uint32_t)policy->allowed_count)]
                       : below(&chance, m->program.vocab_size);
    while (other == right);
    v.answer[j] = other;
    run_rows_make(&s->rows, m, &v.run);
    write_scene(s, count, j, right);
    vector_run_free(&v);
}

static void open_file(scene *s, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    if (!(s->file = fopen(path, "wb")))
        fail_msg("cannot write %s", path);
}

static void close_file(scene *s, const char *name)
{
    assert_int_equal(fclose(s->file), 0);
    printf("%s: %llu not wrong, %llu wrong, %llu broken\n", name, (unsigned long long)s->written[0],
           (unsigned long long)s->written[1], (unsigned long long)s->written[2]);
}

static void write_hand_model(const char *name, bool wild)
{
    hand_model h;
    vector_run v;
    model_hashes hashes;
    scene s = {.hashes = &hashes};
    hand_model_make(&h, wild);
    model_hashes_make(&hashes, &h.model);
    s.model = hashes.commitment;
    open_file(&s, name);
    hand_run_make(&v, &s.rows, &h, 35, 2);
    write_scene(&s, records, UINT32_MAX, 0);
    close_file(&s, name);
    vector_run_free(&v);
    model_hashes_free(&hashes);
    hand_model_free(&h);
}

static void write_model(const tiny_model *m)
{
    static const uint32_t allowed[] = {2, 17, 60, 61, 99, 140, 255};
    uint32_t most[300], most_count = 0; /* a list of two pieces: the vocabulary without a few */
    for (uint32_t i = 0; i < m->model.program.vocab_size && most_count < LKS_COUNT(most); i++)
        if (i % 50 != 13 && i != 256)
            most[most_count++] = i;
    const lks_policy policies[] = {
        {0},
        {.temperature = 0x3f666666, .min_p = 0x3d4ccccd, .seed = next(&chance)},
        {.temperature = 0x40400000,
         .seed = next(&chance),
         .allowed = allowed,
         .allowed_count = LKS_COUNT(allowed)},
        {.allowed = allowed, .allowed_count = LKS_COUNT(allowed)},
        {.temperature = 0x3f666666,
         .seed = next(&chance),
         .allowed = most,
         .allowed_count = most_count},
    };
    model_hashes hashes;
    scene s = {.hashes = &hashes};
    model_hashes_make(&hashes, &m->model);
    OK(lks_commitment_make(&s.model, &m->model, NULL, NULL));
    open_file(&s, m->name);
    for (size_t i = 0; i < LKS_COUNT(policies); i++)
        write_policy(&s, &m->model, &policies[i], i == 1 ? 40 : 4, records / LKS_COUNT(policies));
    close_file(&s, m->name);
    model_hashes_free(&hashes);
}

static void write_all(void **state)
{
    (void)state;
    each_tiny_model(write_model);
    write_hand_model("hand", false);
    write_hand_model("hand-wild", true);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: make_witnesses DIR COUNT [SEED]\n");
        return 2;
    }
    folder = argv[1];
    records = (unsigned)strtoul(argv[2], NULL, 10);
    chance.state = argc == 4 ? strtoull(argv[3], NULL, 10) : 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
