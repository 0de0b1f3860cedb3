/* A model file that is written to, cut off or replaced while the model is used: what runs goes on,
 * and who asks is told. */
#include "oracle/proof/unit_find.h"
#include "tests/proof/run_rows.h"

#include "oracle/engine/engine.h"
#include "oracle/engine/generate.h"
#include "oracle/proof/witness.h"
#include "oracle/trace/commit.h"
#include "oracle/trace/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PROMPT = 9,
    TOKENS = 7
};

/* A copy of a tiny model's file, loaded, and the same model mapped. */
typedef struct pair {
    tiny_model mapped;
    char path[64];
    lks_model loaded;
    lks_model_trees *trees;
    uint32_t prompt[PROMPT], answer[TOKENS], count; /* the mapped model's answer */
} pair;

static const lks_policy greedy = {0};

static void copy_file(const char *to, const char *from)
{
    char command[700];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void open_pair(pair *p, const char *name)
{
    memset(p, 0, sizeof *p);
    tiny_open(&p->mapped, name);
    snprintf(p->path, sizeof p->path, "/tmp/lockstep-model-%d.gguf", (int)getpid());
    copy_file(p->path, p->mapped.path);
    OK(lks_model_load(&p->loaded, p->path));
    OK(lks_model_trees_make(&p->trees, &p->loaded));
    OK(lks_model_settle(&p->loaded, 2));
    for (uint32_t i = 0; i < PROMPT; i++)
        p->prompt[i] = i * 41 % p->loaded.program.vocab_size;
    OK(lks_generate(&p->mapped.model, p->prompt, PROMPT, &greedy, TOKENS, NULL, p->answer,
                    &p->count));
}

static void close_pair(pair *p)
{
    unlink(p->path);
    lks_model_trees_free(p->trees);
    lks_model_close(&p->loaded);
    lks_model_close(&p->mapped.model);
}

static lks_run run_of(const pair *p)
{
    return (lks_run){p->prompt, PROMPT, p->answer, p->count, {0}};
}

/* ---- the same as from a map ---- */

static void check_answer(const pair *p, const lks_generate_options *o)
{
    uint32_t tokens[TOKENS], count;
    OK(lks_generate(&p->loaded, p->prompt, PROMPT, &greedy, TOKENS, o, tokens, &count));
    assert_int_equal(count, p->count);
    assert_memory_equal(tokens, p->answer, count * sizeof *tokens);
}

static void check_trace(const pair *p)
{
    const lks_run run = run_of(p);
    lks_trace *mapped, *loaded;
    uint8_t want[32], root[32];
    OK(lks_trace_make(&mapped, &p->mapped.model, &run, NULL));
    OK(lks_trace_make(&loaded, &p->loaded, &run, NULL));
    lks_trace_root(want, mapped);
    lks_trace_root(root, loaded);
    assert_memory_equal(root, want, 32);
    lks_trace_free(mapped);
    lks_trace_free(loaded);
}

/* Proves that a leaf of a projection, which reads weights, was changed. */
static lks_err prove(lks_witness *w, const lks_model *m, const lks_model_trees *trees,
                     const lks_run *run)
{
    lks_trace *own;
    lks_shape s;
    lks_unit u;
    bool wrong = false;
    uint32_t op = 0;
    while (m->program.ops[op].code != LKS_OP_LINEAR_ADD)
        op++;
    OK(lks_trace_make(&own, m, run, NULL));
    lks_trace_shape(&s, own, op);
    lks_trace_row row = {op, 3, malloc(s.row_size)};
    OK(lks_trace_rows(own, &row, 1));
    row.bytes[1] ^= 0x10;
    uint32_t size, leaf = 3u << s.chunk_bits;
    assert_true(lks_shape_leaf(&size, &s, leaf));
    const lks_known_leaf shown = {op, leaf, row.bytes, size};
    const lks_known known = {.leaves = &shown, .leaf_count = 1};
    memset(w, 0, sizeof *w);
    lks_err err = lks_unit_find(&u, own, trees, &known, op, leaf);
    if (!err)
        err = lks_witness_make(w, &wrong, own, trees, &known, &u, NULL, 0);
    assert_true(err || wrong);
    free(row.bytes);
    lks_trace_free(own);
    return err;
}

static void check_proof(const pair *p)
{
    const lks_run run = run_of(p);
    lks_witness a, b;
    OK(prove(&a, &p->mapped.model, p->trees, &run));
    OK(prove(&b, &p->loaded, p->trees, &run));
    assert_int_equal(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(a.openings[i].data_len, b.openings[i].data_len);
        assert_memory_equal(a.openings[i].data, b.openings[i].data, a.openings[i].data_len);
    }
    lks_witness_free(&a);
    lks_witness_free(&b);
}

static void try_model(const tiny_model *m)
{
    pair p;
    lks_model_commitment want;
    open_pair(&p, m->name);
    OK(lks_commitment_make(&want, &p.mapped.model, NULL, NULL));
    assert_memory_equal(want.model_id, lks_model_trees_commitment(p.trees)->model_id, 32);
    check_answer(&p, NULL);
    check_trace(&p);
    check_proof(&p);
    OK(lks_model_check_file(&p.loaded));
    close_pair(&p);
}

static void test_same(void **state)
{
    (void)state;
    each_tiny_model(try_model);
}

/* What a settled model cannot do. */
static void test_refusals(void **state)
{
    (void)state;
    pair p;
    lks_model_commitment c;
    lks_model_trees *trees;
    lks_session *s;
    open_pair(&p, "mixed");
    if (lks_kernels_best()->lanes) {
        assert_int_equal(lks_commitment_make(&c, &p.loaded, NULL, NULL), LKS_BADARGS);
        assert_int_equal(lks_model_trees_make(&trees, &p.loaded), LKS_BADARGS);
        lks_session_options o = {.max_positions = 4, .kernels = &lks_kernels_scalar};
        assert_int_equal(lks_session_open(&s, &p.loaded, &o), LKS_BADARGS);
    }
    close_pair(&p);
}

/* ---- what happens to the file ---- */

static const char *cut_at_second; /* the file to be cut off */

static int cut(void *user, uint32_t id)
{
    (void)id;
    unsigned *tokens = user;
    if (++*tokens == 2)
        assert_int_equal(truncate(cut_at_second, 4096), 0);
    return 0;
}

static void test_cut_off(void **state)
{
    (void)state;
    pair p;
    lks_witness w;
    unsigned tokens = 0;
    open_pair(&p, "mixed");
    const lks_run run = run_of(&p);
    cut_at_second = p.path;
    check_answer(&p, &(lks_generate_options){.on_token = cut, .user = &tokens});
    assert_true(tokens > 2);
    assert_int_equal(lks_model_check_file(&p.loaded), LKS_CORRUPT);
    check_answer(&p, NULL);
    check_trace(&p);
    lks_err err = prove(&w, &p.loaded, p.trees, &run);
    assert_int_equal(err, lks_kernels_best()->lanes ? LKS_IO : LKS_OK);
    lks_witness_free(&w);
    close_pair(&p);
}

/* Other weights: runs do not see them, and a proof does not believe them. */
static void test_overwritten(void **state)
{
    (void)state;
    pair p;
    lks_witness w;
    open_pair(&p, "mixed");
    const lks_run run = run_of(&p);
    int fd = open(p.path, O_WRONLY);
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    char noise[4096];
    memset(noise, 0x3c, sizeof noise);
    for (off_t at = 0; at < st.st_size; at += (off_t)sizeof noise)
        assert_true(pwrite(fd, noise, sizeof noise, at) > 0);
    assert_int_equal(ftruncate(fd, st.st_size), 0);
    close(fd);
    assert_int_equal(lks_model_check_file(&p.loaded), LKS_CORRUPT);
    check_answer(&p, NULL);
    check_trace(&p);
    lks_err err = prove(&w, &p.loaded, p.trees, &run);
    assert_int_equal(err, lks_kernels_best()->lanes ? LKS_CORRUPT : LKS_OK);
    lks_witness_free(&w);
    close_pair(&p);
}

static void test_replaced(void **state)
{
    (void)state;
    pair p;
    char other[80], link[80];
    open_pair(&p, "mixed");
    snprintf(other, sizeof other, "%s.new", p.path);
    copy_file(other, p.mapped.path);
    snprintf(link, sizeof link, "%s.link", p.path); /* as backups do */
    assert_int_equal(linkat(AT_FDCWD, p.path, AT_FDCWD, link, 0), 0);
    OK(lks_model_check_file(&p.loaded));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rename(other, p.path), 0);
    assert_int_equal(lks_model_check_file(&p.loaded), LKS_CORRUPT);
    check_proof(&p); /* the old file is still open */
    assert_int_equal(unlink(p.path), 0);
    assert_int_equal(lks_model_check_file(&p.loaded), LKS_IO);
    check_answer(&p, NULL);
    OK(lks_model_check_file(&p.mapped.model)); /* of a map nothing is known */
    close_pair(&p);
}

/* A file that is not whole is refused, as with a map. */
static void test_not_whole(void **state)
{
    (void)state;
    tiny_model m;
    lks_model loaded;
    char path[64];
    tiny_open(&m, "mixed");
    snprintf(path, sizeof path, "/tmp/lockstep-cut-%d.gguf", (int)getpid());
    assert_int_equal(lks_model_load(&loaded, "/nowhere/model.gguf"), LKS_IO);
    assert_int_equal(lks_model_load(&loaded, "/tmp"), LKS_IO);
    static const off_t sizes[] = {0, 23, 24, 4096, 100000};
    for (size_t i = 0; i < LKS_COUNT(sizes); i++) {
        copy_file(path, m.path);
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_int_equal(lks_model_load(&loaded, path), LKS_CORRUPT);
    }
    unlink(path);
    lks_model_close(&m.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_cut_off),  cmocka_unit_test(test_overwritten),
        cmocka_unit_test(test_replaced), cmocka_unit_test(test_not_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
