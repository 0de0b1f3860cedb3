/* Any file: a vocabulary either is refused or encodes text, whose ids all lie inside it and decode
 * without harm. The text is the file itself and a fixed one with special tokens. */
#include "oracle/text/chat.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink; /* of all bytes read, so that they are read */

static void encode(const lks_tokenizer *t, const char *text, size_t len, bool special)
{
    lks_tokens ids = {0};
    if (lks_tokenizer_encode(t, text, len, special, special, &ids) != LKS_OK)
        abort();
    for (size_t i = 0; i < ids.count; i++) {
        const char *piece;
        if (ids.ids[i] >= lks_tokenizer_vocab_size(t))
            abort();
        size_t n = lks_tokenizer_piece(t, ids.ids[i], special, &piece);
        for (size_t j = 0; j < n; j++)
            sink += (unsigned char)piece[j];
    }
    free(ids.ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] =
        "Hello <|im_start|> w\xc3\xb6rld's 12345\r\n\n  <s>\xff\xe2\x96\x81 [INST]";
    lks_gguf *g;
    lks_tokenizer *t = NULL;
    if (lks_gguf_open_memory(&g, data, size) != LKS_OK)
        return 0;
    if (lks_tokenizer_open(&t, g) == LKS_OK) {
        uint32_t ends[LKS_MAX_EOS];
        for (size_t i = lks_tokenizer_eos(t, ends); i-- > 0;)
            if (ends[i] >= lks_tokenizer_vocab_size(t))
                abort();
        encode(t, text, sizeof text - 1, false);
        encode(t, text, sizeof text - 1, true);
        encode(t, (const char *)data, size < 4096 ? size : 4096, true);
        lks_tokens ids = {0};
        if (lks_chat_encode(t, g, text, sizeof text - 1, &ids) != LKS_OK && ids.count != 0)
            abort();
        free(ids.ids);
    }
    lks_tokenizer_close(t);
    lks_gguf_close(g);
    return 0;
}
