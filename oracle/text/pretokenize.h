/* Pre-tokenizers of byte-level BPE: they cut text into words, and no merge crosses a cut.
 *
 * The patterns are those of llama.cpp (src/llama-vocab.cpp), with its reading of them
 * (src/unicode.cpp), over Unicode 15.1. A byte that is not part of valid UTF-8 counts as one
 * character that is neither letter nor number nor white space.
 */
#ifndef LKS_ORACLE_TEXT_PRETOKENIZE_H
#define LKS_ORACLE_TEXT_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lks_pretokenizer {
    const char *name; /* as tokenizer.ggml.pre has it */
    bool llama3;      /* the pattern of Llama 3, else that of GPT-2 */
    uint8_t digits;   /* llama3: the longest number */
    bool lone_digits; /* GPT-2: cut out each number character first */
    bool whole_words; /* a word that is a token is not merged together from its bytes */
    bool adds_bos;    /* where the file does not say */
} lks_pretokenizer;

/* Returns: bytes of the valid UTF-8 sequence (RFC 3629) at p, left > 0; 0 when there is none, *cp
 * is untouched then. Out: *cp. */
size_t lks_utf8_decode(const uint8_t *p, size_t left, uint32_t *cp);

/* Returns: the pre-tokenizer of that name; NULL when this version does not know it. */
const lks_pretokenizer *lks_pretokenizer_find(const char *name, size_t len);

/* Returns: the end of the word that begins at pos (pos < len), which is where the next word begins.
 * Constant memory; the time of all words of a text together is linear in its length. */
size_t lks_pretokenize(const lks_pretokenizer *p, const char *text, size_t len, size_t pos);

#endif
