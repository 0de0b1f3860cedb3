#include "tests/gguf/vocab_builder.h"

#include <stdio.h>
#include <string.h>

/* The bytes that are no printable Latin-1 characters are numbered from U+0100 on. */
void vocab_byte_text(unsigned byte, char out[4])
{
    unsigned cp = 0x100;
    for (unsigned b = 0; b <= byte; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
        if (b == byte && printable)
            cp = byte;
        else if (b < byte && !printable)
            cp++;
    }
    if (cp < 0x80)
        snprintf(out, 4, "%c", (char)cp);
    else
        snprintf(out, 4, "%c%c", (char)(0xc0 | cp >> 6), (char)(0x80 | (cp & 0x3f)));
}

static void add_extra(gguf_builder *b, const gguf_builder *extra)
{
    if (extra)
        gb_bytes(b, extra->data, extra->size);
}

gguf_builder vocab_bpe(const char *pre, const char *chat_template, const gguf_builder *extra,
                       uint64_t extra_count)
{
    static const char *const words[BPE_COUNT - 256] = {
        "he", "ll",  "hell",  "hello",   "\xc4\xa0w",   "12",    "123",      "23",
        "rl", "orl", "world", "<|end|>", "<|end|>less", "<tag>", "<|start|>"};
    static const char *const merges[] = {"l l",  "h e", "he ll", "hell o", "\xc4\xa0 w", "1 2",
                                         "12 3", "2 3", "r l",   "o rl",   "1 2"};
    gguf_builder b;
    gb_begin(&b, 0, 5 + (chat_template != NULL) + extra_count);
    gb_pair_text(&b, "tokenizer.ggml.model", "gpt2");
    gb_pair_text(&b, "tokenizer.ggml.pre", pre);
    gb_array(&b, "tokenizer.ggml.tokens", LKS_GGUF_STRING, BPE_COUNT);
    for (unsigned i = 0; i < 256; i++) {
        char text[4];
        vocab_byte_text(i, text);
        gb_text(&b, i == 4 ? "[none]" : text);
    }
    for (unsigned i = 256; i < BPE_COUNT; i++)
        gb_text(&b, words[i - 256]);
    gb_array(&b, "tokenizer.ggml.token_type", LKS_GGUF_I32, BPE_COUNT);
    for (unsigned i = 0; i < BPE_COUNT; i++)
        gb_u32(&b, i == BPE_TAG ? 4 : i >= BPE_END ? 3 : 1);
    gb_array(&b, "tokenizer.ggml.merges", LKS_GGUF_STRING, sizeof merges / sizeof *merges);
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++)
        gb_text(&b, merges[i]);
    if (chat_template)
        gb_pair_text(&b, "tokenizer.chat_template", chat_template);
    add_extra(&b, extra);
    return b;
}

gguf_builder vocab_spm(const gguf_builder *extra, uint64_t extra_count)
{
    static const char *const words[SPM_COUNT - SPM_MARK] = {"\xe2\x96\x81",
                                                            "a",
                                                            "b",
                                                            "c",
                                                            "ab",
                                                            "bc",
                                                            "\xe2\x96\x81"
                                                            "a",
                                                            "aa",
                                                            "\xc3\xa9",
                                                            "{u}",
                                                            "aaa"};
    static const float scores[SPM_COUNT - SPM_MARK] = {-1, -2, -3, -4, -6, -5, -7, -7.5f, -8, 0, 0};
    gguf_builder b;
    gb_begin(&b, 0, 4 + extra_count);
    gb_pair_text(&b, "tokenizer.ggml.model", "llama");
    gb_array(&b, "tokenizer.ggml.tokens", LKS_GGUF_STRING, SPM_COUNT);
    gb_text(&b, "<unk>"), gb_text(&b, "<s>"), gb_text(&b, "</s>");
    for (unsigned i = 0; i < 256; i++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", i);
        gb_text(&b, text);
    }
    for (unsigned i = SPM_MARK; i < SPM_COUNT; i++)
        gb_text(&b, words[i - SPM_MARK]);
    gb_array(&b, "tokenizer.ggml.scores", LKS_GGUF_F32, SPM_COUNT);
    for (unsigned i = 0; i < SPM_COUNT; i++)
        gb_f32(&b, i < SPM_MARK ? 0 : scores[i - SPM_MARK]);
    gb_array(&b, "tokenizer.ggml.token_type", LKS_GGUF_I32, SPM_COUNT);
    for (unsigned i = 0; i < SPM_COUNT; i++)
        gb_u32(&b, i == SPM_UNK                       ? 2
                   : i < SPM_BYTES || i == SPM_FORGED ? 3
                   : i < SPM_MARK                     ? 6
                   : i == SPM_USER                    ? 4
                                                      : 1);
    add_extra(&b, extra);
    return b;
}
