#include "oracle/cli/policy.h"

#include "oracle/cli/cli.h"
#include "oracle/cli/cut_off.h"
#include "oracle/cli/io.h"
#include "oracle/cli/values.h"
#include "oracle/engine/policy.h"
#include "oracle/text/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lks_cli_open_model(lks_model *m, const char *command, const char *path)
{
    if (path == NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: no model; name a GGUF file with -m", command);
    }
    lks_cut_off_name(path);
    lks_err err = lks_model_open(m, path);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, command, NULL);
}

lks_err lks_cli_open_vocabulary(lks_gguf **file, lks_tokenizer **tokenizer, const char *path)
{
    *tokenizer = NULL;
    lks_cut_off_name(path);
    lks_err err = lks_gguf_open(file, path);
    if (err != LKS_OK) {
        return err;
    }
    err = lks_tokenizer_open(tokenizer, *file);
    return err == LKS_OK ? LKS_OK : lks_fail_in(err, "%s", path);
}

int lks_policy_check(const lks_policy_args *p, const char *command)
{
    const lks_policy policy = {.temperature = p->temperature, .min_p = p->min_p};
    lks_sampling decoded;
    if (p->greedy && p->temperature_given && p->temperature != 0) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: --greedy and --temperature exclude each other; give one of them",
                            command);
    }
    if (lks_policy_decode(&decoded, &policy, 0) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s; see lockstep %s --help", command,
                            lks_error_message(), command);
    }
    if (p->temperature == 0 && p->min_p_given) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: --min-p does nothing without a --temperature above 0; give one, "
                            "or leave --min-p out",
                            command);
    }
    if (p->allow != NULL && p->allow_ids != NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: --allow and --allow-ids exclude each other; give one of them",
                            command);
    }
    return LKS_PARSED;
}

/* Appends what text encodes to, for a message: "[82, 305]"; cut at size. */
static void list_ids(char *out, size_t size, const lks_tokens *ids)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ids->count && n + 16 < size; i++) {
        n += (size_t)snprintf(out + n, size - n, "%s%u", i == 0 ? "" : ", ", ids->ids[i]);
    }
}

static int allow_text(lks_policy_args *p, const char *command, const lks_tokenizer *t,
                      const char *word)
{
    lks_tokens ids = {0};
    char list[128];
    int code = LKS_PARSED;
    lks_err err = lks_tokenizer_encode(t, word, strlen(word), false, false, &ids);
    if (err == LKS_OK && ids.count != 1) {
        list_ids(list, sizeof list, &ids);
        code = lks_cli_fail(LKS_EXIT_USAGE,
                            "%s: --allow: '%s' is %zu tokens of this model (%s), an allowed text "
                            "must be one; choose another text",
                            command, word, ids.count, list);
    } else if (err == LKS_OK) {
        err = lks_tokens_push(&p->allowed, ids.ids[0]);
    }
    free(ids.ids);
    return err == LKS_OK ? code : lks_cli_fail_file(err, "--allow", NULL);
}

static int allow_texts(lks_policy_args *p, const char *command, const lks_tokenizer *t)
{
    int code = LKS_PARSED;
    char *copy = strdup(p->allow);
    if (copy == NULL) {
        return lks_cli_fail(LKS_EXIT_INTERNAL, "%s: out of memory", command);
    }
    for (char *rest = copy; code == LKS_PARSED && rest != NULL;) {
        const char *word = strsep(&rest, ",");
        code = allow_text(p, command, t, word);
    }
    free(copy);
    return code;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int lks_policy_resolve(lks_policy_args *p, const char *command, const lks_tokenizer *t)
{
    const char *option = p->allow != NULL ? "--allow" : "--allow-ids";
    uint32_t *ids;
    if (p->allow != NULL) {
        int code = allow_texts(p, command, t);
        if (code != LKS_PARSED) {
            return code;
        }
    } else if (p->allow_ids != NULL && lks_parse_id_list(&p->allowed, p->allow_ids) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: --allow-ids: %s", command, lks_error_message());
    }
    ids = p->allowed.ids;
    if (p->allowed.count > 1) {
        qsort(ids, p->allowed.count, sizeof ids[0], by_id);
    }
    for (size_t i = 0; i < p->allowed.count; i++) {
        if (i > 0 && ids[i] == ids[i - 1]) {
            return lks_cli_fail(LKS_EXIT_USAGE,
                                "%s: %s: token %u is twice in the list; leave one out", command,
                                option, ids[i]);
        }
        if (t != NULL && ids[i] >= lks_tokenizer_vocab_size(t)) {
            return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s: %u is outside the vocabulary of %u tokens",
                                command, option, ids[i], lks_tokenizer_vocab_size(t));
        }
    }
    return LKS_PARSED;
}

int lks_prompt_encode(lks_tokens *ids, const lks_model *m, const char *command, const char *text,
                      bool raw)
{
    char *read = NULL;
    size_t len = strlen(text);
    lks_err err = LKS_OK;
    if (strcmp(text, "-") == 0) {
        err = lks_read_all(&read, &len, "-", LKS_MAX_INPUT);
        if (err != LKS_OK) {
            return lks_cli_fail_file(err, "standard input", NULL);
        }
        len -= len > 0 && read[len - 1] == '\n';
        text = read;
    }
    if (len == 0) {
        free(read);
        return lks_cli_fail(
            LKS_EXIT_USAGE,
            "%s: the prompt is empty; give one as an argument, or on standard input with -",
            command);
    }
    if (raw) {
        err = lks_tokenizer_encode(m->tokenizer, text, len, true, true, ids);
    } else {
        err = lks_chat_encode(m->tokenizer, m->file, text, len, ids);
    }
    free(read);
    if (err != LKS_OK) {
        return lks_cli_fail_file(err, "prompt",
                                 err == LKS_REFUSED && !raw
                                     ? "give the whole prompt yourself with --raw"
                                     : NULL);
    }
    return LKS_PARSED;
}
