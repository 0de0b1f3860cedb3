/* Any bytes: opening either fails or gives a file all of whose parts can be read. */
#include "oracle/gguf/gguf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

/* Reads each byte, so that the sanitizer sees what lies outside. */
static unsigned sum(const void *p, size_t len)
{
    unsigned s = 0;
    for (size_t i = 0; i < len; i++)
        s += ((const uint8_t *)p)[i];
    return s;
}

static unsigned read_entry(const lks_gguf *g, const lks_gguf_entry *e)
{
    unsigned s = sum(e->raw, e->raw_size);
    char *key = strndup(e->key.data, e->key.len);
    if (!key || lks_gguf_find(g, key) != e)
        abort();
    uint32_t u;
    float f;
    bool b;
    lks_gguf_string text;
    lks_gguf_array a;
    s += lks_gguf_get_u32(g, key, &u) == LKS_OK;
    s += lks_gguf_get_f32(g, key, &f) == LKS_OK;
    s += lks_gguf_get_bool(g, key, &b) == LKS_OK;
    if (lks_gguf_get_string(g, key, &text) == LKS_OK)
        s += sum(text.data, text.len);
    for (int type = 0; type < 13; type++)
        if (lks_gguf_get_array(g, key, (lks_gguf_type)type, &a) == LKS_OK) {
            s += sum(a.data, a.size);
            const uint8_t *cursor = a.data;
            for (uint64_t i = 0; type == LKS_GGUF_STRING && i < a.count; i++) {
                text = lks_gguf_next_string(&cursor);
                s += sum(text.data, text.len);
            }
            if (type == LKS_GGUF_STRING && cursor != a.data + a.size)
                abort();
        }
    free(key);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lks_gguf *g;
    if (lks_gguf_open_memory(&g, data, size) != LKS_OK)
        return g != NULL ? (abort(), 0) : 0;
    for (size_t i = 0; i < lks_gguf_entry_count(g); i++)
        sink += read_entry(g, lks_gguf_entry_at(g, i));
    for (size_t i = 0; i < lks_gguf_tensor_count(g); i++) {
        const lks_gguf_tensor *t = lks_gguf_tensor_at(g, i);
        sink += sum(t->data, t->size);
    }
    lks_gguf_close(g);
    return 0;
}
