/* Compares the tokenizer with vectors in llama.cpp's form: for each VOCAB.gguf of the command line,
 * VOCAB.gguf.inp has texts, separated by a line "__ggml_vocab_test__", and VOCAB.gguf.out a line of
 * ids for each. Also decodes them again. Prints one line a file. */
#include "oracle/text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATOR "\n__ggml_vocab_test__\n"

/* Returns: the file's bytes with a zero behind them, to be freed; NULL, and says so, when it cannot
 * be read. */
static char *read_file(const char *path, const char *suffix, size_t *len)
{
    char name[4096];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *f = fopen(name, "rb");
    char *data = calloc(1, 1 << 20);
    if (!f || !data) {
        printf("%s cannot be read\n", name);
        if (f)
            fclose(f);
        free(data);
        return NULL;
    }
    *len = fread(data, 1, (1 << 20) - 1, f);
    fclose(f);
    return data;
}

static void print_ids(const char *what, const uint32_t *ids, size_t count)
{
    printf("  %s:", what);
    for (size_t i = 0; i < count; i++)
        printf(" %u", ids[i]);
    printf("\n");
}

static bool decodes_to(const lks_tokenizer *t, const lks_tokens *ids, const char *text, size_t len)
{
    size_t pos = 0;
    for (size_t i = 0; i < ids->count; i++) {
        const char *piece;
        size_t n = lks_tokenizer_piece(t, ids->ids[i], true, &piece);
        size_t skip = i == 0 && n > 0 && lks_tokenizer_adds_space(t) && piece[0] == ' ';
        n -= skip;
        if (n > len - pos || memcmp(piece + skip, text + pos, n) != 0)
            return false;
        pos += n;
    }
    return pos == len;
}

/* Out: *line moves behind the line of ids. */
static bool check(const lks_tokenizer *t, const char *text, size_t len, char **line)
{
    uint32_t want[1024];
    size_t count = 0;
    char *end = strchr(*line, '\n');
    for (char *p = *line, *next; count < 1024; p = next) {
        unsigned long id = strtoul(p, &next, 10);
        if (next == p || (end && next > end))
            break;
        want[count++] = (uint32_t)id;
    }
    *line = end ? end + 1 : *line + strlen(*line);
    lks_tokens got = {0};
    bool ok = lks_tokenizer_encode(t, text, len, false, false, &got) == LKS_OK &&
              got.count == count &&
              (count == 0 || memcmp(got.ids, want, count * sizeof *want) == 0);
    bool back = ok && decodes_to(t, &got, text, len);
    if (!ok || !back) {
        printf("  %s: '%.*s'\n", ok ? "does not decode" : "differs", (int)len, text);
        print_ids("expected", want, count);
        print_ids("got", got.ids, got.count);
    }
    free(got.ids);
    return ok && back;
}

/* Returns: the number of texts that agree; -1 when one does not. */
static int check_file(const char *path)
{
    lks_gguf *g = NULL;
    lks_tokenizer *t = NULL;
    size_t inp_len = 0, out_len = 0;
    int texts = 0, good = 0;
    char *inp = read_file(path, ".inp", &inp_len), *out = read_file(path, ".out", &out_len),
         *line = out;
    bool ok = inp && out;
    if (ok && (lks_gguf_open(&g, path) != LKS_OK || lks_tokenizer_open(&t, g) != LKS_OK)) {
        printf("%s: %s\n", path, lks_error_message());
        ok = false;
    }
    for (char *text = inp, *end; ok && text < inp + inp_len; texts++) {
        end = memmem(text, inp_len - (size_t)(text - inp), SEPARATOR, strlen(SEPARATOR));
        size_t len = end ? (size_t)(end - text) : inp_len - (size_t)(text - inp);
        good += check(t, text, len, &line);
        text += len + (end ? strlen(SEPARATOR) : 0);
    }
    ok = ok && texts > 0 && good == texts && *line == 0;
    printf("%s: %d of %d texts agree%s\n", path, good, texts,
           ok || good != texts ? "" : ", and ids without a text");
    lks_tokenizer_close(t);
    lks_gguf_close(g);
    free(inp);
    free(out);
    return ok ? texts : -1;
}

int main(int argc, char **argv)
{
    int files = 0, texts = 0, failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        int n = check_file(argv[i]);
        failed |= n < 0;
        files += n > 0;
        texts += n > 0 ? n : 0;
    }
    printf("count tokenizer_pairs %d\ncount tokenizer_texts %d\n", files, texts);
    return failed;
}
