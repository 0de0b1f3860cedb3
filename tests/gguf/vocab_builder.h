/* Vocabularies small enough to work out the ids by hand. */
#ifndef LKS_TESTS_GGUF_VOCAB_BUILDER_H
#define LKS_TESTS_GGUF_VOCAB_BUILDER_H

#include "tests/gguf/gguf_builder.h"

/* Ids 0 to 255 of vocab_bpe are the bytes themselves, in order; then come these. */
enum {
    BPE_HE = 256,
    BPE_LL,
    BPE_HELL,
    BPE_HELLO,
    BPE_SPACE_W,
    BPE_12,
    BPE_123,
    BPE_23,
    BPE_RL,
    BPE_ORL,
    BPE_WORLD,   /* "world" without merges */
    BPE_END,     /* control "<|end|>" */
    BPE_ENDLESS, /* control "<|end|>less" */
    BPE_TAG,     /* user-defined "<tag>" */
    BPE_START,   /* control "<|start|>" */
    BPE_COUNT
};

/* Byte-level BPE with this pre-tokenizer and chat template (NULL: none). Byte 0x04 has no token:
 * its id stands for "[none]". extra pairs, already in their stored form, follow the others. */
gguf_builder vocab_bpe(const char *pre, const char *chat_template, const gguf_builder *extra,
                       uint64_t extra_count);

/* Ids of vocab_spm: unknown, BOS, EOS, the 256 byte tokens, then these with their scores. */
enum {
    SPM_UNK,
    SPM_BOS,
    SPM_EOS,
    SPM_BYTES,
    SPM_MARK = 259, /* U+2581, -1 */
    SPM_A,          /* -2 */
    SPM_B,          /* -3 */
    SPM_C,          /* -4 */
    SPM_AB,         /* -6 */
    SPM_BC,         /* -5: before AB */
    SPM_MARK_A,     /* -7 */
    SPM_AA,         /* -7.5 */
    SPM_E_ACUTE,    /* U+00E9, -8 */
    SPM_USER,       /* user-defined "{u}" */
    SPM_FORGED,     /* control "aaa", 0: what "aa" "a" must not merge into */
    SPM_COUNT
};

/* The character that stands for a byte in GPT-2's alphabet, by its definition. */
void vocab_byte_text(unsigned byte, char out[4]);

gguf_builder vocab_spm(const gguf_builder *extra, uint64_t extra_count);

#endif
