/* lockstep run: an answer on this machine, with the bits of every operator's. */
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"
#include "oracle/cli/policy.h"
#include "oracle/cli/progress.h"
#include "oracle/engine/generate.h"
#include "oracle/trace/trace.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TOKENS 256u

static atomic_bool interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    atomic_store(&interrupted, true);
}

typedef struct run {
    const char *model_path, *prompt;
    lks_policy_args policy;
    uint32_t max_tokens, threads, batch;
    bool max_given, json, quiet, progress, trace;
    lks_model model;
    lks_tokens ids;
    uint32_t *tokens;
    uint32_t count;
    lks_trace *made; /* --trace */
    lks_utf8 text;
    lks_progress wait;
    double started, first, last; /* of the tokens; seconds */
} run;

static int on_token(void *user, uint32_t id)
{
    run *r = user;
    const char *piece;
    r->last = lks_now();
    if (r->first == 0) {
        r->first = r->last;
        lks_progress_end(&r->wait);
    }
    if (!r->json) {
        size_t len = lks_tokenizer_piece(r->model.tokenizer, id, false, &piece);
        lks_out_text(&r->text, piece, len);
    }
    return ferror(stdout);
}

/* Whether the last token ends the answer. */
static bool stopped(const run *r)
{
    uint32_t eos[LKS_MAX_EOS];
    size_t n = lks_tokenizer_eos(r->model.tokenizer, eos);
    for (size_t i = 0; i < n && r->count > 0; i++) {
        if (eos[i] == r->tokens[r->count - 1]) {
            return true;
        }
    }
    return false;
}

static double rate(double count, double seconds)
{
    return seconds > 0 ? count / seconds : 0;
}

/* The root of an operation's output over the whole answer. */
static void op_root(uint8_t root32[32], const run *r, uint32_t op)
{
    lks_shape shape;
    lks_trace_shape(&shape, r->made, op);
    lks_trace_node(root32, r->made, op, shape.height, 0);
}

static void trace_json(lks_json_writer *w, const run *r)
{
    uint8_t root[32];
    lks_json_put_name(w, "trace");
    lks_json_begin_array(w);
    for (uint32_t i = 0; i < r->model.program.op_count; i++) {
        op_root(root, r, i);
        lks_json_put_data(w, root, 32);
    }
    lks_json_end_array(w);
}

static void print_trace(const run *r)
{
    const lks_program *p = &r->model.program;
    uint8_t root[32];
    char text[LKS_HEX_SIZE(32)];
    for (uint32_t i = 0; i < p->op_count; i++) {
        op_root(root, r, i);
        lks_hex_encode(text, root, 32);
        printf("%5" PRIu32 "  %-18s %s\n", i, lks_op_name(p->ops[i].code), text);
    }
}

static int print_json(const run *r, const char *finish)
{
    lks_buf out = {0}, text = {0};
    lks_json_writer w = {.out = &out};
    float temperature, min_p;
    char seed[24];
    memcpy(&temperature, &r->policy.temperature, sizeof temperature);
    memcpy(&min_p, &r->policy.min_p, sizeof min_p);
    for (uint32_t i = 0; i < r->count; i++) {
        const char *piece;
        size_t len = lks_tokenizer_piece(r->model.tokenizer, r->tokens[i], false, &piece);
        lks_buf_put(&text, piece, len);
    }
    lks_json_begin_object(&w);
    lks_json_member_text(&w, "model", r->model_path);
    lks_json_member_ids(&w, "promptTokens", r->ids.ids, r->ids.count);
    lks_json_member_ids(&w, "tokens", r->tokens, r->count);
    lks_json_put_name(&w, "text");
    lks_json_put_string(&w, lks_buf_text(&text), text.len);
    lks_json_member_text(&w, "finish", finish);
    lks_json_member_f64(&w, "temperature", temperature);
    lks_json_member_f64(&w, "minP", min_p);
    snprintf(seed, sizeof seed, "%" PRIu64, r->policy.seed);
    lks_json_member_text(&w, "seed", seed);
    lks_json_member_ids(&w, "allowed", r->policy.allowed.ids, r->policy.allowed.count);
    lks_json_member_f64(&w, "promptSeconds", r->first - r->started);
    lks_json_member_f64(&w, "seconds", r->last - r->started);
    lks_json_member_f64(&w, "tokensPerSecond", rate(r->count - 1.0, r->last - r->first));
    if (r->trace) {
        trace_json(&w, r);
    }
    lks_json_end_object(&w);
    int code = lks_buf_error(&text) == LKS_OK
                   ? LKS_EXIT_OK
                   : lks_cli_fail(LKS_EXIT_INTERNAL, "run: out of memory");
    lks_buf_free(&text);
    return lks_out_json(&out, code);
}

/* Computes the answer again, as a challenger would. */
static lks_err make_trace(run *r, const lks_policy *policy)
{
    lks_run claim = {r->ids.ids, r->ids.count, r->tokens, r->count, *policy};
    lks_trace_options options = {.threads = r->threads, .cancel = &interrupted};
    lks_progress_note(&r->wait, "tracing %zu positions", r->ids.count + r->count - 1);
    return lks_trace_make(&r->made, &r->model, &claim, &options);
}

static int print_result(const run *r)
{
    const char *finish = stopped(r) ? "stop" : "length";
    if (r->json) {
        return print_json(r, finish);
    }
    if (r->trace) {
        print_trace(r);
    }
    if (!r->quiet) {
        fprintf(stderr,
                "lockstep: prompt of %zu tokens in %.2f s (%.1f tokens/s); answer of %u tokens, "
                "%.1f tokens/s; ended by %s\n",
                r->ids.count, r->first - r->started,
                rate((double)r->ids.count, r->first - r->started), r->count,
                rate(r->count - 1.0, r->last - r->first),
                strcmp(finish, "stop") == 0 ? "the model" : "the limit");
    }
    return lks_cli_finish(LKS_EXIT_OK);
}

static int answer(run *r)
{
    lks_policy policy = {.temperature = r->policy.temperature,
                         .min_p = r->policy.min_p,
                         .seed = r->policy.seed,
                         .allowed = r->policy.allowed.ids,
                         .allowed_count = r->policy.allowed.count};
    lks_generate_options options = {.threads = r->threads,
                                    .batch = r->batch,
                                    .on_token = on_token,
                                    .user = r,
                                    .cancel = &interrupted};
    signal(SIGINT, on_interrupt);
    r->text = lks_out_begin();
    r->started = lks_now();
    lks_progress_begin(&r->wait, "run", r->progress);
    lks_progress_note(&r->wait, "reading a prompt of %zu tokens", r->ids.count);
    lks_err err = lks_generate(&r->model, r->ids.ids, r->ids.count, &policy, r->max_tokens,
                               &options, r->tokens, &r->count);
    lks_progress_end(&r->wait);
    if (!r->json && r->count > 0) {
        lks_out_text_end(&r->text);
    }
    if (atomic_load(&interrupted)) {
        return lks_cli_fail(LKS_EXIT_INTERRUPTED, "run: interrupted after %u tokens", r->count);
    }
    if (ferror(stdout)) {
        return lks_cli_finish(LKS_EXIT_OK);
    }
    if (err == LKS_OK && r->trace) {
        err = make_trace(r, &policy);
        if (atomic_load(&interrupted)) {
            return lks_cli_fail(LKS_EXIT_INTERRUPTED, "run: interrupted while tracing");
        }
    }
    return err == LKS_OK ? print_result(r) : lks_cli_fail_file(err, "run", NULL);
}

/* The number of tokens to sample: at most what the model has positions for. */
static int set_limit(run *r)
{
    uint32_t positions = r->model.program.max_positions;
    if (r->ids.count > positions) {
        return lks_cli_fail(
            LKS_EXIT_INPUT,
            "run: the prompt has %zu tokens and the model %u positions; shorten the prompt",
            r->ids.count, positions);
    }
    uint32_t room = positions - (uint32_t)r->ids.count + 1;
    if (!r->max_given) {
        r->max_tokens = r->policy.allowed.count > 0 ? 1 : DEFAULT_TOKENS;
        r->max_tokens = r->max_tokens < room ? r->max_tokens : room;
    }
    if (r->max_tokens == 0) {
        return lks_cli_fail(LKS_EXIT_USAGE, "run: -n 0 leaves nothing to answer; give at least 1");
    }
    if (r->max_tokens > room) {
        return lks_cli_fail(LKS_EXIT_INPUT,
                            "run: a prompt of %zu tokens leaves room for %u in the model's %u "
                            "positions, not %u; shorten the prompt or lower -n",
                            r->ids.count, room, positions, r->max_tokens);
    }
    r->tokens = malloc(r->max_tokens * sizeof r->tokens[0]);
    return r->tokens != NULL ? LKS_PARSED : lks_cli_fail(LKS_EXIT_INTERNAL, "run: out of memory");
}

static int prepare(run *r)
{
    int code = lks_policy_check(&r->policy, "run");
    if (code == LKS_PARSED) {
        code = lks_cli_open_model(&r->model, "run", r->model_path);
    }
    if (code == LKS_PARSED) {
        code = lks_policy_resolve(&r->policy, "run", r->model.tokenizer);
    }
    if (code == LKS_PARSED) {
        code = lks_prompt_encode(&r->ids, &r->model, "run", r->prompt, r->policy.raw);
    }
    return code == LKS_PARSED ? set_limit(r) : code;
}

int lks_cmd_run(int argc, char **argv)
{
    run r = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = LKS_OPT_TEXT,
         .out = &r.model_path,
         .value = "FILE",
         .help = "the GGUF file"},
        {.name = "tokens",
         .letter = 'n',
         .kind = LKS_OPT_U32,
         .out = &r.max_tokens,
         .given = &r.max_given,
         .value = "N",
         .help = "at most N tokens (default 256; 1 with --allow)"},
        LKS_POLICY_OPTIONS(r.policy, "the seed used, as the Accepted event names it (default 0)"),
        {.name = "threads",
         .letter = 'j',
         .kind = LKS_OPT_U32,
         .out = &r.threads,
         .value = "N",
         .help = "threads (default: one per core)"},
        {.name = "batch",
         .kind = LKS_OPT_U32,
         .out = &r.batch,
         .value = "N",
         .help = "prompt positions per pass (default 512)"},
        {.name = "json",
         .kind = LKS_OPT_FLAG,
         .out = &r.json,
         .help = "one line of JSON with the token ids instead of text"},
        {.name = "trace",
         .kind = LKS_OPT_FLAG,
         .out = &r.trace,
         .help = "also the hash of every operation's output over the whole answer"},
        {.name = "quiet",
         .letter = 'q',
         .kind = LKS_OPT_FLAG,
         .out = &r.quiet,
         .help = "print no line about the speed"},
        {.name = "progress",
         .kind = LKS_OPT_FLAG,
         .out = &r.progress,
         .help = "show progress even if standard error is not a terminal"},
    };
    const lks_usage usage = {
        .synopsis = "-m FILE [OPTIONS] PROMPT",
        .about = "Answers PROMPT (- reads it from standard input) and streams the text. The\n"
                 "tokens depend on the model file, the prompt and the policy alone: not on\n"
                 "threads, batch, machine or build.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 1,
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    r.prompt = args[0];
    code = prepare(&r);
    if (code == LKS_PARSED) {
        code = answer(&r);
    }
    lks_trace_free(r.made);
    lks_model_close(&r.model);
    free(r.policy.allowed.ids);
    free(r.ids.ids);
    free(r.tokens);
    return code;
}
