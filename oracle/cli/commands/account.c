/* lockstep account new, lockstep account list. */
#include "oracle/cli/account.h"
#include "chain/address.h"
#include "chain/keystore.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/output.h"
#include "oracle/cli/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void account_json(lks_json_writer *w, const uint8_t address20[20], const char *path)
{
    lks_json_begin_object(w);
    lks_json_member_address(w, "address", address20);
    lks_json_member_text(w, "file", path);
    lks_json_end_object(w);
}

/* The address alone on standard output, for scripts; where its key is goes to standard error. */
static int print_new(const uint8_t address20[20], const char *path, bool json)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    char text[LKS_ADDRESS_SIZE];
    if (json) {
        account_json(&w, address20, path);
        return lks_out_json(&out, LKS_EXIT_OK);
    }
    lks_address_format(text, address20);
    puts(text);
    int code = lks_cli_finish(LKS_EXIT_OK);
    fprintf(stderr, "lockstep: the key is in %s\n", path);
    return code;
}

/* The default keystore lies in a folder of its own, which may not be there yet. A failure shows
 * when the key file is written. */
static void make_parent(const char *directory)
{
    char *parent = strdup(directory);
    char *slash = parent != NULL ? strrchr(parent, '/') : NULL;
    if (slash != NULL && slash != parent) {
        *slash = '\0';
        (void)mkdir(parent, 0700);
    }
    free(parent);
}

static int create(const char *command, const char *directory, const lks_password *password,
                  lks_keystore_cost cost, bool json)
{
    uint8_t key[32], address[20];
    lks_signer *signer = NULL;
    lks_buf path = {0};
    lks_err err = lks_key_generate(key);
    if (err == LKS_OK) {
        err = lks_signer_new(&signer, key);
    }
    if (err == LKS_OK) {
        make_parent(directory);
        memcpy(address, lks_signer_address(signer), sizeof address);
        err = lks_keystore_create(&path, directory, key, password->bytes, password->len, cost);
    }
    lks_wipe(key, sizeof key);
    lks_signer_free(signer);
    int code = err == LKS_OK ? print_new(address, lks_buf_text(&path), json)
                             : lks_cli_fail_file(err, command, NULL);
    lks_buf_free(&path);
    return code;
}

int lks_cmd_account_new(int argc, char **argv)
{
    lks_account_args account = {0};
    bool light = false, json = false;
    char **args;
    int arg_count;
    const lks_option options[] = {
        LKS_KEYSTORE_OPTION(account),
        LKS_PASSWORD_OPTION(account),
        {.name = "light",
         .kind = LKS_OPT_FLAG,
         .out = &light,
         .help = "weak but fast key derivation, for keys of a test network only"},
        {.name = "json", .kind = LKS_OPT_FLAG, .out = &json, .help = "one line of JSON"},
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS]",
        .about = "Makes a new key, encrypts it into a file of the keystore directory and prints\n"
                 "its address. If you lose the file or its password, you lose the account.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_buf directory = {0};
    lks_password password;
    code = lks_account_keystore(&directory, &account, argv[0]);
    if (code == LKS_PARSED) {
        code = lks_password_read(&password, argv[0],
                                 lks_cli_setting(account.password_file, "LOCKSTEP_PASSWORD_FILE"),
                                 "Password of the new account: ", true);
    }
    if (code == LKS_PARSED) {
        code = create(argv[0], lks_buf_text(&directory), &password,
                      light ? LKS_KEYSTORE_LIGHT : LKS_KEYSTORE_STANDARD, json);
        lks_password_wipe(&password);
    }
    lks_buf_free(&directory);
    return code;
}

static int print_list(const lks_keystore_entry *entries, size_t count, bool json)
{
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    if (!json) {
        for (size_t i = 0; i < count; i++) {
            char text[LKS_ADDRESS_SIZE];
            lks_address_format(text, entries[i].address);
            printf("%s  %s\n", text, entries[i].path);
        }
        return lks_cli_finish(LKS_EXIT_OK);
    }
    lks_json_begin_array(&w);
    for (size_t i = 0; i < count; i++) {
        account_json(&w, entries[i].address, entries[i].path);
    }
    lks_json_end_array(&w);
    return lks_out_json(&out, LKS_EXIT_OK);
}

int lks_cmd_account_list(int argc, char **argv)
{
    lks_account_args account = {0};
    bool json = false;
    char **args;
    int arg_count;
    const lks_option options[] = {
        LKS_KEYSTORE_OPTION(account),
        {.name = "json", .kind = LKS_OPT_FLAG, .out = &json, .help = "one line of JSON"},
    };
    const lks_usage usage = {.synopsis = "[OPTIONS]",
                             .about =
                                 "Lists the accounts of the keystore directory, oldest first.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof options[0]};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_buf directory = {0};
    lks_keystore_entry *entries = NULL;
    size_t count = 0;
    code = lks_account_keystore(&directory, &account, argv[0]);
    if (code == LKS_PARSED) {
        lks_err err = lks_keystore_list(&entries, &count, lks_buf_text(&directory));
        code = err == LKS_OK
                   ? print_list(entries, count, json)
                   : lks_cli_fail_file(err, argv[0], "make an account with lockstep account new");
    }
    lks_keystore_list_free(entries, count);
    lks_buf_free(&directory);
    return code;
}
