#include "plugin/key.h"

#include "chain/keystore.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PASSWORD 1024u

/* Reads the first line of the password file. Out: password, room for MAX_PASSWORD; the caller wipes it. */
static lks_err read_password(const char *path, char *password, size_t *len) {
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f) return lks_fail(LKS_IO, "password file %s: %s", path, strerror(errno));
    setvbuf(f, NULL, _IONBF, 0); /* no copy in a buffer that nobody wipes */
    lks_err err = LKS_OK;
    if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode)) err = lks_fail(LKS_IO, "password file %s is not a file", path);
    else if (st.st_mode & (S_IRWXG | S_IRWXO))
        err = lks_fail(LKS_REFUSED, "password file %s can be read by others: chmod 600 %s", path, path);
    *len = 0;
    for (int c; !err && (c = fgetc(f)) != EOF && c != '\n' && c != '\r';) {
        if (*len == MAX_PASSWORD) err = lks_fail(LKS_BADARGS, "password file %s: its first line is longer than %u bytes", path, MAX_PASSWORD);
        else password[(*len)++] = (char)c;
    }
    fclose(f);
    return err;
}

lks_err lks_key_load(lks_signer **out, const lks_config *config) {
    char password[MAX_PASSWORD];
    uint8_t key[32];
    size_t len = 0;
    *out = NULL;
    lks_err err = read_password(config->password_file, password, &len);
    if (!err) err = lks_keystore_load(key, config->keystore, password, len);
    lks_wipe(password, sizeof password);
    if (!err) err = lks_signer_new(out, key);
    lks_wipe(key, sizeof key);
    return err;
}
