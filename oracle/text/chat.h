/* The chat template of a model, as far as this version knows it: ChatML (SmolLM2, Qwen), Llama 2,
 * Llama 3 and Mistral, recognised by marks in the file's tokenizer.chat_template; the template's
 * own language (Jinja) is not run.
 */
#ifndef LKS_ORACLE_TEXT_CHAT_H
#define LKS_ORACLE_TEXT_CHAT_H

#include "oracle/text/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends the ids of one user message, with the template's own default system message, up to where
 * the model's answer begins. *out is as it was on failure. Control tokens written in the message
 * stay ordinary text. Returns: LKS_OK, LKS_REFUSED (the file has no template, or one that this
 * version does not know: use the prompt as it is), LKS_NOMEM, LKS_BADARGS (a message too long for
 * lks_tokenizer_encode). */
LKS_MUST_USE
lks_err lks_chat_encode(const lks_tokenizer *t, const lks_gguf *g, const char *message, size_t len,
                        lks_tokens *out);

#ifdef __cplusplus
}
#endif
#endif
