/* lockstep model import: the file whose bytes are committed. */
#include "oracle/cli/cli.h"
#include "oracle/cli/cut_off.h"
#include "oracle/cli/options.h"
#include "oracle/cli/output.h"
#include "oracle/cli/progress.h"
#include "oracle/gguf/import.h"

#include <stdio.h>
#include <sys/stat.h>

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    lks_progress_update(user, done, total);
}

static int print_result(const lks_import_result *result, const char *out_path, bool json)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    if (!json) {
        printf("%s: %u tensors quantised to Q8_0, %u copied\n", out_path, result->converted,
               result->kept);
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&w);
    lks_json_member_text(&w, "file", out_path);
    lks_json_member_u64(&w, "converted", result->converted);
    lks_json_member_u64(&w, "kept", result->kept);
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

int lks_cmd_model_import(int argc, char **argv)
{
    bool json = false, force = false, forced_progress = false;
    char **args;
    int arg_count;
    struct stat existing;
    const lks_option options[] = {
        {.name = "force",
         .letter = 'f',
         .kind = LKS_OPT_FLAG,
         .out = &force,
         .help = "replace OUT when it exists"},
        {.name = "json", .kind = LKS_OPT_FLAG, .out = &json, .help = "one line of JSON"},
        {.name = "progress",
         .kind = LKS_OPT_FLAG,
         .out = &forced_progress,
         .help = "show progress even if standard error is not a terminal"},
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] IN OUT",
        .about = "Writes OUT from the GGUF file IN: matrices of F32, F16 and BF16 become Q8_0,\n"
                 "everything else is copied. A file without such matrices needs no import.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 2,
        .max_args = 2};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    if (!force && lstat(args[1], &existing) == 0) {
        return lks_cli_fail(LKS_EXIT_INPUT,
                            "%s: exists already; choose another name, or replace it with --force",
                            args[1]);
    }
    lks_gguf *in;
    lks_cut_off_name(args[0]);
    lks_err err = lks_gguf_open(&in, args[0]);
    if (err != LKS_OK) {
        return lks_cli_fail_file(err, args[0], NULL);
    }
    lks_import_result result;
    lks_progress progress;
    lks_progress_begin(&progress, "importing", forced_progress);
    err = lks_import(in, args[1], show_progress, &progress, &result);
    lks_progress_end(&progress);
    code = err == LKS_OK ? print_result(&result, args[1], json)
                         : lks_cli_fail_file(err, err == LKS_IO ? args[1] : args[0], NULL);
    lks_gguf_close(in);
    return code;
}
