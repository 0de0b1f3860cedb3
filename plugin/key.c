#include "plugin/key.h"

#include "chain/keystore.h"
#include "chain/password_file.h"

#define MAX_PASSWORD 1024u

lks_err lks_key_load(lks_signer **out, const lks_config *config)
{
    char password[MAX_PASSWORD];
    uint8_t key[32];
    size_t len = 0;
    *out = NULL;
    lks_err err = lks_password_file_read(password, sizeof password, &len, config->password_file);
    if (!err)
        err = lks_keystore_load(key, config->keystore, password, len);
    lks_wipe(password, sizeof password);
    if (!err)
        err = lks_signer_new(out, key);
    lks_wipe(key, sizeof key);
    return err;
}
