/* Chat templates, told apart by marks in tokenizer.chat_template. What each makes of one user
 * message M, S being its default system message (control tokens in angle brackets; BOS where the
 * file or the template asks for it):
 *
 *   ChatML    [<|im_start|> "system\nS" <|im_end|> "\n"] <|im_start|> "user\nM" <|im_end|> "\n"
 * <|im_start|> "assistant\n" Llama 3   [<|start_header_id|> "system" <|end_header_id|> "\n\nS"
 * <|eot_id|>] <|start_header_id|> "user" <|end_header_id|> "\n\nM"
 *             <|eot_id|> <|start_header_id|> "assistant" <|end_header_id|> "\n\n"
 *   Llama 2   "[INST] M [/INST]"
 *   Mistral   v1 " [INST] M [/INST]", v3 "[INST] M[/INST]", v3 of Tekken "[INST]M[/INST]"
 */
#include "oracle/text/chat.h"

#include <stdlib.h>
#include <string.h>

#define TEMPLATE_LIMIT                                                                             \
    65536 /* bytes; real ones have a few thousand, and reading one may take time quadratic in it   \
           */

static const char unknown[] =
    "this version does not know the file's chat template: give the prompt as it is";

/* A growing piece of ordinary text, encoded when a control token ends it. */
typedef struct writer {
    const lks_tokenizer *t;
    lks_tokens *out;
    char *text;
    size_t len, capacity;
    lks_err err; /* the first failure; later calls do nothing */
} writer;

static void put(writer *w, const char *text, size_t len)
{
    if (w->err)
        return;
    if (len > w->capacity - w->len) {
        size_t capacity = 2 * (w->len + len) + 64;
        char *grown = realloc(w->text, capacity);
        if (!grown) {
            w->err = lks_fail(LKS_NOMEM, "out of memory for a message of %zu bytes", len);
            return;
        }
        w->text = grown;
        w->capacity = capacity;
    }
    if (len)
        memcpy(w->text + w->len, text, len);
    w->len += len;
}

static void put_text(writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void flush(writer *w)
{
    if (!w->err && w->len)
        w->err = lks_tokenizer_encode(w->t, w->text, w->len, false, false, w->out);
    w->len = 0;
}

/* A control token, which must be one: of a user-defined token a message could write the text. */
static void put_control(writer *w, const char *text)
{
    flush(w);
    if (w->err)
        return;
    uint32_t id = lks_tokenizer_find_special(w->t, text);
    const char *piece;
    if (id == LKS_TOKEN_NONE || lks_tokenizer_piece(w->t, id, false, &piece) != 0)
        w->err = lks_fail(LKS_REFUSED,
                          "the chat template uses %s, which is no control token of the vocabulary",
                          text);
    else
        w->err = lks_tokens_push(w->out, id);
}

/* Mistral's newer vocabularies have it as a control token, the others as ordinary text. */
static void put_mark(writer *w, const char *text)
{
    if (lks_tokenizer_find_special(w->t, text) == LKS_TOKEN_NONE)
        put_text(w, text);
    else
        put_control(w, text);
}

static void put_bos(writer *w, bool template_has_it)
{
    uint32_t bos = lks_tokenizer_bos(w->t);
    if (w->err || (!template_has_it && !lks_tokenizer_adds_bos(w->t)))
        return;
    if (bos == LKS_TOKEN_NONE)
        w->err = lks_fail(LKS_REFUSED,
                          "the chat template begins with BOS, and the file names no BOS token");
    else
        w->err = lks_tokens_push(w->out, bos);
}

static const char *find(lks_gguf_string s, const char *mark)
{
    return memmem(s.data, s.len, mark, strlen(mark));
}

static bool has(lks_gguf_string s, const char *mark)
{
    return find(s, mark) != NULL;
}

/* Copies a literal of the template into *system, up to <|im_end|>. *p is behind
 * "<|im_start|>system"; quote ends the literal: ' or ", within which backslashes escape, or the {
 * that ends text outside of expressions. Returns: whether the literal goes that far. Out: *p, where
 * it ended. */
static bool copy_system(writer *system, const char **p, const char *end, char quote)
{
    static const char stop[] = "<|im_end|>";
    bool newline = false; /* the one that follows the role */
    system->len = 0;
    for (; *p < end && **p != quote; ++*p) {
        if ((size_t)(end - *p) >= sizeof stop - 1 && memcmp(*p, stop, sizeof stop - 1) == 0)
            return newline;
        char c = **p;
        if (c == '\\' && quote != '{' && *p + 1 < end) {
            ++*p;
            c = **p == 'n' ? '\n' : **p;
        }
        if (newline)
            put(system, &c, 1);
        else if (c == '\n')
            newline = true;
        else
            return false;
    }
    return false;
}

/* Whether the template's last statement before p, "{% ... %}", asks for tools: what follows it is
 * not for us. */
static bool is_for_tools(lks_gguf_string template, const char *p)
{
    while (p > template.data && memcmp(p, "{%", 2) != 0)
        p--;
    const char *close = memmem(p, (size_t)(template.data + template.len - p), "%}", 2);
    return close && memmem(p, (size_t)(close - p), "if tools", 8);
}

/* ChatML's default system message: the first system turn that the template holds as one literal;
 * empty when there is none. Turns of a given message ("...system\n' + messages[0]...") and those
 * for tools do not count. Fails when one is put together in another way. */
static void find_system(writer *system, lks_gguf_string template)
{
    static const char mark[] = "<|im_start|>system";
    const char *end = template.data + template.len, *p;
    for (const char *at = template.data;
         (at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)); at++) {
        char before = at > template.data ? at[-1] : '}';
        p = at + sizeof mark - 1;
        if (copy_system(system, &p, end, before == '\'' || before == '"' ? before : '{') ||
            system->err)
            return;
        system->len = 0;
        for (p++; p < end && (*p == ' ' || *p == '-'); p++)
            ;
        if (p >= end || *p != '+')
            if (!is_for_tools(template, at)) {
                system->err = lks_fail(LKS_REFUSED, "%s", unknown);
                return;
            }
    }
}

static void chatml(writer *w, lks_gguf_string template, const char *message, size_t len)
{
    writer system = {0};
    find_system(&system, template);
    w->err = system.err;
    put_bos(w, has(template, "bos_token"));
    if (system.len > 0) {
        put_control(w, "<|im_start|>");
        put_text(w, "system\n");
        put(w, system.text, system.len);
        put_control(w, "<|im_end|>");
        put_text(w, "\n");
    }
    put_control(w, "<|im_start|>");
    put_text(w, "user\n");
    put(w, message, len);
    put_control(w, "<|im_end|>");
    put_text(w, "\n");
    put_control(w, "<|im_start|>");
    put_text(w, "assistant\n");
    free(system.text);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ASCII white space at both ends. */
static void trim(const char **text, size_t *len)
{
    while (*len > 0 && is_space(**text)) {
        ++*text;
        --*len;
    }
    while (*len > 0 && is_space((*text)[*len - 1]))
        --*len;
}

static void llama3_turn(writer *w, const char *role, const char *text, size_t len)
{
    put_control(w, "<|start_header_id|>");
    put_text(w, role);
    put_control(w, "<|end_header_id|>");
    put_text(w, "\n\n");
    put(w, text, len);
}

/* From 3.1 on the system turn has a date; it is the template's own, not today's: the ids must not
 * depend on the day. */
static void llama3(writer *w, lks_gguf_string template, const char *message, size_t len)
{
    static const char dated[] =
        "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
    put_bos(w, true);
    if (has(template, "Cutting Knowledge Date: December 2023") && has(template, "26 Jul 2024")) {
        llama3_turn(w, "system", dated, sizeof dated - 1);
        put_control(w, "<|eot_id|>");
    } else if (has(template, "<|start_header_id|>system") ||
               has(template, "Cutting Knowledge Date")) {
        w->err = lks_fail(LKS_REFUSED, "%s", unknown);
    }
    trim(&message, &len);
    llama3_turn(w, "user", message, len);
    put_control(w, "<|eot_id|>");
    llama3_turn(w, "assistant", "", 0);
}

static void inst(writer *w, const char *before, const char *open, const char *message, size_t len,
                 const char *close)
{
    put_bos(w, true);
    put_text(w, before);
    put_mark(w, "[INST]");
    put_text(w, open);
    put(w, message, len);
    put_text(w, close);
    put_mark(w, "[/INST]");
}

static void llama2(writer *w, lks_gguf_string template, const char *message, size_t len)
{
    if (has(template, "content.strip()") || has(template, "| trim"))
        trim(&message, &len);
    if (has(template, "system_message = '") && !has(template, "false == true"))
        w->err = lks_fail(LKS_REFUSED, "the chat template has a default system message in a form "
                                       "that this version does not know");
    inst(w, "", " ", message, len, " ");
}

static void mistral(writer *w, lks_gguf_string template, const char *message, size_t len)
{
    if (has(template, " [INST]"))
        inst(w, " ", " ", message, len, " ");
    else if (has(template, "\"[INST]\""))
        inst(w, "", "", message, len, "");
    else
        inst(w, "", " ", message, len, "");
}

lks_err lks_chat_encode(const lks_tokenizer *t, const lks_gguf *g, const char *message, size_t len,
                        lks_tokens *out)
{
    lks_gguf_string template;
    if (!lks_gguf_find(g, "tokenizer.chat_template"))
        return lks_fail(LKS_REFUSED, "the file has no chat template: give the prompt as it is");
    lks_err err = lks_gguf_get_string(g, "tokenizer.chat_template", &template);
    if (err)
        return err;
    if (template.len > TEMPLATE_LIMIT)
        return lks_fail(LKS_REFUSED, "%s", unknown);
    size_t count_before = out->count;
    writer w = {.t = t, .out = out};
    if (has(template, "<|im_start|>")) {
        if (!has(template, "<|im_end|>") || has(template, "<|im_sep|>") ||
            has(template, "<end_of_utterance>") || has(template, "<think>") ||
            has(template, "strftime_now"))
            return lks_fail(LKS_REFUSED, "%s", unknown);
        chatml(&w, template, message, len);
    } else if (has(template, "<|start_header_id|>") && has(template, "<|eot_id|>")) {
        llama3(&w, template, message, len);
    } else if (has(template, "[INST]") && !has(template, "[SYSTEM_PROMPT]")) {
        if (has(template, "' [INST] ' + system_message") || has(template, "[AVAILABLE_TOOLS]"))
            mistral(&w, template, message, len);
        else
            llama2(&w, template, message, len);
    } else {
        return lks_fail(LKS_REFUSED, "%s", unknown);
    }
    flush(&w);
    free(w.text);
    if (w.err)
        out->count = count_before;
    return w.err;
}
