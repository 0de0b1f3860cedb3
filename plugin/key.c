#include "plugin/key.h"

#include "chain/keystore.h"
#include "chain/password_file.h"
#include "chain/secret.h"

#include <string.h>

#define MAX_PASSWORD 1024u

typedef struct secrets {
    char password[MAX_PASSWORD];
    uint8_t key[32];
} secrets;

static lks_err load(lks_signer **out, const char *keystore, const char *password_file)
{
    size_t len = 0;
    *out = NULL;
    secrets *s = lks_secret_new(sizeof *s);
    if (!s)
        return lks_fail(LKS_NOMEM, "out of memory for a key");
    lks_err err = lks_password_file_read(s->password, MAX_PASSWORD, &len, password_file);
    if (!err)
        err = lks_keystore_load(s->key, keystore, s->password, len);
    if (!err)
        err = lks_signer_new(out, s->key);
    lks_secret_free(s, sizeof *s);
    return err;
}

lks_err lks_key_load(lks_signer **out, const lks_config *config)
{
    return load(out, config->keystore, config->password_file);
}

lks_err lks_key_load_moves(lks_signer **out, const lks_config *config, const uint8_t account20[20])
{
    *out = NULL;
    if (!config->moves_keystore)
        return LKS_OK;
    lks_err err = load(out, config->moves_keystore, config->moves_password_file);
    if (err)
        return lks_fail_in(err, "the account for moves");
    if (memcmp(lks_signer_address(*out), account20, 20))
        return LKS_OK;
    lks_signer_free(*out);
    *out = NULL;
    return lks_fail(LKS_BADARGS, "moves_keystore is the key of the account itself: moves would wait"
                                 " behind its other transactions; make another account");
}
