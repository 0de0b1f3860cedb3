/* The pool's added loops, the rows that a pass without a hook leaves out, and the greedy choice
 * against the largest of all logits. */
#include "kernels/bits.h"
#include "tests/model/tiny_models.h"

#include "oracle/engine/engine.h"

#include <stdatomic.h>

/* ---- Pool ---- */

enum {
    MOST_UNITS = 300
};

typedef struct tally {
    atomic_uint times[MOST_UNITS];
} tally;

static void count_unit(void *context, size_t unit, unsigned thread)
{
    (void)thread;
    atomic_fetch_add(&((tally *)context)->times[unit], 1);
}

static void assert_done(tally *t, size_t units, unsigned times)
{
    for (size_t i = 0; i < MOST_UNITS; i++)
        assert_int_equal(atomic_load(&t->times[i]), i < units ? times : 0);
}

static void test_pool_adds(void **state)
{
    (void)state;
    static const size_t units[] = {0, 1, 2, 7, MOST_UNITS};
    for (unsigned threads = 1; threads <= 4; threads++) {
        lks_pool *pool;
        assert_int_equal(lks_pool_open(&pool, threads), LKS_OK);
        for (size_t a = 0; a < 5; a++)
            for (size_t b = 0; b < 5; b++) {
                tally own = {0}, added = {0}, last = {0};
                lks_pool_add(pool, units[b], count_unit, &added);
                assert_done(&added, 0, 0);
                lks_pool_run(pool, units[a], count_unit, &own);
                assert_done(&own, units[a], 1);
                assert_done(&added, units[b], 1);
                lks_pool_run(pool, units[a], count_unit, &own);
                assert_done(&own, units[a], 2);
                assert_done(&added, units[b], 1); /* no second time */
                lks_pool_add(pool, units[b], count_unit, &added);
                lks_pool_add(pool, units[a], count_unit, &last); /* the one before is done first */
                assert_done(&added, units[b], 2);
                assert_done(&last, 0, 0);
                lks_pool_flush(pool);
                lks_pool_flush(pool);
                assert_done(&last, units[a], 1);
            }
        tally never = {0};
        lks_pool_add(pool, 3, count_unit, &never);
        lks_pool_close(pool);
        assert_done(&never, 0, 0);
    }
}

/* ---- Rows that are left out ---- */

enum {
    POSITIONS = 45
};

/* What a hook sees of every operation of kind ALL, as one number each. */
typedef struct sight {
    const lks_program *program;
    uint64_t *seen;
} sight;

static void look(void *user, uint32_t op, const lks_op_output *output)
{
    const sight *o = user;
    const lks_op *of = &o->program->ops[op];
    if (of->kind != LKS_ROWS_ALL)
        return;
    const uint8_t *bytes =
        output->f32 ? (const uint8_t *)output->f32 : (const uint8_t *)output->a8.q;
    for (size_t i = 0; i < output->rows * of->width * (output->f32 ? sizeof(float) : 1); i++)
        o->seen[op] = (o->seen[op] ^ bytes[i]) * 0x100000001b3u;
}

/* Logits of the last `sampled` of POSITIONS, in two passes, under the eyes of a hook or unseen. */
static void logits_of(float *logits, const tiny_model *m, unsigned threads, uint32_t sampled,
                      sight *hook)
{
    uint32_t ids[POSITIONS];
    lks_session *s;
    lks_session_options o = {
        .threads = threads, .max_positions = POSITIONS, .hook = hook ? look : NULL, .user = hook};
    for (uint32_t i = 0; i < POSITIONS; i++)
        ids[i] = (i * 37 + 5) % m->model.program.vocab_size;
    assert_int_equal(lks_session_open(&s, &m->model, &o), LKS_OK);
    assert_int_equal(lks_session_forward(s, ids, POSITIONS - 40, 0), LKS_OK);
    assert_int_equal(lks_session_forward(s, ids + POSITIONS - 40, 40, sampled), LKS_OK);
    lks_session_logits_rows(s, 0, sampled, logits);
    lks_session_close(s);
}

static void rows_of(const tiny_model *m)
{
    static const uint32_t sampled[] = {40, 1, 2, 17};
    const lks_program *p = &m->model.program;
    const size_t size = (size_t)POSITIONS * p->vocab_size * sizeof(float);
    float *seen = malloc(size), *unseen = malloc(size);
    uint64_t *all = calloc(p->op_count, sizeof *all), *some = calloc(p->op_count, sizeof *some);
    assert_true(seen && unseen && all && some);
    for (size_t i = 0; i < sizeof sampled / sizeof *sampled; i++)
        for (unsigned threads = 1; threads <= 3; threads++) {
            bool first = i == 0 && threads == 1;
            memset(some, 0, p->op_count * sizeof *some);
            memset(unseen, 0xff, size);
            logits_of(seen, m, threads, sampled[i], &(sight){p, first ? all : some});
            logits_of(unseen, m, threads, sampled[i], NULL);
            assert_memory_equal(seen, unseen, (size_t)sampled[i] * p->vocab_size * sizeof(float));
            if (!first) /* a trace needs every row, whatever is sampled */
                assert_memory_equal(all, some, p->op_count * sizeof *all);
        }
    free(seen);
    free(unseen);
    free(all);
    free(some);
}

static void test_rows(void **state)
{
    (void)state;
    each_tiny_model(rows_of);
}

/* ---- The greedy choice ---- */

static uint32_t widest; /* vocabulary seen */

static void greedy_of(const tiny_model *m)
{
    static const lks_sampling greedy = {0};
    enum {
        ROWS = 5
    };
    const uint32_t vocab = m->model.program.vocab_size;
    uint32_t ids[ROWS];
    lks_session *s;
    lks_session_options o = {.threads = 2, .max_positions = ROWS};
    float *logits = malloc((size_t)ROWS * vocab * sizeof *logits);
    assert_non_null(logits);
    for (uint32_t i = 0; i < ROWS; i++)
        ids[i] = (i * 37 + 5) % vocab;
    assert_int_equal(lks_session_open(&s, &m->model, &o), LKS_OK);
    assert_int_equal(lks_session_forward(s, ids, ROWS, ROWS), LKS_OK);
    lks_session_logits_rows(s, 0, ROWS, logits);
    for (uint32_t first = 0; first < ROWS; first++) {
        lks_sample_row rows[ROWS], want;
        assert_int_equal(lks_session_greedy_rows(s, first, ROWS - first, rows), LKS_OK);
        for (uint32_t i = first; i < ROWS; i++) {
            lks_kernels_scalar.sample_max(&want, logits + (size_t)i * vocab, vocab, &greedy);
            assert_int_equal(rows[i - first].index, want.index);
            assert_int_equal(lks_bits(rows[i - first].max), lks_bits(want.max));
        }
    }
    widest = vocab > widest ? vocab : widest;
    lks_session_close(s);
    free(logits);
}

static void test_greedy(void **state)
{
    (void)state;
    each_tiny_model(greedy_of);
    assert_true(widest > 256); /* more than one unit of columns */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool_adds),
                                       cmocka_unit_test(test_rows), cmocka_unit_test(test_greedy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
