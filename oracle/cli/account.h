/* The account that a command signs with: a key file of a keystore, unlocked by its password; and
 * what its transactions may cost. */
#ifndef LKS_CLI_ACCOUNT_H
#define LKS_CLI_ACCOUNT_H

#include "chain/buf.h"
#include "chain/signer.h"
#include "oracle/cli/options.h"

typedef struct lks_account_args {
    const char *keystore, *account, *password_file;
    const char *max_fee, *max_priority_fee; /* oracle/cli/fees.h; NULL: the default */
    bool after_pending; /* send although transactions of the account wait for a block */
} lks_account_args;

#define LKS_KEYSTORE_OPTION(a)                                                                     \
    {.name = "keystore",                                                                           \
     .kind = LKS_OPT_TEXT,                                                                         \
     .out = &(a).keystore,                                                                         \
     .value = "PATH",                                                                              \
     .help = "key file or directory (default: $LOCKSTEP_KEYSTORE, then ~/.lockstep/keystore)"}
#define LKS_PASSWORD_OPTION(a)                                                                     \
    {.name = "password-file",                                                                      \
     .kind = LKS_OPT_TEXT,                                                                         \
     .out = &(a).password_file,                                                                    \
     .value = "FILE",                                                                              \
     .help = "password on the first line (default: $LOCKSTEP_PASSWORD_FILE, then asked for)"}
#define LKS_ACCOUNT_OPTIONS(a)                                                                     \
    LKS_KEYSTORE_OPTION(a),                                                                        \
        {.name = "account",                                                                        \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(a).account,                                                                      \
         .value = "ADDRESS",                                                                       \
         .help = "which key of the directory (needed when it holds several)"},                     \
        LKS_PASSWORD_OPTION(a),                                                                    \
        {.name = "max-fee",                                                                        \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(a).max_fee,                                                                      \
         .value = "AMOUNT",                                                                        \
         .help = "pay at most this per gas, base fee included (default 500gwei)"},                 \
        {.name = "max-priority-fee",                                                               \
         .kind = LKS_OPT_TEXT,                                                                     \
         .out = &(a).max_priority_fee,                                                             \
         .value = "AMOUNT",                                                                        \
         .help = "offer at most this per gas to the proposer of the block (default 10gwei)"},      \
        {.name = "after-pending",                                                                  \
         .kind = LKS_OPT_FLAG,                                                                     \
         .out = &(a).after_pending,                                                                \
         .help = "send even if other transactions of the account are pending"}

/* The option's value, else the environment's, else NULL. An empty variable counts as none. */
const char *lks_cli_setting(const char *option, const char *variable);

/* Out: path, appended: the keystore by option, environment or default. Returns: LKS_PARSED, or the
 * exit code after telling. */
int lks_account_keystore(lks_buf *path, const lks_account_args *a, const char *command);

/* The same without telling. Returns: LKS_OK, LKS_NOTFOUND (no option, no environment, no home),
 * LKS_NOMEM. */
LKS_MUST_USE
lks_err lks_account_default_keystore(lks_buf *path, const lks_account_args *a);

/* Out: path, appended: the key file of the account. Returns: LKS_PARSED, or the exit code after
 * telling. */
int lks_account_key_file(lks_buf *path, const lks_account_args *a, const char *command);

/* Out: *signer, freed by the caller with lks_signer_free. Returns: LKS_PARSED, or the exit code
 * after telling. */
int lks_account_unlock(lks_signer **signer, const lks_account_args *a, const char *command);

#endif
