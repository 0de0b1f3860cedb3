/* Tokenizers over vocabularies whose ids can be worked out by hand: merge order, special tokens,
 * bytes, settings, refusals. */
#include "oracle/text/tokenizer.h"
#include "tests/gguf/vocab_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs the headers above
#include <cmocka.h>

typedef struct opened {
    gguf_builder file;
    lks_gguf *g;
    lks_tokenizer *t;
} opened;

static opened open_vocab(gguf_builder file)
{
    opened o = {.file = file};
    if (lks_gguf_open_memory(&o.g, file.data, file.size) != LKS_OK ||
        lks_tokenizer_open(&o.t, o.g) != LKS_OK)
        fail_msg("%s", lks_error_message());
    return o;
}

static void close_vocab(opened *o)
{
    lks_tokenizer_close(o->t);
    lks_gguf_close(o->g);
    gb_free(&o->file);
}

enum {
    PLAIN = 0,
    SPECIAL = 1,
    ADD = 2
};

/* want ends with LKS_TOKEN_NONE. */
static void expect(const lks_tokenizer *t, const char *text, size_t len, int flags,
                   const uint32_t *want)
{
    size_t count = 0;
    while (want[count] != LKS_TOKEN_NONE)
        count++;
    lks_tokens got = {0};
    assert_int_equal(lks_tokenizer_encode(t, text, len, flags & SPECIAL, flags & ADD, &got),
                     LKS_OK);
    if (got.count != count || (count && memcmp(got.ids, want, count * sizeof *want) != 0)) {
        for (size_t i = 0; i < got.count; i++)
            print_message("got[%zu] = %u\n", i, got.ids[i]);
        fail_msg("'%s' gives other ids", text);
    }
    free(got.ids);
}

#define EXPECT(t, text, flags, ...)                                                                \
    expect(t, text, sizeof text - 1, flags, (const uint32_t[]){__VA_ARGS__ LKS_TOKEN_NONE})

static void test_bpe(void **state)
{
    (void)state;
    opened o = open_vocab(vocab_bpe("gpt-2", NULL, NULL, 0));
    assert_int_equal(lks_tokenizer_vocab_size(o.t), BPE_COUNT);
    assert_int_equal(lks_tokenizer_bos(o.t), LKS_TOKEN_NONE);
    assert_false(lks_tokenizer_adds_bos(o.t));
    assert_false(lks_tokenizer_adds_space(o.t));
    EXPECT(o.t, "", ADD, );
    EXPECT(o.t, "hello", PLAIN, BPE_HELLO, );
    EXPECT(o.t, "hell", PLAIN, BPE_HELL, );
    EXPECT(o.t, "hellhe", PLAIN, BPE_HELL, BPE_HE, );
    EXPECT(o.t, "lll", PLAIN, BPE_LL, 'l', ); /* the leftmost of equal ranks */
    EXPECT(o.t, "elll", PLAIN, 'e', BPE_LL, 'l', );
    EXPECT(o.t, "hello world", PLAIN, BPE_HELLO, BPE_SPACE_W, BPE_ORL,
           'd', );                              /* a merge with the left neighbour */
    EXPECT(o.t, "1234", PLAIN, BPE_123, '4', ); /* not 1 23: of two equal merges the first counts */
    EXPECT(o.t, "x 12", PLAIN, 'x', ' ', BPE_12, );
    EXPECT(o.t, "a  w", PLAIN, 'a', ' ', BPE_SPACE_W, ); /* the last space goes with the word */
    EXPECT(o.t,
           "\xff\xfe"
           "hell",
           PLAIN, 0xff, 0xfe, BPE_HELL, );
    EXPECT(o.t, "\xe4\xbd\xa0", PLAIN, 0xe4, 0xbd, 0xa0, );
    EXPECT(o.t,
           "h\x04"
           "e",
           PLAIN, 'h', 'e', ); /* no token for 0x04, and no merge across it */
    close_vocab(&o);
}

static void test_bpe_words(void **state)
{
    (void)state;
    opened o = open_vocab(vocab_bpe("smollm", NULL, NULL, 0));
    EXPECT(o.t, "1234 12", PLAIN, '1', '2', '3', '4', ' ', '1', '2', );
    EXPECT(o.t, "world", PLAIN, 'w', BPE_ORL, 'd', );
    close_vocab(&o);

    gguf_builder bos = {0};
    gb_pair_u32(&bos, "tokenizer.ggml.bos_token_id", BPE_START);
    o = open_vocab(vocab_bpe("llama-bpe", NULL, &bos, 1));
    assert_true(lks_tokenizer_adds_bos(o.t));
    EXPECT(o.t, "1234 12", ADD, BPE_START, BPE_123, '4', ' ', BPE_12, );
    EXPECT(o.t, "world", PLAIN, BPE_WORLD, ); /* a word that is a token needs no merges */
    EXPECT(o.t, "a\n\n w", PLAIN, 'a', '\n', '\n', BPE_SPACE_W, );
    close_vocab(&o);
    gb_free(&bos);
}

static void test_special(void **state)
{
    (void)state;
    opened o = open_vocab(vocab_bpe("gpt-2", NULL, NULL, 0));
    EXPECT(o.t, "he<|end|>ll", SPECIAL, BPE_HE, BPE_END, BPE_LL, );
    EXPECT(o.t, "<|end|><|end|>less<|end|>", SPECIAL, BPE_END, BPE_ENDLESS, BPE_END, );
    EXPECT(o.t, "<|end|>", PLAIN, '<', '|', 'e', 'n', 'd', '|', '>', );
    EXPECT(o.t, "he<tag>", PLAIN, BPE_HE, BPE_TAG, ); /* user-defined tokens always count */
    EXPECT(o.t, "<<tag>|end|>", SPECIAL, '<', BPE_TAG, '|', 'e', 'n', 'd', '|', '>', );
    EXPECT(o.t, "<|end|", SPECIAL, '<', '|', 'e', 'n', 'd', '|', );
    assert_int_equal(lks_tokenizer_find_special(o.t, "<|end|>"), BPE_END);
    assert_int_equal(lks_tokenizer_find_special(o.t, "<tag>"), BPE_TAG);
    assert_int_equal(lks_tokenizer_find_special(o.t, "hello"), LKS_TOKEN_NONE);
    assert_int_equal(lks_tokenizer_find_special(o.t, ""), LKS_TOKEN_NONE);

    const char *piece;
    assert_int_equal(lks_tokenizer_piece(o.t, BPE_END, false, &piece), 0);
    assert_int_equal(lks_tokenizer_piece(o.t, BPE_END, true, &piece), 7);
    assert_memory_equal(piece, "<|end|>", 7);
    assert_int_equal(lks_tokenizer_piece(o.t, BPE_TAG, false, &piece), 5);
    assert_int_equal(lks_tokenizer_piece(o.t, BPE_SPACE_W, false, &piece), 2);
    assert_memory_equal(piece, " w", 2);
    assert_int_equal(lks_tokenizer_piece(o.t, BPE_COUNT, true, &piece), 0);
    assert_int_equal(lks_tokenizer_piece(o.t, UINT32_MAX, true, &piece), 0);
    close_vocab(&o);
}

/* Text of every kind comes back, but for the byte that has no token. The generator is xorshift32.
 */
static void round_trip(const lks_tokenizer *t, uint32_t seed)
{
    static const char *const bits[] = {"hello",
                                       " world",
                                       "'s",
                                       "'RE",
                                       "12345",
                                       "\r\n",
                                       "  \t",
                                       "\xc2\xa0",
                                       "\xe4\xbd\xa0",
                                       "\xf0\x9f\xa6\x99",
                                       "\xed\xa0\x80",
                                       "\xc0\xaf",
                                       "<|end|>",
                                       "a",
                                       "<tag>",
                                       "\xd9\xa3",
                                       "!?"};
    char text[600];
    uint32_t x = seed;
    for (int round = 0; round < 3000; round++) {
        size_t len = 0;
        for (int i = 0; i < 12; i++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            if (x % 4 == 0) {
                text[len++] = (char)(x >> 8);
                continue;
            }
            const char *bit = bits[(x >> 8) % (sizeof bits / sizeof *bits)];
            memcpy(text + len, bit, strlen(bit));
            len += strlen(bit);
        }
        for (size_t i = 0; i < len; i++)
            if (text[i] == 4)
                text[i] = 5;
        lks_tokens ids = {0};
        assert_int_equal(lks_tokenizer_encode(t, text, len, round & 1, false, &ids), LKS_OK);
        size_t pos = lks_tokenizer_adds_space(t) ? SIZE_MAX : 0;
        for (size_t i = 0; i < ids.count; i++) {
            const char *piece;
            size_t n = lks_tokenizer_piece(t, ids.ids[i], true, &piece);
            if (pos == SIZE_MAX) { /* the space that was put in front */
                assert_true(n > 0 && piece[0] == ' ');
                piece++, n--, pos = 0;
            }
            assert_true(n <= len - pos);
            assert_memory_equal(piece, text + pos, n);
            pos += n;
        }
        assert_int_equal(pos, len);
        free(ids.ids);
    }
}

static void test_round_trips(void **state)
{
    (void)state;
    static const char *const names[] = {"gpt-2", "smollm", "llama-bpe", "qwen2"};
    gguf_builder bos = {0};
    gb_pair_u32(&bos, "tokenizer.ggml.bos_token_id", BPE_START);
    for (size_t i = 0; i < 4; i++) {
        opened o = open_vocab(vocab_bpe(names[i], NULL, &bos, 1));
        round_trip(o.t, 1234567 + (uint32_t)i);
        close_vocab(&o);
    }
    bos.size = 0;
    gb_pair_u32(&bos, "tokenizer.ggml.bos_token_id", SPM_BOS);
    opened o = open_vocab(vocab_spm(&bos, 1));
    round_trip(o.t, 99);
    close_vocab(&o);
    gb_free(&bos);
}

static void test_spm(void **state)
{
    (void)state;
    gguf_builder ids = {0};
    gb_pair_u32(&ids, "tokenizer.ggml.bos_token_id", SPM_BOS);
    gb_pair_u32(&ids, "tokenizer.ggml.eos_token_id", SPM_EOS);
    opened o = open_vocab(vocab_spm(&ids, 2));
    assert_true(lks_tokenizer_adds_bos(o.t));
    assert_true(lks_tokenizer_adds_space(o.t));
    EXPECT(o.t, "", ADD, SPM_BOS, );
    EXPECT(o.t, "a", ADD, SPM_BOS, SPM_MARK_A, );
    EXPECT(o.t, "abc", PLAIN, SPM_MARK_A, SPM_BC, ); /* b c has the higher score, then U+2581 a */
    EXPECT(o.t, " ab", PLAIN, SPM_MARK, SPM_MARK, SPM_AB, ); /* a b before U+2581 a */
    EXPECT(o.t, "b b", PLAIN, SPM_MARK, SPM_B, SPM_MARK, SPM_B, );
    EXPECT(o.t, "baaaa", PLAIN, SPM_MARK, SPM_B, SPM_AA,
           SPM_AA, ); /* never the control token "aaa" */
    EXPECT(o.t, "baaa", SPECIAL, SPM_MARK, SPM_B, SPM_FORGED, );
    EXPECT(o.t, "b{u}b", PLAIN, SPM_MARK, SPM_B, SPM_USER, SPM_MARK, SPM_B, );
    EXPECT(o.t, "b</s>b", SPECIAL, SPM_MARK, SPM_B, SPM_EOS, SPM_MARK, SPM_B, );
    EXPECT(o.t, "b<unk>", SPECIAL, SPM_MARK, SPM_B, SPM_UNK, );
    EXPECT(o.t, "\xc3\xa9", PLAIN, SPM_MARK, SPM_E_ACUTE, );
    EXPECT(o.t, "\xc3\xa8", PLAIN, SPM_MARK, SPM_BYTES + 0xc3,
           SPM_BYTES + 0xa8, ); /* byte fall-back */
    EXPECT(o.t, "\xe8 b", PLAIN, SPM_MARK, SPM_BYTES + 0xe8, SPM_MARK,
           SPM_B, ); /* broken UTF-8 takes nothing with it */
    EXPECT(o.t, "d", PLAIN, SPM_MARK, SPM_BYTES + 'd', );

    const char *piece;
    assert_int_equal(lks_tokenizer_piece(o.t, SPM_BYTES + 0xa8, false, &piece), 1);
    assert_int_equal((uint8_t)piece[0], 0xa8);
    assert_int_equal(lks_tokenizer_piece(o.t, SPM_MARK_A, false, &piece), 2);
    assert_memory_equal(piece, " a", 2);
    assert_int_equal(lks_tokenizer_piece(o.t, SPM_UNK, false, &piece), 0);
    close_vocab(&o);

    gb_pair_bool(&ids, "tokenizer.ggml.add_space_prefix", false);
    gb_pair_bool(&ids, "tokenizer.ggml.add_bos_token", false);
    gb_pair_bool(&ids, "tokenizer.ggml.add_eos_token", true);
    o = open_vocab(vocab_spm(&ids, 5));
    EXPECT(o.t, "ab c", ADD, SPM_AB, SPM_MARK, SPM_C, SPM_EOS, );
    close_vocab(&o);
    gb_free(&ids);
}

static void test_ends(void **state)
{
    (void)state;
    uint32_t ids[LKS_MAX_EOS];
    gguf_builder extra = {0};
    gb_pair_u32(&extra, "tokenizer.ggml.eos_token_id", BPE_ENDLESS);
    gb_pair_u32(&extra, "tokenizer.ggml.eot_token_id", BPE_END);
    gb_pair_u32(&extra, "tokenizer.ggml.eom_token_id", BPE_ENDLESS);
    opened o = open_vocab(vocab_bpe("gpt-2", NULL, &extra, 3));
    assert_int_equal(lks_tokenizer_eos(o.t, ids), 2);
    assert_int_equal(ids[0], BPE_END);
    assert_int_equal(ids[1], BPE_ENDLESS);
    close_vocab(&o);
    gb_free(&extra);
    o = open_vocab(vocab_bpe("gpt-2", NULL, NULL, 0));
    assert_int_equal(lks_tokenizer_eos(o.t, ids), 0);
    close_vocab(&o);
}

/* Opens a vocabulary, which must fail with err and say what. */
static void refuse(gguf_builder file, lks_err err, const char *what)
{
    lks_gguf *g;
    lks_tokenizer *t;
    assert_int_equal(lks_gguf_open_memory(&g, file.data, file.size), LKS_OK);
    lks_err got = lks_tokenizer_open(&t, g);
    if (got != err || !strstr(lks_error_message(), what))
        fail_msg("expected %s with '%s', got %s with '%s'", lks_err_name(err), what,
                 lks_err_name(got), lks_error_message());
    assert_null(t);
    lks_gguf_close(g);
    gb_free(&file);
}

/* A vocabulary of the texts and merges (comma-separated), all of kind. */
static gguf_builder tiny(const char *model, const char *texts, const char *merges, uint32_t kind,
                         float score)
{
    gguf_builder b;
    const char *lists[2] = {texts, merges},
               *keys[2] = {"tokenizer.ggml.tokens", "tokenizer.ggml.merges"};
    uint64_t count = 0, first = 0;
    gb_begin(&b, 0, 6);
    gb_pair_text(&b, "tokenizer.ggml.model", model);
    gb_pair_text(&b, "tokenizer.ggml.pre", "gpt-2");
    for (int k = 0; k < 2; k++) {
        char list[200], *save;
        count = 1;
        snprintf(list, sizeof list, "%s", lists[k]);
        for (const char *p = list; *p; p++)
            count += *p == ',';
        gb_array(&b, keys[k], LKS_GGUF_STRING, count);
        for (char *s = strtok_r(list, ",", &save); s; s = strtok_r(NULL, ",", &save))
            gb_text(&b, s);
        first = k == 0 ? count : first;
    }
    gb_array(&b, "tokenizer.ggml.token_type", LKS_GGUF_I32, first);
    for (uint64_t i = 0; i < first; i++)
        gb_u32(&b, kind);
    gb_array(&b, "tokenizer.ggml.scores", LKS_GGUF_F32, first);
    for (uint64_t i = 0; i < first; i++)
        gb_f32(&b, score);
    return b;
}

static void test_refusals(void **state)
{
    (void)state;
    gguf_builder b, extra = {0};
    gb_begin(&b, 0, 0), refuse(b, LKS_CORRUPT, "no key tokenizer.ggml.model");
    gb_begin(&b, 0, 1), gb_pair_text(&b, "tokenizer.ggml.model", "bert"),
        refuse(b, LKS_REFUSED, "\"bert\"");
    gb_begin(&b, 0, 1), gb_pair_text(&b, "tokenizer.ggml.model", "gpt2"),
        refuse(b, LKS_REFUSED, "pre-tokenizer \"\"");
    refuse(vocab_bpe("tekken", NULL, NULL, 0), LKS_REFUSED, "pre-tokenizer \"tekken\"");
    gb_begin(&b, 0, 1), gb_pair_text(&b, "tokenizer.ggml.model", "llama"),
        refuse(b, LKS_CORRUPT, "tokenizer.ggml.tokens");
    refuse(tiny("gpt2", "a,b,a", "a b", 1, 0), LKS_CORRUPT, "tokens 0 and 2 are the same text");
    refuse(tiny("gpt2", "a,b", "a b", 1, 0), LKS_CORRUPT, "merge 0 names a text");
    refuse(tiny("gpt2", "a,b,ab", "a b,ab", 1, 0), LKS_CORRUPT, "merge 1 is not two texts");
    refuse(tiny("gpt2", "a,b,ab", "a b", 7, 0), LKS_CORRUPT, "token 0 is of type 7");
    refuse(tiny("gpt2", "<0x41>,<0x4g>", "a b", 6, 0), LKS_CORRUPT, "token 1 is a byte token");
    refuse(tiny("llama", "a,b", "a b", 1, 0), LKS_REFUSED, "<0x00>");
    refuse(vocab_bpe("llama-bpe", NULL, NULL, 0), LKS_CORRUPT, "asks for a BOS token");
    refuse(vocab_spm(NULL, 0), LKS_CORRUPT, "asks for a BOS token");
    gb_pair_u32(&extra, "tokenizer.ggml.eos_token_id", BPE_COUNT);
    refuse(vocab_bpe("gpt-2", NULL, &extra, 1), LKS_CORRUPT, "tokenizer.ggml.eos_token_id is 271");
    extra.size = 0;
    gb_pair_bool(&extra, "tokenizer.ggml.add_eos_token", true);
    refuse(vocab_bpe("gpt-2", NULL, &extra, 1), LKS_CORRUPT, "asks for an EOS token");
    gb_free(&extra);
}

static void test_limits(void **state)
{
    (void)state;
    opened o = open_vocab(vocab_bpe("gpt-2", NULL, NULL, 0));
    lks_tokens ids = {0};
    size_t len = (16u << 20) + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, '7', len);
    assert_int_equal(lks_tokenizer_encode(o.t, text, len, true, true, &ids), LKS_BADARGS);
    assert_int_equal(ids.count, 0);
    memset(text, 'l', 100000); /* one word */
    assert_int_equal(lks_tokenizer_encode(o.t, text, 100000, true, true, &ids), LKS_OK);
    assert_int_equal(ids.count, 50000);
    free(ids.ids);
    free(text);
    close_vocab(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bpe),      cmocka_unit_test(test_bpe_words),
        cmocka_unit_test(test_special),  cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_spm),      cmocka_unit_test(test_ends),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
