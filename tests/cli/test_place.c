#include "oracle/cli/dispute_print.h"
#include "oracle/cli/place.h"

#include "tests/chain/chain_test.h"

/* Layer 7 of a small model, and what stands around it: the operations of docs/SPEC.md that differ
 * in kind and form. */
enum {
    EMBED,
    RMS,
    NORM_Q,
    Q,
    K,
    ATTN,
    ADD,
    FINAL_RMS,
    FINAL_NORM,
    SAMPLE,
    OP_COUNT
};

#define WEIGHT(t)                                                                                  \
    {                                                                                              \
        {.tensor = (t)}, {.tensor = LKS_NONE}, {.tensor = LKS_NONE},                               \
        {                                                                                          \
            .tensor = LKS_NONE                                                                     \
        }                                                                                          \
    }
#define NO_WEIGHTS WEIGHT(LKS_NONE)

static lks_op ops[OP_COUNT] = {
    [EMBED] = {.code = LKS_OP_EMBED, .form = LKS_FORM_F32, .width = 600, .weights = WEIGHT(0)},
    [RMS] = {.code = LKS_OP_RMS, .form = LKS_FORM_RMS, .width = 4, .weights = NO_WEIGHTS},
    [NORM_Q] = {.code = LKS_OP_NORM_Q,
                .form = LKS_FORM_A8,
                .width = 600,
                .block = 64,
                .weights = WEIGHT(1)},
    [Q] = {.code = LKS_OP_LINEAR_ROPE_Q,
           .form = LKS_FORM_A8,
           .width = 256,
           .block = 32,
           .heads = 8,
           .kv_heads = 2,
           .head_width = 32,
           .weights = WEIGHT(2)},
    [K] = {.code = LKS_OP_LINEAR_ROPE_Q,
           .kind = LKS_ROWS_KV,
           .form = LKS_FORM_A8,
           .width = 32,
           .block = 32,
           .heads = 8,
           .kv_heads = 2,
           .head_width = 32,
           .weights = WEIGHT(3)},
    [ATTN] = {.code = LKS_OP_ATTN,
              .form = LKS_FORM_F32,
              .width = 256,
              .heads = 8,
              .kv_heads = 2,
              .head_width = 32,
              .weights = NO_WEIGHTS},
    [ADD] = {.code = LKS_OP_LINEAR_ADD, .form = LKS_FORM_F32, .width = 600, .weights = WEIGHT(4)},
    [FINAL_RMS] = {.code = LKS_OP_RMS,
                   .kind = LKS_ROWS_SAMPLED,
                   .form = LKS_FORM_RMS,
                   .width = 4,
                   .weights = NO_WEIGHTS},
    [FINAL_NORM] = {.code = LKS_OP_NORM_Q,
                    .kind = LKS_ROWS_SAMPLED,
                    .form = LKS_FORM_A8,
                    .width = 600,
                    .block = 64,
                    .weights = WEIGHT(5)},
    [SAMPLE] = {.code = LKS_OP_SAMPLE,
                .kind = LKS_ROWS_SAMPLED,
                .form = LKS_FORM_SAMPLE,
                .width = 2,
                .weights = WEIGHT(0)},
};

#define NAMED(text) {.name = {text, sizeof text - 1}}
static const lks_gguf_tensor tensors[] = {
    NAMED("token_embd.weight"),   NAMED("blk.7.attn_norm.weight"),   NAMED("blk.7.attn_q.weight"),
    NAMED("blk.7.attn_k.weight"), NAMED("blk.7.attn_output.weight"), NAMED("output_norm.weight")};
static const lks_gguf_tensor *tensor_list[6];
static const lks_program program = {
    .ops = ops, .op_count = OP_COUNT, .tensors = tensor_list, .tensor_count = 6};
/* 10 + 5 - 1 = 14 positions, 16 places. */
static const lks_place_run run = {&program, 10, 5};

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        tensor_list[i] = &tensors[i];
    }
    return 0;
}

static void test_layers(void **state)
{
    (void)state;
    static const uint32_t want[OP_COUNT] = {LKS_NO_LAYER, 7,           7, 7, 7, 7, 7, LKS_NO_LAYER,
                                            LKS_NO_LAYER, LKS_NO_LAYER};
    for (uint32_t i = 0; i < OP_COUNT; i++) {
        assert_int_equal(lks_place_layer(&program, i), want[i]);
    }
    assert_int_equal(lks_place_layer(&program, OP_COUNT), LKS_NO_LAYER);
}

static void assert_node(uint32_t op, unsigned height, uint64_t index, const char *want)
{
    char text[LKS_PLACE_SIZE];
    lks_place_node(text, &run, op, height, index);
    assert_string_equal(text, want);
}

static void test_nodes(void **state)
{
    (void)state;
    assert_node(LKS_TOP, 4, 0, "operations 0 to 9");
    assert_node(LKS_TOP, 1, 2, "operations 4 to 5");
    assert_node(LKS_TOP, 0, 3, "operation 3");
    /* One chunk a row: height 4 is the root. */
    assert_node(Q, 4, 0, "layer 7, operation 3, LINEAR_ROPE_Q (blk.7.attn_q.weight)");
    assert_node(Q, 2, 1,
                "layer 7, operation 3, LINEAR_ROPE_Q (blk.7.attn_q.weight), positions 4 to 7");
    assert_node(Q, 2, 3,
                "layer 7, operation 3, LINEAR_ROPE_Q (blk.7.attn_q.weight), positions 12 to 13");
    assert_node(Q, 0, 9, "layer 7, operation 3, LINEAR_ROPE_Q (blk.7.attn_q.weight), position 9");
    /* 2,400 bytes a row: three chunks in four places. */
    assert_node(ADD, 6, 0, "layer 7, operation 6, LINEAR_ADD (blk.7.attn_output.weight)");
    assert_node(ADD, 2, 5,
                "layer 7, operation 6, LINEAR_ADD (blk.7.attn_output.weight), position 5");
    assert_node(
        ADD, 1, 10,
        "layer 7, operation 6, LINEAR_ADD (blk.7.attn_output.weight), position 5, bytes 0 to 2047");
    assert_node(ADD, 0, 22,
                "layer 7, operation 6, LINEAR_ADD (blk.7.attn_output.weight), position 5, bytes "
                "2048 to 2399");
    /* Rows of K are head << 4 | position. */
    assert_node(K, 4, 1,
                "layer 7, operation 4, LINEAR_ROPE_Q (blk.7.attn_k.weight), key-value head 1, "
                "positions 0 to 13");
    assert_node(
        K, 0, 16 + 5,
        "layer 7, operation 4, LINEAR_ROPE_Q (blk.7.attn_k.weight), key-value head 1, position 5");
    /* Row r of a sampled kind is position 9 + r. */
    assert_node(SAMPLE, 0, 4, "operation 9, SAMPLE (token_embd.weight), position 13");
    assert_node(ATTN, 0, 1, "layer 7, operation 5, ATTN, position 1");
}

/* Numbers that no program has must not be followed. */
static void test_without_program(void **state)
{
    (void)state;
    static const lks_place_run none = {NULL, 0, 0};
    char text[LKS_PLACE_SIZE];
    lks_place_node(text, &none, 12, 5, 2);
    assert_string_equal(text, "operation 12, leaves 64 to 95");
    lks_place_node(text, &none, 12, 0, 2);
    assert_string_equal(text, "operation 12, leaf 2");
    lks_place_node(text, &none, LKS_TOP, 5, 1);
    assert_string_equal(text, "operations 32 to 63");
    lks_place_node(text, &run, 5000, 0, UINT32_MAX);
    assert_string_equal(text, "operation 5000, leaf 4294967295");
    lks_place_node(text, &run, 3, 255, UINT64_MAX);
    assert_true(strlen(text) < sizeof text);
    lks_place_node(text, &run, LKS_TOP, 255, UINT64_MAX);
    assert_true(strlen(text) < sizeof text);
}

static void assert_byte(uint32_t op, uint64_t leaf, uint32_t offset, uint32_t position,
                        uint32_t byte, const char *element)
{
    lks_trace_place place;
    lks_place_of(&place, &run, op, leaf, offset);
    assert_int_equal(place.position, position);
    assert_int_equal(place.byte, byte);
    assert_string_equal(place.element_text, element);
}

static void test_bytes(void **state)
{
    (void)state;
    char text[LKS_PLACE_SIZE];
    lks_trace_place place;
    assert_byte(ADD, 22, 3, 5, 2051, "value 512");
    assert_byte(NORM_Q, 8, 15, 8, 15, "greatest index of block 1");
    assert_byte(NORM_Q, 8, 8, 8, 8, "scale of block 1");
    assert_byte(NORM_Q, 8, 80, 8, 80, "value 0"); /* ten blocks of 64 */
    assert_byte(Q, 2, 64, 2, 64, "value 0");      /* eight heads of one block */
    assert_byte(RMS, 1, 11, 1, 11, "sum of segment 2");
    assert_byte(RMS, 1, 12, 1, 12, "factor");
    assert_byte(SAMPLE, 2, 0, 11, 0, "greatest logit");
    assert_byte(SAMPLE, 2, 7, 11, 7, "its token");
    lks_place_of(&place, &run, K, 16 + 3, 9);
    lks_place_text(text, &run, &place);
    assert_string_equal(text, "layer 7, operation 4, LINEAR_ROPE_Q (blk.7.attn_k.weight), "
                              "key-value head 1, position 3, byte 9 of the row (value 1)");
}

static void test_json(void **state)
{
    (void)state;
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_trace_place place;
    lks_place_of(&place, &run, K, 16 + 3, 9);
    lks_json_begin_object(&w);
    lks_place_json(&w, &run, &place);
    lks_json_end_object(&w);
    assert_string_equal(lks_buf_text(&out),
                        "{\"layer\":7,\"operation\":4,\"opcode\":\"LINEAR_ROPE_Q\",\"position\":3,"
                        "\"head\":1,\"row\":19,\"byte\":9,\"element\":\"value 1\"}");
    lks_buf_free(&out);
}

static void assert_line(const lks_game_dispute *d, size_t i, const lks_place_run *at,
                        const char *want)
{
    char line[LKS_STEP_SIZE];
    lks_step_line(line, d, i, at);
    assert_string_equal(line, want);
}

/* Every kind of step has a line, with and without a program. */
static void test_step_lines(void **state)
{
    (void)state;
    static const lks_place_run none = {NULL, 0, 0};
    char line[LKS_STEP_SIZE];
    for (int kind = LKS_GAME_NONE; kind <= LKS_GAME_EVENT_COUNT; kind++) {
        const lks_game_step s = {
            .kind = (lks_game_event_kind)kind, .op = K, .height = 2, .index = 4};
        const lks_game_dispute d = {.steps = &s, .step_count = 1};
        lks_step_line(line, &d, 0, &run);
        assert_true(line[0] != '\0');
        lks_step_line(line, &d, 0, &none);
        assert_true(line[0] != '\0');
    }
    lks_game_step steps[] = {{.kind = LKS_GAME_PICKED, .op = K, .height = 2, .index = 4},
                             {.kind = LKS_GAME_CLAIM_CONVICTED}};
    lks_game_dispute d = {.steps = steps, .step_count = 2, .end = LKS_GAME_WON};
    assert_line(
        &d, 0, &run,
        "challenger picks layer 7, operation 4, LINEAR_ROPE_Q (blk.7.attn_k.weight), key-value "
        "head 1, positions 0 to 3");
    assert_line(&d, 0, &none, "challenger picks operation 4, leaves 16 to 19");
    assert_line(&d, 1, &run, "operator is late: the claim is convicted");
    steps[1].how = LKS_CONVICTION_STEP;
    assert_line(&d, 1, &run, "challenger proves the claim wrong: it is convicted");
    d.end = LKS_GAME_MOOT;
    assert_line(&d, 1, &run, "the claim is convicted by another dispute");
    steps[1].how = LKS_CONVICTION_PROOF;
    assert_line(&d, 1, &run, "the claim is convicted by a proof without a dispute");
    steps[1].how = LKS_CONVICTION_EQUIVOCATION;
    assert_line(&d, 1, &run, "the claim is convicted: its operator signed two roots");
}

static void test_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        assert_true(lks_dispute_state_word(i)[0] != '\0');
    }
    assert_string_equal(lks_dispute_state_word(LKS_DISPUTE_STATE_MAX), "closed");
    assert_true(lks_dispute_operator_moves(LKS_DISPUTE_ROOT) &&
                lks_dispute_operator_moves(LKS_DISPUTE_PARTIALS));
    assert_false(lks_dispute_operator_moves(LKS_DISPUTE_PICK) ||
                 lks_dispute_operator_moves(LKS_DISPUTE_STEP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_without_program),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_step_lines),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
