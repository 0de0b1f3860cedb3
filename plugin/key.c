#include "plugin/key.h"

#include "chain/keystore.h"
#include "chain/password_file.h"
#include "chain/secret.h"

#define MAX_PASSWORD 1024u

typedef struct secrets {
    char password[MAX_PASSWORD];
    uint8_t key[32];
} secrets;

lks_err lks_key_load(lks_signer **out, const lks_config *config)
{
    size_t len = 0;
    *out = NULL;
    secrets *s = lks_secret_new(sizeof *s);
    if (!s)
        return lks_fail(LKS_NOMEM, "out of memory for a key");
    lks_err err = lks_password_file_read(s->password, MAX_PASSWORD, &len, config->password_file);
    if (!err)
        err = lks_keystore_load(s->key, config->keystore, s->password, len);
    if (!err)
        err = lks_signer_new(out, s->key);
    lks_secret_free(s, sizeof *s);
    return err;
}
