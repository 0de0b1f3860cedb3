/* lockstep tokenize, lockstep detokenize: by the vocabulary of a GGUF file, which need hold nothing
 * else. */
#include "oracle/cli/cli.h"
#include "oracle/cli/io.h"
#include "oracle/cli/options.h"
#include "oracle/cli/output.h"
#include "oracle/cli/policy.h"
#include "oracle/cli/values.h"
#include "oracle/text/tokenizer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const char *name, *model_path;
    bool special, add_special, json;
    lks_gguf *file;
    lks_tokenizer *tokenizer;
    char *input;
    size_t input_len;
    lks_tokens ids;
} job;

static int open_all(job *j)
{
    if (j->model_path == NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: no model; name a GGUF file with -m", j->name);
    }
    lks_err err = lks_cli_open_vocabulary(&j->file, &j->tokenizer, j->model_path);
    if (err != LKS_OK) {
        return lks_cli_fail_file(err, j->name, NULL);
    }
    err = lks_read_all(&j->input, &j->input_len, "-", LKS_MAX_INPUT);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, "standard input", NULL);
}

static void close_all(job *j)
{
    lks_tokenizer_close(j->tokenizer);
    lks_gguf_close(j->file);
    free(j->input);
    free(j->ids.ids);
}

static int print_ids(const job *j)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    if (j->json) {
        lks_json_begin_object(&w);
        lks_json_member_ids(&w, "tokens", j->ids.ids, j->ids.count);
        lks_json_end_object(&w);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    for (size_t i = 0; i < j->ids.count; i++) {
        printf("%" PRIu32 "\n", j->ids.ids[i]);
    }
    return lks_cli_finish(LKS_EXIT_OK);
}

int lks_cmd_tokenize(int argc, char **argv)
{
    job j = {.name = argv[0]};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = LKS_OPT_TEXT,
         .out = &j.model_path,
         .value = "FILE",
         .help = "the GGUF file; its vocabulary is enough"},
        {.name = "special",
         .kind = LKS_OPT_FLAG,
         .out = &j.special,
         .help = "control tokens written in the text become their id"},
        {.name = "add-special",
         .kind = LKS_OPT_FLAG,
         .out = &j.add_special,
         .help = "begin and end tokens where the file asks for them"},
        {.name = "json",
         .kind = LKS_OPT_FLAG,
         .out = &j.json,
         .help = "{\"tokens\":[...]} instead of one id per line"},
    };
    const lks_usage usage = {
        .synopsis = "-m FILE [OPTIONS] < TEXT",
        .about = "Turns standard input, to its last byte, into token ids, one per line.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    code = open_all(&j);
    if (code == LKS_PARSED) {
        lks_err err = lks_tokenizer_encode(j.tokenizer, j.input, j.input_len, j.special,
                                           j.add_special, &j.ids);
        code = err == LKS_OK ? print_ids(&j) : lks_cli_fail_file(err, "standard input", NULL);
    }
    close_all(&j);
    return code;
}

/* Reads ids separated by white space. Returns: LKS_PARSED, or the exit code after telling. */
static int read_ids(job *j)
{
    static const char SPACE[] = " \t\r\n";
    uint32_t vocab = lks_tokenizer_vocab_size(j->tokenizer);
    char *rest = NULL;
    if (memchr(j->input, '\0', j->input_len) != NULL) {
        return lks_cli_fail(LKS_EXIT_INPUT,
                            "standard input: holds a zero byte; give token ids as decimal text");
    }
    for (char *word = strtok_r(j->input, SPACE, &rest); word != NULL;
         word = strtok_r(NULL, SPACE, &rest)) {
        uint32_t id;
        if (strlen(word) > 10 || lks_parse_u32(&id, word) != LKS_OK) {
            return lks_cli_fail(LKS_EXIT_INPUT,
                                "standard input: '%.20s' is not a token id; give decimal ids "
                                "separated by white space",
                                word);
        }
        if (id >= vocab) {
            return lks_cli_fail(
                LKS_EXIT_INPUT,
                "standard input: token %u is outside the vocabulary of %u; is it the right model?",
                id, vocab);
        }
        lks_err err = lks_tokens_push(&j->ids, id);
        if (err != LKS_OK) {
            return lks_cli_fail_file(err, "standard input", NULL);
        }
    }
    return LKS_PARSED;
}

static int print_text(const job *j)
{
    lks_buf text = {0}, out = {0};
    lks_json_writer w = {.out = &out};
    int code = LKS_EXIT_OK;
    for (size_t i = 0; i < j->ids.count; i++) {
        const char *piece;
        size_t len = lks_tokenizer_piece(j->tokenizer, j->ids.ids[i], j->special, &piece);
        lks_buf_put(&text, piece, len);
    }
    if (lks_buf_error(&text) != LKS_OK) {
        code = lks_cli_fail(LKS_EXIT_INTERNAL, "detokenize: out of memory");
    } else if (j->json) {
        lks_json_begin_object(&w);
        lks_json_put_name(&w, "text");
        lks_json_put_string(&w, lks_buf_text(&text), text.len);
        lks_json_end_object(&w);
        code = lks_out_json(&out, code);
    } else {
        fwrite(lks_buf_text(&text), 1, text.len, stdout);
        code = lks_cli_finish(code);
    }
    lks_buf_free(&text);
    return code;
}

int lks_cmd_detokenize(int argc, char **argv)
{
    job j = {.name = argv[0]};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = LKS_OPT_TEXT,
         .out = &j.model_path,
         .value = "FILE",
         .help = "the GGUF file; its vocabulary is enough"},
        {.name = "special",
         .kind = LKS_OPT_FLAG,
         .out = &j.special,
         .help = "show control tokens by their text"},
        {.name = "json",
         .kind = LKS_OPT_FLAG,
         .out = &j.json,
         .help = "{\"text\":...} instead of the bytes as they are"},
    };
    const lks_usage usage = {
        .synopsis = "-m FILE [OPTIONS] < IDS",
        .about = "Turns token ids, decimal and separated by white space, from standard input\n"
                 "into the bytes they stand for.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    code = open_all(&j);
    if (code == LKS_PARSED) {
        code = read_ids(&j);
    }
    if (code == LKS_PARSED) {
        code = print_text(&j);
    }
    close_all(&j);
    return code;
}
