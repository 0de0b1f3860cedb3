/* lockstep model info: everything that a model id is made of. */
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/file_hash.h"
#include "oracle/cli/output.h"
#include "oracle/cli/policy.h"
#include "oracle/cli/progress.h"
#include "oracle/text/chat.h"
#include "oracle/trace/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define OPCODES (LKS_OP_SAMPLE + 1)

typedef struct info {
    const char *path;
    bool json, verbose, progress;
    lks_model model;
    lks_model_commitment commitment;
    uint8_t sha256[32];
    uint64_t file_size;
    bool has_chat;
    uint32_t ops_of[OPCODES];
    uint64_t weights, weight_bytes;
} info;

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    lks_progress_update(user, done, total);
}

static int gather(info *in)
{
    lks_progress progress;
    lks_tokens ids = {0};
    const lks_program *p = &in->model.program;
    lks_progress_begin(&progress, "hashing the file", in->progress);
    lks_err err = lks_file_sha256(in->sha256, &in->file_size, in->path, show_progress, &progress);
    if (err == LKS_OK) {
        progress.label = "hashing the model";
        err = lks_commitment_make(&in->commitment, &in->model, show_progress, &progress);
    }
    lks_progress_end(&progress);
    if (err != LKS_OK) {
        return lks_cli_fail_file(err, in->path, NULL);
    }
    in->has_chat = lks_chat_encode(in->model.tokenizer, in->model.file, "x", 1, &ids) == LKS_OK;
    free(ids.ids);
    for (uint32_t i = 0; i < p->op_count; i++) {
        in->ops_of[p->ops[i].code < OPCODES ? p->ops[i].code : LKS_OP_INVALID]++;
    }
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        const lks_gguf_tensor *t = p->tensors[i];
        in->weights += t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
        in->weight_bytes += t->size;
    }
    return LKS_PARSED;
}

static void print_hash(const char *label, const uint8_t hash32[32])
{
    char text[LKS_HEX_SIZE(32)];
    lks_hex_encode(text, hash32, 32);
    printf("%-20s %s\n", label, text);
}

static void print_string(const char *label, const lks_gguf *g, const char *key)
{
    lks_gguf_string s;
    if (lks_gguf_get_string(g, key, &s) == LKS_OK) {
        printf("%-20s ", label);
        lks_out_safe(s.data, s.len);
        putchar('\n');
    }
}

static void print_tensors(const info *in)
{
    const lks_program *p = &in->model.program;
    printf("\ntensors, in the program's order:\n");
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        const lks_gguf_tensor *t = p->tensors[i];
        printf("%5" PRIu32 "  %-5s %7" PRIu64 " x %-7" PRIu64 " %12" PRIu64 "  ", i,
               lks_tensor_type_name(t->type), t->dims[1], t->dims[0], t->size);
        lks_out_safe(t->name.data, t->name.len);
        putchar('\n');
    }
}

static int print_text(const info *in)
{
    const lks_model_commitment *c = &in->commitment;
    print_hash("model id", c->model_id);
    printf("%-20s %s\n", "file", in->path);
    printf("%-20s %" PRIu64 " bytes\n", "file size", in->file_size);
    print_hash("file sha256", in->sha256);
    print_string("name", in->model.file, "general.name");
    print_string("architecture", in->model.file, "general.architecture");
    printf("%-20s %" PRIu64 " in %" PRIu64 " bytes\n", "weights", in->weights, in->weight_bytes);
    printf("%-20s %s\n", "chat template",
           in->has_chat ? "known" : "none that this version knows: use --raw");
    printf("\nThe commitment:\n%-20s %" PRIu32 "\n", "arithmetic version", c->arithmetic_version);
    print_hash("weights root", c->weights_root);
    print_hash("program root", c->program_root);
    print_hash("tokenizer hash", c->tokenizer_hash);
    print_hash("RoPE table root", c->rope_root);
    printf("%-20s %" PRIu32 "\n%-20s %" PRIu32 "\n%-20s %" PRIu32 "\n", "operations", c->op_count,
           "tensors", c->tensor_count, "sampler operation", c->sampler_op);
    printf("%-20s %" PRIu32 "\n%-20s %" PRIu32 "\n%-20s %" PRIu32 "\n%-20s", "vocabulary",
           c->vocab_size, "context length", c->context_length, "positions", c->max_positions,
           "end-of-sequence ids");
    for (uint32_t i = 0; i < c->eos_count; i++) {
        printf(" %" PRIu32, c->eos_ids[i]);
    }
    printf("\n\nThe program:\n");
    for (int code = 0; code < OPCODES; code++) {
        if (in->ops_of[code] > 0) {
            printf("%-20s %" PRIu32 "\n", lks_op_name((lks_opcode)code), in->ops_of[code]);
        }
    }
    if (in->verbose) {
        print_tensors(in);
    }
    return lks_cli_finish(LKS_EXIT_OK);
}

static void json_tensors(lks_json_writer *w, const lks_program *p)
{
    lks_json_put_name(w, "tensorList");
    lks_json_begin_array(w);
    for (uint32_t i = 0; i < p->tensor_count; i++) {
        const lks_gguf_tensor *t = p->tensors[i];
        lks_json_begin_object(w);
        lks_json_put_name(w, "name");
        lks_json_put_string(w, t->name.data, t->name.len);
        lks_json_member_text(w, "type", lks_tensor_type_name(t->type));
        lks_json_member_u64(w, "rows", t->dims[1]);
        lks_json_member_u64(w, "columns", t->dims[0]);
        lks_json_member_u64(w, "bytes", t->size);
        lks_json_end_object(w);
    }
    lks_json_end_array(w);
}

static void json_commitment(lks_json_writer *w, const lks_model_commitment *c)
{
    lks_json_put_name(w, "commitment");
    lks_json_begin_object(w);
    lks_json_member_u64(w, "arithmeticVersion", c->arithmetic_version);
    lks_json_member_data(w, "weightsRoot", c->weights_root, 32);
    lks_json_member_data(w, "programRoot", c->program_root, 32);
    lks_json_member_data(w, "tokenizerHash", c->tokenizer_hash, 32);
    lks_json_member_data(w, "ropeRoot", c->rope_root, 32);
    lks_json_member_u64(w, "opCount", c->op_count);
    lks_json_member_u64(w, "tensorCount", c->tensor_count);
    lks_json_member_u64(w, "samplerOp", c->sampler_op);
    lks_json_member_u64(w, "vocabSize", c->vocab_size);
    lks_json_member_u64(w, "contextLength", c->context_length);
    lks_json_member_u64(w, "maxPositions", c->max_positions);
    lks_json_member_ids(w, "eosIds", c->eos_ids, c->eos_count);
    lks_json_end_object(w);
}

static int print_json(const info *in)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_json_begin_object(&w);
    lks_json_member_data(&w, "modelId", in->commitment.model_id, 32);
    lks_json_member_text(&w, "file", in->path);
    lks_json_member_u64(&w, "fileSize", in->file_size);
    lks_json_member_data(&w, "fileSha256", in->sha256, 32);
    json_commitment(&w, &in->commitment);
    lks_json_member_u64(&w, "weights", in->weights);
    lks_json_member_u64(&w, "weightBytes", in->weight_bytes);
    lks_json_put_name(&w, "chatTemplateKnown");
    lks_json_put_bool(&w, in->has_chat);
    lks_json_put_name(&w, "operations");
    lks_json_begin_object(&w);
    for (int code = 0; code < OPCODES; code++) {
        if (in->ops_of[code] > 0) {
            lks_json_member_u64(&w, lks_op_name((lks_opcode)code), in->ops_of[code]);
        }
    }
    lks_json_end_object(&w);
    if (in->verbose) {
        json_tensors(&w, &in->model.program);
    }
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

int lks_cmd_model_info(int argc, char **argv)
{
    info in = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "verbose",
         .letter = 'v',
         .kind = LKS_OPT_FLAG,
         .out = &in.verbose,
         .help = "also every tensor"},
        {.name = "json", .kind = LKS_OPT_FLAG, .out = &in.json, .help = "one line of JSON"},
        {.name = "progress",
         .kind = LKS_OPT_FLAG,
         .out = &in.progress,
         .help = "show progress even if standard error is not a terminal"},
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] FILE",
        .about = "Shows a model file's commitment: its model id, every part that the id hashes,\n"
                 "and the program.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 1,
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    in.path = args[0];
    code = lks_cli_open_model(&in.model, argv[0], in.path);
    if (code == LKS_PARSED) {
        code = gather(&in);
    }
    if (code == LKS_PARSED) {
        code = in.json ? print_json(&in) : print_text(&in);
    }
    lks_model_close(&in.model);
    return code;
}
