/* Every wrong bit is convicted: each bit of each committed row, one at a time, each token of an
 * answer, each bit of attention partials.
 *
 *   test_soundness         some of the flips
 *   test_soundness all     all of them
 */
#include "kernels/bits.h"
#include "kernels/bytes.h"
#include "oracle/proof/partials.h"
#include "oracle/proof/unit_search.h"
#include "tests/proof/hand_model.h"

static bool everything;
static uint64_t flips, convicted, flips_by_op[LKS_OP_SAMPLE + 1];

/* Some of the flips: a step that is prime to the sizes of rows. */
static uint64_t step_between(void)
{
    return everything ? 1 : 37;
}

static void must_be_wrong(run_rows *r, const lks_unit *u, const uint8_t *partials, size_t len)
{
    bool wrong;
    OK(lks_step_check(&wrong, &r->facts, u, partials, len, &r->reader));
    assert_true(wrong);
    convicted++;
}

static lks_suspect suspect_of(const run_rows *r, uint32_t op, uint32_t leaf)
{
    return (lks_suspect){&r->facts, &r->model->program.ops[op], &r->shapes[op], op,
                         leaf,      r->run->policy.allowed};
}

/* The leaf as it is now against what it was. */
static void convict_leaf(run_rows *r, uint32_t op, uint32_t leaf, const uint8_t *own,
                         const char *what)
{
    lks_suspect s = suspect_of(r, op, leaf);
    lks_unit u;
    uint32_t size, row = leaf >> r->shapes[op].chunk_bits;
    const uint8_t *shown = run_rows_leaf(r, op, leaf, &size);
    lks_err err = lks_unit_search(&u, &s, own, shown, &r->reader);
    if (err)
        fail_msg("%s: a wrong bit of %s escapes: %s", what, lks_op_name(s.op->code),
                 lks_error_message());
    if (s.op->code != LKS_OP_ATTN) {
        must_be_wrong(r, &u, NULL, 0);
        return;
    }
    /* The liar has nothing better to post than the partials of its own rows. */
    uint8_t partials[4096];
    size_t len = lks_partials_size(row);
    assert_true(len <= sizeof partials);
    run_rows_partials(r, partials, op, row, u.unit);
    OK(lks_unit_search_partial(&u, &s, row, u.unit, partials, partials, &r->reader));
    assert_int_equal(u.kind, LKS_UNIT_PARTIAL_FINAL);
    must_be_wrong(r, &u, partials, len);
}

static void flip_leaf(run_rows *r, uint32_t op, uint32_t leaf, uint64_t *at, const char *what)
{
    uint32_t size;
    uint8_t own[LKS_CHUNK_SIZE], *bytes = run_rows_leaf(r, op, leaf, &size);
    if (!bytes)
        return;
    memcpy(own, bytes, size);
    for (; *at < 8 * (uint64_t)size; *at += step_between()) {
        bytes[*at / 8] ^= (uint8_t)(1u << *at % 8);
        convict_leaf(r, op, leaf, own, what);
        bytes[*at / 8] = own[*at / 8];
        flips++;
        flips_by_op[r->model->program.ops[op].code]++;
    }
    *at -= 8 * (uint64_t)size;
}

static void flip_rows(run_rows *r, const char *what)
{
    uint64_t at = 0;
    for (uint32_t op = 0; op < r->facts.op_count; op++)
        for (uint32_t leaf = 0; leaf < run_rows_places(r, op); leaf++)
            flip_leaf(r, op, leaf, &at, what);
}

static void flip_run(const tiny_model *m, const lks_run *run)
{
    run_rows r;
    if (run->prompt_count > 10)
        return;
    run_rows_make(&r, &m->model, run);
    flip_rows(&r, m->name);
    run_rows_free(&r);
}

static void flip_hand_model(bool wild)
{
    hand_model h;
    vector_run v;
    run_rows r;
    hand_model_make(&h, wild);
    hand_run_make(&v, &r, &h, 2, 2);
    flip_rows(&r, "the hand-made model");
    run_rows_free(&r);
    vector_run_free(&v);
    hand_model_free(&h);
}

static void test_every_bit(void **state)
{
    (void)state;
    each_tiny_run(flip_run);
    flip_hand_model(false);
    flip_hand_model(true);
    printf("count flips %llu\n", (unsigned long long)flips);
    for (int i = LKS_OP_EMBED; i <= LKS_OP_SAMPLE; i++)
        if (flips_by_op[i])
            printf("count flips_%s %llu\n", lks_op_name((lks_opcode)i),
                   (unsigned long long)flips_by_op[i]);
    assert_int_equal(flips, convicted);
}

/* ---- Several elements of a leaf at once, and values that no computation gives ---- */

static void test_garbage(void **state)
{
    (void)state;
    static const uint32_t words[] = {0,           0x80000000u, 0x7f800000u, 0xff800000u,
                                     0x7fc00000u, 0xffc00000u, 0x7f800001u, 1,
                                     0x80000001u, 0x00800000u, 0x7f7fffffu, UINT32_MAX};
    tiny_model m;
    vector_run v;
    run_rows r;
    const lks_policy greedy = {0};
    uint64_t count = 0;
    tiny_open(&m, "q4-1");
    vector_run_make(&v, &m.model, 3, 2, &greedy);
    run_rows_make(&r, &m.model, &v.run);
    for (uint32_t op = 0; op < r.facts.op_count; op++)
        for (uint32_t leaf = 0; leaf < run_rows_places(&r, op); leaf++) {
            uint32_t size;
            uint8_t own[LKS_CHUNK_SIZE], *bytes = run_rows_leaf(&r, op, leaf, &size);
            if (!bytes)
                continue;
            memcpy(own, bytes, size);
            for (size_t w = 0; w < LKS_COUNT(words); w++)
                for (uint32_t at = 0; at + 4 <= size; at += 4) {
                    lks_store_le32(bytes + at, words[w]);
                    if (memcmp(bytes, own, size)) {
                        convict_leaf(&r, op, leaf, own, m.name);
                        count++;
                    }
                    memcpy(bytes + at, own + at, 4);
                }
            memset(bytes, 0xff, size);
            convict_leaf(&r, op, leaf, own, m.name);
            memcpy(bytes, own, size);
        }
    printf("count garbage_words %llu\n", (unsigned long long)count);
    run_rows_free(&r);
    vector_run_free(&v);
    lks_model_close(&m.model);
}

/* ---- Blocks that agree with themselves ---- */

enum {
    QUANT_OP = 1 /* of the hand-made model: A8 of operation 0, in two chunks */
};

static float at(const uint8_t *row, uint32_t i)
{
    return lks_float(lks_load_le32(row + 4 * i));
}

/* The block as if element j had the greatest scale: entry and values follow. */
static void pretend(uint8_t *row, const uint8_t *x, uint32_t width, uint32_t block, uint32_t j)
{
    uint32_t first = 64 * block, blocks = (width + 63) / 64;
    float d = (at(x, first + j) < 0 ? -at(x, first + j) : at(x, first + j)) / 127.0f;
    lks_store_le32(row + 8 * block, lks_bits(d));
    lks_store_le32(row + 8 * block + 4, j);
    for (uint32_t i = first; i < first + 64 && i < width; i++) {
        float q = __builtin_rintf(at(x, i) * (1.0f / d));
        row[8 * blocks + i] = (uint8_t)(int8_t)(q > 127.0f ? 127 : q < -127.0f ? -127 : (int)q);
    }
}

/* A smaller element called the greatest, and every value quantised by it. */
static void test_smaller_scales(void **state)
{
    (void)state;
    hand_model h;
    vector_run v;
    run_rows r;
    uint64_t count = 0;
    hand_model_make(&h, false);
    hand_run_make(&v, &r, &h, 3, 1);
    uint32_t width = h.model.program.ops[QUANT_OP].width, row_size = r.shapes[QUANT_OP].row_size;
    uint8_t *honest = malloc(row_size);
    assert_non_null(honest);
    for (uint32_t t = 0; t < r.shapes[QUANT_OP].rows; t++) {
        uint8_t *row = r.rows[QUANT_OP] + (size_t)t * row_size;
        const uint8_t *x = r.rows[0] + (size_t)t * r.shapes[0].row_size;
        memcpy(honest, row, row_size);
        for (uint32_t block = 0; block < width / 64; block++)
            for (uint32_t j = 0; j < 64; j++) {
                pretend(row, x, width, block, j);
                if (memcmp(row, honest, LKS_CHUNK_SIZE)) {
                    convict_leaf(&r, QUANT_OP, t << r.shapes[QUANT_OP].chunk_bits, honest,
                                 "the hand-made model");
                    count++;
                }
                memcpy(row, honest, row_size);
            }
    }
    printf("count smaller_scales %llu\n", (unsigned long long)count);
    assert_true(count > 1000);
    free(honest);
    run_rows_free(&r);
    vector_run_free(&v);
    hand_model_free(&h);
}

/* A product beyond 127 differs from every value, -128 too, whatever the entry in another chunk
 * says. */
static void test_beyond_127(void **state)
{
    (void)state;
    hand_model h;
    vector_run v;
    run_rows r;
    unsigned count = 0;
    hand_model_make(&h, false);
    hand_run_make(&v, &r, &h, 3, 1);
    uint32_t width = h.model.program.ops[QUANT_OP].width, entries = 8 * ((width + 63) / 64);
    uint8_t *row = r.rows[QUANT_OP];
    for (uint32_t e = LKS_CHUNK_SIZE - entries; e < width; e++) {
        float x = at(r.rows[0], e);
        lks_unit u = {LKS_UNIT_OUTPUT, QUANT_OP, 1, e, 0};
        if (!(x < 0))
            continue;
        for (int q = -130; q <= -126; q++) {
            bool wrong;
            lks_store_le32(row + 8 * (e / 64), lks_bits(x / (float)q));
            row[entries + e] = (uint8_t)(q < -128 ? -128 : q);
            OK(lks_step_check(&wrong, &r.facts, &u, NULL, 0, &r.reader));
            assert_int_equal(wrong, q < -127);
            count++;
        }
    }
    assert_true(count > 100);
    run_rows_free(&r);
    vector_run_free(&v);
    hand_model_free(&h);
}

/* ---- Tokens ---- */

static uint64_t wrong_tokens, unlisted_tokens;

static bool is_listed(const lks_policy *policy, uint32_t token)
{
    uint32_t i = lks_count_below(policy->allowed, (uint32_t)policy->allowed_count, token);
    return i < policy->allowed_count && policy->allowed[i] == token;
}

/* An answer with one token changed: the rows of the claim are those of the changed answer, as the
 * claim fixes them. */
static void change_token(const tiny_model *m, const lks_run *run, uint32_t j, uint32_t token)
{
    run_rows r;
    uint32_t answer[64];
    lks_run changed = *run;
    assert_true(run->answer_count <= LKS_COUNT(answer));
    memcpy(answer, run->answer, run->answer_count * sizeof *answer);
    answer[j] = token;
    changed.answer = answer;
    run_rows_make(&r, &m->model, &changed);
    lks_suspect s = suspect_of(&r, r.facts.sampler_op, j);
    lks_unit u;
    lks_err err = lks_unit_search_token(&u, &s, token, run->answer[j], &r.reader);
    if (err)
        fail_msg("%s: token %u in place of %u at %u escapes: %s", m->name, token, run->answer[j], j,
                 lks_error_message());
    bool unlisted = run->policy.allowed_count && !is_listed(&run->policy, token);
    assert_int_equal(u.kind, unlisted ? LKS_UNIT_UNLISTED : LKS_UNIT_TOKEN);
    must_be_wrong(&r, &u, NULL, 0);
    wrong_tokens++;
    unlisted_tokens += unlisted;
    run_rows_free(&r);
}

static void check_policy(const tiny_model *m, const lks_policy *policy)
{
    vector_run v;
    uint32_t vocab = m->model.program.vocab_size;
    vector_run_make(&v, &m->model, 3, 4, policy);
    for (uint32_t j = 0; j < v.run.answer_count; j++) {
        for (uint32_t token = 0; token < vocab; token++) {
            bool tried =
                everything || token % 19 == 0 || token + 1 == vocab || is_listed(policy, token);
            if (tried && token != v.answer[j])
                change_token(m, &v.run, j, token);
        }
    }
    vector_run_free(&v);
}

static void check_tokens(const tiny_model *m)
{
    static const uint32_t allowed[] = {1, 7, 30, 66, 67, 130, 200, 255};
    const lks_policy policies[] = {
        {0},
        {.allowed = allowed, .allowed_count = LKS_COUNT(allowed)},
        {.temperature = 0x3f666666, .seed = 7},
        {.temperature = 0x3f666666, .min_p = 0x3d4ccccd, .seed = 0x0123456789abcdef},
        {.temperature = 0x40000000,
         .min_p = 0x3dcccccd,
         .seed = 1,
         .allowed = allowed,
         .allowed_count = LKS_COUNT(allowed)},
        {.temperature = 0x3a800000, .min_p = 0x3f800000, .seed = 2},
    };
    for (size_t i = 0; i < LKS_COUNT(policies); i++)
        check_policy(m, &policies[i]);
}

static void test_tokens(void **state)
{
    (void)state;
    each_tiny_model(check_tokens);
    assert_true(unlisted_tokens > 0);
    printf("count wrong_tokens %llu\n", (unsigned long long)wrong_tokens);
    printf("count unlisted_tokens %llu\n", (unsigned long long)unlisted_tokens);
}

/* An index outside the allowed list, of whatever logit. */
static void test_index_not_allowed(void **state)
{
    (void)state;
    static const uint32_t allowed[] = {5, 9, 100};
    const lks_policy policy = {.allowed = allowed, .allowed_count = LKS_COUNT(allowed)};
    tiny_model m;
    vector_run v;
    run_rows r;
    tiny_open(&m, "q4-0");
    vector_run_make(&v, &m.model, 2, 1, &policy);
    run_rows_make(&r, &m.model, &v.run);
    uint32_t op = r.facts.sampler_op, size;
    uint8_t own[8], *bytes = run_rows_leaf(&r, op, 0, &size);
    memcpy(own, bytes, sizeof own);
    for (uint32_t index = 0; index < r.facts.vocab_size + 3; index++) {
        lks_store_le32(bytes + 4, index);
        if (memcmp(own, bytes, 8))
            convict_leaf(&r, op, 0, own, m.name);
    }
    /* A place that does not show what it should is no proof. */
    lks_store_le32(bytes + 4, 50);
    for (uint32_t place = 0; place < 5; place++) {
        bool wrong;
        lks_unit u = {LKS_UNIT_OUTPUT, op, 0, LKS_UNIT_INDEX, place};
        lks_err err = lks_step_check(&wrong, &r.facts, &u, NULL, 0, &r.reader);
        assert_int_equal(err, place == 2 ? LKS_OK : LKS_BADARGS);
        assert_int_equal(wrong, place == 2);
    }
    run_rows_free(&r);
    vector_run_free(&v);
    lks_model_close(&m.model);
}

/* Every place of a list of two pieces, for tokens in it and outside. A listed one is never
 * convicted. */
static void test_unlisted(void **state)
{
    (void)state;
    enum {
        COUNT = 260
    };
    uint32_t allowed[COUNT], answer[] = {0};
    const uint32_t prompt[] = {1};
    const lks_policy policy = {
        .temperature = 0x3f800000, .allowed = allowed, .allowed_count = COUNT};
    lks_run run = {prompt, 1, answer, 1, policy};
    tiny_model m;
    run_rows r;
    tiny_open(&m, "q4-0");
    run_rows_open(&r, &m.model, &run);
    lks_unit u = {LKS_UNIT_UNLISTED, r.facts.sampler_op, 0, 0, 0};
    for (uint32_t i = 0; i < COUNT; i++)
        allowed[i] = 2 * i + 1;
    for (answer[0] = 0; answer[0] <= 2 * COUNT; answer[0]++)
        for (u.place = 0; u.place < COUNT + 3; u.place++) {
            bool wrong, expected = answer[0] % 2 == 0 && u.place == answer[0] / 2;
            lks_err err = lks_step_check(&wrong, &r.facts, &u, NULL, 0, &r.reader);
            assert_int_equal(err, expected ? LKS_OK : LKS_BADARGS);
            assert_int_equal(wrong, expected);
        }
    answer[0] = 0;
    const lks_unit others[] = {
        {u.kind, u.op - 1, 0, 0, 0}, {u.kind, u.op, 1, 0, 0}, {u.kind, u.op, 0, 1, 0}};
    for (size_t i = 0; i < LKS_COUNT(others); i++) {
        bool wrong;
        lks_err err = lks_step_check(&wrong, &r.facts, &others[i], NULL, 0, &r.reader);
        assert_int_equal(err, LKS_BADARGS);
        assert_false(wrong);
    }
    run_rows_free(&r);
    lks_model_close(&m.model);
}

/* ---- Partials ---- */

static uint64_t wrong_partials, harmless_partials;

/* Every bit of the partials of some elements. What stays valid and is not what the liar's rows give
 * must be refuted: by a chunk, the maximum, a running sum or, where the posted numbers agree with
 * each other, by the last division. A c* that attains the maximum just as well changes nothing. */
static void flip_partials(run_rows *r, uint32_t op, uint32_t row, uint32_t element, uint64_t stride)
{
    size_t len = lks_partials_size(row);
    uint8_t *own = malloc(len), *shown = malloc(len);
    assert_non_null(own);
    assert_non_null(shown);
    run_rows_partials(r, own, op, row, element);
    memcpy(shown, own, len);
    lks_suspect s =
        suspect_of(r, op, row << r->shapes[op].chunk_bits | element * 4 / LKS_CHUNK_SIZE);
    for (uint64_t at = 0; at < 8 * (uint64_t)len; at += stride) {
        lks_unit u;
        shown[at / 8] ^= (uint8_t)(1u << at % 8);
        if (lks_partials_are_valid(row, shown, len)) {
            lks_err err = lks_unit_search_partial(&u, &s, row, element, own, shown, &r->reader);
            if (!err) {
                must_be_wrong(r, &u, shown, len);
                wrong_partials++;
            } else {
                size_t index_at = lks_partials_maximum_at(row) + 4;
                assert_int_equal(err, LKS_NOTFOUND);
                assert_int_equal(at / 32, index_at / 4);
                harmless_partials++;
            }
        }
        shown[at / 8] = own[at / 8];
    }
    free(own);
    free(shown);
}

/* What follows from a lie, computed as it should be: the maximum (unless it is the lie), the
 * running sums behind `from`, the element. */
static void follow_up(uint8_t *partials, uint32_t position, bool maximum, uint32_t from,
                      uint8_t *element)
{
    size_t at = lks_partials_maximum_at(position);
    for (uint32_t c = 0; maximum && c < lks_partials_chunks(position); c++) {
        float m = lks_float(lks_load_le32(partials + at)),
              part = lks_float(lks_load_le32(partials + lks_partials_part_at(c)));
        if (c == 0 || lks_order_key(part) > lks_order_key(m)) {
            memcpy(partials + at, partials + lks_partials_part_at(c), 4);
            lks_store_le32(partials + at + 4, c);
        }
    }
    for (uint32_t k = from; k < lks_partials_runs(position); k++) {
        float z, o;
        lks_running_compute(&z, &o, position, partials, k);
        lks_store_le32(partials + lks_partials_running_at(position, k), lks_bits(z));
        lks_store_le32(partials + lks_partials_running_at(position, k) + 4, lks_bits(o));
    }
    const uint8_t *last =
        partials + lks_partials_running_at(position, lks_partials_runs(position) - 1);
    lks_store_le32(element, lks_bits(lks_canonical(lks_float(lks_load_le32(last + 4)) /
                                                   lks_float(lks_load_le32(last)))));
}

static uint64_t consistent_lies;

/* One number of the partials is a lie, and all that follows from it agrees with it, the committed
 * element too. */
static void lie_consistently(run_rows *r, uint32_t op, uint32_t row, uint32_t element)
{
    size_t len = lks_partials_size(row), maximum = lks_partials_maximum_at(row),
           chunk = element * 4 / LKS_CHUNK_SIZE;
    uint32_t leaf = row << r->shapes[op].chunk_bits | (uint32_t)chunk, size;
    uint8_t *own = malloc(len), *shown = malloc(len),
            *x = run_rows_leaf(r, op, leaf, &size) + (4 * element - LKS_CHUNK_SIZE * chunk),
            honest[4];
    assert_non_null(own);
    assert_non_null(shown);
    memcpy(honest, x, 4);
    run_rows_partials(r, own, op, row, element);
    lks_suspect s = suspect_of(r, op, leaf);
    for (size_t at = 0; at < len; at += 4)
        for (uint32_t bit = 0; bit < 32; bit += 3) {
            lks_unit u;
            memcpy(shown, own, len);
            lks_store_le32(shown + at, lks_load_le32(own + at) ^ 1u << bit);
            bool in_parts = at < maximum, in_maximum = !in_parts && at < maximum + LKS_MAXIMUM_SIZE;
            follow_up(shown, row, in_parts,
                      in_parts || in_maximum
                          ? 0
                          : (uint32_t)((at - maximum - LKS_MAXIMUM_SIZE) / LKS_RUNNING_SIZE) + 1,
                      x);
            if (!lks_partials_are_valid(row, shown, len))
                continue;
            lks_err err = lks_unit_search_partial(&u, &s, row, element, own, shown, &r->reader);
            if (err == LKS_NOTFOUND) /* another chunk that attains the maximum: no lie */
                assert_true(in_maximum && at == maximum + 4);
            else if (err)
                fail_msg("%s", lks_error_message());
            else
                must_be_wrong(r, &u, shown, len);
            consistent_lies++;
        }
    /* A smaller maximum that one of the chunks does attain */
    for (uint32_t c = 0; c < lks_partials_chunks(row); c++) {
        lks_unit u;
        memcpy(shown, own, len);
        memcpy(shown + maximum, own + lks_partials_part_at(c), 4);
        lks_store_le32(shown + maximum + 4, c);
        if (!memcmp(shown + maximum, own + maximum, 4))
            continue;
        follow_up(shown, row, false, 0, x);
        OK(lks_unit_search_partial(&u, &s, row, element, own, shown, &r->reader));
        must_be_wrong(r, &u, shown, len);
        consistent_lies++;
    }
    memcpy(x, honest, 4);
    free(own);
    free(shown);
}

static void check_partials(const tiny_model *m, const lks_run *run)
{
    run_rows r;
    run_rows_make(&r, &m->model, run);
    for (uint32_t op = 0; op < r.facts.op_count; op++) {
        const lks_op *o = &m->model.program.ops[op];
        for (uint32_t row = 0; o->code == LKS_OP_ATTN && row < r.shapes[op].rows; row += 3)
            for (uint32_t e = row % 5; e < o->width; e += everything ? 7 : 61) {
                flip_partials(&r, op, row, e, 1);
                lie_consistently(&r, op, row, e);
            }
    }
    run_rows_free(&r);
}

static void test_partials(void **state)
{
    (void)state;
    each_tiny_run(check_partials);
    tiny_model m;
    vector_run v;
    run_rows r;
    const lks_policy greedy = {0};
    tiny_open(&m, "head-2");
    vector_run_make(&v, &m.model, 2050, 1, &greedy);
    run_rows_make(&r, &m.model, &v.run);
    for (uint32_t op = 0; op < r.facts.op_count; op++)
        if (m.model.program.ops[op].code == LKS_OP_ATTN)
            for (uint32_t row = 1000; row < 2050; row += 131) {
                flip_partials(&r, op, row, row % m.model.program.ops[op].width,
                              everything ? 1 : 41);
                lie_consistently(&r, op, row, row % m.model.program.ops[op].width);
            }
    run_rows_free(&r);
    vector_run_free(&v);
    lks_model_close(&m.model);
    printf("count wrong_partials %llu\ncount harmless_partials %llu\ncount consistent_lies %llu\n",
           (unsigned long long)wrong_partials, (unsigned long long)harmless_partials,
           (unsigned long long)consistent_lies);
}

int main(int argc, char **argv)
{
    everything = argc == 2 && !strcmp(argv[1], "all");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit),      cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_smaller_scales), cmocka_unit_test(test_beyond_127),
        cmocka_unit_test(test_tokens),         cmocka_unit_test(test_index_not_allowed),
        cmocka_unit_test(test_unlisted),       cmocka_unit_test(test_partials)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
