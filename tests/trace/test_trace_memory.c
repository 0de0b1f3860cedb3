/* What a trace keeps and what it needs while it is made, counted at the allocator (the linker sends
 * malloc and its kin here). */
#include "oracle/trace/model_trees.h"
#include "tests/model/tiny_models.h"

#include "oracle/engine/engine.h"
#include "oracle/engine/generate.h"
#include "oracle/trace/openings.h"
#include "oracle/trace/trace.h"

#include <malloc.h>
#include <stdatomic.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static atomic_size_t held, peak;

static void *count(void *p)
{
    size_t now = atomic_fetch_add(&held, malloc_usable_size(p)) + malloc_usable_size(p),
           most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now)) {
    }
    return p;
}

void *__wrap_malloc(size_t size)
{
    return count(__real_malloc(size));
}
void *__wrap_calloc(size_t n, size_t size)
{
    return count(__real_calloc(n, size));
}
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return count(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    size_t before = malloc_usable_size(p);
    void *moved = __real_realloc(p, size);
    if (!moved)
        return NULL;
    atomic_fetch_sub(&held, before);
    return count(moved);
}

void __wrap_free(void *p)
{
    atomic_fetch_sub(&held, malloc_usable_size(p));
    __real_free(p);
}

/* Begins a measurement. Returns: what is held now. */
static size_t begin(void)
{
    atomic_store(&peak, atomic_load(&held));
    return atomic_load(&held);
}

enum {
    THREADS = 2,
    SLACK = 65536
};

/* What a session of the trace's batch takes; also, the first one makes what the model keeps for all
 * of them. */
static size_t session_size(const lks_model *m, uint32_t positions)
{
    lks_session *s;
    lks_session_options o = {.threads = THREADS,
                             .batch = LKS_TRACE_BATCH,
                             .max_positions = positions,
                             .hook = (lks_op_hook)abort};
    size_t before = begin();
    OK(lks_session_open(&s, m, &o));
    lks_session_close(s);
    return atomic_load(&peak) - before;
}

/* A session takes what is told beforehand, but for the threads themselves. The weights are packed.
 */
static void check_session(const lks_model *m, uint32_t positions)
{
    lks_session *s;
    lks_session_options o = {
        .threads = THREADS, .batch = LKS_TRACE_BATCH, .max_positions = positions};
    for (int hook = 0; hook < 2; hook++) {
        o.hook = hook ? (lks_op_hook)abort : NULL;
        uint64_t told = lks_session_bytes(m, &o);
        size_t before = begin();
        OK(lks_session_open(&s, m, &o));
        size_t holds = atomic_load(&held) - before;
        lks_session_close(s);
        if (told + 16384 < holds || told > holds + 4096)
            fail_msg("a session of %u positions is told to take %llu bytes and takes %zu",
                     positions, (unsigned long long)told, holds);
    }
}

/* Rows that the threads have in hand, logits, token lists. */
static size_t working_size(const lks_model *m, uint32_t positions)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < m->program.op_count; i++)
        longest = lks_op_row_size(&m->program.ops[i]) > longest
                      ? lks_op_row_size(&m->program.ops[i])
                      : longest;
    return THREADS * (32768 + 16 * longest) + (size_t)16 * 4 * m->program.vocab_size +
           (size_t)12 * positions + SLACK;
}

static void check_length(const lks_model *m, uint32_t prompt, uint32_t answer, const char *spill)
{
    static uint32_t ids[4096];
    uint32_t positions = prompt + answer - 1;
    lks_run r = {ids, prompt, ids, answer, {0}};
    lks_trace_options o = {.threads = THREADS};
    if (spill)
        OK(lks_spill_open(&o.spill, spill, UINT64_MAX));
    size_t session = session_size(m, positions), working = working_size(m, positions), before;
    lks_trace *t;
    check_session(m, positions);
    before = begin();
    OK(lks_trace_make(&t, m, &r, &o));
    size_t keeps = atomic_load(&held) - before, most = atomic_load(&peak) - before;
    lks_trace_needs needs;
    assert_true(lks_trace_plan(&needs, m, prompt, answer, THREADS));
    assert_true(keeps <= needs.kept + 4096 && needs.kept <= keeps + 4096);
    assert_true(most - keeps <= needs.pass + SLACK && needs.pass <= 2 * (session + working));
    assert_int_equal(needs.rows, lks_trace_size(t));
    size_t leaves = 32 * lks_trace_leaf_count(t), lists = (size_t)4 * (prompt + 2 * answer);
    assert_true(keeps >= leaves && keeps <= leaves + lists + m->program.op_count * 128 + 4096);
    assert_true(most <= keeps + session + working);
    /* Rows again: a session, and nothing that grows with the trace. */
    uint8_t first[8192], last[8];
    lks_trace_row rows[] = {{0, 0, first}, {m->program.op_count - 1, answer - 1, last}};
    assert_true(lks_op_row_size(&m->program.ops[0]) <= sizeof first);
    size_t now = begin();
    OK(lks_trace_rows(t, rows, LKS_COUNT(rows)));
    assert_true(atomic_load(&peak) - now <= (spill ? 0 : session + working));
    /* A node of any height. */
    uint8_t root[32];
    now = begin();
    lks_trace_root(root, t);
    lks_shape s;
    lks_trace_shape(&s, t, 0);
    lks_trace_node(root, t, 0, s.height - 1, 0);
    assert_int_equal(atomic_load(&peak), now);
    lks_trace_free(t);
    assert_int_equal(atomic_load(&held), before);
    lks_spill_close(o.spill);
}

static void test_lengths(void **state)
{
    (void)state;
    static const char *names[] = {"head-2", "factors"};
    for (size_t i = 0; i < LKS_COUNT(names); i++) {
        tiny_model m;
        tiny_open(&m, names[i]);
        for (uint32_t positions = 64;
             positions <= m.model.program.max_positions && positions <= 1024; positions *= 2) {
            check_length(&m.model, positions / 2, positions / 2, NULL);
            check_length(&m.model, positions - 8, 8, "/tmp");
        }
        lks_model_close(&m.model);
    }
}

/* An answer: what is told beforehand is what it takes. */
static void test_answer(void **state)
{
    (void)state;
    static uint32_t ids[512], tokens[64];
    tiny_model m;
    tiny_open(&m, "factors");
    const lks_policy greedy = {0};
    const lks_generate_options o = {.threads = THREADS};
    for (uint32_t prompt = 1; prompt < 500; prompt *= 3) {
        uint32_t count;
        session_size(&m.model, prompt); /* packs the weights */
        size_t before = begin();
        OK(lks_generate(&m.model, ids, prompt, &greedy, 64, &o, tokens, &count));
        uint64_t told = lks_generate_bytes(&m.model, prompt, 64, THREADS);
        size_t took = atomic_load(&peak) - before;
        assert_true(took <= told + 16384 && told <= took + 4096);
    }
    lks_trace_needs needs;
    assert_false(lks_trace_plan(&needs, &m.model, m.model.program.max_positions, 2, 1));
    assert_false(lks_trace_plan(&needs, &m.model, 0, 2, 1));
    lks_model_close(&m.model);
}

/* Tokens alone: a session and the lists. */
static void test_tokens_only(void **state)
{
    (void)state;
    static uint32_t ids[512];
    tiny_model m;
    tiny_open(&m, "factors");
    lks_run r = {ids, 400, ids, 100, {0}};
    lks_trace_options o = {.threads = THREADS, .tokens_only = true};
    size_t session = session_size(&m.model, 499), working = working_size(&m.model, 499),
           before = begin();
    lks_trace *t;
    OK(lks_trace_make(&t, &m.model, &r, &o));
    assert_true(atomic_load(&held) - before <= 4 * 600 + 4096);
    assert_true(atomic_load(&peak) - before <= session + working);
    lks_trace_free(t);
    assert_int_equal(atomic_load(&held), before);
    lks_model_close(&m.model);
}

/* The hashes of a model's leaves: 32 bytes a chunk; of the commitment alone no more than those of
 * the largest tensor. */
static void test_model_trees(void **state)
{
    (void)state;
    tiny_model m;
    tiny_open(&m, "odd");
    const lks_program *p = &m.model.program;
    lks_model_trees *trees;
    lks_model_commitment c;
    size_t all = 0, largest = 0;
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        size_t leaves = 32 * p->tensors[i]->dims[1] * ((p->tensors[i]->row_size + 1023) / 1024);
        all += leaves;
        largest = leaves > largest ? leaves : largest;
    }
    size_t rope = (size_t)32 * p->max_positions * ((4 * p->rope_width + 1023) / 1024),
           before = begin();
    all += rope + (size_t)32 * p->op_count;
    OK(lks_model_trees_make(&trees, &m.model));
    assert_true(atomic_load(&held) - before >= all &&
                atomic_load(&held) - before <= all + 256 * (size_t)p->tensor_count + 4096);
    lks_model_trees_free(trees);
    assert_int_equal(atomic_load(&held), before);
    begin();
    OK(lks_commitment_make(&c, &m.model, NULL, NULL));
    assert_true(atomic_load(&peak) - before <= largest + rope + 64 * 1024 + SLACK);
    assert_int_equal(atomic_load(&held), before);
    lks_model_close(&m.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_answer),
        cmocka_unit_test(test_tokens_only), cmocka_unit_test(test_model_trees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
