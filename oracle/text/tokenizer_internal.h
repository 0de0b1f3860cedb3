/* Shared by the files of the tokenizer: tokenizer.c (the interface), tokenizer_vocab.c (the
 * tokens), tokenizer_special.c (special tokens in text), tokenizer_bpe.c and tokenizer_spm.c
 * (ordinary text).
 */
#ifndef LKS_ORACLE_TEXT_TOKENIZER_INTERNAL_H
#define LKS_ORACLE_TEXT_TOKENIZER_INTERNAL_H

#include "oracle/gguf/strtab.h"
#include "oracle/text/merge.h"
#include "oracle/text/pretokenize.h"
#include "oracle/text/tokenizer.h"

/* Values of tokenizer.ggml.token_type. */
enum {
    KIND_NORMAL = 1,
    KIND_UNKNOWN = 2,
    KIND_CONTROL = 3,
    KIND_USER_DEFINED = 4,
    KIND_UNUSED = 5,
    KIND_BYTE = 6
};

typedef struct lks_token {
    const char *text;  /* as the file has it */
    const char *piece; /* the bytes it stands for */
    uint32_t len, piece_len;
    uint32_t kind;
} lks_token;

/* A merge of byte-level BPE: the pair of ids, left in the upper half. */
typedef struct lks_merge {
    uint64_t pair;
    uint32_t rank; /* UINT32_MAX: a free slot */
    uint32_t id;
} lks_merge;

/* The special tokens of one length. */
typedef struct lks_special_group {
    uint32_t len;
    uint8_t begins[32]; /* set of first bytes, a bit each */
} lks_special_group;

struct lks_tokenizer {
    uint32_t count;
    lks_token *tokens;
    lks_strtab ids;   /* of every token that is not empty */
    char *pieces;     /* storage of those pieces that are not the text itself */
    uint32_t longest; /* bytes of the longest text */

    uint32_t bos, eos;
    uint32_t ends[LKS_MAX_EOS];
    size_t end_count;
    bool add_bos, add_eos, add_space;

    uint32_t byte_ids[256];      /* the token of a lone byte, LKS_TOKEN_NONE where there is none */
    const lks_pretokenizer *pre; /* NULL: SentencePiece */

    lks_merge *merges; /* byte-level BPE; open addressing */
    size_t merge_mask;
    uint64_t merge_key;
    uint32_t *ranks;  /* SentencePiece: a token's place by falling score, equal for equal scores */
    bool words_apart; /* SentencePiece: no token reaches from a word into the next, so each can be
                         merged by itself */

    lks_special_group *groups; /* longest first: user-defined tokens, then the same with control and
                                  unknown ones */
    size_t user_groups, all_groups;
};

/* Part of the text that is a special token. */
typedef struct lks_span {
    uint32_t start, len, id;
} lks_span;

lks_err lks_vocab_load(lks_tokenizer *t, const lks_gguf *g);
void lks_byte_char(uint8_t byte, char out2[2],
                   size_t *len); /* the character that stands for a byte in byte-level BPE */
/* Returns: the id of ordinary text; LKS_TOKEN_NONE also for control, unknown and byte tokens, which
 * text never becomes. */
uint32_t lks_plain_id(const lks_tokenizer *t, const char *text, size_t len);

lks_err lks_special_load(lks_tokenizer *t);
/* Out: *spans in order of start, to be freed by the caller. */
lks_err lks_special_find(const lks_tokenizer *t, const char *text, size_t len, bool all,
                         lks_span **spans, size_t *count);

lks_err lks_bpe_load(lks_tokenizer *t, const lks_gguf *g);
lks_err lks_bpe_encode(const lks_tokenizer *t, lks_merger *m, const char *text, size_t len,
                       lks_tokens *out);

lks_err lks_spm_load(lks_tokenizer *t, const lks_gguf *g);
lks_err lks_spm_encode(const lks_tokenizer *t, lks_merger *m, const char *text, size_t len,
                       bool space, lks_tokens *out);

#endif
