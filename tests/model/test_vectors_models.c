/* Sections 8 to 10 and 12 of docs/SPEC.md: the program, the trees, the model commitment and token
 * hashes, against the second implementation. */
#include "tests/model/tiny_models.h"

#include "chain/keccak.h"
#include "oracle/trace/commit.h"
#include "oracle/trace/openings.h"

/* The text of tests/vectors/README.md: byte i is the low byte of i * 167 + (i >> 8) * 13 + seed. */
static uint8_t *pattern(size_t len, unsigned seed)
{
    uint8_t *bytes = malloc(len ? len : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 167 + (i >> 8) * 13 + seed);
    return bytes;
}

static void assert_hash(const uint8_t got[32], const vector_file *f, int node, const char *member,
                        const char *what)
{
    uint8_t want[32];
    vector_hash(f, node, member, want);
    if (memcmp(got, want, 32))
        fail_msg("%s: %s differs", what, member);
}

static void assert_number(uint64_t got, const vector_file *f, int node, const char *member,
                          const char *what)
{
    if (got != vector_u64(f, node, member))
        fail_msg("%s: %s is %llu", what, member, (unsigned long long)got);
}

static void check_file(const tiny_model *m, const vector_file *f, int c)
{
    size_t len;
    uint8_t hash[32], *bytes = read_file(m->path, &len);
    lks_keccak256(hash, bytes, len);
    free(bytes);
    assert_number(len, f, c, "fileSize", m->name);
    assert_hash(hash, f, c, "fileKeccak", m->name);
}

/* heads: 0 unless the rows are those of key-value heads, one behind the other. */
static void item_root(uint8_t root32[32], lks_tree tree, const uint8_t *bytes, size_t row_size,
                      size_t rows, size_t heads)
{
    lks_shape s;
    lks_op kv = {.kind = LKS_ROWS_KV,
                 .form = LKS_FORM_F32,
                 .width = (uint32_t)row_size / 4,
                 .kv_heads = (uint32_t)heads};
    lks_shape_rows(&s, (uint32_t)row_size, (uint32_t)rows);
    if (heads)
        lks_shape_output(&s, &kv, (uint32_t)rows, 0);
    size_t all = rows * (heads ? heads : 1);
    uint8_t(*leaves)[32] = malloc(all * s.chunks * sizeof *leaves);
    assert_non_null(leaves);
    lks_tree_leaves(leaves, tree, bytes, row_size, all);
    lks_item_node(root32, tree, &s, leaves, s.height, 0);
    free(leaves);
}

static void check_tensors(const tiny_model *m, const vector_file *f, int c)
{
    int list = lks_json_member(&f->doc, c, "tensors"), n = lks_json_first(&f->doc, list);
    assert_int_equal(lks_json_size(&f->doc, list), m->model.program.tensor_count);
    for (uint32_t i = 0; i < m->model.program.tensor_count; i++, n = lks_json_next(&f->doc, n)) {
        const lks_gguf_tensor *t = m->model.program.tensors[i];
        uint8_t root[32];
        lks_buf name = {0};
        OK(lks_json_string(&f->doc, lks_json_member(&f->doc, n, "name"), &name));
        assert_int_equal(name.len, t->name.len);
        assert_memory_equal(name.data, t->name.data, name.len);
        item_root(root, LKS_TREE_WEIGHTS, t->data, t->row_size, t->size / t->row_size, 0);
        assert_hash(root, f, n, "root", lks_buf_text(&name));
        lks_buf_free(&name);
    }
}

static size_t descriptors_seen;

static void check_descriptors(const tiny_model *m, const vector_file *f, int c)
{
    int list = lks_json_member(&f->doc, c, "descriptors"), n = lks_json_first(&f->doc, list);
    for (uint32_t i = 0; n != LKS_JSON_NONE; i++, n = lks_json_next(&f->doc, n)) {
        uint8_t want[LKS_DESCRIPTOR_SIZE], got[LKS_DESCRIPTOR_SIZE];
        assert_true(i < m->model.program.op_count);
        OK(lks_json_data_fixed(&f->doc, n, want, sizeof want));
        lks_op_encode(got, &m->model.program.ops[i]);
        assert_bytes(got, want, sizeof want, lks_op_name(m->model.program.ops[i].code));
        descriptors_seen++;
    }
}

static void check_model(const tiny_model *m)
{
    vector_file f;
    tiny_vectors(&f, m, "models");
    int c = vectors_first(&f);
    check_file(m, &f, c);
    check_tensors(m, &f, c);
    check_descriptors(m, &f, c);
    lks_model_commitment k;
    OK(lks_commitment_make(&k, &m->model, NULL, NULL));
    assert_number(k.arithmetic_version, &f, c, "arithmeticVersion", m->name);
    assert_hash(k.weights_root, &f, c, "weightsRoot", m->name);
    assert_hash(k.program_root, &f, c, "programRoot", m->name);
    assert_hash(k.tokenizer_hash, &f, c, "tokenizerHash", m->name);
    assert_hash(k.rope_root, &f, c, "ropeRoot", m->name);
    assert_number(k.op_count, &f, c, "opCount", m->name);
    assert_number(k.tensor_count, &f, c, "tensorCount", m->name);
    assert_number(k.sampler_op, &f, c, "samplerOp", m->name);
    assert_number(k.vocab_size, &f, c, "vocabSize", m->name);
    assert_number(k.context_length, &f, c, "contextLength", m->name);
    assert_number(k.max_positions, &f, c, "maxPositions", m->name);
    size_t count;
    uint32_t *eos = vector_list(&f, c, "eosIds", &count);
    assert_int_equal(k.eos_count, count);
    assert_bytes(k.eos_ids, eos, 4 * count, "eosIds");
    assert_hash(k.model_id, &f, c, "modelId", m->name);
    free(eos);
    vectors_close(&f);
}

static void test_models(void **state)
{
    (void)state;
    descriptors_seen = 0;
    each_tiny_model(check_model);
    assert_true(descriptors_seen > 16);
}

static void test_items(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "trees/items.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        size_t size = vector_u64(&f, c, "row_size"), rows = vector_u64(&f, c, "rows");
        uint8_t root[32], *bytes = pattern(size * rows, (unsigned)vector_u64(&f, c, "seed"));
        item_root(root, (lks_tree)vector_u64(&f, c, "tree"), bytes, size, rows, 0);
        assert_hash(root, &f, c, "root", "item");
        free(bytes);
    }
    vectors_close(&f);
}

static void test_heads(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "trees/heads.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        size_t heads = vector_u64(&f, c, "heads"), positions = vector_u64(&f, c, "positions"),
               size = vector_u64(&f, c, "row_size");
        uint8_t root[32], *bytes = pattern(heads * positions * size, 0);
        item_root(root, LKS_TREE_TRACE, bytes, size, positions, heads);
        assert_hash(root, &f, c, "root", "heads");
        free(bytes);
    }
    vectors_close(&f);
}

static void test_tops(void **state)
{
    (void)state;
    vector_file f;
    vectors_open(&f, "trees/tops.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        size_t items = vector_u64(&f, c, "items");
        uint8_t root[32], (*roots)[32] = malloc(items * sizeof *roots);
        assert_non_null(roots);
        for (size_t i = 0; i < items; i++)
            lks_keccak256(roots[i], &(uint8_t){(uint8_t)i}, 1);
        lks_top_node(root, (lks_tree)vector_u64(&f, c, "tree"), roots, (uint32_t)items,
                     lks_log2_ceil(items), 0);
        free(roots);
        assert_hash(root, &f, c, "root", "top");
    }
    vectors_close(&f);
}

static void test_hashes(void **state)
{
    (void)state;
    vector_file f;
    uint8_t hash[32];
    vectors_open(&f, "trees/token_hash.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        uint32_t ids[1024];
        size_t count = vector_u64(&f, c, "count");
        assert_true(count <= LKS_COUNT(ids));
        for (uint32_t i = 0; i < count; i++)
            ids[i] = i * 7919 % 49152;
        tiny_tokens_hash(hash, ids, count);
        assert_hash(hash, &f, c, "hash", "tokens");
    }
    vectors_close(&f);
    vectors_open(&f, "trees/keccak.json");
    for (int c = vectors_first(&f); c != LKS_JSON_NONE; c = lks_json_next(&f.doc, c)) {
        size_t len = vector_u64(&f, c, "length");
        uint8_t *bytes = pattern(len, 0);
        lks_keccak256(hash, bytes, len);
        assert_hash(hash, &f, c, "hash", "keccak");
        free(bytes);
    }
    vectors_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_items), cmocka_unit_test(test_heads),
                                       cmocka_unit_test(test_tops), cmocka_unit_test(test_hashes),
                                       cmocka_unit_test(test_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
