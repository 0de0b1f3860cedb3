#include "oracle/cli/file_hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PIECE = 1 << 20
};

static lks_err hash_stream(uint8_t hash32[32], uint64_t *size, FILE *file, uint64_t total,
                           EVP_MD_CTX *context, unsigned char *piece, lks_hash_progress progress,
                           void *user)
{
    uint64_t done = 0;
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        return lks_fail(LKS_INTERNAL, "libcrypto has no SHA-256");
    }
    for (;;) {
        size_t n = fread(piece, 1, PIECE, file);
        if (n == 0) {
            break;
        }
        if (EVP_DigestUpdate(context, piece, n) != 1) {
            return lks_fail(LKS_INTERNAL, "libcrypto failed in SHA-256");
        }
        done += n;
        if (progress != NULL) {
            progress(user, done, total);
        }
    }
    if (ferror(file)) {
        return lks_fail(LKS_IO, "cannot be read: %s", strerror(errno));
    }
    *size = done;
    return EVP_DigestFinal_ex(context, hash32, NULL) == 1
               ? LKS_OK
               : lks_fail(LKS_INTERNAL, "libcrypto failed in SHA-256");
}

lks_err lks_file_sha256(uint8_t hash32[32], uint64_t *size, const char *path,
                        lks_hash_progress progress, void *user)
{
    lks_err err;
    struct stat info;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *piece = malloc(PIECE);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        err = lks_fail(LKS_IO, "cannot be opened: %s", strerror(errno));
    } else if (context == NULL || piece == NULL) {
        err = lks_fail(LKS_NOMEM, "out of memory");
    } else {
        err =
            hash_stream(hash32, size, file, (uint64_t)info.st_size, context, piece, progress, user);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(piece);
    EVP_MD_CTX_free(context);
    return err;
}
