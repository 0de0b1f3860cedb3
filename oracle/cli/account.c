#include "oracle/cli/account.h"

#include "chain/address.h"
#include "chain/keystore.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *lks_cli_setting(const char *option, const char *variable)
{
    const char *value = option != NULL ? option : getenv(variable);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int fail_key(lks_err err, const char *command, const char *hint)
{
    int code = lks_cli_fail_file(err, command, hint);
    return err == LKS_NOTFOUND ? LKS_EXIT_AUTH : code;
}

lks_err lks_account_default_keystore(lks_buf *path, const lks_account_args *a)
{
    const char *set = lks_cli_setting(a->keystore, "LOCKSTEP_KEYSTORE");
    const char *home = getenv("HOME");
    if (set == NULL && (home == NULL || *home == '\0')) {
        return lks_fail(LKS_NOTFOUND, "no keystore, and HOME is not set");
    }
    if (set != NULL) {
        lks_buf_put_text(path, set);
    } else {
        lks_buf_printf(path, "%s/.lockstep/keystore", home);
    }
    return lks_buf_error(path);
}

int lks_account_keystore(lks_buf *path, const lks_account_args *a, const char *command)
{
    lks_err err = lks_account_default_keystore(path, a);
    return err == LKS_OK ? LKS_PARSED : fail_key(err, command, "name one with --keystore");
}

/* The only key of the directory. */
static int only_key(lks_buf *path, const char *command, const char *directory)
{
    lks_keystore_entry *entries = NULL;
    size_t count = 0;
    int code = LKS_PARSED;
    lks_err err = lks_keystore_list(&entries, &count, directory);
    if (err != LKS_OK) {
        return fail_key(err, command, "make an account with lockstep account new");
    }
    if (count == 1) {
        lks_buf_put_text(path, entries[0].path);
    } else if (count == 0) {
        code = lks_cli_fail(LKS_EXIT_AUTH,
                            "%s: holds no key file; make an account with lockstep account new",
                            directory);
    } else {
        code = lks_cli_fail(LKS_EXIT_AUTH, "%s: holds %zu accounts; choose one with --account",
                            directory, count);
    }
    lks_keystore_list_free(entries, count);
    return code;
}

int lks_account_key_file(lks_buf *path, const lks_account_args *a, const char *command)
{
    lks_buf store = {0};
    struct stat info;
    uint8_t address[20];
    int code = LKS_PARSED;
    if (a->account != NULL && lks_address_parse(address, a->account) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: --account: %s", command, lks_error_message());
    }
    code = lks_account_keystore(&store, a, command);
    if (code != LKS_PARSED) {
        lks_buf_free(&store);
        return code;
    }
    const char *name = lks_buf_text(&store);
    if (stat(name, &info) == 0 && !S_ISDIR(info.st_mode)) {
        lks_buf_put_text(path, name);
    } else if (a->account != NULL) {
        lks_err err = lks_keystore_find(path, name, address);
        code = err == LKS_OK ? LKS_PARSED
                             : fail_key(err, command, "lockstep account list shows the accounts");
    } else {
        code = only_key(path, command, name);
    }
    lks_buf_free(&store);
    return code;
}

static int unlock(lks_signer **signer, const lks_account_args *a, const char *command,
                  const char *path)
{
    lks_password password;
    uint8_t key[32], address[20];
    char prompt[256];
    snprintf(prompt, sizeof prompt, "Password of %.200s: ", path);
    int code = lks_password_read(&password, command,
                                 lks_cli_setting(a->password_file, "LOCKSTEP_PASSWORD_FILE"),
                                 prompt, false);
    if (code != LKS_PARSED) {
        return code;
    }
    lks_err err = lks_keystore_load(key, path, password.bytes, password.len);
    lks_password_wipe(&password);
    if (err == LKS_OK) {
        err = lks_signer_new(signer, key);
    }
    lks_wipe(key, sizeof key);
    if (err != LKS_OK) {
        return fail_key(err, command, NULL);
    }
    /* A file's "address" member proves nothing, and a key file that is named directly may be
     * another's. */
    if (a->account != NULL && lks_address_parse(address, a->account) == LKS_OK &&
        memcmp(address, lks_signer_address(*signer), 20) != 0) {
        lks_signer_free(*signer);
        *signer = NULL;
        return lks_cli_fail(LKS_EXIT_AUTH,
                            "%s: its key is not that of %s; choose another --keystore or --account",
                            path, a->account);
    }
    return LKS_PARSED;
}

int lks_account_unlock(lks_signer **signer, const lks_account_args *a, const char *command)
{
    lks_buf path = {0};
    *signer = NULL;
    int code = lks_account_key_file(&path, a, command);
    if (code == LKS_PARSED && lks_buf_error(&path) != LKS_OK) {
        code = lks_cli_fail(LKS_EXIT_INTERNAL, "%s: out of memory", command);
    }
    if (code == LKS_PARSED) {
        code = unlock(signer, a, command, lks_buf_text(&path));
    }
    lks_buf_free(&path);
    return code;
}
