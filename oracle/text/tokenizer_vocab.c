/* The tokens of a vocabulary and the bytes that each stands for. */
#include "kernels/bytes.h"
#include "oracle/text/tokenizer_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_LIMIT (1u << 24)
#define SPACE_MARK "\xe2\x96\x81" /* U+2581, SentencePiece's space */

/* GPT-2's alphabet: 0x21 to 0x7e, 0xa1 to 0xac and 0xae to 0xff stand for themselves as Latin-1
 * characters, the other 68 bytes for U+0100 to U+0143, in order. */
void lks_byte_char(uint8_t byte, char out2[2], size_t *len)
{
    unsigned cp = byte;
    if (byte < 0x21)
        cp = 0x100u + byte;
    else if (byte >= 0x7f && byte < 0xa1)
        cp = 0x121u + (byte - 0x7fu);
    else if (byte == 0xad)
        cp = 0x143;
    if (cp < 0x80) {
        out2[0] = (char)cp;
        *len = 1;
        return;
    }
    out2[0] = (char)(0xc0 | cp >> 6);
    out2[1] = (char)(0x80 | (cp & 0x3f));
    *len = 2;
}

/* From a code point of that alphabet to its byte, -1 where none is. */
static void fill_decoder(int16_t decoder[0x200])
{
    for (int i = 0; i < 0x200; i++)
        decoder[i] = -1;
    for (unsigned b = 0; b < 256; b++) {
        char c[2];
        size_t len;
        lks_byte_char((uint8_t)b, c, &len);
        decoder[len == 1 ? (unsigned char)c[0] : ((c[0] & 0x1fu) << 6 | (c[1] & 0x3fu))] =
            (int16_t)b;
    }
}

/* Characters outside the alphabet stay as they are. */
static size_t decode_bpe(const int16_t decoder[0x200], const lks_token *t, char *out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < t->len; i++) {
        unsigned char c = (unsigned char)t->text[i];
        unsigned cp = c;
        bool two = (c == 0xc2 || c == 0xc3 || c == 0xc4 || c == 0xc5) && i + 1 < t->len &&
                   (t->text[i + 1] & 0xc0) == 0x80;
        if (two)
            cp = (c & 0x1fu) << 6 | (t->text[i + 1] & 0x3fu);
        bool known = (two || c < 0x80) && decoder[cp] >= 0;
        out[n++] = known ? (char)decoder[cp] : (char)c;
        i += known && two;
    }
    return n;
}

static size_t decode_spm(const lks_token *t, char *out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < t->len; i++) {
        bool mark = t->len - i >= 3 && memcmp(t->text + i, SPACE_MARK, 3) == 0;
        out[n++] = mark ? ' ' : t->text[i];
        i += mark ? 2 : 0;
    }
    return n;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* <0x00> to <0xFF>. Returns: -1 for other texts. */
static int byte_of(const lks_token *t)
{
    if (t->len != 6 || memcmp(t->text, "<0x", 3) != 0 || t->text[5] != '>')
        return -1;
    int high = hex_value(t->text[3]), low = hex_value(t->text[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static lks_err make_piece(const lks_tokenizer *t, const int16_t decoder[0x200], uint32_t id,
                          char **room)
{
    lks_token *k = &t->tokens[id];
    char *out = *room;
    size_t n = 0;
    int byte;
    switch (k->kind) {
    case KIND_NORMAL: n = t->pre ? decode_bpe(decoder, k, out) : decode_spm(k, out); break;
    case KIND_BYTE:
        byte = byte_of(k);
        if (byte < 0)
            return lks_fail(LKS_CORRUPT,
                            "token %" PRIu32
                            " is a byte token, but its text is not <0x00> to <0xFF>",
                            id);
        out[n++] = (char)byte;
        break;
    case KIND_UNUSED: break;
    case KIND_UNKNOWN:
    case KIND_CONTROL:
    case KIND_USER_DEFINED:
        k->piece = k->text;
        k->piece_len = k->len;
        return LKS_OK;
    default:
        return lks_fail(LKS_CORRUPT,
                        "token %" PRIu32 " is of type %" PRIu32 ", which does not exist", id,
                        k->kind);
    }
    k->piece = out;
    k->piece_len = (uint32_t)n;
    *room += n;
    return LKS_OK;
}

static lks_err make_pieces(lks_tokenizer *t, size_t text_size)
{
    int16_t decoder[0x200];
    fill_decoder(decoder);
    t->pieces = malloc(text_size + 1); /* no piece is longer than its text */
    if (!t->pieces)
        return lks_fail(LKS_NOMEM, "out of memory for a vocabulary of %zu bytes", text_size);
    char *room = t->pieces;
    lks_err err = LKS_OK;
    for (uint32_t id = 0; id < t->count && !err; id++)
        err = make_piece(t, decoder, id, &room);
    return err;
}

/* The tokens of lone bytes: in byte-level BPE the character that stands for the byte, in
 * SentencePiece <0xNN>. */
static lks_err find_byte_tokens(lks_tokenizer *t)
{
    for (unsigned b = 0; b < 256; b++) {
        char text[7];
        size_t len = 6;
        if (t->pre)
            lks_byte_char((uint8_t)b, text, &len);
        else
            memcpy(text,
                   (char[]){'<', '0', 'x', "0123456789ABCDEF"[b >> 4], "0123456789ABCDEF"[b & 15],
                            '>'},
                   6);
        t->byte_ids[b] = lks_strtab_get(&t->ids, text, len);
        if (t->byte_ids[b] == LKS_TOKEN_NONE && !t->pre)
            return lks_fail(LKS_REFUSED,
                            "the vocabulary has no token <0x%02X>: SentencePiece without byte "
                            "fall-back is not supported",
                            b);
    }
    return LKS_OK;
}

lks_err lks_vocab_load(lks_tokenizer *t, const lks_gguf *g)
{
    lks_gguf_array texts, kinds = {0};
    lks_err err = lks_gguf_get_array(g, "tokenizer.ggml.tokens", LKS_GGUF_STRING, &texts);
    if (!err && lks_gguf_find(g, "tokenizer.ggml.token_type"))
        err = lks_gguf_get_array(g, "tokenizer.ggml.token_type", LKS_GGUF_I32, &kinds);
    if (err)
        return lks_fail_in(LKS_CORRUPT, "the vocabulary");
    if (texts.count == 0 || texts.count > TOKEN_LIMIT)
        return lks_fail(LKS_CORRUPT, "the vocabulary has %" PRIu64 " tokens, not 1 to %u",
                        texts.count, TOKEN_LIMIT);
    if (kinds.data && kinds.count != texts.count)
        return lks_fail(LKS_CORRUPT,
                        "tokenizer.ggml.token_type has %" PRIu64 " entries for %" PRIu64 " tokens",
                        kinds.count, texts.count);
    t->count = (uint32_t)texts.count;
    t->tokens = calloc(t->count, sizeof *t->tokens);
    if (!t->tokens)
        return lks_fail(LKS_NOMEM, "out of memory for %" PRIu32 " tokens", t->count);
    err = lks_strtab_init(&t->ids, t->count);
    const uint8_t *cursor = texts.data;
    for (uint32_t id = 0; id < t->count && !err; id++) {
        lks_gguf_string s = lks_gguf_next_string(&cursor);
        if (s.len > UINT32_MAX)
            return lks_fail(LKS_CORRUPT, "token %" PRIu32 " has %zu bytes", id, s.len);
        t->tokens[id] = (lks_token){.text = s.data,
                                    .len = (uint32_t)s.len,
                                    .kind = kinds.data ? lks_load_le32(kinds.data + 4 * (size_t)id)
                                                       : KIND_NORMAL};
        if (s.len > t->longest)
            t->longest = (uint32_t)s.len;
        uint32_t twin = s.len ? lks_strtab_put(&t->ids, s.data, s.len, id) : LKS_STRTAB_NONE;
        if (twin != LKS_STRTAB_NONE)
            err = lks_fail(LKS_CORRUPT, "tokens %" PRIu32 " and %" PRIu32 " are the same text",
                           twin, id);
    }
    if (!err)
        err = make_pieces(t, texts.size);
    return err ? err : find_byte_tokens(t);
}

uint32_t lks_plain_id(const lks_tokenizer *t, const char *text, size_t len)
{
    uint32_t id = lks_strtab_get(&t->ids, text, len);
    if (id == LKS_TOKEN_NONE)
        return id;
    uint32_t kind = t->tokens[id].kind;
    return kind == KIND_CONTROL || kind == KIND_UNKNOWN || kind == KIND_BYTE ? LKS_TOKEN_NONE : id;
}
