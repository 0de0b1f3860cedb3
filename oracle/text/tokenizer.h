/* Text to token ids and back, by the vocabulary that a GGUF file carries: byte-level BPE
 * (tokenizer.ggml.model "gpt2", with the pre-tokenizers gpt-2, llama-bpe, smollm and those with the
 * same patterns) and SentencePiece BPE with byte fall-back ("llama").
 *
 * Agrees with llama.cpp on those (tests/e2e/tokenizers.sh), with three exceptions on purpose: a
 * byte that is not UTF-8 stays that byte, where llama.cpp takes U+FFFD (byte-level BPE) or bytes
 * behind it too (SentencePiece); ordinary text never becomes a control, unknown or byte token, not
 * even by merging; a token's kind is what the file says, never guessed from its text. A byte for
 * which a byte-level vocabulary has no token is left out, as in llama.cpp (SmolLM2 lacks 21, among
 * them a few control characters).
 *
 * The chain only ever sees token ids; the tokenizer is committed so that everybody turns the same
 * text into the same ids.
 *
 * Thread rule: immutable after opening; any number of threads. The GGUF file must outlive it.
 */
#ifndef LKS_ORACLE_TEXT_TOKENIZER_H
#define LKS_ORACLE_TEXT_TOKENIZER_H

#include "chain/model_commitment.h"
#include "oracle/gguf/gguf.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lks_tokenizer lks_tokenizer;

#define LKS_TOKEN_NONE UINT32_MAX

/* Returns: LKS_OK, LKS_CORRUPT (vocabulary breaks its rules), LKS_REFUSED (a model or pre-tokenizer
 * that this version does not know), LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_tokenizer_open(lks_tokenizer **out, const lks_gguf *g);
void lks_tokenizer_close(lks_tokenizer *t);

uint32_t lks_tokenizer_vocab_size(const lks_tokenizer *t);
uint32_t lks_tokenizer_bos(const lks_tokenizer *t); /* LKS_TOKEN_NONE when the file names none */
bool lks_tokenizer_adds_bos(const lks_tokenizer *t);
/* Whether encode puts a space in front of text (SentencePiece): who decodes a whole text takes it
 * off again. */
bool lks_tokenizer_adds_space(const lks_tokenizer *t);
/* Out: ids, strictly increasing: tokenizer.ggml.eos_token_id, eot_token_id and eom_token_id without
 * repeats, as far as the file names them. Returns: how many, 0 to LKS_MAX_EOS. */
size_t lks_tokenizer_eos(const lks_tokenizer *t, uint32_t ids[LKS_MAX_EOS]);

/* A growable list of ids; all zero is empty. The caller frees ids with free(). */
typedef struct lks_tokens {
    uint32_t *ids;
    size_t count, capacity;
} lks_tokens;

LKS_MUST_USE
lks_err lks_tokens_push(lks_tokens *list, uint32_t id);

/* Appends the ids of len bytes of text to *out, which is as it was on failure.
 * parse_special: control tokens written in the text ("<|im_start|>") become their id; otherwise
 * they are ordinary text. User-defined tokens always become their id. add_special: put BOS in
 * front, and EOS behind, where the file asks for it. Text need not be valid UTF-8: bytes that are
 * not are encoded as bytes. Memory: below 60 bytes a byte of the text's longest word
 * (SentencePiece: of its escaped text). Returns: LKS_OK, LKS_NOMEM, LKS_BADARGS (len over 16 MiB).
 */
LKS_MUST_USE
lks_err lks_tokenizer_encode(const lks_tokenizer *t, const char *text, size_t len,
                             bool parse_special, bool add_special, lks_tokens *out);

/* The bytes that one id stands for, which may be part of a UTF-8 character. Control tokens give
 * none unless show_special. Out: *piece points into the tokenizer. Returns: its length; 0 also for
 * an id outside the vocabulary. */
size_t lks_tokenizer_piece(const lks_tokenizer *t, uint32_t id, bool show_special,
                           const char **piece);

/* The id of the control or user-defined token with exactly this text; LKS_TOKEN_NONE when there is
 * none. */
uint32_t lks_tokenizer_find_special(const lks_tokenizer *t, const char *text);

#ifdef __cplusplus
}
#endif
#endif
