/* lockstep model register: puts a model's commitment on chain, so that requests can name it. */
#include "chain/hex.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/file_hash.h"
#include "oracle/cli/model_id.h"
#include "oracle/cli/output.h"
#include "oracle/cli/policy.h"
#include "oracle/cli/send.h"
#include "oracle/dispute/game.h"

#include <stdio.h>
#include <string.h>

typedef struct registration {
    const char *path, *uri;
    lks_chain_args chain;
    lks_account_args account;
    lks_link link;
    lks_model_commitment commitment;
    uint8_t sha256[32];
    bool known;
    lks_sent sent;
} registration;

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    lks_progress_update(user, done, total);
}

/* Derives everything from the file; no chain yet. */
static int derive(registration *r)
{
    lks_model model;
    lks_progress progress;
    uint64_t size;
    int code = lks_cli_open_model(&model, "model register", r->path);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_progress_begin(&progress, "hashing the file", r->chain.progress);
    lks_err err = lks_file_sha256(r->sha256, &size, r->path, show_progress, &progress);
    code = err == LKS_OK ? lks_model_commit(&r->commitment, &model, r->path, &progress)
                         : lks_cli_fail_file(err, r->path, NULL);
    lks_progress_end(&progress);
    lks_model_close(&model);
    return code;
}

static int register_model(registration *r)
{
    lks_buf call = {0};
    lks_err err = lks_model_is_registered(&r->known, &r->link, r->commitment.model_id);
    if (err)
        return lks_link_fail(&r->link, err, NULL);
    if (r->known && r->uri == NULL)
        return LKS_PARSED;
    const lks_u256 nothing = {{0}};
    err = lks_call_register(&call, &r->commitment, r->sha256, r->uri != NULL ? r->uri : "");
    return lks_send(&r->link, &r->sent, "register", r->link.contracts.registry, &nothing, &call,
                    err);
}

static int print_result(const registration *r)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    char id[LKS_HEX_SIZE(32)];
    bool sent = r->sent.what != NULL;
    if (!r->chain.json) {
        lks_hex_encode(id, r->commitment.model_id, 32);
        puts(id);
        if (sent) {
            lks_sent_tell(&r->sent);
        } else {
            fprintf(stderr, "lockstep: model register: registered already; --uri announces another "
                            "place of the file\n");
        }
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_object(&w);
    lks_json_member_data(&w, "modelId", r->commitment.model_id, 32);
    lks_json_put_name(&w, "registeredBefore");
    lks_json_put_bool(&w, r->known);
    lks_json_put_name(&w, "transactions");
    lks_json_begin_array(&w);
    if (sent) {
        lks_sent_json(&w, &r->sent);
    }
    lks_json_end_array(&w);
    lks_json_end_object(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

int lks_cmd_model_register(int argc, char **argv)
{
    registration r = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "uri",
         .kind = LKS_OPT_TEXT,
         .out = &r.uri,
         .value = "URI",
         .help = "where others can get the file"},
        LKS_CHAIN_OPTIONS(r.chain),
        LKS_ACCOUNT_OPTIONS(r.account),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] FILE",
        .about = "Registers the commitment of a model file and prints its model id. Anybody may\n"
                 "do so, any number of times: it records nothing but properties of the file.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .min_args = 1,
        .max_args = 1};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    r.path = args[0];
    code = derive(&r);
    if (code != LKS_PARSED) {
        return code;
    }
    code = lks_link_open(&r.link, &r.chain, &r.account, argv[0]);
    if (code == LKS_PARSED) {
        code = register_model(&r);
    }
    if (code == LKS_PARSED) {
        code = print_result(&r);
    }
    lks_sent_free(&r.sent);
    lks_link_close(&r.link);
    return code;
}
